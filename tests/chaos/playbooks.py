# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chaos at the playbook level: `python -m tests.chaos.playbooks --seed N --count N`.

Each seed kills `ansible-playbook` with SIGKILL, once or twice, or starts two at once, while it buys or replaces a
certificate; then it is run until it works. One order must have been paid, nothing may be left lying about, and the next
run must change nothing and call nobody. A kill strikes at the n-th call of the API, at the n-th command on the hosts or
after a fraction of the time a run takes; the first two strike at the same place each time. In every fourth seed two
hosts share the certificate: in parallel forks, one after the other, or each at its own pace.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import dataclasses
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils import _x509
from tests.bin.processes import kill_tree
from tests.emulator.testing import Emulator
from tests.playbooks.conftest import NAMES, Bench, world
from tests.playbooks.conftest import Run as Ended

from .life import Violation
from .seeds import DoubleOrder

HERE = Path(__file__).parent
SITE, SHELL = str(HERE / "site.yml"), str(HERE / "shell.sh")
SHARED: tuple[dict[str, Any], ...] = ({}, {"chaos_serial": 1}, {"chaos_strategy": "free"})
LITTER = (".gogetssl-new-", "intent.json", "unproven")
RUNS = 6  # to converge in
RUN_SECONDS = 240  # no run takes so long, on any machine
Process = subprocess.Popen[str]


@dataclasses.dataclass
class Figures:
    """What is printed in the end."""

    seeds: int = 0
    runs: int = 0
    kills: int = 0
    purchases: int = 0
    duplicates: int = 0
    unknown: int = 0

    def __iadd__(self, other: Figures) -> Figures:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    def __str__(self) -> str:
        return (
            f"seeds {self.seeds}, runs {self.runs}, kills {self.kills}, purchases {self.purchases},"
            f" duplicate orders {self.duplicates}, unknown outcomes {self.unknown}"
        )


@dataclasses.dataclass(frozen=True)
class Measure:
    """A run that nobody disturbs."""

    calls: int
    commands: int
    seconds: float


class Yard:
    """An emulator and web server for many seeds, one after the other."""

    def __init__(self, directory: Path, web_root: Path, emulator: Emulator, port: int) -> None:
        self.directory, self.web_root, self.emulator, self.port = directory, web_root, emulator, port
        self.measure = Measure(0, 0, 0.0)

    def bench(self) -> Bench:
        """A new host and a new account."""
        shutil.rmtree(self.web_root / ".well-known", ignore_errors=True)
        self.emulator.reset()
        self.emulator.set(issuance_delay=0.0, dcv_interval=0.5)
        return Bench(Path(tempfile.mkdtemp(dir=self.directory)), self.web_root, self.emulator, self.port)

    def take_measure(self) -> None:
        seed = Seed(self, 0)
        started = time.monotonic()
        seed.run()
        commands = len(seed.count.read_text().splitlines())
        self.measure = Measure(len(self.emulator.requests()), commands, time.monotonic() - started)
        seed.check()

    def keys(self) -> set[str]:
        """Every key the emulator has given out and not forgotten."""
        with contextlib.closing(sqlite3.connect(self.directory / "state" / "state.sqlite")) as database:
            return {key for (key,) in database.execute("select key from keys")}


class Seed:
    """One certificate's trouble."""

    def __init__(self, yard: Yard, number: int) -> None:
        self.yard, self.dice, self.figures = yard, random.Random(number), Figures(seeds=1)
        self.bench, self.emulator = yard.bench(), yard.emulator
        self.count = self.bench.directory / "commands"
        self.hosts: tuple[str, ...] = ("web1",)
        self.variables: dict[str, Any] = {}
        self.wish: dict[str, Any] = self.bench.shop()
        if number % 4 == 3:
            self.hosts = ("web1", "web2")
            self.variables = SHARED[number // 4 % len(SHARED)]
            self.wish["order_host"] = "web1"
        if number % 2:
            self.wish.update(services=["custom"], listeners=[])  # nobody can ask what it serves
        self.verbose = ["-vvvv"] if number % 3 == 0 else []
        self.story: list[str] = []
        self.logs: dict[int, Path] = {}
        self.orphans = False  # workers may have outlived their run

    def live(self) -> None:
        self.emulator.set(issuance_delay=self.dice.choice([0.0, 0.0, 2.0]))
        if len(self.hosts) > 1:
            self.nobody_chose()
        self.dice.choice([self.buy, self.buy, self.more_names, self.new_key])()

    # What is wished for

    def nobody_chose(self) -> None:
        """Hosts of one play wish for the same certificate, and nobody said which of them orders: nothing is bought."""
        chosen = self.wish.pop("order_host")
        ended = self.run(None)
        if ended.code == 0 or self.bench.orders:
            raise Violation(f"exit code {ended.code}, and orders: {self.bench.orders}")
        self.wish["order_host"] = chosen

    def buy(self) -> None:
        self.trouble()
        self.converge(lambda: True)
        self.check()

    def more_names(self) -> None:
        """A reissue; the name is among those included."""
        self.run()
        self.wish = {**self.wish, "names": [*NAMES, "new.shop.example.com"]}
        self.buy()

    def new_key(self) -> None:
        self.run()
        old, wish = self.leaf("web1").public_key, self.wish
        self.wish = {**wish, "rekey": True}
        self.trouble()
        self.converge(lambda: all(self.leaf(host).public_key != old for host in self.hosts))
        self.wish = wish
        self.converge(lambda: len({self.leaf(host).sha256 for host in self.hosts}) == 1)
        self.check()

    # What happens to it

    def trouble(self) -> None:
        if self.dice.random() < 0.2:
            self.rivals()
        else:
            for _kill in range(self.dice.choice([1, 1, 2])):
                self.killed()

    def killed(self) -> None:
        """A run that does not come to its end."""
        strike = self.dice.choice([self.at_call, self.at_call, self.at_command, self.at_command, self.at_time])
        after = self.dice.random() < 0.5
        whole = self.dice.random() < 0.7
        self.count.unlink(missing_ok=True)
        place, env, reached = strike(after)
        self.story.append(f"kill {'the host' if whole else 'the program'} {place}")
        process = self.start(env)
        deadline = time.monotonic() + RUN_SECONDS
        while process.poll() is None and not reached():
            if time.monotonic() > deadline:
                raise Violation("a run does not end")
            time.sleep(0.01)
        if process.poll() is None:
            self.figures.kills += 1
            (kill_tree if whole else kill_group)(process.pid)
            self.orphans |= not whole
        self.end(process)
        self.emulator.clear_faults()

    def at_call(self, after: bool) -> tuple[str, dict[str, str], Callable[[], bool]]:
        """Before: the call never takes effect. After: it does, and the answer is on its way."""
        number = self.dice.randrange(self.yard.measure.calls)
        kind, when = ("delay", "after") if after else ("timeout", "before")
        self.emulator.fault(path="/", skip=number, when=when, kind=kind, seconds=30)
        return f"{when} call {number + 1}", {}, lambda: bool(self.emulator.faults()[0]["fired"])

    def at_command(self, after: bool) -> tuple[str, dict[str, str], Callable[[], bool]]:
        number = self.dice.randint(1, self.yard.measure.commands)
        when, mark = "after" if after else "before", self.bench.directory / "reached"
        mark.unlink(missing_ok=True)
        env = {f"CHAOS_KILL_{when.upper()}": str(number), "CHAOS_REACHED": str(mark)}
        return f"{when} command {number}", env, mark.exists

    def at_time(self, _after: bool) -> tuple[str, dict[str, str], Callable[[], bool]]:
        seconds = self.dice.random() * self.yard.measure.seconds
        then = time.monotonic() + seconds
        return f"after {seconds:.2f} s", {}, lambda: time.monotonic() > then

    def rivals(self) -> None:
        """Two runs at once. Who is told that the other one is buying did no harm."""
        self.story.append("two at once")
        processes = [self.start({})]
        time.sleep(self.dice.choice([0.0, self.dice.random()]))
        processes.append(self.start({}))
        for ended in [self.end(process) for process in processes]:
            if ended.code != 0 and not excused(ended.output):
                raise Violation(f"one of two runs failed: {ended.output[-2000:]}")

    def converge(self, done: Callable[[], bool]) -> None:
        """Runs that nobody disturbs, and a person who answers what is unknown."""
        for _number in range(RUNS):
            ended = self.run(None)
            self.wish.pop("abandon_intent", None)
            if ended.code == 0 and all(self.directory(host).exists() for host in self.hosts) and done():
                return
            if "is unknown" in ended.output:
                self.figures.unknown += 1
                # A person looks into the account: there is a paid order whose certificate never came, or there is none.
                self.wish = {**self.wish, "abandon_intent": not self.paid()}
            elif ended.code != 0 and not (self.orphans and excused(ended.output)):
                raise Violation(f"calm, and yet: {ended.output[-2000:]}")
        raise Violation("no convergence")

    # Runs

    def start(self, env: dict[str, str]) -> Process:
        """Its output goes to a file: a pipe that nobody reads would hold it up."""
        self.figures.runs += 1
        log = self.bench.directory / f"output.{self.figures.runs}"
        with log.open("w") as stdout:
            process = self.bench.start(
                *self.verbose,
                env={"ANSIBLE_EXECUTABLE": SHELL, "CHAOS_COUNT": str(self.count), **env},
                stdout=stdout,
                playbook=SITE,
                hosts=self.hosts,
                gogetssl_directory=f"{self.bench.store}/{{{{ inventory_hostname }}}}",
                gogetssl_certificates=[self.wish],
                gogetssl_resolve=dict.fromkeys([*NAMES, "new.shop.example.com"], "127.0.0.1"),
                **self.variables,
            )
        self.logs[process.pid] = log
        return process

    def end(self, process: Process) -> Ended:
        process.wait(RUN_SECONDS)
        output = self.logs[process.pid].read_text(errors="replace")
        secrets = {self.emulator.password, *self.yard.keys(), "PRIVATE KEY", *self.key_texts()}
        if any(secret in output for secret in secrets):
            raise Violation(f"a secret in an output: {output}")
        self.story.append(f"exit {process.returncode}: {' | '.join(output.splitlines()[-4:])}")
        return Ended(process.returncode, output)

    def run(self, code: int | None = 0) -> Ended:
        ended = self.end(self.start({}))
        if code is not None and ended.code != code:
            raise Violation(f"exit code {ended.code}: {ended.output[-2000:]}")
        return ended

    # Facts

    def key_texts(self) -> set[str]:
        """A line of each key on the host."""
        return {path.read_text().splitlines()[1] for path in self.bench.store.rglob("privkey.pem") if path.exists()}

    def directory(self, host: str) -> Path:
        return self.bench.store / host / "shop" / "current"

    def leaf(self, host: str) -> _x509.Certificate:
        return _x509.read_certificate((self.directory(host) / "cert.pem").read_text())

    def paid(self) -> int:
        return sum(order["paid"] for order in self.bench.orders)

    def check(self) -> None:
        """One order, no litter, a key that fits, and a next run with nothing to do."""
        self.wait_for_orphans()
        paid = self.figures.purchases = self.paid()
        if paid != 1:
            self.figures.duplicates += max(0, paid - 1)
            raise (DoubleOrder if paid > 1 else Violation)(f"{paid} paid orders")
        self.emulator.clear_requests()
        ended = self.run()
        # A call that was held back when its run was killed is written down at its end: it may only be now.
        calls = [call for call in self.emulator.requests() if not call.get("fault")]
        if "changed=" in ended.output.replace("changed=0", "") or calls:
            raise Violation(f"the next run had something to do: {ended.output[-2000:]} {calls}")
        for host in self.hosts:
            self.check_host(host)
        if len({self.leaf(host).sha256 for host in self.hosts}) > 1:
            raise Violation("the hosts do not share one certificate")
        if self.bench.proofs:
            raise Violation(f"proofs are left behind: {self.bench.proofs}")

    def check_host(self, host: str) -> None:
        current, leaf = self.directory(host), self.leaf(host)
        if leaf.public_key != _x509.public_key_of_key((current / "privkey.pem").read_bytes()):
            raise Violation("the installed key does not belong to the certificate")
        if not set(self.wish["names"]) <= set(leaf.names):
            raise Violation(f"the certificate is for {leaf.names}")
        # Halves of notes, which hold no secret, go after an hour: another run might be writing them.
        left = [path for path in current.parents[1].rglob("*") if path.name.startswith(LITTER)]
        staged = current.parent / "staged" / "privkey.pem"
        if staged.exists() and staged.read_bytes() == (current / "privkey.pem").read_bytes():
            left.append(staged)
        if left:
            raise Violation(f"left behind: {left}")

    def wait_for_orphans(self) -> None:
        """What a worker of a killed program still does is done before its directory is looked at."""
        deadline = time.monotonic() + RUN_SECONDS
        while self.orphans and any(str(self.bench.directory) in words for words in command_lines()):
            if time.monotonic() > deadline:
                raise Violation("a worker of a killed program does not end")
            time.sleep(0.1)


def excused(output: str) -> bool:
    """What a run may say that met another one at work, which may have put its probe where this one looks for its own.

    All of it happens before anything is bought. A probe that is missing was overwritten, and then removed, by a run
    that was quicker.
    """
    return any(words in output for words in ("another run", "Another run", "Is the web root"))


# Processes


def kill_group(pid: int) -> None:
    """As a person would: workers in sessions of their own live on."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def command_lines() -> list[str]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return lines


# The runner


def work(seeds: Sequence[int]) -> tuple[Figures, list[str]]:
    figures, broken = Figures(), []
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        directory = Path(name)
        web_root = directory / "www"
        web_root.mkdir()
        with world(web_root, state=directory / "state") as (emulator, port):
            yard = Yard(directory, web_root, emulator, port)
            yard.take_measure()
            for number in seeds:
                seed = Seed(yard, number)
                try:
                    seed.live()
                except Exception as error:
                    story = "\n  ".join(seed.story)
                    broken.append(f"seed {number}: {''.join(traceback.format_exception(error))}\n  {story}")
                finally:
                    figures += seed.figures
    return figures, broken


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.playbooks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.count)
    started, figures, broken = time.monotonic(), Figures(), 0
    shares = [seeds[number :: options.workers] for number in range(options.workers)]
    with concurrent.futures.ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        for share, found in pool.map(work, [share for share in shares if share]):
            figures += share
            broken += len(found)
            print(*found, sep="\n", end="\n" if found else "", flush=True)
    seconds = time.monotonic() - started
    print(f"chaos: of playbooks, from seed {options.seed}: {figures}, broken {broken}, {seconds:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
