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
    answer.update({more!r})
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

    def hostile(self, facts: dict[str, Any], more: dict[str, Any] | None = None, **variables: Any) -> None:
        wrapper = self.bench.directory / "python"
        wrapper.write_text(WRAPPER.format(python=sys.executable, facts=facts, more=more or {}))
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


@pytest.mark.parametrize("operator", [{}, {"ansible_package_use": "evil"}], ids=["of the host", "of the operator"])
def test_facts_do_not_choose_the_module_that_installs_packages(two: TwoHosts, operator: dict[str, str]) -> None:
    two.host("web1", gogetssl_certificates=[])
    facts = {"ansible_other": "x"} if operator else {"ansible_package_use": "evil"}
    two.hostile(facts, {"packages": ["x"], "manager": "evil"}, gogetssl_install_packages=True, **operator)
    run = two.run(True)
    assert run.code == 2, run.output
    assert ("The module evil is not on the controller" in run.output) is bool(operator), run.output
    assert ("The host named a module that installs no packages" in run.output) is not bool(operator)
    assert two.bench.orders == []


# What a module of the user's task file returns on a hostile host: files are published for the probe only.
PUBLISHER: list[dict[str, Any]] = [
    {
        "ansible.builtin.file": {"path": "{{ gogetssl_web_root }}/.well-known/pki-validation", "state": "directory"},
    },
    {
        "ansible.builtin.copy": {
            "dest": "{{ gogetssl_web_root }}/.well-known/pki-validation/{{ item.file_name }}",
            "content": "{{ item.content }}",
        },
        "loop": "{{ gogetssl_http_files }}",
        "when": "gogetssl_http_state == 'present'",
    },
    {
        "ansible.builtin.set_fact": {"gogetssl_max_price": 1, "cacheable": True},
        "when": ["gogetssl_http_state == 'present'", "gogetssl_http_files[0].order_id is defined"],
    },
    {
        "ansible.builtin.fail": {"msg": "no"},
        "when": ["gogetssl_http_state == 'present'", "gogetssl_http_files[0].order_id is defined"],
    },
]


def test_facts_during_a_run_do_not_end_the_runs_of_other_hosts(two: TwoHosts) -> None:
    """The hostile host comes first, so it is the one that waits for the orders of all hosts."""
    tasks = two.bench.directory / "publisher.json"
    tasks.write_text(json.dumps(PUBLISHER))
    given = {"name": "two", "names": ["two.example.net"], "product": "66", "dcv": "http"}
    publisher = {"gogetssl_http_publisher": "mine", "gogetssl_http_tasks": {"mine": str(tasks)}}
    two.host("web1", gogetssl_certificates=[given], **publisher)
    two.host("web2", gogetssl_certificates=[two.bench.shop()])
    run = two.run(False)
    assert run.code == 2, run.output
    assert "web1: facts of the host would replace variables of the operator: gogetssl_max_price" in run.output
    assert two.key("web2").exists(), run.output


def test_unrelated_facts_have_no_effect(two: TwoHosts) -> None:
    two.host("web1", gogetssl_certificates=[])
    two.hostile({"packages": ["nginx"], "company_api": "unused"})
    run = two.run(True)
    assert run.code == 0, run.output
    assert [order["common_name"] for order in two.bench.orders] == ["two.example.net"]


ODD: dict[str, dict[str, Any]] = {
    "statistics": {"ansible_stats": {"data": {"gogetssl_approved_plan": ["evil"]}}},
    "odd statistics": {"ansible_stats": {"data": 7}},
    "odd deprecations": {"deprecations": [{"msg": "x", "version": []}]},
    "objects of Ansible": {"msg": {"__ansible_type": "WarningSummary", "details": 7}},
}


@pytest.mark.outermost
@pytest.mark.parametrize("more", ODD.values(), ids=ODD)
def test_no_answer_of_a_web_host_ends_the_run_or_sets_statistics(two: TwoHosts, more: dict[str, Any]) -> None:
    """AWX passes statistics to the next job as extra variables. web2 serves the files of web1, too."""
    two.host("web1", gogetssl_certificates=[two.bench.shop()], gogetssl_web_hosts=["web2", "web1"])
    two.hostile({}, more, gogetssl_certificates=[])
    run = two.run(False, env={"ANSIBLE_SHOW_CUSTOM_STATS": "1"})
    assert "evil" not in run.output
    if "msg" in more:
        assert "shop: The host's answer cannot be used" in run.output, run.output
    else:
        assert two.key("web1").exists(), run.output


@pytest.mark.outermost
@pytest.mark.parametrize("removable", [True, False])
def test_a_host_with_a_note_of_files_sets_no_statistics(two: TwoHosts, removable: bool) -> None:
    """Such a note makes the run remove the files, and then the note or write it again."""
    two.host("web1", gogetssl_certificates=[])
    two.hostile({}, ODD["statistics"])
    note = two.bench.store / "web2" / ".dcv-files.json"
    note.parent.mkdir(parents=True)
    content = f"{'0' * 64}\nsectigo.com\nt0123456789"
    file = {"order_id": 1, "name": "two.example.net", "method": "http", "file_name": f"{'A' * 32}.txt"}
    note.write_text(json.dumps([{**file, "content": content}]))
    if not removable:
        (two.bench.web_root / ".well-known" / "pki-validation" / file["file_name"]).mkdir(parents=True)
    run = two.run(False, env={"ANSIBLE_SHOW_CUSTOM_STATS": "1"})
    assert "evil" not in run.output
    assert "Note files that could not be removed" in run.output
    assert note.exists() is not removable, run.output


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


class Cached:
    """web1 is hostile: its facts are in the cache of earlier runs. web2 is not."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.cache = {
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(bench.directory / "cache"),
        }

    def run(self, facts: dict[str, Any], playbook: str, *arguments: str, **variables: Any) -> Run:
        task = {"ansible.builtin.set_fact": {**facts, "cacheable": True}}
        earlier = self.bench.directory / "earlier.json"
        earlier.write_text(json.dumps([{"hosts": "web1", "gather_facts": False, "tasks": [task]}]))
        assert self.bench.run(env=self.cache, playbook=str(earlier)).code == 0
        given: dict[str, Any] = {
            "gogetssl_directory": str(self.bench.store) + "/{{ inventory_hostname }}",
            "hosts": ("web1", "web2"),
            **variables,
        }
        return self.bench.run(*arguments, env=self.cache, playbook=playbook, **given)


@pytest.fixture
def cached(bench: Bench) -> Cached:
    return Cached(bench)


@pytest.mark.outermost
@pytest.mark.parametrize(
    ("playbook", "limit"), [("report", ()), ("report", ("--limit", "web1,web2")), ("reconcile", ())]
)
def test_facts_of_one_host_do_not_redirect_the_password_of_a_report(
    cached: Cached, playbook: str, limit: tuple[str, ...]
) -> None:
    """The report reads the account with the variables of its first host. With a limit, it runs on a host."""
    address = f"http://127.0.0.1:{free_port()}/api"
    path = cached.bench.directory / "report.json"
    variables = {"gogetssl_report_json": str(path), "gogetssl_api_deadline": 10}
    run = cached.run({"gogetssl_api_url": address}, f"certops.gogetssl.{playbook}", *limit, **variables)
    assert run.code == 0, run.output
    assert address not in run.output
    found = json.loads(path.read_text())
    assert found["account_read"] is True
    reasons = {row["host"]: row["reason"] for row in found["certificates"]}
    assert "web1: facts of the host would replace variables of the operator: gogetssl_api_url." in reasons["web1"]
    assert "facts" not in reasons["web2"]


EVIL_STEP = {
    **{"host": "web2", "name": "shop", "names": ["evil.example.org"], "product": "68", "period": 12, "step": "buy"},
    **{"reason": "approve it", "price": 999999, "currency": "EUR", "deadline": "", "due": "buy", "order_id": None},
}


@pytest.mark.outermost
def test_facts_of_one_host_are_no_plan_to_approve(cached: Cached) -> None:
    run = cached.run({"__gogetssl_planned": {"plan": [EVIL_STEP]}}, "certops.gogetssl.plan")
    assert run.code == 0, run.output
    assert "approve it" not in run.output
    assert "web1: facts of the host would replace variables of the operator: __gogetssl_planned." in run.output
    assert "1 purchase for" in run.output


@pytest.mark.outermost
def test_facts_of_one_host_do_not_stop_another(cached: Cached) -> None:
    facts = {"__gogetssl_planned": {"plan": [7]}, "__gogetssl_awaited": [7], "__gogetssl_dns_planned": {"cached": [7]}}
    run = cached.run(facts, "certops.gogetssl.issue", "--check")
    assert run.code == 2, run.output
    assert re.search(r"web1 .* failed=1", run.output), run.output
    assert re.search(r"web2 .* failed=0", run.output), run.output
    assert "1 purchase for" in run.output


@pytest.mark.outermost
@pytest.mark.parametrize("hosts", ["web2", "all"])
def test_facts_of_one_host_do_not_choose_the_hosts_of_an_emergency(cached: Cached, hosts: str) -> None:
    store = str(cached.bench.store) + "/{{ inventory_hostname }}"
    assert cached.bench.run(hosts=("web2",), gogetssl_directory=store).code == 0
    facts = {"__gogetssl_emergency": {"hosts": ["none"], "waves": ["100%"]}}
    drill = ("-e", f"gogetssl_hosts={hosts}", "-e", "gogetssl_emergency_drill=true")
    run = cached.run(facts, "certops.gogetssl.emergency", *drill)
    assert run.code == 0, run.output
    assert "no hosts matched" not in run.output
    assert "Show what remains, and the figures" in run.output
    headers = re.findall(r"TASK \[(.*)\]", run.output.partition("PLAY [Replace the certificates")[0])
    assert sorted(set(headers)) == sorted(headers)  # none for each host
    assert ("web1: facts of the host" in run.output) is (hosts == "all")
