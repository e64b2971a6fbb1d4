# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules that place DCV records in zones."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  alias:
    description:
      - Names whose DCV records are published at another name, as a dictionary from name to the fully qualified other
        name.
      - The name itself, or a wildcard CNAME record below it, must be an alias of the other name.
    type: dict
    default: {}
  zones:
    description:
      - Zones that the module uses instead of searching for them, as a dictionary from name to zone. An entry also
        applies to all names below its name.
    type: dict
    default: {}
  ttl:
    description:
      - Time to live (TTL) of the records in seconds.
    type: int
    default: 60
"""
