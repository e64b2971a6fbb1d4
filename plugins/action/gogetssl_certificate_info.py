# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_certificate_info on the controller. The documentation is in the module."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._core.errors import Kind
from ..module_utils._tasks.certificate_info import TASK
from ..plugin_utils import _variables
from ..plugin_utils._controller import sound
from ..plugin_utils._controller.controller import ControllerAction


class ActionModule(ControllerAction):
    task = TASK

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action. If it fails and `keep_going` is set, run it again without certificates that have mistakes."""
        refused: AnsibleActionFail | None = None
        result: dict[str, t.Any] = {}
        try:
            result = super().run(tmp, task_vars)
        except AnsibleActionFail as error:
            refused = error
        args = self._task.args
        failed = refused or (result.get("failed") and result.get("failure") != Kind.HOST.value)
        keep_going = boolean(args.get("keep_going", False), strict=False) and not self._task.async_val
        stops = sound.mistakes(self.task, args, _variables.prefix(self._task)) if failed and keep_going else {}
        if stops:
            kept = [one for one in args["certificates"] if one["name"] not in stops]
            self._task.args = {**args, "certificates": kept}
            try:
                return _with_stops(super().run(tmp, task_vars), stops)
            finally:
                self._task.args = args  # for a retry of the task
        if refused:
            raise refused
        return result


def _with_stops(result: dict[str, t.Any], stops: t.Mapping[str, str]) -> dict[str, t.Any]:
    if result.get("failed"):
        return result
    entries = [{"name": name, "reason": reason} for name, reason in stops.items()]
    return {**result, "stopped": entries + result["stopped"], "refused": list(stops), "due": True}
