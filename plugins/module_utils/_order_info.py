# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: how orders are doing, and waiting for them: one bulk poll, and the details of what has changed; or a list.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from ._api import Api
from ._errors import GogetsslError, Kind
from ._info import info_task
from ._models import OrderSummary, Status
from ._order_list import Search, list_orders
from ._results import order_result
from ._task import Context, Result

OPTIONS = {
    "order_ids": {"type": "list", "elements": "int"},
    "all": {"type": "bool"},
    "unpaid": {"type": "bool"},
    "statuses": {"type": "list", "elements": "str", "choices": [status.value for status in Status], "default": []},
    "name": {"type": "str"},
    "product_id": {"type": "int"},
    "expires_within": {"type": "int"},
    "wait": {"type": "int", "default": 0},
    "interval": {"type": "int", "default": 10},
    "include_details": {"type": "bool"},
    "include_invoice": {"type": "bool", "default": False},
}
RULES = {
    "required_one_of": [("order_ids", "all", "unpaid")],
    "mutually_exclusive": [("order_ids", "all")],
}
PASSING = (Kind.ANSWER, Kind.UNREACHABLE)  # failures of a read that may be gone at the next poll
_WORDS = frozenset(status.value for status in Status)


def read(context: Context, api: Api) -> Result:
    """Orders by id, or those of the lists that fit; and what is unpaid."""
    params = context.params
    result: Result = {"orders": [], "pending": []}
    if params["order_ids"] is not None:
        result["orders"] = watch_orders(context, api)
    elif params["all"]:
        result["orders"], result["complete"] = search_orders(context, api)
    if params["include_invoice"]:
        for order in result["orders"]:
            order["invoice"] = _invoice(api, order["order_id"])
    if params["unpaid"]:
        result["unpaid"] = api.unpaid_orders()
    result["pending"] = [order["order_id"] for order in result["orders"] if order["pending"]]
    return result


def watch_orders(context: Context, api: Api) -> list[Result]:
    """Look until nothing is pending or the time is up; what is pending then is a result, not a failure."""
    params = context.params
    ids = tuple(dict.fromkeys(params["order_ids"]))
    watch = _Watch(api, params["include_details"] is not False)
    deadline = context.now() + params["wait"]
    while True:
        watch.look([order_id for order_id in ids if watch.is_open(order_id)])
        left = deadline - context.now()
        if left <= 0 or not any(map(watch.is_open, ids)):
            break
        context.sleep(min(max(1, params["interval"]), left))
    watch.close([order_id for order_id in ids if watch.is_open(order_id)])
    return [watch.found[order_id] for order_id in ids]


def search_orders(context: Context, api: Api) -> tuple[list[Result], bool]:
    """The orders of the account that fit, and whether none can be missing. A product is known by details only."""
    params = context.params
    days = params["expires_within"]
    today = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc).date()
    search = Search(
        frozenset(params["statuses"]), params["name"], None if days is None else today + dt.timedelta(days=days)
    )
    listed, complete = list_orders(api, search)
    product_id = params["product_id"]
    if not params["include_details"] and product_id is None:
        return [summary_result(summary) for summary in listed], complete
    found = [_detailed(api, summary) for summary in listed]
    return [order for order in found if product_id is None or order["product_id"] == product_id], complete


class _Watch:
    """What is known of the orders so far."""

    def __init__(self, api: Api, details: bool) -> None:
        self._api = api
        self._details = details
        self._trouble: GogetsslError | None = None
        self.found: dict[int, Result] = {}

    def is_open(self, order_id: int) -> bool:
        """True while another look may show something else."""
        return order_id not in self.found or bool(self.found[order_id]["pending"])

    def look(self, order_ids: t.Sequence[int]) -> None:
        """One bulk read, and the details of the orders that are no longer under way."""
        if not order_ids:
            return
        try:
            statuses = self._api.statuses(order_ids)
        except GogetsslError as error:
            self._trouble = _passing(error)
            return
        self._trouble = None
        for order_id in order_ids:
            word = statuses.get(order_id)
            self.found[order_id] = brief_result(order_id, word)
            if self._details and (word is None or (word in _WORDS and not self.found[order_id]["pending"])):
                self._read(order_id)

    def close(self, order_ids: t.Sequence[int]) -> None:
        """The last words on the orders that are still open: their details, or why there are none."""
        for order_id in order_ids:
            if self._trouble is not None:
                if order_id not in self.found:
                    raise self._trouble  # nothing was ever read: that is no basis for "pending"
                self.found[order_id]["reason"] = f"The last look failed: {self._trouble.message}"
            elif self._details and not self.found[order_id]["names"]:
                self._read(order_id)

    def _read(self, order_id: int) -> None:
        try:
            self.found[order_id] = order_result(self._api.order(order_id))
        except GogetsslError as error:
            reason = f"Its details could not be read: {_passing(error).message}"
            self.found[order_id].update(pending=True, issued=False, reason=reason)


def summary_result(summary: OrderSummary) -> Result:
    """An order as the lists know it, in the shape of `order_result`."""
    return {
        **brief_result(summary.order_id, summary.status),
        "common_name": summary.common_name,
        "valid_from": summary.valid_from.isoformat() if summary.valid_from else None,
        "valid_till": summary.valid_till.isoformat() if summary.valid_till else None,
    }


def _detailed(api: Api, summary: OrderSummary) -> Result:
    """The order whole; as the lists know it, with the reason, if that cannot be read."""
    try:
        return order_result(api.order(summary.order_id))
    except GogetsslError as error:
        reason = f"Its details could not be read: {_passing(error).message}"
        return {**summary_result(summary), "reason": reason}


def _invoice(api: Api, order_id: int) -> Result | None:
    """The invoice of an order; nothing if there is none."""
    try:
        return api.order_invoice(order_id)
    except GogetsslError as error:
        if error.kind is not Kind.REFUSED:
            raise
        return None


def brief_result(order_id: int, word: str | None) -> Result:
    """An order of which only the status is known, in the shape of `order_result`."""
    known = Status(word) if word in _WORDS else None
    reason = "" if known is Status.ACTIVE else f"The order is {word}."
    if word is None:
        reason = "GoGetSSL's list of statuses lacks the order."
    elif known is None:
        reason = f"GoGetSSL gives the order a status this collection does not know: {word[:60]!r}."
    return {
        "order_id": order_id,
        "status": word,
        "product_id": None,
        "common_name": None,
        "names": [],
        "pending": word is None or (known is not None and known is not Status.ACTIVE and not known.ended),
        "issued": known is Status.ACTIVE,
        "reason": reason,
        **dict.fromkeys(("valid_from", "valid_till", "begin_date", "end_date", "certificate", "chain")),
        "proofs": [],
    }


def _passing(error: GogetsslError) -> GogetsslError:
    """The error, if it may pass; otherwise it is raised again."""
    if error.kind not in PASSING:
        raise error
    return error


TASK = info_task(OPTIONS, read, rules=RULES)
