# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New keys for many certificates: nothing is bought, a failing canary stops the rest, and old keys do not remain."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

from .conftest import Bench, Run

EMERGENCY = "certops.gogetssl.emergency"
HOSTS = ("web1", "web2", "web3")


class Fleet:
    """Hosts with a certificate and a directory of their own, all issued before the emergency."""

    def __init__(
        self, bench: Bench, hosts: tuple[str, ...] = HOSTS, services: list[str] | None = None, **variables: Any
    ) -> None:
        names = [f"{host}.example.com" for host in hosts]
        own = {"name": "own", "names": ["{{ inventory_hostname }}.example.com"], "product": "66", "dcv": "http"}
        self.bench, self.hosts = bench, hosts
        self.variables = {
            "hosts": hosts,
            "gogetssl_directory": str(bench.directory / "hosts" / "{{ inventory_hostname }}"),
            "gogetssl_certificates": [{**own, "key_type": "ecdsa-p256", "services": services or [], "listeners": []}],
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
    """The web servers do not serve the validation files any more, but the CA still has its validations."""
    fleet = Fleet(bench)
    before, old = fleet.serials(), {host: fleet.keys(host) for host in HOSTS}
    bench.emulator.set(dcv_reuse_days=200)
    broken = {"gogetssl_web_root": str(bench.directory / "unserved"), "gogetssl_batches": [1, "100%"]}
    (bench.directory / "unserved").mkdir()
    drill = fleet.run(**broken, gogetssl_emergency_drill=True, gogetssl_emergency_deadline="2040-01-01")
    assert drill.code == 0, drill.output
    assert "3 certificates on 3 hosts are selected, and 3 of them get new keys" in drill.output
    assert "Waves: 1, 2 hosts" in drill.output
    assert f"serial {before['web1']}" in drill.output
    assert "3 certificates on 3 hosts in 2 waves: about" in drill.output
    assert "cost 0.00" in drill.output
    assert fleet.serials() == before
    assert all(one["method"] == "GET" or one["path"].endswith("/auth/") for one in bench.emulator.requests())
    bench.emulator.clear_requests()
    run = fleet.run(**broken)
    assert run.code == 0, run.output
    for host in HOSTS:
        assert fleet.serials()[host] != before[host]
        assert len(fleet.keys(host)) == 1
        assert not fleet.keys(host) & old[host]
        assert not (fleet.folder(host) / "previous").is_symlink()
        assert not (fleet.folder(host) / "staged").exists()
        assert before[host] in run.output.partition("CUSTOM STATS")[2]
    assert not fleet.paid()
    assert f"{len(bench.emulator.requests())} API calls, cost 0.00." in run.output
    after = fleet.serials()
    again = fleet.run(**broken)
    assert (again.code, fleet.serials()) == (0, after), again.output
    assert "0 of them get new keys" in again.output


SERVICE = """
- name: Test and reload
  ansible.builtin.command: test ! -e {directory}/broken-{{{{ inventory_hostname }}}}
  changed_when: false
"""


def test_a_failing_canary_stops_the_rest(bench: Bench) -> None:
    tasks = bench.directory / "service.yml"
    tasks.write_text(SERVICE.format(directory=bench.directory))
    fleet = Fleet(bench, gogetssl_service_tasks={"mine": str(tasks)}, services=["mine"])
    before = fleet.serials()
    (bench.directory / "broken-web2").touch()
    run = fleet.run(gogetssl_canary="web2", gogetssl_emergency_deadline="2026-11-01")
    assert run.code != 0
    assert fleet.serials() == before
    reissued = [one["path"] for one in bench.emulator.requests() if "reissue" in one["path"]]
    assert len(reissued) == 1
    assert "own on web1: not started, because web2 failed in an earlier wave." in run.output
    assert "own on web3: not started, because web2 failed in an earlier wave." in run.output
    why = "not served; the previous version was restored. Reload mine: Test and reload: "
    assert f"own on web2: {why}" in run.output, run.output
    assert "3 certificates not replaced at the deadline, 2026-11-01 00:00 UTC." in run.output
    assert "3 certificates are not replaced." in run.output
    assert len(fleet.keys("web2")) > 1
    (bench.directory / "broken-web2").unlink()
    run = fleet.run(gogetssl_canary="web2", gogetssl_batches="100%")
    assert run.code == 0, run.output
    assert not {*fleet.serials().values()} & {*before.values()}
    assert all(len(fleet.keys(host)) == 1 for host in HOSTS)
    assert not fleet.paid()


def test_a_certificate_that_needs_a_decision_fails_the_canary_but_no_later_wave(bench: Bench) -> None:
    """The order of web2 has ended, so its certificate cannot be reissued. Nothing else on web2 fails."""
    fleet = Fleet(bench)
    before = fleet.serials()
    journal = json.loads((fleet.folder("web2") / "order.json").read_text())
    bench.emulator.force(journal["order_id"], action="cancel")
    fleet.ledger = bench.emulator.ledger()  # with the refund
    waves = {"gogetssl_batches": [1, 1, 1]}
    run = fleet.run(gogetssl_canary="web2", **waves)
    assert run.code != 0
    assert fleet.serials() == before
    assert "own on web1: not started, because web2 failed in an earlier wave." in run.output
    run = fleet.run(**waves)
    assert run.code != 0
    assert [host for host in HOSTS if fleet.serials()[host] == before[host]] == ["web2"], run.output
    assert "1 certificates are not replaced." in run.output
    assert not fleet.paid()


def test_bad_input_changes_nothing(bench: Bench) -> None:
    """One sentence each. Hosts that do not answer are named."""
    (bench.directory / "host_vars").mkdir()
    (bench.directory / "host_vars" / "gone.yml").write_text(
        "ansible_connection: ssh\nansible_host: 127.0.0.1\nansible_port: 1\n"
    )
    fleet = Fleet(bench, hosts=("web1",))
    fleet.variables["hosts"] = ("web1", "gone")
    before = bench.snapshot()
    for select, more, message in (
        ({"isuer": "x"}, {}, "gogetssl_emergency: unknown key isuer. Use certificates, names, issuer, product, serial"),
        (
            {"issuer": "nobody"},
            {},
            "selects none of the 2 certificates of these hosts. 1 hosts could not be read: gone",
        ),
        ({"issued_before": "soon"}, {}, "gogetssl_emergency.issued_before must be a date or time such as"),
        ("all", {"gogetssl_emergency_since": "yesterday"}, "gogetssl_emergency_since must be a date or time such as"),
        ("all", {"gogetssl_emergency_since": ""}, "Set gogetssl_emergency_since to the time from which"),
        ("all", {"gogetssl_spend": "buy"}, "gogetssl_spend is an extra variable."),
    ):
        run = fleet.run(select=select, **more)
        assert run.code != 0
        assert message in run.output, run.output
        assert "Traceback" not in run.output
    run = fleet.run()
    assert run.code != 0
    assert "own on gone: not known whether it is affected: " in run.output, run.output
    assert "1 certificates are not replaced." in run.output
    assert bench.snapshot() == before
    assert not fleet.paid()
