#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_preflight
short_description: Check before an order whether the validation of names can succeed
version_added: 1.0.0
description:
  - Checks the names of certificates from the perspective of the CA. For each check, the result states whether it
    passes, stops the certificate, or cannot be decided on the controller. It also contains the details and the
    recommended action.
  - The module checks the names, their addresses, DNSSEC, the consistency of the name servers, CAA records for the
    brand, the product, the approvers, the price and the balance. It also checks whether every IPv4 and IPv6 address
    serves a file on the port of the validation.
  - The module does not buy or change anything. It uses the API only for the product, the price, the balance and the
    approvers, and also works without the API.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.api
  - certops.gogetssl.certificates
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
requirements:
  - The Python library C(dnspython) on the controller. Without it, the module skips the DNS checks and returns
    warnings for them.
  - The Python library C(publicsuffixlist) on the controller, to recognize public suffixes such as C(co.uk). Without
    it, the module guesses the public suffixes and returns warnings for the guesses.
options:
  publishers:
    description:
      - The validation data that can be published for this host. V(http) publishes DCV files, and V(dns) publishes DCV
        records.
      - The method V(auto) selects from the methods that these publishers support.
    type: list
    elements: str
    choices: [http, dns]
    default: [http]
  checks:
    description:
      - The checks to run.
    type: list
    elements: str
    choices: [name, product, approver, address, dnssec, servers, caa, http, https, balance]
    default: [name, product, approver, address, dnssec, servers, caa, http, https, balance]
  account:
    description:
      - Whether to read products, prices, the balance and approvers from the GoGetSSL API.
      - If not set, the module uses the API if credentials are available. A failure of the API is then a warning.
    type: bool
  probe:
    description:
      - A test file that was published in the directory of the DCV files. Every address of each name that is validated
        by V(http) or V(https) must serve it.
      - Without a test file, a responding server is only a warning, because it is not known whether it would serve the
        DCV files.
    type: dict
    suboptions:
      file_name:
        description: Name of the file.
        type: str
        required: true
      content:
        description: Exact content of the file.
        type: str
        required: true
  resolve:
    description:
      - Addresses that are used instead of the addresses in DNS, as a dictionary from name to address, C(address:port)
        or C([address]:port). This is useful with split-horizon DNS or in tests.
      - Names in this dictionary are not queried in DNS, unless O(nameservers) is set.
      - An address that is not public, such as a private one, is only requested for names in this dictionary.
    type: dict
  nameservers:
    description:
      - DNS servers that are queried for zones instead of the resolvers of the controller. Each entry is an address,
        C(address:port) or C([address]:port).
    type: list
    elements: str
  http_port:
    description:
      - TCP port for checks of V(http) validations. CAs always use port 80.
    type: int
    default: 80
  https_port:
    description:
      - TCP port for checks of V(https) validations. CAs always use port 443.
    type: int
    default: 443
  together:
    description:
      - Whether the certificates are going to be ordered in one run, with one publisher of DCV files. Brands of DigiCert
        use one file name for all validations, so all but one certificate with a file are then stopped. A certificate
        is also stopped if a file of that name is served already.
    type: bool
    default: true
  keep_going:
    description:
      - Whether the module succeeds if a check stops a certificate. The play must then evaluate RV(stopped).
    type: bool
    default: false
notes:
  - The module ignores O(directory) and does not connect to the hosts.
  - For a name that a single-name product includes, the module only checks the name itself, DNSSEC and CAA records,
    because the name is validated together with the common name.
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_dcv
  - module: certops.gogetssl.gogetssl_domain_info
"""

EXAMPLES = r"""
- name: Check the certificates before an order
  certops.gogetssl.gogetssl_preflight:
    certificates: "{{ certificates }}"
    keep_going: true
  register: preflight

- name: Show the results
  ansible.builtin.debug:
    msg: "{{ preflight.table }}"

- name: Check only CAA records, without the API
  certops.gogetssl.gogetssl_preflight:
    certificates: "{{ certificates }}"
    checks: [caa]
    account: false
"""

RETURN = r"""
rows:
  description: The results, sorted by certificate and name. The balance is the last row.
  returned: success
  type: list
  elements: dict
  contains:
    certificate:
      description: Name of the certificate. It is empty for the balance.
      type: str
      sample: shop
    name:
      description: The domain name in ASCII form. It is empty for checks of the whole certificate.
      type: str
      sample: www.example.com
    check:
      description: The check, one of O(checks).
      type: str
      sample: http
    result:
      description:
        - V(pass) if the check passes.
        - V(stop) if the CA would also reject it.
        - V(warn) if the result cannot be decided on the controller, or if the problem might have no effect.
      type: str
      sample: stop
    details:
      description: Details of the result, including the address or the server.
      type: str
      sample: "IPv4 192.0.2.1 port 80: ok; IPv6 2001:db8::1 port 80: connection refused"
    advice:
      description: Recommended action. It is empty if no action is required.
      type: str
      sample: Remove the AAAA record of www.example.com, or make the web server serve the same files over IPv6.
table:
  description: The results as aligned lines of text.
  returned: success
  type: list
  elements: str
  sample: ["shop  www.example.com  caa  pass  there is no CAA record"]
problems:
  description: The lines of RV(table) for checks that do not pass. What O(resolve) overrides is not listed.
  returned: success
  type: list
  elements: str
  sample: []
stopped:
  description: The certificates that should not be ordered before the problem is fixed.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate. It is empty for the balance.
      type: str
      sample: shop
    reason:
      description: The problems and how to fix them.
      type: str
      sample: "shop: www.example.com, caa: example.com: only letsencrypt.org may issue."
warning_count:
  description: Number of rows with the result V(warn).
  returned: success
  type: int
  sample: 2
"""


from ..module_utils._core.task import run_module
from ..module_utils._tasks.preflight import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
