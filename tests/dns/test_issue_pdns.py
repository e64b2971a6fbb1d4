# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped playbook against the emulator and PowerDNS, with its HTTP API and with dns-lexicon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bin.processes import kill_tree
from tests.playbooks.conftest import Bench, Run

from .powerdns import PowerDns


def spec(**changes: Any) -> dict[str, Any]:
    names = ["example.net", "*.example.net", "shop.example.net"]
    return {"name": "shop", "names": names, "product": "139", "dcv": "dns", **changes}


# Validated by a TXT record of the name itself.
TEXT = {"names": ["*.example.net"], "product": "32"}


def by_api(pdns: PowerDns) -> dict[str, Any]:
    return {
        "gogetssl_dns_provider": "powerdns",
        "gogetssl_powerdns_url": pdns.url,
        "gogetssl_powerdns_key": pdns.key,
        "gogetssl_certificates": [spec()],
    }


def by_lexicon(pdns: PowerDns) -> dict[str, Any]:
    return {
        "gogetssl_dns_provider": "lexicon",
        "gogetssl_lexicon_provider": "powerdns",
        "gogetssl_lexicon_options": {"auth_token": pdns.key, "pdns_server": pdns.url},
        "gogetssl_certificates": [spec(**TEXT)],
    }


@pytest.fixture(autouse=True)
def _clean(pdns: PowerDns) -> Iterator[None]:
    yield
    assert pdns.remove_records() == [], "the test did not remove its records"


def assert_issued(bench: Bench, run: Run) -> None:
    assert run.code == 0, run.output
    assert bench.installed()
    assert len(bench.orders) == 1
    assert list(bench.store.glob(".dns-*")) == []


@pytest.mark.parametrize("variables", [by_api, by_lexicon])
def test_issue_keeps_foreign_records(pdns: PowerDns, pdns_bench: Bench, variables: Any) -> None:
    theirs = ['"v=spf1 -all"', '"a \\"quoted\\" word"']
    with pdns.foreign_records("example.net", "example.net", "TXT", *theirs):
        before = pdns.rrset("example.net", "example.net", "TXT")
        run = pdns_bench.run("-vvvv", **variables(pdns))
        assert_issued(pdns_bench, run)
        assert pdns.key not in run.output
        assert pdns.rrset("example.net", "example.net", "TXT") == before
    pdns_bench.emulator.clear_requests()
    again = pdns_bench.run(**variables(pdns))
    assert (again.code, again.recap["changed"], pdns_bench.emulator.requests()) == (0, 0, []), again.output


@pytest.mark.parametrize(
    ("variables", "task_name"),
    [
        (by_api, "Check published files and records"),
        (by_lexicon, "Fetch issued certificates"),
    ],
)
def test_the_next_run_removes_the_records_of_a_killed_run(
    pdns: PowerDns, pdns_bench: Bench, variables: Any, task_name: str
) -> None:
    process = pdns_bench.start(**variables(pdns))
    assert process.stdout is not None
    for line in process.stdout:
        if task_name in line:
            kill_tree(process.pid)
            break
    process.wait()
    assert pdns.records(), "the run was killed too early or too late"
    assert_issued(pdns_bench, pdns_bench.run(**variables(pdns)))
