# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of a fleet with hosts and an account that are not as expected: rows or sentences, never a traceback."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .conftest import Bench, Run

SCRIPT = "<script>alert(1)</script>"
HOSTS = ("bare", "damaged", "future", "gone")
PLAYBOOKS = ("report", "reconcile", "emergency")
YESTERDAY = "2026-01-01"


def install(directory: Path, names: list[str], end: dt.datetime, pem: str = "") -> None:
    """A certificate as `gogetssl_certificate` installs it, or one that cannot be parsed."""
    version = directory / "shop" / "1"
    version.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    start = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, end)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    text = pem or builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for file, content in {"cert.pem": text, "chain.pem": "", "fullchain.pem": text}.items():
        (version / file).write_text(content)
    (version / "privkey.pem").write_bytes(private)
    (version.parent / "current").symlink_to("1")


def shell_without_openssl(directory: Path) -> Path:
    programs = directory / "bin"
    programs.mkdir()
    for folder in ("/bin", "/usr/bin"):
        for program in os.listdir(folder):
            if program != "openssl" and not (programs / program).is_symlink():
                (programs / program).symlink_to(Path(folder, program))
    shell = directory / "sh"
    shell.write_text(f'#!/bin/sh\nPATH={programs} exec /bin/sh "$@"\n')
    shell.chmod(0o755)
    return shell


@pytest.fixture
def odd_fleet(bench: Bench) -> Bench:
    """Hosts: without openssl, with an unparsable certificate, with odd names until 2039, and unreachable."""
    soon, far = (dt.datetime(year, 1, 19, tzinfo=dt.timezone.utc) for year in (2027, 2039))
    root, variables = bench.directory / "hosts", bench.directory / "host_vars"
    variables.mkdir()
    install(root / "bare", ["shop.example.com"], soon)
    install(
        root / "damaged", ["shop.example.com"], soon, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    )
    install(root / "future", ["shop.example.com", SCRIPT], far)
    (variables / "bare.yml").write_text(f"ansible_shell_executable: {shell_without_openssl(bench.directory)}\n")
    (variables / "gone.yml").write_text("ansible_connection: ssh\nansible_host: 127.0.0.1\nansible_port: 1\n")
    bench.defaults["gogetssl_directory"] = str(root / "{{ inventory_hostname }}")
    bench.defaults["gogetssl_report_html"] = str(bench.directory / "report.html")
    bench.defaults["gogetssl_report_json"] = str(bench.directory / "report.json")
    bench.defaults["gogetssl_report_prometheus"] = str(bench.directory / "report.prom")
    bench.emulator.clear_requests()
    return bench


def run(bench: Bench, playbook: str, hosts: tuple[str, ...] = HOSTS, **variables: Any) -> Run:
    select = {"gogetssl_emergency": "all", "gogetssl_emergency_since": YESTERDAY} if playbook == "emergency" else {}
    done = bench.run("-e", json.dumps(select), playbook=f"certops.gogetssl.{playbook}", hosts=hosts, **variables)
    assert "Traceback" not in done.output
    assert "Unexpected" not in done.output
    assert not bench.orders
    return done


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_hosts_and_certificates_that_are_not_as_expected(odd_fleet: Bench, playbook: str) -> None:
    before = odd_fleet.snapshot()
    done = run(odd_fleet, playbook)
    assert done.code == (2 if playbook == "emergency" else 0), done.output
    assert odd_fleet.snapshot() == before
    if playbook == "emergency":
        # Their keys are newer than the emergency, so that nothing is due.
        assert "2 certificates on 2 hosts are selected, and 0 of them get new keys" in done.output
        for host, reason in {
            "damaged": "the installed certificate cannot be read",
            "gone": "Task failed: Failed",
        }.items():
            assert f"shop on {host}: not known whether it is affected: {reason}" in done.output
        return
    rows = {row["host"]: row for row in json.loads((odd_fleet.directory / "report.json").read_text())["certificates"]}
    states = {"bare": "due", "damaged": "missing", "future": "due", "gone": "unreachable"}
    assert {host: row["state"] for host, row in rows.items()} == states
    assert rows["damaged"]["reason"] == "the installed certificate cannot be read"
    assert rows["future"]["not_after"].startswith("2039-01-19")
    assert "whether the key belongs to the certificate cannot be checked on this host. Install openssl." in done.output


class Vendor(http.server.BaseHTTPRequestHandler):
    """Answers lists of orders with this body. The emulator, which it passes all other requests to, does not take it."""

    body, url = b"", ""

    def do_GET(self) -> None:
        answer = self.body if re.match(r"/api/orders/(ssl/all/)?(\?|$)", self.path) else self._forward("GET", None)
        self._send(answer)

    def do_POST(self) -> None:
        self._send(self._forward("POST", self.rfile.read(int(self.headers["Content-Length"] or 0))))

    def _forward(self, method: str, form: bytes | None) -> bytes:
        kind = {"Content-Type": self.headers["Content-Type"] or "text/plain"}
        return requests.request(method, self.url + self.path, data=form, headers=kind, timeout=30).content

    def _send(self, answer: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("playbook", ["report", "reconcile"])  # the others do not read the account's lists
def test_a_hundred_thousand_orders_with_odd_names_and_dates(odd_fleet: Bench, playbook: str) -> None:
    odd = {"order_id": 100_001, "status": SCRIPT, "common_name": SCRIPT, "valid_till": "2039-01-19", "valid_from": "x"}
    orders = [odd, *({"order_id": one, "status": "active", "common_name": "<script>"} for one in range(1, 100_001))]
    Vendor.body = json.dumps({"orders": orders, "limit": 1000, "offset": 0, "count": 100_000, "success": True}).encode()
    Vendor.url = odd_fleet.emulator.root
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        odd_fleet.environment["GOGETSSL_API_URL"] = f"http://127.0.0.1:{server.server_port}/api"
        done = run(odd_fleet, playbook, hosts=("future",))
        server.shutdown()
    assert done.code == 0, done.output[:3000]
    report = json.loads((odd_fleet.directory / "report.json").read_text())
    assert (report["account_read"], report["findings"]["unused"]) == (True, 100_001)
    assert len(done.output) < 200_000  # 500 differences
    page = (odd_fleet.directory / "report.html").read_text()
    assert page.count("<script") == page.count("</script>") == 1


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_an_empty_inventory(odd_fleet: Bench, playbook: str) -> None:
    done = run(odd_fleet, playbook, hosts=())
    sentence, code = {
        "report": ("The hosts have no certificates.", 0),
        "reconcile": ("Every live order of the account belongs to a certificate of these hosts.", 0),
        "emergency": ("The inventory has no hosts that match all.", 2),  # nothing was replaced
    }[playbook]
    assert sentence in done.output
    assert done.code == code
