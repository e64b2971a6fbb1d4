# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definition of a task, and the adapter that runs a task as an ordinary module.

This is the only file that uses `AnsibleModule`. The adapter for tasks on the controller is
`plugin_utils/_controller/controller.py`.
"""

from __future__ import annotations

import dataclasses
import os
import time
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule

from . import libraries
from .errors import GogetsslError
from .libraries import Library
from .shell import Shell, run_here

Params = t.Mapping[str, t.Any]
Result = dict[str, t.Any]

NEEDS_NO_LOG = (
    "The result of this task holds private keys; run it with no_log: true, so that nothing shows or logs them."
)


@dataclasses.dataclass(frozen=True)
class Context:
    """Everything that a task function may use."""

    params: Params
    check_mode: bool
    shell: Shell
    # Creates an Api, which connects at the first method call. Not typed, because hosts do not have that file.
    api: t.Callable[[], t.Any]
    warn: t.Callable[[str], None]
    now: t.Callable[[], float] = time.time  # seconds since the epoch
    sleep: t.Callable[[float], None] = time.sleep
    host: str = ""  # the inventory name; only on the controller
    run_directory: str | None = None  # on the controller, used only by this run of Ansible
    state_directory: str | None = None  # on the controller, shared by all runs of this user
    shared: t.Callable[[], t.Any] | None = None  # the requests of all hosts of the play; only on the controller
    # Runs a module of another collection by name and options, in the place of the task; only on the controller.
    module: t.Callable[[str, Params], Result] | None = None
    # Runs an action of this collection by name and options on the controller, whatever the place of the task.
    publish: t.Callable[[str, Params], Result] | None = None
    variable: t.Callable[[str], t.Any] | None = None  # the value of a variable, "" if not set; only on the controller
    show: t.Callable[[str], None] | None = None  # prints a line while the task runs; only on the controller


@dataclasses.dataclass(frozen=True)
class Task:
    """A task: its options and the function that runs it."""

    argument_spec: Params
    run: t.Callable[[Context], Result]
    rules: Params = dataclasses.field(default_factory=dict)  # such as mutually_exclusive
    needs: tuple[Library, ...] = ()
    open_api: t.Callable[[Params, str | None], t.Any] | None = None  # for tasks that call the API
    check_mode: bool = True
    secret_result: bool = False  # the result has secrets, so the task requires no_log


def run_module(task: Task) -> None:
    """Run a task as an ordinary module on the managed host."""
    module = AnsibleModule(argument_spec=dict(task.argument_spec), supports_check_mode=task.check_mode, **task.rules)
    for library in missing_libraries(task):
        module.fail_json(msg=libraries.missing(library), failure=libraries.FAILURE)

    if task.secret_result and not module.no_log:
        module.fail_json(msg=NEEDS_NO_LOG)

    try:
        context = Context(module.params, module.check_mode, run_here, opener(task, module.params), module.warn)
        result = task.run(context)
    except GogetsslError as error:
        module.fail_json(msg=error.message, failure=error.kind.value)
    except Exception as error:  # pylint: disable=broad-exception-caught
        module.fail_json(msg=unexpected(error))
    module.exit_json(**result)


def missing_libraries(task: Task) -> list[Library]:
    """The Python libraries that a task requires and this interpreter does not have."""
    return [library for library in task.needs if not library.present]


def opener(task: Task, params: Params, run_directory: str | None = None) -> t.Callable[[], t.Any]:
    """The value of `Context.api` for a task with these options."""

    def api() -> t.Any:
        if task.open_api is None:
            raise TypeError("this task does not call the API")
        return task.open_api(params, run_directory)

    return api


def unexpected(error: BaseException) -> str:
    """Describe an unexpected exception by type and place. Its text is omitted, because it might have a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "unknown place"
    return f"Unexpected {type(error).__name__} ({place}). This is a bug in certops.gogetssl: please report it."
