# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A private key is handed out only if the ordering host's own inventory shares the certificate."""

from __future__ import annotations

import types
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.plugin_utils import _facts, _play

SHOP = {"name": "shop", "names": ["shop.example.com", "www.shop.example.com"], "order_host": "web1"}


def refused(owner: Any, asker: Any = (SHOP,), **play: Any) -> list[str]:
    """The certificates that web2 may not copy from web1. A list of None means that the inventory lacks the variable."""
    hostvars = {
        host: {} if entries is None else {"gogetssl_certificates": list(entries)}
        for host, entries in (("web1", owner), ("web2", asker))
    }
    task_vars = {"inventory_hostname": "web2", "hostvars": hostvars, **play}
    return _play.not_shared(task_vars, [SHOP])


@pytest.mark.parametrize(
    "entry",
    [
        {**SHOP, "order_host": None},
        {**SHOP, "order_host": "web3"},
        {**SHOP, "name": "blog"},
        {**SHOP, "names": ["shop.example.com"]},
        {**SHOP, "names": 7},
        {"order_host": "web1"},
        "shop",
        None,
    ],
)
def test_the_ordering_host_must_share_the_certificate(entry: Any) -> None:
    assert refused([entry]) == ["shop"]


def test_an_ordering_host_that_shares_the_certificate() -> None:
    assert refused([SHOP]) == []
    assert refused([{**SHOP, "names": ["SHOP.example.com", "*.shop.example.com"]}]) == []


def test_an_ordering_host_without_certificates() -> None:
    assert refused([]) == ["shop"]
    assert refused(None) == ["shop"]


def test_a_list_defined_by_the_play_applies_to_all_hosts() -> None:
    assert refused(None, None, gogetssl_certificates=[SHOP]) == []
    assert refused(None, None, gogetssl_certificates=[{**SHOP, "order_host": "web2"}]) == ["shop"]


def test_names_used_by_variables_of_the_collection() -> None:
    variables = {
        "gogetssl_api_url": "{{ base }}/api",
        "base": "https://{{ gateway }}",
        "gateway": "gate",
        "other": "{{ gateway }}",
        "gogetssl_certificates": [{"names": "{{ shop_names }}"}],
        "shop_names": ["shop.example.com"],
    }
    assert _facts.used_by(variables) == {"base", "gateway", "shop_names"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        ({"distribution": "Debian"}, []),
        ({"gogetssl_api_url": "x"}, ["gogetssl_api_url"]),
        ({"__gogetssl_stopped": [], "gogetssl_spend": []}, ["__gogetssl_stopped", "gogetssl_spend"]),
    ],
)
def test_overriding_facts(facts: dict[str, Any], expected: list[str]) -> None:
    assert _facts.overriding_facts({"ansible_facts": facts, "inventory_hostname": "web1"}) == expected
    assert bool(_facts.refusal({"ansible_facts": facts})) is bool(expected)


class Manager:
    """Ansible's variables of one host: the operator's, with or without the facts of the cache."""

    def __init__(self, operator: dict[str, Any], facts: dict[str, Any]) -> None:
        self.operator = operator
        self._fact_cache = {"web1": facts}

    def get_vars(self, host: Any, include_hostvars: bool) -> dict[str, Any]:
        return {**self.operator, **(self._fact_cache.get("web1") or {})}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"company": "evil"}, ["company"]),
        ({"company": "evil", "ansible_company": "x"}, ["company"]),  # one name in ansible_facts
        ({"ansible_company": "x"}, []),  # does not replace `company`
        ({"packages": ["nginx"]}, []),  # nothing uses it
        ({"services": "evil"}, ["services"]),  # used by a variable of the play
    ],
)
def test_facts_that_replace_what_variables_of_the_collection_use(facts: dict[str, Any], expected: list[str]) -> None:
    operator = {
        "gogetssl_api_url": "https://{{ company }}/api",
        **{"company": "example", "packages": [], "services": "nginx"},
    }
    manager = Manager(operator, facts)
    inventory = types.SimpleNamespace(get_host=lambda name: name)
    variables = {
        **{**operator, **facts, "inventory_hostname": "web1"},
        "gogetssl_services": "{{ services }}",
        "ansible_facts": {name.removeprefix("ansible_"): value for name, value in facts.items()},
        "hostvars": types.SimpleNamespace(_variable_manager=manager, _inventory=inventory),
    }
    assert _facts.overriding_facts(variables) == expected
    assert manager._fact_cache == {"web1": facts}
