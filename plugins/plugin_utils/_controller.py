# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The adapter that runs a task inside the controller: no module is sent, no Python is started, no secret leaves.

Beside it stands the one that sends a module with secrets to its host. The only file that knows `ActionBase`. The twin
for ordinary modules is `run_module` in `module_utils/_task.py`.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import functools
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase

from ..module_utils import _api_task, _client, _keys_from_afar, _task
from ..module_utils._api_options import API_SPEC
from ..module_utils._errors import GogetsslError, input_error
from ..module_utils._shell import CommandResult
from . import _play


class _Sender(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Sends a module with options that nobody is to see: Ansible's debugging prints the others, no_log or not."""

    _withheld: t.Mapping[str, t.Any] = {}
    _withheld_from = ""  # a module of another name than the action's, which is sent

    def _send(self, task_vars: dict[str, t.Any] | None, secrets: t.Collection[str]) -> dict[str, t.Any]:
        """The module of the action's name, with all options of the task; in the background if the task is to be."""
        args = self._task.args
        self._withheld = {name: args[name] for name in secrets if name in args}
        shown = {name: value for name, value in args.items() if name not in secrets}
        wrap = bool(self._task.async_val) and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(module_args=shown, task_vars=task_vars, wrap_async=wrap)
        return result

    def _configure_module(self, module_name: str, module_args: dict[str, t.Any], task_vars: t.Any) -> t.Any:
        """Ansible's, which packs the module up: the last moment to add options, and one after which none is printed."""
        if module_name in (self._task.action, self._withheld_from):
            module_args = {**module_args, **self._withheld}
        return super()._configure_module(module_name=module_name, module_args=module_args, task_vars=task_vars)


class ControllerAction(_Sender):
    """Runs `task`; an action file is a subclass that names it."""

    task: _task.Task
    _requires_connection = True  # False in the action files of tasks that do not use the host
    _supports_async = True  # by the real module, which is sent to the host like any other

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """What Ansible calls."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if self._task.async_val:
            secrets = [name for name, option in self.task.argument_spec.items() if option.get("no_log")]
            result.update(self._send(task_vars, secrets))
            return result
        validated = _validated(self.task, self._task.args)
        warnings = [f"Both option {one['option']} and its alias {one['alias']} are set." for one in validated._warnings]
        host = str((task_vars or {}).get("inventory_hostname", ""))
        failure = _validation_failure(self._task.action, validated)
        board = functools.partial(_play.board, constants.DEFAULT_LOCAL_TMP, self._task, task_vars or {})
        outcome = failure or self._outcome(validated.validated_parameters, warnings, host, board, task_vars)
        result.update(outcome)
        if warnings:
            result["warnings"] = warnings
        if validated._deprecations:
            result["deprecations"] = validated._deprecations
        if not self._task.diff:
            result.pop("diff", None)
        scrubbed: dict[str, t.Any] = remove_values(result, validated._no_log_values)
        return scrubbed

    def _outcome(
        self,
        params: _task.Params,
        warnings: list[str],
        host: str,
        board: t.Callable[[], t.Any],
        task_vars: dict[str, t.Any] | None,
    ) -> dict[str, t.Any]:
        """The result of the task with these options."""
        check_mode = bool(self._task.check_mode)
        if check_mode and not self.task.check_mode:
            return {"skipped": True, "msg": f"{self._task.action} does not support check mode"}
        for library in _task.missing_libraries(self.task):
            return _failure(missing_required_lib(library.name))
        if self.task.secret_result and not self._task.no_log:
            return _failure(_task.NEEDS_NO_LOG)
        if self.task.secret_result and constants.DEFAULT_DEBUG:
            return _failure(_NO_DEBUG)
        context = _task.Context(
            params,
            check_mode,
            self._shell,
            _task.opener(self.task, params),
            warnings.append,
            host=host,
            run_directory=constants.DEFAULT_LOCAL_TMP,  # made by Ansible for each run, inherited by its forks
            board=board,
            module=lambda name, options: self._module(name, options, task_vars),
        )
        try:
            return {"changed": False, **self.task.run(context)}
        except GogetsslError as error:
            return _failure(error.message, failure=error.kind.value)
        except AnsibleError:  # an unreachable host, a missing become password: Ansible's own business
            raise
        except Exception as error:  # pylint: disable=broad-exception-caught
            return _failure(_task.unexpected(error))

    def _module(self, name: str, options: _task.Params, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """A module of another collection. Any option may be a secret: none is printed, and no file holds them."""
        with contextlib.suppress(KeyError, AttributeError):
            self._connection.set_option("pipelining", True)
        self._withheld, self._withheld_from = options, name
        answer: dict[str, t.Any] = self._execute_module(module_name=name, module_args={}, task_vars=task_vars)
        return answer

    def _shell(self, script: str) -> CommandResult:
        """A script on the host, with the privileges of the task."""
        # Ansible appends `&& sleep 0`, which a final line end would tear off.
        answer = self._low_level_execute_command(script.rstrip(), sudoable=True)
        return CommandResult(answer["rc"], answer["stdout"], answer["stderr"])


class HostAction(_Sender):
    """Sends the module of its name to the host, as Ansible does by itself, but some secrets only through a pipe.

    A module is otherwise written to a temporary file, on the controller and on the host, and its options with it.
    """

    secrets: tuple[str, ...] = ()  # options that nobody is to see
    piped: tuple[str, ...] = ()  # those of them that no file may hold either
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """What Ansible calls."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        given = [option for option in self.piped if self._task.args.get(option)]
        if given:
            with contextlib.suppress(KeyError, AttributeError):
                self._connection.set_option("pipelining", True)
            if self._task.async_val or not self._is_pipelining_enabled("new"):
                return {**result, **_failure(_NO_PIPE.format(option=given[0]))}
        result.update(self._send(task_vars, self.secrets))
        if not self._task.async_val:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result


_NO_DEBUG = "ANSIBLE_DEBUG prints all that hosts answer, no_log or not, and this task reads private keys: unset it."
_NO_PIPE = (
    "{option} would have to be written to a file on the controller, because nothing can be piped to this host: use a"
    " connection that supports pipelining, become by sudo rather than su, no async, and no ANSIBLE_KEEP_REMOTE_FILES."
)


class KeyBringer(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Sends gogetssl_csr to the host like any module and, if wished, the keys that GoGetSSL makes after it.

    They travel on the standard input of a shell: no file, no option and no log holds them on the way.
    """

    task: _task.Task
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """What Ansible calls."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        # How to reach the API is no business of the host's.
        args = {name: value for name, value in self._task.args.items() if name not in API_SPEC}
        if args.get("generator", "local") == "local":
            wrap = bool(self._task.async_val) and not self._connection.has_native_async
            result.update(self._execute_module(module_args=args, task_vars=task_vars, wrap_async=wrap))
            return result
        try:
            result.update(self._with_keys(args, task_vars))
        except GogetsslError as error:
            result.update(_failure(error.message, failure=error.kind.value))
        return result

    def _with_keys(self, args: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """The module's own result, after the keys it lacks have been fetched and sent."""
        validated = _validated(self.task, self._task.args)
        failure = _validation_failure(self._task.action, validated)
        if failure:
            return failure
        if not _client.REQUESTS.present:
            return _failure(missing_required_lib("requests"))
        params = validated.validated_parameters
        if self._task.async_val:
            raise input_error("generator=gogetssl does not go with async.")
        _keys_from_afar.check(params)
        if not self._connection.has_pipelining:
            raise input_error(_keys_from_afar.NO_STDIN)
        first: dict[str, t.Any] = self._execute_module(module_args=args, task_vars=task_vars)
        lacking = first.get(_keys_from_afar.LACKING)
        if first.get("failed") or self._task.check_mode or not lacking:
            return {name: value for name, value in first.items() if name != _keys_from_afar.LACKING}
        _keys_from_afar.bring(_api_task.open_api(params).generate_key, params, lacking, self._pipe)
        second: dict[str, t.Any] = self._execute_module(module_args=args, task_vars=task_vars)
        if not second.get("failed"):
            second = _keys_from_afar.merged(first, second)
        second.pop(_keys_from_afar.LACKING, None)
        warnings = [_keys_from_afar.WARNING.format(name=name) for name in lacking]
        return {**second, "warnings": [*second.get("warnings", []), *warnings]}

    def _pipe(self, script: str, data: bytes) -> CommandResult:
        answer = self._low_level_execute_command(script, sudoable=True, in_data=data)
        return CommandResult(answer["rc"], answer["stdout"], answer["stderr"])


def _validated(task: _task.Task, args: t.Mapping[str, t.Any]) -> ValidationResult:
    rules = {"argument_spec": _task.ansible_spec(task.argument_spec), **task.rules}
    return ArgumentSpecValidator(**rules).validate(dict(args))


def _validation_failure(action: str, validated: ValidationResult) -> dict[str, t.Any] | None:
    """The result for options that do not fit, worded as `AnsibleModule` would."""
    if not validated.error_messages:
        return None
    for error in validated.errors.errors:
        if isinstance(error, UnsupportedError):  # first, as a misspelt option is also a missing one
            return _failure(f"Unsupported parameters for ({action}) module: {error}")
    return _failure(validated.errors.msg)


def _failure(message: str, **more: t.Any) -> dict[str, t.Any]:
    return {"failed": True, "changed": False, "msg": message, **more}
