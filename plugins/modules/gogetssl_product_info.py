#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_product_info
short_description: Look at GoGetSSL's products and find the cheapest one that fits
version_added: 1.0.0
description:
  - GoGetSSL describes its products in three ways with different words. This module gives them one shape.
  - Products are found by number, by name or by features, and are sorted by price.
  - Prices are those of the account, in minor units of its currency (cents), without tax.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.info
  - certops.gogetssl.raw
options:
  products:
    description:
      - The products, by number or by name. Without it, the whole catalogue.
      - The catalogue costs two requests. If only numbers are given, each product costs one request instead.
    type: list
    elements: str
  validation:
    description:
      - How much of the applicant is checked, the domain (V(dv)), the organisation (V(ov)) or more of it (V(ev)).
    type: str
    choices: [dv, ov, ev]
  wildcard:
    description:
      - Whether the common name is a wildcard.
    type: bool
  multi_domain:
    description:
      - Whether there can be more names than the common name.
    type: bool
  wildcard_sans:
    description:
      - Whether additional names can be wildcards.
    type: bool
  period:
    description:
      - The term in months. Products that are not sold for it are left out.
    type: int
  methods:
    description:
      - Methods of domain validation that all have to be offered.
    type: list
    elements: str
    choices: [email, http, https, dns]
    default: []
  brand:
    description:
      - A part of the brand such as V(geotrust), or one of the families V(sectigo) and V(digicert).
    type: str
  max_price:
    description:
      - The highest price, in minor units of the account's currency (cents), without tax.
    type: int
  limit:
    description:
      - How many products to return, the cheapest first.
    type: int
  details:
    description:
      - Whether to read what only a product's own page tells, such as RV(products[].refund_days), at one request for
        each
        product that is returned.
    type: bool
    default: false
  agreement:
    description:
      - Whether to read the text a buyer agrees to, at one request for each product that is returned.
    type: bool
    default: false
seealso:
  - module: certops.gogetssl.gogetssl_account_info
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: Find the cheapest DV wildcard for 12 months
  certops.gogetssl.gogetssl_product_info:
    validation: dv
    wildcard: true
    period: 12
    limit: 1
  register: cheapest

- name: Say what it is
  ansible.builtin.debug:
    msg: "{{ cheapest.products[0].name }}: {{ cheapest.products[0].price }} cents"

- name: Read how long a product can be given back
  certops.gogetssl.gogetssl_product_info:
    products: [68]
    details: true
"""

RETURN = r"""
products:
  description: The products, the cheapest first; those without a known price come last.
  returned: success
  type: list
  elements: dict
  contains:
    product_id:
      description: Number of the product.
      type: int
      sample: 68
    name:
      description: Its name.
      type: str
      sample: GoGetSSL Multi-Domain SSL
    brand:
      description: Its brand in the words of GoGetSSL.
      type: str
      sample: comodo_ggssl
    family:
      description: Who stands behind the brand, V(sectigo) or V(digicert).
      type: str
      sample: sectigo
    validation:
      description: V(dv), V(ov) or V(ev).
      type: str
      sample: dv
    wildcard:
      description: Whether the common name is a wildcard.
      type: bool
      sample: false
    multi_domain:
      description: Whether there can be additional names.
      type: bool
      sample: true
    wildcard_sans:
      description: Whether additional names can be wildcards.
      type: bool
      sample: false
    max_sans:
      description: The most additional names.
      type: int
      sample: 250
    included_sans:
      description: Additional names that the price includes.
      type: int
      sample: 3
    included_wildcard_sans:
      description: Additional wildcards that the price includes.
      type: int
      sample: 0
    organization_required:
      description: Whether an order has to name an organisation.
      type: bool
      sample: false
    unlimited_servers:
      description: Whether it may be used on any number of servers.
      type: bool
      sample: true
    caa_recheck:
      description: Whether the authority can be asked to look at CAA records again.
      type: bool
      sample: true
    custom_random_value:
      description: Whether orders may bring their own random value for proofs.
      type: bool
      sample: true
    methods:
      description: Methods of domain validation.
      type: list
      elements: str
      sample: [dns, email, http, https]
    periods:
      description: Terms in months.
      type: list
      elements: int
      sample: [12, 24]
    prices:
      description: Price by term, each with C(period) and C(price).
      type: list
      elements: dict
      sample: [{period: 12, price: 4200}]
    san_prices:
      description: The same for one additional name.
      type: list
      elements: dict
      sample: [{period: 12, price: 900}]
    wildcard_san_prices:
      description: The same for one additional wildcard.
      type: list
      elements: dict
      sample: []
    price:
      description: The price for O(period), or without it for 12 months or else the shortest term.
      type: int
      sample: 4200
    description:
      description: What GoGetSSL says of it, HTML. With O(details=true), like those below.
      type: str
      sample: <p>For many names</p>
    refund_days:
      description: For how many days a cancelled order is refunded.
      type: int
      sample: 30
    warranty:
      description: The warranty.
      type: str
      sample: "10000"
    site_seal:
      description: The kind of site seal.
      type: str
      sample: static
    issuance_time:
      description: How long issuance usually takes.
      type: str
      sample: 5 minutes
    free_reissues:
      description: Whether reissues are free.
      type: str
      sample: "yes"
    ip_allowed:
      description: Whether it can be issued for an IP address.
      type: bool
      sample: false
    common_name_change:
      description: Whether a reissue may change the common name.
      type: bool
      sample: true
    agreement:
      description: What the buyer agrees to, HTML; with O(agreement=true).
      type: str
      sample: <h1>Agreement</h1>
raw:
  description: The answers of GoGetSSL in the order of the calls.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: Verb and path of the call.
      type: str
      sample: GET /account/
    body:
      description: What was answered.
      type: raw
"""

from ..module_utils._product_info import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
