# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing orders: from the vendor's lists by status, which know names and dates, and the one of all, which is paged.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fnmatch
import typing as t

from ._api import FILTERS, LIST_LIMIT, Api
from ._errors import GogetsslError, Kind
from ._models import OrderSummary

REACH = 2 * LIST_LIMIT  # orders that the paging of the list of all can reach (API reference 7.5)


@dataclasses.dataclass(frozen=True)
class Search:
    """What orders are looked for; nothing given means all."""

    statuses: frozenset[str] = frozenset()
    name: str | None = None  # a pattern
    expires_before: dt.date | None = None

    def fits(self, order: OrderSummary) -> bool:
        """True if the order is looked for. What is not known of an order does not fit."""
        if self.statuses and order.status not in self.statuses:
            return False
        if self.name and not fnmatch.fnmatchcase(order.common_name or "", _pattern(self.name)):
            return False
        if self.expires_before is None:
            return True
        return order.valid_till is not None and order.valid_till <= self.expires_before


def list_orders(api: Api, search: Search) -> tuple[list[OrderSummary], bool]:
    """The orders looked for, newest first, and whether none can be missing.

    The lists by status have no known limit and tell names and dates; they know five statuses. The others come from the
    list of all orders, which tells ids and statuses only and ends after `REACH` of them.
    """
    found: dict[int, OrderSummary] = {}
    wanted = search.statuses
    for status in FILTERS if not wanted else [one for one in FILTERS if one in wanted]:
        _add(found, listed(api, status))
    complete = True
    if not wanted or wanted - set(FILTERS):
        _add(found, listed(api, ""))  # without a filter: names of orders of other statuses, if the vendor gives them
        everything = api.all_orders()
        complete = len(everything) < REACH
        _add(found, everything)
    orders = sorted(found.values(), key=lambda order: -order.order_id)
    return [order for order in orders if search.fits(order)], complete


def listed(api: Api, status: str) -> t.Sequence[OrderSummary]:
    """One list; a filter that the vendor does not know means that there is no such list."""
    try:
        return api.orders_with_status(status)
    except GogetsslError as error:
        if error.kind is not Kind.REFUSED:
            raise
        return ()


def _add(found: dict[int, OrderSummary], orders: t.Iterable[OrderSummary]) -> None:
    """Lists are read one after the other: the later one knows the status better, an earlier one perhaps the name."""
    for order in orders:
        known = found.get(order.order_id)
        if known is not None and order.common_name is None:
            order = dataclasses.replace(known, status=order.status)
        found[order.order_id] = order


def _pattern(name: str) -> str:
    """The pattern with a leading `*.` taken literally, as it is the name of a wildcard."""
    lowered = name.strip().lower()
    return "[*]." + lowered[2:] if lowered.startswith("*.") else lowered
