# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pending orders of a host: which ones a run waits for, and what for. A pure function."""

from __future__ import annotations

import typing as t

from .entries import Entries

MANUAL_PROVIDERS = ("", "manual")


def orders_to_wait_for(
    orders: Entries, unvalidated: Entries, *, order_ids: t.Container[int], host: str, dns_provider: str
) -> list[dict[str, t.Any]]:
    """Return the orders with these ids, each with a text for the operator and what it requires before it is issued.

    An order that `requires` something, such as a payment, is not waited for. `unvalidated` are the validations that
    were checked from outside.
    """
    records: dict[int, list[str]] = {}
    for one in unvalidated if dns_provider in MANUAL_PROVIDERS else ():
        if one.get("record") and one.get("visible") is not True:
            records.setdefault(one["order_id"], []).append(one["record"])
    entries = []
    for order in orders:
        order_id = order["order_id"]
        if order_id in order_ids:
            missing = f"the DNS record {', '.join(records[order_id])}" if order_id in records else ""
            text = f"{order['name']} on {host}: {order.get('waiting_for') or ''}"
            entries.append(
                {
                    "order_id": order_id,
                    "name": order["name"],
                    "text": text,
                    "requires": order.get("requires") or missing,
                }
            )
    return entries
