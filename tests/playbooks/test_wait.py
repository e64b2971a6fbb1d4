# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders of two hosts that a run waits for, and one that it does not wait for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import CONTACT, Bench

ADDRESS = {"addressline1": "Street 1", "city": "Riga", "region": "Riga", "country": "LV", "postalcode": "LV-1010"}
ORGANIZATION = {"name": "Acme", "division": "IT", "phone": "+37122222222", **ADDRESS}
HOSTS = ("web1", "web2")
NAMES = ("a.example.com", "b.example.com", "c.example.com")


def certificate(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "names": [f"{name}.example.com"], "product": "66", "dcv": "http", **changes}


def fleet(bench: Bench, certificates: dict[str, list[dict[str, Any]]], **changes: Any) -> dict[str, Any]:
    """Variables that give each host its own certificates."""
    return {
        "hosts": HOSTS,
        "gogetssl_directory": str(bench.store) + "/{{ inventory_hostname }}",
        "gogetssl_resolve": dict.fromkeys(NAMES, "127.0.0.1"),
        "test_lists": certificates,
        "gogetssl_certificates": "{{ test_lists[inventory_hostname] }}",
        "gogetssl_admin": {**CONTACT, "organization": "Acme", **ADDRESS},
        "gogetssl_organization": ORGANIZATION,
        **changes,
    }


def installed(bench: Bench) -> list[str]:
    return sorted(path.parts[-3] for path in bench.store.glob("*/*/current/cert.pem"))


@pytest.mark.slow
def test_an_order_that_is_checked_by_hand_is_not_waited_for(bench: Bench) -> None:
    """The wait would end after the time limit of a run of the bench."""
    bench.emulator.set(manual_check="manual")
    lists = {"web1": [certificate("a"), certificate("b", product="134")], "web2": [certificate("c")]}
    run = bench.run(**fleet(bench, lists, gogetssl_wait_timeout=900))
    assert run.code == 0, run.output
    assert installed(bench) == ["a", "c"]
    assert "This run did not wait for it, because it requires" in run.output
    assert "b: pending: order" in run.output


@pytest.mark.slow
def test_what_is_issued_is_installed_while_others_are_pending(bench: Bench) -> None:
    """The CA holds order b until the certificates of the others are installed."""
    bench.emulator.set(issuance_delay=8.0)
    lists = {"web1": [certificate("a"), certificate("b")], "web2": [certificate("c")]}
    run = bench.start(**fleet(bench, lists, gogetssl_wait_timeout=900))
    wait_until(lambda: len(bench.emulator.ledger()["orders"]) == 3)
    [held] = [one["order_id"] for one in bench.emulator.ledger()["orders"] if "b.example.com" in one["names"]]
    bench.emulator.force(held, action="hold")
    wait_until(lambda: installed(bench) == ["a", "c"])
    assert run.poll() is None
    bench.emulator.set(issuance_delay=0.0)
    bench.emulator.force(held, action="pass")
    output, _unused = run.communicate(timeout=120)
    assert run.returncode == 0, output
    assert installed(bench) == ["a", "b", "c"]


@pytest.mark.slow
def test_the_next_run_completes_what_fails_in_the_rest_of_the_wait(bench: Bench) -> None:
    """The login is refused after the other certificate is installed. The pending order keeps its files until then."""
    bench.emulator.set(issuance_delay=8.0)
    lists = {"web1": [certificate("a"), certificate("b")]}
    options = fleet(bench, lists, hosts=("web1",), gogetssl_wait_timeout=900, gogetssl_api_deadline=5)
    run = bench.start(**options)
    wait_until(lambda: len(bench.emulator.ledger()["orders"]) == 2)
    [held] = [one["order_id"] for one in bench.emulator.ledger()["orders"] if "b.example.com" in one["names"]]
    bench.emulator.force(held, action="hold")
    wait_until(lambda: installed(bench) == ["a"])
    assert bench.proofs
    refused = json.dumps({"error": True, "message": "Wrong username and/or password", "success": False})
    bench.emulator.fault(path="/auth", kind="body", when="before", body=refused, times=None)
    bench.emulator.expire_keys()
    output, _unused = run.communicate(timeout=120)
    assert run.returncode == 2, output
    assert (installed(bench), bool(bench.proofs)) == (["a"], True), output
    bench.emulator.clear_faults()
    bench.emulator.set(issuance_delay=0.0)
    bench.emulator.force(held, action="pass")
    again = bench.run(**options)
    assert (again.code, installed(bench), bench.proofs) == (0, ["a", "b"], []), again.output


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)
