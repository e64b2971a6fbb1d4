# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New keys for many certificates: nothing is bought, a failing canary stops the rest, and old keys do not remain."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from .conftest import Bench, Run

EMERGENCY = "certops.gogetssl.emergency"
HOSTS = ("web1", "web2", "web3")


class Fleet:
    """Hosts with a certificate and a directory of their own, all issued before the emergency."""

    def __init__(self, bench: Bench, hosts: tuple[str, ...] = HOSTS, **variables: Any) -> None:
        names = [f"{host}.example.com" for host in hosts]
        own = {"name": "own", "names": ["{{ inventory_hostname }}.example.com"], "product": "66", "dcv": "http"}
        self.bench, self.hosts = bench, hosts
        self.variables = {
            "hosts": hosts,
            "gogetssl_directory": str(bench.directory / "hosts" / "{{ inventory_hostname }}"),
            "gogetssl_certificates": [{**own, "key_type": "ecdsa-p256"}],
            "gogetssl_resolve": dict.fromkeys(names, "127.0.0.1"),
            **variables,
        }
        run = bench.run(**self.variables)
        assert run.code == 0, run.output
        self.since = dt.datetime.now(dt.timezone.utc).isoformat()
        self.ledger = bench.emulator.ledger()
        bench.emulator.clear_requests()

    def run(self, *arguments: str, select: Any = "all", **variables: Any) -> Run:
        given = {"gogetssl_emergency": select, "gogetssl_emergency_since": self.since, **variables}
        return self.bench.run(
            "-e", json.dumps(given), *arguments, playbook=EMERGENCY, env={"ANSIBLE_SHOW_CUSTOM_STATS": "1"},
            **self.variables,
        )  # fmt: skip

    def folder(self, host: str) -> Path:
        return self.bench.directory / "hosts" / host / "own"

    def serials(self) -> dict[str, str]:
        return {host: os.readlink(self.folder(host) / "current") for host in self.hosts}

    def keys(self, host: str) -> set[bytes]:
        """All private keys in the directory of the host."""
        return {path.read_bytes() for path in self.folder(host).rglob("privkey.pem")}

    def paid(self) -> bool:
        """True if anything was ordered or charged since the start."""
        return any(self.bench.emulator.ledger()[key] != self.ledger[key] for key in ("balance", "charges"))


def test_keys_are_replaced_in_waves_for_free_and_old_ones_do_not_remain(bench: Bench) -> None:
    fleet = Fleet(bench)
    before, old = fleet.serials(), {host: fleet.keys(host) for host in HOSTS}
    check = fleet.run("--check", gogetssl_emergency_deadline="2040-01-01")
    assert check.code == 0, check.output
    assert "3 certificates on 3 hosts are selected, and 3 of them get new keys" in check.output
    assert f"serial {before['web1']}" in check.output
    assert "3 certificates on 3 hosts in 3 waves: about" in check.output
    assert "cost 0.00" in check.output
    assert fleet.serials() == before
    run = fleet.run()
    assert run.code == 0, run.output
    for host in HOSTS:
        assert fleet.serials()[host] != before[host]
        assert len(fleet.keys(host)) == 1
        assert not fleet.keys(host) & old[host]
        assert not (fleet.folder(host) / "previous").is_symlink()
        assert not (fleet.folder(host) / "staged").exists()
        assert before[host] in run.output.partition("CUSTOM STATS")[2]
    assert not fleet.paid()
    after = fleet.serials()
    again = fleet.run()
    assert (again.code, fleet.serials()) == (0, after), again.output
    assert "0 of them get new keys" in again.output
