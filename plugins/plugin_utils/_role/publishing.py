# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The publication of DCV files on web hosts, and by the user's own task files. Pure functions."""

from __future__ import annotations

import typing as t

from ...module_utils._core.text import printable
from .entries import Entries, Entry, entries_of


def failures(files: Entries, results: Entry, name: str) -> list[dict[str, t.Any]]:
    """Return the orders whose files failed on any web host, each once, with the reason.

    `results` has the loop over the web hosts under this name, and failures of the user's task files with this phase.
    Files without an order, such as a probe, have the order 0.
    """
    order_ids = list(dict.fromkeys(one.get("order_id") or 0 for one in files))
    found: dict[t.Any, str] = {}
    for visit in entries_of((results.get(name) or {}).get("results")):
        for order_id, reason in _of_host(visit, order_ids).items():
            found.setdefault(order_id, reason)
    for one in hook_failures(results, name):
        found.setdefault(one["order_id"], one["reason"])
    return [{"order_id": order_id, "reason": found[order_id]} for order_id in order_ids if order_id in found]


def hook_failures(results: Entry, phase: str) -> list[dict[str, t.Any]]:
    """Return the failures of the user's task files in this phase. Their reasons may be output of a host."""
    failed = entries_of((results.get("publisher_failed") or {}).get("msg"))
    return [{**one, "reason": printable(str(one.get("reason")))} for one in failed if one.get("phase") == phase]


def reached(results: Entry, name: str) -> bool:
    """Whether the files were published on any web host, although they failed on another."""
    return any(not _of_host(one, [0]) for one in entries_of((results.get(name) or {}).get("results")))


def _of_host(visit: Entry, order_ids: t.Sequence[t.Any]) -> dict[t.Any, str]:
    if visit.get("unreachable"):
        return dict.fromkeys(order_ids, f"The web host {visit.get('gogetssl_web_host')} is unreachable.")
    if visit.get("failed") or "stopped" not in visit:  # `failed_when: false` of a task resets `failed`
        return dict.fromkeys(order_ids, printable(str(visit.get("msg", "no error message"))))
    return {one.get("order_id"): str(one.get("reason")) for one in entries_of(visit.get("stopped"))}


def built_in(settings: Entry) -> bool:
    """Whether the role itself publishes the files."""
    publisher = settings.get("http_publisher")
    return publisher != "none" and publisher not in settings.get("http_tasks", ())


def calls(files: Entries, settings: Entry, phase: str, state: str) -> list[dict[str, t.Any]]:
    """Return the calls of the user's task file, one for each order; none if a built-in publisher is selected."""
    publisher = settings.get("http_publisher")
    if publisher not in settings.get("http_tasks", ()):
        return []
    batches: dict[t.Any, list[Entry]] = {}
    for one in files:
        batches.setdefault(one.get("order_id") or 0, []).append(one)
    return [
        {"order_id": order_id, "phase": phase, "provider": publisher, "state": state, "files": batch}
        for order_id, batch in batches.items()
    ]
