# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_publish_dns on the controller. The documentation is in the module."""

from __future__ import annotations

from ..module_utils._tasks.publish_dns import TASK
from ..plugin_utils._controller.controller import ControllerAction


class ActionModule(ControllerAction):
    task = TASK
