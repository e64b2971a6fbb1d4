# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of hosts and an account for the tests of the report."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import (
    Family,
    OrderSummary,
    Product,
    ValidationLevel,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._report.account import Account, add_account
from ansible_collections.certops.gogetssl.plugins.module_utils._report.rows import Row, read_rows, sort_rows

NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.timezone.utc)
PRODUCT = Product(
    68, "Multi-Domain", "ggssl", Family.SECTIGO, ValidationLevel.DV, False, True, False, frozenset({"http"}), False,
    {12: 1230}, {12: 400}, {},
)  # fmt: skip


def days(number: float) -> str:
    return (NOW + dt.timedelta(days=number)).isoformat()


def certificate(name: str = "shop", end: float = 150, **changes: Any) -> dict[str, Any]:
    """A result of gogetssl_certificate_info that ends in so many days and is replaced 66 days earlier."""
    return {
        "name": name,
        "step": "keep",
        "reason": "valid",
        "order_id": 7,
        "product_id": 68,
        "in_progress": False,
        "names": [f"{name}.example.com"],
        "not_before": days(end - 199),
        "not_after": days(end),
        "replace_from": days(end - 66),
        "term_end": (NOW.date() + dt.timedelta(days=end + 100)).isoformat(),
        "key_type": "rsa-2048",
        "served": [{"listener": "l", "matches": True, "answers": True, "not_after": days(end)}],
        "unchecked_listeners": 0,
        **changes,
    }


def host(name: str = "web1", *certificates: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The entry of a host that returned these certificates."""
    requested = [{"name": one["name"], "names": one["names"], "product": "68"} for one in certificates]
    return {"host": name, "result": {"certificates": list(certificates)}, "certificates": requested, **changes}


def unreachable(name: str = "gone", *certificates: str) -> dict[str, Any]:
    requested = [{"name": one, "names": [f"{one}.example.com"], "product": "68"} for one in certificates]
    return {"host": name, "result": {"unreachable": True, "msg": "No route to host"}, "certificates": requested}


def account(*orders: tuple[int, str, str], **more: Any) -> Account:
    """An account with these orders: id, status, common name."""
    listed = {number: OrderSummary(number, status, name) for number, status, name in orders}
    return Account(orders=listed, products={68: PRODUCT}, currency="EUR", read=True, **more)


def rows_of(*hosts: dict[str, Any], of: Account | None = None) -> list[Row]:
    found = read_rows(hosts, NOW)
    return sort_rows((add_account(row, of) for row in found), NOW) if of else found
