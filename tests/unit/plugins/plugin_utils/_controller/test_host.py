# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules with secrets are piped to their host or not sent. Results with secrets require no_log."""

from __future__ import annotations

import types
from typing import Any

import pytest
from ansible.errors import AnsibleError

from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller.controller import ControllerAction
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller.host import HostAction


def send(args: dict[str, Any], can_pipe: bool = True, async_val: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result, and the options set for the connection."""
    options: dict[str, Any] = {}

    class Action(HostAction):
        secrets = ("private_keys",)
        piped = ("private_keys",)

        def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
            return can_pipe and options.get("pipelining", False)

        def _execute_module(self, **setup: Any) -> dict[str, Any]:
            return {"sent": True}

        def _remove_tmp_path(self, tmp_path: Any, force: bool = False) -> None:
            pass

    shell = types.SimpleNamespace(tmpdir=None)
    connection = types.SimpleNamespace(has_native_async=False, _shell=shell, set_option=options.__setitem__)
    task = types.SimpleNamespace(get_path=str, args=args, async_val=async_val, check_mode=False, diff=False, action="x")
    return Action(task, connection, None, None, None, None).run(task_vars={}), options


def test_a_task_without_secrets_is_unchanged() -> None:
    result, options = send({"private_keys": {}}, can_pipe=False)
    assert (result["sent"], options) == (True, {})


def test_secrets_are_always_piped() -> None:
    result, options = send({"private_keys": {"shop": "key"}})
    assert (result["sent"], options) == (True, {"pipelining": True})


def test_secrets_that_cannot_be_piped_are_not_sent() -> None:
    result, _options = send({"private_keys": {"shop": "key"}}, can_pipe=False)
    assert "sent" not in result
    assert result["failed"] is True
    assert result["msg"].startswith("private_keys would have to be written to a file on the controller")


def test_async_is_refused_because_its_result_is_not_validated() -> None:
    with pytest.raises(AnsibleError, match="async"):
        send({}, async_val=30)


@pytest.mark.parametrize("no_log", [True, False])
def test_a_result_with_secrets_needs_no_log(no_log: bool) -> None:
    class Action(ControllerAction):
        task = _task.Task({}, lambda context: {"key": "secret"}, secret_result=True)

    task = types.SimpleNamespace(
        get_path=str, args={}, async_val=0, check_mode=False, diff=False, action="x", no_log=no_log
    )
    connection = types.SimpleNamespace(has_native_async=False, _shell=types.SimpleNamespace(tmpdir=None))
    result = Action(task, connection, None, None, None, None).run(task_vars={"inventory_hostname": "web1"})
    assert ("key" in result) is no_log
    assert ("no_log" in result.get("msg", "")) is not no_log
