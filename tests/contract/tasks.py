# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run tasks of the collection against the emulator."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils._api import api_task
from ansible_collections.certops.gogetssl.plugins.module_utils._core import shell as _shell
from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task
from tests.emulator.testing import Emulator

state_directory: str | None = None  # of the controller; tests that need one replace it


def no_shell(script: str) -> _shell.CommandResult:
    raise AssertionError("this task must not run commands on the host")


def run(
    emulator: Emulator,
    task: _task.Task,
    check_mode: bool = False,
    shell: _shell.Shell = no_shell,
    now: Callable[[], float] = time.time,
    **options: Any,
) -> dict[str, Any]:
    """Run a task as its module does. The result includes the warnings as `_warnings`."""
    params = {name: option.get("default") for name, option in task.argument_spec.items()}
    params.update(api_url=emulator.url, api_user=emulator.user, api_password=emulator.password, **options)
    unknown = set(options) - set(task.argument_spec)
    assert not unknown, f"unknown options: {unknown}"
    warnings: list[str] = []
    api = functools.partial(api_task.open_api, params)
    context = _task.Context(params, check_mode, shell, api, warnings.append, now, state_directory=state_directory)
    return {**task.run(context), "_warnings": warnings}
