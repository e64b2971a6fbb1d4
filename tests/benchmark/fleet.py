# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run time of the collection in a fleet, as ratios within one run, because absolute times vary.

    python -m tests.benchmark.fleet [--hosts 50,500] [--repeat 3]

1. A healthy run: the role on hosts where nothing is due, compared with a play with one `ansible.builtin.raw` read per
   host, and the API requests it makes.
2. A first roll-out: the time per host to plan a purchase, which compares its certificates with those of all other
   hosts, in a fleet and in one of four times its size. The ratio is 1 if the total is linear, and 4 if it is quadratic.
3. A task on the controller: one that queries the emulator, compared with `ansible.builtin.debug`.

4. The report over 1,000 hosts with three certificates each: the commands on the hosts, and the API requests.

This is not a test: it fails only if a healthy host changed something or called the API, or if the report reads a host
more than once or sends more than 15 requests.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.emulator.testing import Emulator

ROOT = Path(__file__).resolve().parents[2]
NAME = "shop.example.com"
FORKS = 10
TASKS = 4
ORDER_IDS = [1]
CERTIFICATES, MAX_REQUESTS = 3, 15  # of a host, and of the report

ROLE = {
    "hosts": "all",
    "gather_facts": False,
    "roles": [
        {
            "role": "certops.gogetssl.gogetssl",
            "gogetssl_certificates": [{"name": "shop", "names": [NAME], "product": "66"}],
            "gogetssl_directory": "{{ bench_root }}/{{ inventory_hostname }}",
        }
    ],
}
READ = "cat {{ bench_root }}/{{ inventory_hostname }}/shop/current/cert.pem"
RAW = {"hosts": "all", "gather_facts": False, "tasks": [{"name": "Read", "ansible.builtin.raw": READ}]}
READ_ORDER = {
    "name": "Read order",
    "certops.gogetssl.gogetssl_order_info": {"order_ids": ORDER_IDS, "include_details": False},
}
DEBUG = {"name": "Debug", "ansible.builtin.debug": {"msg": "nothing"}}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hosts", default="50,500", help="comma-separated fleet sizes")
    options.add_argument("--repeat", type=int, default=3, help="runs of each play; the median is used")
    options.add_argument("--report-hosts", type=int, default=1000, help="hosts of the report, 0 for none")
    given, _unused = options.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="gogetssl-bench-") as directory, Emulator() as emulator:
        bench = Bench(Path(directory), emulator, given.repeat)
        requests = [bench.healthy_fleet(int(count)) for count in given.hosts.split(",")]
        bench.first_roll_out(int(given.hosts.split(",")[0]))
        bench.controller_task()
        reported = bench.report(given.report_hosts) if given.report_hosts else True
    return 1 if any(requests) or not reported else 0


class Bench:
    """Runs plays against one emulator and measures their time."""

    def __init__(self, directory: Path, emulator: Emulator, repeat: int) -> None:
        self._directory, self._emulator, self._repeat = directory, emulator, repeat
        self._output = ""  # of the last run

    def healthy_fleet(self, count: int) -> int:
        """Print the ratio for a fleet of healthy hosts. Return the number of API requests."""
        for number in range(count):
            install(self._directory / f"h{number}" / "shop" / "1")
        self._emulator.clear_requests()
        raw, role = self._seconds(RAW, count), self._seconds(ROLE, count)
        if len(re.findall(r"ok=1 +changed=0 ", self._output)) != count:
            raise SystemExit(f"The hosts are not healthy: {self._output[-1500:]}")
        requests = len(self._emulator.requests())
        print(
            f"healthy fleet, {count} hosts: role {role:.1f} s / raw read {raw:.1f} s = {role / raw:.2f};"
            f" API requests: {requests}",
            flush=True,
        )
        return requests

    def first_roll_out(self, count: int) -> None:
        """Print the time per host to plan a purchase in this fleet and in a larger one. Nothing is bought."""
        plan = {
            "name": "Plan",
            "check_mode": True,
            ORDER: {**ORDERS, "auth_key": self._emulator_key(), "compare_hosts": True},
        }
        play: dict[str, object] = {"hosts": "all", "gather_facts": False, "tasks": [plan]}
        certificates: dict[str, object] = {"gogetssl_certificates": [SPEC]}
        small, large = (self._seconds(play, size, certificates) / size * 1000 for size in (count, 4 * count))
        print(
            f"plan of a first purchase: {large:.0f} ms for each of {4 * count} hosts"
            f" / {small:.0f} ms for each of {count} hosts = {large / small:.2f}",
            flush=True,
        )

    def controller_task(self) -> None:
        """Print the additional time of a task that calls the API, compared with a task that does nothing."""
        count = 50
        key = self._emulator_key()
        read = {**READ_ORDER, INFO_MODULE: {**READ_ORDER[INFO_MODULE], "auth_key": key}}
        api = self._seconds({"hosts": "all", "gather_facts": False, "tasks": [read] * TASKS}, count)
        debug = self._seconds({"hosts": "all", "gather_facts": False, "tasks": [DEBUG] * TASKS}, count)
        more = (api - debug) / (count * TASKS) * 1000
        print(
            f"task in the controller, {count} hosts x {TASKS} tasks: API task {api:.1f} s / debug {debug:.1f} s ="
            f" {api / debug:.2f}; {more:.0f} ms more per task",
            flush=True,
        )

    def report(self, count: int) -> bool:
        """Print what the report over a fleet takes. Return False if it is more than documented."""
        names = [f"c{number}" for number in range(CERTIFICATES)]
        for host in range(count):
            for name in names:
                install(self._directory / "reported" / f"h{host}" / name / "1")
        shell, reads = self._directory / "shell.sh", self._directory / "reads"
        shell.write_text(f'#!/bin/sh\necho >> {reads}\nexec /bin/sh "$@"\n')
        shell.chmod(0o755)
        self._emulator.clear_requests()
        written = self._directory / "report.json"
        inventory = self._inventory(
            count,
            {
                "ansible_shell_executable": str(shell),
                "gogetssl_directory": str(self._directory / "reported" / "{{ inventory_hostname }}"),
                "gogetssl_certificates": [{"name": name, "names": [NAME], "product": "66"} for name in names],
                "gogetssl_report_json": str(written),
                "gogetssl_report_html": str(written.with_suffix(".html")),
            },
        )
        seconds = self._run("certops.gogetssl.report", inventory)
        commands, requests = len(reads.read_text().splitlines()), len(self._emulator.requests())
        rows = len(json.loads(written.read_text())["certificates"])
        print(
            f"report of {rows} certificates on {count} hosts: {seconds:.0f} s in all, {commands / count:.2f} commands"
            f" on each host, {requests} API requests",
            flush=True,
        )
        return rows == CERTIFICATES * count and commands <= count and requests <= MAX_REQUESTS

    def _emulator_key(self) -> str:
        import requests

        form = {"user": self._emulator.user, "pass": self._emulator.password}
        return str(requests.post(f"{self._emulator.url}/auth/", data=form, timeout=10).json()["key"])

    def _seconds(self, play: dict[str, object], hosts: int, more: dict[str, object] | None = None) -> float:
        """The median wall time of a play."""
        playbook = self._directory / "play.yml"
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        inventory = self._inventory(hosts, more or {})
        return statistics.median(self._run(str(playbook), inventory) for _run in range(self._repeat))

    def _inventory(self, hosts: int, more: dict[str, object]) -> Path:
        inventory = self._directory / "inventory.yml"
        variables = {"ansible_connection": "local", "bench_root": str(self._directory), **more}
        members = {f"h{number}": None for number in range(hosts)}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": members, "vars": variables}}))
        return inventory

    def _run(self, playbook: str, inventory: Path) -> float:
        environment = {
            **os.environ,
            "ANSIBLE_FORKS": str(FORKS),
            "ANSIBLE_DISPLAY_OK_HOSTS": "false",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "GOGETSSL_API_URL": self._emulator.url,
            "GOGETSSL_API_USER": self._emulator.user,
            "GOGETSSL_API_PASSWORD": self._emulator.password,
        }
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), playbook]
        start = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout[:1500] + done.stderr[:1500])
        self._output = done.stdout
        return time.perf_counter() - start


ORDER = "certops.gogetssl.gogetssl_order"
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+37122222222"}
SPEC = {"name": "new", "names": ["{{ inventory_hostname }}.example.com"], "product": "66"}
ORDERS = {
    "certificates": "{{ gogetssl_certificates }}",
    "directory": "{{ bench_root }}/{{ inventory_hostname }}",
    "host": "{{ inventory_hostname }}",
    "requests": [],
    "admin": PERSON,
    "check_balance": False,
}
INFO_MODULE = "certops.gogetssl.gogetssl_order_info"


def install(version: Path) -> None:
    """Create a certificate of 199 days with its key, as `gogetssl_certificate` installs them."""
    if version.exists():
        return
    version.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    start = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, start + dt.timedelta(days=199))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), False)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (version / "cert.pem").write_bytes(certificate)
    (version / "chain.pem").write_bytes(b"")
    (version / "fullchain.pem").write_bytes(certificate)
    (version / "privkey.pem").write_bytes(private)
    (version / "privkey.pem").chmod(0o600)
    (version.parent / "current").symlink_to(version.name)


if __name__ == "__main__":
    sys.exit(main())
