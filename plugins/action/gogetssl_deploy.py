# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_deploy on the host. Private keys are piped to it and never written to the controller's disk."""

from __future__ import annotations

import typing as t

from ..module_utils._deploy import deliveries
from ..module_utils._tasks.deploy import EMPTY
from ..plugin_utils._controller import base
from ..plugin_utils._controller.host import HostAction

_HOOK_CALLS = 4  # of each task file of the user: at a reload and after a rollback, also for copied certificates
_CALLS = "__gogetssl_hook_calls"  # so far; counted here, because the host could request task files without an end
_STAGES = 6  # how often a service may run into its timeout: before, after, at its reload, after a rollback, ...
_QUERY_SECONDS = 71  # for one query of all listeners, with the pause after it


class ActionModule(HostAction):
    secrets = ("private_keys", "store_password")
    piped = ("private_keys",)

    def _known_result(self) -> dict[str, t.Any] | None:
        """Nothing is due: the result of the earlier task stays as it is, and the host is not visited."""
        args = {"complete": [], "deliveries": [], **self._task.args}
        earlier = args.get("earlier") or {}
        if args.get("dcv_files") or earlier.get("hook") or deliveries.names_to_deploy(args):
            return None
        return {**{name: earlier.get(name, value) for name, value in EMPTY.items()}, "changed": False}

    def _send(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """Send the progress of the earlier task. Whether it left DCV files stays in the result."""
        earlier = self._task.args.get("earlier") or {}
        self._task.args = {**self._task.args, "earlier": {"progress": earlier.get("progress", "")}}
        calls = int(earlier.get(_CALLS) or 0) + bool(earlier.get("hook"))
        if calls > _HOOK_CALLS * len(self._task.args.get("hooks") or ()):
            return base.failure(f"The host requests task files of services again and again, {calls} times so far.")
        result = super()._send(task_vars)
        left = bool(earlier.get("dcv_files_left") or result.get("dcv_files_left"))
        return {**result, "dcv_files_left": left, _CALLS: calls}

    def _seconds(self) -> float:
        """Longer than for other modules, by the services and listeners that this one waits for."""
        args = self._task.args
        services = len(args.get("services") or ()) * (int(args.get("service_timeout", 60)) + 5)
        queries = (max(60, int(args.get("serve_timeout", 10))) + 1) * _QUERY_SECONDS
        return base.HOST_SECONDS + _STAGES * services + 2 * queries
