# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report over an inventory with a healthy host, an unreachable one, and one that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Bench

REPORT = "certops.gogetssl.report"
RECONCILE = "certops.gogetssl.reconcile"
MAX_REQUESTS = 15


def report(bench: Bench, *arguments: str, hosts: tuple[str, ...] = ("web1",), **variables: Any) -> tuple[Any, Any]:
    """The run, and the report as JSON."""
    path = bench.directory / "report.json"
    bench.emulator.clear_requests()
    run = bench.run(*arguments, playbook=REPORT, hosts=hosts, gogetssl_report_json=str(path), **variables)
    return run, json.loads(path.read_text()) if path.exists() else None


def host_variables(bench: Bench, host: str, text: str) -> None:
    folder = bench.directory / "host_vars"
    folder.mkdir(exist_ok=True)
    (folder / f"{host}.yml").write_text(text)


@pytest.mark.outermost
def test_every_host_is_a_row_and_nothing_changes(bench: Bench) -> None:
    assert bench.run().code == 0
    host_variables(bench, "gone", "ansible_connection: ssh\nansible_host: 127.0.0.1\nansible_port: 1\n")
    host_variables(bench, "plain", "gogetssl_certificates: []\n")
    host_variables(bench, "broken", "gogetssl_certificates: '{{ not_defined }}'\n")
    damaged = bench.directory / "damaged" / "shop"
    damaged.mkdir(parents=True)
    (damaged / "order.json").write_text("nothing that can be read")
    host_variables(bench, "damaged", f"gogetssl_directory: {damaged.parent}\n")
    before, page = bench.snapshot(), bench.directory / "new" / "report.html"
    run, found = report(
        bench,
        "-e",
        "gogetssl_report_fail_below_days=10",
        hosts=("web1", "gone", "plain", "broken", "damaged"),
        gogetssl_report_html=str(page),
        gogetssl_report_prometheus=str(bench.directory / "fleet.prom"),
    )
    assert run.code == 0, run.output
    states = {row["host"]: (row["state"], row["name"]) for row in found["certificates"]}
    assert states.pop("broken")[0] == "unreadable"
    assert states == {"web1": ("ok", "shop"), "gone": ("unreachable", "shop"), "damaged": ("stopped", "shop")}
    row = next(row for row in found["certificates"] if row["host"] == "web1")
    assert (row["order_status"], row["product_id"], row["key_type"]) == ("active", 68, "rsa-2048")
    assert row["price"]
    assert found["next_90_days"]["currency"]
    assert "order.json" in next(row["reason"] for row in found["certificates"] if row["host"] == "damaged")
    assert "Traceback" not in run.output
    assert "<table" in page.read_text()
    assert 0 < len(bench.emulator.requests()) <= MAX_REQUESTS
    assert all(one["method"] == "GET" or one["path"].endswith("/auth/") for one in bench.emulator.requests())
    run, found = report(bench, "-e", "gogetssl_report_offline=true", "-e", "gogetssl_report_fail_below_days=400")
    assert run.code == 2, run.output
    assert "1 of the certificates end within 400 days, have expired or are missing: shop on web1." in run.output
    assert found["account_read"] is False
    assert not bench.emulator.requests()
    assert bench.snapshot() == before


def test_an_account_that_cannot_be_read_is_a_warning(bench: Bench) -> None:
    run, found = report(bench, env={"GOGETSSL_API_PASSWORD": "wrong"})
    assert run.code == 0, run.output
    assert "The account was not read" in run.output
    assert found["states"]["missing"] == 1


def test_an_empty_inventory_and_check_mode(bench: Bench) -> None:
    run, found = report(bench, "--check", hosts=())
    assert (run.code, found) == (0, None), run.output
    assert "The hosts have no certificates." in run.output


def test_a_limit(bench: Bench) -> None:
    """The report is about the hosts of the limit. A comparison would call the orders of all others unused."""
    run, found = report(bench, "--limit", "web2", hosts=("web1", "web2"))
    assert run.code == 0, run.output
    assert [row["host"] for row in found["certificates"]] == ["web2"]
    run = bench.run("--limit", "web2", hosts=("web1", "web2"), playbook=RECONCILE)
    assert run.code == 2, run.output
    assert "With --limit, the orders of all other hosts would be reported as unused." in run.output


def test_the_artifacts_are_the_numbers(bench: Bench) -> None:
    run, _found = report(bench, env={"ANSIBLE_SHOW_CUSTOM_STATS": "true"})
    assert run.code == 0, run.output
    assert '"gogetssl_report"' in run.output.partition("CUSTOM STATS")[2]
    assert Path(bench.directory / "report.json").stat().st_mode & 0o777 == 0o644


def test_the_account_is_compared_with_the_hosts(bench: Bench) -> None:
    """The order of a host that is no longer in the inventory, and of a host whose order has ended."""
    assert bench.run(hosts=("web1",)).code == 0
    order_id = bench.orders[0]["order_id"]
    run = bench.run(playbook=RECONCILE, gogetssl_certificates=[])
    assert run.code == 0, run.output
    assert f"shop.example.com: order {order_id}: unused: no host of the inventory uses the live order." in run.output
    assert "cancelled" in run.output
    bench.emulator.force(order_id, status="cancelled")
    run = bench.run(playbook=RECONCILE)
    assert "shop on web1: its order is cancelled" in run.output, run.output
    assert len(bench.orders) == 1
