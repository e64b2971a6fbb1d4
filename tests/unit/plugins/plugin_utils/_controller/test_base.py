# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets leave the options of a finished task, children do not inherit them, and facts of hosts are refused."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import types
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.certops.gogetssl.plugins.module_utils import _tasks
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult, output
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import base


class Action(base.Sender):
    secrets = ("password",)


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> Action:
    monkeypatch.setattr(ActionBase, "cleanup", lambda self, force: None)
    task = types.SimpleNamespace(
        get_path=str, args={"password": "secret", "name": "shop"}, async_val=0, check_mode=False, diff=False
    )
    connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir=None))
    return Action(task, connection, None, None, None, None)


def test_secrets_leave_the_options_after_each_attempt(action: Action) -> None:
    for _attempt in range(2):
        action.run(task_vars={})
        assert action._task.args == {"password": "secret", "name": "shop"}
        action.cleanup()
        assert action._task.args == {"password": base.MASK, "name": "shop"}


def test_children_do_not_inherit_secrets(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    inherited: dict[str, str] = {}

    def execute(*_args: Any, **_options: Any) -> dict[str, Any]:
        inherited.update(os.environ)
        return {}

    monkeypatch.setattr(ActionBase, "_low_level_execute_command", execute)
    for name in base.SECRET_VARIABLES:
        monkeypatch.setenv(name, "secret")
    action.inherited = ["GOGETSSL_TSIG_SECRET"]
    action._low_level_execute_command("true")
    assert base.SECRET_VARIABLES & inherited.keys() == {"GOGETSSL_TSIG_SECRET"}
    assert os.environ.keys() >= base.SECRET_VARIABLES


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_without_an_end_is_not_read(action: Action, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    """It is a failure of a command, and the result of a module."""
    monkeypatch.setattr(base, "MOST_BYTES", 1 << 20)
    given = {"rc": 0, "stdout": "{}", "stderr": ""}
    monkeypatch.setattr(ActionBase, "_low_level_execute_command", lambda *_args, **_options: dict(given))
    assert action._low_level_execute_command("true") == given
    given[stream] = " " * (1 << 20) + "{}"
    answer = action._low_level_execute_command("true")
    with pytest.raises(GogetsslError, match=r"failed on the host: the host's answer is larger than 1 MiB\."):
        output(CommandResult(answer["rc"], answer["stdout"], answer["stderr"]), "Reading")
    assert json.loads(answer["stdout"])["failed"] is True
    assert len(json.dumps(answer)) < 1000


EVIL = "\x1b]0;x\x07\u202e"
HOSTILE = {
    **{"_ansible_item_label": EVIL, "_ansible_no_log": False, "add_host": {"host_name": EVIL}, "add_group": EVIL},
    **{"ansible_stats": {"data": {"x": EVIL}}, "deprecations": [{"msg": EVIL, "version": []}]},
    **{"ansible_facts": [EVIL], "stdout": [EVIL], "stderr": {EVIL: 1}, "changed": True},
}


@pytest.mark.parametrize(
    ("stdout", "parsed"),
    [
        (json.dumps(HOSTILE), '{"changed": true}'),
        (json.dumps({"changed": True}) + f"\n{EVIL}\n", '{"changed": true}'),
        (f"{EVIL}\n" + json.dumps({"changed": True}), '{"changed": true}'),
        (f"{{{EVIL}\n" + json.dumps(HOSTILE), None),
        ('{"a":' * 100_000, None),
        (EVIL, "\\x1b]0;x\\x07\\u202e"),
    ],
)
def test_ansible_prints_nothing_of_a_hostile_answer(
    action: Action, monkeypatch: pytest.MonkeyPatch, stdout: str, parsed: str | None
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(ActionBase, "_parse_returned_data", lambda _self, res, *_more: given.update(res))
    action._parse_returned_data({"stdout": stdout, "stderr": EVIL, "rc": 1}, "legacy")
    assert given["stderr"] == "\\x1b]0;x\\x07\\u202e"
    assert given["stdout"].replace("\n", "").isprintable()
    assert parsed in (None, given["stdout"])


def test_an_answer_that_ansible_cannot_read_is_a_failure(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception would end the run of the host whose task it is, such as one whose files a web host serves.

    The failure has the type of the results of this ansible-core.
    """
    parse = ActionBase._parse_returned_data

    def parse_or_fail(self: Action, res: dict[str, Any], *more: Any) -> Any:
        if "odd" in res["stdout"]:
            raise TypeError(EVIL)
        return parse(self, res, *more)

    monkeypatch.setattr(ActionBase, "_parse_returned_data", parse_or_fail)
    more = ["legacy"][: len(inspect.signature(parse).parameters) - 2]  # ansible-core 2.16 to 2.18 have no profiles
    failed, parsed = (action._parse_returned_data({"stdout": f'{{"msg": "{msg}"}}'}, *more) for msg in ("odd", "x"))
    assert type(failed) is type(parsed)
    result = failed if isinstance(failed, dict) else failed.as_result_dict()
    assert result["msg"] == "The host's answer cannot be used: Ansible cannot read it (TypeError)."
    assert result["failed"] is True


def test_facts_in_the_names_of_variables_are_refused(action: Action) -> None:
    facts = {"gogetssl_api_url": "https://evil.example.org", "os_family": "Debian"}
    with pytest.raises(AnsibleActionFail, match="gogetssl_api_url"):
        action.run(task_vars={"inventory_hostname": "web1", "ansible_facts": facts})


@pytest.mark.parametrize("name", ["gogetssl_spend", "__gogetssl_variables"])
def test_facts_of_a_result_in_the_names_of_variables_are_refused(
    action: Action, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(ActionBase, "_execute_module", lambda *_a, **_o: {"ansible_facts": {name: ["buy"]}})
    with pytest.raises(AnsibleActionFail, match=name):
        action._execute_module(module_name="other")


def test_facts_of_a_result_are_removed_except_the_interpreter(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"discovered_interpreter_python": "/usr/bin/python3", "company": "evil"}
    monkeypatch.setattr(ActionBase, "_execute_module", lambda *_a, **_o: {"failed": True, "ansible_facts": facts})
    action._discovered_interpreter_key = "discovered_interpreter_python"
    result = action._execute_module(module_name="gogetssl_csr")
    assert result["ansible_facts"] == {"discovered_interpreter_python": "/usr/bin/python3"}
    action._discovered_interpreter_key = None
    facts["company"] = "evil"
    assert "ansible_facts" not in action._execute_module(module_name="gogetssl_csr")


def test_the_variables_of_all_secret_options_are_known() -> None:
    names = [module.name for module in pkgutil.iter_modules(_tasks.__path__)]
    tasks = [importlib.import_module(f"{_tasks.__name__}.{name}").TASK for name in names]
    variables = set().union(*map(base.secret_variables, tasks))
    # The role itself reads the variable of the keystore password.
    assert variables | {"GOGETSSL_STORE_PASSWORD"} == base.SECRET_VARIABLES


def test_secrets_are_masked_in_every_part_of_a_result() -> None:
    result = {"msg": "user s3cret-longer s3cret", "list": ["s3cret", ("a", True, None)], "n": {"x": 17, "y": 1.5}}
    masked = base.masked(result, {"s3cret", "s3cret-longer", "17"})
    mask = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert masked == {"msg": f"user {'*' * 8} {'*' * 8}", "list": [mask, ["a", True, None]], "n": {"x": mask, "y": 1.5}}
