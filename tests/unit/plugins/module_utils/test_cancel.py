# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import _journal, _order, _task
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError, Kind
from tests.unit.scripted import URL, Call, call, order_answer, run, scripted

CANCEL = "/orders/cancel_ssl_order/"
DONE = call("POST", CANCEL, {"message": "ok", "success": True}, fields={"order_id": "7", "reason": "wrong name"})
ALREADY = call("POST", CANCEL, {"error": True, "message": "Order already in cancelled state"})
LOST = call("POST", CANCEL, b"")
DETAILS = {"product_id": 45, "product_name": "X", "product_type": "DV", "product_brand": "comodo", "refund_days": "30"}
PRODUCT = call("GET", "/products/details/45", DETAILS)
NO_SUCH = {"error": True, "message": "not found"}
SHOP = {"name": "shop", "names": ["shop.example.com"], "product": "45", "dcv": "http"}
JOURNAL = _journal.Journal(URL, 7, 45, "key")


def status(word: str = "active") -> Call:
    return call("GET", "/orders/status/7", order_answer(7, word))


def invoice(day: str) -> Call:
    return call("GET", "/orders/invoice/7", {"order_id": 7, "date": day})


def cancel(**options: Any) -> dict[str, Any]:
    given = {"order_ids": [7], "state": "cancelled", "reason": "wrong name"}
    return run(_order.TASK, **{**given, **options})


def cancel_shop(state: _journal.HostState) -> dict[str, Any]:
    item = {name: option.get("default") for name, option in _order.ARGUMENT_SPEC["certificates"]["options"].items()}
    with mock.patch.object(_journal, "inspect", return_value={"shop": state}):
        return cancel(certificates=[{**item, **SHOP}], order_ids=[])


def test_an_order_is_cancelled_within_its_refund_period() -> None:
    with scripted(status(), PRODUCT, invoice("2027-01-10"), DONE):
        result = cancel()
    (entry,) = result["cancelled"]
    assert (result["changed"], entry["changed"], entry["status"]) == (True, True, "active")
    assert (entry["refund_until"], entry["within_refund"]) == ("2027-02-09", True)
    assert "2027-02-09" in result["diff"]["after"]


def test_a_second_cancel_is_no_change() -> None:
    with scripted(status(), PRODUCT, invoice("2026-01-10"), ALREADY):
        result = cancel()
    (entry,) = result["cancelled"]
    assert (result["changed"], entry["changed"], entry["within_refund"]) == (False, False, False)
    assert "before" in entry["reason"]


@pytest.mark.parametrize("word", ["cancelled", "expired", "rejected", "revoked"])
def test_an_order_that_has_ended_is_left_alone(word: str) -> None:
    with scripted(status(word)):
        assert cancel()["changed"] is False


def test_check_mode_asks_for_nothing() -> None:
    with scripted(status(), PRODUCT, invoice("2027-01-10")):
        assert cancel(check_mode=True)["changed"] is True


@pytest.mark.parametrize("again", [DONE, ALREADY])
def test_a_lost_answer_is_settled_by_asking_again(again: Call) -> None:
    with scripted(status(), PRODUCT, invoice("2027-01-10"), LOST, again):
        assert cancel()["changed"] is True


def test_a_refund_period_that_is_not_told_is_no_obstacle() -> None:
    with scripted(status(), PRODUCT, call("GET", "/orders/invoice/7", NO_SUCH), DONE):
        (entry,) = cancel()["cancelled"]
    assert (entry["changed"], entry["refund_until"], entry["within_refund"]) == (True, None, None)


def test_the_order_of_the_hosts_journal() -> None:
    with scripted(status(), PRODUCT, invoice("2027-01-10"), DONE):
        result = cancel_shop(_journal.HostState(journal=JOURNAL))
    assert [(one["name"], one["order_id"]) for one in result["cancelled"]] == [("shop", 7)]


def test_an_order_of_another_api_is_not_ours_to_cancel() -> None:
    other = dataclasses.replace(JOURNAL, api="https://sandbox.test/api")
    with scripted():
        result = cancel_shop(_journal.HostState(journal=other))
    assert (result["changed"], result["stopped"][0]["name"]) == (False, "shop")


def test_raw_is_what_was_answered_to_the_reads_and_to_the_request() -> None:
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
def test_only_a_cancellation_does_without_certificates(options: dict[str, Any], fits: bool) -> None:
    rules, spec = _order.TASK.rules, _task.ansible_spec(_order.TASK.argument_spec)
    checked = ArgumentSpecValidator(spec, **rules).validate({"reason": "because", **options})
    assert (not checked.error_messages) is fits


@pytest.mark.parametrize("options", [{"reason": None}, {"state": "present"}, {"order_ids": []}])
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with scripted(), pytest.raises(GogetsslError) as caught:
        cancel(**options)
    assert caught.value.kind is Kind.INPUT
