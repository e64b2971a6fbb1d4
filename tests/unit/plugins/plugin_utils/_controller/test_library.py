# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of gogetssl_library: when it runs a package manager, which one, and for how long."""

from __future__ import annotations

import types
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.action import gogetssl_library
from ansible_collections.certops.gogetssl.plugins.action.gogetssl_library import INSTALL_SECONDS, ActionModule
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import base

FOUND = {"changed": False, "packages": ["python3-cryptography", "openssl"], "manager": "ansible.builtin.apt"}


def run(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], installed: dict[str, Any], present: bool = True, **args: Any
) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    """The result, and the modules sent, with their options and limits in seconds."""
    sent: list[tuple[Any, ...]] = []

    def execute(self: Any, module_args: dict[str, Any], module_name: str = "", **_setup: Any) -> dict[str, Any]:
        sent.append((module_name, module_args, self._seconds()))
        return dict(installed if module_name else found)

    monkeypatch.setattr(ActionModule, "_execute_module", execute)
    monkeypatch.setattr(ActionModule, "_remove_tmp_path", lambda *_arguments: None)
    monkeypatch.setattr(gogetssl_library, "module_loader", types.SimpleNamespace(has_plugin=lambda _name: present))
    connection = types.SimpleNamespace(has_native_async=False, _shell=types.SimpleNamespace(tmpdir=None))
    task = types.SimpleNamespace(get_path=str, args=args, async_val=0, check_mode=False, diff=False, action="x")
    action = ActionModule(task, connection, None, None, None, None)
    return action.run(task_vars={}), sent


def test_a_host_with_the_library_is_visited_once(monkeypatch: pytest.MonkeyPatch) -> None:
    result, sent = run(monkeypatch, {**FOUND, "packages": [], "manager": ""}, {})
    assert (result["changed"], len(sent)) == (False, 1)


def test_the_package_manager_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    result, [look, installation] = run(monkeypatch, FOUND, {"changed": True})
    assert (result["changed"], result["packages"]) == (True, FOUND["packages"])
    options = {"name": FOUND["packages"], "state": "present"}
    assert look[2] == base.HOST_SECONDS
    assert installation == ("ansible.builtin.apt", options, INSTALL_SECONDS)


@pytest.mark.parametrize("name", ["ansible.builtin.shell", "manager", ""])
def test_a_host_cannot_choose_another_module(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    result, sent = run(monkeypatch, {**FOUND, "manager": name}, {})
    assert (result["failed"], len(sent)) == (True, 1)


def test_the_module_that_the_operator_names(monkeypatch: pytest.MonkeyPatch) -> None:
    _result, sent = run(monkeypatch, {**FOUND, "manager": "manager"}, {"changed": True}, use="manager")
    assert sent[1][0] == "manager"


def test_a_missing_collection_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    result, sent = run(monkeypatch, {**FOUND, "manager": "community.general.apk"}, {}, present=False)
    assert (result["failed"], len(sent)) == (True, 1)
    assert result["msg"] == "The module community.general.apk is not on the controller. Install its collection."


def test_a_failed_installation_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _sent = run(monkeypatch, FOUND, {"failed": True, "msg": "no\nmirror", "ansible_stats": {}})
    assert result["msg"] == "ansible.builtin.apt could not install python3-cryptography, openssl: no mirror"
    assert "ansible_stats" not in result
