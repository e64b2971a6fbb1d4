#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv_dns_info
short_description: Check whether DCV records can be published, and list stale ones
version_added: 1.0.0
description:
  - Checks before an order whether the DCV records of certificates can be published.
  - Lists published DCV records that are not needed any more, from the notes that M(certops.gogetssl.gogetssl_dcv_dns)
    wrote to the host.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.info
  - certops.gogetssl.nameservers
  - certops.gogetssl.places
options:
  certificates:
    description:
      - The certificates to check. The module reads C(name), C(names) and C(dcv), which have the same meaning as in
        M(certops.gogetssl.gogetssl_order).
      - The module checks that each name with the method V(dns) has a zone, and that the dependencies of the provider
        are installed.
      - At least one of O(certificates) and O(pending_order_ids) is required.
    type: list
    elements: dict
  pending_order_ids:
    description:
      - IDs of the orders that still need their records. The noted records of all other orders are returned in
        RV(stale_records).
    type: list
    elements: int
  managed_certificates:
    description:
      - Names of the certificates that this run manages, pending or not. Records of orders that the journal of another
        certificate in O(directory) names are not returned in RV(stale_records).
      - If not set, the journals are not read.
    type: list
    elements: str
  provider:
    description:
      - Name of the DNS provider that publishes the records. It is used in messages.
    type: str
    default: ''
  collections:
    description:
      - Ansible collections that the provider requires on the controller.
    type: list
    elements: str
    default: []
  libraries:
    description:
      - Python libraries that the provider requires on the controller, as a dictionary from import name to the
        argument of C(pip install).
    type: dict
    default: {}
  directory:
    description:
      - Directory on the host that has a subdirectory for each certificate.
    type: path
    default: /etc/gogetssl
seealso:
  - module: certops.gogetssl.gogetssl_dcv_dns
  - module: certops.gogetssl.gogetssl_preflight
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Check whether DCV records can be published with dns-lexicon
  certops.gogetssl.gogetssl_dcv_dns_info:
    certificates:
      - name: shop
        names: [shop.example.com]
        dcv: dns
    zones:
      shop.example.com: example.com
    provider: lexicon
    libraries:
      lexicon: dns-lexicon
  register: dns

- name: List the DCV records of all orders but one
  certops.gogetssl.gogetssl_dcv_dns_info:
    pending_order_ids: [1234567]
"""

RETURN = r"""
test_records:
  description:
    - A test record for each name that needs a DCV record. Publishers can verify their access with it. It must not be
      created.
  returned: when O(certificates) is set
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
      sample: _gogetssl-check.shop.example.co.uk
    record:
      description: The name relative to the zone. The name of the zone itself is V(@).
      type: str
      sample: _gogetssl-check.shop
    type:
      description: The record type, V(CNAME) or V(TXT).
      type: str
      sample: CNAME
    value:
      description: The first value of the record. The list C(values) contains all values.
      type: str
      sample: gogetssl-check.invalid
    ttl:
      description: TTL of the record in seconds.
      type: int
      sample: 60
    provider:
      description: The O(provider) of the record.
      type: str
      sample: nsupdate
certificates:
  description: Names of the certificates that need DCV records.
  returned: when O(certificates) is set
  type: list
  elements: str
  sample: [shop]
stopped:
  description: The certificates whose records cannot be published.
  returned: when O(certificates) is set
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    reason:
      description: The problem and how to fix it.
      type: str
      sample: "shop: _gogetssl-check.www.example.org has no zone of its own."
stale_records:
  description:
    - The noted records of other orders than O(pending_order_ids). The structure is that of RV(test_records).
    - The host could note records of other names. Before you remove them, compare them with the names of its
      certificates, as M(certops.gogetssl.gogetssl_publish_dns) does.
  returned: when O(pending_order_ids) is set
  type: list
  elements: dict
stale_order_ids:
  description: IDs of the orders of RV(stale_records).
  returned: when O(pending_order_ids) is set
  type: list
  elements: int
  sample: [1234566]
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.dcv_dns_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
