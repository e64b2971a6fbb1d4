#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_publish_http
short_description: Publish the DCV files of several orders on a web host
version_added: 1.0.0
description:
  - Publishes or removes DCV files as M(certops.gogetssl.gogetssl_dcv_file) or M(certops.gogetssl.gogetssl_dcv_server)
    does.
  - If this fails for the files of several orders together, the module tries the files of each order separately. It does
    not fail then, but returns the orders whose files fail in RV(stopped).
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
requirements:
  - Python 3.9 or later on the host.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details:
      - Differences are returned for O(publisher=web_root) only.
  idempotent:
    support: full
options:
  files:
    description:
      - The files, with the C(order_id) of each. Validations can be passed as M(certops.gogetssl.gogetssl_dcv) returns
        them. Unknown keys are ignored.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) publishes the files.
      - V(absent) removes the files if their content is C(content), or if C(content) is not set.
      - V(noted) writes only a note of the files in O(note_directory), or removes the note if there are no files.
        M(certops.gogetssl.gogetssl_certificate_info) returns the noted files. The role notes files that could not be
        removed, so that its next run removes them.
    type: str
    choices: [present, absent, noted]
    default: present
  note_directory:
    description: The directory of the certificates, for O(state=noted).
    type: path
  publisher:
    description:
      - V(web_root) writes the files below O(web_root).
      - V(validation_server) serves the files with a temporary web server.
    type: str
    choices: [web_root, validation_server]
    default: web_root
  web_root:
    description: The directory that the web server serves on port 80.
    type: path
    default: /var/www/html
  port:
    description: TCP port of the validation server.
    type: int
    default: 80
  seconds:
    description: Maximum time in seconds for which the validation server serves the files.
    type: int
    default: 7200
  directory:
    description: Directory for the files of the validation server.
    type: path
    default: /run/gogetssl-validation-server
seealso:
  - module: certops.gogetssl.gogetssl_dcv_file
  - module: certops.gogetssl.gogetssl_dcv_server
  - module: certops.gogetssl.gogetssl_publish_dns
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Read the validation data
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567, 1234568]
  register: dcv

- name: Publish the DCV files
  certops.gogetssl.gogetssl_publish_http:
    files: "{{ dcv.validations | selectattr('file_name') }}"
    web_root: /srv/www
  register: published

- name: Show the orders whose files could not be published
  ansible.builtin.debug:
    msg: "{{ published.stopped }}"
"""

RETURN = r"""
files:
  description: The files.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path of the file, or of its URL if the validation server serves it.
      type: str
      sample: /srv/www/.well-known/pki-validation/0A1B2C3D4E5F60718293A4B5C6D7E8F9.txt
    changed:
      description: Whether the file was written or removed.
      type: bool
stopped:
  description: The orders whose files could not be published or removed.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order. Files without an order have V(0).
      type: int
      sample: 1234567
    reason:
      description: The problem and how to fix it.
      type: str
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.publish_http import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
