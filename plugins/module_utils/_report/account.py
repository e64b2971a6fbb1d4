# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account's data for the rows: states of orders, products and prices. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.models import Order, OrderSummary, Product, Status
from .._order import prices
from .._request.spec import CertificateSpec
from .rows import Row, text

ENDED = frozenset(status.value for status in Status if status.ended)
KNOWN = frozenset(status.value for status in Status)


@dataclasses.dataclass(frozen=True)
class Account:
    """The lists of the account. `error` is the reason why they could not be read."""

    orders: t.Mapping[int, OrderSummary] = dataclasses.field(default_factory=dict)
    complete: bool = True  # the lists have all orders
    products: t.Mapping[int, Product] = dataclasses.field(default_factory=dict)
    unpaid: t.Sequence[t.Mapping[str, t.Any]] = ()
    details: t.Mapping[int, Order] = dataclasses.field(default_factory=dict)
    reasons: t.Mapping[int, str] = dataclasses.field(default_factory=dict)  # why an order has no certificate yet
    currency: str = ""
    balance: int | None = None
    error: str = ""
    read: bool = False

    def live(self) -> list[OrderSummary]:
        """The orders that have not ended. Orders with an unknown status count as live."""
        return [order for order in self.orders.values() if order.order_id and order.status not in ENDED]


def add_account(row: Row, account: Account) -> Row:
    """The row with the state of its order, the name of its product and the price of its next term."""
    if not account.read:
        return row
    product = find_product(row, account.products)
    order = account.orders.get(row.order_id or 0)
    status = order_status(row, account)
    state = row.state
    if order is not None and row.state in ("missing", "due") and status not in ENDED and status != "active":
        state = "pending"
    return dataclasses.replace(
        row,
        state=state,
        order_status=status,
        product_id=product.product_id if product else row.product_id,
        product=text(product.name) if product else row.product,
        price=price_of(row, product) if product else None,
    )


def order_status(row: Row, account: Account) -> str:
    """The status of the row's order as the vendor returns it; `gone` if the account does not have it."""
    if row.order_id is None:
        return ""
    order = account.orders.get(row.order_id)
    if order is not None:
        return text(order.status)[:30]
    return "gone" if account.complete else "not listed"


def find_product(row: Row, products: t.Mapping[int, Product]) -> Product | None:
    """The product that the operator requests, or that of the order."""
    if row.product.isdecimal() and len(row.product) < 16:
        return products.get(int(row.product))
    wanted = row.product.casefold()
    named = next((one for one in products.values() if wanted and one.name.casefold() == wanted), None)
    return named or products.get(row.product_id or 0)


def price_of(row: Row, product: Product) -> int | None:
    """The price of the next term for the requested names."""
    if not row.names:
        return None
    spec = CertificateSpec(row.name, row.names, str(product.product_id), row.period, {})
    return prices.price_of(spec, product)
