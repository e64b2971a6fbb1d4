# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share that publish records (`PUBLISHER_SPEC` in `module_utils/_records.py`)."""

from __future__ import annotations


class ModuleDocFragment:
    # What each state means for a publisher stands in its own documentation.
    DOCUMENTATION = r"""
options:
  records:
    description:
      - The records, in the shape of RV(certops.gogetssl.gogetssl_dcv_dns#module:records). Needed are V(zone), V(name),
        V(type), which is V(CNAME) or V(TXT), and V(value) or V(values). V(ttl) is 60 seconds unless given.
    type: list
    elements: dict
    required: true
"""
