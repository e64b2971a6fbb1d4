#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_certificate
short_description: Install certificates on a host, or roll them back
version_added: 1.0.0
description:
  - Installs the private key, the certificate and the chain together. Each version has its own directory, which is
    named after the serial number. The symbolic link C(current) points to the current version and is replaced
    atomically. Services that read C(current/fullchain.pem) and C(current/privkey.pem) get either the complete old
    version or the complete new version, even if the task is interrupted.
  - The private key is the one that M(certops.gogetssl.gogetssl_csr) staged, the key of a version on the host, or one
    of O(private_keys).
  - The module checks all certificates before it writes the first file. A certificate must cover its names and must
    not have expired. Each certificate in the chain must be signed by the next one. The private key must be available
    on the host. If the chain is in the wrong order and only one order is possible, the module corrects it.
  - The module installs a certificate whose validity starts up to 15 hours in the future, because the clock of the
    host is assumed to be wrong. Other programs on the host reject the certificate until its validity starts.
  - A version can contain additional formats, such as a bundle for HAProxy or keystores for Java. The module compares
    the content of keystores instead of their bytes, because the bytes differ each time a keystore is written.
  - The module sets the requested owner, group and mode of the files. On hosts with SELinux, it sets the labels that
    the policy defines.
  - The module does not reload services. The role P(certops.gogetssl.gogetssl#role) reloads them and verifies the
    served certificate. It then runs the module with O(state=verified), or with O(state=previous) if the verification
    fails.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
requirements:
  - Python 3.9 or later on the host.
  - The Python library C(cryptography) on the host, version 3.2 or later.
  - For PKCS#12 keystores, version 38 or later of the Python library C(cryptography), or the command C(openssl), on
    the host.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff shows serial numbers, names, issuers and dates. It never contains a private key.
  idempotent:
    support: full
options:
  certificates:
    description:
      - The certificates. Entries can be passed as other modules of this collection return them. Unknown keys are
        ignored.
      - Every entry requires C(name), the name of the certificate on this host.
      - O(state=present) requires C(names), the list of names that the certificate must cover, C(certificate), the
        certificate in PEM format, and C(chain), the CA certificates in PEM format, each signed by the next one.
        Without C(certificate), the module adds missing files to the installed version.
      - With O(state=present), C(forms), C(alias), C(owner), C(group) and C(mode) have the same meaning as in
        M(certops.gogetssl.gogetssl_certificate_info).
      - With O(state=present) and C(unverified=true), a new version is marked before services can read it. Until
        O(state=verified) removes the mark, M(certops.gogetssl.gogetssl_certificate_info) lists the certificate in
        RV(certops.gogetssl.gogetssl_certificate_info#module:install).
      - With O(state=present), C(origin) records that the version is a copy.
        M(certops.gogetssl.gogetssl_certificate_fetch) returns it.
      - O(state=previous) requires C(previous_serial), the serial number of the version to restore. If it is an empty
        string, the module removes C(current). An entry with C(changed=false) is ignored. If C(serial) is set and is
        not the current version, the module fails.
      - With O(state=verified), C(serial) is the version that services were verified to serve. Without it, the module
        does not remove the mark.
      - O(state=adopted) requires C(adopt_files), a dictionary with the paths C(certificate) and C(key), and C(chain)
        if the chain is in a separate file. Entries of the role variable C(gogetssl_certificates) have this key.
      - With O(state=absent), C(served) is the list that M(certops.gogetssl.gogetssl_certificate_info) returns, and
        C(cancelled) states whether the order is cancelled. Both are optional.
    type: list
    elements: dict
    required: true
  directory:
    description:
      - Directory on the host that has a subdirectory for each certificate.
      - The directory and its parent directories must be owned by V(root) or by the user that runs the task, and must
        not be world-writable.
    type: path
    default: /etc/gogetssl
  keep_versions:
    description:
      - Number of versions to keep. The current version and the previous version are always kept.
    type: int
    default: 3
  private_keys:
    description:
      - Private keys in PEM format, as a dictionary from certificate name to key. Use it for keys that were not
        created on this host.
      - The keys are sent through a pipe and are only written to the directory of their version. If the connection
        does not support pipelining, the task fails before it sends the keys.
    type: dict
    default: {}
  trusted_roots:
    description:
      - CA certificates in PEM format. The chain must contain one of them, or end with a certificate that one of them
        signed.
      - If not set, the chain can end with any CA certificate.
    type: str
  store_password:
    description:
      - Password of the keystores V(pkcs12), V(pkcs12_legacy) and V(jks), and of the private keys in them.
      - The password must have at least 6 printable ASCII characters, because C(keytool) of Java requires this. If the
        password changes, the keystores are written again.
    type: str
  force:
    description:
      - Whether O(state=absent) skips its checks and always removes the certificate.
      - If the record of a purchase in progress is removed, the certificate can be paid for twice.
    type: bool
    default: false
  state:
    description:
      - V(present) installs the certificates.
      - V(previous) rolls back to the previous version. O(certificates) are the RV(certificates) that V(present)
        returned. If no other key is staged, the module stages the key of the replaced version again. Its certificate
        can then be installed later without a new order.
      - V(adopted) copies the files of a certificate that the host already uses to O(directory), as the first version.
        The private key must belong to the certificate, and it does not leave the host. The original files are not
        changed. If a version is already installed, the module does nothing.
      - V(verified) removes the mark of an unverified version. It also removes files left by an interrupted run, such as
        incomplete files or a second copy of the installed key. It does not change files that services read.
      - V(purged) removes all versions but the installed one, and staged keys that no open order uses. A compromised key
        can then not be restored. Each entry of O(certificates) needs the C(serial) of the installed certificate. The
        module fails while the installed version is not verified.
      - V(absent) removes the directory of each certificate with its keys, versions and journal. The module fails
        while a purchase is in progress, while the certificate of the newest order is not installed, or while a
        listener in C(served) serves the certificate. It does not cancel orders.
    type: str
    choices: [present, previous, adopted, verified, purged, absent]
    default: present
seealso:
  - module: certops.gogetssl.gogetssl_csr
  - module: certops.gogetssl.gogetssl_certificate_fetch
  - module: certops.gogetssl.gogetssl_certificate_info
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Install a certificate
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        certificate: "{{ lookup('ansible.builtin.file', 'shop.crt') }}"
        chain: "{{ lookup('ansible.builtin.file', 'shop-chain.crt') }}"
  register: installed

- name: Add a bundle for HAProxy and a keystore for Java to the installed certificate
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        forms: [haproxy, pkcs12]
        alias: tomcat
        mode: '0640'
    store_password: "{{ keystore_password }}"

- name: Adopt a certificate that nginx uses
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        adopt_files:
          certificate: /etc/ssl/shop-bundle.crt
          key: /etc/ssl/private/shop.key
    state: adopted

- name: Confirm that the services serve the new version
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates: "{{ installed.certificates }}"
    state: verified

- name: Remove the former keys of a certificate that has a new key
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        serial: "{{ installed.certificates[0].serial }}"
    state: purged

- name: Roll back to the previous version
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates: "{{ installed.certificates }}"
    state: previous

- name: Remove a certificate that no service uses
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
    state: absent
"""

RETURN = r"""
certificates:
  description: One entry for each of O(certificates), in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    serial:
      description:
        - Serial number of the current version in hexadecimal. It is an empty string if there is no version after
          O(state=previous) or O(state=absent).
      type: str
      sample: 3f1c0b2a9d8e7f60
    previous_serial:
      description: Serial number of the previous version, or an empty string if there is none.
      type: str
      sample: 2e0b1a998c7d6e5f
    path:
      description: Path that services must read from.
      type: str
      sample: /etc/gogetssl/shop/current
    not_after:
      description:
        - End of the current certificate's validity in ISO 8601 format, or an empty string if there is no certificate.
      type: str
      sample: '2027-03-01T00:00:00+00:00'
    forms:
      description: The additional formats of the current version.
      type: list
      elements: str
      sample: [haproxy]
    changed:
      description: Whether services must read the files again.
      type: bool
      sample: true
    moved:
      description:
        - Whether C(current) points to another version than before. If it is false, O(state=previous) ignores the
          entry.
      type: bool
      sample: true
    unverified:
      description:
        - Whether the current version is still marked as unverified, which means that services were not verified to
          serve it.
      type: bool
      sample: false
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.certificate import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
