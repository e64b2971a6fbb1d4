# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table in docs/dns.md lists all DNS variables with the defaults of the role."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._dns import providers

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "gogetssl"
PROVIDERS = set(providers.PROVIDERS)
OF_DNS = re.compile(rf"gogetssl_(dns|{'|'.join(sorted(PROVIDERS))})_")
ALSO = {"gogetssl_keep_dcv", "gogetssl_nameservers", "gogetssl_resolve"}


def load(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text())


DEFAULTS: dict[str, Any] = load("defaults/main.yml")
OPTIONS: dict[str, Any] = load("meta/argument_specs.yml")["argument_specs"]["main.yml"]["options"]
NAMES = sorted(name for name in {*DEFAULTS, *OPTIONS} if OF_DNS.match(name) or name in ALSO)


def table(text: str) -> dict[str, str]:
    """The defaults by variable from the last section."""
    rows: dict[str, str] = {}
    for line in text.partition("\n## Variables\n")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) >= 2:
            rows.update(dict.fromkeys(re.findall(r"`(gogetssl_\w+)`", cells[0]), cells[1]))
    return rows


TABLE = table((ROOT / "docs" / "dns.md").read_text())


def shown(default: Any) -> str:
    """A default in the format of the table."""
    if default in ("", None, {}, []):
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    variable = re.search(r"ansible.builtin.env', '(\w+)'", str(default))
    return f"`{variable[1]}`" if variable else str(default)


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_is_in_the_table_with_its_default(name: str) -> None:
    assert name in DEFAULTS, "all DNS variables must have a default"
    assert name in OPTIONS, "all DNS variables must be in the argument spec"
    assert TABLE.get(name) == shown(DEFAULTS[name])
    if "default" in OPTIONS[name]:
        assert OPTIONS[name]["default"] == DEFAULTS[name]


def test_the_table_has_no_other_variables() -> None:
    assert set(TABLE) == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if re.search("token|key$|secret|lexicon_options", name)])
def test_secrets_are_not_logged(name: str) -> None:
    assert OPTIONS[name].get("no_log") is True


def test_every_provider_is_documented_with_its_dependencies() -> None:
    page = (ROOT / "docs" / "dns.md").read_text()
    described = " ".join(OPTIONS["gogetssl_dns_provider"]["description"])
    for provider in PROVIDERS:
        assert f"| `{provider}` |" in page, provider
        assert f"V({provider})" in described, provider


def test_a_missing_variable_is_detected() -> None:
    assert table("\n## Variables\n| `gogetssl_dns_ttl`, `gogetssl_dns_zones` | 60 | seconds |\n") == {
        "gogetssl_dns_ttl": "60",
        "gogetssl_dns_zones": "60",
    }


def test_the_readme_of_the_role_lists_each_variable_once_by_topic() -> None:
    table = (ROLE / "README.md").read_text().partition("## Variables by topic")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"`(gogetssl_\w+)`", table)) == sorted(OPTIONS)
