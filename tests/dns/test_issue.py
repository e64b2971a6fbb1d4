# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped playbook against the emulator and BIND: the authority asks the same servers as everybody."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from tests.bin.processes import kill_tree
from tests.playbooks.conftest import Bench

from .conftest import fresh_bench, vendor
from .servers import KEY, OTHER_KEY, Bind

NAMES = ["example.com", "*.example.com", "sub.example.com", "shop.co.uk", "müller-kva.com"]
MIXED = {
    "example.com": "dns",
    "*.example.com": "dns",
    "sub.example.com": "dns",
    "shop.co.uk": "http",
    "müller-kva.com": "dns",
}


def wish(**changes: Any) -> dict[str, Any]:
    return {"name": "shop", "names": NAMES, "product": "139", "dcv": MIXED, **changes}


def notes(bench: Bench) -> list[Path]:
    return list(bench.store.glob(".dns-*"))


SOON: dict[str, Any] = {"gogetssl_dns_timeout": 1, "gogetssl_dcv_timeout": 1}
MANUAL: dict[str, Any] = {"gogetssl_dns_provider": "manual", **SOON}


@pytest.fixture(autouse=True)
def _clean(named: Bind) -> Any:
    named.catch_up()
    yield
    assert named.records() == [], "a test has left records"


def test_apex_wildcard_sub_zone_public_suffix_and_idn_by_mixed_methods(named: Bind, bench: Bench) -> None:
    # The authority does not look by itself: it asks the primary, where the records are already.
    bench.emulator.set(issuance_delay=3600.0, dcv_interval=7200.0)
    run = bench.run("-vvvv", gogetssl_certificates=[wish()], gogetssl_wait=False, **SOON)
    assert run.code == 0, run.output
    zones = sorted({record.split()[0].partition(".")[2] for record in named.records()})
    assert zones == ["example.com.", "sub.example.com.", "xn--mller-kva-q9a.com."]
    assert notes(bench)
    assert named.secret not in run.output
    # The secondary lags: the record is not everywhere yet, so the order waits, and the server is named.
    assert f"ns2.example.com (127.0.0.1 port {named.secondary}) says that" in run.output

    named.catch_up()
    run = bench.run(gogetssl_certificates=[wish()], gogetssl_wait=False)
    assert run.code == 0, run.output
    assert len(named.records()) == 3, "a pending order keeps its records"

    bench.emulator.set(issuance_delay=0.0, dcv_interval=0.5)
    bench.emulator.advance(seconds=7200)
    run = bench.run(gogetssl_certificates=[wish()])
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert (named.records(), notes(bench)) == ([], [])

    bench.emulator.clear_requests()
    again = bench.run(gogetssl_certificates=[wish()])
    assert (again.code, again.recap["changed"], bench.emulator.requests()) == (0, 0, []), again.output


def test_text_records_of_the_other_family(named: Bind, bench: Bench) -> None:
    with named.standing("shop.co.uk", "shop.co.uk", "TXT", '"v=spf1 -all"'):
        run = bench.run(gogetssl_certificates=[wish(names=["*.shop.co.uk"], product="32", dcv="dns")])
        assert run.code == 0, run.output
        assert bench.installed()
        assert named.records("TXT") == ['shop.co.uk. "v=spf1 -all"']


def test_a_name_whose_proofs_live_elsewhere(named: Bind, bench: Bench) -> None:
    bench.emulator.set(dns_follow_cname=True)
    alias = {"shop.co.uk": "shop.sub.example.com"}
    certificate = wish(names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[certificate], gogetssl_dns_alias=alias)
    assert run.code != 0
    assert "*.shop.co.uk CNAME shop.sub.example.com" in run.output
    assert not bench.orders
    with named.standing("shop.co.uk", "*.shop.co.uk", "CNAME", "shop.sub.example.com."):
        run = bench.run(gogetssl_certificates=[certificate], gogetssl_dns_alias=alias)
        assert run.code == 0, run.output
        assert bench.installed()
        assert named.records() == ["*.shop.co.uk. shop.sub.example.com."]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "key": (
        {"gogetssl_nsupdate_key_name": "nobody"},
        "does not know the key nobody, which is to sign for _gogetssl-check.shop.co.uk: check key_name",
    ),
    "secret": (
        {"gogetssl_nsupdate_key_secret": base64.b64encode(b"x" * 32).decode()},
        "with another secret: check key_secret",
    ),
    "zone": (
        {"gogetssl_dns_zones": {"shop.co.uk": "co.uk"}, "gogetssl_nsupdate_server": "ns1.example.com"},
        "is not the primary server of co.uk or takes no updates of it",
    ),
    "provider": ({"gogetssl_dns_provider": "nobody"}, "There is no DNS provider nobody: use azure, cloudflare"),
    "collection": (
        {"gogetssl_dns_provider": "route53"},
        "route53 needs the collection amazon.aws on the controller: ansible-galaxy collection install amazon.aws",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_before_the_order(bench: Bench, what: str) -> None:
    """The other certificate, which needs no records, is not held up."""
    variables, said = WRONG[what]
    by_file = wish(name="file", names=["www.example.com"], product="66", dcv="http")
    by_record = wish(name="record", names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[by_record, by_file], **variables)
    assert run.code != 0
    assert said in run.output, run.output
    assert "record: stopped: " in run.output
    assert "file: installed: " in run.output
    assert len(bench.orders) == 1


def test_a_refused_update_and_a_missing_zone_are_said_before_the_order(named: Bind, bench: Bench) -> None:
    missing = wish(name="missing", names=["www.example.org"], product="66", dcv="dns")
    refused = wish(name="refused", names=["shop.co.uk"], product="66", dcv="dns")
    other: dict[str, Any] = {"gogetssl_nsupdate_key_name": OTHER_KEY, "gogetssl_nsupdate_key_secret": named.other}
    run = bench.run(gogetssl_certificates=[missing, refused], **other)
    assert run.code != 0
    assert "_gogetssl-check.www.example.org has no zone of its own" in run.output
    assert f"refuses updates of shop.co.uk by {OTHER_KEY}" in run.output
    assert not bench.orders


def test_a_record_in_the_way_stops_its_order_and_is_left_alone(named: Bind, bench: Bench) -> None:
    certificate = wish(names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[certificate], gogetssl_wait=False, **MANUAL)
    assert run.code == 0, run.output
    told = re.search(r"Please make: (\S+)\. 60 IN CNAME \S+\. \(zone shop\.co\.uk\)", run.output)
    assert told, run.output
    name = told[1]
    with named.standing("shop.co.uk", name, "CNAME", "theirs.example.net."):
        run = bench.run(gogetssl_certificates=[certificate], gogetssl_wait=False)
        assert run.code != 0
        assert f"has 'theirs.example.net' as CNAME of {name}" in run.output
        assert named.records() == [f"{name}. theirs.example.net."]
    assert bench.run(gogetssl_certificates=[certificate]).code == 0
    assert bench.installed()
    assert len(bench.orders) == 1


@pytest.mark.parametrize(
    "moment", ["Hand the records", "Check the proofs from outside", "Fetch what has become", "Forget the records"]
)
def test_a_killed_run_leaves_no_record_after_the_next(named: Bind, bench: Bench, moment: str) -> None:
    certificate = wish(names=["shop.co.uk", "www.shop.co.uk"], product="68", dcv="dns")
    process = bench.start(gogetssl_certificates=[certificate])
    assert process.stdout is not None
    for line in process.stdout:
        if moment in line:
            kill_tree(process.pid)
            break
    process.wait()
    run = bench.run(gogetssl_certificates=[certificate])
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert (named.records(), notes(bench)) == ([], [])


def test_records_of_a_certificate_nobody_wants_any_more_go(named: Bind, bench: Bench) -> None:
    """Its order is pending when it is taken off the list; what is left on the host is sound."""
    sound = wish(name="file", names=["www.example.com"], product="66", dcv="http")
    unwanted = wish(names=["memory.co.uk"], product="66", dcv="dns")
    assert bench.run(gogetssl_certificates=[sound]).code == 0
    bench.emulator.set(issuance_delay=3600.0)
    run = bench.run(gogetssl_certificates=[sound, unwanted], gogetssl_wait_timeout=1)
    assert run.code == 0, run.output
    # What the authority may remember for longer than the run waits is told.
    told = r"_\w+\.memory\.co\.uk: if the authority has looked .* \d\d:\d\d UTC that it was not there"
    assert re.search(told, run.output), run.output
    assert len(named.records()) == 1
    run = bench.run(gogetssl_certificates=[sound])
    assert run.code == 0, run.output
    assert (named.records(), notes(bench)) == ([], [])
    assert bench.run(gogetssl_certificates=[sound]).recap["ok"] == 1


def test_records_that_are_to_be_kept(named: Bind, bench: Bench) -> None:
    certificate = wish(names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[certificate], gogetssl_keep_dcv=True)
    assert run.code == 0, run.output
    (record,) = named.records()
    assert notes(bench) == []
    named.change("shop.co.uk", "delete", record.split()[0].rstrip("."))


def test_check_mode_publishes_nothing(named: Bind, bench: Bench) -> None:
    run = bench.run("--check", gogetssl_certificates=[wish()])
    assert run.code == 0, run.output
    assert "would do: buy" in run.output
    assert (named.records(), bench.orders, bench.snapshot()) == ([], [], {})


@pytest.mark.slow
def test_what_the_authority_remembers_is_waited_for(named: Bind, tmp_path: Path) -> None:
    """It looks once when the order is placed and finds nothing, and its resolver goes on saying so."""
    web_root = tmp_path / "www"
    web_root.mkdir()
    with named.remembering() as resolver, vendor(resolver, web_root) as everything:
        bench = fresh_bench(tmp_path, everything, named)
        bench.defaults.update(gogetssl_dns_provider="nsupdate", gogetssl_nsupdate_key_name=KEY)
        bench.environment["GOGETSSL_TSIG_SECRET"] = named.secret
        bench.emulator.set(issuance_delay=0.0, dcv_interval=7200.0)
        certificate = wish(names=["memory.co.uk"], product="66", dcv="dns")
        run = bench.run(gogetssl_certificates=[certificate])
        assert run.code == 0, run.output
        assert bench.installed(), run.output
        again = run.output.index("Have the authority look again")
        assert run.output[again:].splitlines()[1] == "changed: [web1]", run.output
        assert (named.records(), notes(bench), len(bench.orders)) == ([], [], 1)
