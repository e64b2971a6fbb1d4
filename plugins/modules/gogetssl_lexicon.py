#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_lexicon
short_description: Publish DCV records at any DNS provider that dns-lexicon supports
version_added: 1.0.0
description:
  - Creates and removes CNAME and TXT records with the Python library C(dns-lexicon), which supports about eighty DNS
    providers.
  - The library runs in the process of the task. Secrets are therefore not visible in command lines.
  - Other values of the same names are not changed. The module fails if a CNAME record with another target exists.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.records
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
requirements:
  - The Python library C(dns-lexicon) on the controller, version 3.18 or later, with the extra that the provider
    requires.
options:
  state:
    description:
      - V(present) creates the missing records, and verifies that the provider has created them.
      - V(absent) removes the values in O(records).
    type: str
    choices: [present, absent]
    default: present
  verify_only:
    description:
      - Whether to only verify the credentials and the zone name, by opening a session for each zone. The module then
        changes nothing.
    type: bool
    default: false
  provider:
    description:
      - Name of the provider in C(dns-lexicon), such as V(gandi) or V(ovh).
    type: str
    required: true
  options:
    description:
      - Options of the provider in C(dns-lexicon), such as C(auth_token). The library reads missing options from the
        environment, for example from E(LEXICON_GANDI_AUTH_TOKEN).
      - All values are treated as secrets.
    type: dict
    default: {}
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
  certops.gogetssl.gogetssl_lexicon:
    records: "{{ dns.records }}"
    provider: gandi
    options:
      auth_token: "{{ vaulted_token }}"
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
from ..module_utils._tasks.lexicon import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
