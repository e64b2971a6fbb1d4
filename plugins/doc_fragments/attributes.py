# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of the modules, described once; each module adds its own C(support)."""

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
attributes:
  action:
    description: Runs inside the controller. Nothing is sent to the host, except with C(async).
    support: full
  async:
    description: Supports being used with the C(async) keyword; the module then runs on the host itself.
    support: full
"""
