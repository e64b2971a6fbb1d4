# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs whole tasks of the collection against the emulator."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils import _api_task, _shell, _task
from tests.emulator.testing import Emulator


def no_shell(script: str) -> _shell.CommandResult:
    raise AssertionError("this task has no business on the host")


def run(
    emulator: Emulator, task: _task.Task, check_mode: bool = False, shell: _shell.Shell = no_shell, **options: Any
) -> dict[str, Any]:
    """One run of a task as a module would make it; what it warned of is beside the result."""
    params = {name: option.get("default") for name, option in task.argument_spec.items()}
    params.update(api_url=emulator.url, api_user=emulator.user, api_password=emulator.password, **options)
    unknown = set(options) - set(task.argument_spec)
    assert not unknown, f"no options of the task: {unknown}"
    warnings: list[str] = []
    context = _task.Context(params, check_mode, shell, lambda: _api_task.open_api(params), warnings.append)
    return {**task.run(context), "_warnings": warnings}
