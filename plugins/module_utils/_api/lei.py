# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's methods for Legal Entity Identifiers (API reference 10)."""

from __future__ import annotations

import typing as t

from .._core.errors import GogetsslError, Kind
from . import values
from .base import Base, Fields

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
        """Buy the next term of an LEI, which is a new order."""
        return read_lei_receipt(self._write(f"/orders/lei/renew/{order_id}", fields))

    def lei_confirm(self, order_id: int, correct: bool) -> str:
        """Confirm or reject the data that the vendor found. Return the order's new status."""
        answer = self._write(f"/lei/confirm/{order_id}", {"confirm": int(correct)})
        return values.text(answer.get("order_status"), "order_status").lower()

    def lei_status(self, order_id: int) -> dict[str, t.Any]:
        """Return the status of an LEI order."""
        return {"order_id": order_id, **read_lei(self._read("GET", f"/lei/status/{order_id}"))}

    def lei_jurisdictions(self) -> list[dict[str, t.Any]]:
        """Return the jurisdictions of LEIs and their processing times."""
        listed = self._read("GET", "/lei/jurisdictions/").get("jurisdictions")
        return [
            {field: values.word(item.get(field), field) for field in ("code", "group", "notes")}
            for item in values.items(listed, "jurisdictions")
        ]

    def lei_lookup(self, query: str) -> list[dict[str, t.Any]]:
        """Search LEIs by number or legal name."""
        listed = self._read("GET", "/lei/lookup/", {"query": query}).get("result")
        return [read_lei_row(item) for item in values.items(listed, "result")]


def read_lei(answer: values.Object) -> dict[str, t.Any]:
    """Read an LEI order. An unknown status raises an error; it must not count as pending."""
    status = values.text(answer.get("status"), "status").lower()
    if status not in STATUSES:
        raise values.bad("status", status, "a known status")
    number = answer.get("lei_number") or answer.get("le_number")
    return {
        "lei_id": values.integer_or_none(answer.get("lei_id"), "lei_id"),
        "status": status,
        "pending": status != "active" and status not in ENDED,
        "product_id": values.integer_or_none(answer.get("product_id"), "product_id"),
        "confidence_level": values.integer_or_none(answer.get("confidence_level"), "confidence_level"),
        "lei_number": values.word(number, "lei_number"),
        "valid_from": values.moment(answer.get("valid_from"), "valid_from"),
        "valid_till": values.moment(answer.get("valid_till"), "valid_till"),
        "legal_address": _address(values.obj(answer.get("legal_address"), "legal_address"), ""),
        "headquarters_address": _address(values.obj(answer.get("headquarters_address"), "headquarters_address"), ""),
    }


def read_lei_row(item: values.Object) -> dict[str, t.Any]:
    """Read one LEI of a search."""
    return {
        **{word: values.word(item.get(key), key) for key, word in _LOOKUP.items()},
        "next_renewal": values.iso(item.get("nextRenewalDate"), "nextRenewalDate"),
        "legal_address": _address(item, "legal"),
        "headquarters_address": _address(item, "hq"),
    }


def read_lei_receipt(answer: values.Object) -> dict[str, t.Any]:
    """Read the response to a purchase. Without an order id, it is unknown whether an order exists."""
    try:
        order_id = values.identifier(answer.get("order_id"), "order_id")
    except GogetsslError:
        raise GogetsslError(
            "GoGetSSL accepted the LEI order but returned no order id; whether an order exists is unknown.",
            Kind.UNCERTAIN,
        ) from None
    try:
        amount = values.money(answer.get("order_amount"), "order_amount")
    except GogetsslError:
        amount = None  # the order exists: an unreadable price must not hide its id
    currency = answer.get("currency")
    return {"order_id": order_id, "charged": amount, "currency": currency if isinstance(currency, str) else None}


def _address(given: values.Object, prefix: str) -> dict[str, str | None] | None:
    found = {word: values.word(given.get(prefix + key), prefix + key) for key, word in _PLACE.items()}
    return found if any(found.values()) else None
