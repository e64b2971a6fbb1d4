# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exactly one purchase, whatever fails.

The vendor's API has no idempotency key; the public key in the CSR serves as ours. Before money is spent an intent is
written down on the host, exclusively. If the vendor's answer is lost, the order is looked for by that key; if it is not
found within the settle time, the intent stays and a person is told: nothing is ever bought a second time on a guess.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from . import _journal, _x509
from ._api import FILTERS, LISTED_STATUSES, Api
from ._errors import GogetsslError, Kind
from ._journal import Intent, Journal
from ._models import Order, OrderSummary, Receipt
from ._order_list import REACH, listed
from ._task import Context

# Statuses that the lists by name cover (API reference 7.4) or that hold nothing worth finding.
_NOT_WORTH_A_CALL = frozenset({*LISTED_STATUSES, "cancelled", "expired", "rejected", "revoked"})
_FIRST_LOOK_AFTER = 2.0  # seconds; the vendor's lists trail its orders a little (API reference 12)
_LONGEST_PAUSE = 15.0


@dataclasses.dataclass(frozen=True)
class Trace:
    """By what an order can be told to be ours."""

    common_name: str
    public_key: str
    md5: str
    unique_code: str


class Finder:
    """Looks for orders by common name. The account's lists are read once and shared by a host's certificates."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ids_by_name: dict[str, list[int]] | None = None
        self._nameless: list[int] = []
        self.complete = True  # no live order of the account can have been out of sight

    def orders(self, *common_names: str) -> list[Order]:
        """All orders of these common names that may still matter, newest first."""
        if self._ids_by_name is None:
            self._read_lists()
        listed_ids = [self._ids_by_name.get(name, []) for name in common_names] if self._ids_by_name else []
        ids = {*self._nameless, *(order_id for ids in listed_ids for order_id in ids)}
        found = [self._api.order(order_id) for order_id in sorted(ids, reverse=True)]
        return [order for order in found if order.common_name in common_names]

    def forget(self) -> None:
        """Read the lists anew at the next look."""
        self._ids_by_name = None

    def _read_lists(self) -> None:
        by_name: dict[str, list[int]] = {}
        for status in LISTED_STATUSES:
            for summary in self._api.orders_with_status(status):
                by_name.setdefault(summary.common_name or "", []).append(summary.order_id)
        everything = self._api.all_orders()
        self.complete = len(everything) < REACH
        if not self.complete:
            unfiltered = listed(self._api, "")
            for summary in unfiltered:
                by_name.setdefault(summary.common_name or "", []).append(summary.order_id)
            self.complete = _holds_all(unfiltered, everything)
        named = {order_id for ids in by_name.values() for order_id in ids}
        self._nameless = [
            summary.order_id
            for summary in everything
            if summary.status not in _NOT_WORTH_A_CALL and summary.order_id not in named
        ]
        self._nameless += by_name.pop("", [])
        self._ids_by_name = by_name


def _holds_all(unfiltered: t.Sequence[OrderSummary], paged: t.Sequence[OrderSummary]) -> bool:
    """True if the list without a filter, which has no paging, is seen to hold orders of every status.

    Neither its limit nor its statuses are documented (API reference 7.4): what the paged list reaches is the sample.
    """
    ids = {summary.order_id for summary in unfiltered}
    unlike = [summary for summary in paged if summary.status not in FILTERS]
    return bool(unlike) and all(summary.order_id in ids for summary in paged)


def is_ours(order: Order, trace: Trace) -> bool:
    """True if the order was placed for this key: told by its CSR, or by proofs that only this CSR or code can have."""
    key = key_of(order)
    if key is not None:
        return key == trace.public_key
    for proof in order.proofs:
        name = (proof.file_name or proof.record or "").lower().lstrip("_")
        body = (proof.content or proof.value or "").lower()
        if name.startswith(trace.md5) or (trace.unique_code and trace.unique_code.lower() in body):
            return True
    return False


def key_of(order: Order) -> str | None:
    """The public key an order's newest CSR was made for, if the vendor shows the CSR."""
    try:
        return _x509.read_request(order.csr).public_key if order.csr else None
    except GogetsslError:
        return None


def certificate_of(order: Order) -> _x509.Certificate | None:
    """An order's newest certificate, if there is one that can be read."""
    try:
        return _x509.read_certificate(order.certificate) if order.certificate else None
    except GogetsslError:
        return None


def trace_of(intent: Intent) -> Trace:
    """What an intent leaves to find its order by."""
    return Trace(intent.names[0], intent.public_key, intent.md5, intent.unique_code)


def purchase(
    context: Context,
    finder: Finder,
    name: str,
    intent: Intent,
    known: Journal | None,
    send: t.Callable[[], Receipt],
) -> Receipt:
    """Write the intent, buy, and return the receipt; the intent is removed only if certainly nothing was bought.

    A receipt without an amount stands for an order that was found again after its answer had been lost.
    """
    claim(context, name, intent, known)
    try:
        return send()
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            _journal.forget(context.shell, context.params["directory"], name)
            raise
        context.warn(f"{name}: {error.message} Looking for the order before anything else.")
        return settle(context, finder, name, intent, error.message)


def claim(context: Context, name: str, intent: Intent, known: Journal | None) -> None:
    """Write the intent, or stop if another run has one or has bought meanwhile."""
    if not _journal.begin(context.shell, context.params["directory"], name, intent, known):
        raise GogetsslError(
            f"{name}: another run is buying this certificate right now; this one bought nothing. Run again later.",
            Kind.REFUSED,
        )


def settle(context: Context, finder: Finder, name: str, intent: Intent, what_happened: str) -> Receipt:
    """Find the order of a purchase whose outcome is unknown, for as long as the vendor may take to list it."""
    waited, pause = 0.0, _FIRST_LOOK_AFTER
    limit = context.params["settle_time"]
    while True:
        finder.forget()
        matches = [order for order in finder.orders(intent.names[0]) if is_ours(order, trace_of(intent))]
        if len(matches) == 1:
            return Receipt(matches[0].order_id, None, None)
        if len(matches) > 1:
            listed = ", ".join(str(order.order_id) for order in matches)
            raise GogetsslError(
                f"{name}: orders {listed} were all placed with this key; say which to use with adopt.", Kind.UNCERTAIN
            )
        if waited >= limit:
            raise GogetsslError(_unknown_outcome(name, intent, what_happened, limit), Kind.UNCERTAIN)
        pause = min(pause, limit - waited)
        context.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)


def _unknown_outcome(name: str, intent: Intent, what_happened: str, limit: float) -> str:
    return (
        f"{name}: whether {intent.names[0]} was bought is unknown ({what_happened}), and the account shows no such"
        f" order after {limit:g} seconds. Nothing will be bought until a person decides: run again later, or look"
        " into the account and set adopt: ORDER_ID if the order is there, abandon_intent: true if it is not."
    )


def unique_code(request: _x509.Request, product_id: int, names: t.Sequence[str]) -> str:
    """The random value of the proofs, derived from what is bought so that the order can be told by it."""
    text = "|".join([request.sha256, str(product_id), *names])
    return hashlib.sha256(text.encode()).hexdigest()[:20]
