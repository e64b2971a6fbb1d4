# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option `raw` of the modules that read from the API."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  raw:
    description:
      - Whether to return the unmodified responses of the GoGetSSL API in addition to the normalized result.
      - The credentials of the task are masked in the responses. GoGetSSL can change the structure of its responses at
        any time.
    type: bool
    default: false
"""
