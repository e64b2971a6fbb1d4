#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_order
short_description: Buy, resume, reissue, renew or cancel certificates
version_added: 1.0.0
description:
  - Takes the next step for each of O(certificates), the certificates that a host needs. Each has a name, its DNS names
    and a product. The CSRs in O(requests) come from M(certops.gogetssl.gogetssl_csr) with the same list. Price limits,
    such as O(max_price), are optional.
  - The module decides the step from the state of the host and of the GoGetSSL account. Within the paid term, an
    expiring certificate is reissued free of charge. At the end of the term, the order is renewed.
  - The module evaluates all certificates before it buys the first one. It checks the requirements of the product
    (names, period, validation methods and contacts) before it places an order.
  - The module makes each purchase only once. Before a purchase, it writes an intent to the host, which only one run
    can create. If the response of GoGetSSL is lost, the module searches for the order by the public key of its CSR.
    If it does not find the order within O(settle_time) seconds, it buys nothing until an operator decides.
  - After a purchase, the module reads the list of orders again. If another run has bought the same names at the same
    time, the run with the later order cancels it before validation, and its certificate stops.
  - The module adopts an order for the same public key that is not in the journal on the host.
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
    details:
      - In check mode, the module reads from the GoGetSSL API but buys nothing.
      - RV(plan) contains the steps, reasons, prices and deadlines.
  diff_mode:
    support: full
    details: The diff shows the steps with their reasons and prices.
  idempotent:
    support: full
options:
  certificates:
    required: false  # order_ids is enough to cancel orders
  requests:
    description:
      - The CSRs, as M(certops.gogetssl.gogetssl_csr) returns them. Each entry requires C(name), the name of the
        certificate, and C(csr), the CSR in PEM format.
    type: list
    elements: dict
    default: []
  publishers:
    description:
      - The validation data that can be published for this host. V(http) publishes DCV files, and V(dns) publishes DCV
        records.
      - The method V(auto) selects from the methods that these publishers support.
    type: list
    elements: str
    choices: [http, dns]
    default: [http]
  spend:
    description:
      - The steps that this task is allowed to take. V(buy) includes V(renew), and V(renew) includes V(reissue).
      - V(add_names) allows the purchase of additional names for an existing order. No other value includes it.
      - V(none) allows no purchase and no replacement of a certificate.
    type: list
    elements: str
    choices: [none, reissue, renew, buy, add_names]
    default: [buy]
  max_price:
    description: Maximum price of a single step before tax, in minor units of the account's currency (cents).
    type: int
  max_price_per_year:
    description:
      - Maximum price of a single certificate in one year before tax, in minor units of the account's currency
        (cents).
      - The module adds the purchases of the last 330 days, which it reads from the journal on the host. The period is
        shorter than a year, because a renewal can be up to 29 days early.
      - An adopted order is not a purchase in the journal. If its term started within this period, it counts with the
        current price.
    type: int
  max_price_per_run:
    description:
      - Maximum price of all steps on all hosts in one run of Ansible before tax, in minor units of the account's
        currency (cents).
      - The module reserves the price of a step when it decides the step, also in check mode. The limit therefore
        applies across forks, batches, strategies and plays. If the limit is reached, later steps are not taken.
      - The module releases the reservation if GoGetSSL rejects the order. It keeps the reservation if the outcome of
        the purchase is unknown.
      - With C(async), the limit only applies to the single task, because the task runs on the host.
    type: int
  max_price_per_day:
    description:
      - Maximum price of everything that the account buys in a day, by this run, other runs and persons, before tax, in
        minor units of the account's currency (cents).
      - Before each purchase, the module adds the account's invoices with today's date in UTC or a later one, without
        cancelled and refunded ones.
      - Runs that buy within the same seconds can exceed the limit together by one purchase each.
    type: int
  currency:
    description:
      - Currency of the price limits, such as V(EUR). If the account has another currency, the module buys nothing.
    type: str
  tax_percent:
    description:
      - Tax rate in percent that GoGetSSL adds to the prices for this account. The price list of GoGetSSL does not
        contain it, but the invoices do.
      - If set, the module compares the balance with the prices including tax. If not set, it compares the balance
        with the prices before tax.
    type: float
  check_balance:
    description:
      - Whether to stop a purchase that the balance of the account does not cover. Purchases and reservations of the
        same run reduce the balance.
      - The balance is read once for each run, and only if something is to be bought.
      - With V(false), GoGetSSL accepts the order and waits for the payment. GoGetSSL cancels an unpaid order after 20
        days.
    type: bool
    default: true
  approved_plan:
    description:
      - The RV(plan) of an earlier run in check mode, after an operator has approved it.
      - If set, the module takes a paid step only if the plan contains the same step for the certificate at the same
        or a higher price. Steps that are free of charge are always taken.
    type: list
    elements: dict
  settle_time:
    description:
      - Maximum time in seconds to search for an order if the response to the purchase was lost.
      - Also the maximum time to wait until GoGetSSL lists a new order. Until then, a purchase by a run on another
        controller may not be visible.
    type: int
    default: 60
  keep_going:
    description:
      - Whether the module succeeds if it cannot process a certificate. With V(true), such certificates are only
        listed in RV(stopped), so that the play can finish the other certificates first. The play must then evaluate
        RV(stopped).
    type: bool
    default: false
  state:
    description:
      - V(present) takes the next step for each certificate.
      - V(cancelled) requests the cancellation of the orders in the journals of O(certificates) and of the orders in
        O(order_ids). GoGetSSL reviews a request within 2 to 48 hours. The status of the order does not change before
        that. An earlier request for the same order is not repeated. The certificate on the host is not changed.
    type: str
    choices: [present, cancelled]
    default: present
  reason:
    description:
      - Reason for the cancellation, which is sent to GoGetSSL. Required if O(state=cancelled).
    type: str
  compare_hosts:
    description:
      - Whether to compare the certificates with those of all other hosts of the play, including later batches. The
        module reads the variable C(gogetssl_certificates) of these hosts.
      - If another host requests the same certificate and O(certificates[].order_host) is not set, the module does not
        buy it.
      - This option has no effect with C(async).
    type: bool
    default: false
  web_hosts:
    description:
      - The hosts whose web servers serve the DCV files of this host. DigiCert, GeoTrust, RapidSSL and Thawte use one
        file name, C(fileauth.txt), for all validations. If another certificate of the same run uses that file on one of
        these hosts, in O(web_root), nothing is bought or reissued.
    type: list
    elements: str
    default: []
  web_root:
    description:
      - The directory in which O(web_hosts) serve the DCV files. Hosts with different directories do not conflict.
    type: str
    default: ""
  other_hosts:
    description:
      - The certificates that other hosts of the play request. Each entry has C(host), C(common_name) and C(product).
      - If another host requests the same certificate and O(certificates[].order_host) is not set, the module does not
        buy it.
    type: list
    elements: dict
    default: []
  order_ids:
    description:
      - IDs of additional orders to cancel. Used with O(state=cancelled). If set, O(certificates) is optional.
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
- name: Buy the certificates of the host
  vars:
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        product: "68"
        dcv: http
  block:
    - name: Create private keys and CSRs on the host
      certops.gogetssl.gogetssl_csr:
        certificates: "{{ certificates }}"
      register: csr

    - name: Order the certificates, each for at most 60.00 EUR
      certops.gogetssl.gogetssl_order:
        certificates: "{{ certificates }}"
        requests: "{{ csr.requests }}"
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
  description: One entry for each order to cancel.
  returned: O(state=cancelled)
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate whose journal contains the order. It is null for an order in O(order_ids).
      type: str
      sample: shop
    order_id:
      description: ID of the order.
      type: int
      sample: 1234567
    common_name:
      description: Common name of the order.
      type: str
      sample: shop.example.com
    status:
      description: Status of the order before the request. It does not change until GoGetSSL has reviewed the request.
      type: str
      sample: active
    changed:
      description: Whether this task requested the cancellation. In check mode, whether it would request it.
      type: bool
      sample: true
    reason:
      description: What the module did, and why.
      type: str
      sample: Its cancellation is requested; GoGetSSL reviews it in 2 to 48 hours.
    refund_until:
      description:
        - Last day of the refund period, according to the invoice and the product. It is null if they do not contain
          it.
      type: str
      sample: "2026-12-23"
    within_refund:
      description: Whether the refund period has not ended, or null if this is not known.
      type: bool
      sample: true
    refund:
      description: The refund period as a message.
      type: str
      sample: within its refund period, until 2026-12-23
plan:
  description:
    - One entry for each of O(certificates), in the same order. In check mode, it contains the steps that would be
      taken.
    - It can be stored as JSON and passed as O(approved_plan) to a later run.
  returned: O(state=present)
  type: list
  elements: dict
  contains:
    host:
      description: Inventory name of the host.
      type: str
      sample: web1
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    names:
      description: The requested names. The common name is the first one.
      type: list
      elements: str
      sample: [shop.example.com]
    product:
      description: Name of the product. If the product does not exist, it is the value of O(certificates[].product).
      type: str
      sample: PositiveSSL
    period:
      description: Requested term in months.
      type: int
      sample: 12
    step:
      description: The step to take, or V(stop) if the step is not possible or not allowed.
      type: str
      sample: buy
    due:
      description: The step that is due, even if it is not allowed. It is null if an operator has to decide first.
      type: str
      sample: buy
    reason:
      description: Reason for the step.
      type: str
      sample: there is no order for it
    order_id:
      description: ID of the order, or null if there is none.
      type: int
      sample: 783956
    price:
      description:
        - Price of the due step before tax, in minor units (cents). It is 0 if the step is free of charge, and null if
          the price is not known.
      type: int
      sample: 4200
    extra_price:
      description:
        - Part of the price of a new term that is for names beyond those that the product includes, in minor units
          (cents). It is null if the step is not a new term, or if the price is not known.
      type: int
      sample: 0
    currency:
      description: Currency of the price. It is null if the account was not read and O(currency) is not set.
      type: str
      sample: EUR
    deadline:
      description:
        - The earlier of the end of the installed certificate and the time at which GoGetSSL cancels the pending
          order, in ISO 8601 format.
        - It is null if there is neither.
      type: str
      sample: "2026-12-24T23:59:59+00:00"
budget:
  description: The prices and the balance of the account.
  returned: O(state=present)
  type: dict
  contains:
    price:
      description: Total price of the paid steps of this task before tax, in minor units (cents).
      type: int
      sample: 4200
    run_price:
      description:
        - Total price that this run of Ansible has reserved on all hosts so far, before tax, in minor units (cents).
      type: int
      sample: 8400
    balance:
      description:
        - Balance of the account at the first read of this run, in minor units (cents). It is null if the balance was
          not read.
      type: int
      sample: 100000
    currency:
      description: Currency of the account, or O(currency) if the account was not read.
      type: str
      sample: EUR
    tax_percent:
      description: The value of O(tax_percent).
      type: float
      sample: 21.0
orders:
  description: One entry for each certificate that can be processed.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    methods:
      description:
        - The validation methods, as a dictionary from name to method. V(auto) is replaced by the selected method.
      type: dict
      sample: {"shop.example.com": "http"}
    step:
      description: The selected step. Outside check mode, the module has taken it.
      type: str
      sample: buy
    reason:
      description: Reason for the step.
      type: str
      sample: there is no order for it
    product:
      description: Name of the product.
      type: str
      sample: GoGetSSL Domain SSL
    period:
      description: Period of O(certificates), in months.
      type: int
      sample: 12
    price:
      description:
        - Price of the step according to the price list before tax, in minor units (cents). It is 0 if the step is
          free of charge, and null if the price is not known.
      type: int
      sample: 4200
    extra_price:
      description:
        - Part of the price of a new term that is for names beyond those that the product includes, in minor units
          (cents). It is null if the step is not a new term, or if the price is not known.
      type: int
      sample: 0
    charged:
      description:
        - Amount that GoGetSSL charged, in minor units (cents). It is null if nothing was bought or GoGetSSL did not
          return the amount.
      type: int
      sample: 4200
    currency:
      description: Currency of RV(orders[].charged) and RV(orders[].price). It is null if it is not known.
      type: str
      sample: EUR
    order_id:
      description: ID of the order, or null if there is none yet.
      type: int
      sample: 783956
    status:
      description: Status of the order as GoGetSSL reports it.
      type: str
      sample: processing
    pending:
      description: Whether the order has a certificate that is not issued yet.
      type: bool
      sample: true
    issued:
      description: Whether the newest certificate is issued.
      type: bool
      sample: false
    requires:
      description:
        - What the pending order requires before it can be issued, if that usually takes longer than a run, such as a
          payment or the answer to an email. Otherwise, it is empty.
      type: str
      sample: a payment
    waiting_for:
      description: Reason why the order is pending.
      type: str
      sample: "Not validated yet: shop.example.com."
    names:
      description: The requested names. The common name is the first one.
      type: list
      elements: str
      sample: [shop.example.com]
    common_name:
      description: Common name of the order.
      type: str
      sample: shop.example.com
    product_id:
      description: ID of the product of the order.
      type: int
      sample: 68
    valid_from:
      description: First day of the newest certificate's validity (ISO 8601), or null.
      type: str
      sample: "2026-11-23"
    valid_till:
      description: Last day of the newest certificate's validity (ISO 8601), or null.
      type: str
      sample: "2027-06-10"
    begin_date:
      description: First day of the paid term (ISO 8601), or null.
      type: str
      sample: "2026-11-23"
    end_date:
      description: Last day of the paid term (ISO 8601), or null.
      type: str
      sample: "2027-11-23"
    certificate:
      description: The newest certificate in PEM format, or null.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    chain:
      description: The CA certificates in PEM format, or null.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    validations:
      description: The validation of each name, as in RV(certops.gogetssl.gogetssl_dcv#module:validations).
      type: list
      elements: dict
      sample: []
validations:
  description:
    - What to publish for the pending orders that are complete, as in
      RV(certops.gogetssl.gogetssl_dcv#module:validations).
  returned: O(state=present)
  type: list
  elements: dict
  sample: []
incomplete_order_ids:
  description:
    - The pending orders for which M(certops.gogetssl.gogetssl_dcv) must read again what to publish, or must change a
      validation method.
  returned: O(state=present)
  type: list
  elements: int
  sample: []
raw:
  description: The unmodified responses of the GoGetSSL API, in the order of the requests, including those to purchases.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: HTTP method and path of the request.
      type: str
      sample: POST /orders/add_ssl_order/
    body:
      description: Body of the response.
      type: raw
unread_order_ids:
  description:
    - The orders of stopped certificates whose state is not known, because GoGetSSL could not be queried or its
      answer cannot be read. They may still need their DCV files and records.
  returned: O(state=present)
  type: list
  elements: int
  sample: []
stopped:
  description: The certificates that cannot be processed.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    reason:
      description: The problem and how to fix it.
      type: str
      sample: "shop: PositiveSSL does not cover wildcards such as *.example.com."
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.order import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
