# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import order_info
from tests.unit.scripted import Call, Time, call, order_answer, run, scripted

UNSUPPORTED = {"error": True, "message": "Not supported status"}
TODAY = dt.datetime.fromtimestamp(Time().now(), dt.timezone.utc).date()


def row(order_id: int, status: str = "active", name: str = "a.example.com", days: int = 90) -> dict[str, Any]:
    till = str(TODAY + dt.timedelta(days=days)) if status == "active" else "0000-00-00"
    return {"order_id": str(order_id), "status": status, "common_name": name, "valid_from": "", "valid_till": till}


def by_status(status: str, *rows: Any, answer: Any = None) -> Call:
    return call("GET", "/orders/", list(rows) if answer is None else answer, fields={"status": status})


def unfiltered(*rows: Any) -> Call:
    return call("GET", "/orders/", {"orders": list(rows)}, fields={})


def everything(*rows: dict[str, Any]) -> Call:
    listed = [{"order_id": one["order_id"], "status": one["status"]} for one in rows]
    return call("GET", "/orders/ssl/all/", {"orders": listed}, fields={"limit": "1000", "offset": "0"})


def listing(active: Any = (), others: Any = (), every: Any = ()) -> tuple[Call, ...]:
    return (
        by_status("active", *active),
        by_status("processing"),
        by_status("expired"),
        by_status("rejected"),
        by_status("revoked", answer=UNSUPPORTED),
        unfiltered(*others),
        everything(*every),
    )


def find(**options: Any) -> dict[str, Any]:
    return run(order_info.TASK, **{"all": True, **options})


def test_all_orders_include_names_if_a_list_has_them() -> None:
    with scripted(
        *listing([row(7)], [row(8, "cancelled", "b.example.com")], [row(9, "unpaid"), row(7), row(8, "cancelled")])
    ):
        result = find()
    known = [(one["order_id"], one["status"], one["common_name"]) for one in result["orders"]]
    assert known == [(9, "unpaid", None), (8, "cancelled", "b.example.com"), (7, "active", "a.example.com")]
    assert (result["complete"], result["pending"]) == (True, [9])


def test_the_list_that_is_read_later_has_the_status() -> None:
    with scripted(*listing([row(7)], [], [row(7, "cancelled")])):
        (order,) = find()["orders"]
    assert (order["status"], order["common_name"]) == ("cancelled", "a.example.com")


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ({}, [7, 6, 5, 4]),
        ({"name": "a.example.com"}, [5, 4]),
        ({"name": "*.EXAMPLE.com"}, [6]),
        ({"name": "*a.*"}, [7, 5, 4]),
        ({"expires_within": 30}, [5]),
        ({"expires_within": 30, "name": "shop*"}, []),
    ],
)
def test_filters(search: dict[str, Any], ids: list[int]) -> None:
    rows = [row(4), row(5, days=30), row(6, name="*.example.com", days=31), row(7, name="a.example.org")]
    with scripted(by_status("active", *rows)):
        result = find(statuses=["active"], **search)
    assert [one["order_id"] for one in result["orders"]] == ids
    assert result["orders"] == [] or result["orders"][0]["valid_till"]


def test_the_product_filter_reads_details_of_matching_orders_only() -> None:
    with scripted(
        by_status("active", row(7), row(8, name="b.example.com"), row(9)),
        call("GET", "/orders/status/9", order_answer(9, "active", product_id="66")),
        call("GET", "/orders/status/7", order_answer(7, "active")),
    ):
        result = find(statuses=["active"], name="a.*", product_id=45)
    assert [one["order_id"] for one in result["orders"]] == [7]


def test_unreadable_details_keep_the_data_of_the_list() -> None:
    with scripted(by_status("active", row(7)), call("GET", "/orders/status/7", b"<html>")):
        (order,) = find(statuses=["active"], include_details=True)["orders"]
    assert (order["common_name"], order["issued"]) == ("a.example.com", True)
    assert "could not be read" in order["reason"]


def test_an_unknown_status_is_not_pending() -> None:
    with scripted(*listing(every=[row(7, "limbo")])):
        result = find()
    assert result["pending"] == []
    assert "'limbo'" in result["orders"][0]["reason"]


def test_a_failed_list_is_an_error() -> None:
    with scripted(by_status("active", answer=b"oops")), pytest.raises(GogetsslError):
        find(statuses=["active"])


def test_unpaid_orders() -> None:
    unpaid = {"orders": [{"id": "7", "total_price": "50.82", "currency": "EUR", "date": "2026-11-23"}]}
    with scripted(call("GET", "/orders/list/unpaid/", unpaid)):
        result = run(order_info.TASK, unpaid=True)
    assert result["unpaid"] == [{"order_id": 7, "total": 5082, "currency": "EUR", "date": "2026-11-23"}]
    assert result["orders"] == []


def test_invoices_of_orders() -> None:
    statuses = [{"order_id": 7, "status": "active"}, {"order_id": 8, "status": "active"}]
    with scripted(
        call("POST", "/orders/statuses/", statuses),
        call("GET", "/orders/invoice/7", {"order_id": 7, "total": "50.82", "date": "2026-11-23"}),
        call("GET", "/orders/invoice/8", {"error": True, "message": "Invoice not found"}),
    ):
        result = run(order_info.TASK, order_ids=[7, 8], include_details=False, include_invoice=True)
    assert [(one["invoice"] or {}).get("total") for one in result["orders"]] == [5082, None]
