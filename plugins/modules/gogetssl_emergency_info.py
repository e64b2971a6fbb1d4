#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_emergency_info
short_description: Select the certificates that an emergency affects
version_added: 1.0.0
description:
  - Selects certificates of many hosts that need new keys, and the waves in which to replace them. All hosts that share
    a certificate are selected together.
  - With O(selected), it reports what became of the certificates that it selected earlier, with the duration, the number
    of API requests and the cost of the run.
  - The module changes nothing. It makes one request if O(select) names a product, and otherwise none. The playbook
    C(certops.gogetssl.emergency) uses it.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.info
options:
  hosts:
    description:
      - The hosts as in O(certops.gogetssl.gogetssl_report#module:hosts). With O(selected), each may also have the
        variables C(gogetssl_plan), C(__gogetssl_emergency_failure) and C(__gogetssl_emergency_ok).
    type: list
    elements: dict
    required: true
  select:
    description:
      - V(all), or a map. A certificate must match all keys, and one of the values of each key. A value is a text or a
        list of texts.
      - C(certificates) are names in C(gogetssl_certificates), C(names) are DNS names, C(issuer) is a part of the
        issuer's name, C(product) is the ID or name of a product, C(serial) is a hexadecimal serial number, and
        C(issued_before) is a date or time.
      - Required without O(selected).
    type: raw
  since:
    description:
      - Date or time from which a key counts as new. Certificates with a newer key are not replaced again.
      - Required except in check mode.
    type: str
  deadline:
    description: Date or time until which the certificates have to be replaced.
    type: str
  canary:
    description: Hosts of the first wave. The default is the first host with a selected certificate.
    type: list
    elements: str
    default: []
  batches:
    description: Numbers or percentages of hosts in the waves, of which the last one is repeated.
    type: list
    elements: str
    default: ["1", "10%", "100%"]
  issuance_minutes:
    description: Time that the CA takes in each wave, for the estimate in check mode.
    type: float
    default: 5.0
  selected:
    description: The result of the module at the start of the run.
    type: dict
seealso:
  - module: certops.gogetssl.gogetssl_certificate_info
  - module: certops.gogetssl.gogetssl_report
"""

EXAMPLES = r"""
- name: Read the installed certificates
  certops.gogetssl.gogetssl_certificate_info:
    certificates: "{{ gogetssl_certificates }}"
  register: installed

- name: Select the certificates that a CA revokes
  certops.gogetssl.gogetssl_emergency_info:
    hosts: "{{ hostvars | certops.gogetssl.fleet_hosts(ansible_play_hosts_all, 'installed') }}"
    select:
      issuer: Sectigo
      issued_before: "2026-11-20"
    since: "2026-11-27T03:00:00Z"
  run_once: true
  register: affected
"""

RETURN = r"""
targets:
  description: The selected certificates.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: Name of the host.
      type: str
      sample: web1
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    names:
      description: Its DNS names.
      type: list
      elements: str
      sample: [shop.example.com]
    order_id:
      description: ID of its order, or null.
      type: int
      sample: 783956
    serial:
      description: Serial number at the start of the run.
      type: str
      sample: 3f1c0b2a9d8e7f60
    issuer:
      description: Name of its issuer.
      type: str
      sample: CN=Sectigo RSA Domain Validation Secure Server CA
    not_after:
      description: End of its validity at the start of the run (ISO 8601, UTC), or null.
      type: str
      sample: "2027-06-10T00:00:00+00:00"
    due:
      description: Whether it gets a new key in this run.
      type: bool
      sample: true
unknown:
  description: Hosts that could not be read, and their certificates that may be affected.
  returned: success
  type: list
  elements: dict
hosts:
  description: The hosts of the selected certificates in the order of the waves.
  returned: success
  type: list
  elements: str
  sample: [web1, web2]
waves:
  description: The number of hosts in each wave.
  returned: success
  type: list
  elements: int
  sample: [1, 5, 44]
once:
  description:
    - The options of the certificates to replace, for the filter C(certops.gogetssl.one_run_certificates).
  returned: success
  type: dict
  sample: {web1: {shop: {rekey: "2026-11-27T03:00:00+00:00"}}}
validated_hosts:
  description: Hosts whose certificates all have domain validations that the CA may use again.
  returned: success
  type: list
  elements: str
  sample: [web1]
since:
  description: The time from which a key counts as new.
  returned: success
  type: str
  sample: "2026-11-27T03:00:00+00:00"
started:
  description: Time of the selection in seconds since the epoch.
  returned: success
  type: float
  sample: 1795748400.0
remaining:
  description: What is not replaced, and why. In check mode and before the run, only what cannot be replaced.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: Name of the host.
      type: str
      sample: web2
    name:
      description: Name of the certificate.
      type: str
      sample: mail
    reason:
      description: Why it is not replaced.
      type: str
      sample: No route to host
    not_after:
      description: End of the installed or served certificate (ISO 8601, UTC), or null.
      type: str
      sample: "2027-06-10T00:00:00+00:00"
revoke:
  description: The former certificates of what was replaced, which only the CA can revoke.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 783956
    serial:
      description: Serial number of the former certificate.
      type: str
      sample: 3f1c0b2a9d8e7f60
    names:
      description: Its DNS names.
      type: list
      elements: str
      sample: [shop.example.com]
figures:
  description:
    - With O(selected), the number of C(certificates), C(hosts) and C(waves), the duration in C(minutes), the number of
      C(api_calls), and the C(cost) in minor units of the C(currency) (cents). C(estimated) is true in check mode.
  returned: success
  type: dict
  sample: {certificates: 500, hosts: 50, waves: 3, minutes: 31.5, api_calls: 4210, cost: 0}
lines:
  description: The result in sentences.
  returned: success
  type: list
  elements: str
  sample: ["1 certificates on 1 hosts are selected, and 1 of them get new keys, free of charge. Waves: 1 hosts."]
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.emergency_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
