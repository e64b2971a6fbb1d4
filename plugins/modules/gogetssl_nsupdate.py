#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_nsupdate
short_description: Publish DCV records with dynamic DNS updates
version_added: 1.0.0
description:
  - Creates and removes CNAME and TXT records with dynamic updates (RFC 2136), which can be signed with a TSIG key.
  - The module changes all records of a zone with one message. The server applies either all changes or none.
  - Other values of the same names are not changed. The module fails if a name has a conflicting record.
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
      - V(present) creates the missing records.
      - V(absent) removes the values in O(records), and no others.
    type: str
    choices: [present, absent]
    default: present
  verify_only:
    description:
      - Whether to only verify the key, its permissions, the zone and the server. The module then requests the removal
        of those O(records) that do not exist, which changes nothing.
    type: bool
    default: false
  server:
    description:
      - The primary server, as address, C(address:port), host name or C(name:port).
      - If not set, the primary server in the SOA record of the zone is used if its address is public.
    type: str
  key_name:
    description:
      - Name of the TSIG key.
      - If not set, the module uses the environment variable E(GOGETSSL_TSIG_NAME) of the controller. Without a key,
        updates are not signed.
    type: str
  key_secret:
    description:
      - The TSIG key in Base64, as C(tsig-keygen) generates it.
      - If not set, the module uses the environment variable E(GOGETSSL_TSIG_SECRET) of the controller.
    type: str
  key_algorithm:
    description:
      - Algorithm of the TSIG key.
    type: str
    choices: [hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
    default: hmac-sha256
seealso:
  - module: certops.gogetssl.gogetssl_dcv_dns
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: List the DCV records to create
  certops.gogetssl.gogetssl_dcv_dns:
    validations: "{{ dcv.validations }}"
  register: dns

- name: Create the DCV records
  certops.gogetssl.gogetssl_nsupdate:
    records: "{{ dns.records }}"
    server: ns1.example.com
    key_name: certificates
    key_secret: "{{ vaulted_tsig_secret }}"
"""

RETURN = r"""
records:
  description: The records that were created or removed, one entry for each value.
  returned: success
  type: list
  elements: dict
  contains:
    zone:
      description: The zone of the record.
      type: str
      sample: example.com
    name:
      description: The fully qualified name of the record.
      type: str
      sample: _5db1a1c9f9e2c2f9b6d3b5e6a1e5f2c1.shop.example.com
    type:
      description: The record type, V(CNAME) or V(TXT).
      type: str
      sample: CNAME
    value:
      description: The value of the record.
      type: str
      sample: 0a1b2c3d4e5f60718293a4b5c6d7e8f9.a0b1c2d3e4f5061728394a5b6c7d8e9f.t0827.comodoca.com
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.nsupdate import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
