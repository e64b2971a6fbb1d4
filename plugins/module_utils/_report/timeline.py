# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is replaced when in the next days, and what it costs. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._order.lifetime import TERM_END_SLACK, midnight
from .rows import Row

DAYS = 90
KINDS = {
    "reissue": "reissue, free of charge",
    "renew": "renewal, paid",
    "buy": "purchase, paid",
    "expire": "expires if nothing is done",
}
PAID = ("renew", "buy")


@dataclasses.dataclass(frozen=True)
class Event:
    """A step that becomes due, or an expiry."""

    day: dt.date
    kind: str
    row: Row
    price: int | None = 0  # in minor units; None if unknown


def plan(rows: t.Iterable[Row], today: dt.date, days: int = DAYS) -> list[Event]:
    """The events of the next days by date. A certificate that several hosts share has one replacement."""
    found: list[Event] = []
    orders: set[int] = set()
    last = today + dt.timedelta(days=days)
    for row in rows:
        if row.end is not None and today <= row.end.date() <= last:
            found.append(Event(row.end.date(), "expire", row))
        event = _replacement(row, today)
        if event is None or event.day > last or (row.order_id is not None and row.order_id in orders):
            continue
        if row.order_id is not None:
            orders.add(row.order_id)
        found.append(event)
    return sorted(found, key=lambda event: (event.day, event.row.host, event.row.name))


def _replacement(row: Row, today: dt.date) -> Event | None:
    """The next replacement of a certificate that this host orders."""
    if row.copy or row.state in ("unreachable", "unreadable", "pending"):
        return None
    if row.not_after is None or row.replace_from is None:
        return Event(today, "buy", row, row.price) if row.state == "missing" else None
    day = max(today, row.replace_from.date())
    if row.order_id is None:
        return Event(day, "buy", row, row.price)
    if row.order_status in ("gone", "cancelled", "expired", "rejected", "revoked"):
        return Event(day, "buy", row, row.price)
    if row.term_end is None or row.not_after < midnight(row.term_end) - TERM_END_SLACK:
        return Event(day, "reissue", row)
    return Event(day, "renew", row, row.price)


@dataclasses.dataclass(frozen=True)
class Totals:
    """Counts by kind, the known cost, and the number of purchases of unknown price."""

    counts: t.Mapping[str, int]
    cost: int
    unpriced: int


def totals(events: t.Sequence[Event]) -> Totals:
    counts = {kind: sum(1 for event in events if event.kind == kind) for kind in KINDS}
    paid = [event.price for event in events if event.kind in PAID]
    return Totals(counts, sum(price for price in paid if price), sum(1 for price in paid if price is None))


@dataclasses.dataclass(frozen=True)
class Bar:
    """A rectangle of the drawing."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclasses.dataclass(frozen=True)
class Drawing:
    """The timeline as coordinates: bars of replacements above the axis, expiries below it."""

    width: int
    height: int
    axis: float
    bars: t.Sequence[Bar]
    weeks: t.Sequence[tuple[float, str]]
    marks: t.Sequence[tuple[float, int]]  # heights of the scale, above and below the axis
    labels: t.Sequence[tuple[float, int]]  # counts of the columns that the scale does not reach


WIDTH, LEFT, UP, DOWN, TOP, BOTTOM = 920, 34, 120, 44, 12, 24
LEAST = 4  # minimum height of the scale in events, so that a single event does not fill it
NAMED = 6  # rows that a tooltip names


def draw(events: t.Sequence[Event], today: dt.date, days: int = DAYS) -> Drawing:
    """One column for each day."""
    by_day: dict[tuple[dt.date, str], list[Event]] = {}
    for event in events:
        by_day.setdefault((event.day, event.kind), []).append(event)
    above = [sum(len(by_day.get((day, kind), ())) for kind in KINDS if kind != "expire") for day in _days(today, days)]
    below = [len(by_day.get((day, "expire"), ())) for day in _days(today, days)]
    # Overdue events count as due today, and are shortened so that the other days stay visible.
    highest, deepest = max([min(above[0], 2 * max(above[1:])), *above[1:], LEAST]), max([*below, LEAST // 2])
    step, axis = (WIDTH - LEFT) / (days + 1), float(TOP + UP)
    bars = []
    for number, day in enumerate(_days(today, days)):
        top = axis
        for kind in KINDS:
            some = by_day.get((day, kind), [])
            if not some:
                continue
            height = len(some) * (DOWN / deepest if kind == "expire" else UP / max(highest, above[number]))
            y = axis + 1 if kind == "expire" else top - height
            top = top if kind == "expire" else y
            bars.append(Bar(round(LEFT + number * step, 1), round(y, 1), round(step - 1.5, 1), round(height, 1), kind,
                            _title(day, kind, some)))  # fmt: skip
    weeks = [
        (round(LEFT + number * step, 1), f"{day:%d %b}")
        for number, day in enumerate(_days(today, days))
        if number % 14 == 0
    ]
    marks = [(float(TOP), highest)] + ([(axis + DOWN, deepest)] if any(below) else [])
    labels = [(round(LEFT + step, 1), above[0])] if above[0] > highest else []
    return Drawing(WIDTH, TOP + UP + DOWN + BOTTOM, axis, bars, weeks, marks, labels)


def _days(today: dt.date, days: int) -> list[dt.date]:
    return [today + dt.timedelta(days=number) for number in range(days + 1)]


def _title(day: dt.date, kind: str, events: t.Sequence[Event]) -> str:
    named = ", ".join(f"{event.row.name} on {event.row.host}" for event in events[:NAMED])
    more = f" and {len(events) - NAMED} more" if len(events) > NAMED else ""
    return f"{day}: {len(events)} x {KINDS[kind]}: {named}{more}"
