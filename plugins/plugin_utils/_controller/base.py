# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the adapters: sending modules without printing secrets, validation of options, failure results.

This is the only file that imports `ActionBase`.
"""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase

from ...module_utils._core import deadline
from ...module_utils._core import task as _task
from ...module_utils._core.shell import MOST_BYTES
from ...module_utils._core.text import escaped_lines, printable
from ...module_utils._request import input_problems, texts, validator_messages
from .. import _facts, _variables
from . import answers, children, parent

# Environment variables with secrets. Child processes inherit only those that a sent module reads itself.
SECRET_VARIABLES = frozenset(
    f"GOGETSSL_{name}"
    for name in ("API_PASSWORD", "API_KEY", "API_URL", "STORE_PASSWORD", "TSIG_SECRET", "POWERDNS_KEY")
)
HOST_SECONDS = 600.0  # for one command or module on a host, unless the task keyword `timeout` sets another limit
_BARE = {"certificates": {"type": "list", "elements": "raw"}}  # options of tasks that only the host knows
MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"  # the mask of Ansible


class Sender(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Sends a module and withholds its secret options, because Ansible's debug output ignores no_log."""

    task: _task.Task | None = None  # set if the options are converted here
    secrets: t.Collection[str] = ()  # options that must not be printed
    inherited: t.Collection[str] = ()  # secret environment variables that the sent module reads
    _withheld: t.Mapping[str, t.Any] = {}
    _withheld_from = ""  # the sent module, if its name differs from the action's
    _given: dict[str, t.Any] | None = None

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Refuse variables that may come from a host or are misspelt, and texts that YAML misreads."""
        parent.end_with_it()
        if self._given is not None:  # a retry, after `cleanup`
            self._task.args = self._given
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        spec = self.task.argument_spec if self.task else _BARE
        self._task.args = args = texts.given(self._task.args, spec)
        refusal = (
            _facts.refusal(variables)
            or _variables.refusal(self._task, variables, self._rendered)
            or input_problems.first_problem(args, spec, _variables.prefix(self._task))
        )
        if refusal:
            secrets = secret_options(self.task) if self.task else []
            raise AnsibleActionFail(masked(refusal, {str(args[name]) for name in secrets if args.get(name)}))
        return result

    def _rendered(self, text: t.Any) -> t.Any:
        return self._templar.template(text)

    def cleanup(self, force: bool = False) -> None:
        """Mask the secrets after each attempt, because callbacks and rescue blocks receive the options of the task."""
        super().cleanup(force)
        self._given = self._task.args
        masked = {name: MASK for name in self.secrets if self._given.get(name)}
        self._task.args = {**self._given, **masked}

    def _low_level_execute_command(self, *args: t.Any, **options: t.Any) -> dict[str, t.Any]:
        with self._limited(), _hidden(SECRET_VARIABLES.difference(self.inherited)):
            result: dict[str, t.Any] = super()._low_level_execute_command(*args, **options)
        if max(len(str(result.get(name) or "")) for name in ("stdout", "stderr")) <= MOST_BYTES:
            return result
        problem = f"the host's answer is larger than {MOST_BYTES >> 20} MiB."
        return {"rc": 1, "stdout": json.dumps(failure(f"Stopped: {problem}")), "stderr": problem}

    def _execute_module(self, *args: t.Any, **options: t.Any) -> dict[str, t.Any]:
        """Run the module and remove the host's facts from its result, except the discovered interpreter."""
        module = options.get("module_name") or str(self._task.action)
        with self._limited():
            result = answers.checked(module, super()._execute_module(*args, **options), self._requested())
        facts = result.pop("ansible_facts", None)
        facts = facts if isinstance(facts, dict) else {}
        hostile = sorted(name for name in facts if str(name).startswith(_facts.PREFIXES))
        if hostile:
            names = printable(", ".join(hostile))
            raise AnsibleActionFail(f"The host returned facts in the names of variables: {names}.")
        key = getattr(self, "_discovered_interpreter_key", None)
        if key in facts:
            result["ansible_facts"] = {key: facts[key]}
        return result

    def _parse_returned_data(self, res: dict[str, t.Any], *more: t.Any) -> t.Any:
        """Parse the output of a module. Ansible prints parts of it unescaped, and fails at parts of other types."""
        stdout, stderr = (str(res.get(name) or "") for name in ("stdout", "stderr"))
        cleaned = {**res, "stdout": answers.cleaned_output(stdout), "stderr": escaped_lines(stderr)}
        try:
            return super()._parse_returned_data(cleaned, *more)
        except Exception as error:  # pylint: disable=broad-exception-caught  # it would end the run of the task's host
            unreadable = failure(f"The host's answer cannot be used: Ansible cannot read it ({type(error).__name__}).")
            # Parsed, too, because the type of a parsed result differs between the releases of ansible-core.
            return super()._parse_returned_data({**cleaned, "stdout": json.dumps(unreadable)}, *more)

    def _requested(self) -> list[t.Any]:
        """The names of the certificates in the options of the task."""
        return [one.get("name") for one in self._task.args.get("certificates") or () if isinstance(one, dict)]

    @contextlib.contextmanager
    def _limited(self) -> t.Iterator[None]:
        """Limit the time of an operation on a host. A host that does not respond in time is unreachable."""
        parent.check()
        seconds = self._seconds()
        try:
            with children.ended_after_failure(), deadline.interrupted(seconds):
                yield
        except deadline.Expired:
            raise AnsibleConnectionFailure(
                f"The host did not answer within {seconds:g} seconds. Check the host, or set timeout for the task."
            ) from None

    def _seconds(self) -> float:
        """The longest time of an operation on a host."""
        return HOST_SECONDS

    def _send(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """Send the module with the name of the action and all options of the task, also for async tasks."""
        args = self._task.args
        self._withheld = {name: args[name] for name in self.secrets if name in args}
        shown = {name: value for name, value in args.items() if name not in self.secrets}
        wrap = bool(self._task.async_val) and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(module_args=shown, task_vars=task_vars, wrap_async=wrap)
        return result

    def _configure_module(self, module_name: str, module_args: dict[str, t.Any], task_vars: t.Any) -> t.Any:
        """Add the withheld options when Ansible packs the module, because it prints no options after this step."""
        if module_name in (self._task.action, self._withheld_from):
            module_args = {**module_args, **self._withheld}
        return super()._configure_module(module_name=module_name, module_args=module_args, task_vars=task_vars)


@contextlib.contextmanager
def _hidden(names: t.Iterable[str]) -> t.Iterator[None]:
    """Unset environment variables temporarily. Other tasks are not affected, because each has its own process."""
    values = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(values)


def secret_options(task: _task.Task) -> list[str]:
    """The options to withhold. The address of the API may include a user and a password of a gateway."""
    return [name for name, option in task.argument_spec.items() if option.get("no_log") or name == "api_url"]


def secret_variables(task: _task.Task) -> set[str]:
    """The environment variables of the task's secret options."""
    fallbacks = (task.argument_spec[name].get("fallback", (None, ())) for name in secret_options(task))
    return {variable for fallback in fallbacks for variable in fallback[1]}


def validate(task: _task.Task, args: t.Mapping[str, t.Any]) -> ValidationResult:
    rules = {"argument_spec": task.argument_spec, **task.rules}
    return ArgumentSpecValidator(**rules).validate(dict(args))


def validation_failure(action: str, validated: ValidationResult) -> dict[str, t.Any] | None:
    """The failure for invalid options, with the message of `AnsibleModule`."""
    if not validated.error_messages:
        return None
    for error in validated.errors.errors:
        if isinstance(error, UnsupportedError):  # first, because a misspelt option is also a missing one
            return failure(f"Unsupported parameters for ({action}) module: {validator_messages.plain(str(error))}")
    return failure(validator_messages.plain(validated.errors.msg))


def masked(value: t.Any, secrets: t.Collection[str]) -> t.Any:
    """Return a result without secrets, as ansible-core's `remove_values` does, which newer releases deprecate.

    Control characters are escaped, because texts of DNS providers and other servers may be in it.
    """
    if isinstance(value, dict):
        return {key: masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [masked(item, secrets) for item in value]
    if isinstance(value, str):
        return escaped_lines(_masked_text(value, secrets))
    if isinstance(value, (int, float)) and not isinstance(value, bool) and any(one in str(value) for one in secrets):
        return MASK
    return value


def _masked_text(text: str, secrets: t.Collection[str]) -> str:
    if text in secrets:
        return MASK
    for secret in sorted(secrets, key=len, reverse=True):  # a secret may contain another one
        text = text.replace(secret, "*" * 8)
    return text


def failure(message: str, **more: t.Any) -> dict[str, t.Any]:
    return {"failed": True, "changed": False, "msg": message, **more}
