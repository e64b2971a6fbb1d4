# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_certificate_fetch on the controller. The documentation is in the module."""

from __future__ import annotations

import typing as t

from ..module_utils._tasks.certificate_fetch import TASK
from ..plugin_utils import _play
from ..plugin_utils._controller.base import failure
from ..plugin_utils._controller.controller import ControllerAction

_NOT_SHARED = (
    "the ordering host does not share it. Set order_host in the entry of that name in gogetssl_certificates of the"
    " ordering host, with at least these names."
)


class ActionModule(ControllerAction):
    task = TASK

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Leave out certificates that the ordering host does not share in its own inventory."""
        given = self._task.args
        requested = given.get("certificates") or ()
        refused = _play.not_shared(task_vars or {}, requested)
        if not refused:
            return super().run(tmp, task_vars)
        shared = [one for one in requested if str(one.get("name")) not in refused]
        waiting = [name for name in refused if name in _can_wait(given)]
        if not shared and not waiting:
            return failure(f"{', '.join(refused)}: {_NOT_SHARED}")
        self._task.args = {**given, "certificates": shared}
        try:
            result = super().run(tmp, task_vars)
        finally:
            self._task.args = given  # for a retry of the task
        if not result.get("failed"):
            for name in refused:
                result["waiting" if name in waiting else "stopped"].append(
                    {"name": name, "reason": f"{name}: {_NOT_SHARED}"}
                )
        return result


def _can_wait(given: t.Mapping[str, t.Any]) -> set[str]:
    """The certificates that can wait: the ordering host has stopped or orders them, or a usable one is installed."""
    installed = {str(one.get("name")) for one in given.get("installed") or () if one.get("urgent") is False}
    return installed | set(given.get("in_progress") or ())
