# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain from nothing to an installed certificate, and every way to interrupt it."""

from __future__ import annotations

import stat
from typing import Any

import pytest

from tests.bin.processes import kill_tree

from .conftest import Bench


def test_issues_then_rests(bench: Bench) -> None:
    first = bench.run()
    assert first.code == 0, first.output
    assert first.recap["changed"] > 0
    assert len(bench.orders) == 1
    assert bench.installed()
    key = bench.store / "shop" / "current" / "privkey.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not bench.proofs
    assert "shop: installed: order" in first.output

    bench.emulator.clear_requests()
    before = bench.snapshot()
    second = bench.run()
    assert second.code == 0, second.output
    assert second.recap["changed"] == 0
    assert not bench.emulator.requests()
    assert bench.snapshot() == before


def test_check_mode_buys_and_writes_nothing(bench: Bench) -> None:
    run = bench.run("--check", "--diff")
    assert run.code == 0, run.output
    assert "would do: buy" in run.output
    assert not bench.orders
    assert not bench.snapshot()


def test_check_mode_of_a_healthy_host(bench: Bench) -> None:
    assert bench.run().code == 0
    run = bench.run("--check", "--diff")
    assert (run.code, run.recap["changed"]) == (0, 0), run.output


def test_pending_is_no_failure_and_is_resumed(bench: Bench) -> None:
    bench.emulator.set(issuance_delay=12.0)
    run = bench.run(gogetssl_wait=False)
    assert run.code == 0, run.output
    assert "shop: pending: order" in run.output
    assert not bench.installed()
    assert bench.proofs, "the authority may still ask for them"

    check = bench.run("--check", gogetssl_wait=False)
    assert check.code == 0, check.output

    bench.emulator.wait_for(bench.orders[0]["order_id"], seconds=30)
    run = bench.run(gogetssl_wait=False)
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert not bench.proofs


@pytest.mark.slow
def test_the_end_of_the_waiting_time_is_no_failure(bench: Bench) -> None:
    bench.emulator.set(issuance_delay=3600.0)
    run = bench.run(gogetssl_wait_timeout=2)
    assert run.code == 0, run.output
    assert "shop: pending: order" in run.output


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("/auth", marks=pytest.mark.slow),
        pytest.param("/products", marks=pytest.mark.slow),
        "/tools/csr",
        "/orders/add_ssl_order",
        pytest.param("/orders/status/", marks=pytest.mark.slow),
        "/orders/statuses/",
    ],
)
def test_a_killed_run_is_cured_by_the_next(bench: Bench, call: str) -> None:
    bench.emulator.set(issuance_delay=2.0)
    # Its answer is held back: with it the run may come as far as the purchase, whose outcome nobody would know.
    bench.emulator.fault(path=call, when="after", kind="delay", seconds=60.0)
    process = bench.start()
    bench.wait_for_fault()
    kill_tree(process.pid)
    process.communicate()
    run = bench.run()
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert not bench.proofs


def test_a_lost_answer_is_settled(bench: Bench) -> None:
    bench.emulator.fault(path="/orders/add_ssl_order", when="after", kind="reset")
    run = bench.run()
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1


def test_one_certificate_that_stops_does_not_hold_up_the_other(bench: Bench) -> None:
    other = bench.shop(name="other", names=["*.example.com"], dcv="dns", product="68")
    other["product"] = "no such product"
    run = bench.run(gogetssl_certificates=[other, bench.shop()])
    assert run.code != 0
    assert "other: stopped: There is no product 'no such product'" in run.output
    assert bench.installed()
    assert len(bench.orders) == 1


def test_a_proof_that_cannot_be_seen_ends_in_a_sentence(bench: Bench) -> None:
    elsewhere = bench.directory / "elsewhere"
    elsewhere.mkdir()
    run = bench.run(gogetssl_web_root=str(elsewhere), gogetssl_preflight="warn")
    assert run.code != 0
    assert "the proof cannot be seen from outside" in run.output
    assert not any(path.is_file() for path in elsewhere.rglob("*"))


@pytest.mark.slow
def test_what_is_not_served_is_taken_back(bench: Bench) -> None:
    assert bench.run().code == 0
    current = bench.store / "shop" / "current"
    before = current.resolve()
    wish = bench.shop(rekey=True, services=["custom"])
    run = bench.run(gogetssl_certificates=[wish], gogetssl_custom_test="sh -c 'echo the sky has fallen >&2; exit 1'")
    assert run.code != 0
    assert "the sky has fallen" in run.output
    assert current.resolve() == before


def test_a_listener_that_serves_something_else_is_told(bench: Bench) -> None:
    wish = bench.shop(services=["custom"], listeners=[{"port": 9}])
    run = bench.run(gogetssl_certificates=[wish])
    assert run.code != 0
    assert "127.0.0.1:9 served no certificate at all after the reload" in run.output
    assert len(bench.orders) == 1


def test_no_secret_is_told(bench: Bench) -> None:
    run = bench.run("-vvvv", "--diff")
    assert run.code == 0, run.output
    assert bench.emulator.password not in run.output
    assert "PRIVATE KEY" not in run.output

    key = bench.session_key()
    run = bench.run("-vvvv", env={"GOGETSSL_API_KEY": key}, gogetssl_certificates=[bench.shop(rekey=True)])
    assert run.code == 0, run.output
    assert key not in run.output


def test_one_host_waits_for_all(bench: Bench) -> None:
    hosts = ("web1", "web2", "web3")
    names = [f"{host}.example.com" for host in hosts]
    wish = bench.shop(names=["{{ inventory_hostname }}.example.com"])
    variables: dict[str, Any] = {
        "gogetssl_directory": str(bench.store) + "/{{ inventory_hostname }}",
        "gogetssl_resolve": dict.fromkeys(names, "127.0.0.1"),
        "gogetssl_certificates": [wish],
    }
    assert bench.run("--limit", "web1", **variables, hosts=hosts).code == 0
    bench.emulator.clear_requests()
    run = bench.run(**variables, hosts=hosts)
    assert run.code == 0, run.output
    assert len(bench.orders) == 3
    assert all((bench.store / host / "shop" / "current" / "cert.pem").exists() for host in hosts)
    assert run.output.count("TASK [certops.gogetssl.gogetssl : Wait for the pending orders of all hosts]") == 1
