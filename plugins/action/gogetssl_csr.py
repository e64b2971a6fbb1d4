# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_csr on the host, and brings it the keys that GoGetSSL makes; its documentation is the module's."""

from __future__ import annotations

from ..module_utils._csr import TASK
from ..plugin_utils._controller import KeyBringer


class ActionModule(KeyBringer):
    task = TASK
