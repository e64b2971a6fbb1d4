# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _lei, _lei_info
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError, Kind
from tests.unit.scripted import Call, Time, call, run, scripted

ENTITY = {
    "legal_name": "Example SIA",
    "registration_id": "40003000000",
    "jurisdiction": "LV",
    "firstname": "Ada",
    "lastname": "Lovelace",
    "legal_address": {"addressline1": "Street 1", "city": "Riga", "postalcode": "LV-1001", "country": "LV"},
}
ROW = {
    "leiNumber": "984500X",
    "legalName": "EXAMPLE  sia",
    "registrationAuthorityEntityId": "x",
    "legalJurisdiction": "LV",
    "legalCity": "Riga",
}
PLACES = call("GET", "/lei/jurisdictions/", {"success": True, "jurisdictions": [{"code": "LV", "group": "A"}]})
RECEIPT = {"order_id": 9, "order_amount": 69, "currency": "EUR", "success": True}
CREATE = "/orders/lei/create/"
NONE_OPEN = call("GET", "/invoice/", {"invoices": [], "success": True})


def lookup(*rows: dict[str, Any], query: str = "Example SIA") -> Call:
    return call("GET", "/lei/lookup/", {"result": list(rows), "success": True}, fields={"query": query})


def status(word: str, order_id: int = 9, **changes: Any) -> Call:
    answer = {"lei_id": "35", "status": word, "valid_till": "0000-00-00 00:00:00", "success": True}
    return call("GET", f"/lei/status/{order_id}", {**answer, **changes})


def lei(**options: Any) -> dict[str, Any]:
    return run(_lei.TASK, **options)


def days(number: int) -> str:
    return str((dt.datetime.fromtimestamp(Time().now(), dt.timezone.utc) + dt.timedelta(days=number)).date())


def test_an_lei_is_bought_once_the_register_lacks_the_entity() -> None:
    with scripted(lookup(), NONE_OPEN, PLACES, call("POST", CREATE, RECEIPT), status("processing")) as requests:
        result = lei(**ENTITY, headquarters_address={"city": "Ogre"})
    assert (result["changed"], result["order_id"], result["charged"]) == (True, 9, 6900)
    assert (result["order"]["pending"], result["order"]["valid_till"]) == (True, None)
    sent = requests[3].fields
    assert (sent["legalfirstAddressLine"], sent["hqCity"], sent["transfer"]) == ("Street 1", "Ogre", "0")
    assert sent["registrationAuthorityEntityId"] == "40003000000"


@pytest.mark.parametrize(
    ("changes", "bought"),
    [
        ({}, False),
        ({"legalName": "Other", "registrationAuthorityEntityId": "40003000000"}, False),
        ({"legalJurisdiction": "DE"}, True),
        ({"legalName": "Example SIA Holding"}, True),
        ({"leiNumber": ""}, True),
    ],
)
def test_an_entity_that_has_an_lei_gets_no_other(changes: dict[str, Any], bought: bool) -> None:
    more = (NONE_OPEN, PLACES) if bought else ()
    with scripted(lookup({**ROW, **changes}), *more):
        assert lei(**ENTITY, check_mode=True)["changed"] is bought


def test_a_lost_answer_is_reported_and_nothing_is_sent_again() -> None:
    with scripted(lookup(), NONE_OPEN, PLACES, call("POST", CREATE, b"")), pytest.raises(GogetsslError) as caught:
        lei(**ENTITY)
    assert caught.value.kind is Kind.UNCERTAIN
    assert "Nothing was bought a second time" in caught.value.message


def test_an_answer_without_an_order_id_is_uncertain() -> None:
    with (
        scripted(lookup(), NONE_OPEN, PLACES, call("POST", CREATE, {"success": True})),
        pytest.raises(GogetsslError) as caught,
    ):
        lei(**ENTITY)
    assert caught.value.kind is Kind.UNCERTAIN


def invoice(order_id: int, product_id: int = 161) -> Call:
    line = {"order_id": order_id, "product_id": product_id}
    return call("GET", "/invoice/", {"invoices": [{"id": 1, "items": [line]}], "success": True})


@pytest.mark.parametrize(
    ("word", "place", "bought"),
    [
        ("processing", {"City": "RIGA ", "Country": "lv", "Postal": "LV-1001"}, False),
        ("need_action", {"City": "Riga", "Country": "LV", "Postal": "LV-1001"}, False),
        ("processing", {"City": "Ogre", "Country": "LV", "Postal": "LV-1001"}, True),
        ("rejected", {"City": "Riga", "Country": "LV", "Postal": "LV-1001"}, True),
    ],
)
def test_an_order_in_work_at_the_same_address_is_the_entitys_own(word: str, place: Any, bought: bool) -> None:
    more = (PLACES,) if bought else ()
    with scripted(lookup(), invoice(9), status(word, legal_address=place), *more):
        assert lei(**ENTITY, check_mode=True)["changed"] is bought


def test_orders_of_other_products_and_others_entities_are_not_asked_for() -> None:
    with scripted(lookup(), invoice(9, product_id=66), PLACES):
        assert lei(**ENTITY, check_mode=True)["changed"] is True
    with scripted(lookup(), invoice(9), PLACES):
        assert lei(**ENTITY, other_orders=[9], check_mode=True)["changed"] is True


def test_an_account_without_that_list_of_invoices() -> None:
    refused = call("GET", "/invoice/", {"error": True, "message": "The requested method is unknown"}, status=404)
    with scripted(lookup(), refused, PLACES):
        result = lei(**ENTITY, check_mode=True)
    assert result["changed"] is True
    assert "cannot be seen" in result["_warnings"][0]


def test_an_order_that_cannot_be_read_yet_keeps_its_id() -> None:
    with scripted(lookup(), NONE_OPEN, PLACES, call("POST", CREATE, RECEIPT), call("GET", "/lei/status/9", b"oops")):
        result = lei(**ENTITY)
    assert (result["order_id"], result["order"]) == (9, None)


def test_an_order_of_an_earlier_run_is_enough() -> None:
    with scripted(status("processing")):
        assert lei(order_id=9)["changed"] is False


@pytest.mark.parametrize(
    "options", [{}, {**ENTITY, "lastname": None}, {"state": "renewed"}, {"state": "confirmed"}], ids=str
)
def test_what_is_missing_is_asked_for_before_anything_else(options: dict[str, Any]) -> None:
    with scripted(), pytest.raises(GogetsslError) as caught:
        lei(**options)
    assert caught.value.kind is Kind.INPUT


def test_a_jurisdiction_without_leis() -> None:
    with scripted(lookup(), NONE_OPEN, PLACES), pytest.raises(GogetsslError, match="'XX'"):
        lei(**{**ENTITY, "jurisdiction": "XX"})


@pytest.mark.parametrize(
    ("word", "end", "registered", "changed"),
    [
        ("active", 30, None, True),
        ("active", 61, None, False),
        ("active", 30, 395, False),  # a renewal that was bought before
        ("expired", -3, None, True),
    ],
)
def test_renewing_when_it_is_time(word: str, end: int, registered: int | None, changed: bool) -> None:
    row = {**ROW, "nextRenewalDate": days(registered) if registered else "0000-00-00"}
    calls = [status(word, lei_number="984500X", valid_till=days(end) + " 10:00:00"), lookup(row, query="984500X")]
    if changed:
        renewal = call("POST", "/orders/lei/renew/9", {**RECEIPT, "order_id": 10}, fields=None)
        calls += [NONE_OPEN, renewal, status("processing", 10)]
    with scripted(*calls):
        result = lei(state="renewed", order_id=9)
    assert (result["changed"], result["order_id"]) == (changed, 10 if changed else 9)


@pytest.mark.parametrize("word", ["processing", "cancelled", "rejected"])
def test_what_is_not_active_is_not_renewed(word: str) -> None:
    with scripted(status(word)):
        assert lei(state="renewed", order_id=9)["changed"] is False


@pytest.mark.parametrize(("state", "sent"), [("confirmed", "1"), ("rejected", "0")])
def test_confirming(state: str, sent: str) -> None:
    confirm = call("POST", "/lei/confirm/9", {"order_status": "processing", "success": True}, fields={"confirm": sent})
    with scripted(status("need_action"), confirm, status("processing")):
        assert lei(state=state, order_id=9)["changed"] is True
    with scripted(status("need_action"), call("POST", "/lei/confirm/9", b""), status("processing"), status("active")):
        assert lei(state=state, order_id=9)["changed"] is True
    with scripted(status("active")):
        assert lei(state=state, order_id=9)["changed"] is False


def test_looking() -> None:
    with scripted(status("active", valid_from="2026-11-23 10:00:00"), lookup(ROW, query="x"), PLACES):
        result = run(_lei_info.TASK, order_ids=[9], query="x", jurisdictions=True)
    assert result["orders"][0]["valid_from"] == "2026-11-23T10:00:00Z"
    assert result["found"][0]["legal_address"]["city"] == "Riga"
    assert result["jurisdictions"] == [{"code": "LV", "group": "A", "notes": None}]


def test_an_unknown_status_is_an_error() -> None:
    with scripted(status("limbo")), pytest.raises(GogetsslError, match="limbo"):
        run(_lei_info.TASK, order_ids=[9])
