# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_cloud_dns inside the controller; its documentation is the module's."""

from __future__ import annotations

from ..module_utils._cloud_dns import TASK
from ..plugin_utils._controller import ControllerAction


class ActionModule(ControllerAction):
    task = TASK
