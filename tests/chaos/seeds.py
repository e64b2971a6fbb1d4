# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One seed: a certificate is bought, replaced and renewed under faults; later runs without faults must recover.

The seed determines everything that happens: the same seed is the same scenario on every machine.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._order.lifetime import RENEWAL_WINDOW, midnight
from tests.emulator.faults import Fault

from . import answers, leis, more
from .runs import LIMITS, Run, Site, Violation
from .simulated import Vendor

RECOVERY_RUNS = 30  # within which a host must converge after faults; runs are a day apart once it is healthy
DAY = 86400
BUY, RENEW, ADD_NAMES, REISSUE = "add_ssl_order", "add_ssl_renew_order", "add_ssl_san_order", "ssl/reissue"
READS = ("/orders/status", "/orders/statuses", "/orders/ssl/all", "/orders/", "/products", "/tools", "/auth")
KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "reset"},
    {"kind": "reset"},
    {"kind": "truncate"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"},
    {"kind": "status", "status": 429},
    {"kind": "body", "body": "<html>Maintenance</html>"},
    {"kind": "body", "body": '{"order_id": 78'},
    {"kind": "body", "body": ""},
    {"kind": "delay", "seconds": 10},
    {"kind": "timeout", "seconds": 2 * LIMITS.timeout},
    {"kind": "late"},
    {"kind": "late"},
)


@dataclasses.dataclass
class Figures:
    """The totals that are printed at the end."""

    seeds: int = 0
    runs: int = 0
    faults: int = 0
    kills: int = 0
    purchases: int = 0
    duplicates: int = 0
    unknown: int = 0
    rejected: int = 0  # orders that the operator had bought again
    calls: Counter[str] = dataclasses.field(default_factory=Counter)
    faulted: Counter[str] = dataclasses.field(default_factory=Counter)  # by a fault

    def __iadd__(self, other: Figures) -> Figures:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    def __str__(self) -> str:
        figures = [
            f"seeds {self.seeds}",
            f"runs {self.runs}",
            f"calls {self.calls.total()}",
            f"faults {self.faults} at {len(self.faulted)} of {len(self.calls)} methods",
            f"kills {self.kills}",
            f"purchases {self.purchases}",
            f"duplicate orders {self.duplicates}",
            f"unknown outcomes {self.unknown}",
            f"rejections {self.rejected}",
        ]
        return ", ".join(figures)


class DoubleOrder(Violation):
    """More paid orders than terms."""


class Scenario:
    """The lifecycle of one seed's certificate."""

    def __init__(self, vendor: Vendor, seed: int, directory: Path) -> None:
        self.vendor, self.dice, self.figures = vendor, random.Random(seed), Figures(seeds=1)
        self.time, self.front_ends = vendor.time, more.FrontEnds(seed)
        self.more_dice = random.Random(f"{seed}-more")
        vendor.reset()
        vendor.dice = random.Random(seed)
        random.seed(seed)  # for the client's pauses between attempts
        vendor.set(
            dcv_mode="pass",
            issuance_delay=self.dice.choice([0.0, 0.0, 5.0, 150.0]),
            list_delay=self.dice.choice([0.0, 0.0, 3.0, 20.0, 45.0, 90.0]),
            reissue_keeps_crt=self.dice.random() < 0.8,
        )
        self.site = Site(directory, vendor)
        self.terms = self.extra_names = 0  # orders and additional names that may be paid so far
        self.operator_knows = ""  # what the operator learned from the last stop
        self.paid_calls: tuple[str, ...] = (BUY,)  # calls that the current phase needs
        self.errors: list[BaseException] = []  # raised in threads
        self.keys_of_clone: set[str] = set()
        self.cloned = False  # a clone replaced the key of the order in turn, which a run reports
        self.victim: Site | None = None  # another host with another certificate
        self.victim_orders: list[dict[str, Any]] = []  # its orders after its last own run
        if self.dice.random() < 0.3:
            self.site.spec["abandon_intent"] = True  # remains in the inventory until a stop tells to remove it

    def run_seed(self, only: str = "") -> None:
        """The first purchase, then up to two random events or only the given one."""
        self.terms = 1
        self.phase()
        if self.dice.random() < 0.3:
            self.site.spec["adopt"] = self.journal()["order_id"]  # remains in the inventory
        events = [
            self.renewal,
            self.reissue,
            self.rekey,
            self.add_name,
            self.key_lost,
            self.journal_lost,
            self.rejected,
            self.restored,
            self.foreign_journal,
            self.other_order,
            self.never_validated,
        ]
        chosen = self.dice.sample(events, self.dice.choice([0, 1, 1, 2]))
        for event in [event for event in events if event.__name__ == only] if only else chosen:
            self.site.history.append(event.__name__)
            self.paid_calls = (REISSUE,)
            event()
        others = [event for event in more.EVENTS if event.__name__ == only]
        if not only and self.more_dice.random() < 0.25:
            others = [self.more_dice.choice(more.EVENTS)]
        for other in others:
            self.site.history.append(other.__name__)
            self.paid_calls = (REISSUE,)
            other(self)

    def phase(self, done: Callable[[], bool] = lambda: True, **spec: Any) -> None:
        """Runs with faults, then runs without faults until the host is healthy and `done`."""
        for _number in range(self.dice.choice([1, 1, 2])):
            self.run_with_faults(**spec)
        self.run_without_faults(done, **spec)

    def run_without_faults(self, done: Callable[[], bool] = lambda: True, **spec: Any) -> None:
        """Runs without faults until the host is healthy and `done`; the operator resolves their stops."""
        self.clear_faults(list_seconds=self.dice.choice([0.0, 0.0, 2.0, 15.0]))
        for _number in range(RECOVERY_RUNS):
            run = Run(self.site)
            flag = bool(self.site.spec.get("abandon_intent")) or self.abandons_intent()
            end = run(**({} if done() else spec), abandon_intent=flag)
            self.figures.runs += 1
            self.check_orders()
            if end == "healthy" and done():
                return self.check_converged()
            for reason in run.stopped:
                self.resolve_stop(reason)
            if flag:
                self.operator_knows = ""  # the option must be removed for one run before it has an effect again
            self.time.sleep(DAY if end == "healthy" else 160)
        raise Violation("no convergence")

    def run_once(self, **spec: Any) -> None:
        """One run as the other settings are."""
        Run(self.site)(**spec)
        self.figures.runs += 1

    def clear_faults(self, list_seconds: float) -> None:
        """Clear all faults and set how long the vendor's order lists take."""
        self.vendor.clear_faults()
        self.time.forget(self.vendor.expire_keys)
        self.vendor.late.clear()
        self.vendor.set(list_seconds=list_seconds)

    # Events

    def renewal(self) -> None:
        """The paid term ends: its last certificate is a reissue, and the next term must be paid."""
        end = dt.date.fromisoformat(self.paid()[-1]["end_date"])
        self.advance_to(end - dt.timedelta(days=150))
        self.run_without_faults()
        self.advance_to(end - dt.timedelta(days=self.dice.choice([5, 12, 20])))
        self.renew_order()

    def renew_order(self) -> None:
        self.terms += 1
        self.paid_calls = (RENEW,)
        self.phase(lambda: self.purchases() == self.terms)

    def reissue(self) -> None:
        """The certificate expires within the paid term."""
        leaf = self.installed()
        self.advance_to((leaf.not_after - dt.timedelta(days=self.dice.choice([1, 10, 40]))).date())
        if self.last_of_term():
            self.renew_order()
        else:
            self.phase(lambda: self.purchases() == self.terms)

    def last_of_term(self) -> bool:
        """Whether the installed certificate is the last one of its paid term."""
        return bool(self.paid()) and self.paid()[-1]["end_date"] == self.installed().not_after.date().isoformat()

    def renewal_is_open(self) -> bool:
        """Whether the next term can be paid."""
        end = midnight(dt.date.fromisoformat(self.paid()[-1]["end_date"]))
        return self.time.now >= (end - RENEWAL_WINDOW).timestamp()

    def replace_now(self, last: bool) -> None:
        """Replace a lost certificate: for free, or with the next term if it was the `last` one and that can be paid."""
        if last and self.renewal_is_open():
            self.renew_order()
        else:
            self.phase()

    def rekey(self) -> None:
        """The operator requests a new key until it is installed."""
        old = self.installed().public_key
        self.phase(lambda: self.installed().public_key != old, rekey=True)

    def add_name(self) -> None:
        """Add two names, one of which must be paid."""
        self.site.spec["names"] = [*self.site.spec["names"], "a.example.com", "b.example.com"]
        self.extra_names = 1
        self.paid_calls = (ADD_NAMES, REISSUE)
        self.phase()

    def key_lost(self) -> None:
        """The installed private key is removed."""
        last = self.last_of_term()
        (self.site.root / "current" / "privkey.pem").unlink()
        self.replace_now(last)

    def journal_lost(self) -> None:
        """The journal is removed when the certificate is due."""
        (self.site.root / "order.json").unlink()
        self.reissue()

    def rejected(self) -> None:
        """The CA rejects the order, and the operator allows another purchase."""
        self.vendor.force(self.journal()["order_id"], action="reject")
        self.terms += 1
        self.paid_calls = (BUY,)
        self.reissue()

    def restored(self) -> None:
        """The host is restored from a backup that is older than its renewal, once or twice."""
        backup = self.site.root.with_name("backup")
        shutil.copytree(self.site.root, backup, symlinks=True)
        self.renewal()
        self.time.sleep(120)  # until the lists contain the renewed order, as a search cannot find it earlier
        self.paid_calls = (RENEW, BUY, REISSUE)
        for _number in range(self.dice.choice([1, 2])):
            shutil.rmtree(self.site.root)
            shutil.copytree(backup, self.site.root, symlinks=True)
            self.phase()
        shutil.rmtree(backup)

    def new_victim(self) -> Site:
        """Another host of the account, with a healthy certificate for other names.

        It may exist from an earlier event. Then its own runs replace its certificate if that is due.
        """
        self.check_other_host(self.vendor.ledger())
        victim = self.victim or Site(self.site.directory / "victim", self.vendor, "victim")
        more.recover(self, victim)
        return victim

    def remember_victim(self, victim: Site) -> None:
        """What only the victim's own runs may change from now on."""
        self.victim, self.victim_orders = victim, self.rows_of(victim)

    def foreign_journal(self) -> None:
        """The journal is another host's, as on a cloned disk, when the certificate is due."""
        victim = self.new_victim()
        shutil.copy(victim.root / "order.json", self.site.root / "order.json")
        self.reissue()

    def other_order(self) -> None:
        """The response to the renewal names another host's order."""
        victim = self.new_victim().record("order.json")
        self.vendor.answer_with = victim["order_id"] if victim else None
        self.renewal()

    def never_validated(self) -> None:
        """Nobody validates the next term's order: GoGetSSL cancels it, and the operator has another one bought."""
        end = dt.date.fromisoformat(self.paid()[-1]["end_date"])
        for days in (150, 40):  # until the term's last certificate is installed, so that only a renewal is due
            if self.installed().not_after.date() < end - dt.timedelta(days=2) or days == 150:
                self.advance_to(end - dt.timedelta(days=days))
                self.run_without_faults()
        self.advance_to(end - dt.timedelta(days=5))
        self.vendor.set(issuance_delay=9e6)
        self.terms += 1
        self.paid_calls = (RENEW,)
        self.run_with_faults()
        self.vendor.set(issuance_delay=0.0)
        for row in self.paid():
            if row["status"] in ("processing", "pending", "new_order"):
                self.vendor.force(row["order_id"], status="cancelled")
                self.terms += 1
        self.paid_calls = (RENEW, BUY)
        self.phase(lambda: self.purchases() == self.terms)

    # Runs with faults

    def run_with_faults(self, **spec: Any) -> None:
        """One run or several concurrent runs, with faults, kills and partly written files."""
        self.clear_faults(list_seconds=self.dice.choice([0.0, 0.0, 5.0, 25.0, 45.0]))
        for _number in range(self.dice.choice([0, 1, 1, 2, 4])):
            self.fault()
        answer = self.front_ends.fault(self.paid_calls)
        if answer:
            self.vendor.fault(**answer)
            self.site.history.append(f"fault {answer}")
        self.write_partial_records()
        if self.dice.random() < 0.2:
            self.time.at(self.time.now + self.dice.uniform(0.0, 40.0), self.vendor.expire_keys)
        runs = [self.new_run() for _number in range(self.dice.choice([1, 1, 1, 2, 2, 3]))]
        self.time.together([functools.partial(self.start_run, run, spec, number) for number, run in enumerate(runs)])
        self.count(runs)
        if self.errors:
            raise self.errors[0]
        self.check_orders()

    def start_run(self, run: Run, spec: dict[str, Any], number: int) -> None:
        """Start the first run, or a concurrent run at the same time or a little later."""
        try:
            if number:
                self.time.sleep(random.choice([0.0, random.uniform(0.0, 5.0), random.uniform(0.0, 90.0)]))
            run(**spec)
        except BaseException as error:  # in a thread, raised again by run_with_faults
            self.errors.append(error)

    def new_run(self) -> Run:
        """A run that may be killed."""
        kill_at = self.dice.randint(1, 110) if self.dice.random() < 0.6 else 0
        return Run(self.site, kill_at, random.Random(self.dice.random()))

    def fault(self) -> None:
        """Set a fault for a paid call, for one kind of call, or for the n-th call of any kind."""
        when, kind = self.dice.choice(["before", "after"]), dict(self.dice.choice(KINDS))
        choice = self.dice.random()
        if choice < 0.5:
            fault: dict[str, Any] = {"path": f"/orders/{self.dice.choice(self.paid_calls)}"}
        elif choice < 0.75:
            fault = {"path": self.dice.choice(READS), "times": self.dice.choice([1, 1, 2, 6])}
            fault["skip"] = self.dice.choice([0, 0, 1, 3])
        else:
            fault = {"path": "/", "skip": self.dice.randint(0, 40)}
        fault |= {"when": when, **kind}
        if kind["kind"] == "late":
            fault |= {"kind": "delay", "seconds": LIMITS.timeout + self.dice.uniform(0.0, 20.0)}
            self.vendor.late.append(Fault(**fault))
        else:
            self.vendor.fault(**fault)
        self.site.history.append(f"fault {fault}")

    def count(self, runs: list[Run]) -> None:
        self.figures.runs += len(runs)
        self.figures.kills += sum(run.dead for run in runs)
        self.figures.faults += sum(fault["fired"] for fault in self.vendor.faults())
        self.figures.faults += sum(fault.fired for fault in self.vendor.late)

    def write_partial_records(self) -> None:
        """Create the files left by a run that was killed while it wrote its records."""
        if self.site.root.exists() and self.dice.random() < 0.2:
            for name in (".order.4711", ".intent.4711"):
                (self.site.root / name).write_text('{"format": 1, "order_')

    # The operator

    def resolve_stop(self, reason: str) -> None:
        """What the operator does about a stop. Any other stop of a run without faults is a violation."""
        if "is unknown" in reason:
            self.figures.unknown += 1
            self.operator_knows = "unknown"
        elif "Fix the cause, then set abandon_intent" in reason:
            self.figures.rejected += 1
            self.operator_knows = "rejected"
        elif "does not belong to this certificate" in reason:
            (self.site.root / "order.json").unlink()
        elif "named by adopt, is" in reason:
            self.site.spec.pop("adopt")
        elif (self.cloned or self.vendor.late_reissues) and "its new certificate has the same fault" in reason:
            self.operator_knows = "rejected"  # the clone is gone, or the late key before last: reissue once more
        elif "the account has a live order for" in reason:  # bought by a clone, or with a key that was lost
            self.site.spec["adopt"] = self.paid()[-1]["order_id"]
        elif "Reissue is not possible" not in reason:  # a late reissue took effect; the next run continues it
            raise Violation(f"run without faults stopped: {reason}")
        self.site.spec.pop("abandon_intent", None)

    def abandons_intent(self) -> bool:
        """Whether the operator, after checking the account, sets `abandon_intent` for the next run."""
        known, self.operator_knows = self.operator_knows, ""
        intent = self.site.record("intent.json")
        bought = intent and any(
            self.key_of(row) == intent["public_key"] for row in self.paid() if row["order_id"] > intent["newest"]
        )
        return known == "rejected" or (known == "unknown" and not bought)

    # State and invariants

    def advance_to(self, day: dt.date) -> None:
        then = dt.datetime.combine(day, dt.time(12), dt.timezone.utc).timestamp()
        self.time.sleep(max(0.0, then - self.time.now))

    def journal(self) -> dict[str, Any]:
        found = self.site.record("order.json")
        if found is None:
            raise Violation("no journal")
        return found

    def installed(self) -> x509.Certificate:
        found = self.site.certificate()
        if found is None:
            raise Violation("nothing is installed")
        return found

    def paid(self) -> list[dict[str, Any]]:
        return [row for row in self.own_orders() if row["paid"] and row["status"] != "rejected"]

    def own_orders(self, ledger: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        orders = (ledger or self.vendor.ledger())["orders"]
        return [row for row in orders if row["common_name"] == self.site.spec["names"][0]]

    def purchases(self, ledger: dict[str, Any] | None = None) -> int:
        return sum(row["paid"] for row in self.own_orders(ledger))

    @staticmethod
    def key_of(row: dict[str, Any]) -> str:
        return x509.read_request(row["csr_code"]).public_key

    def check_orders(self) -> None:
        """Check that no order and no additional name is paid twice."""
        ledger = self.vendor.ledger()
        self.check_other_host(ledger)
        purchases = self.purchases(ledger)
        self.figures.purchases = purchases
        if purchases > self.terms:
            self.figures.duplicates += purchases - self.terms
            raise DoubleOrder(f"{purchases} paid orders for {self.terms} terms")
        extra_names = sum(charge["kind"] == "san" for charge in ledger["charges"])
        if extra_names > self.extra_names:
            self.figures.duplicates += extra_names - self.extra_names
            raise DoubleOrder(f"additional names were paid {extra_names} times instead of {self.extra_names}")

    def check_other_host(self, ledger: dict[str, Any]) -> None:
        """Check that the orders of another host are as its own runs left them: none new, replaced or cancelled."""
        if self.victim is not None and self.rows_of(self.victim, ledger) != self.victim_orders:
            raise Violation("the order of another host was changed")

    def rows_of(self, site: Site, ledger: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """What must not change in a host's orders without its own run. Time alone ends an order."""
        kept = ("order_id", "names", "csr_code", "serials", "cancel_requested")
        orders = (ledger or self.vendor.ledger())["orders"]
        return [{key: row[key] for key in kept} for row in orders if row["common_name"] in site.spec["names"]]

    def check_converged(self) -> None:
        """Check what must hold once a run without faults reports the host as healthy."""
        orders, journal, leaf = self.paid(), self.journal(), self.installed()
        newest = max(orders, key=lambda row: int(row["order_id"]))
        if self.purchases() != self.terms:
            raise Violation(f"{self.purchases()} paid orders for {self.terms} terms after convergence")
        if journal["order_id"] != newest["order_id"]:
            raise Violation(f"no run has found paid order {newest['order_id']}: the journal has {journal['order_id']}")
        # A reissue that is requested twice, by a concurrent run or after a lost response, may be issued twice. Either
        # certificate is valid, but the key of the newest must exist. A late reissue has the key of the version before.
        if int(leaf.serial, 16) not in {int(serial, 16) for serial in newest["serials"]}:
            raise Violation(f"no certificate of order {newest['order_id']} is installed")
        if self.key_of(newest) not in self.site.held_keys() | self.keys_of_clone:
            raise Violation(f"the key of order {newest['order_id']} is not on the host")
        if not set(self.site.spec["names"]) <= set(leaf.names) or leaf.not_after.timestamp() < self.time.now:
            raise Violation("the installed certificate does not match its spec")
        if self.site.record("intent.json") is not None:
            raise Violation("an intent remains")


def run_seed(vendor: Vendor, seed: int, only: str = "") -> Figures:
    """Run one seed. A violation has the history of the scenario as a note."""
    shared = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="chaos-", dir=shared if shared.is_dir() else None))
    scenario = Scenario(vendor, seed, directory)
    try:
        scenario.run_seed(only)
        answers.Answers(scenario, seed).run(only)
        leis.run_life(scenario, seed, only)
    except Violation as violation:
        violation.add_note(f"seed {seed}: " + "\n  ".join(["", *scenario.site.history]))
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    for call in vendor.backend.requests:
        method = re.sub(r"\d+", "ID", f"{call['method']} {call['path']}".rstrip("/"))
        scenario.figures.calls[method] += 1
        scenario.figures.faulted[method] += bool(call["fault"])
    scenario.figures.faulted = +scenario.figures.faulted
    return scenario.figures
