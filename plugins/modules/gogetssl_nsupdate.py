#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_nsupdate
short_description: Publish proofs of control by dynamic DNS updates
version_added: 1.0.0
description:
  - Makes and removes CNAME and TXT records by dynamic updates (RFC 2136), signed with a TSIG key.
  - All records of a zone are changed by one message, together or not at all. Other values of the same names stay as
    they are, and a name that something else stands at is refused.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.records
  - certops.gogetssl.nameservers
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
      - V(present) makes the records that are missing.
      - V(absent) removes these values of them, and nothing else.
      - V(checked) tries out whether the server would do it, by asking for the removal of values that are not there.
        Key, rights, zone and server are put to the test, and nothing is changed.
    type: str
    choices: [present, absent, checked]
    default: present
  server:
    description:
      - The primary server, as address, C(address:port), name or C(name:port).
      - The server that the zone's SOA record names as its primary unless given.
    type: str
  key_name:
    description:
      - Name of the TSIG key; the environment variable E(GOGETSSL_TSIG_NAME) unless given. Without a key, updates are
        not signed.
    type: str
  key_secret:
    description:
      - The key itself in Base64, as C(tsig-keygen) gives it; the environment variable E(GOGETSSL_TSIG_SECRET) unless
        given.
    type: str
  key_algorithm:
    description:
      - The key's algorithm.
    type: str
    choices: [hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
    default: hmac-sha256
seealso:
  - module: certops.gogetssl.gogetssl_dcv_dns
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: See which records to make
  certops.gogetssl.gogetssl_dcv_dns:
    proofs: "{{ dcv.proofs }}"
  register: plan

- name: Make them
  certops.gogetssl.gogetssl_nsupdate:
    records: "{{ plan.records }}"
    server: ns1.example.com
    key_name: certificates
    key_secret: "{{ vaulted_tsig_secret }}"
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

from ..module_utils._nsupdate import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
