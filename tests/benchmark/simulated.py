# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`certops.gogetssl.reconcile` and `certops.gogetssl.emergency` over simulated hosts.

    python -m tests.benchmark.simulated [--simulated-hosts 1000] [--unused 200] [--drilled 50] [--replaced 20]

A simulated host is a directory of this machine, with a certificate that the emulator issued, and its order's journal.

1. Reconcile: the account has `--unused` more orders, all of which must be found.
2. The playbook of emergencies reads all hosts and selects the certificates of `--drilled` of them: a drill.
3. The same for `--replaced` of them, whose keys are replaced, in waves with a canary.

A run of the role takes seconds of CPU time for each host, as the host is on this machine too, so not all are selected.

It fails if a run fails or buys something, if reconcile misses an order or sends too many requests, or if an old key
stays on a host.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from ansible_collections.certops.gogetssl.plugins.module_utils._core import stored
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal
from tests.contract.helpers import contacts
from tests.playbooks.conftest import Bench, world

from .emergency import FORKS, SINCE, figures

PRODUCT = 66
# Not one map with the names of all hosts, which each host would convert. GoGetSSL adds the www name.
NAMES = "['shop.', 'www.shop.'] | product([inventory_hostname ~ '.example.com']) | map('join')"
RESOLVE = f"{{{{ dict({NAMES} | product(['127.0.0.1'])) }}}}"
MAX_REQUESTS = 15 + 100  # of reconcile, which reads the details of 100 orders


class Fleet:
    """Hosts with one certificate each, on local connections."""

    def __init__(self, bench: Bench, count: int) -> None:
        self.bench, self.emulator = bench, bench.emulator
        self.hosts = tuple(f"h{number}" for number in range(count))
        self._session = requests.Session()
        self._key = {"auth_key": bench.session_key()}

    def install(self, host: str) -> None:
        """Buy a certificate and install it with the journal of its order, as the role does."""
        name = name_of(host)
        key = x509.new_key("ecdsa-p256")
        order_id = self.buy(name, key)
        order = self._session.get(f"{self.emulator.url}/orders/status/{order_id}", params=self._key, timeout=60).json()
        version = self.bench.directory / "hosts" / host / "own" / x509.read_certificate(order["crt_code"]).serial
        version.mkdir(parents=True)
        cert, chain = order["crt_code"].strip() + "\n", order["ca_code"].strip() + "\n"
        files = {"privkey.pem": key.decode(), "cert.pem": cert, "chain.pem": chain, "fullchain.pem": cert + chain}
        for file, content in files.items():
            (version / file).write_text(content)
        (version / "privkey.pem").chmod(0o600)
        (version.parent / "current").symlink_to(version.name)
        record = journal.Journal(
            api=self.emulator.url,
            order_id=order_id,
            product_id=PRODUCT,
            public_key=x509.read_certificate(cert).public_key,
            end_date=order["end_date"],
            keyed=(dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)).isoformat(timespec="seconds"),
        )
        (version.parent / "order.json").write_text(json.dumps({"format": stored.FORMAT, **dataclasses.asdict(record)}))

    def buy(self, name: str, key: bytes) -> int:
        form = {
            "product_id": PRODUCT,
            "period": 12,
            "csr": x509.new_request(key, [name]),
            "server_count": -1,
            "webserver_type": -1,
            "dcv_method": "http",
            **contacts(),
        }
        url = f"{self.emulator.url}/orders/add_ssl_order/"
        return int(self._session.post(url, form, params=self._key, timeout=60).json()["order_id"])

    def run(self, playbook: str, **extra: Any) -> str:
        """Print the duration of a run that must succeed, and its API requests. Return its output."""
        own = {"name": "own", "names": [name_of("{{ inventory_hostname }}")], "product": str(PRODUCT), "dcv": "http"}
        self.emulator.clear_requests()
        started, used = time.perf_counter(), cpu_seconds()
        process = self.bench.start(
            *("-f", str(FORKS), "-e", json.dumps(extra)),
            env={"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"},
            playbook=f"certops.gogetssl.{playbook}",
            hosts=self.hosts,
            gogetssl_directory=str(self.bench.directory / "hosts" / "{{ inventory_hostname }}"),
            gogetssl_certificates=[{**own, "key_type": "ecdsa-p256"}],
            gogetssl_resolve=RESOLVE,
            gogetssl_wait_timeout=600,
        )
        output, _unused = process.communicate()
        if process.returncode:
            raise SystemExit(f"{playbook} failed: {output[-3000:]}")
        print(
            f"{playbook} of {len(self.hosts)} hosts: {time.perf_counter() - started:.0f} s in all,"
            f" {cpu_seconds() - used:.0f} s of CPU time, {len(self.emulator.requests())} API requests",
            flush=True,
        )
        return str(output)

    def key(self, host: str) -> bytes:
        return (self.bench.directory / "hosts" / host / "own" / "current" / "privkey.pem").read_bytes()


def name_of(host: str) -> str:
    return f"shop.{host}.example.com"


def cpu_seconds() -> float:
    """The CPU time of all child processes that have ended. The emulator is not among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--simulated-hosts", type=int, default=1000)
    options.add_argument("--unused", type=int, default=200, help="orders that no host uses")
    options.add_argument("--drilled", type=int, default=50, help="hosts of the drill")
    options.add_argument("--replaced", type=int, default=20, help="hosts that get a new key")
    given, _unused = options.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="gogetssl-bench-") as directory:
        web_root = Path(directory) / "www"
        web_root.mkdir()
        with world(web_root) as (emulator, port):
            emulator.set(issuance_delay=0.0, dcv_mode="pass", initial_balance=1e6)
            emulator.reset(settings=False)
            fleet = Fleet(Bench(Path(directory), web_root, emulator, port), given.simulated_hosts)
            for host in fleet.hosts:
                fleet.install(host)
            key = x509.new_key("ecdsa-p256")
            unused = {fleet.buy(f"old{number}.example.com", key) for number in range(given.unused)}
            emulator.set(dcv_mode="real", dcv_interval=0.5)
            paid = emulator.ledger()
            faults = reconcile(fleet, unused)
            drill(fleet, fleet.hosts[: given.drilled])
            faults += replace(fleet, fleet.hosts[: given.replaced])
            if any(emulator.ledger()[key] != paid[key] for key in ("balance", "charges")):
                faults.append("something was bought")
    print("".join(f"FAULT: {fault}\n" for fault in faults), end="", flush=True)
    return int(bool(faults))


def reconcile(fleet: Fleet, unused: set[int]) -> list[str]:
    written = fleet.bench.directory / "report.json"
    fleet.run("reconcile", gogetssl_report_json=str(written))
    requests_sent = len(fleet.emulator.requests())
    findings = json.loads(written.read_text())["account"]
    print(f"reconcile: {len(findings)} findings", flush=True)
    return [
        *([] if requests_sent <= MAX_REQUESTS else [f"reconcile sent {requests_sent} requests"]),
        *([] if {one["order_id"] for one in findings} == unused else ["reconcile did not find the unused orders"]),
    ]


def drill(fleet: Fleet, chosen: tuple[str, ...]) -> None:
    quick = {"gogetssl_emergency_drill": True, "gogetssl_emergency_issuance_minutes": 0.01}
    output = fleet.run("emergency", gogetssl_emergency={"names": [*map(name_of, chosen)]}, **quick)
    print(f"emergency drill: {figures(output)}", flush=True)


def replace(fleet: Fleet, chosen: tuple[str, ...]) -> list[str]:
    since = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
    before = {host: fleet.key(host) for host in fleet.hosts}
    output = fleet.run("emergency", gogetssl_emergency={"names": [*map(name_of, chosen)]}, **{SINCE: since})
    print(f"emergency: {figures(output)}", flush=True)
    changed = tuple(host for host in fleet.hosts if fleet.key(host) != before[host])
    return [] if changed == chosen else [f"{len(changed)} keys were replaced instead of {len(chosen)}"]


if __name__ == "__main__":
    sys.exit(main())
