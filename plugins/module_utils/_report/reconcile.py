# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares the orders of the account with what the hosts have. Finds differences and names remedies; pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import typing as t

from .._api.models import Order, OrderSummary
from .._order.lifetime import CANCELLED_AFTER
from .account import ENDED, KNOWN, Account, price_of
from .rows import Row, day, text

KINDS = {
    "unpaid": "the order or invoice is not paid",
    "gone": "the host's order has ended or is not in the account",
    "unrenewed": "the paid term ends and nothing renews it",
    "pending": "the order waits",
    "unused": "no host of the inventory uses the live order",
    "double": "several live orders for one name",
}
DAY = dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Difference:
    """A difference between the account and the hosts."""

    kind: str
    order_id: int | None
    name: str  # the common name, or the name of the certificate
    reason: str
    remedy: str
    cost: int | None = None  # minor units
    end: dt.date | None = None
    hosts: tuple[str, ...] = ()

    def sentence(self) -> str:
        """`name: what: why. Remedy`, in one line."""
        order = f"order {self.order_id}: " if self.order_id else ""
        return f"{self.name or 'unknown name'}: {order}{self.kind}: {self.reason}. {self.remedy}"


@dataclasses.dataclass(frozen=True)
class Limits:
    """When an order counts as waiting, and when an end is near."""

    pending_days: int = 3
    window_days: int = 60


def reconcile(rows: t.Sequence[Row], account: Account, limits: Limits, now: dt.datetime) -> list[Difference]:
    """All differences, by kind in the order of `KINDS` and then by end."""
    facts = _Facts(rows, account, limits, now)
    found = [*_unpaid(facts), *_gone(facts), *_unrenewed(facts), *_pending(facts), *_unused(facts), *_double(facts)]
    order = list(KINDS)
    return sorted(found, key=lambda one: (order.index(one.kind), one.end or dt.date.max, one.name, one.order_id or 0))


def worth_reading(rows: t.Sequence[Row], account: Account) -> list[int]:
    """The orders whose details add something: first pending orders, then orders that no host uses."""
    used = {row.order_id for row in rows}
    live = account.live()
    waiting = [order.order_id for order in live if _waits(order)]
    unused = [order.order_id for order in live if order.order_id not in used]
    return list(dict.fromkeys([*waiting, *unused]))


def count(findings: t.Iterable[Difference]) -> dict[str, int]:
    kinds = [one.kind for one in findings]
    return {kind: kinds.count(kind) for kind in KINDS}


class _Facts:
    """The input, indexed."""

    def __init__(self, rows: t.Sequence[Row], account: Account, limits: Limits, now: dt.datetime) -> None:
        self.rows, self.account, self.limits, self.today = rows, account, limits, now.date()
        self.live = sorted(account.live(), key=lambda order: order.order_id)
        self.used: dict[int, list[Row]] = {}
        self.requested: dict[str, list[Row]] = {}
        for row in rows:
            if row.order_id is not None:
                self.used.setdefault(row.order_id, []).append(row)
            if row.names:
                self.requested.setdefault(row.names[0].lower(), []).append(row)

    def name(self, order: OrderSummary) -> str:
        detail = self.account.details.get(order.order_id)
        return text(detail.common_name if detail else order.common_name or "").lower()

    def hosts(self, order_id: int) -> tuple[str, ...]:
        return tuple(sorted({row.host for row in self.used.get(order_id, ())}))

    def end(self, order: OrderSummary) -> dt.date | None:
        """The end of the paid term if its details were read or a host knows it, or else of the certificate."""
        detail = self.account.details.get(order.order_id)
        known = next((row.term_end for row in self.used.get(order.order_id, ()) if row.term_end), None)
        return (detail.end_date if detail else None) or known or order.valid_till

    def cost(self, order: OrderSummary) -> int | None:
        """The list price of the order's product for its names, if its details were read."""
        detail = self.account.details.get(order.order_id)
        product = self.account.products.get(detail.product_id or 0) if detail else None
        if detail is None or product is None:
            return None
        return price_of(Row("", "order", "ok", names=detail.names, period=_months(detail)), product)

    def blind(self, name: str) -> list[Row]:
        """The rows of this name on hosts that could not be read, and that may use any order of the name."""
        return [row for row in self.requested.get(name, ()) if row.state in ("unreachable", "unreadable")]


def _months(order: Order) -> int:
    """The paid term in months, which the vendor returns as two dates."""
    if order.begin_date is None or order.end_date is None:
        return 12
    return max(1, round((order.end_date - order.begin_date).days / 30.44))


def _waits(order: OrderSummary) -> bool:
    return order.status in KNOWN and order.status not in ENDED and order.status != "active"


def _unpaid(facts: _Facts) -> t.Iterator[Difference]:
    listed = {order.order_id: order for order in facts.live}
    for one in facts.account.unpaid:
        order = listed.get(one["order_id"])
        date = day(one.get("date"))
        ends = date + CANCELLED_AFTER["unpaid"] * DAY if date else None
        yield Difference(
            "unpaid",
            one["order_id"],
            facts.name(order) if order else "",
            KINDS["unpaid"] + (f"; GoGetSSL cancels it on {ends}" if ends else ""),
            "Add funds or pay its invoice in the client area; do not order again.",
            one.get("total"),
            ends,
            facts.hosts(one["order_id"]),
        )


def _gone(facts: _Facts) -> t.Iterator[Difference]:
    for row in facts.rows:
        if row.copy or row.order_id is None or row.order_status not in (*ENDED, "gone"):
            continue
        name = row.names[0].lower() if row.names else row.name
        others = [order.order_id for order in facts.live if facts.name(order) == name]
        what = "is not in the account" if row.order_status == "gone" else f"is {row.order_status}"
        if len(others) == 1:
            remedy = f"Take over the live order of the name: {_variable('adopt', row, others[0])}"
        elif others:
            remedy = f"Take over one of the live orders {', '.join(map(str, others))}: {_variable('adopt', row, 'ID')}"
        else:
            remedy = f"Use the credentials of its account, or buy again: {_variable('abandon_intent', row, True)}"
        ends = row.not_after.date() if row.not_after else None
        text = f"{row.name} on {row.host}: its order {what}"
        yield Difference("gone", row.order_id, name, text, remedy, None, ends, (row.host,))


def _unrenewed(facts: _Facts) -> t.Iterator[Difference]:
    last = facts.today + facts.limits.window_days * DAY
    for row in facts.rows:
        if row.copy or row.renews or row.term_end is None or row.order_id is None or row.term_end > last:
            continue
        yield Difference(
            "unrenewed",
            row.order_id,
            row.names[0] if row.names else row.name,
            f"{row.name} on {row.host}: the paid term ends on {row.term_end}, and gogetssl_spend allows no renewal",
            f"Allow it: ansible-playbook certops.gogetssl.issue -l {row.host} -e gogetssl_spend=renew --check",
            row.price,
            row.term_end,
            (row.host,),
        )


def _pending(facts: _Facts) -> t.Iterator[Difference]:
    for order in facts.live:
        if not _waits(order):
            continue
        since = _placed(order, facts)
        waits = (facts.today - since).days if since else None
        # A reissue of a live order has no age of its own.
        if waits is not None and waits <= facts.limits.pending_days and order.order_id in facts.used:
            continue
        age = f"since at least {waits} days" if waits else "for an unknown time"
        reason = facts.account.reasons.get(order.order_id, "").rstrip(".")
        yield Difference(
            "pending",
            order.order_id,
            facts.name(order),
            f"{text(order.status)} {age}" + (f": {reason}" if reason else ""),
            "Complete what it waits for, then run certops.gogetssl.issue; do not order again.",
            None,
            facts.end(order),
            facts.hosts(order.order_id),
        )


def _placed(order: OrderSummary, facts: _Facts) -> dt.date | None:
    """The latest possible day of the order, because the API does not return the day.

    Ids increase, so an order with a higher id was placed later, and its certificate was issued later still.
    """
    later = [other.valid_from for other in facts.account.orders.values() if other.order_id > order.order_id]
    return min((one for one in later if one), default=None)


def _unused(facts: _Facts) -> t.Iterator[Difference]:
    for order in facts.live:
        if order.order_id in facts.used:
            continue
        name, end = facts.name(order), facts.end(order)
        rows = facts.requested.get(name, [])
        blind = facts.blind(name)
        without = [row for row in rows if row.order_id is None and row not in blind and not row.copy]
        if blind:
            reason = f"no host that could be read uses it; {blind[0].host} may use it and is {blind[0].state}"
            remedy = "Run again when the host can be read."
        elif without:
            reason = f"{KINDS['unused']}; {without[0].name} on {without[0].host} requests the name and has no order"
            remedy = f"Take it over: {_variable('adopt', without[0], order.order_id)}"
        else:
            reason, remedy = KINDS["unused"], _cancellation(order.order_id)
        yield Difference("unused", order.order_id, name, reason, remedy, facts.cost(order), end)


def _double(facts: _Facts) -> t.Iterator[Difference]:
    by_name: dict[str, list[OrderSummary]] = {}
    for order in facts.live:
        if facts.name(order):
            by_name.setdefault(facts.name(order), []).append(order)
    for name, orders in by_name.items():
        if len(orders) < 2 or _by_key_type(facts, orders):
            continue
        used = [f"{order.order_id} ({', '.join(facts.hosts(order.order_id)) or 'no host'})" for order in orders]
        unused = [order for order in orders if order.order_id not in facts.used]
        remedy = (
            f"Compare their names and products. {_cancellation(unused[0].order_id)}"
            if unused
            else "Several hosts bought their own: share one order with order_host to pay for one."
        )
        newest, text = orders[-1], f"{KINDS['double']}: {', '.join(used)}"
        hosts = tuple(sorted({host for order in orders for host in facts.hosts(order.order_id)}))
        yield Difference("double", newest.order_id, name, text, remedy, facts.cost(newest), facts.end(newest), hosts)


def _by_key_type(facts: _Facts, orders: t.Sequence[OrderSummary]) -> bool:
    """True if each host that uses one of these orders has an RSA and an ECDSA certificate, by one order each."""
    used = [{(row.host, row.key_type.partition("-")[0]) for row in facts.used.get(one.order_id, ())} for one in orders]
    hosts = [{host for host, _algorithm in one} for one in used]
    algorithms = [{algorithm for _host, algorithm in one} for one in used]
    return len(orders) == 2 and bool(hosts[0]) and hosts[0] == hosts[1] and not algorithms[0] & algorithms[1]


def _variable(option: str, row: Row, value: t.Any) -> str:
    """The option of the certificate's entry in `gogetssl_certificates`."""
    return f"{option}: {json.dumps(value)} in the entry {row.name} of {row.host}, for one run."


def _cancellation(order_id: int) -> str:
    options = json.dumps({"state": "cancelled", "order_ids": [order_id], "reason": "not in use"})
    return f"If nothing else uses it, cancel it: ansible localhost -m certops.gogetssl.gogetssl_order -a '{options}'"
