#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv_file
short_description: Publish the files that prove control over a name
version_added: 1.0.0
description:
  - Writes files below C(.well-known/pki-validation) in a web root, byte by byte as the authority wants them, and
    removes them again.
  - Names of files come from the API and are not trusted. Below the web root no symbolic link is followed, so that
    whoever owns the web root cannot lead the task elsewhere.
extends_documentation_fragment:
  - certops.gogetssl.attributes
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
      - The directory that the web server serves as C(/) over HTTP. It must exist with O(state=present).
    type: path
    required: true
  files:
    description:
      - The files. The proofs that M(certops.gogetssl.gogetssl_dcv) returns can be handed over as they are; what is not
        needed is ignored.
      - Needed is V(file_name), which is made of letters, digits, dot, dash and underscore, and with O(state=present)
        V(content). Line ends are written as they are.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) writes the files. A file that is there with other contents is replaced, for some authorities use the
        same file name for all proofs.
      - V(absent) removes the files whose contents are still those given, or whatever the contents if none are given.
        The directories are removed too if this module has made them and nothing is left in them.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A directory that this module has made holds an empty file C(.made-by-gogetssl).
seealso:
  - module: certops.gogetssl.gogetssl_dcv
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Ask for the proofs
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: wanted

- name: Publish those that are files
  certops.gogetssl.gogetssl_dcv_file:
    web_root: /var/www/html
    files: "{{ wanted.proofs | selectattr('file_name') }}"

- name: Remove one again
  certops.gogetssl.gogetssl_dcv_file:
    web_root: /var/www/html
    files:
      - file_name: 5DB1A1C9F9E2C2F9B6D3B5E6A1E5F2C1.txt
    state: absent
"""

RETURN = r"""
files:
  description: One entry for each of O(files), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Where the file is.
      type: str
      sample: /var/www/html/.well-known/pki-validation/5DB1A1C9F9E2C2F9B6D3B5E6A1E5F2C1.txt
    changed:
      description: Whether the file was written or removed.
      type: bool
      sample: true
"""

from ..module_utils._dcv_file import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
