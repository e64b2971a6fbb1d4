# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The LEIs of one seed: bought and renewed under faults by concurrent hosts of one controller."""

from __future__ import annotations

import dataclasses
import functools
import random
import shutil
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import lei
from tests.emulator.faults import Fault

from . import seeds
from .runs import LIMITS, Run, Violation

EVERY = 4  # of so many seeds, one has LEIs too
RECOVERY_RUNS = 20
LEI = "lei"  # the name of this event
ADDRESS = {"addressline1": "Street 1", "city": "Riga", "postalcode": "LV-1001", "country": "LV"}
READS = ("/invoice", "/lei/status", "/lei/lookup", "/")
FRONT_ENDS = (401, 403, 407, 408, 413, 429, 520, 522, 524)


@dataclasses.dataclass
class Company:
    """A company, the options of its task in the playbook, and how many terms may be paid so far."""

    registration: str
    options: dict[str, Any]
    terms: int = 1

    def __post_init__(self) -> None:
        self.entity = {
            "legal_name": f"Company {self.registration} SIA",
            "registration_id": self.registration,
            "jurisdiction": "LV",
            "firstname": "Ada",
            "lastname": "Lovelace",
            "legal_address": ADDRESS,
        }


class LeiRun(Run):
    """One host's run of the task."""

    options: dict[str, Any]
    result: dict[str, Any] | None = None

    def _work(self, _item: dict[str, Any]) -> str:
        self.state_directory = str(self.site.directory / "controller")
        self.result = self.do(lei.TASK, **self.options)
        return "done"


class LeiLife:
    """One or two companies at one address. The options stay as they are for years, unless a stop says otherwise."""

    def __init__(self, scenario: seeds.Scenario, seed: int) -> None:
        self.scenario, self.vendor, self.time = scenario, scenario.vendor, scenario.time
        self.dice = random.Random(f"lei {seed}")
        self.companies = [Company(str(number), {}) for number in range(self.dice.choice([1, 1, 2]))]
        self.trailing = self.dice.choice([0.0, 0.0, 45.0, 300.0])
        self.vendor.set(
            lei_seconds=self.dice.choice([0.0, 60.0, 7200.0]),
            lei_register_delay=self.dice.choice([0.0, 600.0, 2.0 * seeds.DAY]),
            invoice_delay=self.trailing,
        )

    def run(self) -> None:
        """The first purchase, and up to two renewals of an unedited playbook."""
        flag = {"abandon_intent": True} if self.dice.random() < 0.3 else {}
        for company in self.companies:
            company.options = {**company.entity, **flag}
        self.phase()
        if self.dice.random() < 0.3:
            self.controller_lost()
        for company in self.companies:
            company.options = {"state": "renewed", "order_id": self.orders(company)[0], **flag}
        for _term in range(self.dice.choice([0, 1, 1, 2])):
            self.time.sleep(330 * seeds.DAY)
            for company in self.companies:
                company.terms += 1
            self.phase()
        self.scenario.figures.purchases += sum(len(self.orders(company)) for company in self.companies)

    def controller_lost(self) -> None:
        """The journal is lost after the account lists the orders: they must be found there."""
        self.time.sleep(self.trailing + 60)
        shutil.rmtree(self.scenario.site.directory / "controller")
        for company in self.companies:  # without the journal, orders at one address are told apart by the operator
            company.options["other_orders"] = self.orders_of_others(company)
        self.phase()

    def phase(self) -> None:
        """Concurrent runs with faults, then runs without faults until each company has its term."""
        self.scenario.clear_faults(list_seconds=0.0)
        for _number in range(self.dice.choice([0, 1, 2, 2, 3])):
            self.fault()
        runs = [self.new_run(self.dice.choice(self.companies)) for _host in range(self.dice.choice([1, 2, 3, 3]))]
        self.time.together([functools.partial(self.start, run, number) for number, run in enumerate(runs)])
        self.scenario.count(runs)
        if self.scenario.errors:
            raise self.scenario.errors[0]
        self.check()
        self.scenario.clear_faults(list_seconds=0.0)
        for company in self.companies:
            self.recover(company)

    def start(self, run: LeiRun, number: int) -> None:
        """Start a host's run, a fork of one play or a play that was started a little later."""
        try:
            self.time.sleep(
                random.choice([0.0, random.uniform(0.0, 2.0), random.uniform(0.0, 90.0)]) if number else 0.0
            )
            run()
        except BaseException as error:  # in a thread, raised again by phase
            self.scenario.errors.append(error)

    def new_run(self, company: Company) -> LeiRun:
        kill_at = self.dice.randint(1, 50) if self.dice.random() < 0.5 else 0
        run = LeiRun(self.scenario.site, kill_at, random.Random(self.dice.random()))
        run.options = company.options
        return run

    def fault(self) -> None:
        """Set a fault for a purchase or for a read."""
        kind = dict(self.dice.choice(seeds.KINDS))
        if self.dice.random() < 0.5:
            kind = {"kind": "status", "status": self.dice.choice(FRONT_ENDS), "body": "<html>Denied</html>"}
        if self.dice.random() < 0.7:
            fault = {"path": "/orders/lei/", "when": self.dice.choice(["before", "after", "after"]), **kind}
        else:
            fault = {"path": self.dice.choice(READS), "when": self.dice.choice(["before", "after"]), **kind}
            fault["skip"] = self.dice.choice([0, 0, 1, 5])
        if kind["kind"] == "late":
            fault |= {"kind": "delay", "seconds": LIMITS.timeout + self.dice.uniform(0.0, 20.0)}
            self.vendor.late.append(Fault(**fault))
        else:
            self.vendor.fault(**fault)
        self.scenario.site.history.append(f"fault {fault}")

    def recover(self, company: Company) -> None:
        """Runs without faults until the company has its term; the operator resolves their stops."""
        once: dict[str, Any] = {}
        for _number in range(RECOVERY_RUNS):
            run = LeiRun(self.scenario.site)
            run.options = {**company.options, **once}
            end = run()
            self.scenario.figures.runs += 1
            self.check()
            if end == "done" and "abandon_intent" not in once and "order_id" not in once:
                if not self.belongs_to_other(company, run):
                    return self.check_converged(company)
                continue
            once = self.resolve(company, run)
            self.time.sleep(400)
        raise Violation("no convergence of an LEI")

    def belongs_to_other(self, company: Company, run: LeiRun) -> bool:
        """Whether a run found an order of the company next door; the operator, who is told to, excludes it."""
        result = run.result or {}
        others = self.orders_of_others(company)
        if result.get("order_id") not in others:
            return False
        if "add it to other_orders" not in result["reason"] or result["changed"]:
            raise Violation(f"order {result['order_id']} is another company's: {result['reason']}")
        company.options["other_orders"] = others
        return True

    def resolve(self, company: Company, run: LeiRun) -> dict[str, Any]:
        """What the operator sets for the next run alone, after a look into the account."""
        if not run.stopped:
            return {}
        if "is unknown" not in run.stopped[0]:
            raise Violation(f"LEI run without faults stopped: {run.stopped[0]}")
        self.scenario.figures.unknown += 1
        flag = bool(company.options.pop("abandon_intent", False)) or bool(run.options.get("abandon_intent"))
        orders = self.orders(company)
        if "at the same address is open too" in run.stopped[0]:
            company.options["other_orders"] = self.orders_of_others(company)
        if len(orders) < company.terms:
            return {} if flag else {"abandon_intent": True}
        if company.options.get("state") == "renewed" or self.dice.random() < 0.5:
            return {}  # the account lists it later
        return {"order_id": orders[-1]}

    # Invariants

    def orders(self, company: Company) -> list[int]:
        """The orders of a company, oldest first. Each is charged."""
        leis = self.vendor.backend.store.leis()
        return [row["id"] for row in leis if row["data"]["registrationAuthorityEntityId"] == company.registration]

    def orders_of_others(self, company: Company) -> list[int]:
        return [order for other in self.companies if other is not company for order in self.orders(other)]

    def check(self) -> None:
        for company in self.companies:
            more = len(self.orders(company)) - company.terms
            if more > 0:
                self.scenario.figures.duplicates += more
                raise seeds.DoubleOrder(f"{more} LEI orders more than the {company.terms} terms of a company")

    def check_converged(self, company: Company) -> None:
        if len(self.orders(company)) != company.terms:
            raise Violation(f"{len(self.orders(company))} LEI orders for {company.terms} terms after convergence")


def run_life(scenario: seeds.Scenario, seed: int, only: str) -> None:
    """The LEIs of a seed, after its certificate."""
    if only == LEI or (not only and seed % EVERY == 0):
        scenario.site.history.append(LEI)
        LeiLife(scenario, seed).run()
