# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every provider's task file needs is known to the role, and told with its remedy before money is spent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils import _dcv_dns
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError

from .conftest import task_runner

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "gogetssl"
FILES = {path.stem: path for path in (ROLE / "tasks" / "dns").glob("*.yml")}
NEEDS: dict[str, dict[str, Any]] = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["__gogetssl_dns_providers"]
# The modules of other collections that gogetssl_cloud_dns calls by itself.
CALLED = {
    "route53": "amazon.aws.route53",
    "azure": "azure.azcollection.azure_rm_dnsrecordset",
    "digitalocean": "community.digitalocean.digital_ocean_domain_record",
}
TOOLS = sorted(
    [(provider, "collections", one) for provider, needs in NEEDS.items() for one in needs.get("collections", ())]
    + [(provider, "libraries", one) for provider, needs in NEEDS.items() for one in needs.get("libraries", ())]
)


def test_every_task_file_has_its_needs_and_a_row_in_the_documentation() -> None:
    assert set(FILES) == set(NEEDS)
    documentation = (ROOT / "docs" / "dns.md").read_text()
    assert [provider for provider in NEEDS if f"\n| `{provider}` |" not in documentation] == []


@pytest.mark.parametrize("provider", FILES)
def test_the_collection_of_every_module_is_asked_for(provider: str) -> None:
    modules = [key for task in yaml.safe_load(FILES[provider].read_text()) for key in task if key.count(".") == 2]
    used = {module.rpartition(".")[0] for module in [*modules, CALLED.get(provider, "ansible.builtin.debug")]}
    assert used - {"ansible.builtin", "certops.gogetssl"} == set(NEEDS[provider].get("collections", ()))


@pytest.mark.parametrize("provider", FILES)
def test_every_variable_of_a_provider_has_a_default_and_is_described(provider: str) -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    described = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["work"]["options"]
    for name in NEEDS[provider].get("variables", ()):
        assert name in defaults
        assert name in described


@pytest.mark.parametrize(("provider", "kind", "tool"), TOOLS)
def test_a_missing_tool_is_one_sentence_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, provider: str, kind: str, tool: str
) -> None:
    monkeypatch.setattr(_dcv_dns, "_can_import", lambda name: not name.endswith(tool))
    needs = NEEDS[provider]
    with pytest.raises(GogetsslError) as caught:
        task_runner(
            _dcv_dns.TASK,
            state="checked",
            certificates=[{"name": "shop", "names": ["example.com"], "dcv": "dns"}],
            provider=provider,
            collections=needs.get("collections", []),
            libraries=needs.get("libraries", {}),
        )
    command = (
        f"ansible-galaxy collection install {tool}"
        if kind == "collections"
        else f"{sys.executable} -m pip install {needs['libraries'].get(tool)}"
    )
    said = caught.value.message
    assert said.startswith(f"The DNS provider {provider} needs the ")
    assert f" {tool} on the controller" in said
    assert said.endswith(f": {command}")
    assert "\n" not in said


def test_the_table_of_tools_is_not_empty() -> None:
    assert {provider for provider, _kind, _tool in TOOLS} >= {
        "azure",
        "cloudflare",
        "digitalocean",
        "hetzner",
        "route53",
    }
