# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS providers: the module that publishes, and what it needs on the controller. Data, and pure functions."""

from __future__ import annotations

import importlib.util
import sys
import typing as t

from .._core.errors import input_error

PREFIX = "gogetssl_"  # of the role's variables


class Provider(t.NamedTuple):
    """How records are published with a provider.

    `options` maps the options of the module to the role's variables, without their prefix. They hold the secrets, so a
    variable is read only when its provider is used.
    """

    module: str = ""  # of this collection; without it, the operator publishes the records
    options: t.Mapping[str, t.Any] = {}
    fixed: t.Mapping[str, t.Any] = {}  # options with a value
    required: tuple[str, ...] = ()  # variables that must not be empty
    collections: tuple[str, ...] = ()
    libraries: t.Mapping[str, str] = {}  # import name -> argument of pip install


def _cloud(name: str, options: t.Mapping[str, t.Any], collection: str, **more: t.Any) -> Provider:
    return Provider("gogetssl_cloud_dns", options, {"provider": name}, collections=(collection,), **more)


_AZURE_LIBRARIES = "-r ~/.ansible/collections/ansible_collections/azure/azcollection/requirements.txt"
PROVIDERS: t.Mapping[str, Provider] = {
    "azure": _cloud(
        "azure",
        {"options": "azure_options", "resource_group": "azure_resource_group"},
        "azure.azcollection",
        required=("azure_resource_group",),
        libraries={"azure.mgmt.dns": _AZURE_LIBRARIES},
    ),
    "cloudflare": _cloud(
        "cloudflare",
        {"options": {"api_token": "cloudflare_token"}},
        "community.general",
        required=("cloudflare_token",),
    ),
    "digitalocean": _cloud(
        "digitalocean",
        {"options": {"oauth_token": "digitalocean_token"}},
        "community.digitalocean",
        required=("digitalocean_token",),
    ),
    "hetzner": _cloud(
        "hetzner", {"options": {"hetzner_token": "hetzner_token"}}, "community.dns", required=("hetzner_token",)
    ),
    "lexicon": Provider(
        "gogetssl_lexicon",
        {"provider": "lexicon_provider", "options": "lexicon_options"},
        required=("lexicon_provider",),
        libraries={"lexicon": "dns-lexicon"},
    ),
    "manual": Provider(),
    "nsupdate": Provider(
        "gogetssl_nsupdate",
        {
            "server": "nsupdate_server",
            "key_name": "nsupdate_key_name",
            "key_secret": "nsupdate_key_secret",
            "key_algorithm": "nsupdate_key_algorithm",
            "resolve": "resolve",
            "nameservers": "nameservers",
        },
    ),
    "powerdns": Provider(
        "gogetssl_powerdns",
        {
            "url": "powerdns_url",
            "key": "powerdns_key",
            "server_id": "powerdns_server_id",
            "ca_path": "powerdns_ca_path",
        },
        required=("powerdns_url", "powerdns_key"),
    ),
    "route53": _cloud(
        "route53",
        {"options": "route53_options", "zone_ids": "route53_zone_ids"},
        "amazon.aws",
        libraries={"boto3": "boto3 botocore"},
    ),
}
Variable = t.Callable[[str], t.Any]  # the value of a variable by its name


def known(name: str) -> Provider:
    """Return a provider; an input error for an unknown one."""
    if name not in PROVIDERS:
        raise input_error(
            f"Unknown gogetssl_dns_provider {name}. Use {', '.join(PROVIDERS)}, or add a task file for it to"
            " gogetssl_dns_tasks."
        )
    return PROVIDERS[name]


def check(name: str, variable: Variable) -> None:
    """Raise an input error if the provider's variables, collections or libraries are missing on the controller."""
    provider = known(name)
    missing = [PREFIX + one for one in provider.required if not variable(PREFIX + one)]
    if missing:
        raise input_error(f"The DNS provider {name} requires {' and '.join(missing)}.")
    check_libraries(name, provider.collections, provider.libraries)


def check_libraries(name: str, collections: t.Iterable[str], libraries: t.Mapping[str, str]) -> None:
    """Raise an input error, with the command that installs it, for a collection or library that is missing."""
    for collection in collections:
        if not _can_import(f"ansible_collections.{collection}"):
            raise input_error(
                f"The DNS provider {name} needs the collection {collection} on the controller:"
                f" ansible-galaxy collection install {collection}"
            )
    for library, package in libraries.items():
        if not _can_import(library):
            raise input_error(
                f"The DNS provider {name} needs the Python library {library} on the controller, for the Python that"
                f" runs Ansible: {sys.executable} -m pip install {package}"
            )


def _can_import(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def options(name: str, variable: Variable) -> dict[str, t.Any]:
    """Return the options of the provider's module. Empty variables are omitted, so that its defaults apply."""
    provider = known(name)
    return {**_values(provider.options, variable), **provider.fixed}


def _values(variables: t.Mapping[str, t.Any], variable: Variable) -> dict[str, t.Any]:
    found = {
        option: _values(name, variable) if isinstance(name, dict) else variable(PREFIX + name)
        for option, name in variables.items()
    }
    return {option: value for option, value in found.items() if value not in ("", None)}


def instructions(records: t.Iterable[t.Mapping[str, t.Any]], state: str) -> str:
    """Return the sentence for an operator who publishes the records, in the format of a zone file."""
    lines = [
        f"{one['name']}. {one['ttl']} IN {one['type']} {_written(one['type'], value)} (zone {one['zone']})"
        for one in records
        for value in one["values"]
    ]
    return f"{'Create' if state == 'present' else 'Delete'} these DNS records: {', '.join(lines)}"


def _written(kind: str, value: str) -> str:
    return f'"{value}"' if kind == "TXT" else f"{value}."
