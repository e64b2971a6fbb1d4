#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_adoption_info
short_description: Find the orders of certificates whose hosts lost their records
version_added: 1.0.0
description:
  - For each certificate of which its host has nothing, neither a certificate nor a journal, the module searches the
    account for the order. It returns an order only if exactly one active order fits that no other host uses.
  - An order fits if it is for the same product and for exactly the requested names. If a service of the host still
    serves a certificate, the order must have issued it.
  - If another host requests the same names and could not be read, or lost its records too, no order is returned.
  - The lists of the account take about ten requests, and each order that may fit takes one more. The module changes
    nothing. The playbook C(certops.gogetssl.adopt) uses it.
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
      - The hosts as in O(certops.gogetssl.gogetssl_report#module:hosts). Pass all hosts of the inventory, also those
        that were not read, because they may use an order.
    type: list
    elements: dict
    required: true
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_report
"""

EXAMPLES = r"""
- name: Find the orders of lost directories
  certops.gogetssl.gogetssl_adoption_info:
    hosts: "{{ hostvars | certops.gogetssl.fleet_hosts(groups['all'], 'installed') }}"
  run_once: true
  register: adoption
"""

RETURN = r"""
matches:
  description: The certificates with exactly one fitting order.
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
    order_id:
      description: ID of the order, the value for O(certops.gogetssl.gogetssl_order#module:certificates[].adopt).
      type: int
      sample: 783956
unmatched:
  description: The certificates without a unique order.
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
      description: Why no order was selected.
      type: str
      sample: orders 7, 8 fit. Set adopt to one of them
lines:
  description: One sentence for each of the certificates.
  returned: success
  type: list
  elements: str
  sample: ["shop on web1: order 783956: names and product fit, no other order does"]
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.adoption_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
