# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of all hosts of a play, for an operator who approves it and for the run that buys it. Pure functions."""

from __future__ import annotations

import typing as t

from ...module_utils._core.text import printable
from .. import _facts
from .entries import Entries, Entry, entries_of
from .report import PAID_STEPS, price_text, purchase_total


def fleet_plan(hostvars: t.Any, hosts: t.Iterable[str]) -> dict[str, t.Any]:
    """The `plan` of all hosts, the paid steps to approve (`approved_plan`), a `summary`, and a `failure`.

    The summary has one line a step or problem, the problems first. The failure is empty if a host has a plan, or if
    nothing is due.
    """
    found = {str(host): _facts.of_host(hostvars, host) for host in hosts}
    trusted = {host: known for host, (known, refusal) in found.items() if not refusal}
    results = {host: known.get("__gogetssl_planned") or {} for host, known in trusted.items()}
    plan = [dict(entry) for result in results.values() for entry in entries_of(result.get("plan"))]
    paid = [entry for entry in plan if entry["step"] in PAID_STEPS]
    problems = [refusal for _known, refusal in found.values() if refusal] + [
        f"{host}: {printable(str(error))}"
        for host, known in trusted.items()
        if (error := known.get("__gogetssl_plan_error"))
    ]
    budgets = [result["budget"] for result in results.values() if result.get("budget")]
    return {
        "plan": plan,
        "approved_plan": [entry for entry in paid if entry["price"] is not None],
        "summary": [purchase_total(plan, budgets), *problems, *map(_line, paid), *_free(plan)],
        "failure": " ".join(problems) if not plan else "",
    }


def play_total(known_hosts: t.Iterable[Entry]) -> str:
    """The total price of what the hosts of a play would buy, and the balance of the account."""
    results = [known.get("__gogetssl_planned") or {} for known in known_hosts]
    plan = [entry for result in results for entry in entries_of(result.get("plan"))]
    return purchase_total(plan, [result["budget"] for result in results if result.get("budget")])


def _free(plan: Entries) -> t.Iterator[str]:
    """The lines of the other steps. The reason of a stop is in the problem of its host."""
    return (_line(entry) for entry in plan if entry["step"] not in (*PAID_STEPS, "stop"))


def _line(entry: Entry) -> str:
    """One step, with everything that an approval covers."""
    shown = f"{entry['host']}: {entry['name']}: {entry['step']}"
    if entry["step"] in PAID_STEPS:
        price = price_text(entry)
        price += ", so it cannot be approved" if entry["price"] is None else ""
        shown += f" {entry['product']}, {entry['period']} months, {', '.join(entry['names'])}, {price}"
    due = f", needed before {entry['deadline'][:10]}" if entry["deadline"] else ""
    return f"{shown} ({entry['reason']}{due})"
