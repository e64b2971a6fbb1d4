# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dependencies of each provider are in its row of the table and checked before a purchase."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import providers

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "gogetssl"
NEEDS = providers.PROVIDERS
# The modules of other collections that gogetssl_cloud_dns calls.
CALLED = {
    "route53": "amazon.aws.route53",
    "azure": "azure.azcollection.azure_rm_dnsrecordset",
    "cloudflare": "community.general.cloudflare_dns",
    "digitalocean": "community.digitalocean.digital_ocean_domain_record",
    "hetzner": "community.dns.hetzner_dns_record",
}
DEPENDENCIES = sorted(
    [(provider, "collections", one) for provider, needs in NEEDS.items() for one in needs.collections]
    + [(provider, "libraries", one) for provider, needs in NEEDS.items() for one in needs.libraries]
)


def test_every_provider_has_a_row_in_the_documentation() -> None:
    documentation = (ROOT / "docs" / "dns.md").read_text()
    assert [provider for provider in NEEDS if f"\n| `{provider}` |" not in documentation] == []


@pytest.mark.parametrize("provider", NEEDS)
def test_the_collections_of_all_modules_are_declared(provider: str) -> None:
    called = NEEDS[provider].module == "gogetssl_cloud_dns"
    assert called == (provider in CALLED)
    assert NEEDS[provider].collections == ((CALLED[provider].rpartition(".")[0],) if called else ())


@pytest.mark.parametrize("provider", NEEDS)
def test_every_variable_of_a_provider_has_a_default_and_a_description(provider: str) -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    described = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main.yml"][
        "options"
    ]
    options = [value for value in NEEDS[provider].options.values() if isinstance(value, str)]
    for name in [providers.PREFIX + one for one in (*NEEDS[provider].required, *options)]:
        assert name in defaults
        assert name in described


@pytest.mark.parametrize(("provider", "kind", "dependency"), DEPENDENCIES)
def test_a_missing_dependency_is_reported_with_its_installation_command(
    monkeypatch: pytest.MonkeyPatch, provider: str, kind: str, dependency: str
) -> None:
    monkeypatch.setattr(providers, "_can_import", lambda name: not name.endswith(dependency))
    with pytest.raises(GogetsslError) as caught:
        providers.check(provider, lambda name: "set")
    command = (
        f"ansible-galaxy collection install {dependency}"
        if kind == "collections"
        else f"{sys.executable} -m pip install {NEEDS[provider].libraries.get(dependency)}"
    )
    message = caught.value.message
    assert message.startswith(f"The DNS provider {provider} needs the ")
    assert f" {dependency} on the controller" in message
    assert message.endswith(f": {command}")
    assert "\n" not in message


def test_the_table_of_dependencies_has_all_providers() -> None:
    assert {provider for provider, _kind, _dependency in DEPENDENCIES} >= {
        "azure",
        "cloudflare",
        "digitalocean",
        "hetzner",
        "route53",
    }
