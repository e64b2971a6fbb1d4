#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_account_info
short_description: Read the GoGetSSL account, its balance and its invoices
version_added: 1.0.0
description:
  - Reads the contact data, the balance, the number of orders and the invoices of a GoGetSSL account.
  - Amounts are integers in minor units of the currency (cents). Dates have the format C(YYYY-MM-DD). Unknown values
    are null.
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
  gather:
    description:
      - The data to read. V(totals) takes two requests. Each of the others takes one.
    type: list
    elements: str
    choices: [details, balance, totals, invoices, unpaid]
    default: [details, balance]
  date_from:
    description:
      - Date of the first invoice to return, in the format C(YYYY-MM-DD).
      - If not set, the period starts 365 days before O(date_till).
      - The GoGetSSL API returns the invoices of at most 365 days. The module splits a longer period into several
        requests.
      - If O(date_from) or O(date_till) is set, the module returns the invoices and their items, even if O(gather)
        does not contain V(invoices).
    type: str
  date_till:
    description:
      - Date of the last invoice to return, in the format C(YYYY-MM-DD).
      - If not set, the period ends today.
    type: str
  invoice_id:
    description:
      - ID of a single invoice to read, in addition to O(gather).
    type: int
seealso:
  - module: certops.gogetssl.gogetssl_order_info
  - module: certops.gogetssl.gogetssl_product_info
"""

EXAMPLES = r"""
- name: Fail if the balance is below 50.00
  certops.gogetssl.gogetssl_account_info:
    gather: [balance]
  register: account
  failed_when: account.balance < 5000

- name: List the invoices of a year
  certops.gogetssl.gogetssl_account_info:
    gather: []
    date_from: "2026-01-01"
    date_till: "2026-12-31"
"""

RETURN = r"""
account:
  description: Contact data of the account.
  returned: when O(gather) has V(details)
  type: dict
  contains:
    first_name:
      description: First name.
      type: str
      sample: Ada
    last_name:
      description: Last name.
      type: str
      sample: Lovelace
    company_name:
      description: Company name.
      type: str
      sample: Example SIA
    company_vat:
      description: VAT number.
      type: str
      sample: LV40000000000
    company_phone:
      description: Phone number of the company.
      type: str
      sample: "+37166164222"
    phone:
      description: Phone number.
      type: str
      sample: "+37166164222"
    fax:
      description: Fax number.
      type: str
      sample: "+37166164223"
    address:
      description: Street address.
      type: str
      sample: Street 1
    city:
      description: City.
      type: str
      sample: Riga
    state:
      description: State, province or region.
      type: str
      sample: Riga
    postal_code:
      description: Postal code.
      type: str
      sample: LV-1001
    country:
      description: Two-letter country code.
      type: str
      sample: LV
    email:
      description: Email address.
      type: str
      sample: ada@example.com
    reseller_plan:
      description: Reseller plan, which determines the prices.
      type: str
      sample: Standard
    currency:
      description: Currency of the account.
      type: str
      sample: EUR
balance:
  description: Balance of the account, in minor units of RV(currency) (cents).
  returned: when O(gather) has V(balance)
  type: int
  sample: 123450
currency:
  description: Currency of RV(balance).
  returned: when O(gather) has V(balance)
  type: str
  sample: EUR
active_orders:
  description: Number of active orders. Orders in other states are not counted.
  returned: when O(gather) has V(totals)
  type: int
  sample: 17
transactions:
  description: Number of transactions, or null if the API does not return it. GoGetSSL does not document this method.
  returned: when O(gather) has V(totals)
  type: int
  sample: 23
invoices:
  description: All invoices, or those between O(date_from) and O(date_till).
  returned: when O(gather) has V(invoices), or with O(date_from) or O(date_till)
  type: list
  elements: dict
  contains:
    invoice_id:
      description: ID of the invoice, or null if the list does not contain it.
      type: int
      sample: 5101
    order_id:
      description: ID of the order. It is null if only the items name their orders.
      type: int
      sample: 1234567
    number:
      description: Invoice number.
      type: str
      sample: GGS-5101
    date:
      description: Invoice date.
      type: str
      sample: "2026-11-23"
    subtotal:
      description: Amount before tax, in minor units (cents).
      type: int
      sample: 4200
    tax:
      description: Tax, in minor units (cents).
      type: int
      sample: 882
    tax_percent:
      description: Tax rate in percent.
      type: float
      sample: 21.0
    total:
      description: Amount including tax, in minor units (cents).
      type: int
      sample: 5082
    currency:
      description: Currency of the amounts.
      type: str
      sample: EUR
    status:
      description: V(paid), V(unpaid), V(cancelled) or V(refunded).
      type: str
      sample: paid
    payment_method:
      description: Payment method.
      type: str
      sample: balance
    lines:
      description: Items of the invoice. The list is empty if the API does not return them.
      type: list
      elements: dict
      contains:
        order_id:
          description: ID of the order.
          type: int
          sample: 1234567
        order_number:
          description: Order number.
          type: str
          sample: "1234567"
        date:
          description: Date of the item.
          type: str
          sample: "2026-11-23"
        subtotal:
          description: Amount before tax, in minor units (cents).
          type: int
          sample: 4200
        period:
          description: Length of the term in months.
          type: int
          sample: 12
        product_name:
          description: Name of the product.
          type: str
          sample: GoGetSSL Multi-Domain SSL
        product_id:
          description: ID of the product.
          type: int
          sample: 68
unpaid_invoices:
  description: The unpaid invoices.
  returned: when O(gather) has V(unpaid)
  type: list
  elements: dict
  contains:
    invoice_id:
      description: ID of the invoice, or null if the list does not contain it.
      type: int
      sample: 5101
    order_id:
      description: ID of the order. It is null if only the items name their orders.
      type: int
      sample: 1234567
    number:
      description: Invoice number.
      type: str
      sample: GGS-5101
    date:
      description: Invoice date.
      type: str
      sample: "2026-11-23"
    subtotal:
      description: Amount before tax, in minor units (cents).
      type: int
      sample: 4200
    tax:
      description: Tax, in minor units (cents).
      type: int
      sample: 882
    tax_percent:
      description: Tax rate in percent.
      type: float
      sample: 21.0
    total:
      description: Amount including tax, in minor units (cents).
      type: int
      sample: 5082
    currency:
      description: Currency of the amounts.
      type: str
      sample: EUR
    status:
      description: V(paid), V(unpaid), V(cancelled) or V(refunded).
      type: str
      sample: paid
    payment_method:
      description: Payment method.
      type: str
      sample: balance
    lines:
      description: Items of the invoice. The list is empty if the API does not return them.
      type: list
      elements: dict
      contains:
        order_id:
          description: ID of the order.
          type: int
          sample: 1234567
        order_number:
          description: Order number.
          type: str
          sample: "1234567"
        date:
          description: Date of the item.
          type: str
          sample: "2026-11-23"
        subtotal:
          description: Amount before tax, in minor units (cents).
          type: int
          sample: 4200
        period:
          description: Length of the term in months.
          type: int
          sample: 12
        product_name:
          description: Name of the product.
          type: str
          sample: GoGetSSL Multi-Domain SSL
        product_id:
          description: ID of the product.
          type: int
          sample: 68
invoice:
  description: The invoice that O(invoice_id) selects.
  returned: when O(invoice_id) is given
  type: dict
  contains:
    invoice_id:
      description: ID of the invoice, or null if the list does not contain it.
      type: int
      sample: 5101
    order_id:
      description: ID of the order. It is null if only the items name their orders.
      type: int
      sample: 1234567
    number:
      description: Invoice number.
      type: str
      sample: GGS-5101
    date:
      description: Invoice date.
      type: str
      sample: "2026-11-23"
    subtotal:
      description: Amount before tax, in minor units (cents).
      type: int
      sample: 4200
    tax:
      description: Tax, in minor units (cents).
      type: int
      sample: 882
    tax_percent:
      description: Tax rate in percent.
      type: float
      sample: 21.0
    total:
      description: Amount including tax, in minor units (cents).
      type: int
      sample: 5082
    currency:
      description: Currency of the amounts.
      type: str
      sample: EUR
    status:
      description: V(paid), V(unpaid), V(cancelled) or V(refunded).
      type: str
      sample: paid
    payment_method:
      description: Payment method.
      type: str
      sample: balance
    lines:
      description: Items of the invoice. The list is empty if the API does not return them.
      type: list
      elements: dict
      contains:
        order_id:
          description: ID of the order.
          type: int
          sample: 1234567
        order_number:
          description: Order number.
          type: str
          sample: "1234567"
        date:
          description: Date of the item.
          type: str
          sample: "2026-11-23"
        subtotal:
          description: Amount before tax, in minor units (cents).
          type: int
          sample: 4200
        period:
          description: Length of the term in months.
          type: int
          sample: 12
        product_name:
          description: Name of the product.
          type: str
          sample: GoGetSSL Multi-Domain SSL
        product_id:
          description: ID of the product.
          type: int
          sample: 68
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
from ..module_utils._tasks.account_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
