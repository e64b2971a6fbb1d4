# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults and events with random numbers of their own, so that adding one does not change the other events of a seed.

The faults are answers of proxies, firewalls and CDNs to a write. The events are disks and journals that are not the
host's own, and a reissue that is still not validated when its paid term ends.
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .runs import Run, Site, Violation

if TYPE_CHECKING:
    from .seeds import Scenario

RUNS = 30  # within which another host is healthy again
DAY = 86400
FRONT_ENDS: tuple[dict[str, Any], ...] = (
    *(
        {"kind": "status", "status": status, "body": f"<html>{status}</html>"}
        for status in (401, 403, 407, 408, 413, 429, 502, 520, 522, 524)
    ),
    {"kind": "status", "status": 200, "body": "<html>Please wait</html>"},
    {"kind": "status", "status": 403, "body": '{"message": "Forbidden"}'},
)


class FrontEnds:
    """In three of ten seeds, something else than the API answers a write before or after it takes effect."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"{seed}-front-ends")
        self._used = self._dice.random() < 0.3

    def fault(self, writes: tuple[str, ...]) -> dict[str, Any] | None:
        if not self._used or self._dice.random() < 0.5:
            return None
        path, when = f"/orders/{self._dice.choice(writes)}", self._dice.choice(["before", "after"])
        return {"path": path, "when": when, **self._dice.choice(FRONT_ENDS)}


def swapped_journals(scenario: Scenario) -> None:
    """Two hosts have each other's journal when their certificates are due."""
    site, victim = scenario.site, scenario.new_victim()
    ours, theirs = site.root / "order.json", victim.root / "order.json"
    texts = ours.read_text(), theirs.read_text()
    ours.write_text(texts[1])
    theirs.write_text(texts[0])
    scenario.reissue()
    scenario.time.sleep(120)  # until late requests have taken effect
    before = scenario.rows_of(site)
    recover(scenario, victim)
    if scenario.rows_of(site) != before:
        raise Violation("the other host changed the order of this one")


def template(scenario: Scenario) -> None:
    """The host is installed anew from the disk of another host, which has other names.

    The operator removes abandon_intent: what it has done before is not on the disk.
    """
    site, victim, last = scenario.site, scenario.new_victim(), scenario.last_of_term()
    site.spec.pop("abandon_intent", None)
    shutil.rmtree(site.root)
    shutil.copytree(victim.root, site.root, symlinks=True)
    scenario.replace_now(last)


def cloned(scenario: Scenario) -> None:
    """A clone of the host runs with the same inventory at the end of the paid term: the term is paid once."""
    site = scenario.site
    end = dt.date.fromisoformat(scenario.paid()[-1]["end_date"])
    for days in (150, 40):
        scenario.advance_to(end - dt.timedelta(days=days))
        scenario.run_without_faults()
    clone = Site(site.directory / "clone", scenario.vendor)
    clone.spec = dict(site.spec)
    shutil.copytree(site.root, clone.root, symlinks=True)
    scenario.advance_to(end - dt.timedelta(days=12))
    scenario.terms += 1
    scenario.paid_calls = ("add_ssl_renew_order",)
    for _number in range(3):
        scenario.clear_faults(list_seconds=0.0)
        Run(clone)()
        scenario.check_orders()
        scenario.time.sleep(160)  # until the lists contain the order, as a search cannot find it earlier
        scenario.run_with_faults()
        scenario.time.sleep(160)
    scenario.keys_of_clone = clone.held_keys()  # its reissue may be the last one of the order
    shutil.rmtree(clone.directory)
    scenario.cloned = True
    scenario.run_without_faults(lambda: scenario.purchases() == scenario.terms)


def unfinished_reissue(scenario: Scenario) -> None:
    """A reissue is never validated. The next term is bought nevertheless, once."""
    end = dt.date.fromisoformat(scenario.paid()[-1]["end_date"])
    scenario.advance_to(end - dt.timedelta(days=150))
    scenario.run_without_faults()
    scenario.advance_to(end - dt.timedelta(days=40))
    scenario.vendor.set(issuance_delay=9e7)
    scenario.run_with_faults(rekey=True)
    scenario.time.sleep(120)  # until late requests have taken effect
    scenario.vendor.set(issuance_delay=0.0)
    scenario.advance_to(end + dt.timedelta(days=2))
    scenario.terms += 1
    scenario.paid_calls = ("add_ssl_renew_order", "add_ssl_order")
    scenario.phase(lambda: scenario.purchases() == scenario.terms)


EVENTS: tuple[Callable[[Scenario], None], ...] = (swapped_journals, template, cloned, unfinished_reissue)


def recover(scenario: Scenario, host: Site) -> None:
    """Runs of another host until it is healthy; the operator removes a journal that is not its own."""
    scenario.clear_faults(list_seconds=0.0)
    for _number in range(RUNS):
        run = Run(host)
        if run() == "healthy":
            scenario.remember_victim(host)
            return
        if any("does not belong to this certificate" in reason for reason in run.stopped):
            (host.root / "order.json").unlink()
        scenario.time.sleep(160)
    raise Violation(f"the other host is not healthy: {run.stopped}")
