#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_preflight
short_description: Find out before the money what would make a proof of control fail
version_added: 1.0.0
description:
  - Looks at the names of certificates as the authority will see them, and tells for each check whether it passes,
    stops, or cannot be known from the controller, with what was found and what to do.
  - The names themselves; their addresses; DNSSEC; whether all name servers agree; CAA records against the brand;
    whether every address, of IPv4 and IPv6, serves a file on the port of the proofs; product, approvers, price and
    balance.
  - It buys nothing and changes nothing. The API is used for product, price, balance and approvers only, and not needed.
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
  - The Python library C(dnspython) on the controller. Without it, what DNS says is not checked and told as a warning.
  - The Python library C(publicsuffixlist) on the controller, to know public suffixes such as C(co.uk). Without it, they
    are guessed, and the guess is a warning.
options:
  publishers:
    description:
      - What can be published for this host, V(http) for files and V(dns) for DNS records. The method V(auto) chooses
        from these.
    type: list
    elements: str
    choices: [http, dns]
    default: [http]
  checks:
    description:
      - The checks to make; those left out cost nothing.
    type: list
    elements: str
    choices: [name, product, approver, address, dnssec, servers, caa, http, https, balance]
    default: [name, product, approver, address, dnssec, servers, caa, http, https, balance]
  account:
    description:
      - Whether to ask GoGetSSL about products, prices, the balance and approvers.
      - If not given, it is asked if there are credentials, and its failure is a warning.
    type: bool
  probe:
    description:
      - A file that was published where the proofs will go, for names that are proven by V(http) or V(https). Each
        address of each name has to serve it.
      - Without it, a server that answers is a warning, as nobody knows whether it would serve the proof.
    type: dict
    suboptions:
      file_name:
        description: Its name in the directory of the proofs.
        type: str
        required: true
      content:
        description: Its exact content.
        type: str
        required: true
  resolve:
    description:
      - Where to look instead of what DNS says, from name to address, C(address:port) or C([address]:port), for a split
        horizon and for rehearsals.
      - What DNS says of such a name is not looked up, unless O(nameservers) are given.
    type: dict
  nameservers:
    description:
      - Name servers to ask for zones instead of the controller's resolvers, each as address, C(address:port) or
        C([address]:port).
    type: list
    elements: str
  http_port:
    description:
      - The port to look at for V(http). Authorities always use 80.
    type: int
    default: 80
  https_port:
    description:
      - The port to look at for V(https). Authorities always use 443.
    type: int
    default: 443
  keep_going:
    description:
      - Whether to succeed even if something stops, and leave the decision to RV(stopped).
    type: bool
    default: false
notes:
  - O(directory) plays no part; the hosts are not looked at.
  - Names that a product for one name includes are proven along with it; of these the name itself, DNSSEC and CAA are
    looked at.
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_dcv
  - module: certops.gogetssl.gogetssl_domain_info
"""

EXAMPLES = r"""
- name: See what would stop a certificate
  certops.gogetssl.gogetssl_preflight:
    certificates: "{{ certificates }}"
    keep_going: true
  register: preflight

- name: Show the table
  ansible.builtin.debug:
    msg: "{{ preflight.table }}"

- name: Look at CAA records only, without the API
  certops.gogetssl.gogetssl_preflight:
    certificates: "{{ certificates }}"
    checks: [caa]
    account: false
"""

RETURN = r"""
rows:
  description: The findings, certificate by certificate and name by name; the balance last.
  returned: success
  type: list
  elements: dict
  contains:
    certificate:
      description: The certificate's name; empty for the balance.
      type: str
      sample: shop
    name:
      description: The name in its ASCII form; empty for what concerns the certificate as a whole.
      type: str
      sample: www.example.com
    check:
      description: Which check it is, one of O(checks).
      type: str
      sample: http
    result:
      description:
        - V(pass); V(stop) for what the authority would refuse as well; V(warn) for what cannot be known from the
          controller, or may do no harm.
      type: str
      sample: stop
    found:
      description: What was found, naming address or server.
      type: str
      sample: "IPv4 192.0.2.1 port 80: ok; IPv6 2001:db8::1 port 80: connection refused"
    advice:
      description: What to do; empty if nothing.
      type: str
      sample: Remove the AAAA record of www.example.com, or have the web server answer there as it does over IPv4.
table:
  description: The same as aligned lines for people.
  returned: success
  type: list
  elements: str
  sample: ["shop  www.example.com  caa  pass  there is no CAA record"]
attention:
  description: The lines of those that do not pass.
  returned: success
  type: list
  elements: str
  sample: []
stopped:
  description: The certificates that should not be ordered as things are.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name; empty for the balance.
      type: str
      sample: shop
    reason:
      description: All that stops it, with what to do.
      type: str
      sample: "shop: www.example.com, caa: example.com: only letsencrypt.org may issue."
warned:
  description: How many rows are V(warn).
  returned: success
  type: int
  sample: 2
"""


from ..module_utils._preflight import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
