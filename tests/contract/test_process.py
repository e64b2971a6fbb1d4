# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process itself: its one line, its state over a restart and a kill, its end, its TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests

from tests.emulator.testing import Emulator

from .world import Api


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


def test_a_kill_loses_nothing_committed(tmp_path: Path) -> None:
    emulator = Emulator(state=tmp_path).start()
    api = Api(emulator)
    ids = [api.order(66, f"n{i}.example.com")["order_id"] for i in range(5)]
    ledger = emulator.ledger()
    assert emulator.kill() == -9
    with Emulator(state=tmp_path) as again:
        assert again.ledger() == ledger
        assert [order["order_id"] for order in again.ledger()["orders"]] == ids


def test_sigterm_ends_it_cleanly_and_tidily() -> None:
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


def test_reset_goes_back_to_the_start(tmp_path: Path) -> None:
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


def test_tls_is_of_the_same_root() -> None:
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
