# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of an adoption of existing certificates. Pure functions."""

from __future__ import annotations

import typing as t

from .entries import Entries, Entry, entries_of


def adoption_report(plan: Entries, not_copied: t.Container[str]) -> list[str]:
    """One sentence for each certificate: its order and what is due, or why it has no order."""
    return [f"{one['name']}: {_order(one, not_copied)}" for one in plan]


def _order(entry: Entry, not_copied: t.Container[str]) -> str:
    if entry["name"] in not_copied:
        return "its files would be copied; its order is searched for after that"
    reason = str(entry["reason"]).removeprefix(f"{entry['name']}: ")
    if not entry.get("order_id"):
        return f"no order: {reason}"
    due = entry["due"] or entry["step"]
    return f"order {entry['order_id']}, " + ("nothing is due" if due == "keep" else f"due: {due} ({reason})")


def unknown_orders(known_hosts: t.Iterable[Entry], orders: Entries) -> list[str]:
    """The orders of the account that no host of the play has adopted, by id and common name."""
    results = [known.get("__gogetssl_adopt_found") or {} for known in known_hosts]
    adopted = {entry.get("order_id") for result in results for entry in entries_of(result.get("plan"))}
    return [f"{one['order_id']} {one['common_name']}" for one in orders if one["order_id"] not in adopted]
