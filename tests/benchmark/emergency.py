# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet that lost its directories, and then the keys of all its certificates: both without a purchase.

    python -m tests.benchmark.emergency [--hosts 50] [--certificates 10]

1. The certificates of all hosts are bought from the emulator.
2. The directories of all hosts are deleted. One run of `certops.gogetssl.adopt` finds the orders and reissues them.
3. A drill of `certops.gogetssl.emergency` prints what the replacement of all keys takes.
4. The replacement, in waves. Its figures show how good the estimate was.

It fails if a run fails, buys something, or leaves an old key on a host.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.playbooks.conftest import Bench, world

FORKS = 10
SINCE = "gogetssl_emergency_since"


class Fleet:
    """Hosts on local connections, with directories of their own."""

    def __init__(self, bench: Bench, hosts: int, certificates: int) -> None:
        self.bench, self.hosts = bench, tuple(f"h{number}" for number in range(hosts))
        self.directory = bench.directory / "hosts"
        names = [f"c{number}" for number in range(certificates)]
        self.certificates = [
            {
                "name": name,
                "names": [f"{name}.{{{{ inventory_hostname }}}}.example.com"],
                "product": "66",
                "dcv": "http",
                "key_type": "ecdsa-p256",
            }
            for name in names
        ]  # fmt: skip
        self.resolve = {f"{name}.{host}.example.com": "127.0.0.1" for name in names for host in self.hosts}
        # GoGetSSL adds the www name of such an order.
        self.resolve.update({f"www.{name}": address for name, address in self.resolve.items()})

    def run(self, playbook: str, *arguments: str) -> tuple[str, float]:
        """The output and the duration of a run that must succeed."""
        process = self.bench.start(
            *("-f", str(FORKS), *arguments),
            env={"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"},
            playbook=f"certops.gogetssl.{playbook}",
            hosts=self.hosts,
            gogetssl_directory=str(self.directory / "{{ inventory_hostname }}"),
            gogetssl_certificates=self.certificates,
            gogetssl_resolve=self.resolve,
            gogetssl_wait_timeout=600,
        )
        started = time.perf_counter()
        output, _unused = process.communicate()
        if process.returncode:
            raise SystemExit(f"{playbook} failed: {output[-3000:]}")
        return output, time.perf_counter() - started

    def keys(self) -> set[bytes]:
        """The private keys on all hosts."""
        return {path.read_bytes() for path in self.directory.rglob("privkey.pem")}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hosts", type=int, default=50)
    options.add_argument("--certificates", type=int, default=10, help="certificates of each host")
    given, _unused = options.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="gogetssl-bench-") as directory:
        web_root = Path(directory) / "www"
        web_root.mkdir()
        with world(web_root) as (emulator, port):
            emulator.set(issuance_delay=0.0, dcv_interval=0.5)
            fleet = Fleet(Bench(Path(directory), web_root, emulator, port), given.hosts, given.certificates)
            fleet.run("issue")
            paid = emulator.ledger()
            faults = [*lost_directories(fleet), *replace_all(fleet)]
            if any(emulator.ledger()[key] != paid[key] for key in ("balance", "charges")):
                faults.append("something was bought")
    print("".join(f"FAULT: {fault}\n" for fault in faults), end="", flush=True)
    return int(bool(faults))


def lost_directories(fleet: Fleet) -> list[str]:
    """Print what the adoption of the whole fleet takes. Return what is wrong."""
    shutil.rmtree(fleet.directory)
    fleet.bench.emulator.clear_requests()
    _output, seconds = fleet.run("adopt", "-e", "gogetssl_adopt=matching")
    expected = len(fleet.hosts) * len(fleet.certificates)
    installed = len(list(fleet.directory.glob("*/*/current/fullchain.pem")))
    calls = len(fleet.bench.emulator.requests())
    print(
        f"lost directories of {len(fleet.hosts)} hosts: {installed} of {expected} orders adopted in one run,"
        f" {seconds:.0f} s, {calls} API calls",
        flush=True,
    )
    return [] if installed == expected else [f"{expected - installed} orders were not adopted"]


def replace_all(fleet: Fleet) -> list[str]:
    """Print the figures of a drill and of the replacement of all keys. Return what is wrong."""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1)  # keys of the same second count as new
    old = fleet.keys()
    quick = {"gogetssl_emergency_drill": True, "gogetssl_emergency_issuance_minutes": 0.01}
    drill, _unused = fleet.run("emergency", "-e", json.dumps(quick))
    print(f"emergency drill: {figures(drill)}", flush=True)
    select: dict[str, Any] = {"gogetssl_emergency": "all", SINCE: since}
    output, _unused = fleet.run("emergency", "-e", json.dumps(select))
    print(f"emergency: {figures(output)}", flush=True)
    left = fleet.keys() & old
    return [f"{len(left)} old keys are still on the hosts"] if left else []


def figures(output: str) -> str:
    found = re.findall(r"\d+ certificates on \d+ hosts in \d+ waves: [^\"]*", output)
    return found[-1] if found else "no figures"


if __name__ == "__main__":
    sys.exit(main())
