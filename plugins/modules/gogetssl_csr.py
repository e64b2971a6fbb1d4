#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_csr
short_description: Make private keys and certificate signing requests on the host
version_added: 1.0.0
description:
  - Makes for every certificate a private key and a CSR, and stages them until their certificate comes. What is
    installed is not touched.
  - The key is born on the host and stays there, readable by its owner alone. It is in no result, no log and no diff.
    Only O(generator=gogetssl), which nothing in this collection asks for by itself, has it made elsewhere.
  - A staged pair that matches the wish is kept. One that does not is replaced, but never while an order may be open for
    its key; it is then returned with RV(requests[].matches_wish=false).
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.api
  - certops.gogetssl.certificates
requirements:
  - The Python library C(cryptography) on the host, version 3.2 or newer.
attributes:
  check_mode:
    support: full
    details: What would be made is returned without a CSR.
  diff_mode:
    support: full
    details: Shows names, subject, kind and fingerprint of the keys, never a key.
  idempotent:
    support: full
options:
  generator:
    description:
      - Who makes the private keys.
      - With V(gogetssl), GoGetSSL makes those that are lacking and sends them to the controller, whose memory they pass
        on the way to the host. The key is then known to more than the host, and a warning says so. The CSR is signed on
        the host, with all names.
      - V(gogetssl) makes C(rsa-2048) keys only, and needs a connection that can do pipelining, such as ssh, over which
        the key goes on standard input; pipelining need not be switched on. The options of the API are used for it alone
        and never reach the host.
    type: str
    choices: [local, gogetssl]
    default: local
notes:
  - The files are C(staged/privkey.pem) and C(staged/request.csr) in the certificate's directory.
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_certificate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Make keys and requests
  certops.gogetssl.gogetssl_csr:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        product: 68
        key_type: ecdsa-p256
  register: made

- name: The same with keys made by GoGetSSL, for those who have to
  certops.gogetssl.gogetssl_csr:
    directory: /etc/gogetssl
    certificates:
      - name: blog
        names: [blog.example.com]
        product: 66
    generator: gogetssl

- name: Order the certificates
  certops.gogetssl.gogetssl_order:
    certificates: "{{ certificates }}"
    requests: "{{ made.requests }}"
"""

RETURN = r"""
requests:
  description: One entry for each of O(certificates), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    csr:
      description: The CSR in PEM form, or null in check mode if it would have to be made.
      type: str
      sample: "-----BEGIN CERTIFICATE REQUEST-----..."
    common_name:
      description: The common name of the CSR.
      type: str
      sample: shop.example.com
    names:
      description: All names of the CSR, the common name first.
      type: list
      elements: str
      sample: [shop.example.com, www.shop.example.com]
    key_type:
      description: The kind of key.
      type: str
      sample: ecdsa-p256
    public_key:
      description: SHA-256 of the public key (SubjectPublicKeyInfo) as hexadecimal digits, or null if there is none yet.
      type: str
      sample: 1f0f3c7a2b5d4e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7
    matches_wish:
      description: Whether the CSR is for what is wished for. V(false) if it was kept for the sake of an order.
      type: bool
      sample: true
    reason:
      description: Why the pair was made or kept.
      type: str
      sample: no usable key is staged
    changed:
      description: Whether the CSR was made by this task.
      type: bool
      sample: true
"""

from ..module_utils._csr import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
