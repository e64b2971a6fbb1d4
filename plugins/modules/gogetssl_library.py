#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_library
short_description: Install the Python library that the modules need on a host
version_added: 1.0.0
description:
  - Installs the distribution's package of the Python library C(cryptography), and C(openssl), if the Python of the host
    lacks the library. Otherwise it changes nothing.
  - Runs the module of the host's package manager, but returns only the values below, because a host can return values
    on which Ansible acts, such as statistics.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
requirements:
  - Python 3.9 or later on the host.
  - The collection C(community.general) on the controller for hosts with C(zypper), C(apk) or C(pacman).
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  package:
    description:
      - The name of the library's package.
      - The default is C(python3-cryptography), on Alpine C(py3-cryptography) and on Arch Linux C(python-cryptography).
    type: str
  use:
    description:
      - The module that installs packages, with options C(name) and C(state).
      - By default, that of the package manager found on the host.
    type: str
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Install the Python library that the modules need
  certops.gogetssl.gogetssl_library:
  become: true
"""

RETURN = r"""
packages:
  description: The packages that were installed, or would be in check mode. Empty if the library is present.
  returned: success
  type: list
  elements: str
  sample: [python3-cryptography, openssl]
manager:
  description: The module that installs them. Empty if the library is present.
  returned: success
  type: str
  sample: ansible.builtin.apt
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.library import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
