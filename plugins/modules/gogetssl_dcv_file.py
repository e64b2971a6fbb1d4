#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv_file
short_description: Publish DCV files in a web root
version_added: 1.0.0
description:
  - Writes DCV files to C(.well-known/pki-validation) in a web root, and removes them. The content is exactly the one
    that the CA expects.
  - The module validates the file names, because they come from the API. It does not follow symbolic links below the
    web root, and it reads only plain files without hard links. The owner of the web root therefore cannot redirect the
    module to other files. A diff contains only content of O(files).
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
requirements:
  - Python 3.9 or later on the host.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  web_root:
    description:
      - Document root of the web server, which it serves as C(/) over HTTP. The directory must exist if
        O(state=present).
    type: path
    required: true
  files:
    description:
      - The files. Validations can be passed as M(certops.gogetssl.gogetssl_dcv) returns them. Unknown keys are
        ignored.
      - Each entry requires C(file_name), which can have letters, digits, dots, dashes and underscores.
        O(state=present) also requires C(content). Line endings are not changed.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) writes the files. The module fails if a file exists with other content, because another order or
        application may need it. Only a file for the same CSR, which has the same hash in its first line, is replaced.
      - V(absent) removes the files if their content is C(content), or if C(content) is not set. It also removes empty
        directories that this module created.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A directory that this module created contains the empty file C(.made-by-gogetssl).
seealso:
  - module: certops.gogetssl.gogetssl_dcv
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Read the validation data
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: dcv

- name: Publish the DCV files
  certops.gogetssl.gogetssl_dcv_file:
    web_root: /var/www/html
    files: "{{ dcv.validations | selectattr('file_name') }}"

- name: Remove a DCV file
  certops.gogetssl.gogetssl_dcv_file:
    web_root: /var/www/html
    files:
      - file_name: 5DB1A1C9F9E2C2F9B6D3B5E6A1E5F2C1.txt
    state: absent
"""

RETURN = r"""
files:
  description: One entry for each of O(files), in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Path of the file.
      type: str
      sample: /var/www/html/.well-known/pki-validation/5DB1A1C9F9E2C2F9B6D3B5E6A1E5F2C1.txt
    changed:
      description: Whether the file was written or removed.
      type: bool
      sample: true
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.dcv_file import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
