# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_dcv_file on the host. Facts that the host returns are removed from its result."""

from __future__ import annotations

from ..plugin_utils._controller.host import HostAction


class ActionModule(HostAction):
    pass
