# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists an account's orders, from the vendor's lists by status and from its paged list of all orders."""

from __future__ import annotations

import dataclasses
import datetime as dt
import fnmatch
import typing as t

from .._core.errors import GogetsslError, Kind
from .models import OrderSummary
from .orders import FILTERS, LIST_LIMIT, Api

REACH = 2 * LIST_LIMIT  # number of orders that the paged list can return (API reference 7.5)


@dataclasses.dataclass(frozen=True)
class Search:
    """The filter of a search; without criteria, all orders match."""

    statuses: frozenset[str] = frozenset()
    name: str | None = None  # a pattern
    expires_before: dt.date | None = None

    def fits(self, order: OrderSummary) -> bool:
        """True if the order matches. An unknown value does not match."""
        if self.statuses and order.status not in self.statuses:
            return False
        if self.name and not fnmatch.fnmatchcase(order.common_name or "", _pattern(self.name)):
            return False
        if self.expires_before is None:
            return True
        return order.valid_till is not None and order.valid_till <= self.expires_before


def list_orders(api: Api, search: Search) -> tuple[list[OrderSummary], bool]:
    """Return the matching orders, newest first, and whether the list is complete.

    The lists by status have no known limit and contain names and dates, but exist for five statuses only. Orders of
    other statuses come from the list of all orders, which has only ids and statuses and ends after `REACH` orders.
    """
    found: dict[int, OrderSummary] = {}
    expected = search.statuses
    for status in FILTERS if not expected else [one for one in FILTERS if one in expected]:
        _add(found, read_list(api, status))
    complete = True
    if not expected or expected - set(FILTERS):
        _add(found, read_list(api, ""))  # without a filter: may contain names of orders of other statuses
        everything = api.all_orders()
        complete = len(everything) < REACH and all(order.order_id for order in everything)
        _add(found, everything)
    orders = sorted(found.values(), key=lambda order: -order.order_id)
    return [order for order in orders if search.fits(order)], complete


def read_list(api: Api, status: str) -> t.Sequence[OrderSummary]:
    """Return one list; an empty one if the vendor does not know the filter."""
    try:
        return api.orders_with_status(status)
    except GogetsslError as error:
        if error.kind is not Kind.REFUSED:
            raise
        return ()


def _add(found: dict[int, OrderSummary], orders: t.Iterable[OrderSummary]) -> None:
    """Add the orders of a list. A later list has the newer status; the name can come from an earlier list."""
    for order in orders:
        if order.order_id == 0:
            continue
        known = found.get(order.order_id)
        if known is not None and order.common_name is None:
            order = dataclasses.replace(known, status=order.status)
        found[order.order_id] = order


def _pattern(name: str) -> str:
    """Return the pattern. A leading `*.` is literal, as in the name of a wildcard certificate."""
    lowered = name.strip().lower()
    return "[*]." + lowered[2:] if lowered.startswith("*.") else lowered
