# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_publish_http on the host. Facts that the host returns are removed from its result."""

from __future__ import annotations

import typing as t

from ..plugin_utils._controller.host import HostAction


class ActionModule(HostAction):
    def _known_result(self) -> dict[str, t.Any] | None:
        """Without files, the host is not visited."""
        if self._task.args.get("files") or self._task.args.get("state") == "noted":
            return None
        return {"changed": False, "files": [], "stopped": []}
