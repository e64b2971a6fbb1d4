# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: the account, its balance and its invoices."""

from __future__ import annotations

import datetime as dt

from .._api.orders import Api
from .._api.raw import info_task
from .._core.errors import GogetsslError, Kind, input_error
from .._core.task import Context, Result

LONGEST_PERIOD = dt.timedelta(days=365)  # the vendor's limit for one request
OPTIONS = {
    "gather": {
        "type": "list",
        "elements": "str",
        "choices": ["details", "balance", "totals", "invoices", "unpaid"],
        "default": ["details", "balance"],
    },
    "date_from": {"type": "str"},
    "date_till": {"type": "str"},
    "invoice_id": {"type": "int"},
}


def read(context: Context, api: Api) -> Result:
    """Read the selected data, with one request each."""
    params = context.params
    today = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc).date()
    periods = split_period(params["date_from"], params["date_till"], today)
    gather = params["gather"]
    result: Result = {}
    if "details" in gather:
        result["account"] = api.account()
    if "balance" in gather:
        result["balance"], result["currency"] = api.balance()
    if "totals" in gather:
        result["active_orders"] = api.total_orders()
        result["transactions"] = _transactions(api)
    if periods:
        found = [invoice for since, till in periods for invoice in api.invoices_between(since, till)]
        result["invoices"] = list({(one["invoice_id"], one["number"]): one for one in found}.values())
    elif "invoices" in gather:
        result["invoices"] = api.invoices()
    if "unpaid" in gather:
        result["unpaid_invoices"] = api.unpaid_invoices()
    if params["invoice_id"] is not None:
        result["invoice"] = api.invoice(params["invoice_id"])
    return result


def split_period(since: str | None, till: str | None, today: dt.date) -> list[tuple[str, str]]:
    """The period, split into pieces that the vendor accepts. Empty without a period."""
    if not since and not till:
        return []
    last = _day(till, "date_till") if till else today
    first = _day(since, "date_from") if since else last - LONGEST_PERIOD
    if first > last:
        raise input_error("date_from is later than date_till.")
    pieces = []
    while first <= last:
        end = min(first + LONGEST_PERIOD, last)
        pieces.append((first.isoformat(), end.isoformat()))
        first = end + dt.timedelta(days=1)
    return pieces


def _day(text: str, option: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise input_error(f"{option}: {text!r} is not a date in the format YYYY-MM-DD.") from None


def _transactions(api: Api) -> int | None:
    """The undocumented count; None if the vendor does not support the method."""
    try:
        return api.total_transactions()
    except GogetsslError as error:
        if error.kind is not Kind.REFUSED:
            raise
        return None


TASK = info_task(OPTIONS, read)
