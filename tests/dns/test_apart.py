# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A publisher that fails for one certificate stops this certificate only: before the order, or while publishing."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.playbooks.conftest import Bench

from .servers import Bind

NAMES = {
    "early": ["sub.example.com"],  # the check before the order fails
    "late": ["late.shop.co.uk"],  # publishing its records fails
    "stuck": ["müller-kva.com"],  # removing its records fails
    "good": ["good.shop.co.uk"],
    "file": ["www.example.com"],  # publishing its file fails
    "other": ["shop.co.uk"],  # publishing its file succeeds
}
SPECS: list[dict[str, Any]] = [
    {"name": name, "names": names, "product": "66", "dcv": "http" if name in ("file", "other") else "dns"}
    for name, names in NAMES.items()
]
FAIL: dict[str, Any] = {
    "name": "Fail for refused names",
    "ansible.builtin.fail": {"msg": "Cannot set {{ item.name }}."},
    "loop": "{{ items }}",
    "when": "refused[state] | default([]) | select('in', item.name) | length > 0",
}


@pytest.fixture
def _publishers(bench: Bench) -> None:
    """Publishers for DNS and HTTP from the user's task files."""
    by_record = {
        "items": "{{ gogetssl_dns_records }}",
        "state": "{{ 'verified' if gogetssl_dns_verify_only else gogetssl_dns_state }}",
    }
    by_file = {"items": "{{ gogetssl_http_files }}", "state": "{{ gogetssl_http_state }}"}
    update = {
        "records": "{{ gogetssl_dns_records }}",
        "state": "{{ gogetssl_dns_state }}",
        "verify_only": "{{ gogetssl_dns_verify_only }}",
        "key_name": "{{ gogetssl_nsupdate_key_name }}",
        "resolve": "{{ gogetssl_resolve }}",
        "nameservers": "{{ gogetssl_nameservers }}",
    }
    write = {
        "web_root": "{{ gogetssl_web_root }}",
        "files": "{{ gogetssl_http_files }}",
        "state": "{{ gogetssl_http_state }}",
    }
    tasks: dict[str, Any] = {
        "dns": [{**FAIL, "vars": by_record}, {"certops.gogetssl.gogetssl_nsupdate": update}],
        "http": [
            {**FAIL, "vars": by_file, "when": ["item.name is defined", FAIL["when"]]},
            {"certops.gogetssl.gogetssl_dcv_file": write},
        ],
    }
    for kind, content in tasks.items():
        (bench.directory / f"{kind}.yml").write_text(yaml.safe_dump(content))
        bench.defaults[f"gogetssl_{kind}_tasks"] = {"mine": str(bench.directory / f"{kind}.yml")}
    bench.defaults.update(refused={}, gogetssl_dns_provider="mine", gogetssl_http_publisher="mine")


@pytest.mark.slow
@pytest.mark.usefixtures("_publishers")
def test_a_failing_publisher_stops_its_certificate_only(named: Bind, bench: Bench) -> None:
    refused = {
        "verified": ["sub.example.com"],
        "present": ["late.shop.co.uk", "www.example.com"],
        "absent": ["xn--mller-kva-q9a.com"],
    }
    run = bench.run(gogetssl_certificates=SPECS, refused=refused)
    assert run.code != 0
    assert "early: stopped: Cannot set _gogetssl-check.sub.example.com." in run.output, run.output
    assert re.search(r"late: stopped: Cannot set _\w+\.late\.shop\.co\.uk\.", run.output), run.output
    assert "file: stopped: the DCV files could not be published: Cannot set www.example.com." in run.output, run.output
    assert re.search(
        r"Not removed: _\w+\.xn--mller-kva-q9a\.com\. The next run tries again\. Cannot set", run.output
    ), run.output
    assert installed(bench) == ["good", "other", "stuck"]
    assert [record.split(".", 1)[1].split()[0] for record in named.records()] == ["xn--mller-kva-q9a.com."]
    assert (len(list(bench.store.glob(".dns-*"))), bench.proofs, len(bench.orders)) == (1, [], 5)

    run = bench.run(gogetssl_certificates=SPECS)
    assert run.code == 0, run.output
    assert installed(bench) == sorted(NAMES)
    assert (named.records(), list(bench.store.glob(".dns-*")), len(bench.orders)) == ([], [], 6)


def installed(bench: Bench) -> list[str]:
    return sorted(path.name for path in bench.store.iterdir() if (path / "current").exists())
