# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import re
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.certops.gogetssl.plugins.module_utils._api import api_task
from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import host_error
from ansible_collections.certops.gogetssl.plugins.module_utils._core.libraries import Library
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import controller
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller.controller import ControllerAction

SECRET = "p4ss-w0rd-secret"
SPEC = {
    "count": {"type": "int", "default": 3},
    "kind": {"choices": ["a", "b"], "default": "a"},
    "items": {"type": "list", "elements": "dict", "options": {"size": {"type": "int", "default": 5}}},
}


def act(
    function: Callable[[_task.Context], Any],
    args: dict[str, Any] | None = None,
    needs: tuple[Library, ...] = (),
    transport: str = "ssh",
    **how: Any,
) -> dict[str, Any]:
    """Run a task function as Ansible does."""
    facts = {"check_mode": False, "diff": False, "async_val": 0, "action": "certops.gogetssl.x", **how}

    class Action(ControllerAction):
        task = dataclasses.replace(
            api_task.api_task(SPEC, function, rules={"mutually_exclusive": [("count", "items")]}), needs=needs
        )

        def _low_level_execute_command(self, cmd: str, sudoable: bool = True) -> dict[str, Any]:
            return {"rc": 3, "stdout": cmd, "stderr": "", "stdout_lines": [cmd]}

        def _execute_module(self, **options: Any) -> dict[str, Any]:
            if options.get("module_name"):
                return {"failed": True, "msg": f"it is {SECRET}"}
            return {"module": options["wrap_async"]}

    connection = types.SimpleNamespace(
        has_native_async=False, transport=transport, _shell=types.SimpleNamespace(tmpdir="/tmp")
    )
    task = types.SimpleNamespace(get_path=str, args=args or {}, **facts)
    return Action(task, connection, None, None, None, None).run(task_vars={})


def params(context: _task.Context) -> dict[str, Any]:
    return {"seen": {key: context.params[key] for key in ("count", "items", "api_user")}}


def test_options_are_converted_and_defaults_filled_in() -> None:
    result = act(params, {"items": [{"size": "7"}, {}]})
    assert result == {"changed": False, "seen": {"count": 3, "items": [{"size": 7}, {"size": 5}], "api_user": None}}


def test_the_environment_provides_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOGETSSL_API_USER", "seller")
    assert act(params)["seen"]["api_user"] == "seller"
    assert act(params, {"api_user": "other"})["seen"]["api_user"] == "other"


@pytest.mark.parametrize("given", [True, False])
def test_secrets_are_masked_in_results(given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOGETSSL_API_PASSWORD", SECRET)
    result = act(lambda context: {"message": [f"it is {SECRET}"]}, {"api_password": SECRET} if given else {})
    assert SECRET not in str(result)


def test_no_part_of_a_secret_is_left_in_a_shortened_message() -> None:
    def function(context: _task.Context) -> dict[str, Any]:
        assert context.module is not None
        return {"message": context.module("a.b.c", {})["msg"][:-3]}

    assert "p4ss" not in str(act(function, {"api_password": SECRET}))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"count": "many"}, "count must be a whole number, not text."),
        ({"cuont": 3}, "Unsupported parameters for (certops.gogetssl.x) module: cuont"),
        ({"items": [{"sise": 1}]}, "items: unknown key sise; did you mean size?"),
        ({"kind": "c"}, "kind must be one of a, b, not c."),
        ({"count": 1, "items": []}, "mutually exclusive"),
        ({"count": SECRET, "api_password": SECRET}, "count"),
        ({"kind": SECRET, "api_password": SECRET}, "kind must be one of a, b, not ***"),
    ],
)
def test_conflicting_options(args: dict[str, Any], message: str) -> None:
    try:
        result = act(lambda context: pytest.fail("the task ran"), args)
    except AnsibleActionFail as error:
        result = {"failed": True, "msg": str(error)}
    assert result["failed"] is True
    assert message in result["msg"]
    assert SECRET not in result["msg"]


def raising(error: Exception) -> Callable[[_task.Context], Any]:
    def function(_context: _task.Context) -> Any:
        raise error

    return function


def test_a_failure_includes_its_kind() -> None:
    result = act(raising(host_error("No space left.")))
    assert result == {"failed": True, "changed": False, "msg": "No space left.", "failure": "host"}


def test_an_unexpected_exception_is_reported_without_its_text() -> None:
    result = act(raising(ValueError(SECRET)))
    assert result["failed"] is True
    assert "ValueError" in result["msg"]
    assert SECRET not in str(result)


def test_an_unreachable_host_is_left_to_ansible() -> None:
    with pytest.raises(AnsibleConnectionFailure):
        act(raising(AnsibleConnectionFailure("gone")))


def test_a_diff_is_returned_on_request() -> None:
    assert "diff" not in act(lambda context: {"diff": {"before": "a"}})
    assert "diff" in act(lambda context: {"diff": {"before": "a"}}, diff=True)


def test_check_mode_and_warnings_are_passed_on() -> None:
    def function(context: _task.Context) -> Any:
        context.warn("careful")
        return {"check": context.check_mode}

    result = act(function, check_mode=True)
    assert (result["check"], result["warnings"]) == (True, ["careful"])


def test_the_shell_runs_on_the_host() -> None:
    def function(context: _task.Context) -> Any:
        answer = context.shell("id")
        return {"answer": [answer.rc, answer.stdout]}

    assert act(function)["answer"] == [3, "id"]


def test_a_missing_library_is_reported() -> None:
    present, missing = Library("requests", True), Library("cryptography", False)
    assert "seen" in act(params, needs=(present,))
    result = act(params, needs=(present, missing))
    message = result["msg"]
    assert result["failure"] == "library"
    assert re.fullmatch(r"The required Python library cryptography is missing on \S+ for \S+\. Install it .*", message)
    advised = act(params, needs=(x509.CRYPTOGRAPHY._replace(present=False),))["msg"]
    assert ". Install the package python3-cryptography" in advised


def test_async_is_left_to_the_real_module() -> None:
    assert act(lambda context: pytest.fail("the task ran"), async_val=30, transport="local") == {"module": True}


def test_text_of_other_servers_is_escaped() -> None:
    text = "HTTP 500\n\x1b]0;x\x07\u202e\x9b31m"
    escaped = "HTTP 500\n\\x1b]0;x\\x07\\u202e\\x9b31m"

    def fails(context: _task.Context) -> Any:
        context.warn(text)
        raise host_error(text)

    failed = act(fails)
    assert (failed["msg"], failed["warnings"]) == (escaped, [escaped])
    assert act(lambda context: {"records": [{"value": text}]})["records"] == [{"value": escaped}]


@pytest.mark.parametrize("transport", ["ssh", "paramiko", "winrm"])
def test_async_does_not_send_secrets_to_a_host(transport: str) -> None:
    with pytest.raises(AnsibleActionFail, match="delegate_to: localhost"):
        act(lambda context: pytest.fail("the task ran"), async_val=30, transport=transport)


@pytest.mark.parametrize("fails", [False, True])
def test_another_action_runs_on_the_controller(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    """Neither the connection nor the delegation of the task is used, and its options stay masked if it fails."""
    made: dict[str, Any] = {}
    inner = types.SimpleNamespace(delegate_to="web1")

    def run(task_vars: dict[str, Any]) -> dict[str, Any]:
        made["interpreter"] = task_vars["ansible_python_interpreter"]
        if fails:
            raise AnsibleActionFail("refused")
        return {"changed": True}

    def get(name: str, **given: Any) -> Any:
        made.update(given, name=name)
        return types.SimpleNamespace(run=run, cleanup=lambda: made.update(cleaned=True))

    monkeypatch.setattr(controller.action_loader, "get", get)
    monkeypatch.setattr(controller.connection_loader, "get", lambda name, _play: name)

    def publish(context: _task.Context) -> dict[str, Any]:
        assert context.publish is not None
        return {"answer": context.publish("gogetssl_nsupdate", {"server": "ns1"})}

    answer = act(publish, copy=lambda: inner)["answer"]
    assert (made["name"], made["connection"]) == ("certops.gogetssl.gogetssl_nsupdate", "ansible.builtin.local")
    assert (inner.args, inner.delegate_to, made["cleaned"]) == ({"server": "ns1"}, None, True)
    assert made["interpreter"] == sys.executable
    assert answer == ({"failed": True, "changed": False, "msg": "refused"} if fails else {"changed": True})


def test_encrypted_texts_are_decrypted_wherever_they_are() -> None:
    class Encrypted:
        def __str__(self) -> str:
            return SECRET

    value = {"token": Encrypted(), "list": [Encrypted(), 3, None, True]}
    assert controller._plain(value) == {"token": SECRET, "list": [SECRET, 3, None, True]}
