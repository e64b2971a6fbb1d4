# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searching for an order in an account with more orders than the paged list returns."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import order_answers, orders
from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import OrderSummary
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._order import purchase
from tests.unit.scripted import call, client, scripted


class Account:
    """The order lists of an account: by status, unfiltered and paged. Counts the reads of single orders."""

    def __init__(self, paged: int, unfiltered: range | None, **listed: list[int]) -> None:
        statuses = ["cancelled", "active", "pending", "expired"]
        self._paged = tuple(OrderSummary(number, statuses[number % 4]) for number in range(10_000 - paged, 10_000))
        self._unfiltered, self._listed = unfiltered, listed
        self.order_calls: list[int] = []

    def all_orders(self, max_age: float = 0) -> tuple[OrderSummary, ...]:
        return self._paged

    def orders_with_status(self, status: str, max_age: float = 0) -> tuple[OrderSummary, ...]:
        if status:
            return tuple(OrderSummary(number, status, "shop.example.com") for number in self._listed.get(status, []))
        if self._unfiltered is None:
            raise GogetsslError("Not supported status", Kind.REFUSED)
        return tuple(OrderSummary(number, "pending", f"n{number}.example.com") for number in self._unfiltered)

    def any_order(self, order_id: int) -> Any:
        self.order_calls.append(order_id)
        return order_answers.read_order({"order_id": order_id, "status": "active", "domain": "shop.example.com"})


@pytest.mark.parametrize(
    ("paged", "unfiltered", "complete"),
    [
        (1999, None, True),
        (2000, None, False),
        (2000, range(8000, 10_000), True),
        (2000, range(1, 10_000), True),
        (2000, range(8001, 10_000), False),
        (2000, range(0), False),
    ],
)
def test_a_search_reports_whether_it_was_complete(paged: int, unfiltered: range | None, complete: bool) -> None:
    account = Account(paged, unfiltered, active=[9999])
    finder = purchase.Finder(account)  # type: ignore[arg-type]
    assert [order.order_id for order in finder.orders("shop.example.com")][:1] == [9999]
    assert finder.complete is complete


def test_active_orders_only_do_not_show_that_the_list_is_complete() -> None:
    account = Account(2000, range(8000, 10_000), active=[9999])
    account._paged = tuple(OrderSummary(one.order_id, "active") for one in account._paged)
    finder = purchase.Finder(account)  # type: ignore[arg-type]
    finder.orders("shop.example.com")
    assert finder.complete is False


def test_several_names_need_one_search() -> None:
    account = Account(4, None, active=[9997, 9999])
    finder = purchase.Finder(account)  # type: ignore[arg-type]
    found = finder.orders("shop.example.com", "www.shop.example.com", "elsewhere.example.com")
    assert [order.order_id for order in found] == [
        9999,
        9998,
        9997,
    ]  # the lists lack the name of 9998, which is pending
    assert account.order_calls == [9999, 9998, 9997]


def test_an_order_that_moved_between_the_lists_is_read() -> None:
    """9997 is active in the paged list, which is read last, and was in neither list by status before."""
    account = Account(4, None)
    finder = purchase.Finder(account)  # type: ignore[arg-type]
    assert [order.order_id for order in finder.orders("shop.example.com")] == [9998, 9997]
    assert finder.newest == 9999


def test_orders_that_have_ended_are_read_only_if_they_are_newer_than_a_purchase() -> None:
    account = Account(8, None, active=[9997, 9993])
    finder = purchase.Finder(account)  # type: ignore[arg-type]
    finder.orders("shop.example.com")
    assert account.order_calls == [9998, 9997, 9994, 9993]
    found = finder.orders("shop.example.com", since=9995)
    assert [order.order_id for order in found] == [9999, 9998, 9997, 9996, 9994, 9993]


def test_an_odd_invoice_of_another_order_does_not_stop_a_purchase_of_names() -> None:
    rows = [
        {"id": [], "number": {}, "order_id": 6, "date": "soon", "total": "free"},
        {"id": 3, "items": [{"order_id": "7", "subtotal": []}]},
        {"number": "V-4", "order_id": 7, "tax": "n/a"},
    ]
    with scripted(call("GET", "/account/invoices/unpaid/", {"invoices": rows, "success": True})):
        assert purchase.unpaid_invoices(orders.Api(client()), 7) == ("3", "V-4")
    unknown = {"invoices": [{"number": "V-5", "order_id": "x"}], "success": True}
    with (
        scripted(call("GET", "/account/invoices/unpaid/", unknown)),
        pytest.raises(GogetsslError, match="'x' in 'order_id'"),
    ):
        purchase.unpaid_invoices(orders.Api(client()), 7)
