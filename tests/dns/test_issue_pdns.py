# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped playbook against the emulator and PowerDNS, by its HTTP API and through dns-lexicon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bin.processes import kill_tree
from tests.playbooks.conftest import Bench, Run

from .powerdns import PowerDns


def wish(**changes: Any) -> dict[str, Any]:
    names = ["example.net", "*.example.net", "shop.example.net"]
    return {"name": "shop", "names": names, "product": "139", "dcv": "dns", **changes}


# Proven by a text at the name itself.
TEXT = {"names": ["*.example.net"], "product": "32"}


def by_api(pdns: PowerDns) -> dict[str, Any]:
    return {
        "gogetssl_dns_provider": "powerdns",
        "gogetssl_powerdns_url": pdns.url,
        "gogetssl_powerdns_key": pdns.key,
        "gogetssl_certificates": [wish()],
    }


def by_lexicon(pdns: PowerDns) -> dict[str, Any]:
    return {
        "gogetssl_dns_provider": "lexicon",
        "gogetssl_lexicon_provider": "powerdns",
        "gogetssl_lexicon_options": {"auth_token": pdns.key, "pdns_server": pdns.url},
        "gogetssl_certificates": [wish(**TEXT)],
    }


@pytest.fixture(autouse=True)
def _clean(pdns: PowerDns) -> Iterator[None]:
    yield
    assert pdns.records() == [], "a test has left records"


def issued_and_clean(bench: Bench, run: Run) -> None:
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert list(bench.store.glob(".dns-*")) == []


@pytest.mark.parametrize("way", [by_api, by_lexicon])
def test_issued_and_what_others_have_stays(pdns: PowerDns, pdns_bench: Bench, way: Any) -> None:
    theirs = ['"v=spf1 -all"', '"a \\"quoted\\" word"']
    with pdns.standing("example.net", "example.net", "TXT", *theirs):
        before = pdns.rrset("example.net", "example.net", "TXT")
        run = pdns_bench.run("-vvvv", **way(pdns))
        issued_and_clean(pdns_bench, run)
        assert pdns.key not in run.output
        assert pdns.rrset("example.net", "example.net", "TXT") == before
    pdns_bench.emulator.clear_requests()
    again = pdns_bench.run(**way(pdns))
    assert (again.code, again.recap["changed"], pdns_bench.emulator.requests()) == (0, 0, []), again.output


@pytest.mark.parametrize(
    ("way", "moment"),
    [
        (by_api, "Check the proofs from outside"),
        (by_lexicon, "Fetch what has become"),
    ],
)
def test_a_killed_run_leaves_no_record_after_the_next(pdns: PowerDns, pdns_bench: Bench, way: Any, moment: str) -> None:
    process = pdns_bench.start(**way(pdns))
    assert process.stdout is not None
    for line in process.stdout:
        if moment in line:
            kill_tree(process.pid)
            break
    process.wait()
    assert pdns.records(), "it was killed too late or too early"
    issued_and_clean(pdns_bench, pdns_bench.run(**way(pdns)))
