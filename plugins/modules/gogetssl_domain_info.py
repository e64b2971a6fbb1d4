#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_domain_info
short_description: List approver email addresses and DCV data of domains
version_added: 1.0.0
description:
  - Lists the email addresses that can approve a name, before an order is placed.
  - For brands of the Sectigo family, the module also returns the DCV file and the DCV record for a CSR. The file and
    the record of an actual order contain an additional unique value. After an order is placed, use
    M(certops.gogetssl.gogetssl_dcv) instead.
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
      - The domain names. The module removes the asterisk of wildcard names.
      - At least one of O(domains) and O(csr) is required.
    type: list
    elements: str
  source:
    description:
      - The list of approver email addresses to query. V(standard) is the usual list, and V(geotrust) is the list for
        GeoTrust. V(whois) contains the addresses in WHOIS, and is often empty.
    type: str
    choices: [standard, geotrust, whois]
    default: standard
  csr:
    description:
      - CSR in PEM format. The module returns its DCV data in RV(validations).
      - GoGetSSL has deprecated the API method for this option.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_dcv
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: List the approver email addresses of two names
  certops.gogetssl.gogetssl_domain_info:
    domains: [example.com, www.example.org]
  register: approvers

- name: List the DCV data of a CSR
  certops.gogetssl.gogetssl_domain_info:
    csr: "{{ csr.requests[0].csr }}"
"""

RETURN = r"""
domains:
  description: The domain names, in the order of O(domains).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The domain name in ASCII form.
      type: str
      sample: example.com
    approver_emails:
      description: The email addresses that can approve the name.
      type: list
      elements: str
      sample: [admin@example.com]
validations:
  description:
    - The DCV data of the common name, one entry for each method. The structure is that of
      RV(certops.gogetssl.gogetssl_dcv#module:validations).
  returned: when O(csr) is given
  type: list
  elements: dict
  contains:
    name:
      description: The domain name to validate. A wildcard name includes its asterisk.
      type: str
      sample: www.example.com
    method:
      description: The validation method, V(http), V(https) or V(dns).
      type: str
      sample: http
    state:
      description: Always V(unset), because no order exists.
      type: str
      sample: unset
    reason:
      description: Always empty.
      type: str
      sample: ""
    ready:
      description: Whether there is data to publish.
      type: bool
      sample: true
    url:
      description: URL of the DCV file, for V(http) and V(https).
      type: str
      sample: http://www.example.com/.well-known/pki-validation/0123.txt
    path:
      description: Path component of RV(validations[].url).
      type: str
      sample: /.well-known/pki-validation/0123.txt
    file_name:
      description: Last component of RV(validations[].path). It is safe to use as a file name.
      type: str
      sample: 0123.txt
    content:
      description: Exact content of the DCV file. Its lines are separated by CRLF.
      type: str
      sample: "0123\r\ncomodoca.com"
    type:
      description: Type of the DCV record, V(CNAME) or V(TXT), for V(dns).
      type: str
      sample: CNAME
    record:
      description: Fully qualified name of the DCV record, without a trailing dot.
      type: str
      sample: _0123.www.example.com
    value:
      description: Value of the DCV record, without a trailing dot or quotes.
      type: str
      sample: 4567.89ab.comodoca.com
    email:
      description: Always null.
      type: str
      sample: null
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
from ..module_utils._tasks.domain_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
