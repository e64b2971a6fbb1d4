# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One seed: a certificate is bought, replaced and renewed under faults; after each storm calm runs must mend all.

The random numbers are the seed's. What two runs at once do to each other is up to the scheduler all the same.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils import _x509
from tests.emulator.testing import Emulator

from .life import IMPATIENT, REAL_PAUSE, Clock, Run, Site, Violation

CALM_RUNS = 30  # after a storm, a day apart once the host is healthy; more than that is no convergence
DAY = 86400
BUY, RENEW, ROOM, REISSUE = "add_ssl_order", "add_ssl_renew_order", "add_ssl_san_order", "ssl/reissue"
READS = ("/orders/status", "/orders/statuses", "/orders/ssl/all", "/orders/", "/products", "/tools", "/auth", "/")
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
    {"kind": "delay", "seconds": 0.03},
    {"kind": "timeout", "seconds": 2 * IMPATIENT},
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

    def __iadd__(self, other: Figures) -> Figures:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self


class DoubleOrder(Violation):
    """More paid orders than terms."""


class Life:
    """The life of one seed's certificate."""

    def __init__(self, emulator: Emulator, seed: int, directory: Path) -> None:
        self.emulator, self.dice, self.figures = emulator, random.Random(seed), Figures(seeds=1)
        emulator.reset()
        emulator.set(
            dcv_mode="pass",
            issuance_delay=self.dice.choice([0.0, 0.0, 5.0, 150.0]),
            list_delay=self.dice.choice([0.0, 0.0, 3.0, 20.0, 90.0]),
            reissue_keeps_crt=self.dice.random() < 0.8,
        )
        self.clock = Clock(emulator)
        self.site = Site(directory, emulator, self.clock)
        self.terms = self.rooms = 0  # orders and extra names that may be paid for so far
        self.abandon = False  # a person said to buy again
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
        self.emulator.clear_faults()
        for _number in range(CALM_RUNS):
            run = Run(self.site)
            end = run(**({} if done() else wish), abandon_intent=self.abandon)
            self.figures.runs += 1
            self.abandon = False
            self.check()
            if end == "healthy" and done():
                return self.check_converged()
            for reason in run.stopped:
                self.decide(reason)
            self.clock.sleep(DAY if end == "healthy" else 160)
        raise Violation("no convergence")

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
        self.emulator.force(self.journal()["order_id"], action="reject")
        self.terms += 1
        self.writes = (BUY,)
        self.reissue()

    # Storms

    def storm(self, **wish: Any) -> None:
        """One run or two at once, with faults, kills and litter."""
        self.emulator.clear_faults()
        for _number in range(self.dice.choice([0, 1, 1, 2, 4])):
            self.fault()
        self.litter()
        runs = [self.doomed() for _number in range(self.dice.choice([1, 1, 1, 2]))]
        threads = [threading.Thread(target=self.run, args=(run, wish)) for run in runs]
        self.clock.pause = REAL_PAUSE if len(runs) > 1 else 0.0
        for thread in threads:
            thread.start()
        if self.dice.random() < 0.2:
            time.sleep(self.dice.random() * 0.1)
            self.emulator.expire_keys()
        for thread in threads:
            thread.join()
        self.clock.pause = 0.0
        self.figures.runs += len(runs)
        self.figures.kills += sum(run.dead for run in runs)
        self.figures.faults += sum(fault["fired"] for fault in self.emulator.faults())
        if self.troubles:
            raise self.troubles[0]
        self.check()

    def run(self, run: Run, wish: dict[str, Any]) -> None:
        try:
            run(**wish)
        except BaseException as error:  # of a thread: raised again by the storm
            self.troubles.append(error)

    def doomed(self) -> Run:
        """A run that will be killed, or not."""
        kill_at = self.dice.randint(1, 110) if self.dice.random() < 0.6 else 0
        return Run(self.site, kill_at, IMPATIENT, random.Random(self.dice.random()))

    def fault(self) -> None:
        write = self.dice.random() < 0.5
        path = f"/orders/{self.dice.choice(self.writes)}" if write else self.dice.choice(READS)
        times = 1 if write else self.dice.choice([1, 1, 2, 6])
        when, kind = self.dice.choice(["before", "after"]), self.dice.choice(KINDS)
        self.site.story.append(f"fault {when} {path} x{times}: {kind}")
        self.emulator.fault(
            path=path, when=when, times=times, skip=0 if write else self.dice.choice([0, 0, 1, 3]), **kind
        )

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
            intent = self.site.record("intent.json")
            bought = intent and intent["public_key"] in {self.key_of(row) for row in self.paid()}
            self.abandon = not bought
        elif "was rejected" in reason:
            self.abandon = True
        else:
            raise Violation(f"calm, and yet: {reason}")

    # Facts and invariants

    def leap_to(self, day: dt.date) -> None:
        then = dt.datetime.combine(day, dt.time(12), dt.timezone.utc).timestamp()
        self.clock.sleep(max(0.0, then - self.clock.now()))

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
        return [row for row in self.emulator.ledger()["orders"] if row["paid"] and row["status"] != "rejected"]

    def purchases(self, ledger: dict[str, Any] | None = None) -> int:
        return sum(row["paid"] for row in (ledger or self.emulator.ledger())["orders"])

    @staticmethod
    def key_of(row: dict[str, Any]) -> str:
        return _x509.read_request(row["csr_code"]).public_key

    def check(self) -> None:
        """What holds at every moment."""
        ledger = self.emulator.ledger()
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
        if int(leaf.serial, 16) != int(newest["serials"][-1], 16):
            raise Violation(f"not the newest certificate of order {newest['order_id']} is installed")
        if not set(self.site.wish["names"]) <= set(leaf.names) or leaf.not_after.timestamp() < self.clock.now():
            raise Violation("the installed certificate is not what was wished for")
        if self.site.record("intent.json") is not None:
            raise Violation("an intent is left")


def live(emulator: Emulator, seed: int, only: str = "") -> Figures:
    """One seed; a violation carries the story of its life."""
    shared = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="chaos-", dir=shared if shared.is_dir() else None))
    life = Life(emulator, seed, directory)
    try:
        life.live(only)
    except Violation as violation:
        violation.add_note(f"seed {seed}: " + "\n  ".join(["", *life.site.story]))
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return life.figures
