#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_product_info
short_description: List GoGetSSL products and find the cheapest match
version_added: 1.0.0
description:
  - Lists the products of GoGetSSL. The module combines the three product descriptions of the API into one structure.
  - Products can be selected by ID, by name or by features. They are sorted by price.
  - Prices are the prices of the account, in minor units of its currency (cents), before tax.
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
      - The products to return, as IDs or names. If not set, the whole catalog is searched.
      - The catalog takes two requests. If all values are IDs, each product takes one request instead.
    type: list
    elements: str
  validation:
    description:
      - The validation level, domain validation (V(dv)), organization validation (V(ov)) or extended validation
        (V(ev)).
    type: str
    choices: [dv, ov, ev]
  wildcard:
    description:
      - Whether the common name is a wildcard name.
    type: bool
  multi_domain:
    description:
      - Whether the certificate can have more names than the common name.
    type: bool
  wildcard_sans:
    description:
      - Whether additional names can be wildcard names.
    type: bool
  period:
    description:
      - Length of the term in months. Products that are not sold for this term are not returned.
    type: int
  methods:
    description:
      - Validation methods. Only products that support all of them are returned.
    type: list
    elements: str
    choices: [email, http, https, dns]
    default: []
  brand:
    description:
      - Part of the brand name, such as V(geotrust), or one of the brand families V(sectigo) and V(digicert).
    type: str
  max_price:
    description:
      - Maximum price before tax, in minor units of the account's currency (cents).
    type: int
  limit:
    description:
      - Maximum number of products to return. The cheapest product is the first one.
    type: int
  details:
    description:
      - Whether to read the details of each returned product, such as RV(products[].refund_days). This takes one request
        for each product.
    type: bool
    default: false
  agreement:
    description:
      - Whether to read the agreement of each returned product. This takes one request for each product.
    type: bool
    default: false
seealso:
  - module: certops.gogetssl.gogetssl_account_info
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: Find the cheapest DV wildcard product for 12 months
  certops.gogetssl.gogetssl_product_info:
    validation: dv
    wildcard: true
    period: 12
    limit: 1
  register: cheapest

- name: Show the product and its price
  ansible.builtin.debug:
    msg: "{{ cheapest.products[0].name }}: {{ cheapest.products[0].price }} cents"

- name: Read the refund period of a product
  certops.gogetssl.gogetssl_product_info:
    products: [68]
    details: true
"""

RETURN = r"""
products:
  description: The products. The cheapest product is the first one, and products without a known price are last.
  returned: success
  type: list
  elements: dict
  contains:
    product_id:
      description: ID of the product.
      type: int
      sample: 68
    name:
      description: Name of the product.
      type: str
      sample: GoGetSSL Multi-Domain SSL
    brand:
      description: Brand as GoGetSSL names it.
      type: str
      sample: comodo_ggssl
    family:
      description: Brand family, V(sectigo) or V(digicert).
      type: str
      sample: sectigo
    validation:
      description: Validation level, V(dv), V(ov) or V(ev).
      type: str
      sample: dv
    wildcard:
      description: Whether the common name is a wildcard name.
      type: bool
      sample: false
    multi_domain:
      description: Whether the certificate can have additional names.
      type: bool
      sample: true
    wildcard_sans:
      description: Whether additional names can be wildcard names.
      type: bool
      sample: false
    max_sans:
      description: Maximum number of additional names.
      type: int
      sample: 250
    included_sans:
      description: Number of additional names that the price includes.
      type: int
      sample: 3
    included_wildcard_sans:
      description: Number of additional wildcard names that the price includes.
      type: int
      sample: 0
    organization_required:
      description: Whether an order requires an organization.
      type: bool
      sample: false
    unlimited_servers:
      description: Whether the license covers an unlimited number of servers.
      type: bool
      sample: true
    caa_recheck:
      description: Whether the CA can check CAA records again on request.
      type: bool
      sample: true
    custom_random_value:
      description: Whether an order can set its own random value for the validation.
      type: bool
      sample: true
    methods:
      description: Supported validation methods.
      type: list
      elements: str
      sample: [dns, email, http, https]
    periods:
      description: Available terms in months.
      type: list
      elements: int
      sample: [12, 24]
    prices:
      description: Price for each term. Each entry has C(period) in months and C(price) in minor units (cents).
      type: list
      elements: dict
      sample: [{period: 12, price: 4200}]
    san_prices:
      description: Price of one additional name for each term, with the same structure.
      type: list
      elements: dict
      sample: [{period: 12, price: 900}]
    wildcard_san_prices:
      description: Price of one additional wildcard name for each term, with the same structure.
      type: list
      elements: dict
      sample: []
    price:
      description:
        - Price for O(period), in minor units (cents). If O(period) is not set, it is the price for 12 months, or for
          the shortest term if 12 months are not available.
      type: int
      sample: 4200
    description:
      description: Description of the product as HTML. It requires O(details=true), as do the following values.
      type: str
      sample: <p>For many names</p>
    refund_days:
      description: Number of days in which a cancelled order is refunded.
      type: int
      sample: 30
    warranty:
      description: Warranty amount.
      type: str
      sample: "10000"
    site_seal:
      description: Type of the site seal.
      type: str
      sample: static
    issuance_time:
      description: Usual time until issuance.
      type: str
      sample: 5 minutes
    free_reissues:
      description: Whether reissues are free of charge.
      type: str
      sample: "yes"
    ip_allowed:
      description: Whether the certificate can contain an IP address.
      type: bool
      sample: false
    common_name_change:
      description: Whether a reissue can change the common name.
      type: bool
      sample: true
    agreement:
      description: Agreement of the product as HTML. It requires O(agreement=true).
      type: str
      sample: <h1>Agreement</h1>
raw:
  description: The unmodified responses of the GoGetSSL API, in the order of the requests.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: HTTP method and path of the request.
      type: str
      sample: GET /account/
    body:
      description: Body of the response.
      type: raw
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.product_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
