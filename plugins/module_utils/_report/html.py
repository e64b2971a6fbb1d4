# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTML report: one file without network access. Prepares the values of the template; pure."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import typing as t

from .._core.libraries import Library
from .._core.money import money
from . import clocks, timeline
from .account import Account
from .page import PAGE
from .reconcile import Difference
from .rows import STATES, Row
from .script import SCRIPT
from .style import STYLE
from .tables import count, days_until

try:
    import jinja2
    import markupsafe

    HAS_JINJA = True
except ImportError:  # reported by the adapters
    HAS_JINJA = False

JINJA = Library("jinja2", HAS_JINJA)
COLOURS = {
    **dict.fromkeys(("expired", "missing", "stopped"), "bad"),
    **dict.fromkeys(("unreachable", "unreadable"), "grey"),
    **dict.fromkeys(("not_served", "due"), "warn"),
    "pending": "info",
    "ok": "good",
}
FINDING_COLOURS = {"unpaid": "bad", "gone": "bad", "unrenewed": "bad", "pending": "info"}
COLUMNS = (
    *("State", "Certificate", "Host", "Expires", "Served until", "Replace from", "Paid until", "Validation reuse"),
    *("Order", "Key", "Reason"),
)
NAMES = 4  # names of a certificate that a row shows
FINDINGS = 500  # findings that the page shows
SOON = {"Expires": 14, "Served until": 14, "Paid until": 30, "Replace from": 0, "Validation reuse": 0}
# On these dates something becomes due, but nothing is late.
_SOFT = ("Replace from", "Validation reuse")


class ShownDifference(t.NamedTuple):
    """A difference between the account and the hosts, as the page shows it."""

    label: str
    colour: str
    order_id: int | None
    name: str
    cost: str
    end: str
    reason: str
    remedy: str


def show_findings(findings: t.Iterable[Difference], currency: str) -> list[ShownDifference]:
    return [
        ShownDifference(
            one.kind,
            FINDING_COLOURS.get(one.kind, "warn"),
            one.order_id,
            one.name,
            "" if one.cost is None else money(one.cost, currency or None),
            one.end.isoformat() if one.end else "",
            one.reason,
            one.remedy,
        )
        for one in findings
    ]


def render(
    rows: t.Sequence[Row],
    account: Account,
    events: t.Sequence[timeline.Event],
    findings: t.Sequence[ShownDifference] | None,
    title: str,
    now: dt.datetime,
    days: int = timeline.DAYS,
) -> str:
    """The whole page."""
    found = timeline.totals(events)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(PAGE).render(
        title=title,
        generated=f"{now:%Y-%m-%d %H:%M}",
        hosts=len({row.host for row in rows}),
        source="hosts and account" if account.read else "hosts only",
        account_error=account.error,
        states=_tiles(rows),
        days=days,
        forecast=forecast(found, account.currency, account.read),
        chart=timeline.draw(events, now.date(), days),
        legend=[(kind, label, found.counts[kind]) for kind, label in timeline.KINDS.items()],
        findings=None if findings is None else findings[:FINDINGS],
        more_findings=max(0, len(findings or ()) - FINDINGS),
        columns=COLUMNS,
        rows=[_row(row, now) for row in rows],
        explanations=_explanations(),
        **_own_sources(),
    )


def _own_sources() -> dict[str, t.Any]:
    """Style and script with their hashes. They are constants, and the only values that are not escaped."""
    return {
        "style": markupsafe.Markup(STYLE),
        "script": markupsafe.Markup(SCRIPT),
        "style_hash": _hash(STYLE),
        "script_hash": _hash(SCRIPT),
    }


def _tiles(rows: t.Sequence[Row]) -> list[dict[str, t.Any]]:
    counts = count(rows)
    return [
        {
            "name": state,
            "label": state.replace("_", " "),
            "count": counts[state],
            "help": text,
            "colour": COLOURS[state],
        }
        for state, text in STATES.items()
    ]


def _hash(source: str) -> str:
    """The hash that allows this inline source in a content security policy, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def forecast(found: timeline.Totals, currency: str, priced: bool) -> str:
    """The timeline in one sentence."""
    counts = found.counts
    reissues, paid = counts["reissue"], counts["renew"] + counts["buy"]
    parts = [
        f"{reissues} {'reissue' if reissues == 1 else 'reissues'} free of charge",
        f"{counts['renew']} {'renewal' if counts['renew'] == 1 else 'renewals'}",
        f"{counts['buy']} {'purchase' if counts['buy'] == 1 else 'purchases'}",
    ]
    sentence = f"{parts[0]}, {parts[1]} and {parts[2]}"
    if paid and priced:
        known = paid - found.unpriced
        cost = money(found.cost, currency or None)
        sentence += f"; {known} of {paid} paid steps cost {cost} before tax at the account's prices"
        sentence += f", {found.unpriced} without a known price" if found.unpriced else ""
    elif paid:
        sentence += "; prices are not known without the account"
    return sentence + "."


def _explanations() -> list[tuple[str, str]]:
    return [
        ("Expires", clocks.EXPLANATION["certificate"]),
        ("Served until", "The earliest end of the certificates that the host's services serve."),
        ("Replace from", "From this day on, the next run of the role replaces the certificate."),
        ("Paid until", clocks.EXPLANATION["term"]),
        ("Validation reuse", clocks.EXPLANATION["reuse"]),
        *((f"State: {state.replace('_', ' ')}", f"{text[0].upper()}{text[1:]}.") for state, text in STATES.items()),
    ]


def _row(row: Row, now: dt.datetime) -> dict[str, t.Any]:
    more = len(row.names) - NAMES
    order = str(row.order_id or "") + (f" {row.order_status}" if row.order_status not in ("", "active") else "")
    return {
        "state": row.state,
        "rank": list(STATES).index(row.state) + 1,
        "colour": COLOURS[row.state],
        "label": row.state.replace("_", " "),
        "name": row.name,
        "names": ", ".join(row.names[:NAMES]) + (f" and {more} more" if more > 0 else ""),
        "host": row.host,
        "order_host": row.order_host if row.copy else "",
        "dates": [_date(label, value, row, now) for label, value in _dates(row)],
        "order": order.strip(),
        "product": row.product,
        "key_type": row.key_type,
        "reason": row.reason.removeprefix(f"{row.name}: "),
        "notes": row.notes,
    }


def _dates(row: Row) -> t.Iterator[tuple[str, dt.date | None]]:
    yield "Expires", row.not_after
    yield "Served until", row.served_end
    yield "Replace from", row.replace_from
    yield "Paid until", row.term_end
    yield "Validation reuse", row.reuse_end


def _date(label: str, value: dt.date | None, row: Row, now: dt.datetime) -> dict[str, str]:
    if value is None:
        unchecked = label == "Served until" and (row.unchecked or any(not one.answers for one in row.served))
        note = ("not checked" if row.unchecked else "no answer") if unchecked else ""
        return {"label": label, "day": "", "note": note, "css": "" if note else " empty"}
    day = value.date() if isinstance(value, dt.datetime) else value
    left = (day - now.date()).days
    css = "" if left > SOON[label] else " soon" if left >= 0 or label in _SOFT else " late"
    css = "" if label == "Validation reuse" else css
    return {"label": label, "day": day.isoformat(), "note": days_until(value, now), "css": css}
