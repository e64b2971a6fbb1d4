# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LEI orders, from creation to lookup (API reference 10)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.testing import Emulator

from .helpers import Api

_FORM = {
    "productId": 161,
    "legalName": "Example SIA",
    "registrationAuthorityEntityId": "40003000000",
    "legalJurisdiction": "LV",
    "firstName": "John",
    "lastName": "Smith",
    "isLevel2DataAvailable": 0,
    "legalPostal": "LV-1001",
    "legalfirstAddressLine": "Street 1",
    "legalCountry": "LV",
    "legalCity": "Riga",
    "multiYearSupport": 1,
    "transfer": 0,
}


def make_lei(api: Api, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.post("/orders/lei/create/", _FORM | changes)
    assert answer.get("success") is True, answer
    return answer


def test_create_returns_the_misspelt_id_and_is_charged_once(api: Api, emulator: Emulator) -> None:
    order = make_lei(api, multiYearSupport=2)
    assert order["lie_id"] == 35
    assert order["order_amount"] == 138
    assert order["tax"] == "28.98"
    charges = emulator.ledger()["charges"]
    assert [(c["order_id"], c["kind"], c["amount"]) for c in charges] == [(order["order_id"], "buy", 166.98)]


def test_number_has_valid_check_digits(api: Api, emulator: Emulator) -> None:
    order = make_lei(api)
    assert api.get(f"/lei/status/{order['order_id']}")["valid_from"] == "0000-00-00 00:00:00"
    emulator.advance(seconds=2)
    number = api.get(f"/lei/status/{order['order_id']}")["lei_number"]
    assert int("".join(str(int(sign, 36)) for sign in number)) % 97 == 1


def test_confirmation(api: Api, emulator: Emulator) -> None:
    emulator.set(lei_need_action=True)
    refused, confirmed = make_lei(api)["order_id"], make_lei(api)["order_id"]
    emulator.advance(seconds=2)
    assert api.get(f"/lei/status/{refused}")["status"] == "need_action"
    assert api.post(f"/lei/confirm/{refused}", {"confirm": 0}) == {"order_status": "rejected", "success": True}
    assert api.post(f"/lei/confirm/{confirmed}", {"confirm": 1})["order_status"] == "processing"
    emulator.advance(seconds=2)
    assert api.get(f"/lei/status/{confirmed}")["status"] == "active"


def test_renewal_and_lookup(api: Api, emulator: Emulator) -> None:
    first = make_lei(api)
    emulator.advance(seconds=2)
    number = api.get(f"/lei/status/{first['order_id']}")["lei_number"]
    again = api.post(f"/orders/lei/renew/{first['order_id']}", {"isLevel1DataSame": 1})
    assert again["lei_number"] == number
    assert again["order_id"] != first["order_id"]
    rows = api.get("/lei/lookup/", query="example")["result"]
    assert {row["leiNumber"] for row in rows} == {number}
    assert rows[0]["legalCity"] == "Riga"


@pytest.mark.parametrize("missing", ["legalName", "transfer"])
def test_missing_field(api: Api, missing: str) -> None:
    answer = api.post("/orders/lei/create/", {k: v for k, v in _FORM.items() if k != missing})
    assert answer["error"] is True
    assert missing in answer["description"]


def test_jurisdictions(api: Api) -> None:
    rows = api.get("/lei/jurisdictions/")["jurisdictions"]
    assert {row["group"] for row in rows} == {"A", "B", "C"}


def test_prices_are_listed_by_months_or_not_at_all(api: Api, emulator: Emulator) -> None:
    rows = api.get("/products/price/161")["product_price"]
    assert [(row["period"], row["price"]) for row in rows[:2]] == [(12, "69.00"), (24, "138.00")]
    emulator.set(lei_price="unlisted")
    assert api.get("/products/price/161")["error"] is True
