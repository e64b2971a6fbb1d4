# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the stages of `make test`, two at a time, and print a summary.

    python -m tests.bin.stages [STAGE...]        default: all stages

All stages run, even after a failure. A stage that cannot run on this machine is skipped, with the reason in the
summary. The output of parallel stages is printed when they end. GOGETSSL_TEST_JOBS=1 runs the stages one by one and
prints their output at once. Run this script with the interpreter of the virtual environment.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The Debian packages of test hosts.
HOSTS = ("debian-archive-keyring", "iproute2", "mmdebstrap", "openssh-client", "openssl", "procps", "systemd-container")
# The Debian packages that a stage needs. Others are not installed.
DEBIAN_PACKAGES = {
    "shellcheck": ("shellcheck",),
    "unit": ("chromium", "openssl", "procps", "prometheus"),
    "contract": ("openssl", "procps"),
    "playbooks": ("openssl", "procps"),
    "dns": ("bind9", "bind9-dnsutils", "openssl", "pdns-backend-sqlite3", "pdns-server"),
    "molecule": HOSTS,
    "services": HOSTS,
}
# A failed update is not an error, as an outdated package list may suffice. Services of the packages are neither started
# nor enabled: two DNS servers would use port 53, and the tests start their own servers on other ports.
APT = """
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
fi
apt-get -q update
apt-get -q install --no-install-recommends --yes "$@" || exit
if command -v systemctl >/dev/null; then
    for service in named bind9 pdns; do systemctl disable --quiet "$service" 2>/dev/null; done
fi
"""
# For a stage that hangs. The slowest stage takes a fraction of this.
STAGE_TIMEOUT = 65 * 60
PYTEST_NO_TESTS = 5
CANNOT_RUN = 77  # the exit code of a script that cannot run on this machine, as in Automake
FAILED_LINES = 80
# Most stages use one core.
JOBS = int(os.environ.get("GOGETSSL_TEST_JOBS", min(2, os.cpu_count() or 1)))
_printing = threading.Lock()


@dataclass(frozen=True)
class Stage:
    name: str
    command: tuple[str, ...]
    # Why the stage cannot run on this machine.
    skip: str = ""


@dataclass(frozen=True)
class Result:
    stage: str
    outcome: str
    seconds: float
    # The reason for skipping, or the last line of pytest or of a runner.
    note: str = ""
    # The end of the output of a failed stage.
    tail: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.stage:<28} {self.outcome:<8} {self.seconds:7.1f} s  {self.note}".rstrip()


def stages() -> Iterator[Stage]:
    """All stages: those that fail fastest first, then the longest, so that none of them runs alone at the end."""
    here = ROOT / "tests" / "bin"
    yield Stage("lint", (str(here / "lint.sh"),))
    yield Stage("shellcheck", ("shellcheck", *_shell_scripts()), _needs("shellcheck"))
    for name, folder in (("unit", "unit"), ("contract", "contract"), ("playbooks", "playbooks")):
        yield pytest_stage(name, f"tests/{folder}")
    yield Stage("molecule", ("molecule", "test", "--all"), no_hosts())
    yield dataclasses.replace(pytest_stage("services", "tests/services"), skip=no_hosts())
    dns = pytest_stage("dns", "tests/dns")
    yield dataclasses.replace(dns, skip=dns.skip or _needs("named", "pdns_server", "rndc"))
    yield Stage("importer", (str(here / "importer.sh"),))
    yield Stage("site", (sys.executable, "-m", "tests.bin.site"))
    yield pytest_stage("chaos-tests", "tests/chaos")
    yield Stage("chaos", (sys.executable, "-m", "tests.chaos"))
    yield Stage("chaos-playbooks", (sys.executable, "-m", "tests.chaos.playbooks"))
    yield Stage("years", (sys.executable, "-m", "tests.chaos.years"))
    yield Stage("sanity", (str(here / "sanity.sh"),))


def pytest_stage(name: str, folder: str, python: str = sys.executable, *arguments: str) -> Stage:
    tests = any((ROOT / folder).rglob("test_*.py"))
    return Stage(name, (python, "-m", "pytest", folder, *arguments), "" if tests else f"no tests in {folder} yet")


def _shell_scripts() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.sh", ".ci/run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [script for script in listed.stdout.split() if (ROOT / script).exists()]


def _needs(*programs: str) -> str:
    # Daemons are in directories that are not on every user's PATH.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [program for program in programs if not shutil.which(program, path=path)]
    return f"not installed: {', '.join(missing)}; make test installs it as root on Debian" if missing else ""


def no_hosts() -> str:
    if os.geteuid() != 0:
        return "test hosts need root: mounts, network namespaces and systemd"
    return _needs("ip", "mmdebstrap", "openssl", "pkill", "ssh", "ssh-keygen", "systemd-nspawn")


def packages_stage(names: Iterable[str]) -> Stage | None:
    """The installation of the packages that these stages lack, as root on Debian. Elsewhere the stages are skipped."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    needed = dict.fromkeys(package for name in names for package in DEBIAN_PACKAGES.get(name, ()))
    missing = [package for package in needed if not _installed(package)]
    if not missing:
        return None
    return Stage("packages", ("sh", "-c", APT, "packages", *missing))


def _installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def run_in_parallel(lanes: Sequence[Sequence[Stage]], jobs: int = JOBS) -> list[Result]:
    """Run the stages of each lane in sequence, and up to `jobs` lanes in parallel."""
    live = jobs == 1 or len(lanes) == 1
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = pool.map(lambda lane: [run(stage, live) for stage in lane], lanes)
        return [result for results in done for result in results]


def run(stage: Stage, live: bool = True) -> Result:
    """Run one stage and print its output at once (`live`) or when it ends."""
    if stage.skip:
        return Result(stage.name, "skipped", 0, stage.skip)
    head = f"\n==== {stage.name}: {' '.join(stage.command)}"
    print(head if live else f"==== {stage.name} begins", flush=True)
    started = time.monotonic()
    code, closing, lines = _stream(stage.command, live)
    seconds = time.monotonic() - started
    if not live:
        with _printing:
            print(head, *lines, sep="\n", flush=True)
    if code == PYTEST_NO_TESTS and "pytest" in stage.command:
        return Result(stage.name, "skipped", seconds, "no test was selected")
    if code == CANNOT_RUN:
        return Result(stage.name, "skipped", seconds, lines[-1] if lines else "")
    if code:
        return Result(stage.name, "failed", seconds, closing or f"exit {code}", tuple(lines[-FAILED_LINES:]))
    return Result(stage.name, "passed", seconds, closing)


def _stream(command: tuple[str, ...], live: bool) -> tuple[int, str, list[str]]:
    """Run a command. Return its exit code, the last line of pytest or of a runner, and its output."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    watchdog = threading.Timer(STAGE_TIMEOUT, os.killpg, (process.pid, 9))
    watchdog.daemon = True
    watchdog.start()
    closing = ""
    lines: list[str] = []
    assert process.stdout is not None
    for line in map(str.rstrip, process.stdout):
        lines.append(line)
        if live:
            print(line, flush=True)
        if re.search(r"\d+ (passed|failed|errors?|skipped)\b.* in [\d.]+s|^(chaos|years): ", line):
            closing = line.strip(" =")
    code = process.wait()
    watchdog.cancel()
    return code, closing, lines


def summarise(results: list[Result]) -> int:
    """Print the results, and once more how the output of each failed stage ended: the whole output may be very long."""
    print("\n==== summary")
    for result in results:
        if result.tail:
            print(f"---- {result.stage} ended with:", *result.tail, sep="\n")
    for result in results:
        print(result)
    failed = [result.stage for result in results if result.outcome == "failed"]
    skipped = [result.stage for result in results if result.outcome == "skipped"]
    if skipped:
        print(f"SKIPPED, for the reasons above: {', '.join(skipped)}")
    print(f"FAILED: {', '.join(failed)}" if failed else "Nothing failed.", flush=True)
    return 1 if failed else 0


def main(names: list[str]) -> int:
    packages = packages_stage(names or [stage.name for stage in stages()])
    results = [run(packages)] if packages else []
    # After the installation, because stages check for their programs.
    todo = list(stages())
    unknown = set(names) - {stage.name for stage in todo}
    if unknown:
        sys.exit(f"stages.py: no stage named {', '.join(sorted(unknown))}")
    chosen = [stage for stage in todo if not names or stage.name in names]
    return summarise(results + run_in_parallel([[stage] for stage in chosen]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
