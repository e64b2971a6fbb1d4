# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever hosts, their notes and DNS providers answer, what is published and removed belongs to the host's own names.

See `test_fuzz_hosts.py`. Here the answers are those of gogetssl_publish_dns and gogetssl_publish_http, of the modules
behind them, and the results that the role derives its state from.
"""

from __future__ import annotations

import contextlib
import json
import random
import tempfile
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context, Task
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.conflicts import RecordState
from ansible_collections.certops.gogetssl.plugins.module_utils._host import file_notes, interrupted_files
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import (
    cloud_dns,
    dcv_dns,
    lexicon,
    powerdns,
    publish_dns,
)
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import answers
from ansible_collections.certops.gogetssl.plugins.plugin_utils._role import run
from tests.unit.plugins.module_utils._order.test_plan import NAMES

from .plugin_utils._role.test_run import RESULTS, SETTINGS, file, order
from .test_fuzz_hosts import (
    CERTIFICATE,
    FOREIGN,
    NOTE,
    OWN,
    REQUEST,
    SECRETS,
    STOPPED,
    mutated,
    print_seed,
    record,
    run_examples,
)

__all__ = ["print_seed"]

TARGET = NOTE["records"][0]["value"]
RECORD = f"_{'a' * 32}.{NAMES[0]}"
VALIDATION = {"order_id": OWN, "name": NAMES[0], "record": RECORD, "type": "CNAME", "value": TARGET}
GIVEN = {"zone": "example.com", "name": RECORD, "type": "CNAME", "value": TARGET, "ttl": 60}
TEXT = {"zone": "example.com", "name": NAMES[0], "type": "TXT", "value": "a" * 32, "ttl": 60}
TOKEN = SECRETS[0]


def check_records(records: Any, names: Any = NAMES) -> None:
    """Records that are sent belong to these names, and the zone is theirs."""
    for one in records:
        owner = one["name"].partition(".")[2] if one["name"].startswith("_") else one["name"]
        assert owner in names, one
        assert owner.endswith(one["zone"]), one


def context(task: Task, options: Mapping[str, Any], shell: Any = None, **more: Any) -> Context:
    defaults = {name: option.get("default") for name, option in task.argument_spec.items()}
    given = {"api": dict, "warn": print, "run_directory": tempfile.gettempdir(), **more}
    return Context({**defaults, **options}, False, shell, **given)


def fuzz_publish(chance: random.Random) -> Any:
    """The notes of a host, and what the provider's module answers."""
    shown: list[str] = []
    foreign = [{**NOTE["records"][0], "name": f"_{'b' * 32}.other.example.org", "zone": "example.org", "order_id": 5}]
    note = {**NOTE, "records": [*NOTE["records"], *(foreign if chance.random() < 0.5 else [])]}

    def publish(_module: str, options: Mapping[str, Any]) -> dict[str, Any]:
        check_records(options["records"])
        answer = mutated({"changed": True, "diff": {"before": "", "after": "x"}, "msg": "x"}, chance)
        return answer if isinstance(answer, dict) else {"failed": True, "msg": answer}

    state = chance.choice(("present", "absent", "absent"))
    given = {"state": state, "provider": "nsupdate", "zones": {"example.com": "example.com"}, "hooks": ["x"]}
    given |= {"validations": [VALIDATION], "certificates": [{"names": list(NAMES)}]}
    text = record(note, chance)
    with mock.patch.object(dcv_dns, "_find", return_value=RecordState()):
        result = publish_dns.run(
            context(
                publish_dns.TASK,
                options=given,
                shell=lambda script: CommandResult(0, text if "head -c" in script else "", ""),
                publish=publish,
                variable=lambda name: TOKEN if "secret" in name else "",
                show=shown.append,
            )
        )
    for call in result["hooks"]:
        check_records(call["records"])
    assert [line for line in shown if len(line) > 2000] == []
    result.pop("diff")  # of the module, which the adapter escapes
    return {**result, "stopped": len(result["stopped"])}, shown


CLOUD = {
    "changed": True,
    "set": {"values": [TARGET], "ttl": "60", "alias": False},
    "dnsrecordsets": [{"records": [{"cname": TARGET, "value": ["a" * 32]}], "time_to_live": 60, "target_resource": {}}],
    "data": {"records": [{"id": 3, "name": "_a.shop", "type": "CNAME", "data": TARGET, "ttl": 60}]},
}


def fuzz_cloud(chance: random.Random) -> Any:
    """Modules of other collections. Their results are validated as those of hosts."""

    def module(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        assert (options.get("zone") or options.get("zone_name") or options.get("domain")) == "example.com"
        return answers.checked(name, mutated(CLOUD, chance), [])

    options = {
        "provider": chance.choice(cloud_dns.SPEC["provider"]["choices"]),
        "options": {"token": TOKEN},
        "zone_ids": {},
        "resource_group": "dns",
    }
    return cloud_dns.run(context(cloud_dns.TASK, options={**options, **change(chance)}, module=module))


def change(chance: random.Random) -> dict[str, Any]:
    state, verify_only = chance.choice(("present", "absent")), chance.random() < 0.1
    return {"records": [GIVEN, TEXT], "state": state, "verify_only": verify_only}


ZONE = {
    "kind": "Master",
    "rrsets": [
        {"name": f"{RECORD}.", "type": "CNAME", "ttl": 60, "records": [{"content": f"{TARGET}.", "disabled": False}]},
        {"name": f"{NAMES[0]}.", "type": "TXT", "ttl": 60, "records": [{"content": '"v=spf1 -all"'}], "comments": []},
    ],
}


def fuzz_powerdns(chance: random.Random) -> Any:
    def exchange(_params: Any, method: str, _path: str, body: Any) -> Any:
        for one in (body or {}).get("rrsets", ()):
            assert one["name"] in (f"{RECORD}.", f"{NAMES[0]}.")
        if chance.random() < 0.1:
            raise powerdns.Refusal(
                chance.choice((401, 404, 422)), powerdns.message_of(record({"error": "x"}, chance).encode())
            )
        return powerdns._read(record(ZONE, chance).encode(), "http://powerdns.test") if method == "GET" else None

    options = {"url": "http://powerdns.test", "key": TOKEN, **change(chance)}

    def caller(params: Any) -> Any:
        return lambda method, path, body=None: exchange(params, method, path, body)

    with mock.patch.object(powerdns, "api", caller):
        return powerdns.run(context(powerdns.TASK, options=options))


def fuzz_lexicon(chance: random.Random) -> Any:
    """The library, whose providers return and raise anything."""

    class Operations:
        def list_records(self, kind: str, name: str) -> Any:
            assert name in (RECORD, NAMES[0])
            if chance.random() < RATE:
                raise chance.choice((ValueError, KeyError, OSError))(f"{mutated('no', chance)} {TOKEN}")
            return mutated([{"content": TARGET if kind == "CNAME" else "a" * 32, "id": 1}], chance)

        def create_record(self, *_given: Any) -> Any:
            return mutated(True, chance)

        delete_record = create_record

    library = types.SimpleNamespace(
        client=types.SimpleNamespace(Client=lambda _configuration: contextlib.nullcontext(Operations())),
        config=lexicon.lexicon.config,
        exceptions=lexicon.lexicon.exceptions,
    )
    options = {"provider": "cloudns", "options": {"auth_token": TOKEN}, **change(chance)}
    with mock.patch.object(lexicon, "lexicon", library):
        return lexicon.run(context(lexicon.TASK, options=options))


RATE = 0.05
PUBLISHED = {
    **{"changed": True, "files": [{"path": "/x", "changed": True}]},
    "stopped": [{"order_id": 1, "reason": "It is in use."}],
}
DEPLOYED = {
    **{"changed": True, "certificates": [CERTIFICATE], "stopped": [STOPPED], "dcv_files_left": False},
    "served": [{"name": "shop", "not_after": "", "replace_from": "", "listeners": []}],
    **{"hook": "", "hook_run": "", "progress": "", "haproxy": {"updated": [], "reload": False, "reason": "", "pid": 1}},
}
NOTED_FILE = {
    **{"order_id": OWN, "name": NAMES[0], "method": "http", "file_name": f"{'A' * 32}.txt"},
    "content": f"{'a' * 64}\nsectigo.com",
}
FLAGS = ("failed", "skipped", "unreachable", "ansible_job_id", "x", "y")


def answered(module: str, sound: Any, chance: random.Random) -> dict[str, Any]:
    """The result of a module on a host, as the actions return it."""
    given = mutated(sound, chance)
    given = {**given, chance.choice(FLAGS): True} if isinstance(given, dict) else given
    result = answers.checked(module, given, ["shop"])
    if chance.random() < 0.2:  # failed_when: false
        result = {**result, "failed": False}
    return result


def visits(chance: random.Random) -> dict[str, Any]:
    one = answered("gogetssl_publish_http", PUBLISHED, chance)
    return {"results": [{**one, "gogetssl_web_host": "web1"}]}


def results_of(chance: random.Random) -> dict[str, Any]:
    """What the role's tasks have returned: the parts that come from hosts are mutated."""
    noted = file_notes.read(record([NOTED_FILE, NOTED_FILE], chance), NAMES, "web1")
    failure = {"phase": chance.choice(("present", "verified", "files_removed")), "order_id": 1, "name": "shop"}
    orders = [{**order("shop", 1), "validations": [file(1)]}]
    return {
        **RESULTS,
        "inspected": {"obtain": ["shop"], "to_copy": [], "stopped": [], "unremoved_files": noted, "probes": []},
        "planned": {"orders": [order("shop", 0)], "stopped": []},
        "requested": answered("gogetssl_csr", {"requests": [REQUEST], "stopped": []}, chance),
        "ordered": {"orders": orders, "validations": [file(1)], "stopped": []},
        "deployed": answered("gogetssl_deploy", DEPLOYED, chance),
        "publisher_failed": {"msg": [{**failure, "reason": str(mutated("x", chance))}]},
        **{name: visits(chance) for name in ("files_published", "files_removed", "probe_published")},
        "probe": {"file_name": "p", "content": "x"},
    }


SHOP_SETTINGS = {**SETTINGS, "certificates": [{"name": "shop", "names": list(NAMES)}], "web_hosts": ["web1", "web2"]}


def fuzz_state(chance: random.Random) -> Any:
    """Results of a host and of its web hosts lead to a state, for this host and for all hosts of the play."""
    results = results_of(chance)
    settings = {**SHOP_SETTINGS, "dns_provider": chance.choice(("", "nsupdate"))}
    state = run.run_state(results, settings, "web1")
    for one in state["obsolete_files"]:
        assert one.get("name", NAMES[0]) in NAMES
    assert {one["name"] for one in state["stopped"]} <= {"shop"}
    variables = {variable: results.get(name, {}) for name, variable in run.RESULTS.items()}
    host = {"inventory_hostname": "web1", "__gogetssl_variables": {"settings": settings}, **variables}
    play = run.play_state([host, {"inventory_hostname": "web2"}])
    assert FOREIGN not in play["order_ids"]
    return state, play


def fuzz_file_notes(chance: random.Random) -> Any:
    found = file_notes.read(record([NOTED_FILE], chance), NAMES, "web1")
    for one in found:
        assert one.get("name", NAMES[0]) in NAMES
        assert one.get("name") or interrupted_files.PROBE_NAME.fullmatch(one["file_name"])
    json.dumps(found)
    return found


TARGETS: dict[str, tuple[Callable[[random.Random], Any], int]] = {  # with their share in percent
    "publish": (fuzz_publish, 10),
    "cloud": (fuzz_cloud, 10),
    "powerdns": (fuzz_powerdns, 10),
    "lexicon": (fuzz_lexicon, 5),
    "state": (fuzz_state, 10),
    "file notes": (fuzz_file_notes, 5),
}


@pytest.mark.parametrize("target", TARGETS)
def test_any_answer_about_publishing(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run_examples(target, *TARGETS[target])
