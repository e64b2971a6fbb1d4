# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the stages of `make test`, two at a time, and say in the end how each went.

    python -m tests.bin.stages [STAGE...]        all of them unless named

Every stage runs, whatever happened to the others. A stage that cannot run here is skipped, with its reason in the
summary. The output of stages that run side by side is printed when they end; GOGETSSL_TEST_JOBS=1 runs one after the
other and shows it as it comes. Run with the interpreter of the virtual environment.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEBIAN_PACKAGES = (
    "bind9",
    "bind9-dnsutils",
    "debian-archive-keyring",
    "iproute2",
    "mmdebstrap",
    "openssh-client",
    "openssl",
    "pdns-backend-sqlite3",
    "pdns-server",
    "procps",
    "shellcheck",
    "systemd-container",
)
# A list that cannot be updated may still be good enough, so the installation alone decides. Nothing that comes with a
# package is started: two name servers would meet on port 53, and the tests start their own on ports of their own.
APT = """
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
fi
apt-get -q update
apt-get -q install --no-install-recommends --yes "$@"
"""
# Against a stage that hangs; the slowest takes a fraction of this.
STAGE_TIMEOUT = 40 * 60
PYTEST_NO_TESTS = 5
# Most stages keep one core busy.
JOBS = int(os.environ.get("GOGETSSL_TEST_JOBS", min(2, os.cpu_count() or 1)))
_printing = threading.Lock()


@dataclass(frozen=True)
class Stage:
    name: str
    command: tuple[str, ...]
    # Why it cannot run here.
    skip: str = ""


@dataclass(frozen=True)
class Result:
    stage: str
    outcome: str
    seconds: float
    # A reason, or the closing line of pytest or of a runner.
    note: str = ""

    def __str__(self) -> str:
        return f"{self.stage:<28} {self.outcome:<8} {self.seconds:7.1f} s  {self.note}".rstrip()


def stages() -> Iterator[Stage]:
    """In the order of how soon they find a mistake."""
    here = ROOT / "tests" / "bin"
    yield Stage("lint", (str(here / "lint.sh"),))
    yield Stage("shellcheck", ("shellcheck", *_shell_scripts()), _needs("shellcheck"))
    for name, folder in (("unit", "unit"), ("contract", "contract"), ("playbooks", "playbooks")):
        yield pytest_stage(name, f"tests/{folder}")
    dns = pytest_stage("dns", "tests/dns")
    yield dataclasses.replace(dns, skip=dns.skip or _needs("named", "pdns_server", "rndc"))
    yield pytest_stage("chaos-tests", "tests/chaos")
    yield Stage("chaos", (sys.executable, "-m", "tests.chaos"))
    yield Stage("chaos-playbooks", (sys.executable, "-m", "tests.chaos.playbooks"))
    yield Stage("years", (sys.executable, "-m", "tests.chaos.years"))
    yield Stage("sanity", (str(here / "sanity.sh"),))
    yield Stage("molecule", ("molecule", "test", "--all"), _no_hosts())


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
    # Daemons are in directories that not everybody has on the path.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [program for program in programs if not shutil.which(program, path=path)]
    return f"not installed: {', '.join(missing)}; make test installs it as root on Debian" if missing else ""


def _no_hosts() -> str:
    if os.geteuid() != 0:
        return "test hosts need root: mounts, network namespaces and systemd"
    return _needs("ip", "mmdebstrap", "openssl", "pkill", "ssh", "ssh-keygen", "systemd-nspawn")


def packages_stage() -> Stage | None:
    """Installs what is missing, where that is ours to do. Where it is not, the stages that suffer say so."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    missing = [package for package in DEBIAN_PACKAGES if not _installed(package)]
    if not missing:
        return None
    return Stage("packages", ("sh", "-c", APT, "packages", *missing))


def _installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def run_side_by_side(lanes: Sequence[Sequence[Stage]], jobs: int = JOBS) -> list[Result]:
    """The stages of a lane one after the other, and so many lanes at a time."""
    live = jobs == 1 or len(lanes) == 1
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = pool.map(lambda lane: [run(stage, live) for stage in lane], lanes)
        return [result for results in done for result in results]


def run(stage: Stage, live: bool = True) -> Result:
    """One stage, its output shown as it comes or in one piece at its end."""
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
    return Result(stage.name, "failed" if code else "passed", seconds, closing or (f"exit {code}" if code else ""))


def _stream(command: tuple[str, ...], live: bool) -> tuple[int, str, list[str]]:
    """The command's exit code, pytest's or a runner's closing line, and its output unless that was shown as it came."""
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
        if live:
            print(line, flush=True)
        else:
            lines.append(line)
        if re.search(r"\d+ (passed|failed|errors?|skipped)\b.* in [\d.]+s|^(chaos|years): ", line):
            closing = line.strip(" =")
    code = process.wait()
    watchdog.cancel()
    return code, closing, lines


def summarise(results: list[Result]) -> int:
    print("\n==== summary")
    for result in results:
        print(result)
    failed = [result.stage for result in results if result.outcome == "failed"]
    skipped = [result.stage for result in results if result.outcome == "skipped"]
    if skipped:
        print(f"SKIPPED, for the reasons above: {', '.join(skipped)}")
    print(f"FAILED: {', '.join(failed)}" if failed else "Nothing failed.", flush=True)
    return 1 if failed else 0


def main(names: list[str]) -> int:
    packages = packages_stage()
    results = [run(packages)] if packages else []
    # Only now, because a stage looks for its programs.
    todo = list(stages())
    unknown = set(names) - {stage.name for stage in todo}
    if unknown:
        sys.exit(f"stages.py: no stage named {', '.join(sorted(unknown))}")
    chosen = [stage for stage in todo if not names or stage.name in names]
    return summarise(results + run_side_by_side([[stage] for stage in chosen]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
