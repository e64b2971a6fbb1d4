# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_certificate_fetch on the controller. The documentation is in the module."""

from __future__ import annotations

import typing as t

from ..module_utils._tasks.certificate_fetch import TASK
from ..plugin_utils import _play
from ..plugin_utils._controller.base import failure
from ..plugin_utils._controller.controller import ControllerAction


class ActionModule(ControllerAction):
    task = TASK

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Refuse certificates that the ordering host does not share in its own inventory."""
        refused = _play.not_shared(task_vars or {}, self._task.args.get("certificates") or ())
        if refused:
            return failure(
                f"{', '.join(refused)}: the ordering host does not share it. Set order_host in the entry of that name"
                " in gogetssl_certificates of the ordering host, with at least these names."
            )
        return super().run(tmp, task_vars)
