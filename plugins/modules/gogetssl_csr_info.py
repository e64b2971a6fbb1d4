#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_csr_info
short_description: Read and check a certificate signing request
version_added: 1.0.0
description:
  - Tells what a CSR says and whether GoGetSSL would take it.
  - With O(local=true) nothing is sent anywhere; the result has the same shape.
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
      - The CSR in PEM form.
    type: str
    required: true
  local:
    description:
      - Whether to read the CSR on the controller, without GoGetSSL.
      - Mutually exclusive with O(validate).
    type: bool
  validate:
    description:
      - Whether to use the vendor's method for validation instead of the one for decoding. GoGetSSL documents the
        same answer
        for both.
    type: bool
  wildcard:
    description:
      - Whether the CSR is meant for a wildcard product, which GoGetSSL wants to be told. Without it, the CSR's
        names decide.
    type: bool
seealso:
  - module: certops.gogetssl.gogetssl_csr
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: Check a CSR that somebody else made
  certops.gogetssl.gogetssl_csr_info:
    csr: "{{ lookup('ansible.builtin.file', 'their.csr') }}"
  register: found
  failed_when: not found.csr.valid
"""

RETURN = r"""
csr:
  description: What the CSR says. What GoGetSSL leaves out is read on the controller.
  returned: success
  type: dict
  contains:
    valid:
      description: Whether nothing is wrong with it.
      type: bool
      sample: true
    problem:
      description: What is wrong with it; empty if nothing is.
      type: str
      sample: ""
    common_name:
      description: The common name.
      type: str
      sample: www.example.com
    names:
      description: All names, the common name first.
      type: list
      elements: str
      sample: [www.example.com, example.com]
    organization:
      description: The organisation.
      type: str
      sample: Example SIA
    division:
      description: Its division.
      type: str
      sample: IT
    city:
      description: The city.
      type: str
      sample: Riga
    region:
      description: The region.
      type: str
      sample: Riga
    country:
      description: The country.
      type: str
      sample: LV
    email:
      description: The e-mail address.
      type: str
      sample: null
    key_size:
      description: Size of the key in bits.
      type: int
      sample: 2048
    key_type:
      description: The kind of key.
      type: str
      sample: rsa-2048
    public_key:
      description: SHA-256 of the public key.
      type: str
      sample: 89ab...
    md5:
      description: MD5 of the CSR's DER form, after which Sectigo names its proofs.
      type: str
      sample: 0123...
    sha1:
      description: SHA-1 of the same; null with O(local=true).
      type: str
      sample: 4567...
    sha256:
      description: SHA-256 of the same.
      type: str
      sample: cdef...
raw:
  description: The answers of GoGetSSL in the order of the calls.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: Verb and path of the call.
      type: str
      sample: GET /account/
    body:
      description: What was answered.
      type: raw
"""

from ..module_utils._csr_info import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
