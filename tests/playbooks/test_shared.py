# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One certificate on many hosts: one order, one key, whatever the strategy, the batches and the host that is away."""

from __future__ import annotations

import os
from typing import Any

import pytest
import yaml

from .conftest import Bench, Run

HOSTS = ("web1", "web2", "web3")
# Longer than a test, so that only what the test does makes a difference.
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_retries": 0}


class Fleet:
    """Three hosts with a directory each, and one wish for all of them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def run(self, *arguments: str, **variables: Any) -> Run:
        given: dict[str, Any] = {
            "hosts": HOSTS,
            "gogetssl_directory": str(self.bench.store) + "/{{ inventory_hostname }}",
            "gogetssl_certificates": [self.wish()],
            **variables,
        }
        return self.bench.run(*arguments, **given)

    def wish(self, **changes: Any) -> dict[str, Any]:
        return self.bench.shop(**{"order_host": "web1", **changes})

    def key(self, host: str) -> bytes | None:
        path = self.bench.store / host / "shop" / "current" / "privkey.pem"
        return path.read_bytes() if path.exists() else None

    def serial(self, host: str) -> str | None:
        path = self.bench.store / host / "shop" / "current"
        return os.readlink(path) if path.is_symlink() else None

    def play(self, **more: Any) -> str:
        """A play of one's own around the role."""
        path = self.bench.directory / "site.yml"
        play = {"hosts": "all", "gather_facts": False, "roles": [{"role": "certops.gogetssl.gogetssl"}], **more}
        path.write_text(yaml.safe_dump([play]))
        return str(path)

    def only_order(self) -> dict[str, Any]:
        (order,) = self.bench.orders
        return order


@pytest.fixture
def fleet(bench: Bench) -> Fleet:
    return Fleet(bench)


def test_one_order_one_key_on_all_hosts_and_then_rest(fleet: Fleet) -> None:
    run = fleet.run()
    assert run.code == 0, run.output
    fleet.only_order()
    assert len({fleet.key(host) for host in HOSTS}) == 1
    assert len({fleet.serial(host) for host in HOSTS}) == 1
    assert None not in {fleet.serial(host) for host in HOSTS}
    assert "shop: installed: copied from web1 (no certificate is installed)" in run.output
    fleet.bench.emulator.clear_requests()
    before = fleet.bench.snapshot()
    run = fleet.run()
    assert run.code == 0, run.output
    assert run.output.count("changed=0") == 3
    assert "Look at what the ordering hosts have" not in run.output
    assert not fleet.bench.emulator.requests()
    assert fleet.bench.snapshot() == before
