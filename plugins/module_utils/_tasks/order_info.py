# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: read or await the status of orders: one bulk read, then the details of changed orders; or search the lists."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._api.listing import Search, list_orders
from .._api.models import OrderSummary, Status
from .._api.orders import Api
from .._api.raw import info_task
from .._api.results import order_result
from .._core.dates import iso
from .._core.errors import GogetsslError, Kind
from .._core.task import Context, Result
from .._core.text import printable

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
    "brief_order_ids": {"type": "list", "elements": "int", "default": []},
    "return_early": {"type": "bool", "default": False},
    "return_after": {"type": "int"},
    "order_texts": {"type": "dict", "default": {}},
    "include_details": {"type": "bool"},
    "include_invoice": {"type": "bool", "default": False},
}
RULES = {
    "required_one_of": [("order_ids", "all", "unpaid")],
    "mutually_exclusive": [("order_ids", "all")],
}
SHOW_AFTER = 30  # seconds between two lines about the orders that a run waits for
SHOWN_ORDERS = 10
PASSING = (Kind.ANSWER, Kind.UNREACHABLE)  # failures of a read that may not recur at the next one
_KNOWN_STATUSES = frozenset(status.value for status in Status)


def read(context: Context, api: Api) -> Result:
    """Orders by id, or those in the lists that match; and unpaid orders."""
    params = context.params
    result: Result = {"orders": [], "pending": []}
    if params["order_ids"] is not None:
        result["orders"], result["seconds_left"] = watch_orders(context, api)
    elif params["all"]:
        result["orders"], result["complete"] = search_orders(context, api)
    if params["include_invoice"]:
        for order in result["orders"]:
            order["invoice"] = _invoice(api, order["order_id"])
    if params["unpaid"]:
        result["unpaid"] = api.unpaid_orders()
    result["pending"] = [order["order_id"] for order in result["orders"] if order["pending"]]
    return result


def watch_orders(context: Context, api: Api) -> tuple[list[Result], int]:
    """Read until the wait is over, and return the orders and the seconds left. Pending orders are not a failure."""
    params = context.params
    ids = tuple(dict.fromkeys([*params["order_ids"], *params["brief_order_ids"]]))
    watch = _Watch(api, params["include_details"] is not False)
    wait = _Wait(context)
    still_open = list(ids)
    while True:
        watch.read_open(still_open)
        before, still_open = still_open, [order_id for order_id in ids if watch.is_open(order_id)]
        left = wait.seconds_left(still_open, finished=len(before) > len(still_open))
        if left <= 0:
            break
        wait.show([watch.found.get(order_id) or brief_result(order_id, None) for order_id in still_open])
        context.sleep(min(wait.interval, left))
    watch.close(still_open)
    return [watch.found[order_id] for order_id in ids], max(0, int(wait.deadline - context.now()))


def search_orders(context: Context, api: Api) -> tuple[list[Result], bool]:
    """The orders of the account that match, and whether the list is complete. Only the details contain the product."""
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


class _Wait:
    """How long to wait, and the lines that the run shows in the meantime."""

    def __init__(self, context: Context) -> None:
        self._context, params = context, context.params
        self._begun: float = context.now()
        self._shown = self._begun
        self._finished: float | None = None  # the last time at which an order was no longer pending
        self._brief = frozenset(params["brief_order_ids"])
        self.interval: float = max(1, params["interval"])
        self.deadline: float = self._begun + params["wait"]
        after = params["return_after"]
        self._end: float = self.deadline if after is None else min(self.deadline, self._begun + after)

    def seconds_left(self, still_open: t.Sequence[int], finished: bool) -> float:
        """The longest time until the wait is over; 0 if it is over.

        Brief orders are waited for during one interval. With `return_early`, the wait ends when orders have finished
        and no other one finishes during two intervals. `return_after` ends it in any case.
        """
        now = self._context.now()
        self._finished = now if finished else self._finished
        if not still_open:
            return 0
        if self._brief.issuperset(still_open):
            return min(self._end, self._begun + self.interval) - now
        if self._finished is not None and self._context.params["return_early"]:
            return min(self._end, self._finished + 2 * self.interval) - now
        return self._end - now

    def show(self, orders: t.Sequence[Result]) -> None:
        """Show the orders that the run waits for, at most every `SHOW_AFTER` seconds."""
        now, show = self._context.now(), self._context.show
        awaited = [order for order in orders if order["order_id"] not in self._brief]
        if show is None or not awaited or now - self._shown < SHOW_AFTER:
            return
        self._shown = now
        texts = {str(order_id): text for order_id, text in self._context.params["order_texts"].items()}
        listed = [self._text(order, str(texts.get(str(order["order_id"]), ""))) for order in awaited[:SHOWN_ORDERS]]
        more = len(awaited) - len(listed)
        listed += [f"and {more} more"] if more > 0 else []
        show(f"Waiting for issuance, at most {self.deadline - now:.0f} seconds longer: {'; '.join(listed)}")

    @staticmethod
    def _text(order: Result, text: str) -> str:
        status = f" ({order['status']})" if order["status"] else ""
        return printable(f"order {order['order_id']}{status}{': ' if text else ''}{text.rstrip('.')}")


class _Watch:
    """The state of the orders, as known so far."""

    def __init__(self, api: Api, details: bool) -> None:
        self._api = api
        self._details = details
        self._trouble: GogetsslError | None = None
        self.found: dict[int, Result] = {}

    def is_open(self, order_id: int) -> bool:
        """True while another read can change the result."""
        return order_id not in self.found or bool(self.found[order_id]["pending"])

    def read_open(self, order_ids: t.Sequence[int]) -> None:
        """One bulk read, then the details of the orders that are no longer in progress."""
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
            if self._details and (word is None or (word in _KNOWN_STATUSES and not self.found[order_id]["pending"])):
                self._read(order_id)

    def close(self, order_ids: t.Sequence[int]) -> None:
        """Complete the orders that are still open: with their details, or with the reason why these are missing."""
        for order_id in order_ids:
            if self._trouble is not None:
                if order_id not in self.found:
                    raise self._trouble  # no read succeeded, so "pending" would be unfounded
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
    """An order with the data of the lists, in the structure of `order_result`."""
    return {
        **brief_result(summary.order_id, summary.status),
        "common_name": summary.common_name,
        "valid_from": iso(summary.valid_from),
        "valid_till": iso(summary.valid_till),
    }


def _detailed(api: Api, summary: OrderSummary) -> Result:
    """The order with details. If these cannot be read, the data of the lists with the reason."""
    try:
        return order_result(api.order(summary.order_id))
    except GogetsslError as error:
        reason = f"Its details could not be read: {_passing(error).message}"
        return {**summary_result(summary), "reason": reason}


def _invoice(api: Api, order_id: int) -> Result | None:
    """The invoice of an order; None if there is none."""
    try:
        return api.order_invoice(order_id)
    except GogetsslError as error:
        if error.kind is not Kind.REFUSED:
            raise
        return None


def brief_result(order_id: int, word: str | None) -> Result:
    """An order with only its status, in the structure of `order_result`."""
    known = Status(word) if word in _KNOWN_STATUSES else None
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
        "validations": [],
    }


def _passing(error: GogetsslError) -> GogetsslError:
    """Return an error that may be temporary; raise any other."""
    if error.kind not in PASSING:
        raise error
    return error


TASK = info_task(OPTIONS, read, rules=RULES)
