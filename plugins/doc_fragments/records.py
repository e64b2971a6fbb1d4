# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option `records` of the modules that publish DNS records."""

from __future__ import annotations


class ModuleDocFragment:
    # Each module documents its states itself.
    DOCUMENTATION = r"""
options:
  records:
    description:
      - The DNS records, in the format of RV(certops.gogetssl.gogetssl_dcv_dns#module:records).
      - Each record requires C(zone), C(name), C(type), and C(value) or C(values). The type is V(CNAME) or V(TXT). The
        default of C(ttl) is 60 seconds.
    type: list
    elements: dict
    required: true
"""
