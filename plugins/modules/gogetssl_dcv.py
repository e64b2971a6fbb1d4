#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv
short_description: Domain control validation of GoGetSSL orders
version_added: 1.0.0
description:
  - Tells which file, DNS record or mail proves control of an order's names, in one shape for every brand and method.
  - Looks at the published proofs as the certificate authority will, and has the authority look once they can be seen.
  - Publishing is left to other tasks, as it depends on the web server and the DNS provider in use.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
attributes:
  check_mode:
    support: full
    details:
      - Reads orders and looks at published proofs once, without waiting; changes no method and asks for no
        validation.
  diff_mode:
    support: full
    details:
      - Shows changed validation methods.
  idempotent:
    support: partial
    details:
      - With O(state=validated), the authority is asked again at each run until it has validated the name.
      - O(state=resent) and O(state=caa_rechecked) act at each run, as long as the order is in work.
requirements:
  - The Python library C(dnspython) on the controller, to look at DNS records. Without it, the authority is asked
    unchecked.
options:
  order_ids:
    description:
      - The orders.
    type: list
    elements: int
    required: true
  state:
    description:
      - With V(present), waits until GoGetSSL has said what to publish for every open name, and returns it.
      - With V(validated), waits until the proofs of all open names can be seen from the controller, on every
        address of
        the name, and has the authority look at each of them. Whether it is satisfied shows a little later in
        M(certops.gogetssl.gogetssl_order_info).
      - With V(resent), sends the approvers of all open names that are validated by e-mail their mail again.
      - With V(caa_rechecked), has the authority look at the CAA records of orders in work again, for brands of the
        Sectigo
        family. GoGetSSL does so once in ten minutes.
      - What GoGetSSL has locked for a while is not a failure; see RV(later).
    type: str
    choices: [present, validated, resent, caa_rechecked]
    default: present
  methods:
    description:
      - Wanted validation methods, from name to V(http), V(https), V(dns) or the e-mail address of an approver.
      - Open names with another method or approver are changed, all of one order in one call. Names that are left
        out stay as they
        are.
      - Wildcard names cannot be validated by V(http) or V(https). Brands of the DigiCert family want the same method
        for all names of an order.
    type: dict
  order_methods:
    description:
      - The same for one order each, from order id to such a map; it takes precedence over O(methods).
      - Names that need no proof of their own in the order are left out of account.
    type: dict
  change_by:
    description:
      - Which of the vendor's methods changes a validation method, for the day on which the usual one does not work.
      - V(auto) changes all names of an order with one call, and another approver of the common name with a call of its
        own. V(all) always uses the call for all names. V(each) has a call for each name. V(dcv) has one too, of an
        older method that cannot change to V(https).
    type: str
    choices: [auto, all, each, dcv]
    default: auto
  raw:
    description: Whether the vendor's own answers are returned too.
    type: bool
    default: false
  wait:
    description:
      - Seconds to wait for what O(state) says. Time running out is not a failure; see RV(proofs[].ready) and
        RV(proofs[].visible).
    type: int
    default: 60
  interval:
    description:
      - Seconds between two looks.
    type: int
    default: 5
  resolve:
    description:
      - Where to look instead of what DNS says, from name to address, C(address:port) or C([address]:port), for a
        split
        horizon and for rehearsals.
      - DNS records are asked for at the servers of their zone; the names of those servers can stand here too.
    type: dict
  nameservers:
    description:
      - Name servers to ask instead of this machine's resolvers, as address, C(address:port) or C([address]:port).
      - They are asked where a zone and its servers are. Records are then looked up at every address of every server
        of the zone.
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
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_order_info
"""

EXAMPLES = r"""
- name: See what to publish
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: dcv

- name: Publish the files
  ansible.builtin.copy:
    dest: "/var/www/html{{ item.path }}"
    content: "{{ item.content }}"
    mode: "0644"
  loop: "{{ dcv.proofs | selectattr('method', 'equalto', 'http') | selectattr('state', 'ne', 'validated') }}"
  loop_control:
    label: "{{ item.name }}"

- name: Have the authority look as soon as they can be seen
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    state: validated
    wait: 120

- name: Ask another approver
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    methods:
      www.example.com: hostmaster@example.com

- name: Send the mails again
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    state: resent

- name: Have corrected CAA records looked at
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    state: caa_rechecked

- name: Validate a name by DNS instead
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    methods:
      www.example.com: dns
"""

RETURN = r"""
proofs:
  description: The proof of each name of each order.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: The order the proof belongs to.
      type: int
      sample: 1234567
    name:
      description: The name to prove control of; a wildcard with its asterisk.
      type: str
      sample: www.example.com
    method:
      description: How it is proven, V(http), V(https), V(dns) or V(email).
      type: str
      sample: http
    state:
      description: V(validated) once the authority is satisfied, V(processing) or V(unset) before.
      type: str
      sample: processing
    reason:
      description: The words of GoGetSSL on the state; may be empty.
      type: str
      sample: ""
    ready:
      description: Whether GoGetSSL has said what to publish.
      type: bool
      sample: true
    url:
      description: Where the authority will look for the file, for V(http) and V(https).
      type: str
      sample: http://www.example.com/.well-known/pki-validation/0123.txt
    path:
      description: The path in RV(proofs[].url).
      type: str
      sample: /.well-known/pki-validation/0123.txt
    file_name:
      description: The last part of RV(proofs[].path). It is safe to use as a file name.
      type: str
      sample: 0123.txt
    content:
      description: The exact content of the file, with CRLF between its lines.
      type: str
      sample: "0123\r\nsectigo.com\r\nabcd"
    type:
      description: The type of the DNS record, V(CNAME) or V(TXT), for V(dns).
      type: str
      sample: CNAME
    record:
      description: The full name of the DNS record, without a final dot.
      type: str
      sample: _0123.www.example.com
    value:
      description: The value of the DNS record, without a final dot or quotes.
      type: str
      sample: 4567.89ab.abcd.comodoca.com
    email:
      description: The approver who gets the mail, for V(email).
      type: str
      sample: admin@example.com
    visible:
      description:
        - Whether the proof is where the authority will look for it, on every address.
        - Null for proofs that need no looking at or cannot be looked at.
      returned: O(state=validated)
      type: bool
      sample: true
    problem:
      description: What was seen instead, naming the address and the answer; or why nothing was looked at.
      returned: O(state=validated)
      type: str
      sample: ""
asked:
  description:
    - The names the authority was asked to look at, or whose approvers were sent a mail; in check mode, those it
      would be
      asked for.
  returned: with another O(state) than V(present)
  type: list
  elements: str
  sample: [www.example.com]
later:
  description: What GoGetSSL has locked and takes again later.
  returned: O(state=resent) and O(state=caa_rechecked)
  type: list
  elements: dict
  contains:
    order_id:
      description: The order.
      type: int
      sample: 1234567
    names:
      description: The names that this concerns.
      type: list
      elements: str
      sample: [www.example.com]
    reason:
      description: The words of GoGetSSL, with the time if it tells.
      type: str
      sample: "Function is locked for 540 seconds. Run again later."
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


from ..module_utils._dcv import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
