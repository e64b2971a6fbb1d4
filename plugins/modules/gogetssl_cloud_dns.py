#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_cloud_dns
short_description: Publish DCV records at Azure, Cloudflare, DigitalOcean, Hetzner and Route 53
version_added: 1.0.0
description:
  - Creates and removes CNAME and TXT records with the modules C(amazon.aws.route53),
    C(azure.azcollection.azure_rm_dnsrecordset), C(community.digitalocean.digital_ocean_domain_record),
    C(community.dns.hetzner_dns_record) and C(community.general.cloudflare_dns). Their collections must be installed.
  - The first three modules replace all values of a name, or remove a similar record. Therefore, the module first reads
    the existing values and keeps all other values and their TTL. It only creates and removes the values in O(records).
    The modules for Hetzner and Cloudflare change one value at a time.
  - At Route 53, Azure DNS and DigitalOcean, the module fails before any change if a CNAME record with another target
    exists, or if a record set uses weighted, geographic or health-based routing.
  - The options of the provider's module, such as its credentials, are printed neither by C(-vvvvv) nor by
    E(ANSIBLE_DEBUG).
  - At Route 53 and Azure DNS, a TXT value that another client adds to the same name between the read and the write
    can be lost. This interval takes about one second. The module for Azure DNS cannot
    remove a record set conditionally.
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
      - The DNS records, in the format of RV(certops.gogetssl.gogetssl_dcv_dns#module:records).
      - Each record requires C(zone), C(name), C(type), and C(value) or C(values). The type is V(CNAME) or V(TXT). The
        default of C(ttl) is 60 seconds. If the name already has other TXT values, their TTL is kept.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) creates the missing records.
      - V(absent) removes the values in O(records).
    type: str
    choices: [present, absent]
    default: present
  verify_only:
    description:
      - Whether to only verify the credentials and the zone names, by reading the zones. The module then changes
        nothing. At Cloudflare and Hetzner nothing is verified.
      - The verification does not include the write permission.
    type: bool
    default: false
  provider:
    description:
      - The DNS provider.
    type: str
    choices: [azure, cloudflare, digitalocean, hetzner, route53]
    required: true
  options:
    description:
      - Additional options of the provider's module, such as its credentials. Options that select records cannot be
        set here.
      - If empty, the provider's module uses its default credentials, for example the environment variables of the
        controller. The C(module_defaults) of its collection are not applied.
    type: dict
    default: {}
  zone_ids:
    description:
      - IDs of hosted zones at Route 53, as a dictionary from zone to ID. Set it if several hosted zones have the same
        name.
    type: dict
    default: {}
  resource_group:
    description:
      - Resource group of the zones at Azure DNS.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_dcv_dns
  - module: certops.gogetssl.gogetssl_powerdns
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: List the DCV records to create
  certops.gogetssl.gogetssl_dcv_dns:
    validations: "{{ dcv.validations }}"
  register: dns

- name: Create the DCV records
  certops.gogetssl.gogetssl_cloud_dns:
    records: "{{ dns.records }}"
    provider: route53
    options:
      profile: dns
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
from ..module_utils._tasks.cloud_dns import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
