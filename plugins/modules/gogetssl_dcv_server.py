#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv_server
short_description: Serve DCV files with a temporary web server
version_added: 1.0.0
description:
  - Starts a small HTTP server on the host. It serves only the given files below C(/.well-known/pki-validation/). The
    module stops the server when the last file is removed.
  - The server stops after O(seconds), even if the run that started it was interrupted. If the server is started by
    V(root), it runs as V(nobody).
  - All runs and orders share one server for each port. The module fails if another program uses the port.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
requirements:
  - Python 3.9 or later on the host.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  files:
    description:
      - The files. Validations can be passed as M(certops.gogetssl.gogetssl_dcv) returns them. Unknown keys are
        ignored.
      - Each entry requires C(file_name), which can have letters, digits, dots, dashes and underscores.
        O(state=present) also requires C(content).
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) adds the files to those that are already served. The time of O(seconds) starts again for these files.
      - V(absent) removes the files if their content is C(content), or if C(content) is not set.
    type: str
    choices: [present, absent]
    default: present
  port:
    description: TCP port of the server. CAs connect to port 80.
    type: int
    default: 80
  address:
    description: IP address of the server. If not set, the server listens on all IPv4 and IPv6 addresses.
    type: str
  seconds:
    description: Maximum time in seconds for which the files are served.
    type: int
    default: 7200
  directory:
    description:
      - Directory for the files of the server. The directory and its parent directories must be owned by V(root) or by
        the user that runs the task, and must not be world-writable.
    type: path
    default: /run/gogetssl-validation-server
notes:
  - The server process runs C(server.py) in the subdirectory of O(directory) that is named after the port. It can be
    killed at any time.
seealso:
  - module: certops.gogetssl.gogetssl_dcv_file
  - module: certops.gogetssl.gogetssl_dcv
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Read the validation data
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: dcv

- name: Serve the DCV files for up to one hour
  certops.gogetssl.gogetssl_dcv_server:
    files: "{{ dcv.validations | selectattr('file_name') }}"
    seconds: 3600

- name: Stop the server
  certops.gogetssl.gogetssl_dcv_server:
    files: "{{ dcv.validations | selectattr('file_name') }}"
    state: absent
"""

RETURN = r"""
files:
  description: One entry for each of O(files), in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    file_name:
      description: Name of the file.
      type: str
      sample: 5DB1A1C9F9E2C2F9B6D3B5E6A1E5F2C1.txt
    changed:
      description: Whether the file was added to or removed from the server.
      type: bool
      sample: true
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.dcv_server import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
