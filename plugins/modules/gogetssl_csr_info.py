#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_csr_info
short_description: Read and check a certificate signing request (CSR)
version_added: 1.0.0
description:
  - Decodes a CSR and checks whether GoGetSSL accepts it.
  - With O(local=true), the module decodes the CSR on the controller and sends no request. The result has the same
    structure.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.info
  - certops.gogetssl.raw
requirements:
  - The Python library C(cryptography) on the controller.
options:
  csr:
    description:
      - The CSR in PEM format.
    type: str
    required: true
  local:
    description:
      - Whether to decode the CSR on the controller instead of with the GoGetSSL API.
      - Mutually exclusive with O(validate).
    type: bool
  validate:
    description:
      - Whether to use the API method that validates CSRs instead of the one that decodes them.
      - GoGetSSL documents the same response for both methods.
    type: bool
  wildcard:
    description:
      - Whether the CSR is for a wildcard product. The GoGetSSL API requires this information.
      - If not set, the module derives it from the names in the CSR.
    type: bool
seealso:
  - module: certops.gogetssl.gogetssl_csr
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: Check a CSR from a file
  certops.gogetssl.gogetssl_csr_info:
    csr: "{{ lookup('ansible.builtin.file', 'their.csr') }}"
  register: request
  failed_when: not request.csr.valid
"""

RETURN = r"""
csr:
  description: Content of the CSR. Fields that GoGetSSL does not return are read on the controller.
  returned: success
  type: dict
  contains:
    valid:
      description: Whether the CSR is valid.
      type: bool
      sample: true
    problem:
      description: Error message if the CSR is not valid. Otherwise, the string is empty.
      type: str
      sample: ""
    common_name:
      description: The common name.
      type: str
      sample: www.example.com
    names:
      description: All names in the CSR. The common name is the first one.
      type: list
      elements: str
      sample: [www.example.com, example.com]
    organization:
      description: The organization.
      type: str
      sample: Example SIA
    division:
      description: The department.
      type: str
      sample: IT
    city:
      description: The city.
      type: str
      sample: Riga
    region:
      description: State, province or region.
      type: str
      sample: Riga
    country:
      description: Two-letter country code.
      type: str
      sample: LV
    email:
      description: Email address.
      type: str
      sample: null
    key_size:
      description: Size of the key in bits.
      type: int
      sample: 2048
    key_type:
      description: Type and size of the public key.
      type: str
      sample: rsa-2048
    public_key:
      description: SHA-256 hash of the public key, in hexadecimal.
      type: str
      sample: 89ab...
    md5:
      description:
        - MD5 hash of the CSR in DER format, in hexadecimal. Sectigo derives the names of its DCV files and DCV
          records from it.
      type: str
      sample: 0123...
    sha1:
      description: SHA-1 hash of the CSR in DER format, in hexadecimal. With O(local=true), it is null.
      type: str
      sample: 4567...
    sha256:
      description: SHA-256 hash of the CSR in DER format, in hexadecimal.
      type: str
      sample: cdef...
raw:
  description: The unmodified responses of the GoGetSSL API, in the order of the requests.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: HTTP method and path of the request.
      type: str
      sample: GET /account/
    body:
      description: Body of the response.
      type: raw
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.csr_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
