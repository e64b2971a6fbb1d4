# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator process: its first line, its state after a restart and a kill, its termination, its TLS."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.emulator.testing import Emulator

from .helpers import Api

ROOT = Path(__file__).parents[2]


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with Emulator(state=tmp_path) as first:
        first.set(max_days=99)
        first.advance(days=10)
        api = Api(first)
        order_id = api.order(66, "a.example.com")["order_id"]
        ledger, root, now = first.ledger(), first.ca.read_bytes(), first.now()
    with Emulator(state=tmp_path) as second:
        assert second.ledger() == ledger
        assert second.ca.read_bytes() == root
        assert (second.user, second.password) == (first.user, first.password)
        assert second.settings()["max_days"] == 99
        assert second.now() >= now
        api.url = second.url
        assert api.status(order_id)["domain"] == "a.example.com"
        assert api.order(66, "b.example.com")["order_id"] == order_id + 1


def test_a_kill_loses_no_committed_state(tmp_path: Path) -> None:
    emulator = Emulator(state=tmp_path).start()
    api = Api(emulator)
    ids = [api.order(66, f"n{i}.example.com")["order_id"] for i in range(5)]
    ledger = emulator.ledger()
    assert emulator.kill() == -9
    with Emulator(state=tmp_path) as again:
        assert again.ledger() == ledger
        assert [order["order_id"] for order in again.ledger()["orders"]] == ids


def test_sigterm_removes_the_temporary_state() -> None:
    emulator = Emulator(stderr=subprocess.PIPE).start()
    directory = emulator.ca.parents[1]
    assert directory.is_dir()
    Api(emulator).order(66, "a.example.com")
    process = emulator._process
    assert process is not None
    assert process.stderr is not None
    process.terminate()
    errors = process.stderr.read()
    assert emulator.stop() == 0
    assert "Traceback" not in errors
    assert emulator.password not in errors
    assert not directory.exists()


def test_reset_restores_the_initial_state(tmp_path: Path) -> None:
    with Emulator(state=tmp_path) as emulator:
        start = emulator.ledger()
        api = Api(emulator)
        order_id = api.order(66, "a.example.com", dcv_method="email", approver_email="admin@example.com")["order_id"]
        emulator.set(max_days=10)
        emulator.advance(days=5)
        emulator.fault(path="/")
        emulator.reset()
        assert emulator.ledger() == start
        assert (emulator.requests(), emulator.faults(), emulator.outbox()) == ([], [], [])
        assert emulator.settings()["max_days"] == 199
        assert api.call("GET", "/account/balance").status_code == 403
        assert Api(emulator).order(66, "a.example.com")["order_id"] == order_id


def test_tls_certificate_chains_to_the_root() -> None:
    with Emulator(tls=True) as emulator:
        assert emulator.url.startswith("https://")
        assert Api(emulator).get("/account/balance")["success"] is True
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{emulator.url}/account/balance", timeout=5)
        emulator.fault(path="/account/balance", kind="reset")
        with pytest.raises(requests.ConnectionError):
            Api(emulator).get("/account/balance")


def test_openssl_accepts_the_chain(tmp_path: Path) -> None:
    with Emulator(state=tmp_path) as emulator:
        emulator.set(dcv_mode="pass", issuance_delay=0.0)
        api = Api(emulator)
        order = api.order(67, "*.example.com", dcv_method="dns")
        emulator.wait_for(order["order_id"])
        status = api.status(order["order_id"])
        leaf, chain = tmp_path / "leaf.pem", tmp_path / "chain.pem"
        leaf.write_text(status["crt_code"])
        chain.write_text(status["ca_code"])
        command = [
            "openssl",
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "a.example.com",
            "-CAfile",
            str(emulator.ca),
            "-untrusted",
            str(chain),
            str(leaf),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_rehearsal_of_the_readme_starts_an_emulator_that_accepts_its_credentials() -> None:
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"^python -m (tests\.emulator .*) &$", readme, re.MULTILINE)
    login = re.search(r"GOGETSSL_API_USER=(\S+) GOGETSSL_API_PASSWORD=(\S+)$", readme, re.MULTILINE)
    assert command
    assert login
    arguments = shlex.split(command.group(1).replace("--port 8444", "--port 0"))
    with subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        answer = requests.post(f"{ready['url']}/auth", {"user": login.group(1), "pass": login.group(2)}, timeout=30)
        process.terminate()
    assert answer.json()["key"]


def test_a_missing_library_is_named_with_the_command_that_installs_it() -> None:
    without = "import sys, runpy; sys.modules['flask'] = None; runpy.run_module('tests.emulator', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert re.fullmatch(r"The emulator requires flask\. Install .* pip install flask cryptography .*\n", done.stderr)
