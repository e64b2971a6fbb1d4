# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A first issue by this role, and by community.crypto with the ACME server Pebble: wall time and CPU, as ratios.

    python -m tests.benchmark.rival [--sizes 1,10,50]

For each size, that many certificates are issued for one host, and one certificate for each of as many hosts, ECDSA,
validated by HTTP files, with 10 forks. CPU is that of ansible-playbook and the hosts, which are on this machine,
without the servers. Pebble accepts every validation at once; the emulator requests the files.

It needs the Debian package `pebble`, and the collection community.crypto, for example from the Python package
`ansible`. Without them, it prints why and does nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import ipaddress
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.playbooks.conftest import Bench, world

from .emergency import FORKS, Fleet


class Cost(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s, {self.cpu:.1f} s CPU"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", default="1,10,50")
    given, _unused = options.parse_known_args()
    reason = missing()
    if reason:
        print(f"community.crypto beside the role: not measured, because {reason}.", flush=True)
        return 0
    with tempfile.TemporaryDirectory(prefix="gogetssl-bench-") as directory, pebble(Path(directory)) as acme:
        for size in map(int, given.sizes.split(",")):
            for hosts, certificates in dict.fromkeys(((1, size), (size, 1))):
                compare(Path(directory), acme, hosts, certificates)
    return 0


def missing() -> str:
    """Why the comparison cannot run here, or an empty string."""
    if not shutil.which("pebble"):
        return "pebble is not installed (Debian package pebble)"
    paths = [*os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(":"), *sys.path]
    if not any((Path(path) / "ansible_collections" / "community" / "crypto").is_dir() for path in paths if path):
        return "community.crypto is not in ANSIBLE_COLLECTIONS_PATH"
    return ""


def compare(directory: Path, acme: str, hosts: int, certificates: int) -> None:
    """Print what both take, and the ratios."""
    place = Path(tempfile.mkdtemp(dir=directory))
    ours, theirs = role(place, hosts, certificates), community(place, acme, hosts, certificates)
    print(
        f"{certificates} certificates on each of {hosts} hosts: role {ours} / community.crypto {theirs}"
        f" = {ours.wall / theirs.wall:.2f}, CPU {ours.cpu / theirs.cpu:.2f}",
        flush=True,
    )


def role(place: Path, hosts: int, certificates: int) -> Cost:
    """Issue with the role, and check that all certificates are installed."""
    directory = place / "role"
    web_root = directory / "www"
    web_root.mkdir(parents=True)
    with world(web_root) as (emulator, port):
        emulator.set(issuance_delay=0.0, dcv_interval=0.5)
        fleet = Fleet(Bench(directory, web_root, emulator, port), hosts, certificates)
        with measured() as cost:
            fleet.run("issue")
    check(len(list(fleet.directory.glob("*/*/current/fullchain.pem"))), hosts * certificates)
    return cost[0]


def community(place: Path, acme: str, hosts: int, certificates: int) -> Cost:
    """Issue with the modules of community.crypto, and check that all certificates are there."""
    playbook, inventory, root = place / "acme.yml", place / "acme-inventory.yml", place / "acme"
    account = place / "account.pem"
    account.write_bytes(pem_of(ec.generate_private_key(ec.SECP256R1())))
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "root": str(root / "{{ inventory_hostname }}"),
        "web_root": str(root / "www"),
        "certificates": [f"c{number}" for number in range(certificates)],
    }
    members = {f"h{number}": None for number in range(hosts)}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": members, "vars": variables}}))
    playbook.write_text(yaml.safe_dump([acme_play(acme, str(account))], sort_keys=False))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), "-f", str(FORKS)]
    with measured() as cost:
        done = subprocess.run([*command, str(playbook)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"community.crypto failed: {done.stdout[-3000:]}{done.stderr[-1000:]}")
    check(len(list(root.glob("*/*.fullchain.pem"))), hosts * certificates)
    return cost[0]


def acme_play(acme: str, account: str) -> dict[str, Any]:
    """The usual steps for an ACME certificate: key, CSR, order, file, certificate, cleanup."""
    base, name = "{{ root }}/{{ item }}", "{{ item }}.{{ inventory_hostname }}.example.com"
    order = {
        "account_key_src": account,
        "acme_directory": f"{acme}/dir",
        "acme_version": 2,
        "validate_certs": False,
        "terms_agreed": True,
        "challenge": "http-01",
    }
    files = {"csr": f"{base}.csr", "dest": f"{base}.pem", "fullchain_dest": f"{base}.fullchain.pem"}
    of_result = {key: value.replace("{{ item }}", "{{ item.item }}") for key, value in files.items()}
    challenge = "{{ (item.challenge_data.values() | first)['http-01']"
    resource_of = "{{ web_root }}/" + challenge + ".resource }}"
    each, every = {"loop": "{{ certificates }}"}, {"loop": "{{ ordered.results }}"}
    quiet = {"loop_control": {"label": "{{ item.item }}"}}
    crypto = "community.crypto"
    challenges = "{{ web_root }}/.well-known/acme-challenge"
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.file": {"path": "{{ root }}", "state": "directory", "mode": "0700"}},
        {"ansible.builtin.file": {"path": challenges, "state": "directory", "mode": "0755"}},
        {f"{crypto}.openssl_privatekey": {"path": f"{base}.key", "type": "ECC", "curve": "secp256r1"}, **each},
        {
            f"{crypto}.openssl_csr": {
                "path": f"{base}.csr",
                "privatekey_path": f"{base}.key",
                "common_name": name,
                "subject_alt_name": [f"DNS:{name}"],
            },
            **each,
        },
        {f"{crypto}.acme_certificate": {**order, **files}, "register": "ordered", **each},
        {
            "ansible.builtin.copy": {
                "content": challenge + ".resource_value }}",
                "dest": resource_of,
                "mode": "0644",
            },
            **every,
            **quiet,
        },
        {f"{crypto}.acme_certificate": {**order, **of_result, "data": "{{ item }}"}, **every, **quiet},
        {"ansible.builtin.file": {"path": resource_of, "state": "absent"}, **every, **quiet},
    ]
    return {"hosts": "all", "gather_facts": False, "tasks": tasks}


@contextlib.contextmanager
def measured() -> Iterator[list[Cost]]:
    """Measure the child processes that start and end in the block."""
    cost: list[Cost] = []
    before, started = children(), time.perf_counter()
    yield cost
    cost.append(Cost(time.perf_counter() - started, children() - before))


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check(found: int, expected: int) -> None:
    if found != expected:
        raise SystemExit(f"{found} of {expected} certificates were issued")


@contextlib.contextmanager
def pebble(directory: Path) -> Iterator[str]:
    """Run Pebble on free ports. Yield its address."""
    key = ec.generate_private_key(ec.SECP256R1())
    (directory / "pebble.key").write_bytes(pem_of(key))
    (directory / "pebble.pem").write_bytes(certificate_of(key))
    port, management = free_port(), free_port()
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(directory / "pebble.pem"),
        "privateKey": str(directory / "pebble.key"),
        "httpPort": 5002,
        "tlsPort": 5001,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    (directory / "pebble.json").write_text(json.dumps({"pebble": settings}))
    switches = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    with (directory / "pebble.log").open("w") as log:
        process = subprocess.Popen(
            ["pebble", "-config", str(directory / "pebble.json")],
            env={**os.environ, **switches},
            stdout=log,
            stderr=log,
        )
        try:
            address = f"https://127.0.0.1:{port}"
            wait_for(f"{address}/dir", directory / "pebble.pem")
            yield address
        finally:
            process.kill()
            process.wait()


def wait_for(url: str, ca: Path) -> None:
    """Wait until the server answers."""
    for _attempt in range(100):
        with contextlib.suppress(requests.exceptions.ConnectionError):
            requests.get(url, verify=str(ca), timeout=5).raise_for_status()
            return
        time.sleep(0.1)
    raise SystemExit("Pebble does not answer.")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate of the loopback address, signed by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pebble")])
    start = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, start + dt.timedelta(days=9))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return builder.add_extension(names, False).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


if __name__ == "__main__":
    sys.exit(main())
