#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_lexicon
short_description: Publish proofs of control at a DNS provider that dns-lexicon knows
version_added: 1.0.0
description:
  - Makes and removes CNAME and TXT records through the Python library C(dns-lexicon), for some eighty providers.
  - The library runs in the process of the task, so that secrets stand in no command line. Other values of the same
    names stay as they are, and an alias that stands where another one is wanted is refused.
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
  - The Python library C(dns-lexicon) 3.18 or later, with the extra that the provider needs.
options:
  state:
    description:
      - V(present) makes the records that are missing, and looks whether the provider has made what was asked for.
      - V(absent) removes these values of them.
      - V(checked) opens a session for each zone, which shows whether credentials and zone are right, and changes
        nothing.
    type: str
    choices: [present, absent, checked]
    default: present
  provider:
    description:
      - Name of the provider in the library, such as V(gandi) or V(ovh).
    type: str
    required: true
  options:
    description:
      - The provider's options in the library, such as V(auth_token). What is not given is taken from the environment,
        as C(LEXICON_GANDI_AUTH_TOKEN).
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
- name: See which records to make
  certops.gogetssl.gogetssl_dcv_dns:
    proofs: "{{ dcv.proofs }}"
  register: plan

- name: Make them
  certops.gogetssl.gogetssl_lexicon:
    records: "{{ plan.records }}"
    provider: gandi
    options:
      auth_token: "{{ vaulted_token }}"
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

from ..module_utils._lexicon import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
