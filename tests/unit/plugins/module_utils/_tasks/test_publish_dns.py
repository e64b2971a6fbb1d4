# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCV records of several orders: published, verified, removed; a provider that fails, a run that is killed."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import providers
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.conflicts import RecordState
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv_dns, publish_dns

SECRETS = {"gogetssl_nsupdate_key_secret": "TSIG", "gogetssl_cloudflare_token": "TOKEN"}
ZONES = {"example.com": "example.com"}
TARGET = "a.b.t1.comodoca.com"
OLD = "c.d.t1.comodoca.com"


class Killed(BaseException):
    """The run is killed."""


class Bench:
    """A host's directory, and a provider with its records."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.records: set[tuple[str, str]] = set()
        self.sent: list[tuple[str, str, list[str]]] = []  # module, state, names
        self.read: list[str] = []
        self.shown: list[str] = []
        self.refused = ""
        self.effects = -1  # until the run is killed

    def run(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given = {"provider": "nsupdate", "zones": ZONES, "directory": str(self.directory / "gogetssl"), **options}
        if given.get("state") == "absent":
            given = {"certificates": [{"names": [one["name"] for one in VALIDATIONS]}], **given}
        validated = ArgumentSpecValidator(dict(publish_dns.SPEC)).validate(given)
        assert not validated.error_messages, validated.error_messages
        context = Context(
            validated.validated_parameters,
            check_mode,
            self.shell,
            api=dict,
            warn=self.shown.append,
            run_directory=str(self.directory),
            publish=self.publish,
            variable=self.variable,
            show=self.shown.append,
        )
        return publish_dns.run(context)

    def effect(self) -> None:
        if self.effects == 0:
            raise Killed
        self.effects -= 1

    def shell(self, script: str) -> CommandResult:
        if "mv -f" in script or script.startswith("rm"):
            self.effect()
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def variable(self, name: str) -> Any:
        self.read.append(name)
        return SECRETS.get(name, "")

    def publish(self, module: str, options: Mapping[str, Any]) -> dict[str, Any]:
        records = [(one["name"], value) for one in options["records"] for value in one["values"]]
        state = "verified" if options["verify_only"] else options["state"]
        self.sent.append((module, state, sorted(name for name, _value in records)))
        if self.refused and any(self.refused in name for name, _value in records):
            return {"failed": True, "msg": "The provider refused."}
        if state == "present":
            assert set(records) <= self.noted, "published without a note"
        for record in records if state != "verified" else ():
            self.effect()
            (self.records.add if state == "present" else self.records.discard)(record)
        return {"changed": bool(records)}

    @property
    def noted(self) -> set[tuple[str, str]]:
        notes = [json.loads(path.read_text()) for path in (self.directory / "gogetssl").glob(".dns-*.json")]
        return {(one["name"], one["value"]) for note in notes for one in note["records"]}


def validation(order_id: int, **changes: Any) -> dict[str, Any]:
    name = f"o{order_id}.example.com"
    return {
        **{"order_id": order_id, "name": name, "record": f"_x.{name}", "type": "CNAME", "value": TARGET},
        **changes,
    }


VALIDATIONS = [validation(number) for number in (1, 2, 3)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """No name has records, unless a test replaces this."""
    monkeypatch.setattr(dcv_dns, "_find", lambda *_given: RecordState())
    return Bench(tmp_path)


def test_all_orders_are_published_at_once_and_noted_before(bench: Bench) -> None:
    result = bench.run(validations=VALIDATIONS)
    assert (result["stopped"], result["changed"], len(bench.records)) == ([], True, 3)
    assert [(module, state, len(names)) for module, state, names in bench.sent] == [("gogetssl_nsupdate", "present", 3)]


def test_one_order_that_fails_stops_alone(bench: Bench) -> None:
    bench.refused = "o2"
    result = bench.run(validations=VALIDATIONS)
    assert result["stopped"] == [{"order_id": 2, "reason": "The provider refused."}]
    assert sorted(name for name, _value in bench.records) == ["_x.o1.example.com", "_x.o3.example.com"]
    assert len(bench.sent) == 4


def test_old_records_are_removed_before(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcv_dns, "_find", lambda *_given: RecordState(replaced=(OLD,)))
    bench.run(validations=VALIDATIONS[:1])
    assert [state for _module, state, _names in bench.sent] == ["absent", "present"]


def test_a_conflict_stops_its_order(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_dns: Any, record: Any, _ours: Any) -> RecordState:
        return RecordState(problem="It is in use." if record.order_id == 1 else "")

    monkeypatch.setattr(dcv_dns, "_find", find)
    result = bench.run(validations=VALIDATIONS)
    assert result["stopped"] == [{"order_id": 1, "reason": "It is in use."}]
    assert len(bench.records) == 2


def test_only_the_secrets_of_the_provider_are_read(bench: Bench) -> None:
    bench.run(validations=VALIDATIONS)
    assert "gogetssl_nsupdate_key_secret" in bench.read
    assert not [name for name in bench.read if "cloudflare" in name or "powerdns" in name]


def test_check_mode_writes_nothing(bench: Bench) -> None:
    result = bench.run(check_mode=True, validations=VALIDATIONS)
    assert (bench.sent, bench.noted, result["changed"]) == ([], set(), False)


def test_manual_records_are_shown(bench: Bench) -> None:
    bench.run(provider="manual", validations=VALIDATIONS[:1])
    assert bench.shown == [
        f"Create these DNS records: _x.o1.example.com. 60 IN CNAME {TARGET}. (zone example.com)",
    ]


def test_removal_keeps_pending_orders_and_the_notes_of_failures(bench: Bench) -> None:
    bench.run(validations=VALIDATIONS)
    bench.refused = "o2"
    result = bench.run(state="absent", pending_order_ids=[3])
    assert result["stopped"] == [{"order_id": 2, "reason": "The provider refused."}]
    assert bench.shown == ["Not removed: _x.o2.example.com. The next run tries again. The provider refused."]
    names = ["_x.o2.example.com", "_x.o3.example.com"]
    assert sorted(name for name, _value in bench.records) == names
    assert sorted(name for name, _value in bench.noted) == names


def test_a_host_cannot_have_records_of_other_names_removed(bench: Bench) -> None:
    bench.run(validations=VALIDATIONS)
    bench.sent.clear()
    result = bench.run(state="absent", certificates=[{"names": ["*.o1.example.com", "o2.example.com"]}])
    assert [names for _module, _state, names in bench.sent] == [["_x.o1.example.com", "_x.o2.example.com"]]
    assert sorted(bench.records) == [("_x.o3.example.com", TARGET)]
    assert bench.shown == [
        "Not removed: _x.o3.example.com. The host has noted these DNS records, but no certificate of it has these"
        " names. If they are left from a removed name, delete them at your DNS provider."
    ]
    assert (bench.noted, result["stopped"]) == (set(), [])  # it is said once


def test_a_host_cannot_choose_the_provider_of_other_names(bench: Bench) -> None:
    bench.run(validations=VALIDATIONS, provider="mine", hooks=["mine"])
    result = bench.run(state="absent", certificates=[], hooks=["mine"])
    assert (result["hooks"], bench.sent, bench.noted) == ([], [], set())


def test_records_at_an_alias_are_removed(bench: Bench) -> None:
    alias = {"o1.example.com": "o1.dcv.example.com", "www.example.com": "other.dcv.example.com"}
    bench.run(validations=[validation(1)], alias=alias)
    bench.run(validations=[validation(2)], alias={"o2.example.com": "other.dcv.example.com"})
    bench.run(state="absent", certificates=[{"names": ["o1.example.com"]}], alias=alias)
    assert sorted(bench.records) == [("other.dcv.example.com", TARGET)]


def test_kept_records_have_no_notes(bench: Bench) -> None:
    bench.run(validations=VALIDATIONS)
    bench.run(state="absent", keep_records=True)
    assert (len(bench.records), bench.noted) == (3, set())


@pytest.mark.parametrize("refused", ["", "o2"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_run_killed_before_any_effect_converges(bench: Bench, state: str, refused: str) -> None:
    """Every published record is noted at any moment, and the next run removes all of them."""
    kills = 0
    for effects in range(20):
        bench.effects, bench.refused = -1, ""
        if state == "absent":
            bench.run(validations=VALIDATIONS)
        bench.effects, bench.refused = effects, refused
        try:
            bench.run(state=state, **({"validations": VALIDATIONS} if state == "present" else {}))
        except Killed:
            kills += 1
        assert bench.records <= bench.noted
        bench.effects, bench.refused = -1, ""
        bench.run(state="absent")
        assert (bench.records, bench.noted) == (set(), set())
    assert 3 <= kills < 20


CERTIFICATES = [
    {"name": f"c{number}", "methods": {f"o{number}.example.com": "dns", "www.example.com": "http"}} for number in (1, 2)
]


def test_access_is_verified_for_names_that_are_validated_by_dns(bench: Bench) -> None:
    bench.refused = "o1"
    result = bench.run(state="verified", certificates=CERTIFICATES)
    assert result["stopped"] == [{"name": "c1", "reason": "c1: The provider refused."}]
    assert {state for _module, state, _names in bench.sent} == {"verified"}
    assert not [name for _module, _state, names in bench.sent for name in names if "www" in name]
    assert (bench.records, bench.noted, result["changed"]) == (set(), set(), False)


def test_a_provider_that_cannot_be_used_stops_certificates_by_dns_only(bench: Bench) -> None:
    by_file = {"name": "file", "methods": {"www.example.com": "http"}}
    result = bench.run(state="verified", certificates=[*CERTIFICATES, by_file], provider="powerdns")
    message = "The DNS provider powerdns requires gogetssl_powerdns_url and gogetssl_powerdns_key."
    assert [one["reason"] for one in result["stopped"]] == [f"c1: {message}", f"c2: {message}"]
    assert bench.run(state="verified", certificates=[by_file], provider="nobody")["stopped"] == []
    [stop, _other] = bench.run(state="verified", certificates=CERTIFICATES, provider="nobody")["stopped"]
    assert stop["reason"].startswith("c1: Unknown gogetssl_dns_provider nobody. Use azure, cloudflare, ")


def test_records_of_a_provider_that_is_unknown_keep_their_notes(bench: Bench) -> None:
    bench.run(validations=VALIDATIONS, provider="mine", hooks=["mine"])
    assert len(bench.noted) == 3
    result = bench.run(state="absent")
    assert "Unknown gogetssl_dns_provider mine" in result["stopped"][0]["reason"]
    assert len(bench.noted) == 3


@pytest.mark.parametrize("state", ["verified", "present", "absent"])
def test_a_host_or_library_that_fails_stops_orders_and_no_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    bench.run(validations=VALIDATIONS[:1])
    given: dict[str, Any] = {"state": state}
    if state == "absent":  # a note that cannot be read
        next((bench.directory / "gogetssl").glob(".dns-*.json")).write_text("{}")
        assert bench.run(**given)["stopped"] == []
        assert bench.shown[0].startswith("DCV records not removed. The next run tries again. ")
        return
    monkeypatch.setattr(publish_dns, "DNSPYTHON", publish_dns.DNSPYTHON._replace(present=False))
    given["certificates" if state == "verified" else "validations"] = (
        CERTIFICATES[:1] if state == "verified" else VALIDATIONS[:1]
    )
    [stop] = bench.run(**given)["stopped"]
    assert "dnspython" in stop["reason"]


def test_task_files_of_the_user_are_called_for_each_order(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    mine: dict[str, Any] = {"provider": "mine", "hooks": ["mine"]}
    hooks = bench.run(state="verified", certificates=CERTIFICATES, **mine)["hooks"]
    assert [(one["name"], one["verify_only"]) for one in hooks] == [("c1", True), ("c2", True)]
    monkeypatch.setattr(dcv_dns, "_find", lambda *_given: RecordState(replaced=(OLD,)))
    hooks = bench.run(validations=VALIDATIONS[:2], **mine)["hooks"]
    assert [(one["order_id"], one["state"]) for one in hooks] == [
        (1, "absent"),
        (1, "present"),
        (2, "absent"),
        (2, "present"),
    ]
    assert (bench.sent, len(bench.noted)) == ([], 2)
    hooks = bench.run(state="absent", **mine)["hooks"]
    assert [(one["order_id"], one["state"]) for one in hooks] == [(1, "absent"), (2, "absent")]
    assert len(bench.noted) == 2
    bench.run(hooked=hooks, hook_failures=[{"order_id": 2, "reason": "It failed."}])
    assert [name for name, _value in bench.noted] == ["_x.o2.example.com"]
    assert bench.shown == ["Not removed: _x.o2.example.com. The next run tries again. It failed."]


def test_hosts_of_a_run_take_turns(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second host waits while the first one changes records."""
    busy, order = threading.Event(), list[str]()

    def slow(_module: str, _options: Mapping[str, Any]) -> dict[str, Any]:
        order.append("begin")
        busy.wait(0.2)
        order.append("end")
        return {}

    monkeypatch.setattr(bench, "publish", slow)
    hosts = [threading.Thread(target=bench.run, kwargs={"validations": [one]}) for one in VALIDATIONS[:2]]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert order == ["begin", "end", "begin", "end"]


@pytest.mark.parametrize("name", providers.PROVIDERS)
def test_the_table_has_the_options_of_the_modules(name: str, modules: Callable[[str], Mapping[str, Any]]) -> None:
    provider = providers.PROVIDERS[name]
    spec = modules(provider.module) if provider.module else {}
    assert {*provider.options, *provider.fixed} <= set(spec)
    secret = {option for option, entry in spec.items() if entry.get("no_log")}
    for option, variables in provider.options.items():
        names = str(variables)
        if "token" in names or "secret" in names or names.endswith(("_key", "_options")):
            assert option in secret, option


@pytest.fixture
def modules() -> Callable[[str], Mapping[str, Any]]:
    """The options of a module by its name."""

    def options(name: str) -> Mapping[str, Any]:
        package = publish_dns.__name__.rpartition(".")[0]
        task = __import__(f"{package}.{name.removeprefix('gogetssl_')}", fromlist=["SPEC"])
        return dict(task.SPEC)

    return options
