# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buys exactly once, whatever fails.

The vendor's API has no idempotency key, so the public key in the CSR is used as one. Before a purchase, an intent is
written exclusively on the host. After a lost response, the order is searched by that key. If it is not found within the
settle time, the intent is kept and the run fails: no purchase is repeated without an operator's decision.
"""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from .._api.listing import REACH, read_list
from .._api.models import AnyOrder, Order, OrderSummary, Receipt, Unreadable
from .._api.orders import FILTERS, LISTED_STATUSES, Api
from .._core import names
from .._core.errors import GogetsslError, Kind
from .._core.task import Context
from .._crypto import x509
from .._crypto.chain import read_issued
from .._host import journal
from .._host.journal import Intent, Journal

_ENDED = frozenset(
    {"cancelled", "expired", "rejected", "revoked"}
)  # such orders are relevant only after a lost response
_FIRST_SEARCH_AFTER = 2.0  # seconds; the vendor lists new orders with a delay (API reference 12)
_LONGEST_PAUSE = 15.0
_NO_ID = "GoGetSSL lists it without a readable id."


@dataclasses.dataclass(frozen=True)
class Trace:
    """The values that identify an order as ours."""

    common_name: str
    public_key: str
    md5: str
    unique_code: str


class NotFound(GogetsslError):
    """The account did not list the order within the settle time. The order may not exist."""


class Finder:
    """Finds orders by common name. The account's lists are read once for all certificates of a host."""

    def __init__(self, api: Api, max_age: float = 0) -> None:
        self._api = api
        self._max_age = max_age  # in seconds, of lists that the hosts of the run share; 0 reads them again
        self._ids_by_name: dict[str, list[int]] | None = None
        self._ended: list[int] = []
        self.unreadable: tuple[Unreadable, ...] = ()  # unreadable orders of the last search, with any name
        self.newest = 0  # the largest order id in any list
        self.complete = True  # the lists contain every live order of the account

    def orders(self, *common_names: str, since: int | None = None) -> list[Order]:
        """Return the live orders of these common names and those without a name yet, newest first.

        With `since`, ended orders newer than that id are included.
        """
        if self._ids_by_name is None:
            self._read_lists()
        by_name = self._ids_by_name or {}
        listed_as = {(order_id, name) for name in ("", *common_names) for order_id in by_name.get(name, ())}
        ids = {order_id for order_id, _name in listed_as if order_id}
        if since is not None:
            ids.update(order_id for order_id in self._ended if order_id > since)
        found = [self._listed(order_id, listed_as) for order_id in sorted(ids, reverse=True)]
        without_id = (Unreadable(0, _NO_ID, name, (name,) * bool(name)) for order_id, name in listed_as if not order_id)
        self.unreadable = (*(order for order in found if isinstance(order, Unreadable)), *without_id)
        readable = (order for order in found if isinstance(order, Order))
        return [order for order in readable if canonical(order.common_name) in ("", *common_names)]

    def _listed(self, order_id: int, listed_as: t.Collection[tuple[int, str]]) -> AnyOrder:
        """Return a listed order. One that the API refuses to return, or returns without a name, has its listed name."""
        try:
            order = self._api.any_order(order_id)
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED:
                raise
            order = Unreadable(order_id, error.message)
        listed = tuple(name for number, name in listed_as if number == order_id and name)
        if isinstance(order, Unreadable) and not order.names and listed:
            return dataclasses.replace(order, common_name=listed[0], names=listed)
        return order

    def clear(self) -> None:
        """Discard the lists, so that the next search reads them again."""
        self._ids_by_name, self._max_age = None, 0

    def _read_lists(self) -> None:
        by_name: dict[str, list[int]] = {}
        for status in LISTED_STATUSES:
            for summary in self._api.orders_with_status(status, self._max_age):
                by_name.setdefault(canonical(summary.common_name or ""), []).append(summary.order_id)
        everything = self._api.all_orders(self._max_age)
        self.complete = len(everything) < REACH
        if not self.complete:
            unfiltered = read_list(self._api, "")
            for summary in unfiltered:
                by_name.setdefault(canonical(summary.common_name or ""), []).append(summary.order_id)
            self.complete = _holds_all(unfiltered, everything)
        named = {order_id for ids in by_name.values() for order_id in ids}
        self.newest = max([self.newest, *named, *(summary.order_id for summary in everything)])
        # Any status: an order placed or changed between two list requests may be missing from the lists by status.
        unnamed = [summary for summary in everything if not summary.order_id or summary.order_id not in named]
        live = [summary.order_id for summary in unnamed if not summary.order_id or summary.status not in _ENDED]
        by_name.setdefault("", []).extend(live)
        self._ended = [summary.order_id for summary in unnamed if summary.order_id and summary.status in _ENDED]
        self._ids_by_name = by_name


def canonical(name: str) -> str:
    """Return the vendor's spelling of a name in canonical form."""
    try:
        return names.canonical(name)
    except GogetsslError:
        return name.strip().lower()


def _holds_all(unfiltered: t.Sequence[OrderSummary], paged: t.Sequence[OrderSummary]) -> bool:
    """True if the unfiltered list, which has no paging, contains orders of every status.

    Its limit and its statuses are not documented (API reference 7.4), so the paged list is used as a sample.
    """
    ids = {summary.order_id for summary in unfiltered}
    unlike = [summary for summary in paged if summary.status not in FILTERS]
    return bool(unlike) and all(summary.order_id in ids for summary in paged)


def is_ours(order: AnyOrder, trace: Trace) -> bool:
    """True if the order is for this key, by its CSR or by validations specific to this CSR or code."""
    key = key_of(order)
    if key is not None:
        return key == trace.public_key
    for validation in order.validations:
        name = (validation.file_name or validation.record or "").lower().lstrip("_")
        body = (validation.content or validation.value or "").lower()
        if name.startswith(trace.md5) or (trace.unique_code and trace.unique_code.lower() in body):
            return True
    return False


def _has_ended(order: AnyOrder) -> bool:
    return order.ended if isinstance(order, Unreadable) else order.status.ended


def key_of(order: AnyOrder) -> str | None:
    """Return the public key of an order's newest CSR, if the vendor returns the CSR."""
    request = request_of(order)
    return request.public_key if request else None


def request_of(order: AnyOrder) -> x509.Request | None:
    """Return an order's newest CSR, if the vendor returns it and it can be read."""
    try:
        return x509.read_request(order.csr) if order.csr else None
    except GogetsslError:
        return None


def certificate_of(order: AnyOrder) -> x509.Certificate | None:
    """Return an order's newest certificate, or None if there is no readable one."""
    try:
        return read_issued(order.certificate, "the certificate")[0] if order.certificate else None
    except GogetsslError:
        return None


def trace_of(intent: Intent) -> Trace:
    """Return the values of an intent that identify its order."""
    return Trace(intent.names[0], intent.public_key, intent.md5, intent.unique_code)


def purchase(
    context: Context,
    finder: Finder,
    name: str,
    intent: Intent,
    known: Journal | None,
    send: t.Callable[[], Receipt],
) -> Receipt:
    """Write the intent, buy, and return the receipt. The intent is removed only if the purchase definitely failed.

    A receipt without an amount is for an order that was found after a lost response.
    """
    claim(context, name, intent, known)
    try:
        return send()
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            journal.remove_intent(context.shell, context.params["directory"], name, intent)
            raise
        context.warn(f"{name}: {error.message} Searching for the order first.")
        return settle(context, finder, name, intent, error.message)


def claim(context: Context, name: str, intent: Intent, known: Journal | None) -> None:
    """Write the intent, or fail if another run has an intent or has bought since."""
    if not journal.write_intent(context.shell, context.params["directory"], name, intent, known):
        raise GogetsslError(
            f"{name}: another run is buying this certificate right now; this one bought nothing. Run again later.",
            Kind.REFUSED,
        )


def settle(context: Context, finder: Finder, name: str, intent: Intent, what_happened: str) -> Receipt:
    """Search for the order of a purchase with an unknown outcome until the settle time is over.

    A cancelled or rejected order is a valid outcome unless a live one exists.
    """
    waited, pause = 0.0, _FIRST_SEARCH_AFTER
    limit, begun = context.params["settle_time"], context.now()
    while True:
        finder.clear()
        listed_orders: list[AnyOrder] = [
            *finder.orders(intent.names[0], since=intent.newest),
            *finder.unreadable,
        ]
        matches = [one for one in listed_orders if one.order_id > intent.newest and is_ours(one, trace_of(intent))]
        matches = [one for one in matches if not _has_ended(one)] or matches
        if len(matches) == 1:
            return Receipt(matches[0].order_id, None, None, answered=False)
        if len(matches) > 1:
            listed = ", ".join(str(order.order_id) for order in matches)
            raise GogetsslError(
                f"{name}: orders {listed} were all placed with this key. Set adopt to one of them.", Kind.UNCERTAIN
            )
        if max(waited, context.now() - begun) >= limit:  # a slow API counts as well
            message = _unknown_outcome(name, intent, what_happened, limit)
            raise NotFound(message + _possible_orders(finder.unreadable, intent), Kind.UNCERTAIN)
        pause = min(pause, limit - waited)
        context.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)


def _unknown_outcome(name: str, intent: Intent, what_happened: str, limit: float) -> str:
    return (
        f"{name}: whether {intent.names[0]} was bought is unknown ({what_happened}), and the account shows no such"
        f" order after {limit:g} seconds. Nothing will be bought until an operator decides: run again later, or search"
        " the account and set adopt: ORDER_ID if the order exists, abandon_intent: true if it does not."
    )


def _possible_orders(unreadable: t.Iterable[Unreadable], intent: Intent) -> str:
    """Return a sentence about unreadable orders that may be the intent's, or an empty string."""
    wanted = set(intent.names)
    possible = [
        order
        for order in unreadable
        if (order.order_id == 0 or order.order_id > intent.newest)
        and key_of(order) is None
        and (not order.names or wanted & set(map(canonical, order.names)))
    ]
    listed = " ".join(f"Order {order.order_id or 'without an id'}: {order.reason}" for order in possible)
    return f" It may be one of these, which cannot be read. {listed}" if possible else ""


def unpaid_invoices(api: Api, order_id: int) -> tuple[str, ...]:
    """The numbers of the unpaid invoices of an order."""
    return tuple(number for number, orders in api.orders_of_unpaid_invoices() if order_id in orders)


def unique_code(request: x509.Request, product_id: int, certificate_names: t.Sequence[str]) -> str:
    """Return the DCV random value. It is derived from the request, so that it identifies the order."""
    text = "|".join([request.sha256, str(product_id), *certificate_names])
    return hashlib.sha256(text.encode()).hexdigest()[:20]
