# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's methods for Legal Entity Identifiers (API reference 10).

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from . import _loose
from ._api_base import Base, Fields
from ._errors import GogetsslError, Kind

STATUSES = (
    *("active", "cancelled", "expired", "incomplete", "pending", "processing", "rejected", "revoked", "unpaid"),
    "need_action",
)
ENDED = ("cancelled", "expired", "rejected", "revoked")
_LOOKUP = {
    "leiNumber": "lei_number",
    "entityStatus": "entity_status",
    "leiStatus": "lei_status",
    "legalName": "legal_name",
    "registrationAuthorityEntityId": "registration_id",
    "entityLegalFormCode": "legal_form",
    "legalJurisdiction": "jurisdiction",
}
_PLACE = {
    "Country": "country",
    "State": "region",
    "City": "city",
    "Postal": "postalcode",
    "firstAddressLine": "addressline1",
}


class LeiApi(Base):
    """LEI orders, jurisdictions, lookup."""

    def lei_create(self, fields: Fields) -> dict[str, t.Any]:
        """Buy an LEI."""
        return read_lei_receipt(self._write("/orders/lei/create/", fields))

    def lei_renew(self, order_id: int, fields: Fields) -> dict[str, t.Any]:
        """Buy the next term of an LEI: a new order."""
        return read_lei_receipt(self._write(f"/orders/lei/renew/{order_id}", fields))

    def lei_confirm(self, order_id: int, correct: bool) -> str:
        """Say whether the data the vendor found is correct; gives the order's status then."""
        answer = self._write(f"/lei/confirm/{order_id}", {"confirm": int(correct)})
        return _loose.text(answer.get("order_status"), "order_status").lower()

    def lei_status(self, order_id: int) -> dict[str, t.Any]:
        """How an LEI order is doing."""
        return {"order_id": order_id, **read_lei(self._read("GET", f"/lei/status/{order_id}"))}

    def lei_jurisdictions(self) -> list[dict[str, t.Any]]:
        """Where LEIs can be had, and how fast."""
        listed = self._read("GET", "/lei/jurisdictions/").get("jurisdictions")
        return [
            {field: _loose.word(item.get(field), field) for field in ("code", "group", "notes")}
            for item in _loose.items(listed, "jurisdictions")
        ]

    def lei_lookup(self, query: str) -> list[dict[str, t.Any]]:
        """LEIs by number or legal name."""
        listed = self._read("GET", "/lei/lookup/", {"query": query}).get("result")
        return [read_lei_row(item) for item in _loose.items(listed, "result")]


def read_lei(answer: _loose.Object) -> dict[str, t.Any]:
    """An LEI order; an unknown status is an error and never taken for a pending one."""
    status = _loose.text(answer.get("status"), "status").lower()
    if status not in STATUSES:
        raise _loose.bad("status", status, "a known status")
    number = answer.get("lei_number") or answer.get("le_number")
    return {
        "lei_id": _loose.integer_or_none(answer.get("lei_id"), "lei_id"),
        "status": status,
        "pending": status != "active" and status not in ENDED,
        "product_id": _loose.integer_or_none(answer.get("product_id"), "product_id"),
        "confidence_level": _loose.integer_or_none(answer.get("confidence_level"), "confidence_level"),
        "lei_number": _loose.word(number, "lei_number"),
        "valid_from": _loose.moment(answer.get("valid_from"), "valid_from"),
        "valid_till": _loose.moment(answer.get("valid_till"), "valid_till"),
        "legal_address": _address(_loose.obj(answer.get("legal_address"), "legal_address"), ""),
        "headquarters_address": _address(_loose.obj(answer.get("headquarters_address"), "headquarters_address"), ""),
    }


def read_lei_row(item: _loose.Object) -> dict[str, t.Any]:
    """One LEI of the lookup."""
    return {
        **{word: _loose.word(item.get(key), key) for key, word in _LOOKUP.items()},
        "next_renewal": _loose.iso(item.get("nextRenewalDate"), "nextRenewalDate"),
        "legal_address": _address(item, "legal"),
        "headquarters_address": _address(item, "hq"),
    }


def read_lei_receipt(answer: _loose.Object) -> dict[str, t.Any]:
    """The answer to a purchase; without an order id it leaves open whether there is an order."""
    try:
        order_id = _loose.identifier(answer.get("order_id"), "order_id")
    except GogetsslError:
        raise GogetsslError(
            "GoGetSSL accepted the LEI order but gave no order id; whether an order exists is unknown.",
            Kind.UNCERTAIN,
        ) from None
    try:
        amount = _loose.money(answer.get("order_amount"), "order_amount")
    except GogetsslError:
        amount = None  # the order exists: an odd price must not hide its id
    currency = answer.get("currency")
    return {"order_id": order_id, "charged": amount, "currency": currency if isinstance(currency, str) else None}


def _address(given: _loose.Object, prefix: str) -> dict[str, str | None] | None:
    found = {word: _loose.word(given.get(prefix + key), prefix + key) for key, word in _PLACE.items()}
    return found if any(found.values()) else None
