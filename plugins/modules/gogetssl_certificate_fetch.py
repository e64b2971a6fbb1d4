#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_certificate_fetch
short_description: Fetch certificates with their keys from the host that orders them
version_added: 1.0.0
description:
  - For certificates that several hosts share. It runs against the host that orders them, by C(delegate_to), and tells
    what the host of the play, O(host), should copy from there.
  - Copied is what is better than what O(installed) says. A key is read only if its certificate is to be copied, and not
    at all in check mode. Whether the key belongs to the certificate and the chain leads on is checked before it is
    handed on.
  - The result holds private keys. The task refuses to run without C(no_log). Nothing is written to any disk.
  - M(certops.gogetssl.gogetssl_certificate) installs what it returns. The role P(certops.gogetssl.gogetssl#role) does
    all of this where O(certificates[].order_host) is another host.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.certificates
attributes:
  check_mode:
    support: full
    details: No key is read.
  diff_mode:
    support: N/A
    details: It changes nothing.
  idempotent:
    support: full
options:
  certificates:
    description:
      - The certificates to fetch, as O(host) wishes for them. All of them must have the same
        O(certificates[].order_host), which must not be O(host).
  directory:
    description:
      - The directory on the host that orders, which has a directory for each certificate.
  installed:
    description:
      - What O(host) has, the V(certificates) that M(certops.gogetssl.gogetssl_certificate_info) has returned there.
        What is missing in it counts as not installed.
    type: list
    elements: dict
    default: []
  at_work:
    description:
      - Names of certificates that the ordering host is about to obtain in this run. They are waited for even where
        nothing is installed.
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
- name: Look at what is installed here
  certops.gogetssl.gogetssl_certificate_info:
    host: "{{ inventory_hostname }}"
    certificates: "{{ gogetssl_certificates }}" # all of them with order_host: web1
  register: found

- name: Fetch what is better over there
  certops.gogetssl.gogetssl_certificate_fetch:
    host: "{{ inventory_hostname }}"
    certificates: "{{ gogetssl_certificates }}"
    installed: "{{ found.certificates }}"
  delegate_to: web1
  register: fetched
  no_log: true

- name: Install it
  certops.gogetssl.gogetssl_certificate:
    certificates: "{{ fetched.certificates }}"
    private_keys: "{{ fetched.private_keys }}"
"""

RETURN = r"""
certificates:
  description: What is to be copied, as M(certops.gogetssl.gogetssl_certificate) takes it.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    names:
      description: The names wished for.
      type: list
      elements: str
      sample: [shop.example.com]
    certificate:
      description: The certificate in PEM form.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    chain:
      description: The authority's certificates in PEM form.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    origin:
      description: The host that orders it, its order and the end of the paid term, as far as they are known there.
      type: dict
      sample: {host: web1, order_id: 783956, end_date: "2027-11-23"}
private_keys:
  description: The private keys in PEM form, by the names of their certificates. Empty in check mode.
  returned: success
  type: dict
  sample: {}
waiting:
  description: Certificates for which there is nothing better yet, while there is time to wait.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    reason:
      description: What is waited for, in a sentence.
      type: str
      sample: "shop: waits for web1, which orders it: it has nothing newer yet."
stopped:
  description: Certificates that would be waited for in vain, or that cannot be copied.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    reason:
      description: Why, in a sentence.
      type: str
      sample: "shop: web1 orders it, but it has no certificate yet; run the play for web1."
"""

from ..module_utils._certificate_fetch import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
