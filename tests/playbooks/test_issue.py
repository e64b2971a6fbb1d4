# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook from a first order to an installed certificate, and interruptions of it."""

from __future__ import annotations

import stat
from typing import Any

import pytest

from tests.bin.processes import kill_tree

from .conftest import Bench


@pytest.mark.outermost
def test_issue_is_idempotent(bench: Bench) -> None:
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


@pytest.mark.outermost
def test_check_mode_buys_and_writes_nothing(bench: Bench) -> None:
    run = bench.run("--check", "--diff")
    assert run.code == 0, run.output
    assert "planned: buy GoGetSSL Multi-Domain SSL (68), 12 months, 2 names, " in run.output
    assert not bench.orders
    assert not bench.snapshot()


def test_check_mode_of_a_healthy_host(bench: Bench) -> None:
    assert bench.run().code == 0
    run = bench.run("--check", "--diff")
    assert (run.code, run.recap["changed"]) == (0, 0), run.output


def test_a_pending_order_is_no_failure_and_is_resumed(bench: Bench) -> None:
    bench.emulator.set(issuance_delay=12.0)
    run = bench.run(gogetssl_wait=False)
    assert run.code == 0, run.output
    assert "shop: pending: order" in run.output
    assert not bench.installed()
    assert bench.proofs, "the CA may still fetch them"

    check = bench.run("--check", gogetssl_wait=False)
    assert check.code == 0, check.output

    bench.emulator.wait_for(bench.orders[0]["order_id"], seconds=30)
    run = bench.run(gogetssl_wait=False)
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert not bench.proofs


@pytest.mark.slow
def test_a_wait_timeout_is_no_failure(bench: Bench) -> None:
    bench.emulator.set(issuance_delay=3600.0)
    run = bench.run(gogetssl_wait_timeout=2)
    assert run.code == 0, run.output
    assert "shop: pending: order" in run.output


@pytest.mark.parametrize(
    "call",
    [
        # Calls before these have no effect that lasts; tests.chaos.playbooks kills runs everywhere.
        "/orders/add_ssl_order",
        pytest.param("/orders/status/", marks=pytest.mark.slow),
    ],
)
def test_the_next_run_recovers_from_a_kill(bench: Bench, call: str) -> None:
    bench.emulator.set(issuance_delay=2.0)
    # The response is delayed: with it the run could reach the purchase, whose outcome would be unknown after a kill.
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


@pytest.mark.slow
def test_an_order_with_a_lost_response_is_found(bench: Bench) -> None:
    bench.emulator.fault(path="/orders/add_ssl_order", when="after", kind="reset")
    run = bench.run()
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1


@pytest.mark.slow
def test_a_stopped_certificate_does_not_block_others(bench: Bench) -> None:
    other = bench.shop(name="other", names=["*.example.com"], dcv="dns", product="68")
    other["product"] = "no such product"
    run = bench.run(gogetssl_certificates=[other, bench.shop()])
    assert run.code != 0
    assert "other: stopped: There is no product 'no such product'" in run.output
    assert bench.installed()
    assert len(bench.orders) == 1


@pytest.mark.slow
def test_an_unreachable_dcv_file_is_reported(bench: Bench) -> None:
    elsewhere = bench.directory / "elsewhere"
    elsewhere.mkdir()
    run = bench.run(gogetssl_web_root=str(elsewhere), gogetssl_preflight="warn")
    assert run.code != 0
    assert "the DCV file is not visible from the controller" in run.output
    assert not any(path.is_file() for path in elsewhere.rglob("*"))


@pytest.mark.slow
def test_a_failed_service_test_rolls_back(bench: Bench) -> None:
    assert bench.run().code == 0
    current = bench.store / "shop" / "current"
    before = current.resolve()
    spec = bench.shop(rekey=True, services=["custom"])
    run = bench.run(gogetssl_certificates=[spec], gogetssl_custom_test="sh -c 'echo configuration error >&2; exit 1'")
    assert run.code != 0
    assert "configuration error" in run.output
    assert current.resolve() == before


@pytest.mark.slow
def test_a_listener_without_the_certificate_is_reported(bench: Bench) -> None:
    spec = bench.shop(services=["custom"], listeners=[{"port": 9}])
    run = bench.run(gogetssl_certificates=[spec])
    assert run.code != 0
    assert "127.0.0.1:9 did not serve any certificate after the reload" in run.output
    assert len(bench.orders) == 1


def test_no_secret_is_printed(bench: Bench) -> None:
    run = bench.run("-vvvv", "--diff")
    assert run.code == 0, run.output
    assert bench.emulator.password not in run.output
    assert "PRIVATE KEY" not in run.output

    key = bench.session_key()
    run = bench.run("-vvvv", env={"GOGETSSL_API_KEY": key}, gogetssl_certificates=[bench.shop(rekey=True)])
    assert run.code == 0, run.output
    assert key not in run.output


def test_one_task_waits_for_all_hosts(bench: Bench) -> None:
    hosts = ("web1", "web2", "web3")
    names = [f"{host}.example.com" for host in hosts]
    spec = bench.shop(names=["{{ inventory_hostname }}.example.com"])
    variables: dict[str, Any] = {
        "gogetssl_directory": str(bench.store) + "/{{ inventory_hostname }}",
        "gogetssl_resolve": dict.fromkeys(names, "127.0.0.1"),
        "gogetssl_certificates": [spec],
    }
    assert bench.run("--limit", "web1", **variables, hosts=hosts).code == 0
    bench.emulator.clear_requests()
    run = bench.run(**variables, hosts=hosts)
    assert run.code == 0, run.output
    assert len(bench.orders) == 3
    assert all((bench.store / host / "shop" / "current" / "cert.pem").exists() for host in hosts)
    assert run.output.count("TASK [certops.gogetssl.gogetssl : Wait for issuance]") == 1
