# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buys an LEI or its next term exactly once, whatever fails.

An intent is written before the purchase. After a lost response, the account's newer orders are searched.
An order not found within the settle time is reported; it is never bought again without an operator's decision.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import typing as t

from .._api.orders import Api
from .._core.errors import GogetsslError, Kind, input_error
from .._core.money import money
from .._core.task import Context, Params, Result
from .lei_journal import Entity, LeiJournal, Record
from .lei_orders import LeiOrders, ended

_FIRST_SEARCH_AFTER = 2.0  # seconds
_LONGEST_PAUSE = 15.0
Fields = t.Mapping[str, t.Union[str, int]]


class _NotFound(GogetsslError):
    """The account did not list the order within the settle time. The order may not exist."""


@dataclasses.dataclass
class LeiPurchase:
    """A purchase for one entity. Existing orders are searched first."""

    context: Context
    api: Api
    entity: Entity

    def __post_init__(self) -> None:
        if self.context.state_directory is None:
            raise input_error("gogetssl_lei runs on the controller only, which has the journal of LEIs.")
        self.journal = LeiJournal(os.path.join(self.context.state_directory, "lei"))
        self.orders = LeiOrders(self.context, self.api, self.journal, self.entity)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Lock out other runs of this controller."""
        return contextlib.nullcontext() if self.context.check_mode else self.journal.locked(self.context.sleep)

    def order(self) -> Params | None:
        """Return the entity's newest order, which makes a purchase unnecessary, or None."""
        recorded = self._settled()
        order = self.orders.latest(recorded.order_id if recorded else None)
        if order is not None and ended(order):
            raise self._stop(
                f"order {order['order_id']} was {order['status']}, and nothing is bought again automatically. Once the"
                f" cause is fixed, or if the order is for another entity, add {order['order_id']} to other_orders.",
                Kind.REFUSED,
            )
        return order

    def settle_with(self, order_id: int) -> None:
        """Settle an intent with the order that the operator specified."""
        if self.context.check_mode or self.journal.intent(self.entity) is None:
            return
        with self.locked():
            intent = self.journal.intent(self.entity)  # read again: another run may have settled it and bought since
            if intent is not None and order_id > intent.newest:
                self.journal.write_order(dataclasses.replace(intent, order_id=order_id))

    def drop_intent(self, older_than: float = 0.0) -> None:
        """Remove an intent of at least that age in seconds: the register shows that the purchase succeeded."""
        if self.context.check_mode or self.journal.intent(self.entity) is None:
            return
        with self.locked():
            intent = self.journal.intent(self.entity)  # read again: it may be the intent of a later run
            if intent is not None and self.context.now() - intent.created >= older_than:
                self.journal.remove_intent(self.entity)

    def check_price(self, product_id: int) -> None:
        """Stop if the term costs more than `max_price`, or if its price is not known."""
        limit, years = self.context.params["max_price"], self.context.params["years"]
        if limit is None:
            return
        try:
            rows = self.api.prices(product_id).get(product_id, [])
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED:
                raise
            rows = []  # GoGetSSL has no price list for the product
        price = next((row["price"] for row in rows if row["period"] == 12 * years), None)
        term = f"a term of {years} year{'s' if years > 1 else ''}"
        if price is None:
            raise self._stop(
                f"{term} is due, but its price is not known, so max_price cannot be checked. Correct product_id and"
                " years, or remove max_price.",
                Kind.INPUT,
            )
        if price > limit:
            raise self._stop(
                f"{term} costs {money(price)} before tax, above the limit of {money(limit)}. Raise max_price, in minor"
                " units such as cents, to allow it.",
                Kind.INPUT,
            )

    def buy(self, fields: Fields) -> Result:
        """Buy an LEI."""
        return self._send(lambda: self.api.lei_create(fields))

    def renew(self, order_id: int, fields: Fields) -> Result:
        """Buy the next term of an order's LEI."""
        return self._send(lambda: self.api.lei_renew(order_id, fields))

    def _send(self, send: t.Callable[[], Result]) -> Result:
        """Write the intent, send the purchase once, and record its order. `charged` is None after a lost response."""
        params = self.context.params
        newest = max([self.orders.newest, params["order_id"] or 0, *self._recorded_ids()])
        intent = Record(self.entity, self.context.now(), newest, params["abandon_intent"])
        self.journal.write_intent(intent)
        try:
            receipt = send()
        except GogetsslError as error:
            if error.kind is not Kind.UNCERTAIN:
                self.journal.remove_intent(self.entity)
                raise
            receipt = self._found(intent, error.message)
        else:
            if receipt["order_id"] <= newest or self.orders.foreign(receipt["order_id"]):
                problem = f"GoGetSSL answered the purchase with the older order {receipt['order_id']}"
                receipt = {**receipt, "order_id": self._found(intent, problem)["order_id"]}
        self.journal.write_order(dataclasses.replace(intent, order_id=receipt["order_id"]))
        return receipt

    def _found(self, intent: Record, problem: str) -> Result:
        self.context.warn(f"{self.entity.name}: {problem.rstrip('.')}. Searching for the order first.")
        return {"order_id": self._settle(intent, problem), "charged": None, "currency": None}

    def _recorded_ids(self) -> list[int]:
        return [record.order_id for record in self.journal.orders() if record.order_id and self._of_api(record)]

    def _of_api(self, record: Record) -> bool:
        return record.entity.api == self.entity.api

    def _settled(self) -> Record | None:
        """Return the journal's record after an earlier purchase was settled or abandoned by the operator."""
        context, journal = self.context, self.journal
        intent = journal.intent(self.entity)
        if intent is None:
            return journal.order(self.entity)
        abandon = context.params["abandon_intent"]
        try:
            order_id = self._settle(intent, "the run that placed it ended early")
        except _NotFound:
            if not abandon and intent.flagged and not context.check_mode:
                journal.write_intent(dataclasses.replace(intent, flagged=False))
            if not abandon or intent.flagged:  # a flag set before the purchase does not abandon it
                raise
            if not context.check_mode:
                journal.remove_intent(self.entity)
            return journal.order(self.entity)
        record = dataclasses.replace(intent, order_id=order_id)
        if not context.check_mode:
            journal.write_order(record)
        return record

    def _settle(self, intent: Record, problem: str) -> int:
        """Search for the order of a purchase with an unknown outcome until the settle time is over."""
        limit = 0.0 if self.context.check_mode else float(self.context.params["settle_time"])
        waited, pause = 0.0, _FIRST_SEARCH_AFTER
        while True:
            found = self.orders.made_since(intent.newest)
            if found:
                return self._only(found)
            if waited >= limit or not self.orders.complete:
                raise _NotFound(self._unknown(problem, waited), Kind.UNCERTAIN)
            pause = min(pause, limit - waited)
            self.context.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)

    def _only(self, found: t.Sequence[int]) -> int:
        """Return the only matching order. Orders of several companies at one address are indistinguishable."""
        others = [one for one in self.journal.intents() if one.entity.at(self.entity)]
        same_address = sorted({one.entity.name for one in others if not one.entity.same(self.entity)})
        if len(found) == 1 and not same_address:
            return found[0]
        listed = ", ".join(map(str, sorted(found)))
        why = f", and the purchase for {same_address[0]} at the same address is open too" if same_address else ""
        raise self._stop(
            f"whether an LEI was bought is unknown: it may be order {listed}{why}. Search the account. Set order_id"
            " to the order for this entity, or add orders for other entities to other_orders.",
            Kind.UNCERTAIN,
        )

    def _unknown(self, problem: str, waited: float) -> str:
        return (
            f"{self.entity.name}: whether an LEI was bought is unknown ({problem.rstrip('.')}), and the account shows"
            f" no such order after {waited:g} seconds. Nothing is bought again automatically. Run again later, or"
            " search the account and set order_id if the order exists, abandon_intent: true if it does not."
        )

    def _stop(self, text: str, kind: Kind) -> GogetsslError:
        return GogetsslError(f"{self.entity.name}: {text}", kind)
