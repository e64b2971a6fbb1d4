#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_certificate
short_description: Install certificates on the host, or go back to the previous ones
version_added: 1.0.0
description:
  - Installs key, certificate and chain together. Each version has a directory of its own, named after the serial
    number, and one symbolic link, C(current), is moved from one to the other. Services that read
    C(current/fullchain.pem) and C(current/privkey.pem) find the whole old version or the whole new one, whatever
    happens to the task.
  - The key is the one that M(certops.gogetssl.gogetssl_csr) has staged, that of a version which is kept, or one of
    O(private_keys).
  - Everything is checked for all certificates before anything is written for the first one. The certificate must cover
    the names and must not have ended, the chain must lead from one signature to the next, and the key must be on the
    host. A chain in another order is put right if there is only one right order.
  - A certificate that begins up to 15 hours from now by the clock of the host is installed nevertheless, because it is
    the clock that is wrong. Other programs on the host will not trust it until the clock has got there.
  - Beside the PEM files a version can have other forms, such as a bundle for HAProxy or keystores for Java. They are
    compared by what they hold, not by their bytes, which differ each time a keystore is written.
  - Owner, group and mode of the files are kept as wished for. On hosts with SELinux the files get the labels that the
    policy has for their place.
  - This module reloads no service. The role P(certops.gogetssl.gogetssl#role) does, compares what is served, and goes
    back with O(state=previous) if it is not the new certificate, or says O(state=settled) if it is.
extends_documentation_fragment:
  - certops.gogetssl.attributes
requirements:
  - The Python library C(cryptography) on the host, version 3.2 or newer.
  - For PKCS#12, version 38 or newer of it, or the program C(openssl) on the host.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows serial numbers, names, issuers and dates, never a key.
  idempotent:
    support: full
options:
  certificates:
    description:
      - The certificates. Entries of results of other modules of this collection can be handed over as they are; what is
        not needed is ignored.
      - Needed always is V(name), what the certificate is called on this host.
      - Needed with O(state=present) are V(names), a list of names that the certificate must cover, V(certificate), the
        certificate in PEM form, and V(chain), the authority's certificates in PEM form, each signed by the next.
        Without V(certificate), the installed one is completed, with forms that it lacks, say.
      - With O(state=present), V(forms), V(alias), V(owner), V(group) and V(mode) mean the same as in
        M(certops.gogetssl.gogetssl_certificate_info).
      - With V(unproven) being V(true), a version that services have to read anew is marked before they can see it.
        Until O(state=settled) has removed the mark, M(certops.gogetssl.gogetssl_certificate_info) has it among what is
        to be installed, whatever happens to the play.
      - With V(origin), as M(certops.gogetssl.gogetssl_certificate_fetch) returns it, the version is noted to be a copy.
      - Needed with O(state=previous) is V(previous_serial), the version to go back to. If it is an empty string, there
        was none, and C(current) is removed. With V(changed) being V(false), an entry is left alone. With V(serial), an
        entry is refused if that version is not the current one any more.
      - With O(state=settled), V(serial) is the version that was seen to be served. Without it, no mark is removed.
      - Needed with O(state=adopted) is V(adopt_files), a dictionary of paths on the host, V(certificate), V(key) and,
        if it is a file of its own, V(chain). Entries of the role's C(gogetssl_certificates) are taken as they are.
      - With O(state=absent), V(served) is what M(certops.gogetssl.gogetssl_certificate_info) has returned of the
        listeners, and V(cancelled) is V(true) if the order is known to be cancelled. Both can be left out.
    type: list
    elements: dict
    required: true
  directory:
    description:
      - The directory that has a directory for each certificate.
      - It and everything above it must belong to V(root) or the user of the task, and must not be writable by all.
    type: path
    default: /etc/gogetssl
  keep_versions:
    description:
      - How many versions are kept. The current one and the one before it are kept always.
    type: int
    default: 3
  private_keys:
    description:
      - Private keys in PEM form by the names of their certificates, for certificates whose keys were not made on this
        host.
      - They travel through a pipe and are written to no other files than those of their version.
        Where nothing can be piped to the host, the task fails before they are sent.
    type: dict
    default: {}
  trusted_roots:
    description:
      - Certificates of authorities in PEM form. The chain must hold one of them, or end with a certificate that one of
        them has signed.
      - If not given, the chain may end with any authority.
    type: str
  store_password:
    description:
      - The password of the keystores V(pkcs12), V(pkcs12_legacy) and V(jks), and of the key in them.
      - Takes at least 6 printable ASCII characters, as Java's C(keytool) does. With another password the keystores are
        written anew.
      - If not given, the environment variable E(GOGETSSL_STORE_PASSWORD) of the task on the host is used.
    type: str
  force:
    description:
      - With O(state=absent), whether to remove certificates although something speaks against it. Removing the note of
        a purchase that is under way can mean to pay twice.
    type: bool
    default: false
  state:
    description:
      - V(present) installs what is given.
      - V(previous) goes back to what was there before. It takes what V(present) has returned. The key of the version
        that is left is staged again, if no other one is, so that its certificate can be installed later without an
        order.
      - V(adopted) takes over a certificate that the host uses already, from files somewhere else, as the first version.
        Key and certificate have to belong together. The files stay as they are, and the key does not leave the host.
        Where something is installed already, nothing is done.
      - V(settled) removes the mark of a version that was V(unproven), and what killed runs have left in the
        directories, halves of files or a second copy of the installed key. Nothing that services read is touched.
      - V(absent) removes the whole directory of each certificate, with keys, versions and journal. It is refused while
        a purchase is under way, while the newest order has no certificate on the host, and while a listener of
        V(served) serves the certificate. No order is cancelled.
    type: str
    choices: [present, previous, adopted, settled, absent]
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

- name: Add a bundle for HAProxy and a keystore for Java to what is installed
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        forms: [haproxy, pkcs12]
        alias: tomcat
        mode: '0640'
    store_password: "{{ keystore_password }}"

- name: Take over what nginx serves
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        adopt_files:
          certificate: /etc/ssl/shop-bundle.crt
          key: /etc/ssl/private/shop.key
    state: adopted

- name: Go back to what was there before
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates: "{{ installed.certificates }}"
    state: previous

- name: Note that it was seen to be served
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates: "{{ installed.certificates }}"
    state: settled

- name: Remove a certificate that nothing serves any more
  certops.gogetssl.gogetssl_certificate:
    directory: /etc/gogetssl
    certificates:
      - name: shop
    state: absent
"""

RETURN = r"""
certificates:
  description: One entry for each of O(certificates), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    serial:
      description:
        - Serial number of the current version as hexadecimal digits.
        - An empty string if O(state=previous) or O(state=absent) has left none.
      type: str
      sample: 3f1c0b2a9d8e7f60
    previous_serial:
      description: Serial number of the version before, or an empty string if there is none to go back to.
      type: str
      sample: 2e0b1a998c7d6e5f
    path:
      description: What services have to read from.
      type: str
      sample: /etc/gogetssl/shop/current
    not_after:
      description: When the current certificate ends. An empty string if there is none.
      type: str
      sample: '2027-03-01T00:00:00+00:00'
    forms:
      description: The forms the current version has beside the PEM files.
      type: list
      elements: str
      sample: [haproxy]
    changed:
      description: Whether services have to read the files again.
      type: bool
      sample: true
    moved:
      description:
        - Whether C(current) points to another version than before. If it does not, O(state=previous) leaves the entry
          alone, V(changed) or not.
      type: bool
      sample: true
    unproven:
      description: Whether the current version is marked, as nobody has said yet that services take it.
      type: bool
      sample: false
"""

from ..module_utils._certificate import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
