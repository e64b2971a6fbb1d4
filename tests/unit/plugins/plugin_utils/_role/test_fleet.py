# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks of a fleet select from the variables of the hosts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role import fleet

CERTIFICATES = [{"name": "shop", "names": ["a"], "unique_code": "secret"}, {"name": 2026, "names": ["b"]}]


class Broken(dict[str, Any]):
    """The variables of a host with a template that cannot be evaluated."""

    def get(self, key: str, default: Any = None) -> Any:
        raise ValueError(key)


def test_every_host_is_an_entry() -> None:
    variables = {
        "web1": {"found": {"certificates": []}, "gogetssl_certificates": CERTIFICATES, "gogetssl_spend": ["renew"]},
        "web2": Broken(),
        "web3": {"gogetssl_certificates": "text"},
    }
    assert fleet.fleet_hosts(variables, ["web1", "web2", "web3", "web4"], "found") == [
        {
            "host": "web1",
            "result": {"certificates": []},
            "certificates": [{"name": "shop", "names": ["a"]}, {"name": 2026, "names": ["b"]}],
            "spend": ["renew"],
        },
        *({"host": name, "result": {}, "certificates": [], "spend": ["buy"]} for name in ("web2", "web3", "web4")),
    ]


HOSTILE = {"ansible_facts": {"gogetssl_api_url": "https://evil.example/api"}, "inventory_hostname": "web2"}


def test_facts_of_a_host_do_not_reach_tasks_of_other_hosts() -> None:
    hostile = {**HOSTILE, "found": {"certificates": [1]}, "gogetssl_certificates": CERTIFICATES, "plan": [1]}
    (entry,) = fleet.fleet_hosts({"web2": hostile}, ["web2"], "found", ["plan"])
    assert entry["result"].pop("msg").startswith("web2: facts of the host would replace variables of the operator")
    assert entry == {"host": "web2", "result": {"failed": True}, "certificates": [], "spend": ["buy"], "plan": None}


def test_hosts_with_facts_of_the_collection_are_left_out() -> None:
    honest = {"ansible_facts": {"distribution": "Debian"}, "inventory_hostname": "web1"}
    hostvars = {"web2": HOSTILE, "web1": honest, "localhost": {}}
    assert fleet.trusted_hostvars(hostvars, ["web2", "web1", "localhost"]) == [honest, {}]


def test_only_matched_certificates_are_adopted() -> None:
    matches = [{"host": "web1", "name": "shop", "order_id": 7}]
    assert fleet.adopted_certificates(CERTIFICATES, matches) == [{**CERTIFICATES[0], "adopt": 7}]
    assert fleet.adopted_certificates(CERTIFICATES, []) == []


def test_options_for_one_run() -> None:
    once = {"web1": {"shop": {"rekey": True}}}
    assert fleet.one_run_certificates(CERTIFICATES, once, "web1") == [{**CERTIFICATES[0], "rekey": True}]
    assert fleet.one_run_certificates(CERTIFICATES, once, "web2") == []


@pytest.mark.parametrize(
    ("once", "message"),
    [
        ("shop", "must map hosts"),
        ({"web1": ["shop"]}, "web1: must map certificates"),
        ({"web1": {"shop": True}}, "web1: must map certificates"),
        ({"web1": {"shop": {}}}, "shop of web1: no option. Use adopt"),
        ({"web1": {"shop": {"product": 65, "rekey": True}}}, "shop of web1: product. Use adopt"),
        ({"web1": {"mail": {"rekey": True}}}, "web1 has no certificate mail. It has 2026, shop."),
    ],
)
def test_an_option_without_effect_is_an_error(once: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        fleet.one_run_certificates(CERTIFICATES, once, "web1")


def test_further_variables_of_the_hosts() -> None:
    (entry,) = fleet.fleet_hosts({"web1": {"plan": [1]}}, ["web1"], "found", ["plan", "other"])
    assert (entry["plan"], entry["other"]) == ([1], None)


def test_replaced_certificates_have_a_newer_key() -> None:
    times = {"old": "2026-11-26T11:59:59+00:00", "new": "2026-11-26T12:00:00+00:00", "none": None}
    found = [{"name": name, "serial": "1", "step": "keep", "key_sent": sent} for name, sent in times.items()]
    found.append({"name": "unserved", "serial": "1", "step": "install", "key_sent": times["new"]})
    state = {"certificates": found}
    assert fleet.replaced_certificates(state, "2026-11-26T12:00:00Z") == [{"name": "new", "serial": "1"}]
    assert fleet.replaced_certificates({}, "2026-11-26") == []
