# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One seed: a certificate is bought, replaced and renewed under faults; after each storm calm runs must mend all.

Everything that happens is the seed's: the same number is the same life, on every machine.
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

from ansible_collections.certops.gogetssl.plugins.module_utils import _x509
from tests.emulator.faults import Fault

from .life import LIMITS, Run, Site, Violation
from .simulated import Vendor

CALM_RUNS = 30  # after a storm, a day apart once the host is healthy; more than that is no convergence
DAY = 86400
BUY, RENEW, ROOM, REISSUE = "add_ssl_order", "add_ssl_renew_order", "add_ssl_san_order", "ssl/reissue"
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
    """What is printed in the end."""

    seeds: int = 0
    runs: int = 0
    faults: int = 0
    kills: int = 0
    purchases: int = 0
    duplicates: int = 0
    unknown: int = 0
    rejected: int = 0  # orders that a person had bought again
    calls: Counter[str] = dataclasses.field(default_factory=Counter)
    struck: Counter[str] = dataclasses.field(default_factory=Counter)  # by a fault

    def __iadd__(self, other: Figures) -> Figures:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    def __str__(self) -> str:
        figures = [
            f"seeds {self.seeds}",
            f"runs {self.runs}",
            f"calls {self.calls.total()}",
            f"faults {self.faults} at {len(self.struck)} of {len(self.calls)} methods",
            f"kills {self.kills}",
            f"purchases {self.purchases}",
            f"duplicate orders {self.duplicates}",
            f"unknown outcomes {self.unknown}",
            f"rejections {self.rejected}",
        ]
        return ", ".join(figures)


class DoubleOrder(Violation):
    """More paid orders than terms."""


class Life:
    """The life of one seed's certificate."""

    def __init__(self, vendor: Vendor, seed: int, directory: Path) -> None:
        self.vendor, self.dice, self.figures = vendor, random.Random(seed), Figures(seeds=1)
        self.time = vendor.time
        vendor.reset()
        vendor.dice = random.Random(seed)
        random.seed(seed)  # of the client's pauses
        vendor.set(
            dcv_mode="pass",
            issuance_delay=self.dice.choice([0.0, 0.0, 5.0, 150.0]),
            list_delay=self.dice.choice([0.0, 0.0, 3.0, 20.0, 45.0, 90.0]),
            reissue_keeps_crt=self.dice.random() < 0.8,
        )
        self.site = Site(directory, vendor)
        self.terms = self.rooms = 0  # orders and extra names that may be paid for so far
        self.asked = ""  # what a person will have looked up before the next run
        self.writes: tuple[str, ...] = (BUY,)  # what the chapter will make a run do
        self.troubles: list[BaseException] = []  # of threads

    def live(self, only: str = "") -> None:
        """The first purchase, then up to two events, or only the named one."""
        self.terms = 1
        self.chapter()
        events = [
            self.renewal,
            self.reissue,
            self.rekey,
            self.add_name,
            self.key_lost,
            self.journal_lost,
            self.rejected,
        ]
        chosen = self.dice.sample(events, self.dice.choice([0, 1, 1, 2]))
        for event in [event for event in events if event.__name__ == only] if only else chosen:
            self.site.story.append(event.__name__)
            self.writes = (REISSUE,)
            event()

    def chapter(self, done: Callable[[], bool] = lambda: True, **wish: Any) -> None:
        """Storms, then calm runs until the host is healthy and `done`."""
        for _number in range(self.dice.choice([1, 1, 2])):
            self.storm(**wish)
        self.calm(done, **wish)

    def calm(self, done: Callable[[], bool] = lambda: True, **wish: Any) -> None:
        """Runs without faults, and a person who reads what they say."""
        self.weather(list_seconds=self.dice.choice([0.0, 0.0, 2.0, 15.0]))
        for _number in range(CALM_RUNS):
            run = Run(self.site)
            end = run(**({} if done() else wish), abandon_intent=self.abandons())
            self.figures.runs += 1
            self.check()
            if end == "healthy" and done():
                return self.check_converged()
            for reason in run.stopped:
                self.decide(reason)
            self.time.sleep(DAY if end == "healthy" else 160)
        raise Violation("no convergence")

    def weather(self, list_seconds: float) -> None:
        """No faults; lists that are fast or slow."""
        self.vendor.clear_faults()
        self.vendor.late.clear()
        self.vendor.set(list_seconds=list_seconds)

    # Events

    def renewal(self) -> None:
        """The paid term ends: its last certificate is a reissue, and what follows has to be paid."""
        end = dt.date.fromisoformat(self.paid()[-1]["end_date"])
        self.leap_to(end - dt.timedelta(days=150))
        self.calm()
        self.leap_to(end - dt.timedelta(days=self.dice.choice([5, 12, 20])))
        self.next_term()

    def next_term(self) -> None:
        self.terms += 1
        self.writes = (RENEW,)
        self.chapter(lambda: self.purchases() == self.terms)

    def reissue(self) -> None:
        """The certificate ends within the term."""
        leaf = self.installed()
        self.leap_to((leaf.not_after - dt.timedelta(days=self.dice.choice([1, 10, 40]))).date())
        last = self.paid() and self.paid()[-1]["end_date"] == leaf.not_after.date().isoformat()
        if last:
            self.next_term()
        else:
            self.chapter(lambda: self.purchases() == self.terms)

    def rekey(self) -> None:
        """A person wishes for a new key until there is one."""
        old = self.installed().public_key
        self.chapter(lambda: self.installed().public_key != old, rekey=True)

    def add_name(self) -> None:
        """Two more names, one of which has to be paid for."""
        self.site.wish["names"] = [*self.site.wish["names"], "a.example.com", "b.example.com"]
        self.rooms = 1
        self.writes = (ROOM, REISSUE)
        self.chapter()

    def key_lost(self) -> None:
        """The key is removed from under the services."""
        (self.site.root / "current" / "privkey.pem").unlink()
        self.chapter()

    def journal_lost(self) -> None:
        """The journal is removed, and the certificate is due."""
        (self.site.root / "order.json").unlink()
        self.reissue()

    def rejected(self) -> None:
        """The authority takes the order back; a person says to buy again."""
        self.vendor.force(self.journal()["order_id"], action="reject")
        self.terms += 1
        self.writes = (BUY,)
        self.reissue()

    # Storms

    def storm(self, **wish: Any) -> None:
        """One run or several at once, with faults, kills and litter."""
        self.weather(list_seconds=self.dice.choice([0.0, 0.0, 5.0, 25.0, 45.0]))
        for _number in range(self.dice.choice([0, 1, 1, 2, 4])):
            self.fault()
        self.litter()
        if self.dice.random() < 0.2:
            self.time.at(self.time.now + self.dice.uniform(0.0, 40.0), self.vendor.expire_keys)
        runs = [self.doomed() for _number in range(self.dice.choice([1, 1, 1, 2, 2, 3]))]
        self.time.together([functools.partial(self.run, run, wish, number) for number, run in enumerate(runs)])
        self.count(runs)
        if self.troubles:
            raise self.troubles[0]
        self.check()

    def run(self, run: Run, wish: dict[str, Any], number: int) -> None:
        """The first run of a storm, or a rival that comes at the same time or a little later."""
        try:
            if number:
                self.time.sleep(random.choice([0.0, random.uniform(0.0, 5.0), random.uniform(0.0, 90.0)]))
            run(**wish)
        except BaseException as error:  # of a thread: raised again by the storm
            self.troubles.append(error)

    def doomed(self) -> Run:
        """A run that will be killed, or not."""
        kill_at = self.dice.randint(1, 110) if self.dice.random() < 0.6 else 0
        return Run(self.site, kill_at, random.Random(self.dice.random()))

    def fault(self) -> None:
        """At a call that spends, at a kind of call, or at the n-th call whatever it is."""
        when, kind = self.dice.choice(["before", "after"]), dict(self.dice.choice(KINDS))
        aim = self.dice.random()
        if aim < 0.5:
            fault: dict[str, Any] = {"path": f"/orders/{self.dice.choice(self.writes)}"}
        elif aim < 0.75:
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
        self.site.story.append(f"fault {fault}")

    def count(self, runs: list[Run]) -> None:
        self.figures.runs += len(runs)
        self.figures.kills += sum(run.dead for run in runs)
        self.figures.faults += sum(fault["fired"] for fault in self.vendor.faults())
        self.figures.faults += sum(fault.fired for fault in self.vendor.late)

    def litter(self) -> None:
        """What a run killed while writing its records leaves behind."""
        if self.site.root.exists() and self.dice.random() < 0.2:
            for name in (".order.4711", ".intent.4711"):
                (self.site.root / name).write_text('{"format": 1, "order_')

    # People

    def decide(self, reason: str) -> None:
        """What a person does about a stop; any other stop in calm weather is a violation."""
        if "is unknown" in reason:
            self.figures.unknown += 1
            self.asked = "unknown"
        elif "was rejected" in reason:
            self.figures.rejected += 1
            self.asked = "rejected"
        elif "Reissue is not possible" not in reason:  # a late one took effect in between: the next run goes on with it
            raise Violation(f"calm, and yet: {reason}")

    def abandons(self) -> bool:
        """Whether a person, who looks into the account now, has the next run buy again."""
        asked, self.asked = self.asked, ""
        intent = self.site.record("intent.json")
        bought = intent and intent["public_key"] in {self.key_of(row) for row in self.paid()}
        return asked == "rejected" or (asked == "unknown" and not bought)

    # Facts and invariants

    def leap_to(self, day: dt.date) -> None:
        then = dt.datetime.combine(day, dt.time(12), dt.timezone.utc).timestamp()
        self.time.sleep(max(0.0, then - self.time.now))

    def journal(self) -> dict[str, Any]:
        found = self.site.record("order.json")
        if found is None:
            raise Violation("there is no journal")
        return found

    def installed(self) -> _x509.Certificate:
        found = self.site.certificate()
        if found is None:
            raise Violation("nothing is installed")
        return found

    def paid(self) -> list[dict[str, Any]]:
        return [row for row in self.vendor.ledger()["orders"] if row["paid"] and row["status"] != "rejected"]

    def purchases(self, ledger: dict[str, Any] | None = None) -> int:
        return sum(row["paid"] for row in (ledger or self.vendor.ledger())["orders"])

    @staticmethod
    def key_of(row: dict[str, Any]) -> str:
        return _x509.read_request(row["csr_code"]).public_key

    def check(self) -> None:
        """What holds at every moment."""
        ledger = self.vendor.ledger()
        purchases = self.purchases(ledger)
        self.figures.purchases = purchases
        if purchases > self.terms:
            self.figures.duplicates += purchases - self.terms
            raise DoubleOrder(f"{purchases} paid orders for {self.terms} terms")
        rooms = sum(charge["kind"] == "san" for charge in ledger["charges"])
        if rooms > self.rooms:
            self.figures.duplicates += rooms - self.rooms
            raise DoubleOrder(f"room for names was paid {rooms} times instead of {self.rooms}")

    def check_converged(self) -> None:
        """What holds once a calm run finds the host healthy."""
        orders, journal, leaf = self.paid(), self.journal(), self.installed()
        newest = max(orders, key=lambda row: int(row["order_id"]))
        if self.purchases() != self.terms:
            raise Violation(f"{self.purchases()} paid orders for {self.terms} terms after convergence")
        if journal["order_id"] != newest["order_id"]:
            raise Violation(f"no run finds paid order {newest['order_id']}: the journal has {journal['order_id']}")
        # What is asked for twice, by a rival or because an answer was lost, may be issued twice. Either will do, but
        # the key of the newest must not be lost. A reissue that takes effect late has the key of the version before.
        if int(leaf.serial, 16) not in {int(serial, 16) for serial in newest["serials"]}:
            raise Violation(f"no certificate of order {newest['order_id']} is installed")
        if self.key_of(newest) not in self.site.held_keys():
            raise Violation(f"the key of order {newest['order_id']} is not on the host")
        if not set(self.site.wish["names"]) <= set(leaf.names) or leaf.not_after.timestamp() < self.time.now:
            raise Violation("the installed certificate is not what was wished for")
        if self.site.record("intent.json") is not None:
            raise Violation("an intent is left")


def live(vendor: Vendor, seed: int, only: str = "") -> Figures:
    """One seed; a violation carries the story of its life."""
    shared = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="chaos-", dir=shared if shared.is_dir() else None))
    life = Life(vendor, seed, directory)
    try:
        life.live(only)
    except Violation as violation:
        violation.add_note(f"seed {seed}: " + "\n  ".join(["", *life.site.story]))
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    for call in vendor.world.requests:
        method = re.sub(r"\d+", "ID", f"{call['method']} {call['path']}".rstrip("/"))
        life.figures.calls[method] += 1
        life.figures.struck[method] += bool(call["fault"])
    life.figures.struck = +life.figures.struck
    return life.figures
