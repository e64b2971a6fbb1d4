#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_cloud_dns
short_description: Publish proofs of control at Route 53, Azure and DigitalOcean
version_added: 1.0.0
description:
  - Makes and removes CNAME and TXT records by the modules C(amazon.aws.route53),
    C(azure.azcollection.azure_rm_dnsrecordset) and C(community.digitalocean.digital_ocean_domain_record), whose
    collections have to be installed.
  - Those modules replace all values of a name, or remove one that resembles the wish. So what stands there is read
    first, and what others have goes back as it was, with its time to live. Only these values are made, and only these
    removed.
  - An alias with another target, and sets that are answered by weight, place or health, are refused before anything is
    changed.
  - What somebody else adds to the very same name and type between reading and writing, which are a second or so apart,
    can be lost at Route 53 and Azure where the name has other texts. Azure's removal takes no condition at all.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  records:
    description:
      - The records, in the shape of RV(certops.gogetssl.gogetssl_dcv_dns#module:records). Needed are V(zone), V(name),
        V(type), which is V(CNAME) or V(TXT), and V(value) or V(values). V(ttl) is 60 seconds unless given; a name that
        has other texts keeps the one they have.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) makes the records that are missing.
      - V(absent) removes these values of them.
      - V(checked) reads the zones, which shows whether credentials and zones are right, and changes nothing. It does
        not show whether the credentials may write.
    type: str
    choices: [present, absent, checked]
    default: present
  provider:
    description:
      - Whose module to use.
    type: str
    choices: [azure, digitalocean, route53]
    required: true
  options:
    description:
      - More options for that module, such as its credentials. What says which records to change cannot be given here.
      - Without them, it finds its credentials as it does elsewhere, in the environment of the controller for example.
        C(module_defaults) of its collection do not reach it.
    type: dict
    default: {}
  zone_ids:
    description:
      - Numbers of hosted zones at Route 53, zone to number, where there are several of the same name.
    type: dict
    default: {}
  resource_group:
    description:
      - The resource group of the zones at Azure.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_dcv_dns
  - module: certops.gogetssl.gogetssl_powerdns
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: See which records to make
  certops.gogetssl.gogetssl_dcv_dns:
    proofs: "{{ dcv.proofs }}"
  register: plan

- name: Make them
  certops.gogetssl.gogetssl_cloud_dns:
    records: "{{ plan.records }}"
    provider: route53
    options:
      profile: dns
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

from ..module_utils._cloud_dns import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
