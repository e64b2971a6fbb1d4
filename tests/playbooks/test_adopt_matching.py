# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The orders of hosts that lost their directories are adopted without a purchase."""

from __future__ import annotations

import shutil
from typing import Any

from .conftest import Bench

ONCE = "certops.gogetssl.once"
LOST = ("web1", "web2", "web4", "web5", "web6")
HOSTS = (*LOST, "web3")


def fleet(bench: Bench, hosts: tuple[str, ...] = HOSTS) -> dict[str, Any]:
    """Each host has a certificate and a directory of its own."""
    names = [f"{host}.example.com" for host in hosts]
    certificate = {"name": "own", "names": ["{{ inventory_hostname }}.example.com"], "product": "66", "dcv": "http"}
    return {
        "hosts": hosts,
        "gogetssl_directory": str(bench.directory / "hosts" / "{{ inventory_hostname }}"),
        "gogetssl_certificates": [{**certificate, "key_type": "ecdsa-p256"}],
        "gogetssl_resolve": dict.fromkeys(names, "127.0.0.1"),
    }


def test_orders_of_lost_directories_are_adopted_without_a_purchase(bench: Bench) -> None:
    given = fleet(bench)
    assert bench.run(**given).code == 0
    orders = {order["order_id"]: order["status"] for order in bench.orders}
    assert len(orders) == len(HOSTS)
    for host in LOST:
        shutil.rmtree(bench.directory / "hosts" / host)
    paid = bench.emulator.ledger()["charges"]
    adopt = {"playbook": "certops.gogetssl.adopt", **given}
    check = bench.run("--check", "-e", "gogetssl_adopt=matching", **adopt)
    assert check.code == 0, check.output
    assert all(f"own on {host}: order" in check.output for host in LOST)
    assert "own on web3: order" not in check.output
    assert not (bench.directory / "hosts" / "web1" / "own" / "current").exists()
    refused = bench.run("-e", "gogetssl_adopt=matching", "-e", "gogetssl_spend=buy", **adopt)
    assert refused.code != 0
    assert "gogetssl_spend is an extra variable" in refused.output
    run = bench.run("-e", "gogetssl_adopt=matching", **adopt)
    assert run.code == 0, run.output
    assert {order["order_id"]: order["status"] for order in bench.orders} == orders
    assert bench.emulator.ledger()["charges"] == paid
    for host in HOSTS:
        assert (bench.directory / "hosts" / host / "own" / "current" / "fullchain.pem").exists()
    issued = (bench.directory / "hosts" / "web3" / "own" / "current").resolve()
    once = bench.run("-e", '{"gogetssl_once": {"web3": {"own": {"rekey": true}}}}', **{**adopt, "playbook": ONCE})
    assert once.code == 0, once.output
    assert (bench.directory / "hosts" / "web3" / "own" / "current").resolve() != issued
    assert "own: installed" in once.output
