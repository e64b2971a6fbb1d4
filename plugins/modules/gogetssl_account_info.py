#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_account_info
short_description: Look at the GoGetSSL account, its balance and its invoices
version_added: 1.0.0
description:
  - Reads who the account belongs to, what is left on it, how many orders it has, and its invoices.
  - Amounts are in minor units of the currency (cents), days are in ISO form, and what is not known is null.
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
      - What to read. Each costs one request, V(totals) two.
    type: list
    elements: str
    choices: [details, balance, totals, invoices, unpaid]
    default: [details, balance]
  date_from:
    description:
      - First day of the invoices to list, in the form C(YYYY-MM-DD). Without it, 365 days before O(date_till).
      - GoGetSSL answers for at most 365 days at a time; a longer period is asked for in pieces.
      - With O(date_from) or O(date_till), invoices are listed even if O(gather) does not name them, with their items.
    type: str
  date_till:
    description:
      - Last day of the invoices to list. Without it, today.
    type: str
  invoice_id:
    description:
      - One invoice to read, in addition.
    type: int
seealso:
  - module: certops.gogetssl.gogetssl_order_info
  - module: certops.gogetssl.gogetssl_product_info
"""

EXAMPLES = r"""
- name: Refuse to begin with too little money
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
  description: Who the account belongs to.
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
      description: Company.
      type: str
      sample: Example SIA
    company_vat:
      description: VAT number.
      type: str
      sample: LV40000000000
    company_phone:
      description: Phone of the company.
      type: str
      sample: "+37166164222"
    phone:
      description: Phone.
      type: str
      sample: "+37166164222"
    fax:
      description: Fax.
      type: str
      sample: "+37166164223"
    address:
      description: Street.
      type: str
      sample: Street 1
    city:
      description: City.
      type: str
      sample: Riga
    state:
      description: Region.
      type: str
      sample: Riga
    postal_code:
      description: Postal code.
      type: str
      sample: LV-1001
    country:
      description: Country.
      type: str
      sample: LV
    email:
      description: E-mail address.
      type: str
      sample: ada@example.com
    reseller_plan:
      description: The plan that sets the prices.
      type: str
      sample: Standard
    currency:
      description: Currency of the account.
      type: str
      sample: EUR
balance:
  description: What is left, in minor units of the currency.
  returned: when O(gather) has V(balance)
  type: int
  sample: 123450
currency:
  description: The currency of RV(balance).
  returned: when O(gather) has V(balance)
  type: str
  sample: EUR
active_orders:
  description: How many orders are active; orders of other states are not counted.
  returned: when O(gather) has V(totals)
  type: int
  sample: 17
transactions:
  description: How many transactions there were; null if GoGetSSL does not tell, as the method is not documented.
  returned: when O(gather) has V(totals)
  type: int
  sample: 23
invoices:
  description: Invoices, all or those of the period.
  returned: when O(gather) has V(invoices), or with O(date_from) or O(date_till)
  type: list
  elements: dict
  contains:
    invoice_id:
      description: The invoice; null in lists that do not tell it.
      type: int
      sample: 5101
    order_id:
      description: The order; null in lists that tell it by item.
      type: int
      sample: 1234567
    number:
      description: Number of the invoice.
      type: str
      sample: GGS-5101
    date:
      description: Its day.
      type: str
      sample: "2026-11-23"
    subtotal:
      description: The net amount in minor units of the currency.
      type: int
      sample: 4200
    tax:
      description: The tax in minor units.
      type: int
      sample: 882
    tax_percent:
      description: The rate of the tax.
      type: float
      sample: 21.0
    total:
      description: The amount with tax in minor units.
      type: int
      sample: 5082
    currency:
      description: The currency.
      type: str
      sample: EUR
    status:
      description: V(paid), V(unpaid), V(cancelled) or V(refunded).
      type: str
      sample: paid
    payment_method:
      description: How it was paid.
      type: str
      sample: balance
    lines:
      description: What it is for; empty in lists that do not tell it.
      type: list
      elements: dict
      contains:
        order_id:
          description: The order.
          type: int
          sample: 1234567
        order_number:
          description: Its number.
          type: str
          sample: "1234567"
        date:
          description: Day of the item.
          type: str
          sample: "2026-11-23"
        subtotal:
          description: Net amount in minor units.
          type: int
          sample: 4200
        period:
          description: The term in months.
          type: int
          sample: 12
        product_name:
          description: The product.
          type: str
          sample: GoGetSSL Multi-Domain SSL
        product_id:
          description: Its number.
          type: int
          sample: 68
unpaid_invoices:
  description: Invoices that are still to be paid.
  returned: when O(gather) has V(unpaid)
  type: list
  elements: dict
  contains:
    invoice_id:
      description: The invoice; null in lists that do not tell it.
      type: int
      sample: 5101
    order_id:
      description: The order; null in lists that tell it by item.
      type: int
      sample: 1234567
    number:
      description: Number of the invoice.
      type: str
      sample: GGS-5101
    date:
      description: Its day.
      type: str
      sample: "2026-11-23"
    subtotal:
      description: The net amount in minor units of the currency.
      type: int
      sample: 4200
    tax:
      description: The tax in minor units.
      type: int
      sample: 882
    tax_percent:
      description: The rate of the tax.
      type: float
      sample: 21.0
    total:
      description: The amount with tax in minor units.
      type: int
      sample: 5082
    currency:
      description: The currency.
      type: str
      sample: EUR
    status:
      description: V(paid), V(unpaid), V(cancelled) or V(refunded).
      type: str
      sample: paid
    payment_method:
      description: How it was paid.
      type: str
      sample: balance
    lines:
      description: What it is for; empty in lists that do not tell it.
      type: list
      elements: dict
      contains:
        order_id:
          description: The order.
          type: int
          sample: 1234567
        order_number:
          description: Its number.
          type: str
          sample: "1234567"
        date:
          description: Day of the item.
          type: str
          sample: "2026-11-23"
        subtotal:
          description: Net amount in minor units.
          type: int
          sample: 4200
        period:
          description: The term in months.
          type: int
          sample: 12
        product_name:
          description: The product.
          type: str
          sample: GoGetSSL Multi-Domain SSL
        product_id:
          description: Its number.
          type: int
          sample: 68
invoice:
  description: The invoice asked for.
  returned: when O(invoice_id) is given
  type: dict
  contains:
    invoice_id:
      description: The invoice; null in lists that do not tell it.
      type: int
      sample: 5101
    order_id:
      description: The order; null in lists that tell it by item.
      type: int
      sample: 1234567
    number:
      description: Number of the invoice.
      type: str
      sample: GGS-5101
    date:
      description: Its day.
      type: str
      sample: "2026-11-23"
    subtotal:
      description: The net amount in minor units of the currency.
      type: int
      sample: 4200
    tax:
      description: The tax in minor units.
      type: int
      sample: 882
    tax_percent:
      description: The rate of the tax.
      type: float
      sample: 21.0
    total:
      description: The amount with tax in minor units.
      type: int
      sample: 5082
    currency:
      description: The currency.
      type: str
      sample: EUR
    status:
      description: V(paid), V(unpaid), V(cancelled) or V(refunded).
      type: str
      sample: paid
    payment_method:
      description: How it was paid.
      type: str
      sample: balance
    lines:
      description: What it is for; empty in lists that do not tell it.
      type: list
      elements: dict
      contains:
        order_id:
          description: The order.
          type: int
          sample: 1234567
        order_number:
          description: Its number.
          type: str
          sample: "1234567"
        date:
          description: Day of the item.
          type: str
          sample: "2026-11-23"
        subtotal:
          description: Net amount in minor units.
          type: int
          sample: 4200
        period:
          description: The term in months.
          type: int
          sample: 12
        product_name:
          description: The product.
          type: str
          sample: GoGetSSL Multi-Domain SSL
        product_id:
          description: Its number.
          type: int
          sample: 68
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

from ..module_utils._account_info import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
