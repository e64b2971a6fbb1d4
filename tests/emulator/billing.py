# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invoices paid from the balance: each is charged once or stays unpaid (API reference 3)."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ApiError
from .model import Invoice
from .world import World

# The numbers of the vendor's own sample (API reference 6.1).
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


def next_order_id(world: World) -> int:
    return world.store.next_id("order", _FIRST_ORDER)


def tax(world: World, net: int) -> int:
    return round(net * world.settings.tax_percent / 100)


def charge(world: World, bill: Bill) -> tuple[Invoice, bool]:
    """Makes the invoice and takes its total from the balance; says whether it is paid."""
    total = bill.net + tax(world, bill.net)
    enough = int(world.store.meta("balance")) >= total
    if not enough and world.settings.insufficient_balance == "error":
        # Exact text not known; one client looks for the word "balance" (API reference 1.7).
        raise ApiError("Insufficient balance", "You do not have enough balance to place this order")
    invoice_id = world.store.next_id("invoice", _FIRST_INVOICE)
    invoice = Invoice(
        id=invoice_id,
        order_id=bill.order_id,
        number=f"GGS-{invoice_id}",
        created=world.now(),
        net=bill.net,
        tax=tax(world, bill.net),
        status="unpaid",
        currency=world.settings.currency,
        tax_percent=world.settings.tax_percent,
        product_id=bill.product_id,
        product_name=bill.product_name,
        period=bill.period,
        kind=bill.kind,
    )
    if enough:
        pay(world, invoice)
    world.store.save_invoice(invoice)
    return invoice, enough


def pay(world: World, invoice: Invoice) -> None:
    invoice.status = "paid"
    world.store.save_invoice(invoice)
    world.store.add_charge(invoice.order_id, invoice.kind, invoice.net + invoice.tax, world.now())
