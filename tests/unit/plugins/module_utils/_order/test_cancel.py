# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import order
from tests.unit.scripted import URL, Call, call, order_answer, run, scripted

CANCEL = "/orders/cancel_ssl_order/"
DONE = call("POST", CANCEL, {"message": "ok", "success": True}, fields={"order_id": "7", "reason": "wrong name"})
ALREADY = call("POST", CANCEL, {"error": True, "message": "Order already in cancelled state"})
LOST = call("POST", CANCEL, b"")
DETAILS = {"product_id": 45, "product_name": "X", "product_type": "DV", "product_brand": "comodo", "refund_days": "30"}
PRODUCT = call("GET", "/products/details/45", DETAILS)
NO_SUCH = {"error": True, "message": "not found"}
SHOP = {"name": "shop", "names": ["shop.example.com"], "product": "45", "dcv": "http"}
JOURNAL = journal.Journal(URL, 7, 45, "key")


def status(status_text: str = "active") -> Call:
    return call("GET", "/orders/status/7", order_answer(7, status_text))


def invoice(day: str) -> Call:
    return call("GET", "/orders/invoice/7", {"order_id": 7, "date": day})


def cancel(**options: Any) -> dict[str, Any]:
    given = {"order_ids": [7], "state": "cancelled", "reason": "wrong name"}
    return run(order.TASK, **{**given, **options})


def cancel_shop(state: journal.HostState, **changes: Any) -> dict[str, Any]:
    item = {name: option.get("default") for name, option in order.ARGUMENT_SPEC["certificates"]["options"].items()}
    with mock.patch.object(journal, "inspect", return_value={"shop": state}):
        return cancel(certificates=[{**item, **SHOP, **changes}], order_ids=[])


def test_an_order_is_cancelled_within_its_refund_period() -> None:
    with scripted(status(), PRODUCT, invoice("2027-01-10"), DONE):
        result = cancel()
    (entry,) = result["cancelled"]
    assert (result["changed"], entry["changed"], entry["status"]) == (True, True, "active")
    assert (entry["refund_until"], entry["within_refund"]) == ("2027-02-09", True)
    assert "2027-02-09" in result["diff"]["after"]


def test_a_second_cancellation_changes_nothing() -> None:
    with scripted(status(), PRODUCT, invoice("2026-01-10"), ALREADY):
        result = cancel()
    (entry,) = result["cancelled"]
    assert (result["changed"], entry["changed"], entry["within_refund"]) == (False, False, False)
    assert "before" in entry["reason"]


@pytest.mark.parametrize("status_text", ["cancelled", "expired", "rejected", "revoked"])
def test_an_ended_order_is_not_cancelled(status_text: str) -> None:
    with scripted(status(status_text)):
        assert cancel()["changed"] is False


def test_check_mode_cancels_nothing() -> None:
    with scripted(status(), PRODUCT, invoice("2027-01-10")):
        assert cancel(check_mode=True)["changed"] is True


@pytest.mark.parametrize(("again", "changed"), [(DONE, True), (ALREADY, False)])
def test_a_lost_response_is_resolved_by_the_next_run(again: Call, changed: bool) -> None:
    with (
        scripted(status(), PRODUCT, invoice("2027-01-10"), LOST),
        pytest.raises(GogetsslError, match=r"order 7: .*Run again") as raised,
    ):
        cancel()
    assert raised.value.kind is Kind.UNCERTAIN
    with scripted(status(), PRODUCT, invoice("2027-01-10"), again):
        assert cancel()["changed"] is changed


def test_an_unknown_refund_period_does_not_stop_the_cancellation() -> None:
    with scripted(status(), PRODUCT, call("GET", "/orders/invoice/7", NO_SUCH), DONE):
        (entry,) = cancel()["cancelled"]
    assert (entry["changed"], entry["refund_until"], entry["within_refund"]) == (True, None, None)


def test_the_order_of_the_host_journal() -> None:
    with scripted(status(), status(), PRODUCT, invoice("2027-01-10"), DONE):
        result = cancel_shop(journal.HostState(journal=JOURNAL))
    assert [(one["name"], one["order_id"]) for one in result["cancelled"]] == [("shop", 7)]


@pytest.mark.parametrize("adopt", [None, 7])
def test_an_order_for_other_names_is_not_cancelled(adopt: int | None) -> None:
    state = journal.HostState(journal=None if adopt else JOURNAL)
    foreign = call("GET", "/orders/status/7", order_answer(7, "active", domain="other.example.com"))
    with scripted(foreign), pytest.raises(GogetsslError, match="does not belong to this certificate"):
        cancel_shop(state, adopt=adopt)


def test_adopt_that_was_followed_before_does_not_name_the_order_to_cancel() -> None:
    adopted = dataclasses.replace(JOURNAL, adopted=5)
    with scripted(status(), status(), PRODUCT, invoice("2027-01-10"), DONE):
        result = cancel_shop(journal.HostState(journal=adopted), adopt=5)
    assert [one["order_id"] for one in result["cancelled"]] == [7]


@pytest.mark.parametrize("journal_order", [8, 7])
def test_adopt_and_the_journal_must_agree(journal_order: int) -> None:
    """With another host's journal, or with the right one: which order the operator means is not known."""
    state = journal.HostState(journal=dataclasses.replace(JOURNAL, order_id=journal_order))
    theirs = call("GET", "/orders/status/8", order_answer(8, "active", domain="other.example.com"))
    with scripted(theirs if journal_order == 8 else status()), pytest.raises(GogetsslError) as caught:
        cancel_shop(state, adopt=5)
    wanted = "order 8 does not belong" if journal_order == 8 else "names order 7, and adopt names order 5. Nothing was"
    assert wanted in caught.value.message


def test_adopt_without_a_journal_must_name_an_order_with_the_key_of_the_host() -> None:
    state = journal.HostState(key="another")
    with scripted(status()), pytest.raises(GogetsslError, match=r"its key is not known on this host\. .*was cancelled"):
        cancel_shop(state, adopt=7)
    with scripted(status(), status(), PRODUCT, invoice("2027-01-10"), DONE):
        assert cancel_shop(journal.HostState(), adopt=7)["changed"]


@pytest.mark.parametrize(("api", "refused"), [(URL, True), ("https://sandbox.test/api", False)])
def test_an_unfinished_purchase_at_this_api_prevents_the_cancellation(api: str, refused: bool) -> None:
    intent = journal.Intent(api, "buy", 45, 12, ("shop.example.com",), "k", "m", "u", 0.0)
    state = journal.HostState(journal=JOURNAL, intent=intent)
    if refused:
        with scripted(), pytest.raises(GogetsslError, match="shop"):
            cancel_shop(state)
        return
    with scripted(status(), status(), PRODUCT, invoice("2027-01-10"), DONE):
        assert cancel_shop(state)["changed"]


@pytest.mark.parametrize("known", [JOURNAL, None])
def test_the_order_of_a_copied_certificate_is_not_cancelled(known: journal.Journal | None) -> None:
    item = {name: option.get("default") for name, option in order.ARGUMENT_SPEC["certificates"]["options"].items()}
    copied = {**item, **SHOP, "order_host": "web1", "adopt": 7}
    with mock.patch.object(journal, "inspect", return_value={"shop": journal.HostState(journal=known)}), scripted():
        result = cancel(certificates=[copied], order_ids=[], host="web2")
    assert (result["changed"], result["cancelled"]) == (False, [])
    assert [one["reason"] for one in result["stopped"]] == [
        "shop: web1 orders it, and only that host can cancel the order."
    ]


def test_an_order_of_another_api_is_not_cancelled() -> None:
    other = dataclasses.replace(JOURNAL, api="https://sandbox.test/api")
    with scripted():
        result = cancel_shop(journal.HostState(journal=other))
    assert (result["changed"], result["stopped"][0]["name"]) == (False, "shop")


def test_raw_holds_the_responses_of_all_calls() -> None:
    with scripted(status(), PRODUCT, invoice("2027-01-10"), DONE):
        result = cancel(raw=True)
    assert [one["call"] for one in result["raw"]][-1] == f"POST {CANCEL}"
    assert result["raw"][-1]["body"] == {"message": "ok", "success": True}
    with scripted(status("cancelled")):
        assert "raw" not in cancel()


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({"state": "cancelled", "order_ids": [7]}, True),
        ({"certificates": []}, True),
        ({}, False),
        ({"state": "present", "order_ids": [7]}, False),
    ],
)
def test_only_a_cancellation_needs_no_certificates(options: dict[str, Any], fits: bool) -> None:
    rules, spec = order.TASK.rules, order.TASK.argument_spec
    checked = ArgumentSpecValidator(spec, **rules).validate({"reason": "because", **options})
    assert (not checked.error_messages) is fits


@pytest.mark.parametrize("options", [{"reason": None}, {"state": "present"}, {"order_ids": []}])
def test_conflicting_options(options: dict[str, Any]) -> None:
    with scripted(), pytest.raises(GogetsslError) as caught:
        cancel(**options)
    assert caught.value.kind is Kind.INPUT
