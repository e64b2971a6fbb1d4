#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_order_info
short_description: Read GoGetSSL orders, list them, or wait for them
version_added: 1.0.0
description:
  - Reads the status of orders. The result contains the certificate of an issued order, and the reason why a pending
    order is not issued.
  - The module reads the status of many orders with one request. Waiting for all orders of a play takes as many
    requests as waiting for one.
  - The module can list the orders of the account. A list of thousands of orders with common name, status and validity
    takes about ten requests.
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
      - IDs of the orders to read.
      - At least one of O(order_ids), O(all) and O(unpaid) is required. O(order_ids) and O(all) are mutually exclusive.
    type: list
    elements: int
  all:
    description:
      - Whether to list the orders of the account that match O(statuses), O(name), O(product_id) and
        O(expires_within).
      - There is no limit for active, processing, expired, rejected and revoked orders. For orders in other states,
        the lists of GoGetSSL contain at most 2,000 orders of any status. See RV(complete).
    type: bool
  unpaid:
    description:
      - Whether to list the unpaid orders in RV(unpaid).
    type: bool
  statuses:
    description:
      - Return only orders with one of these statuses. Used with O(all=true).
      - If empty, orders are returned regardless of their status.
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
      - Return only orders with this common name. Used with O(all=true).
      - The value can be a pattern such as V(*example.com). C(*.) at the beginning of the pattern matches only a
        wildcard name.
    type: str
  product_id:
    description:
      - Return only orders of this product. Used with O(all=true).
      - The lists of GoGetSSL do not contain the product. The module sends one more request for each order that
        matches the other options.
    type: int
  expires_within:
    description:
      - Return only orders whose certificate expires within this number of days or has expired. Used with O(all=true).
    type: int
  wait:
    description:
      - Maximum time in seconds to wait until none of O(order_ids) is pending. With V(0), the module reads the orders
        once.
      - The module does not fail if an order is still pending at the end of this time.
      - The module continues to wait after a temporary failure, such as a lost connection.
    type: int
    default: 0
  interval:
    description:
      - Time in seconds between two requests.
    type: int
    default: 10
  brief_order_ids:
    description:
      - IDs of further orders to read, which cannot be issued soon, for example because they are not paid. The module
        waits for them as long as for O(order_ids), but if there are no others, only during one O(interval).
    type: list
    elements: int
    default: []
  return_early:
    description:
      - Whether to return before O(wait) has passed if orders are not pending any more and no other one finishes
        during two intervals.
    type: bool
    default: false
  return_after:
    description:
      - The number of seconds after which to return in any case. RV(seconds_left) is the rest of O(wait).
    type: int
  order_texts:
    description:
      - Texts by order ID, such as the name of the certificate and the reason why the order is pending. While the
        module waits on the controller, it shows every 30 seconds the orders that it waits for, with these texts.
    type: dict
    default: {}
  include_details:
    description:
      - Whether to read names, dates, certificates and validations. This takes one request for each order.
      - With V(false), only RV(orders[].order_id), RV(orders[].status), RV(orders[].pending), RV(orders[].issued) and
        RV(orders[].reason) are set. With O(all=true), RV(orders[].common_name), RV(orders[].valid_from) and
        RV(orders[].valid_till) are also set if the lists contain them.
      - If not set, the details are read with O(order_ids), but not with O(all=true).
    type: bool
  include_invoice:
    description:
      - Whether to read the invoice of each order. This takes one request for each order.
    type: bool
    default: false
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_dcv
"""

EXAMPLES = r"""
- name: Read an order
  certops.gogetssl.gogetssl_order_info:
    order_ids: [1234567]

- name: Wait up to ten minutes for two orders
  certops.gogetssl.gogetssl_order_info:
    order_ids: [1234567, 1234568]
    wait: 600
  register: result

- name: List the certificates that expire within 30 days
  certops.gogetssl.gogetssl_order_info:
    all: true
    statuses: [active]
    expires_within: 30

- name: Show why orders are pending
  ansible.builtin.debug:
    msg: "{{ item.common_name }}: {{ item.reason }}"
  loop: "{{ result.orders | selectattr('pending') }}"
  loop_control:
    label: "{{ item.order_id }}"
"""

RETURN = r"""
seconds_left:
  description: The part of O(wait) that has not passed.
  returned: when O(order_ids) is set
  type: int
  sample: 540
pending:
  description: IDs of the orders that are still in progress.
  returned: success
  type: list
  elements: int
  sample: [1234568]
complete:
  description:
    - Whether RV(orders) contains all matching orders. It is false if the account has more orders than the lists of
      GoGetSSL contain.
  returned: with O(all)
  type: bool
  sample: true
unpaid:
  description: The unpaid orders.
  returned: with O(unpaid)
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 1234569
    total:
      description: Amount to pay, in minor units of the currency (cents).
      type: int
      sample: 5082
    currency:
      description: Currency of the amount.
      type: str
      sample: EUR
    date:
      description: Date of the order.
      type: str
      sample: "2026-11-23"
orders:
  description: The orders, in the order of O(order_ids). With O(all=true), the newest order is the first one.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 1234567
    status:
      description: Status as GoGetSSL reports it, such as V(processing), V(active) or V(cancelled).
      type: str
      sample: active
    product_id:
      description: ID of the product.
      type: int
      sample: 68
    common_name:
      description: Common name of the certificate.
      type: str
      sample: www.example.com
    names:
      description: All names of the certificate.
      type: list
      elements: str
      sample: [www.example.com, example.com]
    pending:
      description: Whether the order is still in progress. It is false for cancelled and rejected orders.
      type: bool
      sample: false
    issued:
      description: Whether the newest certificate of the order is issued.
      type: bool
      sample: true
    reason:
      description:
        - Reason why the certificate is not issued, such as names that are not validated, a manual review or
          insufficient funds.
      type: str
      sample: ""
    valid_from:
      description: First day of the certificate's validity.
      type: str
      sample: "2026-01-01"
    valid_till:
      description: Last day of the certificate's validity.
      type: str
      sample: "2026-07-18"
    begin_date:
      description: First day of the paid term.
      type: str
      sample: "2026-01-01"
    end_date:
      description: Last day of the paid term. Reissues are free of charge until this day.
      type: str
      sample: "2027-01-01"
    certificate:
      description: The certificate in PEM format.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    chain:
      description: The CA certificates in PEM format.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    validations:
      description: The validation of each name.
      type: list
      elements: dict
      contains:
        name:
          description: The domain name to validate. A wildcard name includes its asterisk.
          type: str
          sample: www.example.com
        method:
          description: The validation method, V(http), V(https), V(dns) or V(email).
          type: str
          sample: http
        state:
          description: V(validated) after the CA has validated the name, and V(processing) or V(unset) before.
          type: str
          sample: processing
        reason:
          description: The message of GoGetSSL about the state. It can be empty.
          type: str
          sample: ""
        ready:
          description: Whether GoGetSSL has provided the data to publish.
          type: bool
          sample: true
        url:
          description: URL of the DCV file, for V(http) and V(https).
          type: str
          sample: http://www.example.com/.well-known/pki-validation/0123.txt
        path:
          description: Path component of RV(orders[].validations[].url).
          type: str
          sample: /.well-known/pki-validation/0123.txt
        file_name:
          description: Last component of RV(orders[].validations[].path). It is safe to use as a file name.
          type: str
          sample: 0123.txt
        content:
          description: Exact content of the DCV file. Its lines are separated by CRLF.
          type: str
          sample: "0123\r\nsectigo.com\r\nabcd"
        type:
          description: Type of the DCV record, V(CNAME) or V(TXT), for V(dns).
          type: str
          sample: CNAME
        record:
          description: Fully qualified name of the DCV record, without a trailing dot.
          type: str
          sample: _0123.www.example.com
        value:
          description: Value of the DCV record, without a trailing dot or quotes.
          type: str
          sample: 4567.89ab.abcd.comodoca.com
        email:
          description: Email address of the approver, for V(email).
          type: str
          sample: admin@example.com
    invoice:
      description:
        - The invoice of the order, or null if there is none. The structure is that of
          RV(certops.gogetssl.gogetssl_account_info#module:invoice).
      returned: with O(include_invoice)
      type: dict
      sample: {number: GGS-5101, total: 5082, status: paid}
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
from ..module_utils._tasks.order_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
