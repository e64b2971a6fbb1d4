# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in the text format of Prometheus, for the textfile collector of node_exporter or a push gateway. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._order.lifetime import midnight
from .account import Account
from .rows import STATES, Row
from .timeline import PAID, Event, totals

PREFIX = "gogetssl_"


@dataclasses.dataclass(frozen=True)
class Metric:
    """A gauge: its name without prefix, its help text, and its samples as labels and value."""

    name: str
    help: str
    samples: t.Sequence[tuple[t.Mapping[str, str], float]]


def render(
    rows: t.Sequence[Row], account: Account, events: t.Sequence[Event], findings: t.Mapping[str, int], now: dt.datetime
) -> str:
    """The whole exposition."""
    metrics = [*_certificates(_unique(rows)), *_summary(rows, events, now), *_account(account, findings)]
    return "".join(line for metric in metrics if metric.samples for line in _lines(metric))


def _unique(rows: t.Sequence[Row]) -> list[Row]:
    """The first row of each host and name: a repeated sample would make the whole text invalid."""
    return list({(row.host, row.name): row for row in reversed(rows)}.values())[::-1]


def _certificates(rows: t.Sequence[Row]) -> t.Iterator[Metric]:
    def dates(
        read: t.Callable[[Row], dt.date | None],
    ) -> list[tuple[t.Mapping[str, str], float]]:
        return [(_labels(row), _timestamp(value)) for row in rows if (value := read(row)) is not None]

    yield Metric(
        "certificate_not_after_timestamp_seconds",
        "End of the installed certificate.",
        dates(lambda row: row.not_after),
    )
    yield Metric(
        "certificate_served_not_after_timestamp_seconds",
        "Earliest end of the certificates that the listeners serve.",
        dates(lambda row: row.served_end),
    )
    yield Metric(
        "certificate_replace_from_timestamp_seconds",
        "Time from which the certificate is due for replacement.",
        dates(lambda row: row.replace_from),
    )
    yield Metric("order_term_end_timestamp_seconds", "End of the paid term.", dates(lambda row: row.term_end))
    yield Metric(
        "validation_reuse_end_timestamp_seconds",
        "Latest time until which the CA may issue again without a new domain validation.",
        dates(lambda row: row.reuse_end),
    )
    yield Metric(
        "certificate_served",
        "1 if every checked listener serves the installed certificate, 0 if not.",
        [(_labels(row), float(all(one.matches for one in row.served))) for row in rows if row.served],
    )
    yield Metric(
        "certificate_info",
        "State, order and key of the certificate. The value is always 1.",
        [(_info(row), 1.0) for row in rows],
    )


def _summary(rows: t.Sequence[Row], events: t.Sequence[Event], now: dt.datetime) -> t.Iterator[Metric]:
    yield Metric(
        "certificates",
        "Number of certificates by state.",
        [({"state": state}, float(sum(row.state == state for row in rows))) for state in STATES],
    )
    found = totals(events)
    yield Metric(
        "replacements_90d",
        "Replacements that become due within 90 days.",
        [({"kind": kind}, float(count)) for kind, count in found.counts.items() if kind != "expire"],
    )
    yield Metric(
        "purchases_90d_unknown_price",
        "Purchases within 90 days whose price is not known.",
        [({}, float(sum(event.kind in PAID and event.price is None for event in events)))],
    )
    yield Metric("report_timestamp_seconds", "Time of this report.", [({}, now.timestamp())])


def _account(account: Account, findings: t.Mapping[str, int]) -> t.Iterator[Metric]:
    yield Metric("account_read", "1 if the account was read for this report.", [({}, float(account.read))])
    if account.balance is not None:
        labels = {"currency": account.currency}
        yield Metric(
            "account_balance", "Balance of the account in units of its currency.", [(labels, account.balance / 100)]
        )
    yield Metric(
        "account_findings",
        "Differences between the orders of the account and the hosts.",
        [({"kind": kind}, float(count)) for kind, count in findings.items()],
    )


def _labels(row: Row) -> dict[str, str]:
    """`instance` is the label of the scraped exporter, so the host of the certificate has another one."""
    return {"host": row.host, "certificate": row.name}


def _info(row: Row) -> dict[str, str]:
    return {
        **_labels(row),
        "state": row.state,
        "common_name": row.names[0] if row.names else "",
        "order_id": str(row.order_id or ""),
        "product": row.product,
        "key_type": row.key_type,
        "serial": row.serial,
    }


def _timestamp(value: dt.date) -> float:
    return (value if isinstance(value, dt.datetime) else midnight(value)).timestamp()


def _lines(metric: Metric) -> t.Iterator[str]:
    name = PREFIX + metric.name
    yield f"# HELP {name} {metric.help}\n# TYPE {name} gauge\n"
    for labels, value in metric.samples:
        inside = ",".join(f'{key}="{escape(given)}"' for key, given in labels.items())
        braces = "{" + inside + "}" if inside else ""
        yield f"{name}{braces} {value:.2f}\n" if value % 1 else f"{name}{braces} {value:.0f}\n"


def escape(value: str) -> str:
    """A label value of the text format."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
