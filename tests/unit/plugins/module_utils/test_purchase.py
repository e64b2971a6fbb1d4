# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking for an order in an account that has more orders than the paged list reaches."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _api, _purchase
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._models import OrderSummary


class Account:
    """The lists of an account: by status, without a filter, and paged; and how often an order was asked for."""

    def __init__(self, paged: int, unfiltered: range | None, **listed: list[int]) -> None:
        words = ["cancelled", "active", "pending", "expired"]
        self._paged = tuple(OrderSummary(number, words[number % 4]) for number in range(10_000 - paged, 10_000))
        self._unfiltered, self._listed = unfiltered, listed
        self.asked: list[int] = []

    def all_orders(self) -> tuple[OrderSummary, ...]:
        return self._paged

    def orders_with_status(self, status: str) -> tuple[OrderSummary, ...]:
        if status:
            return tuple(OrderSummary(number, status, "shop.example.com") for number in self._listed.get(status, []))
        if self._unfiltered is None:
            raise GogetsslError("Not supported status", Kind.REFUSED)
        return tuple(OrderSummary(number, "pending", f"n{number}.example.com") for number in self._unfiltered)

    def order(self, order_id: int) -> Any:
        self.asked.append(order_id)
        return _api.read_order({"order_id": order_id, "status": "active", "domain": "shop.example.com"})


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
def test_a_search_knows_whether_it_was_complete(paged: int, unfiltered: range | None, complete: bool) -> None:
    account = Account(paged, unfiltered, active=[9999])
    finder = _purchase.Finder(account)  # type: ignore[arg-type]
    assert [order.order_id for order in finder.orders("shop.example.com")][:1] == [9999]
    assert finder.complete is complete


def test_active_orders_alone_prove_nothing_of_the_list_without_a_filter() -> None:
    account = Account(2000, range(8000, 10_000), active=[9999])
    account._paged = tuple(OrderSummary(one.order_id, "active") for one in account._paged)
    finder = _purchase.Finder(account)  # type: ignore[arg-type]
    finder.orders("shop.example.com")
    assert finder.complete is False


def test_several_names_cost_one_search() -> None:
    account = Account(4, None, active=[9997, 9999])
    finder = _purchase.Finder(account)  # type: ignore[arg-type]
    found = finder.orders("shop.example.com", "www.shop.example.com", "elsewhere.example.com")
    assert [order.order_id for order in found] == [9999, 9998, 9997]  # 9998 is pending, and the lists do not name it
    assert account.asked == [9999, 9998, 9997]
