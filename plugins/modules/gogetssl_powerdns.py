#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_powerdns
short_description: Publish DCV records with the HTTP API of PowerDNS
version_added: 1.0.0
description:
  - Creates and removes CNAME and TXT records in the zones of a PowerDNS Authoritative Server, version 4.1 or later.
  - The API replaces all records of a name and type at once. Therefore, the module first reads the existing records
    and keeps all other values, disabled records, comments and the TTL of the record set.
  - The module fails before any change if a CNAME record conflicts with another record.
  - The API does not support conditional updates. A record that another client adds to the same name and type between
    the read and the write is lost. This interval takes a few milliseconds. M(certops.gogetssl.gogetssl_nsupdate) does
    not have this limitation.
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
      - V(present) creates the missing records, and verifies that they exist afterwards.
      - V(absent) removes the values in O(records).
    type: str
    choices: [present, absent]
    default: present
  verify_only:
    description:
      - Whether to only verify the API key, the server and the zone, and that the zone is not a secondary zone. The
        module then changes nothing.
    type: bool
    default: false
  url:
    description:
      - URL of the API, such as V(http://127.0.0.1:8081). The module does not follow redirects.
      - If not set, the module uses the environment variable E(GOGETSSL_POWERDNS_URL) of the controller.
    type: str
    required: true
  key:
    description:
      - The C(api-key) of the server.
      - If not set, the module uses the environment variable E(GOGETSSL_POWERDNS_KEY) of the controller.
    type: str
    required: true
  server_id:
    description:
      - ID of the server in the API.
    type: str
    default: localhost
  ca_path:
    description:
      - File with the CA certificates that the TLS certificate of the API is verified against.
      - If not set, the CA certificates that the controller trusts are used.
    type: path
seealso:
  - module: certops.gogetssl.gogetssl_dcv_dns
  - module: certops.gogetssl.gogetssl_nsupdate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: List the DCV records to create
  certops.gogetssl.gogetssl_dcv_dns:
    validations: "{{ dcv.validations }}"
  register: dns

- name: Create the DCV records
  certops.gogetssl.gogetssl_powerdns:
    records: "{{ dns.records }}"
    url: http://127.0.0.1:8081
    key: "{{ vaulted_token }}"
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
from ..module_utils._tasks.powerdns import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
