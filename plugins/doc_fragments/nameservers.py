# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules that look up zones and their name servers."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - The Python library C(dnspython) on the controller, version 2.6.1 or later.
options:
  nameservers:
    description:
      - DNS servers that are queried for zones and their name servers, instead of the resolvers of the controller.
        Each entry is an address, C(address:port) or C([address]:port).
    type: list
    elements: str
    default: []
  resolve:
    description:
      - Addresses of name servers, as a dictionary from host name to address, C(address:port) or C([address]:port).
        The module uses them instead of the addresses in DNS, for example with split-horizon DNS or in tests.
    type: dict
    default: {}
"""
