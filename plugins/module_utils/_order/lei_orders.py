# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LEI orders of an account. GoGetSSL does not list them, so they are read from invoice lines.

An order's status contains neither the legal name nor the registration. A renewal is identified by its LEI number, an
order of a company by its address and, once it has an LEI, by the register.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._api.lei import ENDED
from .._api.orders import Api
from .._core.errors import GogetsslError, Kind
from .._core.task import Context, Params
from .lei_journal import Entity, LeiJournal

LISTED_DAYS = 364  # the API lists at most 365 days


@dataclasses.dataclass
class LeiOrders:
    """The account's LEI orders of the last year, for one entity."""

    context: Context
    api: Api
    journal: LeiJournal
    entity: Entity
    newest: int = 0  # the largest order id of any product
    complete: bool = True  # False if the account's invoices could not be read

    def latest(self, recorded: int | None) -> Params | None:
        """Return the newest order of the entity, or the recorded one if no other is newer."""
        ids = self._ids(recorded)
        return next((one for one in map(self._read, ids) if one["order_id"] == recorded or self._belongs(one)), None)

    def made_since(self, newest: int) -> list[int]:
        """Return the ids of the entity's orders newer than the given id."""
        return [one for one in self._ids(None) if one > newest and self._belongs(self._read(one))]

    def foreign(self, order_id: int) -> bool:
        """True if the journal records the order for another entity."""
        return any(one.order_id == order_id and not one.entity.same(self.entity) for one in self.journal.orders())

    def _ids(self, recorded: int | None) -> list[int]:
        """Return the candidate orders of the entity, newest first."""
        params = self.context.params
        found = set(self._listed()) | ({recorded} if recorded else set())
        found -= set(params["other_orders"])
        oldest = params["order_id"] or 0  # of a renewal: orders before the renewed one are irrelevant
        return sorted(
            (one for one in found if one > oldest and (one == recorded or not self._taken(one))), reverse=True
        )

    def _taken(self, order_id: int) -> bool:
        return not self.entity.lei_number and self.foreign(order_id)

    def _listed(self) -> list[int]:
        context = self.context
        since = dt.datetime.fromtimestamp(context.now() - LISTED_DAYS * 86400, dt.timezone.utc).date().isoformat()
        try:
            orders, newest = self.api.ordered_since(since, context.params["product_id"])
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED:
                raise
            if self.complete:
                context.warn(
                    f"{self.entity.name}: the account's invoices do not show whether an LEI was ordered before."
                    f" {error.message}"
                )
            self.complete = False
            return []
        self.newest = max(self.newest, newest)
        return orders

    def _read(self, order_id: int) -> Params:
        try:
            return self.api.lei_status(order_id)
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED:
                raise
            raise GogetsslError(
                f"{self.entity.name}: LEI order {order_id} cannot be read: {error.message} If it is not for this"
                " entity, add it to other_orders.",
                Kind.REFUSED,
            ) from None

    def _belongs(self, order: Params) -> bool:
        """True if the order's status and the register match the entity."""
        entity, number = self.entity, order["lei_number"]
        if entity.lei_number:
            return bool(number == entity.lei_number)
        if place_of(order["legal_address"]) != entity.place:
            return False
        rows = self.api.lei_lookup(number) if number else []
        registered = [row for row in rows if row["lei_number"] == number]
        return not registered or find(registered, entity) is not None


def find(rows: t.Sequence[Params], entity: Entity) -> Params | None:
    """Return the register entry with the same jurisdiction and the same registration or legal name."""
    return next((row for row in rows if row["lei_number"] and entity.same(_entity_of(row, entity))), None)


def company(api: str, params: Params) -> Entity:
    """Return the company described by the task's options."""
    return Entity(
        api,
        params["legal_name"] or params["registration_id"],
        jurisdiction=plain(params["jurisdiction"]),
        registration_id=plain(params["registration_id"]),
        legal_name=plain(params["legal_name"]),
        place=place_of(params["legal_address"]),
    )


def ended(order: Params) -> bool:
    """True if the order has ended without an LEI. An expired LEI can still be renewed."""
    return order["status"] in ENDED and not (order["status"] == "expired" and order["lei_number"])


def place_of(address: Params | None) -> tuple[str, ...]:
    """Return the address fields that an order's status contains (API reference 10), for comparison."""
    return tuple(plain((address or {}).get(key)) for key in ("city", "postalcode", "country"))


def plain(text: str | None) -> str:
    """Return the text with case and whitespace normalized."""
    return " ".join((text or "").casefold().split())


def _entity_of(row: Params, like: Entity) -> Entity:
    return dataclasses.replace(
        like,
        jurisdiction=plain(row["jurisdiction"]),
        registration_id=plain(row["registration_id"]),
        legal_name=plain(row["legal_name"]),
    )
