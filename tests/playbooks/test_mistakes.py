# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mistake in the options of one certificate stops this certificate, and leaves it and its order alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from .conftest import Bench, Run

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "dcv": ({"dcv": "htpp"}, "'htpp' cannot validate dcv.example.com: use http, https, dns, auto or an e-mail address"),
    "names": ({"names": ["names..example.com"]}, "'names..example.com' is not a name a certificate can be issued for"),
    "period": ({"period": 0}, "period must be at least 1 month"),
    "yes": ({"period": True}, "period must be a whole number, not a boolean"),
    "key": ({"key_type": "rsa-1024"}, "key_type must be one of rsa-2048, rsa-3072"),
    "port": ({"listeners": [{"port": 70000}]}, "listeners: port must be a number from 1 to 65535, not 70000"),
    "rekey": ({"rekey": "soon"}, "rekey must be true, false, or a date or time"),
    "unknown": ({"organisation": {"name": "x"}}, "unknown key organisation; did you mean organization?"),
    "list": ({"services": {"nginx": True}}, "services must be a list, not a dictionary"),
    "service": ({"services": ["ngnix"]}, "unknown service ngnix. Use nginx"),
}


def spec(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "names": [f"{name}.example.com"], "product": "66", "dcv": "http", **changes}


@pytest.fixture
def fleet(bench: Bench) -> Bench:
    bench.defaults["gogetssl_directory"] = str(bench.store / "{{ inventory_hostname }}")
    names = [f"{name}.example.com" for name in ("a", "b", "c", "d", *MISTAKES)]
    bench.defaults["gogetssl_resolve"] = dict.fromkeys(names, "127.0.0.1")
    return bench


def run(bench: Bench, *arguments: str, playbook: str = "certops.gogetssl.issue", **lists: list[dict[str, Any]]) -> Run:
    """A run on hosts with these certificates, in the order of the hosts."""
    folder = bench.directory / "host_vars"
    folder.mkdir(exist_ok=True)
    for host, certificates in lists.items():
        (folder / f"{host}.yml").write_text(yaml.safe_dump({"own": certificates}))
    given = {"hosts": tuple(lists), "gogetssl_certificates": "{{ own }}"}
    done = bench.run(*arguments, playbook=playbook, **given)
    assert "Traceback" not in done.output
    return done


def flat(done: Run) -> str:
    """The output in one line, without the quotes of YAML."""
    return " ".join(done.output.split()).replace("''", "'")


def recap(done: Run, host: str, state: str) -> int:
    line = next(line for line in reversed(done.output.splitlines()) if line.startswith(f"{host} ") and " ok=" in line)
    return int(dict(part.split("=") for part in line.split() if "=" in part)[state])


def installed(bench: Bench) -> set[str]:
    return {f"{path.parts[-3]}/{path.parts[-2]}" for path in bench.store.glob("*/*/current")}


def test_mistakes_do_not_hold_up_other_certificates(fleet: Bench) -> None:
    wrong = [spec(name, **change) for name, (change, _sentence) in MISTAKES.items()]
    lists = {"web1": [spec("a"), *wrong, spec("c")], "web2": [spec("d")]}
    done = run(fleet, "--check", **lists)
    assert (recap(done, "web1", "failed"), recap(done, "web2", "failed"), fleet.orders) == (1, 0, [])
    for name, (_change, sentence) in MISTAKES.items():
        assert f"{name}: stopped: {sentence}" in flat(done)

    done = run(fleet, **lists)
    assert (recap(done, "web1", "failed"), recap(done, "web2", "failed")) == (1, 0), done.output
    assert sorted(order["common_name"] for order in fleet.orders) == ["a.example.com", "c.example.com", "d.example.com"]
    assert installed(fleet) == {"web1/a", "web1/c", "web2/d"}
    assert "a: installed: order" in flat(done)
    failure = flat(done).rpartition("Fail if certificates were stopped")[2]
    for name, (_change, sentence) in MISTAKES.items():
        assert flat(done).count(f"{name}: stopped: {sentence}") == 1, "in the report"
        assert failure.count(f"{name}: {sentence}") == 1, "in the failure of the host"

    fleet.emulator.clear_requests()
    before = fleet.snapshot()
    done = run(fleet, **lists)
    assert (recap(done, "web1", "failed"), recap(done, "web1", "changed")) == (1, 0), done.output
    assert (recap(done, "web2", "failed"), recap(done, "web2", "changed")) == (0, 0)
    assert (len(fleet.orders), fleet.snapshot()) == (3, before)
    assert not fleet.emulator.requests(), "nothing is due"


def test_what_a_certificate_has_stays_its_own(fleet: Bench) -> None:
    """Its order is pending when the mistake is made. The correction resumes the order."""
    fleet.emulator.set(issuance_delay=15.0)
    done = fleet.run(gogetssl_certificates=[spec("b")], gogetssl_wait=False)
    assert (done.code, len(fleet.orders)) == (0, 1), done.output
    proofs = set(fleet.proofs)
    assert proofs
    files = {path: content for path, content in fleet.snapshot().items() if "/b/" in path}

    # Another host requests the same names: it must not buy them, as without the mistake.
    done = run(fleet, web1=[spec("a"), spec("b", dcv="htpp")], web2=[spec("b")])
    assert (recap(done, "web1", "failed"), recap(done, "web2", "failed")) == (1, 1), done.output
    assert installed(fleet) == {"web1/a"}
    assert "web1" in flat(done).partition("b: stopped: 'htpp'")[2]
    assert len(fleet.orders) == 2
    assert fleet.orders[0]["status"] != "cancelled"
    assert proofs <= set(fleet.proofs)
    assert {path: content for path, content in fleet.snapshot().items() if "/web1/b/" in path} == files

    done = run(fleet, web1=[spec("a"), spec("b")])
    assert (done.code, len(fleet.orders), installed(fleet)) == (0, 2, {"web1/a", "web1/b"}), done.output


def test_an_installed_certificate_stays_while_another_is_replaced(fleet: Bench) -> None:
    assert run(fleet, web1=[spec("a"), spec("b")]).code == 0
    before = {name: (fleet.store / "web1" / name / "current").resolve() for name in "ab"}
    done = run(fleet, web1=[spec("a", rekey=True), spec("b", period=0)])
    assert (done.code, len(fleet.orders)) == (2, 2), done.output
    after = {name: (fleet.store / "web1" / name / "current").resolve() for name in "ab"}
    assert (after["a"] == before["a"], after["b"] == before["b"]) == (False, True)


@pytest.mark.parametrize("file", ["order.json", "intent.json"])
def test_a_record_that_cannot_be_read_stops_only_its_certificate(fleet: Bench, file: str) -> None:
    assert run(fleet, web1=[spec("a"), spec("b")]).code == 0
    before = {name: (fleet.store / "web1" / name / "current").resolve() for name in "ab"}
    (fleet.store / "web1" / "b" / file).write_text('{"format": 1, "order_')
    lists = {"web1": [spec("a", rekey=True), spec("b", rekey=True)], "web2": [spec("b", order_host="web2")]}
    done = run(fleet, **lists)
    assert (recap(done, "web1", "failed"), recap(done, "web1", "unreachable")) == (1, 0), done.output
    assert f"b: stopped: b/{file} on the host cannot be read as a record" in flat(done)
    after = {name: (fleet.store / "web1" / name / "current").resolve() for name in "ab"}
    assert (after["a"] == before["a"], after["b"] == before["b"]) == (False, True)
    assert (fleet.store / "web1" / "b" / file).read_text() == '{"format": 1, "order_'
    assert len(fleet.orders) == 2, "web2 does not buy it either"


@pytest.mark.parametrize("change", [{"dcv": "htpp"}, {"names": ["b..example.com"]}])
def test_a_copy_waits_for_a_certificate_with_a_mistake(fleet: Bench, change: dict[str, Any]) -> None:
    shared = {name: spec(name, order_host="web1") for name in "bc"}
    lists = {"web1": [{**shared["b"], **change}, shared["c"]], "web2": [shared["b"], shared["c"]]}
    done = run(fleet, **lists)
    assert (recap(done, "web1", "failed"), recap(done, "web2", "failed")) == (1, 0), done.output
    assert installed(fleet) == {"web1/c", "web2/c"}
    assert "b: waiting: " in flat(done)
    assert "c: installed: copied from web1" in flat(done)


@pytest.mark.parametrize("certificates", [[spec("a"), spec("a", dcv="htpp")], [spec("a"), {**spec("b"), "name": 2026}]])
def test_a_list_whose_names_are_not_clear_is_refused(fleet: Bench, certificates: list[dict[str, Any]]) -> None:
    done = run(fleet, web1=certificates, web2=[spec("d")])
    assert (recap(done, "web1", "failed"), recap(done, "web2", "failed")) == (1, 0), done.output
    assert [order["common_name"] for order in fleet.orders] == ["d.example.com"]


def test_playbooks_go_on_without_a_certificate_with_a_mistake(fleet: Bench) -> None:
    wrong = spec("b", dcv="htpp")
    sentence = "'htpp' cannot validate b.example.com"
    lists = {"web1": [spec("a"), wrong]}
    planned = run(fleet, playbook="certops.gogetssl.plan", **lists)
    assert planned.code == 0, planned.output
    assert f"web1: b: {sentence}" in flat(planned)
    assert "web1: a: buy" in flat(planned)
    checked = run(fleet, playbook="certops.gogetssl.preflight", **lists)
    assert checked.code == 2
    assert f"b: {sentence}" in flat(checked)
    assert "a.example.com" in flat(checked)
    assert run(fleet, **lists).code == 2

    path = fleet.directory / "report.json"
    done = run(fleet, "-e", f"gogetssl_report_json={path}", playbook="certops.gogetssl.report", **lists)
    assert done.code == 0, done.output
    rows = {row["name"]: row for row in json.loads(path.read_text())["certificates"]}
    assert (rows["a"]["state"], rows["b"]["state"]) == ("ok", "unreadable")
    assert sentence in rows["b"]["reason"]
    done = run(fleet, playbook="certops.gogetssl.reconcile", **lists)
    assert done.code == 0, done.output

    select = json.dumps({"gogetssl_emergency": "all"})
    done = run(fleet, "-e", select, "--check", playbook="certops.gogetssl.emergency", **lists)
    assert f"b on web1: not known whether it is affected: {sentence}" in flat(done)
    assert "1 of them get new keys" in flat(done)

    done = run(fleet, playbook="certops.gogetssl.adopt", **lists)
    assert (done.code, f"b: {sentence}" in flat(done)) == (2, True)
    for name, code in (("b", 2), ("a", 0)):
        arguments = ("-e", json.dumps({"gogetssl_retire": [name]}))
        done = run(fleet, *arguments, playbook="certops.gogetssl.retire", **lists)
        assert (done.code, f"b: {sentence}" in flat(done)) == (code, name == "b"), done.output
    assert installed(fleet) == set()
