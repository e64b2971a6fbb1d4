# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The adapter that runs a task on the controller, so that the host receives neither a module nor a secret.

The adapter for ordinary modules is `run_module` in `module_utils/_core/task.py`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.loader import action_loader, connection_loader

from ...module_utils._core import deadline, libraries
from ...module_utils._core import task as _task
from ...module_utils._core.errors import GogetsslError, input_error
from ...module_utils._core.shell import CommandResult
from .. import _play
from .base import Sender, failure, masked, secret_options, secret_variables, validate, validation_failure

MODULE_SECONDS = 120.0  # for a module of another collection
_NO_DEBUG = "ANSIBLE_DEBUG prints all that hosts answer, no_log or not, and this task reads private keys: unset it."
_NO_ASYNC = (
    "async would send the module with its secrets to the host, and would not validate the host's answer. Add"
    " delegate_to: localhost, or omit async."
)


class ControllerAction(Sender):
    """Runs `task`, which a subclass in an action file sets."""

    task: _task.Task
    _requires_connection = True  # False in the action files of tasks that do not use the host
    _supports_async = True  # by sending the module, on the controller only
    _secret_values: t.Collection[str] = ()  # of the options

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action. Ansible calls this method."""
        self.secrets = secret_options(self.task)
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if self._task.async_val:
            if self._connection.transport != "local":
                raise AnsibleActionFail(_NO_ASYNC)
            self.inherited = secret_variables(self.task)
            result.update(self._send(task_vars))
            return result
        validated = validate(self.task, self._task.args)
        warnings = [f"Both option {one['option']} and its alias {one['alias']} are set." for one in validated._warnings]
        self._secret_values = validated._no_log_values
        host = str((task_vars or {}).get("inventory_hostname", ""))
        invalid = validation_failure(self._task.action, validated)
        shared = functools.partial(_play.shared, constants.DEFAULT_LOCAL_TMP, self._task, task_vars or {})
        outcome = invalid or self._outcome(validated.validated_parameters, warnings, host, shared, task_vars)
        result.update(outcome)
        if warnings:
            result["warnings"] = warnings
        if validated._deprecations:
            result["deprecations"] = validated._deprecations
        if not self._task.diff:
            result.pop("diff", None)
        return t.cast("dict[str, t.Any]", masked(result, self._secret_values))

    def _outcome(
        self,
        params: _task.Params,
        warnings: list[str],
        host: str,
        shared: t.Callable[[], t.Any],
        task_vars: dict[str, t.Any] | None,
    ) -> dict[str, t.Any]:
        """The result of the task with these options."""
        if self._task.check_mode and not self.task.check_mode:
            return {"skipped": True, "msg": f"{self._task.action} does not support check mode"}
        for library in _task.missing_libraries(self.task):
            return failure(libraries.missing(library), failure=libraries.FAILURE)
        if self.task.secret_result and not self._task.no_log:
            return failure(_task.NEEDS_NO_LOG)
        if self.task.secret_result and constants.DEFAULT_DEBUG:
            return failure(_NO_DEBUG)
        context = self._context(params, warnings, host, shared, task_vars)
        try:
            return {"changed": False, **self.task.run(context)}
        except GogetsslError as error:
            return failure(error.message, failure=error.kind.value)
        except AnsibleError:  # such as an unreachable host; Ansible handles it
            raise
        except Exception as error:  # pylint: disable=broad-exception-caught
            return failure(_task.unexpected(error))

    def _context(
        self,
        params: _task.Params,
        warnings: list[str],
        host: str,
        shared: t.Callable[[], t.Any],
        task_vars: dict[str, t.Any] | None,
    ) -> _task.Context:
        """Everything that the task may use."""
        return _task.Context(
            params,
            bool(self._task.check_mode),
            self._shell,
            _task.opener(self.task, params, constants.DEFAULT_LOCAL_TMP),
            warnings.append,
            host=host,
            run_directory=constants.DEFAULT_LOCAL_TMP,  # created by Ansible for each run, shared by its forks
            state_directory=os.path.join(constants.ANSIBLE_HOME, "gogetssl"),
            shared=shared,
            module=lambda name, options: self._module(name, options, task_vars),
            publish=lambda name, options: self._publish(name, options, task_vars or {}),
            variable=lambda name: self._variable(name, task_vars or {}),
            show=self._display.display,
        )

    def _module(self, name: str, options: _task.Params, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """Run a module of another collection. Any option may be secret, so none is printed or written to a file."""
        with contextlib.suppress(KeyError, AttributeError):
            self._connection.set_option("pipelining", True)
        self._withheld, self._withheld_from = options, name
        try:
            with deadline.interrupted(MODULE_SECONDS):
                answer: dict[str, t.Any] = self._execute_module(module_name=name, module_args={}, task_vars=task_vars)
        except deadline.Expired:
            return failure(f"no answer within {MODULE_SECONDS:g} seconds")
        # Here, because a message is shortened before it is returned, and a part of a secret would not be found.
        return masked(answer, self._secret_values) if answer.get("failed") else answer

    def _publish(self, name: str, options: _task.Params, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run another action of this collection on the controller, without the connection and become of this task."""
        connection = connection_loader.get("ansible.builtin.local", self._play_context)
        task = self._task.copy()
        task.action, task.args, task.delegate_to = f"certops.gogetssl.{name}", dict(options), None
        action = action_loader.get(
            task.action,
            task=task,
            connection=connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        here = {"ansible_python_interpreter": self._interpreter(task_vars)}
        try:
            answer: dict[str, t.Any] = action.run(task_vars={**task_vars, **here})
        except AnsibleError as error:
            return failure(str(error))
        finally:
            action.cleanup()
        return answer

    @staticmethod
    def _interpreter(task_vars: t.Mapping[str, t.Any]) -> str:
        """The Python of the controller: that of `localhost`, or the one that runs Ansible."""
        try:
            return str(task_vars["hostvars"]["localhost"]["ansible_python_interpreter"])
        except (KeyError, TypeError, AnsibleError):
            return sys.executable

    def _variable(self, name: str, task_vars: t.Mapping[str, t.Any]) -> t.Any:
        """The value of a variable. It is read here, because the options of a task are more widely visible."""
        try:
            return _plain(self._templar.template(task_vars.get(name, "")))
        except AnsibleError as error:
            raise input_error(f"{name} cannot be evaluated: {error}") from None

    def _shell(self, script: str) -> CommandResult:
        """Run a script on the host, with the privileges of the task."""
        # A final line end would separate the `&& sleep 0` that Ansible appends.
        answer = self._low_level_execute_command(script.rstrip(), sudoable=True)
        return CommandResult(answer["rc"], answer["stdout"], answer["stderr"])


def _plain(value: t.Any) -> t.Any:
    """A value without encrypted texts, which ansible-core before 2.19 does not decrypt in lists and dictionaries."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)
