# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The descriptions of the module attributes. Each module adds its own `support`."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying anything.
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing in C(check_mode)) in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates
      no change.
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/certops.gogetssl.gogetssl) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - certops.gogetssl.gogetssl
"""

    CONTROLLER = r"""
options: {}
requirements:
  - Python 3.10 or later on the controller.
attributes:
  action:
    description: Runs on the controller. With C(async), the module runs on the managed host instead.
    support: full
  async:
    description: Supports the C(async) keyword. The module then runs on the managed host.
    support: full
"""

    HOST = r"""
options: {}
attributes:
  async:
    description: Supports the C(async) keyword.
    support: none
    details:
      - The result of a host is validated before it is used, which an C(async) task does not allow.
"""
