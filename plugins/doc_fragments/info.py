# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that only read share (`module_utils/_info.py`)."""

from __future__ import annotations


class ModuleDocFragment:
    # `certops.gogetssl.info.raw` for a module that acts
    RAW = r"""
options:
  raw:
    description:
      - Whether to return the answers of GoGetSSL as they came, beside the normalised result.
      - The credentials of the task are made unreadable in them. Their form is the vendor's and may change at any time.
    type: bool
    default: false
"""
    DOCUMENTATION = (
        RAW
        + r"""attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - Nothing is changed.
  idempotent:
    support: full
"""
    )
