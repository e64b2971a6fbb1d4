# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which order of the account belongs to a certificate whose host has lost its records. Pure.

A wrong order would be reissued for another host's certificate, so anything ambiguous is left to an operator.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.models import Order, OrderSummary, Product, Status
from .._order import ownership
from .._order.purchase import canonical, certificate_of
from .._request.spec import CertificateSpec
from .account import Account, find_product
from .rows import Row

_UNREAD = ("unreachable", "unreadable")


@dataclasses.dataclass(frozen=True)
class Match:
    """The order of a certificate, or the reason why none fits uniquely."""

    row: Row
    order_id: int | None
    reason: str

    def sentence(self) -> str:
        if self.order_id is None:
            return f"{self.row.name} on {self.row.host}: not adopted: {self.reason}"
        return f"{self.row.name} on {self.row.host}: order {self.order_id}: {self.reason}"


def lost(rows: t.Iterable[Row]) -> list[Row]:
    """The certificates of which their ordering host has nothing: no certificate, no journal, no unfinished purchase."""
    return [row for row in rows if row.state == "missing" and row.order_id is None and not row.copy]


def worth_reading(rows: t.Sequence[Row], account: Account) -> list[int]:
    """The active orders that no host uses and whose common name a lost certificate has."""
    used = {row.order_id for row in rows}
    wanted = {_stem(name) for row in lost(rows) for name in row.names}
    return [
        order.order_id for order in account.live() if order.order_id not in used and _active(order) and
        _stem(order.common_name or "") in wanted
    ]  # fmt: skip


def match(rows: t.Sequence[Row], account: Account) -> list[Match]:
    """One result for each lost certificate."""
    found = [_match(row, rows, account) for row in lost(rows)]
    orders = [one.order_id for one in found if one.order_id is not None]
    return [
        dataclasses.replace(one, order_id=None, reason=f"order {one.order_id} fits several certificates")
        if one.order_id is not None and orders.count(one.order_id) > 1
        else one
        for one in found
    ]


def _match(row: Row, rows: t.Sequence[Row], account: Account) -> Match:
    product = find_product(row, account.products)
    if product is None:
        return Match(row, None, f"the account's catalogue has no product {row.product!r}")
    if not account.complete:
        return Match(row, None, "the account has more orders than GoGetSSL lists, so another order may fit. Set adopt")
    fitting = [order for order in account.details.values() if fits(order, row, product)]
    served = [one.sha256 for one in row.served if one.sha256]
    if served:
        return _by_served(row, fitting, served)
    others = [
        other for other in rows
        if other is not row and not other.copy and _same_request(other, row) and (
            other.state in _UNREAD or (other.state == "missing" and other.order_id is None)
        )
    ]  # fmt: skip
    if fitting and others:
        hosts = ", ".join(sorted({other.host for other in others}))
        return Match(row, None, f"{_listed(fitting)}, and {hosts} requests the same names. Set adopt for each host")
    return _only(row, fitting, "names and product fit, no other order does")


def _by_served(row: Row, fitting: t.Sequence[Order], served: t.Sequence[str]) -> Match:
    """The order that issued a certificate which a service of the host still serves."""
    known = [(order, certificate_of(order)) for order in fitting]
    issued = [order for order, certificate in known if certificate is not None and certificate.sha256 in served]
    if fitting and not issued:
        return Match(
            row, None, f"{_listed(fitting)}, but a service of the host serves a certificate of another order. Set adopt"
        )
    return _only(row, issued, "names and product fit, and a service serves its certificate")


def _only(row: Row, fitting: t.Sequence[Order], reason: str) -> Match:
    if not fitting:
        return Match(row, None, "the account has no live order for exactly these names and this product that is free")
    if len(fitting) > 1:
        return Match(row, None, f"{_listed(fitting)}. Set adopt to one of them")
    return Match(row, fitting[0].order_id, reason)


def _listed(orders: t.Sequence[Order]) -> str:
    ids = ", ".join(str(order.order_id) for order in orders)
    return f"order {ids} fits" if len(orders) == 1 else f"orders {ids} fit"


def fits(order: Order, row: Row, product: Product) -> bool:
    """True if an order can be reissued for this certificate: active, of the same product and for the same names."""
    spec = CertificateSpec(row.name, tuple(map(canonical, row.names)), row.product, row.period, {})
    return (
        order.status is Status.ACTIVE
        and not order.reissuing
        and order.product_id == product.product_id
        and bool(spec.names)
        and ownership.same_names(order, spec, product)
    )


def _same_request(one: Row, other: Row) -> bool:
    return {_stem(name) for name in one.names} == {_stem(name) for name in other.names}


def _active(order: OrderSummary) -> bool:
    return order.status == Status.ACTIVE.value


def _stem(name: str) -> str:
    return canonical(name).removeprefix("www.")
