# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of gogetssl_deploy: when the host is visited, what it is sent, and how long it may take."""

from __future__ import annotations

import types
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.action.gogetssl_deploy import ActionModule
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import answers, base

SHOP = {"name": "shop", "names": ["shop.example.com"], "product": "68"}
ISSUED = {"name": "shop", "certificate": "PEM", "issued": True, "step": "buy"}
SENT: dict[str, Any] = {"sent": True}


def run(monkeypatch: pytest.MonkeyPatch, **args: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result, and what was sent."""
    sent: dict[str, Any] = {}

    def execute(_self: Any, module_args: dict[str, Any], **_setup: Any) -> dict[str, Any]:
        sent.update(module_args)
        return dict(SENT)

    monkeypatch.setattr(ActionModule, "_execute_module", execute)
    monkeypatch.setattr(ActionModule, "_remove_tmp_path", lambda *_arguments: None)
    monkeypatch.setattr(ActionModule, "_is_pipelining_enabled", lambda *_arguments: True)
    shell = types.SimpleNamespace(tmpdir=None)
    connection = types.SimpleNamespace(has_native_async=False, _shell=shell, set_option=lambda *_arguments: None)
    given = {"certificates": [SHOP], **args}
    task = types.SimpleNamespace(get_path=str, args=given, async_val=0, check_mode=False, diff=False, action="x")
    action = ActionModule(task, connection, None, None, None, None)
    return action.run(task_vars={}), sent


@pytest.mark.parametrize("deliveries", [[], [{**ISSUED, "issued": False}], [{**ISSUED, "step": "keep"}]])
def test_a_host_without_work_is_not_visited(monkeypatch: pytest.MonkeyPatch, deliveries: list[Any]) -> None:
    result, sent = run(monkeypatch, deliveries=deliveries)
    assert (sent, result["changed"], result["hook"], result["stopped"]) == ({}, False, "", [])
    assert not answers.checked("gogetssl_deploy", result, ["shop"]).get("failed")


def test_results_of_an_earlier_task_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = [{"name": "shop", "reason": "why"}]
    earlier = {"changed": True, "hook": "", "stopped": stopped, "progress": "{}", "haproxy": {"pid": 7}, "diff": []}
    result, sent = run(monkeypatch, earlier=earlier)
    assert (sent, result["changed"], result["stopped"], result["progress"]) == ({}, False, stopped, "{}")
    assert result["haproxy"] == {"pid": 7}


@pytest.mark.parametrize(
    "given",
    [
        {"deliveries": [ISSUED]},
        {"complete": ["shop"]},
        {"dcv_files": [{"file_name": "a.txt"}]},
        {"earlier": {"hook": "exim", "progress": "{}"}, "hooks": ["exim"]},
    ],
)
def test_a_host_with_work_gets_the_progress_and_no_secret_as_option(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    earlier = {"stopped": [], "certificates": [], **given.get("earlier", {})}
    result, sent = run(monkeypatch, **{**given, "earlier": earlier}, store_password="s", private_keys={"shop": "KEY"})
    assert result["sent"]
    assert sent["earlier"] == {"progress": earlier.get("progress", "")}
    assert not {"store_password", "private_keys"} & set(sent)


@pytest.mark.parametrize("earlier", [False, True])
def test_dcv_files_that_an_earlier_task_left_are_reported(monkeypatch: pytest.MonkeyPatch, earlier: bool) -> None:
    given = {"hook": "exim", "progress": "{}", "dcv_files_left": earlier}
    result, _sent = run(monkeypatch, earlier=given, hooks=["exim"])
    assert result["dcv_files_left"] is earlier


def test_a_host_cannot_request_task_files_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    result: dict[str, Any] = {}
    for calls in range(100):
        monkeypatch.setitem(SENT, "__gogetssl_hook_calls", 0)  # by the host
        earlier = {**result, "hook": "exim", "progress": "{}"}
        result, _sent = run(monkeypatch, earlier=earlier, hooks=["exim", "custom"])
        if result.get("failed"):
            assert calls == 8
            assert result["msg"].startswith("The host requests task files of services again and again")
            return
    pytest.fail("it was not stopped")


def test_the_host_may_take_as_long_as_its_services_and_listeners() -> None:
    task = types.SimpleNamespace(get_path=str, args={"services": {"nginx": {}, "tomcat": {}}, "service_timeout": 60})
    seconds = ActionModule(task, None, None, None, None, None)._seconds()
    assert seconds == base.HOST_SECONDS + 6 * 2 * 65 + 2 * 61 * 71
