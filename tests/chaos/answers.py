# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events about answers: orders that cannot be read, and front ends that answer cancellations and validation writes.

They are the last ones of a certificate's life, with random numbers of their own.
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv, order

from .more import FRONT_ENDS
from .runs import Run, Violation

if TYPE_CHECKING:
    from .seeds import Scenario

EMAIL = "admin@example.com"
RUNS = 6  # within which a calm run must succeed
UNREADABLE: tuple[dict[str, Any], ...] = (
    {"status": "on_hold"},
    {"status": []},
    {"valid_till": "soon"},
    {"end_date": {"date": 1}},
    {"single_san_count": "many"},
)


class _Writes(Run):
    """A run of one task. Its result must agree with what the vendor did."""

    options: dict[str, Any]
    result: dict[str, Any] | None = None

    def _work(self, item: dict[str, Any]) -> str:
        self._key = self._client().login()
        task = dcv.TASK if "order_ids" in self.options else order.TASK
        given = {} if task is dcv.TASK else {"certificates": [item]}
        self.result = self.do(task, **given, **self.options)
        return "done"


class Answers:
    """Whether a seed has one more event, and its random numbers."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.site, self.vendor = scenario, scenario.site, scenario.vendor
        self.dice = random.Random(f"{seed}-answers")

    def run(self, only: str) -> None:
        chosen = self.dice.choice(EVENTS) if self.dice.random() < 0.25 else None
        chosen = chosen if not only else next((event for event in EVENTS if event.__name__ == only), None)
        if chosen is not None:
            self.site.history.append(chosen.__name__)
            chosen(self)

    def unreadable_orders(self) -> None:
        """Another host's orders cannot be read when a term ends, and then the host's own."""
        scenario = self.scenario
        victim = scenario.new_victim()
        self.vendor.unreadable = {
            row["order_id"]: self.dice.choice(UNREADABLE) for row in scenario.rows_of(victim) if row["order_id"]
        }
        scenario.renewal()
        self.vendor.unreadable = {}
        end = dt.date.fromisoformat(scenario.paid()[-1]["end_date"])
        for days in (150, 40):
            scenario.advance_to(end - dt.timedelta(days=days))
            scenario.run_without_faults()
        scenario.advance_to(end - dt.timedelta(days=12))
        if self.dice.random() < 0.5:  # without the journal, abandon_intent counts again, so the operator removes it
            (self.site.root / "order.json").unlink()
            self.site.spec.pop("abandon_intent", None)
        self.vendor.unreadable = {row["order_id"]: self.dice.choice(UNREADABLE) for row in scenario.paid()}
        scenario.paid_calls = ("add_ssl_renew_order", "add_ssl_order")
        scenario.run_with_faults()  # buys nothing
        self.vendor.unreadable = {}
        scenario.terms += 1
        scenario.phase(lambda: scenario.purchases() == scenario.terms)

    def methods_changed(self) -> None:
        """The validation methods of a reissue are changed, and its e-mails requested again."""
        scenario = self.scenario
        self.vendor.set(dcv_mode="real", issuance_delay=0.0)  # nobody validates anything
        scenario.clear_faults(list_seconds=0.0)
        if scenario.renewal_is_open():  # as after an event at the end of the term: the next term is paid
            scenario.terms += 1
        scenario.run_once(rekey=True)
        order_id = scenario.journal()["order_id"]
        names = [name.name for name in self._names(order_id)]
        options = {"order_ids": [order_id], "methods": dict.fromkeys(names, EMAIL), "resend_email": True}

        def changed() -> bool:
            return all(name.email == EMAIL for name in self._names(order_id))

        self._storms(options, ("ssl/change_", "ssl/resend"), changed)

    def order_cancelled(self) -> None:
        """The operator has the order cancelled; in every second life, the journal is another host's at first."""
        scenario, site = self.scenario, self.site
        order_id = scenario.journal()["order_id"]
        options = {"state": "cancelled", "reason": "The host is retired."}
        if self.dice.random() < 0.5:
            ours, theirs = site.root / "order.json", scenario.new_victim().root / "order.json"
            text = ours.read_text()
            shutil.copy(theirs, ours)
            run = self._run(options)
            if "does not belong to this certificate" not in " ".join(run.stopped):
                raise Violation(f"the order of another host was not refused: {run.stopped}")
            ours.write_text(text)

        def requested() -> bool:
            return any(row["order_id"] == order_id and row["cancel_requested"] for row in scenario.own_orders())

        self._storms(options, ("cancel_ssl_order",), requested)
        if [row["order_id"] for row in scenario.own_orders() if row["cancel_requested"]] != [order_id]:
            raise Violation("another order was cancelled too")

    def _storms(self, options: dict[str, Any], paths: tuple[str, ...], happened: Callable[[], bool]) -> None:
        """Runs under the answers of front ends, then calm ones. The vendor must have made what a run reports."""
        for _number in range(self.dice.choice([1, 2, 3])):
            self.scenario.clear_faults(list_seconds=0.0)
            for _fault in range(self.dice.choice([1, 1, 2])):
                when = self.dice.choice(["before", "after"])
                fault = {"path": f"/orders/{self.dice.choice(paths)}", "when": when, **self.dice.choice(FRONT_ENDS)}
                self.vendor.fault(**fault)
                self.site.history.append(f"fault {fault}")
            self._run(options, self.dice.randint(1, 30) if self.dice.random() < 0.3 else 0, happened)
        self.scenario.clear_faults(list_seconds=0.0)
        for _number in range(RUNS):
            run = self._run(options, 0, happened)
            if run.result is not None and happened():
                return
            self.scenario.time.sleep(160)
        raise Violation(f"not done within {RUNS} runs without faults: {run.stopped}")

    def _run(self, options: dict[str, Any], kill_at: int = 0, happened: Callable[[], bool] = lambda: True) -> _Writes:
        run = _Writes(self.site, kill_at, random.Random(self.dice.random()))
        run.options = options
        run()
        self.scenario.count([run])
        self.scenario.check_orders()
        if run.result is not None and run.result["changed"] and not happened():
            raise Violation("a run reports a change that the vendor has not made")
        return run

    def _names(self, order_id: int) -> list[Any]:
        found = self.vendor.backend.store.order(order_id)
        return list(found.names) if found else []


EVENTS = (Answers.unreadable_orders, Answers.methods_changed, Answers.order_cancelled)
