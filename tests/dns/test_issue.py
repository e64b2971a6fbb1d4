# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped playbook against the emulator and BIND, which the CA queries too."""

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


def spec(**changes: Any) -> dict[str, Any]:
    return {"name": "shop", "names": NAMES, "product": "139", "dcv": MIXED, **changes}


def notes(bench: Bench) -> list[Path]:
    return list(bench.store.glob(".dns-*"))


SHORT_TIMEOUTS: dict[str, Any] = {"gogetssl_dns_timeout": 1, "gogetssl_dcv_timeout": 1}
MANUAL: dict[str, Any] = {"gogetssl_dns_provider": "manual", **SHORT_TIMEOUTS}

# Until the CA checks again. Certificates of the next day would not be valid yet, so this fails in the last two hours of
# a day (UTC).
CHECK_SECONDS = 7200.0


@pytest.fixture(autouse=True)
def _clean(named: Bind) -> Any:
    named.catch_up()
    yield
    assert named.remove_records() == [], "the test did not remove its records"


def test_apex_wildcard_sub_zone_public_suffix_and_idn_by_mixed_methods(named: Bind, bench: Bench) -> None:
    # The CA validates only later, so the order is pending while the secondary is out of date.
    bench.emulator.set(issuance_delay=3600.0, dcv_interval=CHECK_SECONDS)
    run = bench.run("-vvvv", gogetssl_certificates=[spec()], gogetssl_wait=False, **SHORT_TIMEOUTS)
    assert run.code == 0, run.output
    zones = sorted({record.split()[0].partition(".")[2] for record in named.records()})
    assert zones == ["example.com.", "sub.example.com.", "xn--mller-kva-q9a.com."]
    assert notes(bench)
    assert named.secret not in run.output
    # The secondary is out of date, so the order waits and the output names the server.
    assert f"ns2.example.com (127.0.0.1 port {named.secondary}) reports that" in run.output

    named.catch_up()
    run = bench.run(gogetssl_certificates=[spec()], gogetssl_wait=False)
    assert run.code == 0, run.output
    assert len(named.records()) == 3, "a pending order keeps its records"

    bench.emulator.set(issuance_delay=0.0, dcv_interval=0.5)
    bench.emulator.advance(seconds=CHECK_SECONDS)
    run = bench.run(gogetssl_certificates=[spec()])
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert (named.records(), notes(bench)) == ([], [])

    bench.emulator.clear_requests()
    again = bench.run(gogetssl_certificates=[spec()])
    assert (again.code, again.recap["changed"], bench.emulator.requests()) == (0, 0, []), again.output


def test_two_lists_of_one_host_keep_each_others_records(named: Bind, bench: Bench) -> None:
    """Two plays of one host have a certificate each, whose order stays pending."""
    bench.emulator.set(issuance_delay=3600.0)
    names = {"mail": "example.com", "web": "shop.co.uk"}

    def issue(certificate: str, **changes: Any) -> None:
        one = spec(name=certificate, names=[names[certificate]], product="66", dcv="dns")
        run = bench.run(gogetssl_certificates=[one], **changes)
        assert run.code == 0, run.output

    for number, certificate in enumerate(names, 1):
        issue(certificate, gogetssl_wait=False, **SHORT_TIMEOUTS)
        assert (len(named.records()), len(notes(bench))) == (number, number)
    bench.emulator.set(issuance_delay=0.0)
    for order in bench.orders:  # without a change of the clock, which could pass midnight
        for action in ("hold", "pass"):
            bench.emulator.force(order["order_id"], action=action)
    for number, certificate in enumerate(names, 1):
        issue(certificate)
        assert (len(named.records()), len(notes(bench))) == (2 - number, 2 - number)
    assert len(bench.orders) == 2


def test_text_records_of_the_other_family(named: Bind, bench: Bench) -> None:
    with named.foreign_records("shop.co.uk", "shop.co.uk", "TXT", '"v=spf1 -all"'):
        run = bench.run(gogetssl_certificates=[spec(names=["*.shop.co.uk"], product="32", dcv="dns")])
        assert run.code == 0, run.output
        assert bench.installed()
        assert named.records("TXT") == ['shop.co.uk. "v=spf1 -all"']


def test_a_name_validated_through_an_alias(named: Bind, bench: Bench) -> None:
    bench.emulator.set(dns_follow_cname=True)
    alias = {"shop.co.uk": "shop.sub.example.com"}
    certificate = spec(names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[certificate], gogetssl_dns_alias=alias)
    assert run.code != 0
    assert "*.shop.co.uk CNAME shop.sub.example.com" in run.output
    assert not bench.orders
    with named.foreign_records("shop.co.uk", "*.shop.co.uk", "CNAME", "shop.sub.example.com."):
        run = bench.run(gogetssl_certificates=[certificate], gogetssl_dns_alias=alias)
        assert run.code == 0, run.output
        assert bench.installed()
        assert named.records() == ["*.shop.co.uk. shop.sub.example.com."]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "key": (
        {"gogetssl_nsupdate_key_name": "nobody"},
        "does not know the key nobody that signs for _gogetssl-check.shop.co.uk: check key_name",
    ),
    "secret": (
        {"gogetssl_nsupdate_key_secret": base64.b64encode(b"x" * 32).decode()},
        "with another secret: check key_secret",
    ),
    "zone": (
        {"gogetssl_dns_zones": {"shop.co.uk": "co.uk"}, "gogetssl_nsupdate_server": "ns1.example.com"},
        "is not the primary server of co.uk or does not accept updates of it",
    ),
    "provider": ({"gogetssl_dns_provider": "nobody"}, "Unknown gogetssl_dns_provider nobody. Use azure, cloudflare"),
    "collection": (
        {"gogetssl_dns_provider": "route53"},
        "route53 needs the collection amazon.aws on the controller: ansible-galaxy collection install amazon.aws",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_are_reported_before_the_order(bench: Bench, case: str) -> None:
    """The other certificate, which needs no records, is issued."""
    variables, message = WRONG[case]
    by_file = spec(name="file", names=["www.example.com"], product="66", dcv="http")
    by_record = spec(name="record", names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[by_record, by_file], **variables)
    assert run.code != 0
    assert message in run.output, run.output
    assert "record: stopped: " in run.output
    assert "file: installed: " in run.output
    assert len(bench.orders) == 1


def test_a_refused_update_and_a_missing_zone_are_reported_before_the_order(named: Bind, bench: Bench) -> None:
    missing = spec(name="missing", names=["www.example.org"], product="66", dcv="dns")
    refused = spec(name="refused", names=["shop.co.uk"], product="66", dcv="dns")
    other: dict[str, Any] = {"gogetssl_nsupdate_key_name": OTHER_KEY, "gogetssl_nsupdate_key_secret": named.other}
    run = bench.run(gogetssl_certificates=[missing, refused], **other)
    assert run.code != 0
    assert "_gogetssl-check.www.example.org has no zone of its own" in run.output
    assert f"refuses updates of shop.co.uk by {OTHER_KEY}" in run.output
    assert not bench.orders


def test_a_conflicting_record_stops_its_order_and_is_kept(named: Bind, bench: Bench) -> None:
    certificate = spec(names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[certificate], gogetssl_wait=False, **MANUAL)
    assert run.code == 0, run.output
    match = re.search(r"Create these DNS records: (\S+)\. 60 IN CNAME \S+\. \(zone shop\.co\.uk\)", run.output)
    assert match, run.output
    name = match[1]
    with named.foreign_records("shop.co.uk", name, "CNAME", "theirs.example.net."):
        run = bench.run(gogetssl_certificates=[certificate], gogetssl_wait=False)
        assert run.code != 0
        assert f"has 'theirs.example.net' as CNAME of {name}" in run.output
        assert named.records() == [f"{name}. theirs.example.net."]
    assert bench.run(gogetssl_certificates=[certificate]).code == 0
    assert bench.installed()
    assert len(bench.orders) == 1


@pytest.mark.parametrize(
    "task_name",
    [
        "Publish DCV records",
        "Check published files",
        "Fetch issued certificates",
        "Remove DCV records",
    ],
)
def test_the_next_run_removes_the_records_of_a_killed_run(named: Bind, bench: Bench, task_name: str) -> None:
    certificate = spec(names=["shop.co.uk", "www.shop.co.uk"], product="68", dcv="dns")
    process = bench.start(gogetssl_certificates=[certificate])
    assert process.stdout is not None
    for line in process.stdout:
        if task_name in line:
            kill_tree(process.pid)
            break
    else:
        pytest.fail(f"the run has no task {task_name}")
    process.wait()
    run = bench.run(gogetssl_certificates=[certificate])
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert (named.records(), notes(bench)) == ([], [])


def test_records_of_a_removed_certificate_are_removed_when_it_is_retired(named: Bind, bench: Bench) -> None:
    """The certificate is removed from the variables while its order is pending. The other one is healthy.

    Until then it may be in another list for this host, whose run still needs the records.
    """
    healthy = spec(name="file", names=["www.example.com"], product="66", dcv="http")
    removed = spec(names=["memory.co.uk"], product="66", dcv="dns")
    assert bench.run(gogetssl_certificates=[healthy]).code == 0
    bench.emulator.set(issuance_delay=3600.0)
    run = bench.run(gogetssl_certificates=[healthy, removed], gogetssl_wait_timeout=1)
    assert run.code == 0, run.output
    # A negative answer that the CA may have cached for longer than the run waits is reported.
    match = r"_\w+\.memory\.co\.uk: if the CA queried it .* \d\d:\d\d UTC \("
    assert re.search(match, run.output), run.output
    assert len(named.records()) == 1
    run = bench.run(gogetssl_certificates=[healthy])
    assert run.code == 0, run.output
    assert len(named.records()) == 1
    run = bench.run(
        playbook="certops.gogetssl.retire",
        gogetssl_certificates=[healthy, removed],
        gogetssl_retire=["shop"],
        gogetssl_retire_cancel=True,
    )
    assert run.code == 0, run.output
    assert (named.records(), notes(bench)) == ([], [])
    assert bench.run(gogetssl_certificates=[healthy]).recap["ok"] == 1


def test_keep_dcv_keeps_the_records(named: Bind, bench: Bench) -> None:
    certificate = spec(names=["shop.co.uk"], product="66", dcv="dns")
    run = bench.run(gogetssl_certificates=[certificate], gogetssl_keep_dcv=True)
    assert run.code == 0, run.output
    (record,) = named.records()
    assert notes(bench) == []
    named.change("shop.co.uk", "delete", record.split()[0].rstrip("."))


def test_check_mode_publishes_nothing(named: Bind, bench: Bench) -> None:
    run = bench.run("--check", gogetssl_certificates=[spec()])
    assert run.code == 0, run.output
    assert "planned: buy" in run.output
    assert (named.records(), bench.orders, bench.snapshot()) == ([], [], {})


@pytest.mark.slow
def test_the_run_waits_for_the_negative_ttl(named: Bind, tmp_path: Path) -> None:
    """The CA validates once when the order is placed, and its resolver caches the negative answer."""
    web_root = tmp_path / "www"
    web_root.mkdir()
    with named.caching_resolver() as resolver, vendor(resolver, web_root) as vendor_and_port:
        bench = fresh_bench(tmp_path, vendor_and_port, named)
        bench.defaults.update(gogetssl_dns_provider="nsupdate", gogetssl_nsupdate_key_name=KEY)
        bench.environment["GOGETSSL_TSIG_SECRET"] = named.secret
        bench.emulator.set(issuance_delay=0.0, dcv_interval=7200.0)
        certificate = spec(names=["memory.co.uk"], product="66", dcv="dns")
        run = bench.run(gogetssl_certificates=[certificate])
        assert run.code == 0, run.output
        assert bench.installed(), run.output
        again = run.output.index("Request validation again after the negative TTL")
        assert run.output[again:].splitlines()[1] == "changed: [web1]", run.output
        assert (named.records(), notes(bench), len(bench.orders)) == ([], [], 1)
