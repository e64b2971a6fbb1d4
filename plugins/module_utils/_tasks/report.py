# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_report`: the state of a fleet as HTML, Prometheus metrics, CSV and JSON. Buys nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import typing as t

from .._api.api_task import api_task
from .._api.listing import Search, list_orders
from .._api.models import AnyOrder, Order, Unreadable
from .._api.orders import Api
from .._api.results import reason_of
from .._core.dates import iso
from .._core.errors import GogetsslError, Kind
from .._core.task import Context, Params, Result
from .._host import files
from .._report import html, metrics, reconcile, rows, tables, timeline
from .._report.account import Account, add_account

OPTIONS = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "offline": {"type": "bool", "default": False},
    "title": {"type": "str", "default": "Certificates"},
    "html": {"type": "path"},
    "prometheus": {"type": "path"},
    "csv": {"type": "path"},
    "json": {"type": "path"},
    "mode": {"type": "str", "default": "0644"},
    "below_days": {"type": "int"},
    "details": {"type": "int", "default": 3},
    "pending_days": {"type": "int", "default": 3},
    "window_days": {"type": "int", "default": 60},
}


def run(context: Context) -> Result:
    """Read the account, evaluate the rows, and write the requested files."""
    params = context.params
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    found = rows.read_rows(params["hosts"], now)
    account = Account() if params["offline"] else read_account(context, found)
    if account.error:
        context.warn(f"The account was not read: {account.error}")
    found = rows.sort_rows((add_account(row, account) for row in found), now)
    events = timeline.plan(found, now.date())
    limits = reconcile.Limits(params["pending_days"], params["window_days"])
    findings = reconcile.reconcile(found, account, limits, now) if account.read else []
    summary = {**summarise(found, events, account, now), "findings": reconcile.count(findings)}
    report = Report(found, account, events, findings, summary, now)
    written = [write(context, params[name], text) for name, text in render(params, report)]
    below = tables.ending_before(found, params["below_days"], now) if params["below_days"] is not None else []
    return {
        "changed": any(changed for _path, changed in written),
        "files": [path for path, _changed in written],
        "summary": summary,
        "lines": tables.lines(found, now),
        "findings": [tables.finding_record(one) for one in findings],
        "finding_lines": tables.finding_lines(findings),
        "below": [{"host": row.host, "name": row.name, "not_after": iso(row.end)} for row in below],
    }


class Report(t.NamedTuple):
    """What all formats show."""

    rows: t.Sequence[rows.Row]
    account: Account
    events: t.Sequence[timeline.Event]
    findings: t.Sequence[reconcile.Difference]
    summary: Result
    now: dt.datetime


def render(params: Params, report: Report) -> t.Iterator[tuple[str, str]]:
    """The requested formats with their texts."""
    found, account, events, now = report.rows, report.account, report.events, report.now
    if params["html"]:
        findings = html.show_findings(report.findings, account.currency) if account.read else None
        yield "html", html.render(found, account, events, findings, params["title"], now)
    if params["prometheus"]:
        counts = report.summary["findings"] if account.read else {}
        yield "prometheus", metrics.render(found, account, events, counts, now)
    if params["csv"]:
        yield "csv", tables.to_csv(found)
    if params["json"]:
        yield (
            "json",
            tables.to_json(found, {**report.summary, "account": [*map(tables.finding_record, report.findings)]}),
        )


def summarise(
    found: t.Sequence[rows.Row], events: t.Sequence[timeline.Event], account: Account, now: dt.datetime
) -> Result:
    """The numbers of the report."""
    total = timeline.totals(events)
    return {
        "generated": iso(now),
        "hosts": len({row.host for row in found}),
        "states": tables.count(found),
        "earliest_end": iso(min((row.end for row in found if row.end), default=None)),
        "next_90_days": {
            **total.counts,
            "cost": total.cost if account.read else None,
            "unknown_prices": total.unpriced,
            "currency": account.currency,
        },
        "account_read": account.read,
        "account_error": account.error,
    }


def read_account(context: Context, found: t.Sequence[rows.Row]) -> Account:
    """1 login, at most 8 lists, and 1 request each for unpaid orders, products and balance: 12 requests, and details.

    A failure is part of the report, because the hosts' data is complete without the account.
    """
    try:
        api: Api = context.api()
        orders, complete = list_orders(api, Search())
        balance, currency = api.balance()
        account = Account(
            orders={order.order_id: order for order in orders},
            complete=complete,
            products={product.product_id: product for product in api.products()},
            unpaid=api.unpaid_orders(),
            currency=currency,
            balance=balance,
            read=True,
        )
        wanted = reconcile.worth_reading(found, account)[: max(0, context.params["details"])]
        return with_details(api, account, wanted)
    except GogetsslError as error:
        return Account(error=error.message)


def with_details(api: Api, account: Account, order_ids: t.Sequence[int]) -> Account:
    """The account with the details of these orders, each of which takes one request."""
    read = [_read_order(api, order_id) for order_id in order_ids]
    details = {one.order_id: one for one in read if isinstance(one, Order)}
    reasons = {number: rows.text(reason_of(one)) for number, one in details.items()}
    reasons.update((one.order_id, rows.text(one.reason)) for one in read if not isinstance(one, Order))
    return dataclasses.replace(account, details=details, reasons=reasons)


def _read_order(api: Api, order_id: int) -> AnyOrder:
    """The order, or why there are no details: it may be gone since the list was made."""
    try:
        return api.any_order(order_id)
    except GogetsslError as error:
        if error.kind not in (Kind.REFUSED, Kind.ANSWER):
            raise
        return Unreadable(order_id, error.message)


def write(context: Context, path: str, contents: str) -> tuple[str, bool]:
    """Write a file atomically, and return its path and whether it changed."""
    path = os.path.abspath(path)
    data = contents.encode("utf-8")
    with files.os_errors_as_sentences():
        try:
            with open(path, "rb") as file:
                same = file.read() == data
        except FileNotFoundError:
            same = False
        if not same and not context.check_mode:
            if not os.path.isdir(os.path.dirname(path)):
                files.make_directory(os.path.dirname(path))
            rights = files.Rights(int(context.params["mode"], 8), os.geteuid(), os.getegid())
            files.replace_file(path, data, rights)
    return path, not same


_API = api_task(OPTIONS, run)
TASK = dataclasses.replace(_API, needs=(*_API.needs, html.JINJA))
