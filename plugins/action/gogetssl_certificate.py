# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_certificate on the host. Private keys are piped to it and never written to the controller's disk."""

from __future__ import annotations

from ..plugin_utils._controller.host import HostAction


class ActionModule(HostAction):
    secrets = ("private_keys", "store_password")
    piped = ("private_keys",)
