#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv_dns
short_description: Tell which DNS records prove control, and where they go
version_added: 1.0.0
description:
  - Turns proofs into records with their zones, as a publisher takes them. The publisher is another task,
    M(certops.gogetssl.gogetssl_nsupdate), or a module or program for the DNS provider.
  - The zone of a name is found at the servers that are responsible for it, whether it is a sub-zone of its own or
    stands below a public suffix such as V(co.uk).
  - Records are noted on the host of the certificates before they are published, in the file C(.dns-ORDER.json) of
    O(directory), so that those of a run that was killed are known to the next one.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.nameservers
attributes:
  check_mode:
    support: full
    details:
      - Nothing is noted on the host.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description:
      - V(checked) looks, before anything is ordered, whether records for the names of O(certificates) that are to be
        validated by DNS have a place to go to, and whether what the provider needs is installed.
      - V(present) tells which records of O(proofs) are missing, and refuses those in whose place something else stands.
      - V(stale) tells which noted records belong to other orders than O(order_ids).
      - V(forgotten) removes the notes of O(order_ids).
    type: str
    choices: [checked, present, stale, forgotten]
    default: present
  certificates:
    description:
      - The certificates, of which V(name), V(names) and V(dcv) are read as by M(certops.gogetssl.gogetssl_order).
    type: list
    elements: dict
    default: []
  proofs:
    description:
      - The proofs as M(certops.gogetssl.gogetssl_dcv) returns them. Those by other methods are ignored.
    type: list
    elements: dict
    default: []
  order_ids:
    description:
      - Ids of orders.
    type: list
    elements: int
    default: []
  provider:
    description:
      - Who is going to publish the records. It is noted with them, and named in messages.
    type: str
    default: ''
  collections:
    description:
      - Collections that the provider needs on the controller.
    type: list
    elements: str
    default: []
  libraries:
    description:
      - Python modules that the provider needs on the controller, from the name they are imported by to what
        C(pip install) takes for them.
    type: dict
    default: {}
  alias:
    description:
      - Names whose proofs are published elsewhere, from name to the full name there. The name itself or, by a wildcard
        CNAME record, the names below it have to be an alias of that.
    type: dict
    default: {}
  zones:
    description:
      - Zones that are not to be looked for, from name to the zone which it and the names below it belong to.
    type: dict
    default: {}
  ttl:
    description:
      - Seconds for which resolvers may remember the records.
    type: int
    default: 60
  directory:
    description:
      - Directory of the certificates on the host.
    type: path
    default: /etc/gogetssl
seealso:
  - module: certops.gogetssl.gogetssl_dcv
  - module: certops.gogetssl.gogetssl_nsupdate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Ask for the proofs
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: dcv

- name: See which records to make
  certops.gogetssl.gogetssl_dcv_dns:
    proofs: "{{ dcv.proofs }}"
  register: plan

- name: Tell people which records to make
  ansible.builtin.debug:
    msg: "{{ item.record }} {{ item.type }} {{ item['values'] | join(', ') }} in {{ item.zone }}"
  loop: "{{ plan.records }}"
"""

RETURN = r"""
records:
  description:
    - The records to make, or with O(state=stale) to remove, one entry for each name and type. With O(state=checked),
      one for each name, to try with; it is never to be made.
  returned: O(state=checked), O(state=present) or O(state=stale)
  type: list
  elements: dict
  contains:
    zone:
      description: The zone.
      type: str
      sample: example.co.uk
    name:
      description: The full name.
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop.example.co.uk
    record:
      description: The name as seen from the zone, whose own is V(@).
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop
    type:
      description: V(CNAME) or V(TXT).
      type: str
      sample: CNAME
    value:
      description: The value, the first if there are several. All of them are the list under C(values).
      type: str
      sample: 0a1b2c3d4e5f60718293a4b5c6d7e8f9.a0b1c2d3e4f5061728394a5b6c7d8e9f.t0827.comodoca.com
    ttl:
      description: Seconds for which resolvers may remember the record.
      type: int
      sample: 60
    provider:
      description: The O(provider) it is noted with.
      type: str
      sample: nsupdate
replaced:
  description: Old proofs that stand in the place of new ones and have to go first, in the shape of RV(records).
  returned: O(state=present)
  type: list
  elements: dict
remembered:
  description:
    - Records whose absence, or what stands in their place, resolvers may remember that asked before they are made. The
      authority's may be one of them.
  returned: O(state=present)
  type: list
  elements: dict
  contains:
    order_id:
      description: The order.
      type: int
      sample: 1234567
    name:
      description: The full name of the record.
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop.example.co.uk
    seconds:
      description: For how long; by the time to live of what stands there, or of the absence (RFC 2308).
      type: int
      sample: 300
    reason:
      description: The same in a sentence.
      type: str
order_ids:
  description: The orders whose proofs can be published, or with O(state=stale) those that the records were noted for.
  returned: O(state=present) or O(state=stale)
  type: list
  elements: int
certificates:
  description: Names of the certificates that DNS records are wanted for.
  returned: O(state=checked)
  type: list
  elements: str
stopped:
  description:
    - What cannot be published. With O(state=checked), an entry has the V(name) of a certificate, with
      O(state=present) an V(order_id), and the V(reason).
  returned: O(state=checked) or O(state=present)
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      returned: O(state=checked)
      sample: shop
    order_id:
      description: The order.
      type: int
      returned: O(state=present)
      sample: 1234567
    reason:
      description: What is wrong, and what to do.
      type: str
"""

from ..module_utils._dcv_dns import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
