#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_certificate_fetch
short_description: Copy certificates and private keys from the host that orders them
version_added: 1.0.0
description:
  - Reads shared certificates from the host that orders them and returns those that O(host) needs to copy. Run the
    module against the ordering host with C(delegate_to).
  - A certificate is returned if it is better than the one in O(installed). The module reads a private key only if its
    certificate is returned, and it reads no key in check mode. The module verifies that the key belongs to the
    certificate, and that the chain is valid.
  - The result contains private keys, and the task fails without C(no_log=true). The module does not write to any
    disk.
  - M(certops.gogetssl.gogetssl_certificate) installs the result. The role P(certops.gogetssl.gogetssl#role) runs both
    modules if O(certificates[].order_host) is another host.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.certificates
attributes:
  check_mode:
    support: full
    details: The module does not read private keys in check mode.
  diff_mode:
    support: N/A
    details: This module does not change anything.
  idempotent:
    support: full
options:
  certificates:
    description:
      - The certificates that O(host) requests. All of them must have the same O(certificates[].order_host), which
        must not be O(host).
      - The variable C(gogetssl_certificates) of the ordering host must contain an entry with the same
        O(certificates[].name) and O(certificates[].order_host), and with at least the same O(certificates[].names).
        Otherwise, no private key is read. The certificate is listed in RV(waiting) if it is in O(in_progress) or in
        O(installed) and not urgent, or else in RV(stopped). The task fails if this leaves nothing to do.
  directory:
    description:
      - Directory on the ordering host that has a subdirectory for each certificate.
  installed:
    description:
      - The RV(certops.gogetssl.gogetssl_certificate_info#module:certificates) that
        M(certops.gogetssl.gogetssl_certificate_info) returned for O(host).
      - A certificate without an entry counts as not installed.
    type: list
    elements: dict
    default: []
  in_progress:
    description:
      - Names of the certificates that the ordering host orders in this run. The module lists them in RV(waiting) even
        if no certificate is installed.
    type: list
    elements: str
    default: []
seealso:
  - module: certops.gogetssl.gogetssl_certificate
  - module: certops.gogetssl.gogetssl_certificate_info
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Read the certificates of this host
  certops.gogetssl.gogetssl_certificate_info:
    host: "{{ inventory_hostname }}"
    certificates: "{{ gogetssl_certificates }}" # all of them with order_host: web1
  register: local

- name: Fetch newer certificates from web1
  certops.gogetssl.gogetssl_certificate_fetch:
    host: "{{ inventory_hostname }}"
    certificates: "{{ gogetssl_certificates }}"
    installed: "{{ local.certificates }}"
  delegate_to: web1
  register: fetched
  no_log: true

- name: Install the certificates
  certops.gogetssl.gogetssl_certificate:
    certificates: "{{ fetched.certificates }}"
    private_keys: "{{ fetched.private_keys }}"
"""

RETURN = r"""
certificates:
  description: The certificates to copy, as M(certops.gogetssl.gogetssl_certificate) accepts them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    names:
      description: The requested names.
      type: list
      elements: str
      sample: [shop.example.com]
    certificate:
      description: The certificate in PEM format.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    chain:
      description: The CA certificates in PEM format.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    origin:
      description: The ordering host, its order and the end of the paid term, if the ordering host knows them.
      type: dict
      sample: {host: web1, order_id: 783956, end_date: "2027-11-23"}
private_keys:
  description: The private keys in PEM format, as a dictionary from certificate name to key. It is empty in check mode.
  returned: success
  type: dict
  sample: {}
waiting:
  description: The certificates for which the ordering host has no better certificate yet.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    reason:
      description: Reason for the wait.
      type: str
      sample: "shop: waits for web1, which orders it: it has nothing newer yet."
stopped:
  description: The certificates that cannot be copied, and for which no new certificate is expected.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    reason:
      description: Reason why the certificate cannot be copied.
      type: str
      sample: "shop: web1 orders it, but it has no certificate yet; run the play for web1."
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.certificate_fetch import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
