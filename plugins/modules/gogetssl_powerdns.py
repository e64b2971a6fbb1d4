#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_powerdns
short_description: Publish proofs of control in a PowerDNS server through its HTTP API
version_added: 1.0.0
description:
  - Makes and removes CNAME and TXT records in the zones of an authoritative PowerDNS server, release 4.1 or later.
  - The API replaces all records of a name and type at once. So what is there is read first and goes back as it was,
    other values, values that are switched off and the time to live included, whatever V(ttl) of O(records) says.
    Comments stay.
  - An alias that stands where another record is wanted, or the other way round, is refused before anything is changed.
  - The API takes no condition. A record that somebody else adds to the same name and type between the reading and the
    writing, which are milliseconds apart, is lost; M(certops.gogetssl.gogetssl_nsupdate) has no such gap.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.records
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes the records that are missing, and looks whether they are there then.
      - V(absent) removes these values of them.
      - V(checked) looks whether key, server and zone are right and whether the zone is no copy, and changes nothing.
    type: str
    choices: [present, absent, checked]
    default: present
  url:
    description:
      - Where the API is, such as V(http://127.0.0.1:8081); the environment variable E(GOGETSSL_POWERDNS_URL) unless
        given.
      - Redirects are not followed.
    type: str
    required: true
  key:
    description:
      - The C(api-key) of the server; the environment variable E(GOGETSSL_POWERDNS_KEY) unless given.
    type: str
    required: true
  server_id:
    description:
      - The server behind the API.
    type: str
    default: localhost
  ca_path:
    description:
      - File with the certificates of the authorities that the API's own certificate may be of; those that the
        controller trusts unless given.
    type: path
seealso:
  - module: certops.gogetssl.gogetssl_dcv_dns
  - module: certops.gogetssl.gogetssl_nsupdate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: See which records to make
  certops.gogetssl.gogetssl_dcv_dns:
    proofs: "{{ dcv.proofs }}"
  register: plan

- name: Make them
  certops.gogetssl.gogetssl_powerdns:
    records: "{{ plan.records }}"
    url: http://127.0.0.1:8081
    key: "{{ vaulted_token }}"
"""

RETURN = r"""
records:
  description: The records that were made or removed, one entry for each value.
  returned: success
  type: list
  elements: dict
  contains:
    zone:
      description: The zone.
      type: str
      sample: example.com
    name:
      description: The full name.
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop.example.com
    type:
      description: V(CNAME) or V(TXT).
      type: str
      sample: CNAME
    value:
      description: The value.
      type: str
      sample: 0a1b2c3d4e5f60718293a4b5c6d7e8f9.a0b1c2d3e4f5061728394a5b6c7d8e9f.t0827.comodoca.com
"""

from ..module_utils._powerdns import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
