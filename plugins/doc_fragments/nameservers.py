# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share that find zones and their servers (`module_utils/_dns.py`)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - The Python library C(dnspython) 2.3 or later.
options:
  nameservers:
    description:
      - Name servers to ask where a zone and its servers are, instead of this machine's resolvers, as address,
        C(address:port) or C([address]:port).
    type: list
    elements: str
    default: []
  resolve:
    description:
      - Where name servers are found instead of what DNS says, from name to address, C(address:port) or
        C([address]:port), for a split horizon and for rehearsals.
    type: dict
    default: {}
"""
