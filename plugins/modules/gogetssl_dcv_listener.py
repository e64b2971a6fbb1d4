#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv_listener
short_description: Serve the files that prove control over a name where no web server runs
version_added: 1.0.0
description:
  - Starts a small HTTP server on the host that serves exactly the given files below C(/.well-known/pki-validation/),
    and ends it when the last of them is taken away.
  - It ends by itself when O(seconds) have passed, whatever has become of the run that started it. As root's it becomes
    C(nobody) before it answers the first request.
  - Several runs and orders share one server for each port. A port that is in use is refused, so that no web server is
    disturbed.
extends_documentation_fragment:
  - certops.gogetssl.attributes
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
      - The files. The proofs that M(certops.gogetssl.gogetssl_dcv) returns can be handed over as they are; what is not
        needed is ignored.
      - Needed is V(file_name), which is made of letters, digits, dot, dash and underscore, and with O(state=present)
        V(content).
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) serves the files beside those that are served already, and begins their O(seconds) anew.
      - V(absent) takes away the files whose contents are still those given, or whatever the contents if none are given.
    type: str
    choices: [present, absent]
    default: present
  port:
    description: The TCP port. Authorities ask on port 80.
    type: int
    default: 80
  address:
    description: The address to listen on. If not given, all of the host, of IPv4 and IPv6.
    type: str
  seconds:
    description: How long the files are served at most.
    type: int
    default: 7200
  directory:
    description:
      - Where the server finds its list of files. It and everything above it must belong to V(root) or the user of the
        task, and must not be writable by all.
    type: path
    default: /run/gogetssl-listener
notes:
  - The process is C(listener.py) in a directory of O(directory) that has the port's name; it can be killed at any time.
seealso:
  - module: certops.gogetssl.gogetssl_dcv_file
  - module: certops.gogetssl.gogetssl_dcv
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Ask for the proofs
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: wanted

- name: Serve those that are files for an hour at most
  certops.gogetssl.gogetssl_dcv_listener:
    files: "{{ wanted.proofs | selectattr('file_name') }}"
    seconds: 3600

- name: End it
  certops.gogetssl.gogetssl_dcv_listener:
    files: "{{ wanted.proofs | selectattr('file_name') }}"
    state: absent
"""

RETURN = r"""
files:
  description: One entry for each of O(files), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    file_name:
      description: The name of the file.
      type: str
      sample: 5DB1A1C9F9E2C2F9B6D3B5E6A1E5F2C1.txt
    changed:
      description: Whether it began or ceased to be served.
      type: bool
      sample: true
"""

from ..module_utils._dcv_listener import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
