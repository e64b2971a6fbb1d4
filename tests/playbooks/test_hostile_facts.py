# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hostile host adds facts to all module results: they must not affect purchases, keys or API addresses."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Bench, Run, free_port

WRAPPER = """#!{python}
import json, subprocess, sys
ran = subprocess.run([{python!r}, *sys.argv[1:]], stdout=subprocess.PIPE)
out = ran.stdout
try:
    answer = json.loads(out)
    answer.setdefault("ansible_facts", {{}}).update({facts!r})
    out = json.dumps(answer).encode()
except ValueError:
    pass
sys.stdout.buffer.write(out)
sys.exit(ran.returncode)
"""


class TwoHosts:
    """web1 and web2 have certificates. web2 is hostile."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        (bench.directory / "host_vars").mkdir()

    def host(self, name: str, **variables: Any) -> None:
        (self.bench.directory / "host_vars" / f"{name}.json").write_text(json.dumps(variables))

    def hostile(self, facts: dict[str, Any], **variables: Any) -> None:
        wrapper = self.bench.directory / "python"
        wrapper.write_text(WRAPPER.format(python=sys.executable, facts=facts))
        wrapper.chmod(0o755)
        two = {"name": "two", "names": ["two.example.net"], "product": "66", "dcv": "http"}
        given = {"gogetssl_certificates": [two], **variables}
        self.host("web2", ansible_python_interpreter=str(wrapper), **given)

    def run(self, gather: bool, *arguments: str, **variables: Any) -> Run:
        play = [{"hosts": "all", "gather_facts": gather, "roles": ["certops.gogetssl.gogetssl"]}]
        site = self.bench.directory / "site.json"
        site.write_text(json.dumps(play))
        names = [*self.bench.shop()["names"], "two.example.net", "evil.example.org"]
        given: dict[str, Any] = {
            "hosts": ("web1", "web2"),
            "playbook": str(site),
            "gogetssl_directory": str(self.bench.store) + "/{{ inventory_hostname }}",
            "gogetssl_resolve": dict.fromkeys(names, "127.0.0.1"),
            **variables,
        }
        return self.bench.run(*arguments, **given)

    def key(self, host: str) -> Path:
        return self.bench.store / host / "shop" / "current" / "privkey.pem"


@pytest.fixture
def two(bench: Bench) -> TwoHosts:
    return TwoHosts(bench)


@pytest.mark.parametrize(("gather", "shared"), [(True, True), (False, False)])
def test_facts_cannot_request_a_private_key(two: TwoHosts, gather: bool, shared: bool) -> None:
    shop = two.bench.shop(**({"order_host": "web1"} if shared else {}))
    two.host("web1", gogetssl_certificates=[shop])
    two.hostile({"gogetssl_certificates": [{**shop, "order_host": "web1"}]})
    run = two.run(gather)
    assert run.code == 2, run.output
    assert "facts" in run.output
    assert "gogetssl_certificates" in run.output
    assert two.key("web1").exists()
    assert not two.key("web2").exists()
    assert [order["common_name"] for order in two.bench.orders] == ["shop.example.com"]


def test_facts_cannot_raise_a_price_limit(two: TwoHosts) -> None:
    two.host("web1", gogetssl_certificates=[])
    evil = {"name": "two", "names": ["evil.example.org"], "product": "68", "dcv": "http"}
    two.hostile({"gogetssl_certificates": [evil], "gogetssl_max_price": 10**9, "gogetssl_spend": ["buy"]})
    for _attempt in range(2):
        run = two.run(gather=False, gogetssl_max_price=400)
        assert run.code == 2, run.output
    assert two.bench.orders == []


@pytest.mark.outermost
@pytest.mark.parametrize("gather", [True, False])
def test_facts_cannot_redirect_the_password(two: TwoHosts, gather: bool) -> None:
    address = f"http://127.0.0.1:{free_port()}/api"
    two.host("web1", gogetssl_certificates=[])
    two.hostile({"gogetssl_api_url": address})
    run = two.run(gather)
    assert run.code == 2, run.output
    assert "gogetssl_api_url" in run.output
    assert address not in run.output


# A fact of the same name with Ansible's prefix has the same name among the host's facts.
@pytest.mark.parametrize("more", [{}, {"ansible_company_api": "x"}], ids=["alone", "hidden"])
def test_facts_cannot_replace_variables_used_by_the_collection(two: TwoHosts, more: dict[str, str]) -> None:
    two.host("web1", gogetssl_certificates=[])
    two.hostile(
        {"company_api": "http://127.0.0.1:1/api", "packages": ["nginx"], **more},
        company_api=two.bench.emulator.url,
        gogetssl_api_url="{{ company_api }}",
    )
    run = two.run(True)
    assert run.code == 2, run.output
    assert "variables of the operator: company_api." in run.output
    assert two.bench.orders == []


def test_unrelated_facts_have_no_effect(two: TwoHosts) -> None:
    two.host("web1", gogetssl_certificates=[])
    two.hostile({"packages": ["nginx"], "company_api": "unused"})
    run = two.run(True)
    assert run.code == 0, run.output
    assert [order["common_name"] for order in two.bench.orders] == ["two.example.net"]


@pytest.mark.outermost
def test_cached_facts_are_refused_too(two: TwoHosts) -> None:
    cache = {
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(two.bench.directory / "cache"),
    }
    earlier = two.bench.directory / "earlier.json"
    fact = {"ansible.builtin.set_fact": {"gogetssl_max_price": 10**9, "cacheable": True}}
    earlier.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [fact]}]))
    assert two.bench.run(env=cache, playbook=str(earlier)).code == 0
    run = two.bench.run(env=cache, gogetssl_max_price=1)
    assert run.code == 2, run.output
    assert "web1: facts of the host would replace variables of the operator: gogetssl_max_price." in run.output
    assert two.bench.orders == []


@pytest.mark.outermost
def test_output_of_a_host_is_neither_evaluated_nor_sent_to_the_terminal(bench: Bench) -> None:
    program = bench.directory / "service"
    program.write_text("#!/bin/sh\nprintf 'bad {{ 7919 * 7907 }} \\033[2J\\n' >&2\nexit 1\n")
    program.chmod(0o755)
    shop = bench.shop(services=["custom"], listeners=[])
    run = bench.run(gogetssl_certificates=[shop], gogetssl_custom_test=str(program))
    assert run.code == 2, run.output
    assert re.search(r"configuration of custom: bad \{\{ 7919 \* 7907 \}\} \\+x1b\[2J\.", run.output), run.output
    assert str(7919 * 7907) not in run.output
    assert "\x1b" not in run.output
