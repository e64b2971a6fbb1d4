#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_order
short_description: Buy, resume, reissue, renew or cancel certificates, each exactly once
version_added: 1.0.0
description:
  - Finds out for every certificate what the host and the vendor have, decides the one next step and takes it. A
    certificate that runs out within its paid term is reissued for free; only at the end of the term is it renewed.
  - All certificates are assessed before the first one costs money. What a product requires (names, period, validation
    methods, contacts) is checked before the vendor is asked to sell anything.
  - A purchase is made exactly once. Before it, an intent is written on the host beside the certificate,
    exclusively. If the vendor's answer is lost, the order is looked for by the key in its CSR; if it cannot be found
    within O(settle_time), nothing is bought until a person decides.
  - An order that was placed with the same key but is not in the host's journal is found and adopted.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.api
  - certops.gogetssl.certificates
  - certops.gogetssl.raw
attributes:
  check_mode:
    support: full
    details: The vendor is asked, nothing is bought; RV(plan) tells steps, reasons, prices and deadlines.
  diff_mode:
    support: full
    details: Shows the steps with their reasons and prices.
  idempotent:
    support: full
options:
  certificates:
    required: false  # orders can be cancelled by their ids alone
  requests:
    description:
      - The CSRs, as returned by M(certops.gogetssl.gogetssl_csr). Of each entry C(name), the certificate's name, and
        C(csr), the CSR in PEM form, are used.
    type: list
    elements: dict
    default: []
  publishers:
    description:
      - What can be published for this host, V(http) for files and V(dns) for DNS records. The method V(auto) chooses
        from these.
    type: list
    elements: str
    choices: [http, dns]
    default: [http]
  spend:
    description:
      - What this task may do. V(buy) includes V(renew), V(renew) includes V(reissue).
      - V(add_names) has to be named in addition for more names to be bought in an existing order.
      - With V(none) nothing is done that costs money or replaces a certificate.
    type: list
    elements: str
    choices: [none, reissue, renew, buy, add_names]
    default: [buy]
  max_price:
    description: The most that one step may cost, in minor units of the account's currency (cents), before tax.
    type: int
  max_price_per_year:
    description:
      - The most that one certificate may cost in a year, in minor units, before tax.
      - What was bought in the 330 days before counts, as the host's journal knows it; a renewal comes up to 29 days
        before its term ends, and two of them are not to fall into one year. An order that the journal does not know as
        a purchase, as it was adopted, counts with today's price if its term has begun within that time.
    type: int
  max_price_per_run:
    description:
      - The most that one run of Ansible may spend on all hosts together, in minor units, before tax.
      - The price of a step is set aside as soon as it is decided, in check mode too, so that the ceiling holds across
        forks, batches, strategies and plays; who is first is served first. What GoGetSSL refused is
        given back; what may have been bought stays set aside.
      - A task with C(async) is sent to the host and knows of itself only.
    type: int
  currency:
    description:
      - The currency the ceilings are meant in, such as V(EUR). If the account is kept in another, nothing is bought.
    type: str
  tax_percent:
    description:
      - The tax in percent that GoGetSSL adds to its prices for this account. If given, the balance is compared with
        prices and tax, otherwise with the prices alone. The price list does not tell it; the invoices do.
    type: float
  check_balance:
    description:
      - Whether to stop a purchase that the account's balance does not cover, with what this run has bought or set aside
        before. The balance is read once in a run, and only if something is to be bought.
      - With V(false) such an order is placed and waits for its payment; GoGetSSL cancels it after 20 days.
    type: bool
    default: true
  approved_plan:
    description:
      - RV(plan) of an earlier run in check mode that somebody has approved. If given, a step that costs money is only
        taken if the plan holds it for this certificate at this price or a higher one. What is free is done anyway.
    type: list
    elements: dict
  settle_time:
    description: For how many seconds an order is looked for whose purchase was not answered.
    type: int
    default: 60
  keep_going:
    description:
      - Whether a certificate that cannot go on fails the task. With V(true) it is only listed in RV(stopped), so that
        the others can be finished first; fail the play yourself afterwards.
    type: bool
    default: false
  state:
    description:
      - With V(present), takes the next step for each certificate.
      - With V(cancelled), asks GoGetSSL to cancel the orders in the journals of O(certificates), and those of
        O(order_ids). GoGetSSL reviews this within 2 to 48 hours; the orders stay as they are until then. A request that
        was made before is not a change. The certificate on the host is not touched.
    type: str
    choices: [present, cancelled]
    default: present
  reason:
    description:
      - Why the orders are cancelled, for GoGetSSL. Required with O(state=cancelled).
    type: str
  compare_hosts:
    description:
      - Whether what is to be bought is compared with what the other hosts of the play wish for, those of later batches
        too, by their variables C(gogetssl_certificates). A certificate that one of them wishes for as well is not
        bought as long as O(certificates[].order_host) is not given.
      - Works inside the controller only, so not with C(async).
    type: bool
    default: false
  other_hosts:
    description:
      - What the other hosts of the play wish for, as V(host), V(common_name) and V(product). A certificate that one of
        them wishes for too is not bought as long as O(certificates[].order_host) is not given.
    type: list
    elements: dict
    default: []
  order_ids:
    description:
      - More orders to cancel, with O(state=cancelled). O(certificates) can be left out then.
    type: list
    elements: int
    default: []
seealso:
  - module: certops.gogetssl.gogetssl_csr
  - module: certops.gogetssl.gogetssl_dcv
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Make key and CSR on the host
  certops.gogetssl.gogetssl_csr:
    certificates: "{{ certificates }}"
  register: made

- name: Order what has to be ordered, for at most 60.00
  certops.gogetssl.gogetssl_order:
    certificates: "{{ certificates }}"
    requests: "{{ made.requests }}"
    max_price: 6000
    currency: EUR
    admin:
      firstname: Ada
      lastname: Lovelace
      title: Ms.
      email: ada@example.com
      phone: "+37166164222"
  register: ordered

- name: Cancel an order
  certops.gogetssl.gogetssl_order:
    order_ids: [1234567]
    state: cancelled
    reason: ordered for the wrong name
"""

RETURN = r"""
cancelled:
  description: One entry per order that is to be cancelled.
  returned: O(state=cancelled)
  type: list
  elements: dict
  contains:
    name:
      description: The certificate whose journal names the order; null for one of O(order_ids).
      type: str
      sample: shop
    order_id:
      description: The order.
      type: int
      sample: 1234567
    common_name:
      description: The common name the order is for.
      type: str
      sample: shop.example.com
    status:
      description: The status of the order before. It stays so until GoGetSSL has reviewed the request.
      type: str
      sample: active
    changed:
      description: Whether the cancellation was asked for now; in check mode, whether it would be.
      type: bool
      sample: true
    reason:
      description: What was done or not done, in words.
      type: str
      sample: Its cancellation is asked for; GoGetSSL reviews it in 2 to 48 hours.
    refund_until:
      description: Last day on which the order is refunded, by its invoice and its product; null if they do not tell.
      type: str
      sample: "2026-12-23"
    within_refund:
      description: Whether that day has not passed yet; null if it is not known.
      type: bool
      sample: true
    refund:
      description: The same in words.
      type: str
      sample: within its refund period, until 2026-12-23
plan:
  description:
    - One entry per certificate, in the order of O(certificates), with what is to be done in check mode, and what
      was decided otherwise.
    - May be kept as JSON and handed to O(approved_plan) of a later run.
  returned: O(state=present)
  type: list
  elements: dict
  contains:
    host:
      description: The inventory's name of the host.
      type: str
      sample: web1
    name:
      description: The certificate's name.
      type: str
      sample: shop
    names:
      description: The wanted names, the common name first.
      type: list
      elements: str
      sample: [shop.example.com]
    product:
      description: The product by name; as it was given if it could not be found.
      type: str
      sample: PositiveSSL
    period:
      description: The wanted term in months.
      type: int
      sample: 12
    step:
      description: The step; V(stop) if it cannot or may not be taken.
      type: str
      sample: buy
    due:
      description: The step that is due, also if the policy stops it; null if a person has to decide first.
      type: str
      sample: buy
    reason:
      description: Why, in words.
      type: str
      sample: there is no order for it
    order_id:
      description: The order it is about, or null.
      type: int
      sample: 783956
    price:
      description: What the due step costs before tax, in minor units; 0 if it is free, null if not known.
      type: int
      sample: 4200
    currency:
      description: The currency of the price; null if neither the account was asked nor O(currency) given.
      type: str
      sample: EUR
    deadline:
      description:
        - When the certificate in use ends or GoGetSSL cancels an order under way by itself, whichever is first, as an
          ISO timestamp; null if there is neither.
      type: str
      sample: "2026-12-24T23:59:59+00:00"
budget:
  description: What is spent, and of what.
  returned: O(state=present)
  type: dict
  contains:
    price:
      description: The sum of the steps of this task that cost money, before tax, in minor units.
      type: int
      sample: 4200
    run_price:
      description: What this run of Ansible has set aside on all hosts so far, before tax, in minor units.
      type: int
      sample: 8400
    balance:
      description: The account's balance when the run first looked, in minor units; null if there was no need to look.
      type: int
      sample: 100000
    currency:
      description: The account's currency, or O(currency) if the account was not asked.
      type: str
      sample: EUR
    tax_percent:
      description: As given.
      type: float
      sample: 21.0
orders:
  description: One entry per certificate that could go on.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    methods:
      description: How each name is proven, from name to method, with V(auto) resolved.
      type: dict
      sample: {"shop.example.com": "http"}
    step:
      description: What was decided, and outside check mode done.
      type: str
      sample: buy
    reason:
      description: Why, in words.
      type: str
      sample: there is no order for it
    price:
      description: What the step costs by the vendor's price list, in minor units; 0 if it is free, null if not known.
      type: int
      sample: 4200
    charged:
      description: What the vendor says it charged, in minor units; null if nothing was bought or it did not say.
      type: int
      sample: 4200
    currency:
      description: Currency of RV(orders[].charged).
      type: str
      sample: EUR
    order_id:
      description: The order, or null if there is none yet.
      type: int
      sample: 783956
    status:
      description: The vendor's status of the order.
      type: str
      sample: processing
    pending:
      description: Whether a certificate is still to come.
      type: bool
      sample: true
    issued:
      description: Whether the newest certificate is issued.
      type: bool
      sample: false
    waiting_for:
      description: Why the order is pending, in words.
      type: str
      sample: "Not validated yet: shop.example.com."
    names:
      description: The wanted names, the common name first.
      type: list
      elements: str
      sample: [shop.example.com]
    common_name:
      description: The common name the order is for.
      type: str
      sample: shop.example.com
    product_id:
      description: The product of the order.
      type: int
      sample: 68
    valid_from:
      description: Begin of the newest certificate (ISO date), or null.
      type: str
      sample: "2026-11-23"
    valid_till:
      description: End of the newest certificate (ISO date), or null.
      type: str
      sample: "2027-06-10"
    begin_date:
      description: Begin of the paid term (ISO date), or null.
      type: str
      sample: "2026-11-23"
    end_date:
      description: End of the paid term (ISO date), or null.
      type: str
      sample: "2027-11-23"
    certificate:
      description: The newest certificate in PEM form, or null.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    chain:
      description: Its chain in PEM form, or null.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    proofs:
      description: What proves control of each name; see M(certops.gogetssl.gogetssl_dcv).
      type: list
      elements: dict
      sample: []
raw:
  description: The answers of GoGetSSL in the order of the calls, those to what was asked for included.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: Verb and path of the call.
      type: str
      sample: POST /orders/add_ssl_order/
    body:
      description: What was answered.
      type: raw
stopped:
  description: Certificates that could not go on, each with its reason in one sentence.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    reason:
      description: What stands in the way and what to do.
      type: str
      sample: "shop: PositiveSSL is for one name, so api.example.com does not fit."
"""

from ..module_utils._order import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
