#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_publish_dns
short_description: Publish the DCV records of several orders with a DNS provider
version_added: 1.0.0
description:
  - Publishes the DCV records of orders, verifies before an order that they can be published, and removes them.
  - Uses M(certops.gogetssl.gogetssl_nsupdate), M(certops.gogetssl.gogetssl_powerdns),
    M(certops.gogetssl.gogetssl_lexicon) or M(certops.gogetssl.gogetssl_cloud_dns) on the controller. Their options are
    the variables of the role P(certops.gogetssl.gogetssl#role), for example C(gogetssl_nsupdate_server). The host does
    not receive them.
  - If this fails for several orders together, the module tries each order separately. It does not fail then, but
    returns the failing orders in RV(stopped).
  - Before records are published, the module writes a note to the host of the certificates, in the file
    C(.dns-ORDER.json) in O(directory). It deletes the note after the records are removed.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.nameservers
  - certops.gogetssl.places
attributes:
  check_mode:
    support: full
    details:
      - In check mode, the module verifies and plans, but neither publishes records nor writes notes.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(verified) finds the zone of each name of O(certificates) and tests the provider. It changes nothing.
      - V(present) publishes the missing records of O(validations). It rejects records whose name has a conflicting
        record.
      - V(absent) removes the noted records of orders that are not in O(pending_order_ids). Records of other names than
        those of O(certificates) are not removed, but shown, because the host could note any record.
    type: str
    choices: [verified, present, absent]
    default: present
  certificates:
    description:
      - The certificates to verify, or their orders as M(certops.gogetssl.gogetssl_order) returns them. Names without
        the method V(dns) are ignored.
      - With O(state=absent), the certificates of the host, each with its C(names).
    type: list
    elements: dict
    default: []
  validations:
    description:
      - The validations, as M(certops.gogetssl.gogetssl_dcv) returns them. Validations without a DCV record are
        ignored.
    type: list
    elements: dict
    default: []
  pending_order_ids:
    description: IDs of the orders that still need their records.
    type: list
    elements: int
    default: []
  managed_certificates:
    description:
      - Names of the certificates that this run manages. Records of orders that the journal of another certificate in
        O(directory) names are not removed.
      - If not set, the journals are not read.
    type: list
    elements: str
  keep_records:
    description: Whether V(absent) only deletes the notes.
    type: bool
    default: false
  provider:
    description: The DNS provider. Records are removed with the provider that is noted with them.
    type: str
    default: ''
  hooks:
    description:
      - Names of providers for which the user has a task file. Their records are not published by this module, but
        returned in RV(hooks).
    type: list
    elements: str
    default: []
  hooked:
    description:
      - The RV(hooks) of an earlier task with O(state=absent). Deletes the notes of their orders, and does nothing else.
    type: list
    elements: dict
  hook_failures:
    description: Failures of O(hooked), with C(order_id) and C(reason). These orders keep their notes.
    type: list
    elements: dict
    default: []
  directory:
    description:
      - Directory on the host that has a subdirectory for each certificate.
    type: path
    default: /etc/gogetssl
seealso:
  - module: certops.gogetssl.gogetssl_dcv
  - module: certops.gogetssl.gogetssl_dcv_dns
  - module: certops.gogetssl.gogetssl_publish_http
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Read the validation data
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: dcv

- name: Publish the DCV records by dynamic updates
  certops.gogetssl.gogetssl_publish_dns:
    validations: "{{ dcv.validations }}"
    provider: nsupdate
  vars:
    gogetssl_nsupdate_server: ns1.example.com
    gogetssl_nsupdate_key_name: certificates
    gogetssl_nsupdate_key_secret: "{{ vault_tsig }}"

- name: Remove the records of all orders of these names
  certops.gogetssl.gogetssl_publish_dns:
    state: absent
    certificates:
      - names: [shop.example.com]
  vars:
    gogetssl_nsupdate_server: ns1.example.com
    gogetssl_nsupdate_key_name: certificates
    gogetssl_nsupdate_key_secret: "{{ vault_tsig }}"
"""

RETURN = r"""
stopped:
  description: The orders whose records could not be published or removed, or the certificates that failed the check.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      returned: O(state=present) and O(state=absent)
      type: int
      sample: 1234567
    name:
      description: Name of the certificate.
      returned: O(state=verified)
      type: str
      sample: shop
    reason:
      description: The problem and how to fix it.
      type: str
hooks:
  description: Calls of the user's task files, each for one order and provider.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      returned: O(state=present) and O(state=absent)
      type: int
      sample: 1234567
    name:
      description: Name of the certificate.
      returned: O(state=verified)
      type: str
      sample: shop
    phase:
      description: The O(state) of the task.
      type: str
      sample: present
    provider:
      description: The provider.
      type: str
      sample: mine
    state:
      description: Whether the records are to be created (V(present)) or removed (V(absent)).
      type: str
      sample: present
    verify_only:
      description: Whether only the access is to be tested.
      type: bool
      sample: false
    records:
      description: The records, in the structure of RV(certops.gogetssl.gogetssl_dcv_dns#module:records).
      type: list
      elements: dict
cached:
  description:
    - Records for which resolvers may have cached a negative or an old response, in the structure of
      RV(certops.gogetssl.gogetssl_dcv_dns#module:cached).
  returned: success
  type: list
  elements: dict
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.publish_dns import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
