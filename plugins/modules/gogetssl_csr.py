#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_csr
short_description: Create private keys and certificate signing requests (CSRs) on the host
version_added: 1.0.0
description:
  - Creates a private key and a CSR for each certificate, and stages them until the certificate is issued. Installed
    certificates are not changed.
  - The private key is created on the host, does not leave the host, and is only readable by its owner. Results, logs
    and diffs do not contain it. The only exception is O(generator=gogetssl), which the role
    P(certops.gogetssl.gogetssl#role) does not use unless it is configured.
  - The module keeps a staged key and CSR that match the requested certificate. Otherwise, the module replaces them,
    unless an order for the key can still be open. In this case, it returns the staged CSR with
    RV(requests[].matches_spec=false).
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.api
  - certops.gogetssl.certificates
requirements:
  - Python 3.9 or later on the host.
  - The Python library C(cryptography) on the host, version 3.2 or later.
attributes:
  check_mode:
    support: full
    details: In check mode, the result does not contain CSRs that are not created yet.
  diff_mode:
    support: full
    details: The diff shows names, subject, key type and fingerprint. It never contains a private key.
  idempotent:
    support: full
options:
  generator:
    description:
      - Where the private keys are generated.
      - V(local) generates them on the host.
      - V(gogetssl) requests them from the GoGetSSL API. They are sent to the host through the memory of the
        controller. The CSR is signed on the host. The module returns a warning, because the keys are then known
        outside the host.
      - V(gogetssl) only supports the key type V(rsa-2048). It requires a connection that supports pipelining, such as
        SSH, but pipelining does not have to be enabled. The options of the API are only used with V(gogetssl), and
        are never sent to the host.
    type: str
    choices: [local, gogetssl]
    default: local
  keep_versions:
    description:
      - The option O(certops.gogetssl.gogetssl_certificate#module:keep_versions) of the later installation. The module
        only checks it, so that an invalid value is reported before the certificate is ordered.
    type: int
    default: 3
  services:
    description:
      - The option O(certops.gogetssl.gogetssl_deploy#module:services) of the later deployment. The module only checks
        that the programs of the test commands exist on the host, for the services of O(certificates), because nothing
        is installed for a service that cannot be tested.
    type: dict
    default: {}
  trusted_roots:
    description:
      - The option O(certops.gogetssl.gogetssl_certificate#module:trusted_roots) of the later installation. The module
        only checks that it contains certificates.
    type: str
  store_password:
    description:
      - The option O(certops.gogetssl.gogetssl_certificate#module:store_password) of the later installation. The module
        only checks it, and requires it for certificates with the forms V(pkcs12), V(pkcs12_legacy) or V(jks).
    type: str
  probe_files:
    description:
      - Files to publish under O(web_root) in the same visit, such as the probe of
        M(certops.gogetssl.gogetssl_preflight). Entries are those of
        O(certops.gogetssl.gogetssl_dcv_file#module:files). If they cannot be published, RV(probe_problem) is set, and
        the module succeeds.
    type: list
    elements: dict
    default: []
  web_root:
    description:
      - The web root of O(probe_files).
    type: path
  keep_going:
    description:
      - Whether the module succeeds if it cannot create the key of a certificate. With V(true), such certificates are
        only listed in RV(stopped), so that the play can finish the other certificates first. The play must then
        evaluate RV(stopped).
    type: bool
    default: false
notes:
  - The module also checks that the owner and the group of the files exist on the host, and that the requested forms
    can be created there.
  - The files are C(staged/privkey.pem) and C(staged/request.csr) in the directory of the certificate.
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_certificate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Create private keys and CSRs
  certops.gogetssl.gogetssl_csr:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        product: 68
        key_type: ecdsa-p256
  register: csr

- name: Create a CSR for a private key that GoGetSSL generates
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
    requests: "{{ csr.requests }}"
"""

RETURN = r"""
requests:
  description: One entry for each of O(certificates), in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    csr:
      description: The CSR in PEM format. In check mode, it is null if the CSR does not exist yet.
      type: str
      sample: "-----BEGIN CERTIFICATE REQUEST-----..."
    common_name:
      description: The common name of the CSR.
      type: str
      sample: shop.example.com
    names:
      description: All names in the CSR. The common name is the first one.
      type: list
      elements: str
      sample: [shop.example.com, www.shop.example.com]
    key_type:
      description: Type and size of the private key.
      type: str
      sample: ecdsa-p256
    public_key:
      description: SHA-256 hash of the public key (SubjectPublicKeyInfo) in hexadecimal, or null if there is no key yet.
      type: str
      sample: 1f0f3c7a2b5d4e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7
    matches_spec:
      description:
        - Whether the CSR matches the requested certificate. It is false if the module kept another CSR because of an
          open order.
      type: bool
      sample: true
    reason:
      description: Reason why the CSR was created or kept.
      type: str
      sample: no usable key is staged
    changed:
      description: Whether this task created the CSR.
      type: bool
      sample: true
stopped:
  description: The certificates that got no key. It is empty unless O(keep_going=true).
  returned: success
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
      sample: "shop: There is no user tomcat on this host. Create the user, or correct owner."
probe_problem:
  description: Reason why O(probe_files) could not be published; empty if they were.
  returned: success
  type: str
  sample: ""
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.csr import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
