#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_domain_info
short_description: Find out who may approve a domain, and what would prove control of it
version_added: 1.0.0
description:
  - Lists the e-mail addresses that may approve a name, before an order is placed.
  - Tells which file or DNS record would prove control for a CSR, for brands of the Sectigo family. The proofs of an
    order
    hold a value of its own in addition; once there is an order, use M(certops.gogetssl.gogetssl_dcv).
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
  domains:
    description:
      - The names. Wildcards are asked for without their asterisk.
      - Required if O(csr) is not given.
    type: list
    elements: str
  source:
    description:
      - Which of the lists of GoGetSSL to ask, the usual one, the one for GeoTrust, or what WHOIS says, which often
        is nothing.
    type: str
    choices: [standard, geotrust, whois]
    default: standard
  csr:
    description:
      - A CSR in PEM form whose proofs to tell. GoGetSSL calls this method deprecated.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_dcv
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: See who may approve two names
  certops.gogetssl.gogetssl_domain_info:
    domains: [example.com, www.example.org]
  register: found

- name: See what would prove control
  certops.gogetssl.gogetssl_domain_info:
    csr: "{{ made.requests[0].csr }}"
"""

RETURN = r"""
domains:
  description: The names, in the order of O(domains).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name in its ASCII form.
      type: str
      sample: example.com
    approver_emails:
      description: Who may approve it.
      type: list
      elements: str
      sample: [admin@example.com]
proofs:
  description: What would prove control of the common name, by method; the shape is that of
    M(certops.gogetssl.gogetssl_dcv).
  returned: when O(csr) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: www.example.com
    method:
      description: V(http), V(https) or V(dns).
      type: str
      sample: http
    state:
      description: Always V(unset), as there is no order.
      type: str
      sample: unset
    reason:
      description: Always empty.
      type: str
      sample: ""
    ready:
      description: Whether there is something to publish.
      type: bool
      sample: true
    url:
      description: Where the file would be looked for.
      type: str
      sample: http://www.example.com/.well-known/pki-validation/0123.txt
    path:
      description: The path in RV(proofs[].url).
      type: str
      sample: /.well-known/pki-validation/0123.txt
    file_name:
      description: The last part of it.
      type: str
      sample: 0123.txt
    content:
      description: The content of the file.
      type: str
      sample: "0123\r\ncomodoca.com"
    type:
      description: The type of the DNS record.
      type: str
      sample: CNAME
    record:
      description: Its name.
      type: str
      sample: _0123.www.example.com
    value:
      description: Its value.
      type: str
      sample: 4567.89ab.comodoca.com
    email:
      description: Always null.
      type: str
      sample: null
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

from ..module_utils._domain_info import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
