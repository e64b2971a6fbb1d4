# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.certops.gogetssl.plugins.module_utils import _api_task, _task
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import host_error
from ansible_collections.certops.gogetssl.plugins.module_utils._libraries import Library
from ansible_collections.certops.gogetssl.plugins.plugin_utils import _controller

SECRET = "p4ss-w0rd-secret"
SPEC = {
    "count": {"type": "int", "default": 3},
    "items": {"type": "list", "elements": "dict", "options": {"size": {"type": "int", "default": 5}}},
}


def act(
    function: Callable[[_task.Context], Any],
    args: dict[str, Any] | None = None,
    needs: tuple[Library, ...] = (),
    **how: Any,
) -> dict[str, Any]:
    """Runs a task function as Ansible would."""
    facts = {"check_mode": False, "diff": False, "async_val": 0, "action": "certops.gogetssl.x", **how}

    class Action(_controller.ControllerAction):
        task = dataclasses.replace(
            _api_task.api_task(SPEC, function, rules={"mutually_exclusive": [("count", "items")]}), needs=needs
        )

        def _low_level_execute_command(self, cmd: str, sudoable: bool = True) -> dict[str, Any]:
            return {"rc": 3, "stdout": cmd, "stderr": "", "stdout_lines": [cmd]}

        def _execute_module(self, **options: Any) -> dict[str, Any]:
            return {"module": options["wrap_async"]}

    connection = types.SimpleNamespace(has_native_async=False, _shell=types.SimpleNamespace(tmpdir="/tmp"))
    task = types.SimpleNamespace(args=args or {}, **facts)
    return Action(task, connection, None, None, None, None).run(task_vars={})


def params(context: _task.Context) -> dict[str, Any]:
    return {"seen": {key: context.params[key] for key in ("count", "items", "api_user")}}


def test_options_are_converted_and_defaults_filled_in() -> None:
    result = act(params, {"items": [{"size": "7"}, {}]})
    assert result == {"changed": False, "seen": {"count": 3, "items": [{"size": 7}, {"size": 5}], "api_user": None}}


def test_the_environment_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOGETSSL_API_USER", "seller")
    assert act(params)["seen"]["api_user"] == "seller"
    assert act(params, {"api_user": "other"})["seen"]["api_user"] == "other"


@pytest.mark.parametrize("given", [True, False])
def test_secrets_are_masked_in_results(given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOGETSSL_API_PASSWORD", SECRET)
    result = act(lambda context: {"said": [f"it is {SECRET}"]}, {"api_password": SECRET} if given else {})
    assert SECRET not in str(result)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"count": "many"}, "count"),
        ({"cuont": 3}, "Unsupported parameters for (certops.gogetssl.x) module: cuont"),
        ({"items": [{"sise": 1}]}, "items.sise"),
        ({"count": 1, "items": []}, "mutually exclusive"),
        ({"count": SECRET, "api_password": SECRET}, "count"),
    ],
)
def test_options_that_do_not_fit(args: dict[str, Any], said: str) -> None:
    result = act(lambda context: pytest.fail("the task ran"), args)
    assert result["failed"] is True
    assert said in result["msg"]
    assert SECRET not in result["msg"]


def raising(error: Exception) -> Callable[[_task.Context], Any]:
    def function(_context: _task.Context) -> Any:
        raise error

    return function


def test_a_failure_is_told_with_its_kind() -> None:
    result = act(raising(host_error("No space left.")))
    assert result == {"failed": True, "changed": False, "msg": "No space left.", "failure": "host"}


def test_an_unexpected_exception_is_told_without_its_text() -> None:
    result = act(raising(ValueError(SECRET)))
    assert result["failed"] is True
    assert "ValueError" in result["msg"]
    assert SECRET not in str(result)


def test_an_unreachable_host_is_ansibles_business() -> None:
    with pytest.raises(AnsibleConnectionFailure):
        act(raising(AnsibleConnectionFailure("gone")))


def test_a_diff_is_for_those_who_ask() -> None:
    assert "diff" not in act(lambda context: {"diff": {"before": "a"}})
    assert "diff" in act(lambda context: {"diff": {"before": "a"}}, diff=True)


def test_check_mode_and_warnings_reach_their_place() -> None:
    def function(context: _task.Context) -> Any:
        context.warn("careful")
        return {"check": context.check_mode}

    result = act(function, check_mode=True)
    assert (result["check"], result["warnings"]) == (True, ["careful"])


def test_the_shell_is_the_hosts() -> None:
    def function(context: _task.Context) -> Any:
        answer = context.shell("id")
        return {"answer": [answer.rc, answer.stdout]}

    assert act(function)["answer"] == [3, "id"]


def test_a_missing_library_is_named() -> None:
    present, missing = Library("requests", True), Library("cryptography", False)
    assert "seen" in act(params, needs=(present,))
    assert "cryptography" in act(params, needs=(present, missing))["msg"]


def test_async_is_left_to_the_real_module() -> None:
    assert act(lambda context: pytest.fail("the task ran"), async_val=30) == {"module": True}
