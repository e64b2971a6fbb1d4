# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _order_info
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from tests.unit.scripted import PEM, Call, Time, call, order_answer, run, scripted


def statuses(**words: str) -> Call:
    """The bulk call; order 7 is given as `_7`."""
    ids = [word.removeprefix("_") for word in words]
    listed = [{"order_id": order_id, "status": word} for order_id, word in zip(ids, words.values())]
    return call("POST", "/orders/statuses/", {"certificates": listed}, fields={"cids": ",".join(ids)})


def details(order_id: int = 7, status: str = "processing", **changes: Any) -> Call:
    return call("GET", f"/orders/status/{order_id}", order_answer(order_id, status, **changes))


BROKEN = call("POST", "/orders/statuses/", b"", 503)


def look(**options: Any) -> dict[str, Any]:
    return run(_order_info.TASK, **{"order_ids": [7], **options})


def test_an_issued_order_comes_with_its_certificate() -> None:
    with scripted(statuses(_7="active"), details(status="active")):
        result = look()
    (order,) = result["orders"]
    assert result["pending"] == []
    assert result["changed"] is False
    assert (order["issued"], order["certificate"], order["chain"]) == (True, PEM, PEM)
    assert (order["valid_from"], order["valid_till"], order["end_date"]) == ("2026-01-01", "2026-07-18", None)
    assert order["reason"] == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Not validated yet: shop.example.com by http."),
        ({"validation_description": "file not found"}, "shop.example.com by http (file not found)."),
        ({"admin_msg": "call us"}, "by http. GoGetSSL says: call us."),
        ({"manual_check": "1"}, "by hand"),
        ({"dcv_status": "2", "pre_signing": 1}, "queued for signing"),
        ({"dcv_status": "2"}, "the authority is at work"),
        ({"status": "unpaid"}, "not paid"),
    ],
)
def test_a_pending_order_says_why(changes: dict[str, Any], said: str) -> None:
    status = changes.get("status", "processing")
    with scripted(statuses(_7=status), details(**changes)):
        result = look()
    assert result["pending"] == [7]
    assert said in result["orders"][0]["reason"]


def test_a_cancelled_order_is_not_waited_for() -> None:
    with scripted(statuses(_7="cancelled"), details(status="cancelled")):
        result = look(wait=60)
    assert result["pending"] == []
    assert "it will give no certificate" in result["orders"][0]["reason"]


def test_waiting_polls_only_what_is_still_open() -> None:
    time = Time()
    with scripted(
        statuses(_7="processing", _8="active"),
        details(8, "active"),
        statuses(_7="processing"),
        statuses(_7="active"),
        details(7, "active"),
    ):
        result = look(time=time, order_ids=[7, 8, 7], wait=60)
    assert time.pauses == [10, 10]
    assert [order["order_id"] for order in result["orders"]] == [7, 8]


def test_the_last_look_is_at_the_deadline() -> None:
    time = Time()
    with scripted(statuses(_7="pending"), statuses(_7="pending"), statuses(_7="pending"), details()):
        result = look(time=time, wait=15)
    assert time.pauses == [10, 5]
    assert result["pending"] == [7]


def test_an_active_order_that_is_being_reissued_is_pending() -> None:
    reissuing = details(status="active", reissue_now=1)
    with scripted(statuses(_7="active"), reissuing):
        assert look()["pending"] == [7]


def test_a_look_that_fails_during_the_wait_is_no_failure() -> None:
    with scripted(statuses(_7="processing"), BROKEN, statuses(_7="active"), details(status="active")):
        assert look(wait=60)["orders"][0]["issued"]


def test_a_last_look_that_fails_is_the_reason() -> None:
    with scripted(statuses(_7="processing"), BROKEN):
        result = look(wait=10)
    assert result["pending"] == [7]
    assert "The last look failed: POST /orders/statuses/: GoGetSSL answered HTTP 503" in result["orders"][0]["reason"]


def test_when_no_look_worked_nothing_is_claimed() -> None:
    with scripted(BROKEN, BROKEN), pytest.raises(GogetsslError, match="HTTP 503"):
        look(wait=10)


def test_an_order_that_does_not_exist_is_a_failure() -> None:
    missing = call("GET", "/orders/status/7", {"error": True, "message": "Order not found"})
    with scripted(call("POST", "/orders/statuses/", []), missing), pytest.raises(GogetsslError, match="not found"):
        look(wait=60)


def test_an_unknown_status_is_neither_pending_nor_issued() -> None:
    with scripted(statuses(_7="limbo")):
        (order,) = look(wait=60)["orders"]
    assert (order["pending"], order["issued"]) == (False, False)
    assert "'limbo'" in order["reason"]


def test_without_details_a_play_costs_one_call() -> None:
    with scripted(statuses(_7="active", _8="processing", _9="rejected")):
        result = look(order_ids=[7, 8, 9], include_details=False)
    assert [order["issued"] for order in result["orders"]] == [True, False, False]
    assert result["pending"] == [8]


def test_a_brief_order_has_the_shape_of_a_whole_one() -> None:
    with scripted(statuses(_7="active"), details(status="active")):
        (whole,) = look()["orders"]
    assert list(_order_info.brief_result(7, "active")) == list(whole)
