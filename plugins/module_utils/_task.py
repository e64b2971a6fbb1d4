# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task is, and the adapter that runs one as an ordinary module.

The only file that knows `AnsibleModule`. Its twin for tasks inside the controller is `plugin_utils/_controller.py`.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import time
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ._errors import GogetsslError
from ._libraries import Library
from ._shell import CommandResult, Shell

Params = t.Mapping[str, t.Any]
Result = dict[str, t.Any]

NEEDS_NO_LOG = (
    "The result of this task holds private keys; run it with no_log: true, so that nothing shows or logs them."
)


@dataclasses.dataclass(frozen=True)
class Context:
    """All a task function may touch."""

    params: Params
    check_mode: bool
    shell: Shell
    # Opens an Api, and no connection before the first call of a method. Not typed, because hosts do without that file.
    api: t.Callable[[], t.Any]
    warn: t.Callable[[str], None]
    now: t.Callable[[], float] = time.time  # seconds since the epoch
    sleep: t.Callable[[float], None] = time.sleep
    host: str = ""  # the inventory's name, inside the controller
    run_directory: str | None = None  # of this run of Ansible alone, on the controller
    board: t.Callable[[], t.Any] | None = None  # what all hosts of the play wish for, inside the controller
    # Runs a module of another collection where the task runs, inside the controller: its name and options.
    module: t.Callable[[str, Params], Result] | None = None


@dataclasses.dataclass(frozen=True)
class Task:
    """A task: what it accepts and the function that does it."""

    argument_spec: Params
    run: t.Callable[[Context], Result]
    rules: Params = dataclasses.field(default_factory=dict)  # mutually_exclusive and the like
    needs: tuple[Library, ...] = ()
    open_api: t.Callable[[Params], t.Any] | None = None  # of a task that calls the API
    check_mode: bool = True
    secret_result: bool = False  # the result holds secrets, so the task must be run with no_log


def run_module(task: Task) -> None:
    """Run a task as an ordinary module, on the host the module was sent to."""
    module = AnsibleModule(
        argument_spec=ansible_spec(task.argument_spec), supports_check_mode=task.check_mode, **task.rules
    )
    for library in missing_libraries(task):
        module.fail_json(msg=missing_required_lib(library.name) + library.advice)

    if task.secret_result and not module.no_log:
        module.fail_json(msg=NEEDS_NO_LOG)

    def shell(script: str) -> CommandResult:
        return CommandResult(*module.run_command(["/bin/sh", "-c", script], errors="surrogateescape"))

    try:
        context = Context(module.params, module.check_mode, shell, opener(task, module.params), module.warn)
        result = task.run(context)
    except GogetsslError as error:
        module.fail_json(msg=error.message, failure=error.kind.value)
    except Exception as error:  # pylint: disable=broad-exception-caught
        module.fail_json(msg=unexpected(error))
    module.exit_json(**result)


def ansible_spec(spec: Params) -> dict[str, t.Any]:
    """The spec with `fallback_env` spelled out as Ansible wants it."""
    plain: dict[str, t.Any] = {}
    for name, option in spec.items():
        option = dict(option)
        variable = option.pop("fallback_env", None)
        if variable:
            option["fallback"] = (env_fallback, [variable])
        plain[name] = option
    return plain


def missing_libraries(task: Task) -> list[Library]:
    """The Python libraries a task needs and this interpreter lacks."""
    return [library for library in task.needs if not library.present]


def opener(task: Task, params: Params) -> t.Callable[[], t.Any]:
    """What `Context.api` is for a task with these options."""

    def api() -> t.Any:
        if task.open_api is None:
            raise TypeError("this task does not call the API")
        return task.open_api(params)

    return api


def unexpected(error: BaseException) -> str:
    """An unforeseen exception by its type and place; its text might hold a secret and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "unknown place"
    return f"Unexpected {type(error).__name__} ({place}). This is a bug in certops.gogetssl: please report it."
