# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import order_info
from tests.unit.scripted import PEM, Call, Time, call, order_answer, run, scripted


def statuses(**texts: str) -> Call:
    """The bulk call. The keyword `_7` is order 7."""
    ids = [status_text.removeprefix("_") for status_text in texts]
    listed = [{"order_id": order_id, "status": status_text} for order_id, status_text in zip(ids, texts.values())]
    return call("POST", "/orders/statuses/", {"certificates": listed}, fields={"cids": ",".join(ids)})


def details(order_id: int = 7, status: str = "processing", **changes: Any) -> Call:
    return call("GET", f"/orders/status/{order_id}", order_answer(order_id, status, **changes))


BROKEN = call("POST", "/orders/statuses/", b"", 503)


def order_info_of(**options: Any) -> dict[str, Any]:
    return run(order_info.TASK, **{"order_ids": [7], **options})


def test_an_issued_order_comes_with_its_certificate() -> None:
    with scripted(statuses(_7="active"), details(status="active")):
        result = order_info_of()
    (order,) = result["orders"]
    assert result["pending"] == []
    assert result["changed"] is False
    assert (order["issued"], order["certificate"], order["chain"]) == (True, PEM, PEM)
    assert (order["valid_from"], order["valid_till"], order["end_date"]) == ("2026-01-01", "2026-07-18", None)
    assert order["reason"] == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "Not validated yet: shop.example.com by http."),
        ({"validation_description": "file not found"}, "shop.example.com by http (file not found)."),
        ({"admin_msg": "call us"}, "by http. GoGetSSL reports: call us."),
        ({"manual_check": "1"}, "manually"),
        ({"dcv_status": "2", "pre_signing": 1}, "queued it for signing"),
        ({"dcv_status": "2"}, "the CA is processing it"),
        ({"status": "unpaid"}, "not paid"),
    ],
)
def test_a_pending_order_has_a_reason(changes: dict[str, Any], message: str) -> None:
    status = changes.get("status", "processing")
    with scripted(statuses(_7=status), details(**changes)):
        result = order_info_of()
    assert result["pending"] == [7]
    assert message in result["orders"][0]["reason"]


def test_a_cancelled_order_is_not_waited_for() -> None:
    with scripted(statuses(_7="cancelled"), details(status="cancelled")):
        result = order_info_of(wait=60)
    assert result["pending"] == []
    assert "no certificate will be issued" in result["orders"][0]["reason"]


def test_waiting_reads_pending_orders_only() -> None:
    time = Time()
    with scripted(
        statuses(_7="processing", _8="active"),
        details(8, "active"),
        statuses(_7="processing"),
        statuses(_7="active"),
        details(7, "active"),
    ):
        result = order_info_of(time=time, order_ids=[7, 8, 7], wait=60)
    assert time.pauses == [10, 10]
    assert [order["order_id"] for order in result["orders"]] == [7, 8]


def test_the_last_read_is_at_the_deadline() -> None:
    time = Time()
    with scripted(statuses(_7="pending"), statuses(_7="pending"), statuses(_7="pending"), details()):
        result = order_info_of(time=time, wait=15)
    assert time.pauses == [10, 5]
    assert result["pending"] == [7]


def test_an_active_order_that_is_being_reissued_is_pending() -> None:
    reissuing = details(status="active", reissue_now=1)
    with scripted(statuses(_7="active"), reissuing):
        assert order_info_of()["pending"] == [7]


def test_a_failed_read_during_the_wait_is_no_failure() -> None:
    with scripted(statuses(_7="processing"), BROKEN, statuses(_7="active"), details(status="active")):
        assert order_info_of(wait=60)["orders"][0]["issued"]


def test_a_failed_last_read_is_the_reason() -> None:
    with scripted(statuses(_7="processing"), BROKEN):
        result = order_info_of(wait=10)
    assert result["pending"] == [7]
    assert "The last look failed: POST /orders/statuses/: HTTP 503" in result["orders"][0]["reason"]


def test_without_a_successful_read_the_status_is_unknown() -> None:
    with scripted(BROKEN, BROKEN), pytest.raises(GogetsslError, match="HTTP 503"):
        order_info_of(wait=10)


def test_a_missing_order_is_a_failure() -> None:
    missing = call("GET", "/orders/status/7", {"error": True, "message": "Order not found"})
    with scripted(call("POST", "/orders/statuses/", []), missing), pytest.raises(GogetsslError, match="not found"):
        order_info_of(wait=60)


def test_an_unknown_status_is_neither_pending_nor_issued() -> None:
    with scripted(statuses(_7="limbo")):
        (order,) = order_info_of(wait=60)["orders"]
    assert (order["pending"], order["issued"]) == (False, False)
    assert "'limbo'" in order["reason"]


def test_without_details_one_call_is_needed() -> None:
    with scripted(statuses(_7="active", _8="processing", _9="rejected")):
        result = order_info_of(order_ids=[7, 8, 9], include_details=False)
    assert [order["issued"] for order in result["orders"]] == [True, False, False]
    assert result["pending"] == [8]


def test_an_order_without_details_has_all_fields() -> None:
    with scripted(statuses(_7="active"), details(status="active")):
        (whole,) = order_info_of()["orders"]
    assert list(order_info.brief_result(7, "active")) == list(whole)


def test_an_order_that_requires_a_payment_is_not_waited_for() -> None:
    """It is read at the beginning and once more, one interval later."""
    time = Time()
    with scripted(statuses(_7="unpaid"), statuses(_7="unpaid")):
        result = order_info_of(time=time, order_ids=[], brief_order_ids=[7], wait=900, include_details=False)
    assert (time.pauses, result["pending"], result["seconds_left"]) == ([10], [7], 890)


def test_a_brief_order_is_read_while_others_are_awaited() -> None:
    time = Time()
    with scripted(
        statuses(_7="processing", _8="unpaid"),
        statuses(_7="processing", _8="unpaid"),
        statuses(_7="processing", _8="active"),
        statuses(_7="active"),
    ):
        result = order_info_of(time=time, brief_order_ids=[8], wait=900, include_details=False)
    assert (time.pauses, result["pending"]) == ([10, 10, 10], [])


def test_the_wait_ends_early_when_no_further_order_finishes() -> None:
    """Order 7 finishes after 10 seconds, order 8 within two intervals of it, and order 9 does not."""
    time = Time()
    with scripted(
        statuses(_7="processing", _8="processing", _9="processing"),
        statuses(_7="active", _8="processing", _9="processing"),
        statuses(_8="active", _9="processing"),
        statuses(_9="processing"),
        statuses(_9="processing"),
    ):
        result = order_info_of(time=time, order_ids=[7, 8, 9], wait=900, return_early=True, include_details=False)
    assert (time.pauses, result["pending"], result["seconds_left"]) == ([10, 10, 10, 10], [9], 860)


@pytest.mark.parametrize(("after", "pauses", "left"), [(0, [], 900), (15, [10, 5], 885), (None, [10] * 3, 870)])
def test_the_wait_can_be_interrupted(after: int | None, pauses: list[int], left: int) -> None:
    time = Time()
    last = [statuses(_7="active" if after is None else "processing")]
    with scripted(*[statuses(_7="processing")] * len(pauses), *last):
        result = order_info_of(time=time, order_ids=[7], wait=900, return_after=after, include_details=False)
    assert (time.pauses, result["seconds_left"]) == (pauses, left)


def test_the_wait_shows_what_it_waits_for() -> None:
    """Every 30 seconds. Orders that are not waited for are not shown."""
    time, shown = Time(), []  # type: tuple[Time, list[str]]
    with scripted(*[statuses(_7="processing", _8="unpaid")] * 7, statuses(_7="active", _8="unpaid")):
        order_info_of(
            time=time,
            shown=shown,
            brief_order_ids=[8],
            order_texts={7: "shop on web1: Not validated yet."},
            wait=900,
            include_details=False,
        )
    assert shown == [
        f"Waiting for issuance, at most {left} seconds longer: order 7 (processing): shop on web1: Not validated yet"
        for left in (870, 840)
    ]


def test_the_wait_shows_ten_orders_at_most() -> None:
    time, shown = Time(), []  # type: tuple[Time, list[str]]
    ids = range(1, 13)
    pending = statuses(**{f"_{order_id}": "processing" for order_id in ids})
    with scripted(pending, pending, pending):
        order_info_of(time=time, shown=shown, order_ids=list(ids), interval=30, wait=40, include_details=False)
    assert len(shown) == 1
    assert shown[0].endswith("order 10 (processing); and 2 more")
