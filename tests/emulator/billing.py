# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invoices paid from the balance: each is charged once or remains unpaid (API reference 3)."""

from __future__ import annotations

from dataclasses import dataclass

from .backend import Backend
from .errors import ApiError
from .model import Invoice

# First IDs, taken from the vendor's sample (API reference 6.1).
_FIRST_ORDER = 783956
_FIRST_INVOICE = 574941


@dataclass(frozen=True)
class Bill:
    order_id: int
    product_id: int
    product_name: str
    period: int
    net: int
    kind: str


def next_order_id(backend: Backend) -> int:
    return backend.store.next_id("order", _FIRST_ORDER)


def tax(backend: Backend, net: int) -> int:
    return round(net * backend.settings.tax_percent / 100)


def charge(backend: Backend, bill: Bill) -> tuple[Invoice, bool]:
    """Create the invoice and charge its total to the balance. Return the invoice and whether it is paid."""
    total = bill.net + tax(backend, bill.net)
    enough = int(backend.store.meta("balance")) >= total
    if not enough and backend.settings.insufficient_balance == "error":
        # Exact text not known; one client searches for the word "balance" (API reference 1.7).
        raise ApiError("Insufficient balance", "You do not have enough balance to place this order")
    invoice_id = backend.store.next_id("invoice", _FIRST_INVOICE)
    invoice = Invoice(
        id=invoice_id,
        order_id=bill.order_id,
        number=f"GGS-{invoice_id}",
        created=backend.now(),
        net=bill.net,
        tax=tax(backend, bill.net),
        status="unpaid",
        currency=backend.settings.currency,
        tax_percent=backend.settings.tax_percent,
        product_id=bill.product_id,
        product_name=bill.product_name,
        period=bill.period,
        kind=bill.kind,
    )
    if enough:
        pay(backend, invoice)
    backend.store.save_invoice(invoice)
    return invoice, enough


def pay(backend: Backend, invoice: Invoice) -> None:
    invoice.status = "paid"
    backend.store.save_invoice(invoice)
    backend.store.add_charge(invoice.order_id, invoice.kind, invoice.net + invoice.tax, backend.now())
