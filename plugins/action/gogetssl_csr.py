# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_csr on the host and sends it the keys that GoGetSSL generates. The documentation is in the module."""

from __future__ import annotations

from ..module_utils._tasks.csr import TASK
from ..plugin_utils._controller.keys import KeyAction


class ActionModule(KeyAction):
    task = TASK
