# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option `raw` of tasks that read the API (`module_utils/_info.py`)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  raw:
    description:
      - Whether to return the answers of GoGetSSL as they came, beside the normalised result.
      - The credentials of the task are made unreadable in them. Their form is the vendor's and may change at any time.
    type: bool
    default: false
"""
