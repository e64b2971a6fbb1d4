#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv_dns
short_description: Determine the DCV records of orders and their zones
version_added: 1.0.0
description:
  - Converts DNS validations to records with their zones. Another module publishes these records, for example
    M(certops.gogetssl.gogetssl_nsupdate).
  - The module finds the zone of a name with queries to the authoritative name servers. It supports delegated
    subdomains and zones below a public suffix such as V(co.uk).
  - Before records are published, the module writes a note to the host of the certificates, in the file
    C(.dns-ORDER.json) in O(directory). A later run can then remove the records of an interrupted run.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.nameservers
  - certops.gogetssl.places
attributes:
  check_mode:
    support: full
    details:
      - In check mode, the module does not write notes.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) returns the missing records of O(validations). It rejects records whose name has a conflicting
        record.
      - V(absent) removes the notes of O(order_ids).
    type: str
    choices: [present, absent]
    default: present
  validations:
    description:
      - The validations, as M(certops.gogetssl.gogetssl_dcv) returns them. Validations without a DCV record are
        ignored.
    type: list
    elements: dict
    default: []
  order_ids:
    description:
      - IDs of the orders whose notes are removed. Used with O(state=absent).
    type: list
    elements: int
    default: []
  provider:
    description:
      - Name of the DNS provider that publishes the records. It is stored in the notes and used in messages.
    type: str
    default: ''
  directory:
    description:
      - Directory on the host that has a subdirectory for each certificate.
    type: path
    default: /etc/gogetssl
seealso:
  - module: certops.gogetssl.gogetssl_dcv
  - module: certops.gogetssl.gogetssl_dcv_dns_info
  - module: certops.gogetssl.gogetssl_nsupdate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Read the validation data
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: dcv

- name: List the DCV records to create
  certops.gogetssl.gogetssl_dcv_dns:
    validations: "{{ dcv.validations }}"
  register: dns

- name: Show the DCV records to create
  ansible.builtin.debug:
    msg: "{{ item.record }} {{ item.type }} {{ item['values'] | join(', ') }} in {{ item.zone }}"
  loop: "{{ dns.records }}"
"""

RETURN = r"""
records:
  description: The records to create, one entry for each name and type.
  returned: O(state=present)
  type: list
  elements: dict
  contains:
    zone:
      description: The zone of the record.
      type: str
      sample: example.co.uk
    name:
      description: The fully qualified name of the record.
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop.example.co.uk
    record:
      description: The name relative to the zone. The name of the zone itself is V(@).
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop
    type:
      description: The record type, V(CNAME) or V(TXT).
      type: str
      sample: CNAME
    value:
      description: The first value of the record. The list C(values) contains all values.
      type: str
      sample: 0a1b2c3d4e5f60718293a4b5c6d7e8f9.a0b1c2d3e4f5061728394a5b6c7d8e9f.t0827.comodoca.com
    ttl:
      description: TTL of the record in seconds.
      type: int
      sample: 60
    provider:
      description: The O(provider) of the record.
      type: str
      sample: nsupdate
obsolete:
  description: Old DCV records with the same name, which must be removed first. The structure is that of RV(records).
  returned: O(state=present)
  type: list
  elements: dict
cached:
  description:
    - Records for which resolvers may have cached a negative or an old response. The resolver of the CA can be one of
      them.
  returned: O(state=present)
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 1234567
    name:
      description: The fully qualified name of the record.
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop.example.co.uk
    seconds:
      description:
        - Time in seconds for which the response can stay cached. It is the TTL of the existing record, or the negative
          TTL of the zone (RFC 2308).
      type: int
      sample: 300
    reason:
      description: The same information as a message.
      type: str
order_ids:
  description: IDs of the orders whose records can be published.
  returned: O(state=present)
  type: list
  elements: int
stopped:
  description: The orders whose records cannot be published.
  returned: O(state=present)
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 1234567
    reason:
      description: The problem and how to fix it.
      type: str
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.dcv_dns import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
