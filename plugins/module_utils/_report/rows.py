# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row for each certificate of each host, from the results of `gogetssl_certificate_info`. Pure.

A host may return anything, and some hosts return nothing. A value of an unexpected type counts as missing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._core.text import LIMIT, printable
from . import clocks

Entry = t.Mapping[str, t.Any]

# The states of a row. The order is that of the summary.
STATES = {
    "expired": "the certificate has expired",
    "missing": "no certificate is installed, and none is ordered",
    "stopped": "an operator has to decide",
    "unreachable": "the host did not answer",
    "unreadable": "the certificates of the host could not be read",
    "not_served": "a service does not serve the installed certificate",
    "due": "the next run replaces or completes it",
    "pending": "an order is in progress at GoGetSSL",
    "ok": "nothing is due",
}
_FIRST = ("expired", "missing")
_OPERATOR = ("stopped", "unreachable", "unreadable", "not_served")
SOON = dt.timedelta(days=7)
RENEWING = frozenset({"renew", "buy", "add_names"})


@dataclasses.dataclass(frozen=True)
class Served:
    """What one listener serves."""

    listener: str
    matches: bool
    answers: bool
    not_after: dt.datetime | None = None
    sha256: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """A certificate on a host. Dates are null if they are unknown."""

    host: str
    name: str
    state: str
    names: tuple[str, ...] = ()
    step: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    served: tuple[Served, ...] = ()
    unchecked: int = 0
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    replace_from: dt.datetime | None = None
    term_end: dt.date | None = None
    reuse_end: dt.date | None = None
    order_id: int | None = None
    order_status: str = ""
    order_host: str = ""
    product_id: int | None = None
    product: str = ""
    period: int = 12
    price: int | None = None  # of the next term, before tax, in minor units; None if unknown
    key_type: str = ""
    key_sent: dt.datetime | None = None  # to the CA
    issuer: str = ""
    serial: str = ""
    damaged: bool = False  # the host has a key, but its certificate cannot be read
    renews: bool = True  # gogetssl_spend allows a renewal

    @property
    def copy(self) -> bool:
        """True if another host orders the certificate."""
        return self.order_host not in ("", self.host)

    @property
    def served_end(self) -> dt.datetime | None:
        """The earliest end of the certificates that listeners serve."""
        return min((one.not_after for one in self.served if one.not_after), default=None)

    @property
    def end(self) -> dt.datetime | None:
        """The earliest end of the installed certificate and the served ones."""
        return min(filter(None, (self.not_after, self.served_end)), default=None)


def read_rows(hosts: t.Iterable[Entry], now: dt.datetime) -> list[Row]:
    """All rows, the most urgent first."""
    rows = [row for host in hosts for row in _rows_of(host, now)]
    return sort_rows(rows, now)


def sort_rows(rows: t.Iterable[Row], now: dt.datetime) -> list[Row]:
    return sorted(rows, key=lambda row: _urgency(row, now))


def _urgency(row: Row, now: dt.datetime) -> tuple[t.Any, ...]:
    """First what fails already, then what ends within a week, then what waits for an operator, then by date."""
    soon = row.state != "ok" and row.end is not None and row.end < now + SOON
    if row.state in _FIRST:
        rank = 0
    elif soon:
        rank = 1
    elif row.state in _OPERATOR:
        rank = 2
    else:
        rank = 3 + ("due", "pending", "ok").index(row.state)
    far = dt.datetime.max.replace(tzinfo=dt.timezone.utc)
    return rank, row.end or (now if rank < 3 else far), row.host, row.name


def _rows_of(host: Entry, now: dt.datetime) -> t.Iterator[Row]:
    name, result = text(host.get("host")), host.get("result")
    requested = {text(one.get("name")): one for one in entries(host.get("certificates"))}
    result = result if isinstance(result, t.Mapping) else {}
    found = entries(result.get("certificates"))
    if not found:
        yield from _failed_rows(name, result, requested)
        return
    for one in found:
        yield _row(name, one, requested.get(text(one.get("name")), {}), spend(host.get("spend")), now)


def _failed_rows(host: str, result: Entry, requested: t.Mapping[str, Entry]) -> t.Iterator[Row]:
    """A row for each certificate that a host should have but that could not be read."""
    if not requested and not (result.get("failed") or result.get("unreachable")):
        return
    state = "unreachable" if result.get("unreachable") else "unreadable"
    reason = text(result.get("msg")) or STATES[state]
    for name, wanted in requested.items() or [("", {})]:
        yield Row(host, name, state, reason=reason, **_request_of(wanted))


def _request_of(wanted: Entry) -> dict[str, t.Any]:
    """The fields of a row that come from the operator's variables."""
    names = wanted.get("names")
    period = number(wanted.get("period"))
    return {
        "names": tuple(text(one) for one in names) if isinstance(names, (list, tuple)) else (),
        "product": text(wanted.get("product")),
        "period": period if period and period > 0 else 12,
        "order_host": text(wanted.get("order_host")),
    }


def _row(host: str, one: Entry, wanted: Entry, allowed: frozenset[str], now: dt.datetime) -> Row:
    begin, end = moment(one.get("not_before")), moment(one.get("not_after"))
    served = tuple(map(_served, entries(one.get("served"))))
    requested = _request_of(wanted)
    installed = one.get("names")
    names = tuple(map(text, installed)) if isinstance(installed, (list, tuple)) else ()
    row = Row(
        host=host,
        name=text(one.get("name")),
        state="ok",
        step=text(one.get("step")),
        reason=text(one.get("reason")),
        served=served,
        unchecked=number(one.get("unchecked_listeners")) or 0,
        not_before=begin,
        not_after=end,
        replace_from=moment(one.get("replace_from")),
        term_end=day(one.get("term_end")),
        reuse_end=clocks.reuse_end(begin.date()) if begin else None,
        order_id=number(one.get("order_id")),
        product_id=number(one.get("product_id")),
        key_type=text(one.get("key_type")),
        key_sent=moment(one.get("key_sent")),
        issuer=text(one.get("issuer")),
        serial=text(one.get("serial")),
        damaged=one.get("damaged") is True,
        renews=bool(allowed & RENEWING),
        **{**requested, "names": requested["names"] or names},
    )
    state = _state(row, bool(one.get("in_progress")), now)
    return dataclasses.replace(row, state=state, notes=tuple(_notes(row, one, now)))


def _state(row: Row, in_progress: bool, now: dt.datetime) -> str:
    if row.end is not None and row.end <= now:
        return "expired"
    if row.step == "invalid":
        return "unreadable"
    if row.step == "stop":
        return "stopped"
    if row.not_after is None:
        return "pending" if in_progress else "missing"
    if any(not one.matches for one in row.served):
        return "not_served"
    if in_progress:
        return "pending"
    return "ok" if row.step == "keep" else "due"


def _notes(row: Row, one: Entry, now: dt.datetime) -> t.Iterator[str]:
    """What the state does not show."""
    for listener in row.served:
        if not listener.answers:
            yield f"{listener.listener} serves no certificate"
        elif listener.listener in row.reason:
            continue
        elif not listener.matches:
            yield f"{listener.listener} serves another certificate"
    if row.unchecked:
        yield "what is served cannot be checked on this host: install openssl"
    if one.get("key_matches") is False:
        yield "the private key does not belong to the certificate"
    window = clocks.RENEWAL_WARNING
    if row.term_end and not row.copy and not row.renews and row.term_end < now.date() + window:
        yield f"the paid term ends on {row.term_end} and gogetssl_spend does not allow a renewal"


def _served(one: Entry) -> Served:
    return Served(
        text(one.get("listener")),
        one.get("matches") is True,
        one.get("answers") is True,
        moment(one.get("not_after")),
        text(one.get("sha256")),
    )


def spend(value: t.Any) -> frozenset[str]:
    """The steps of `gogetssl_spend`, a list or a comma-separated text. The default of the role is `buy`."""
    if value in (None, "", []):
        return frozenset({"buy"})
    listed = value.split(",") if isinstance(value, str) else value
    return frozenset(str(one).strip() for one in listed) if isinstance(listed, (list, tuple)) else frozenset({"buy"})


def entries(value: t.Any) -> list[Entry]:
    """The dictionaries of a list."""
    return [one for one in value if isinstance(one, t.Mapping)] if isinstance(value, (list, tuple)) else []


def text(value: t.Any) -> str:
    """A text without control characters. A number is converted; other types count as missing."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    value = str(value)
    # The usual case, and much faster for thousands of rows.
    return value if len(value) < LIMIT and value.isprintable() else printable(value)


def number(value: t.Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 16 else None


def moment(value: t.Any) -> dt.datetime | None:
    """A time in UTC from ISO 8601."""
    try:
        found = dt.datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)).astimezone(dt.timezone.utc)
    except (TypeError, ValueError, OverflowError):
        return None


def day(value: t.Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value[:10])
    except (KeyError, TypeError, ValueError):  # a dict takes a slice for a key from Python 3.12 on
        return None
