#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_order_info
short_description: Look at GoGetSSL orders, or wait for them
version_added: 1.0.0
description:
  - Tells how orders are doing, with their certificates once they are issued, and why there is none before.
  - Many orders are looked at with one request, so that waiting for all orders of a play costs as much as for one.
  - Lists the orders of the account, with common name, status and validity of thousands of them at some ten requests.
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
  order_ids:
    description:
      - The orders.
      - One of O(order_ids), O(all) and O(unpaid) is required; O(order_ids) and O(all) exclude each other.
    type: list
    elements: int
  all:
    description:
      - Whether to list the orders of the account, those that fit O(statuses), O(name), O(product_id) and
        O(expires_within).
      - Orders that are active, processing, expired, rejected or revoked are listed without limit. Of the others,
        GoGetSSL's lists reach 2,000 orders of any status; see RV(complete).
    type: bool
  unpaid:
    description:
      - Whether to list what has to be paid, in RV(unpaid).
    type: bool
  statuses:
    description:
      - Only orders in one of these states, with O(all). Without it, all.
    type: list
    elements: str
    choices:
      - active
      - cancelled
      - expired
      - incomplete
      - new_order
      - unpaid
      - pending
      - processing
      - reissue
      - rejected
      - revoked
    default: []
  name:
    description:
      - Only orders with this common name, with O(all). It may be a pattern such as V(*example.com); only at its
        beginning, C(*.) stands for itself.
    type: str
  product_id:
    description:
      - Only orders of this product, with O(all). The lists do not tell the product, so that each order that fits
        otherwise costs one more request.
    type: int
  expires_within:
    description:
      - Only orders whose certificate ends within so many days or has ended, with O(all).
    type: int
  wait:
    description:
      - Seconds to wait until none of O(order_ids) is pending. V(0) looks once.
      - An order that is pending when the time is up is a result, not a failure.
      - A look that fails in a way that may pass, such as a connection that breaks, does not end the wait.
    type: int
    default: 0
  interval:
    description:
      - Seconds between two looks.
    type: int
    default: 10
  include_details:
    description:
      - Whether to read names, dates, certificates and proofs, at one request for each order.
      - With V(false), only RV(orders[].order_id), RV(orders[].status), RV(orders[].pending), RV(orders[].issued) and
        RV(orders[].reason) have a value, and with O(all) RV(orders[].common_name), RV(orders[].valid_from) and
        RV(orders[].valid_till), as far as the lists tell them.
      - If not given, details are read with O(order_ids) and are not with O(all).
    type: bool
  include_invoice:
    description:
      - Whether to read the invoice of each order, at one request each.
    type: bool
    default: false
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_dcv
"""

EXAMPLES = r"""
- name: Look at an order
  certops.gogetssl.gogetssl_order_info:
    order_ids: [1234567]
  register: found

- name: Wait up to ten minutes for two orders
  certops.gogetssl.gogetssl_order_info:
    order_ids: [1234567, 1234568]
    wait: 600
  register: found

- name: List what runs out within a month
  certops.gogetssl.gogetssl_order_info:
    all: true
    statuses: [active]
    expires_within: 30

- name: Say what is missing
  ansible.builtin.debug:
    msg: "{{ item.common_name }}: {{ item.reason }}"
  loop: "{{ found.orders | selectattr('pending') }}"
  loop_control:
    label: "{{ item.order_id }}"
"""

RETURN = r"""
pending:
  description: The orders that are still under way.
  returned: success
  type: list
  elements: int
  sample: [1234568]
complete:
  description: Whether no order can be missing; false if the account has more orders than the vendor's lists reach.
  returned: with O(all)
  type: bool
  sample: true
unpaid:
  description: What has to be paid.
  returned: with O(unpaid)
  type: list
  elements: dict
  contains:
    order_id:
      description: The order.
      type: int
      sample: 1234569
    total:
      description: The amount in minor units of the currency.
      type: int
      sample: 5082
    currency:
      description: The currency.
      type: str
      sample: EUR
    date:
      description: The day of the order.
      type: str
      sample: "2026-11-23"
orders:
  description: The orders, in the order of O(order_ids); with O(all) the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: The order.
      type: int
      sample: 1234567
    status:
      description: The status in the words of GoGetSSL, such as V(processing), V(active) or V(cancelled).
      type: str
      sample: active
    product_id:
      description: The product.
      type: int
      sample: 68
    common_name:
      description: The first name of the certificate.
      type: str
      sample: www.example.com
    names:
      description: All names of the certificate.
      type: list
      elements: str
      sample: [www.example.com, example.com]
    pending:
      description: Whether the order is still under way. An order that was cancelled or rejected is not.
      type: bool
      sample: false
    issued:
      description: Whether the newest certificate of the order is there.
      type: bool
      sample: true
    reason:
      description: Why there is none, such as names that are not validated, a check by hand or a lack of funds.
      type: str
      sample: ""
    valid_from:
      description: First day of the certificate.
      type: str
      sample: "2026-01-01"
    valid_till:
      description: Last day of the certificate.
      type: str
      sample: "2026-07-18"
    begin_date:
      description: First day of the paid term.
      type: str
      sample: "2026-01-01"
    end_date:
      description: Last day of the paid term, within which certificates can be reissued free of charge.
      type: str
      sample: "2027-01-01"
    certificate:
      description: The certificate, PEM.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    chain:
      description: The certificates of the authority, PEM.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    proofs:
      description: What proves control of each name.
      type: list
      elements: dict
      contains:
        name:
          description: The name to prove control of; a wildcard with its asterisk.
          type: str
          sample: www.example.com
        method:
          description: How it is proven, V(http), V(https), V(dns) or V(email).
          type: str
          sample: http
        state:
          description: V(validated) once the authority is satisfied, V(processing) or V(unset) before.
          type: str
          sample: processing
        reason:
          description: The words of GoGetSSL on the state; may be empty.
          type: str
          sample: ""
        ready:
          description: Whether GoGetSSL has said what to publish.
          type: bool
          sample: true
        url:
          description: Where the authority will look for the file, for V(http) and V(https).
          type: str
          sample: http://www.example.com/.well-known/pki-validation/0123.txt
        path:
          description: The path in RV(orders[].proofs[].url).
          type: str
          sample: /.well-known/pki-validation/0123.txt
        file_name:
          description: The last part of RV(orders[].proofs[].path). It is safe to use as a file name.
          type: str
          sample: 0123.txt
        content:
          description: The exact content of the file, with CRLF between its lines.
          type: str
          sample: "0123\r\nsectigo.com\r\nabcd"
        type:
          description: The type of the DNS record, V(CNAME) or V(TXT), for V(dns).
          type: str
          sample: CNAME
        record:
          description: The full name of the DNS record, without a final dot.
          type: str
          sample: _0123.www.example.com
        value:
          description: The value of the DNS record, without a final dot or quotes.
          type: str
          sample: 4567.89ab.abcd.comodoca.com
        email:
          description: The approver who gets the mail, for V(email).
          type: str
          sample: admin@example.com
    invoice:
      description: The invoice of the order, in the shape of M(certops.gogetssl.gogetssl_account_info); null if none.
      returned: with O(include_invoice)
      type: dict
      sample: {number: GGS-5101, total: 5082, status: paid}
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


from ..module_utils._order_info import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
