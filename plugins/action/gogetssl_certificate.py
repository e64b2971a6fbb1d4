# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends gogetssl_certificate to the host; private keys that are handed over never touch the controller's disk."""

from __future__ import annotations

from ..plugin_utils._controller import HostAction


class ActionModule(HostAction):
    secrets = ("private_keys", "store_password")
    piped = ("private_keys",)
