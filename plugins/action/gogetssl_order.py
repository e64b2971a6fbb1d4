# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_order on the controller. The documentation is in the module."""

from __future__ import annotations

from ..module_utils._tasks.order import TASK
from ..plugin_utils._controller.controller import ControllerAction

# What the role's filters use. Ansible imports this file once, before it creates the processes of the hosts. Otherwise
# each of them would import it, for each task.
# pylint: disable-next=unused-import
from ..plugin_utils._role import adoption, copying, fleet, plan, products, report, run, variables  # noqa: F401


class ActionModule(ControllerAction):
    task = TASK
