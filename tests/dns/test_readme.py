# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of at most five lines in README and docs/dns.md work unchanged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.playbooks.conftest import Bench

from .powerdns import PowerDns
from .servers import Bind

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```yaml\n(gogetssl_dns_provider: (\w+).*?)```", re.DOTALL)
DOCS = {name: text for text, name in BLOCK.findall((ROOT / "docs" / "dns.md").read_text())}


def test_the_readme_matches_the_documentation() -> None:
    """The comments in README's example are the lines of another provider."""
    ((text, _name),) = BLOCK.findall((ROOT / "README.md").read_text())
    one = yaml.safe_load(text)
    other = yaml.safe_load("\n".join(re.findall(r"# (gogetssl_.*)", text)))
    assert one == yaml.safe_load(DOCS["nsupdate"])
    assert {**other, "gogetssl_certificates": one["gogetssl_certificates"]} == yaml.safe_load(DOCS["lexicon"])
    assert max(DOCS["nsupdate"].count("\n"), DOCS["lexicon"].count("\n")) <= 5


def assert_issued(bench: Bench, lines: str, **more: Any) -> None:
    run = bench.run(**{**yaml.safe_load(lines), **more})
    assert run.code == 0, run.output
    assert bench.installed(), run.output


def test_nsupdate(named: Bind, bench: Bench) -> None:
    for name in ("gogetssl_dns_provider", "gogetssl_nsupdate_key_name"):
        del bench.defaults[name]
    del bench.environment["GOGETSSL_TSIG_SECRET"]
    # With short timeouts, as the secondary remains out of date.
    assert_issued(bench, DOCS["nsupdate"], vault_tsig=named.secret, gogetssl_dns_timeout=1, gogetssl_dcv_timeout=1)
    assert named.records() == []


def test_powerdns(pdns: PowerDns, pdns_bench: Bench) -> None:
    lines = DOCS["powerdns"].replace("http://ns1.example.com:8081", pdns.url)
    assert_issued(pdns_bench, lines, vault_pdns=pdns.key)
    assert pdns.records() == []


def test_lexicon(pdns: PowerDns, pdns_bench: Bench) -> None:
    """With PowerDNS instead of Gandi. Its provider in the library supports TXT records only, as for product 32."""
    lines = DOCS["lexicon"].replace("provider: gandi", "provider: powerdns").replace('"139"', '"32"')
    lines = lines.replace("{auth_token: ", f"{{pdns_server: '{pdns.url}', auth_token: ").replace("[example.com, ", "[")
    assert_issued(pdns_bench, lines, vault_gandi=pdns.key)
    assert pdns.records() == []
