# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as CSV, JSON and lines of text. Pure."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
import typing as t

from .._core.dates import iso
from .reconcile import Difference
from .rows import STATES, Row

COLUMNS = (
    *("host", "name", "state", "names", "reason", "notes", "not_after", "served_not_after", "served", "replace_from"),
    *("term_end", "validation_reuse_end", "order_id", "order_status", "order_host", "product_id", "product", "price"),
    *("key_type", "issuer", "serial"),
)
FINDINGS = 500
LINES = 20  # rows that the console shows
# A cell that begins with one of these is a formula to a spreadsheet program.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def record(row: Row) -> dict[str, t.Any]:
    """A row as plain data, with ISO 8601 dates and the price in minor units."""
    return {
        "host": row.host,
        "name": row.name,
        "state": row.state,
        "names": list(row.names),
        "reason": row.reason,
        "notes": list(row.notes),
        "not_after": iso(row.not_after),
        "served_not_after": iso(row.served_end),
        "served": [{**dataclasses.asdict(one), "not_after": iso(one.not_after)} for one in row.served],
        "replace_from": iso(row.replace_from),
        "term_end": iso(row.term_end),
        "validation_reuse_end": iso(row.reuse_end),
        "order_id": row.order_id,
        "order_status": row.order_status,
        "order_host": row.order_host,
        "product_id": row.product_id,
        "product": row.product,
        "price": row.price,
        "key_type": row.key_type,
        "issuer": row.issuer,
        "serial": row.serial,
    }


def finding_record(one: Difference) -> dict[str, t.Any]:
    """A difference between the account and the hosts as plain data."""
    return {**dataclasses.asdict(one), "end": iso(one.end), "hosts": list(one.hosts)}


def finding_lines(findings: t.Sequence[Difference]) -> list[str]:
    """One sentence for each difference. A terminal does not need 100,000 of them."""
    shown = [one.sentence() for one in findings[:FINDINGS]]
    more = len(findings) - len(shown)
    return [*shown, f"{more} more; see the report, or set gogetssl_report_json."] if more else shown


def to_csv(rows: t.Iterable[Row]) -> str:
    """RFC 4180, with an apostrophe before texts that a spreadsheet program would evaluate."""
    out = io.StringIO()
    # All cells are quoted, because some programs split at other separators, and a formula could follow one.
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(key, value) for key, value in record(row).items()])
    return out.getvalue()


def _cell(key: str, value: t.Any) -> str:
    if key == "served":
        value = [f"{one['listener']}: {'yes' if one['matches'] else 'no'}" for one in value]
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    formula = any(one.startswith(_FORMULA) for one in (text, text.lstrip()))
    return f"'{text}" if formula else text


def to_json(rows: t.Iterable[Row], summary: t.Mapping[str, t.Any]) -> str:
    """One line for each certificate, so that two reports can be compared."""
    head = json.dumps(summary, sort_keys=True).removesuffix("}")
    records = ",\n".join(json.dumps(record(row), sort_keys=True) for row in rows)
    return f'{head}{", " if summary else ""}"certificates": [\n{records}\n]}}\n'


def count(rows: t.Iterable[Row]) -> dict[str, int]:
    """The number of rows by state."""
    states = [row.state for row in rows]
    return {state: states.count(state) for state in STATES}


def ending_before(rows: t.Iterable[Row], days: int, now: dt.datetime) -> list[Row]:
    """The rows whose certificate ends within so many days, or has none at all."""
    limit = now + dt.timedelta(days=days)
    return [row for row in rows if row.state == "missing" or (row.end is not None and row.end < limit)]


def lines(rows: t.Sequence[Row], now: dt.datetime) -> list[str]:
    """The most urgent rows in which something is due, and a count of the others."""
    urgent = [row for row in rows if row.state != "ok" or row.notes]
    shown = [_line(row, now) for row in urgent[:LINES]]
    more = len(urgent) - len(shown)
    fine = len(rows) - len(urgent)
    if more:
        shown.append(f"{more} more; see the report.")
    return (
        [*shown, f"{fine} of {len(rows)} certificates need nothing."] if rows else ["The hosts have no certificates."]
    )


def _line(row: Row, now: dt.datetime) -> str:
    end = f"; ends on {row.end:%Y-%m-%d} ({days_until(row.end, now)})" if row.end else ""
    notes = "".join(f"; {note}" for note in row.notes)
    label = f"{row.name} on {row.host}" if row.name else row.host
    return f"{label}: {row.state}: {row.reason.removeprefix(row.name + ': ').rstrip('.')}{notes}{end}"


def days_until(end: dt.date, now: dt.datetime) -> str:
    """The distance of a date in days."""
    days = ((end.date() if isinstance(end, dt.datetime) else end) - now.date()).days
    return "today" if days == 0 else f"in {days} d" if days > 0 else f"{-days} d ago"
