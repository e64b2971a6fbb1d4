# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chaos at the playbook level: `python -m tests.chaos.playbooks --seed N --count N`.

Each seed kills `ansible-playbook` with SIGKILL once or twice, or starts two concurrent runs, while it buys or replaces
a certificate. Then it runs the playbook until it succeeds. Exactly one order must be paid, no partial files may remain,
and the next run must change nothing and call no API. A run is killed at the n-th API call, at the n-th command on the
hosts or after a fraction of a run's duration; the first two are reproducible. In every fourth seed two hosts share the
certificate: in parallel, one after the other, or with the strategy `free`.
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

from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from tests.bin.processes import kill_tree
from tests.emulator.testing import Emulator
from tests.playbooks.conftest import NAMES, Bench, world
from tests.playbooks.conftest import Run as Ended

from .runs import Violation
from .seeds import DoubleOrder

HERE = Path(__file__).parent
SITE, SHELL = str(HERE / "site.yml"), str(HERE / "shell.sh")
SHARED: tuple[dict[str, Any], ...] = ({}, {"chaos_serial": 1}, {"chaos_strategy": "free"})
PARTIAL_FILES = (".gogetssl-new-", "intent.json", "unverified")
RUNS = 6  # maximum number of runs until convergence
RUN_SECONDS = 240  # upper limit for one run on any machine
Process = subprocess.Popen[str]


@dataclasses.dataclass
class Figures:
    """The totals that are printed at the end."""

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
class Baseline:
    """The size of an undisturbed run."""

    calls: int
    commands: int
    seconds: float


class Testbed:
    """An emulator and a web server for many consecutive seeds."""

    def __init__(self, directory: Path, web_root: Path, emulator: Emulator, port: int) -> None:
        self.directory, self.web_root, self.emulator, self.port = directory, web_root, emulator, port
        self.baseline = Baseline(0, 0, 0.0)

    def new_bench(self) -> Bench:
        """A bench with a new host and a new account."""
        shutil.rmtree(self.web_root / ".well-known", ignore_errors=True)
        self.emulator.reset()
        self.emulator.set(issuance_delay=0.0, dcv_interval=0.5)
        return Bench(Path(tempfile.mkdtemp(dir=self.directory)), self.web_root, self.emulator, self.port)

    def measure_baseline(self) -> None:
        seed = Seed(self, 0)
        started = time.monotonic()
        seed.run()
        commands = len(seed.count.read_text().splitlines())
        self.baseline = Baseline(len(self.emulator.requests()), commands, time.monotonic() - started)
        seed.check()

    def keys(self) -> set[str]:
        """All auth keys that the emulator has issued."""
        with contextlib.closing(sqlite3.connect(self.directory / "state" / "state.sqlite")) as database:
            return {key for (key,) in database.execute("select key from keys")}


class Seed:
    """One certificate and the disturbances of its runs."""

    def __init__(self, testbed: Testbed, number: int) -> None:
        self.testbed, self.dice, self.figures = testbed, random.Random(number), Figures(seeds=1)
        self.bench, self.emulator = testbed.new_bench(), testbed.emulator
        self.count = self.bench.directory / "commands"
        self.hosts: tuple[str, ...] = ("web1",)
        self.variables: dict[str, Any] = {}
        self.spec: dict[str, Any] = self.bench.shop()
        if number % 4 == 3:
            self.hosts = ("web1", "web2")
            self.variables = SHARED[number // 4 % len(SHARED)]
            self.spec["order_host"] = "web1"
        if number % 2:
            self.spec.update(services=["custom"], listeners=[])  # a service without a TLS endpoint to query
        self.verbose = ["-vvvv"] if number % 3 == 0 else []
        self.history: list[str] = []
        self.logs: dict[int, Path] = {}
        self.orphans = False  # workers may outlive their killed run

    def run_seed(self) -> None:
        self.emulator.set(issuance_delay=self.dice.choice([0.0, 0.0, 2.0]))
        if len(self.hosts) > 1:
            self.buy_without_order_host()
        self.dice.choice([self.buy, self.buy, self.more_names, self.new_key])()

    # Changes of the certificate

    def buy_without_order_host(self) -> None:
        """Two hosts request the same certificate without `order_host`: nothing may be bought."""
        chosen = self.spec.pop("order_host")
        ended = self.run(None)
        if ended.code == 0 or self.bench.orders:
            raise Violation(f"exit code {ended.code}, orders: {self.bench.orders}")
        self.spec["order_host"] = chosen

    def buy(self) -> None:
        self.disturb()
        self.converge(lambda: True)
        self.check()

    def more_names(self) -> None:
        """Add a name that the product includes, which needs a reissue."""
        self.run()
        self.spec = {**self.spec, "names": [*NAMES, "new.shop.example.com"]}
        self.buy()

    def new_key(self) -> None:
        self.run()
        old, spec = self.leaf("web1").public_key, self.spec
        self.spec = {**spec, "rekey": True}
        self.disturb()
        self.converge(lambda: all(self.leaf(host).public_key != old for host in self.hosts))
        self.spec = spec
        self.converge(lambda: len({self.leaf(host).sha256 for host in self.hosts}) == 1)
        self.check()

    # Disturbances

    def disturb(self) -> None:
        if self.dice.random() < 0.2:
            self.concurrent_runs()
        else:
            for _kill in range(self.dice.choice([1, 1, 2])):
                self.kill_run()

    def kill_run(self) -> None:
        """Start a run and kill it."""
        choose = self.dice.choice([self.at_call, self.at_call, self.at_command, self.at_command, self.at_time])
        after = self.dice.random() < 0.5
        whole = self.dice.random() < 0.7
        self.count.unlink(missing_ok=True)
        point, env, reached = choose(after)
        self.history.append(f"kill {'the process tree' if whole else 'the process group'} {point}")
        process = self.start(env)
        deadline = time.monotonic() + RUN_SECONDS
        while process.poll() is None and not reached():
            if time.monotonic() > deadline:
                raise Violation(f"a run takes more than {RUN_SECONDS} s")
            time.sleep(0.01)
        if process.poll() is None:
            self.figures.kills += 1
            (kill_tree if whole else kill_group)(process.pid)
            self.orphans |= not whole
        self.end(process)
        self.emulator.clear_faults()

    def at_call(self, after: bool) -> tuple[str, dict[str, str], Callable[[], bool]]:
        """Kill at an API call: before it takes effect, or after it while the response is pending."""
        number = self.dice.randrange(self.testbed.baseline.calls)
        kind, when = ("delay", "after") if after else ("timeout", "before")
        self.emulator.fault(path="/", skip=number, when=when, kind=kind, seconds=30)
        return f"{when} call {number + 1}", {}, lambda: bool(self.emulator.faults()[0]["fired"])

    def at_command(self, after: bool) -> tuple[str, dict[str, str], Callable[[], bool]]:
        number = self.dice.randint(1, self.testbed.baseline.commands)
        when, mark = "after" if after else "before", self.bench.directory / "reached"
        mark.unlink(missing_ok=True)
        env = {f"CHAOS_KILL_{when.upper()}": str(number), "CHAOS_REACHED": str(mark)}
        return f"{when} command {number}", env, mark.exists

    def at_time(self, _after: bool) -> tuple[str, dict[str, str], Callable[[], bool]]:
        seconds = self.dice.random() * self.testbed.baseline.seconds
        then = time.monotonic() + seconds
        return f"after {seconds:.2f} s", {}, lambda: time.monotonic() > then

    def concurrent_runs(self) -> None:
        """Start two runs concurrently. One may stop because another run is in progress."""
        self.history.append("two concurrent runs")
        processes = [self.start({})]
        time.sleep(self.dice.choice([0.0, self.dice.random()]))
        processes.append(self.start({}))
        for ended in [self.end(process) for process in processes]:
            if ended.code != 0 and not excused(ended.output):
                raise Violation(f"one of two runs failed: {ended.output[-9000:]}")

    def converge(self, done: Callable[[], bool]) -> None:
        """Undisturbed runs until `done`. The operator resolves unknown outcomes."""
        for _number in range(RUNS):
            ended = self.run(None)
            self.spec.pop("abandon_intent", None)
            if ended.code == 0 and all(self.directory(host).exists() for host in self.hosts) and done():
                return
            if "is unknown" in ended.output:
                self.figures.unknown += 1
                # The operator checks the account: it has a paid order without a certificate, or no order.
                self.spec = {**self.spec, "abandon_intent": not self.paid()}
            elif ended.code != 0 and not (self.orphans and excused(ended.output)):
                raise Violation(f"undisturbed run failed: {ended.output[-9000:]}")
        raise Violation("no convergence")

    # Runs

    def start(self, env: dict[str, str]) -> Process:
        """Start a run whose output goes to a file: a pipe that is not read would block it."""
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
                gogetssl_certificates=[self.spec],
                gogetssl_resolve=dict.fromkeys([*NAMES, "new.shop.example.com"], "127.0.0.1"),
                **self.variables,
            )
        self.logs[process.pid] = log
        return process

    def end(self, process: Process) -> Ended:
        process.wait(RUN_SECONDS)
        output = self.logs[process.pid].read_text(errors="replace")
        secrets = {self.emulator.password, *self.testbed.keys(), "PRIVATE KEY", *self.key_texts()}
        if any(secret in output for secret in secrets):
            raise Violation(f"secret in the output: {output}")
        self.history.append(f"exit {process.returncode}: {' | '.join(output.splitlines()[-4:])}")
        return Ended(process.returncode, output)

    def run(self, code: int | None = 0) -> Ended:
        ended = self.end(self.start({}))
        if code is not None and ended.code != code:
            raise Violation(f"exit code {ended.code}: {ended.output[-9000:]}")
        return ended

    # Invariants

    def key_texts(self) -> set[str]:
        """One line of each private key on the host."""
        return {path.read_text().splitlines()[1] for path in self.bench.store.rglob("privkey.pem") if path.exists()}

    def directory(self, host: str) -> Path:
        return self.bench.store / host / "shop" / "current"

    def leaf(self, host: str) -> x509.Certificate:
        return x509.read_certificate((self.directory(host) / "cert.pem").read_text())

    def paid(self) -> int:
        return sum(order["paid"] for order in self.bench.orders)

    def check(self) -> None:
        """One paid order, no partial files, a matching key, and a next run without changes."""
        self.wait_for_orphans()
        paid = self.figures.purchases = self.paid()
        if paid != 1:
            self.figures.duplicates += max(0, paid - 1)
            raise (DoubleOrder if paid > 1 else Violation)(f"{paid} paid orders")
        self.emulator.clear_requests()
        ended = self.run()
        # A call that a fault delayed is logged when it ends, perhaps only now.
        calls = [call for call in self.emulator.requests() if not call.get("fault")]
        if "changed=" in ended.output.replace("changed=0", "") or calls:
            raise Violation(f"the next run was not idempotent: {ended.output[-9000:]} {calls}")
        for host in self.hosts:
            self.check_host(host)
        if len({self.leaf(host).sha256 for host in self.hosts}) > 1:
            raise Violation("the hosts do not share one certificate")
        if self.bench.proofs:
            raise Violation(f"DCV files remain: {self.bench.proofs}")

    def check_host(self, host: str) -> None:
        current, leaf = self.directory(host), self.leaf(host)
        if leaf.public_key != x509.public_key_of_key((current / "privkey.pem").read_bytes()):
            raise Violation("the installed key does not match the certificate")
        if not set(self.spec["names"]) <= set(leaf.names):
            raise Violation(f"the certificate is for {leaf.names}")
        # Partly written records, which hold no secret, are kept for an hour, as another run may be writing them.
        partial = [path for path in current.parents[1].rglob("*") if path.name.startswith(PARTIAL_FILES)]
        staged = current.parent / "staged" / "privkey.pem"
        if staged.exists() and staged.read_bytes() == (current / "privkey.pem").read_bytes():
            partial.append(staged)
        if partial:
            raise Violation(f"files left by an interrupted run: {partial}")

    def wait_for_orphans(self) -> None:
        """Wait for workers of a killed run before its directory is checked."""
        deadline = time.monotonic() + RUN_SECONDS
        while self.orphans and any(str(self.bench.directory) in line for line in command_lines()):
            if time.monotonic() > deadline:
                raise Violation("a worker of a killed run does not end")
            time.sleep(0.1)


def excused(output: str) -> bool:
    """Whether a run stopped because of a concurrent run, before anything was bought.

    A concurrent run may overwrite the probe file of this run and then remove it.
    """
    return any(message in output for message in ("another run", "Another run", "web root is the directory"))


# Processes


def kill_group(pid: int) -> None:
    """Kill a process group, as Ctrl-C does: workers in their own sessions survive."""
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
            testbed = Testbed(directory, web_root, emulator, port)
            testbed.measure_baseline()
            for number in seeds:
                seed = Seed(testbed, number)
                try:
                    seed.run_seed()
                except Exception as error:
                    history = "\n  ".join(seed.history)
                    broken.append(f"seed {number}: {''.join(traceback.format_exception(error))}\n  {history}")
                finally:
                    figures += seed.figures
    return figures, broken


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.playbooks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=8)
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
