# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import lei as _lei
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import lei_info
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
ADDRESSES = call("GET", "/lei/jurisdictions/", {"success": True, "jurisdictions": [{"code": "LV", "group": "A"}]})
RECEIPT = {"order_id": 9, "order_amount": 69, "currency": "EUR", "success": True}
CREATE = "/orders/lei/create/"
NONE_OPEN = call("GET", "/invoice/", {"invoices": [], "success": True})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal of each test is its own."""
    monkeypatch.setattr("tests.unit.scripted.state_directory", str(tmp_path))


def lookup(*rows: dict[str, Any], query: str = "Example SIA") -> Call:
    return call("GET", "/lei/lookup/", {"result": list(rows), "success": True}, fields={"query": query})


UNREGISTERED = (lookup(), lookup())  # before the lock, and again once no other run can buy


def status(status_text: str, order_id: int = 9, **changes: Any) -> Call:
    answer = {"lei_id": "35", "status": status_text, "valid_till": "0000-00-00 00:00:00", "success": True}
    return call("GET", f"/lei/status/{order_id}", {**answer, **changes})


def lei(**options: Any) -> dict[str, Any]:
    return run(_lei.TASK, **options)


def days(number: int) -> str:
    return str((dt.datetime.fromtimestamp(Time().now(), dt.timezone.utc) + dt.timedelta(days=number)).date())


def test_an_lei_is_bought_if_the_register_lacks_the_entity() -> None:
    with scripted(*UNREGISTERED, NONE_OPEN, ADDRESSES, call("POST", CREATE, RECEIPT), status("processing")) as requests:
        result = lei(**ENTITY, headquarters_address={"city": "Ogre"})
    assert (result["changed"], result["order_id"], result["charged"]) == (True, 9, 6900)
    assert (result["order"]["pending"], result["order"]["valid_till"]) == (True, None)
    sent = requests[4].fields
    assert (sent["legalfirstAddressLine"], sent["hqCity"], sent["transfer"]) == ("Street 1", "Ogre", "0")
    assert sent["registrationAuthorityEntityId"] == "40003000000"


@pytest.mark.parametrize(
    ("changes", "purchased"),
    [
        ({}, False),
        ({"legalName": "Other", "registrationAuthorityEntityId": "40003000000"}, False),
        ({"legalJurisdiction": "DE"}, True),
        ({"legalName": "Example SIA Holding"}, True),
        ({"leiNumber": ""}, True),
    ],
)
def test_an_entity_with_an_lei_gets_no_other(changes: dict[str, Any], purchased: bool) -> None:
    more = (NONE_OPEN, ADDRESSES) if purchased else ()
    with scripted(lookup({**ROW, **changes}), *more):
        assert lei(**ENTITY, check_mode=True)["changed"] is purchased


def test_the_register_is_queried_again_when_no_other_run_can_buy() -> None:
    """Another run bought the LEI meanwhile, lost the response, and a third one removed its intent."""
    with scripted(lookup(), lookup(ROW)):
        result = lei(**ENTITY)
    assert (result["changed"], result["lei"]["lei_number"]) == (False, "984500X")


@pytest.mark.parametrize("answer", [b"", {"success": True}, {"success": True, "order_id": "9a"}], ids=str)
def test_an_unknown_outcome_is_reported_and_not_repeated(answer: Any) -> None:
    with (
        scripted(*UNREGISTERED, NONE_OPEN, ADDRESSES, call("POST", CREATE, answer), *[NONE_OPEN] * 8),
        pytest.raises(GogetsslError, match="no such order after 60 seconds") as caught,
    ):
        lei(**ENTITY)
    assert caught.value.kind is Kind.UNCERTAIN
    with scripted(*UNREGISTERED, NONE_OPEN), pytest.raises(GogetsslError, match="the run that placed it ended early"):
        lei(**ENTITY, settle_time=0)


def test_a_refused_purchase_leaves_no_intent() -> None:
    refused = call("POST", CREATE, {"error": True, "message": "Not enough balance"})
    for _run in range(2):
        with (
            scripted(*UNREGISTERED, NONE_OPEN, ADDRESSES, refused),
            pytest.raises(GogetsslError, match="balance") as caught,
        ):
            lei(**ENTITY)
        assert caught.value.kind is Kind.REFUSED


def test_an_order_older_than_the_purchase_is_not_believed() -> None:
    with scripted(
        *UNREGISTERED,
        invoice(12, product_id=66),
        ADDRESSES,
        call("POST", CREATE, RECEIPT),
        invoice(13),
        status("processing", 13, legal_address={"City": "Riga", "Country": "LV", "Postal": "LV-1001"}),
        status("processing", 13),
    ):
        result = lei(**ENTITY)
    assert (result["order_id"], result["charged"]) == (13, 6900)
    assert "the older order 9" in result["_warnings"][0]


def invoice(order_id: int, product_id: int = 161) -> Call:
    line = {"order_id": order_id, "product_id": product_id}
    return call("GET", "/invoice/", {"invoices": [{"id": 1, "items": [line]}], "success": True})


@pytest.mark.parametrize(
    ("status_text", "address", "purchased"),
    [
        ("processing", {"City": "RIGA ", "Country": "lv", "Postal": "LV-1001"}, False),
        ("need_action", {"City": "Riga", "Country": "LV", "Postal": "LV-1001"}, False),
        ("processing", {"City": "Ogre", "Country": "LV", "Postal": "LV-1001"}, True),
    ],
)
def test_a_pending_order_with_the_same_address_belongs_to_the_entity(
    status_text: str, address: Any, purchased: bool
) -> None:
    more = (ADDRESSES,) if purchased else ()
    with scripted(lookup(), invoice(9), status(status_text, legal_address=address), *more):
        assert lei(**ENTITY, check_mode=True)["changed"] is purchased


def test_an_order_that_cannot_be_read_is_named() -> None:
    refused = call("GET", "/lei/status/9", {"error": True, "message": "Not found"})
    with scripted(lookup(), invoice(9), refused), pytest.raises(GogetsslError, match=r"order 9 .* other_orders"):
        lei(**ENTITY, check_mode=True)


def test_orders_of_other_products_and_entities_are_not_read() -> None:
    with scripted(lookup(), invoice(9, product_id=66), ADDRESSES):
        assert lei(**ENTITY, check_mode=True)["changed"] is True
    with scripted(lookup(), invoice(9), ADDRESSES):
        assert lei(**ENTITY, other_orders=[9], check_mode=True)["changed"] is True


def test_an_account_without_that_list_of_invoices() -> None:
    refused = call("GET", "/invoice/", {"error": True, "message": "The requested method is unknown"}, status=404)
    with scripted(lookup(), refused, ADDRESSES):
        result = lei(**ENTITY, check_mode=True)
    assert result["changed"] is True
    assert "do not show" in result["_warnings"][0]


def test_an_unreadable_new_order_keeps_its_id() -> None:
    with scripted(
        *UNREGISTERED, NONE_OPEN, ADDRESSES, call("POST", CREATE, RECEIPT), call("GET", "/lei/status/9", b"oops")
    ):
        result = lei(**ENTITY)
    assert (result["order_id"], result["order"]) == (9, None)


def test_an_order_of_an_earlier_run_is_enough() -> None:
    with scripted(status("processing")):
        assert lei(order_id=9)["changed"] is False


@pytest.mark.parametrize(
    "options", [{}, {**ENTITY, "lastname": None}, {"state": "renewed"}, {"state": "confirmed"}], ids=str
)
def test_missing_options_fail_before_any_call(options: dict[str, Any]) -> None:
    with scripted(), pytest.raises(GogetsslError) as caught:
        lei(**options)
    assert caught.value.kind is Kind.INPUT


def test_a_jurisdiction_without_leis() -> None:
    with scripted(*UNREGISTERED, NONE_OPEN, ADDRESSES), pytest.raises(GogetsslError, match="'XX'"):
        lei(**{**ENTITY, "jurisdiction": "XX"})


@pytest.mark.parametrize(
    ("status_text", "end", "registered", "changed"),
    [
        ("active", 30, None, True),
        ("active", 61, None, False),
        ("active", 30, 395, False),  # a renewal that was bought before
        ("expired", -3, None, True),
    ],
)
def test_renewal_when_due(status_text: str, end: int, registered: int | None, changed: bool) -> None:
    row = {**ROW, "nextRenewalDate": days(registered) if registered else "0000-00-00"}
    calls = [
        status(status_text, lei_number="984500X", valid_till=days(end) + " 10:00:00"),
        lookup(row, query="984500X"),
    ]
    if changed:
        renewal = call("POST", "/orders/lei/renew/9", {**RECEIPT, "order_id": 10}, fields=None)
        calls += [NONE_OPEN, renewal, status("processing", 10)]
    with scripted(*calls):
        result = lei(state="renewed", order_id=9)
    assert (result["changed"], result["order_id"]) == (changed, 10 if changed else 9)


@pytest.mark.parametrize("status_text", ["processing", "cancelled", "rejected"])
def test_only_active_orders_are_renewed(status_text: str) -> None:
    with scripted(status(status_text)):
        assert lei(state="renewed", order_id=9)["changed"] is False


@pytest.mark.parametrize(("state", "sent"), [("confirmed", "1"), ("rejected", "0")])
def test_confirmation(state: str, sent: str) -> None:
    confirm = call("POST", "/lei/confirm/9", {"order_status": "processing", "success": True}, fields={"confirm": sent})
    with scripted(status("need_action"), confirm, status("processing")):
        assert lei(state=state, order_id=9)["changed"] is True
    with scripted(status("need_action"), call("POST", "/lei/confirm/9", b""), status("processing"), status("active")):
        assert lei(state=state, order_id=9)["changed"] is True
    with scripted(status("active")):
        assert lei(state=state, order_id=9)["changed"] is False


def test_lookup() -> None:
    with scripted(status("active", valid_from="2026-11-23 10:00:00"), lookup(ROW, query="x"), ADDRESSES):
        result = run(lei_info.TASK, order_ids=[9], query="x", jurisdictions=True)
    assert result["orders"][0]["valid_from"] == "2026-11-23T10:00:00Z"
    assert result["entities"][0]["legal_address"]["city"] == "Riga"
    assert result["jurisdictions"] == [{"code": "LV", "group": "A", "notes": None}]


def test_an_unknown_status_is_an_error() -> None:
    with scripted(status("limbo")), pytest.raises(GogetsslError, match="limbo"):
        run(lei_info.TASK, order_ids=[9])


def prices(*rows: tuple[int, str]) -> Call:
    listed = [{"id": 161, "period": period, "price": price} for period, price in rows]
    return call("GET", "/products/price/161", {"product_price": listed, "success": True})


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (prices((12, "69.00"), (24, "138.00")), "a term of 2 years costs 138.00 before tax, above the limit of 137.99"),
        (prices((12, "69.00")), "its price is not known, so max_price cannot be checked"),
        (call("GET", "/products/price/161", {"error": True, "message": "Wrong product_id"}), "its price is not known"),
    ],
)
def test_a_term_above_the_limit_is_not_bought(answer: Call, problem: str, check_mode: bool) -> None:
    ended = status("active", valid_till=f"{days(10)} 00:00:00", lei_number="984500X", product_id=161)
    for calls, options in (
        ([*UNREGISTERED[check_mode:], NONE_OPEN, ADDRESSES], ENTITY),
        ([ended, lookup(query="984500X"), NONE_OPEN], {"state": "renewed", "order_id": 9}),
    ):
        with scripted(*calls, answer), pytest.raises(GogetsslError, match=problem):
            lei(**options, years=2, max_price=13799, check_mode=check_mode)


def test_a_term_within_the_limit_is_bought() -> None:
    price, bought = prices((12, "69.00")), call("POST", CREATE, RECEIPT)
    with scripted(*UNREGISTERED, NONE_OPEN, ADDRESSES, price, bought, status("processing")):
        assert lei(**ENTITY, max_price=6900)["charged"] == 6900


def test_an_odd_invoice_of_another_product_does_not_matter() -> None:
    odd = {"id": [], "date": "soon", "items": [{"order_id": "x1", "product_id": 68, "subtotal": "free"}]}
    listed = call("GET", "/invoice/", {"invoices": [odd], "success": True})
    with scripted(lookup(), listed, ADDRESSES):
        assert lei(**ENTITY, check_mode=True)["changed"]
    ours = call("GET", "/invoice/", {"invoices": [{"items": [{"order_id": "x1", "product_id": 161}]}], "success": True})
    with scripted(lookup(), ours), pytest.raises(GogetsslError, match="'x1' in 'order_id'"):
        lei(**ENTITY, check_mode=True)
