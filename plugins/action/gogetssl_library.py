# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_library on the host, and the module of its package manager if packages are missing.

The module of the package manager runs here, not in a task of its own, because the results of hosts are validated here.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.loader import module_loader

from ..module_utils._core.text import printable
from ..module_utils._tasks.library import MANAGERS
from ..plugin_utils._controller.base import failure
from ..plugin_utils._controller.host import HostAction

INSTALL_SECONDS = 900.0  # for the package manager


class ActionModule(HostAction):
    _installs = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action. Ansible calls this method."""
        result = super().run(tmp, task_vars)
        if result.get("failed") or not result.get("packages"):
            return result
        manager = result["manager"]
        if manager not in (self._task.args.get("use"), *(module for module, _package in MANAGERS.values())):
            return {**result, **failure("The host named a module that installs no packages.")}
        if not module_loader.has_plugin(manager):
            return {**result, **failure(f"The module {manager} is not on the controller. Install its collection.")}
        self._installs = True
        options = {"name": result["packages"], "state": "present"}
        installed = self._execute_module(module_name=manager, module_args=options, task_vars=task_vars)
        self._remove_tmp_path(self._connection._shell.tmpdir)
        if installed.get("failed"):
            names, reason = ", ".join(result["packages"]), str(installed.get("msg") or "no reason given")
            return {**result, **failure(f"{manager} could not install {printable(names)}: {printable(reason)}")}
        return {**result, "changed": bool(installed.get("changed"))}

    def _seconds(self) -> float:
        return INSTALL_SECONDS if self._installs else super()._seconds()
