#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_certificate_info
short_description: Inspect and judge the certificates installed on a host
version_added: 1.0.0
description:
  - Reads everything there is to know about all of a host's certificates in one command over the connection, and judges
    it on the controller. The vendor is not asked.
  - Checked are the names, whether the key belongs to the certificate, the chain, the remaining lifetime, an order that
    is still under way, and whether the listeners serve the installed certificate.
  - A certificate is to be replaced when a third of its lifetime is left (at least 7 days), up to a twentieth of the
    lifetime earlier by its name, so that a fleet does not move as one. The last certificate of a paid term waits for
    the renewal window, 29 days before the term ends.
  - Whether the key belongs to the certificate and what is served is judged only where the host has the C(openssl)
    command. What cannot be looked at for that reason is told by a warning.
  - Listeners are asked all in the same command, up to 8 at a time. One that does not answer within 10 seconds is not
    asked for other certificates, and after 60 seconds no other one is asked; what was not asked counts as not answered.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.certificates
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: It changes nothing.
  idempotent:
    support: full
options:
  spend:
    description:
      - What the run may do, as O(certops.gogetssl.gogetssl_order#module:spend). If that does not include renewing, a
        warning is given from 60 days before a paid term ends, by the host's journal.
    type: list
    elements: str
    choices: [none, reissue, renew, buy, add_names]
    default: [buy]
  api_password_date:
    description:
      - The day on which the password of the API was made, such as V(2026-11-24). It ends after 365 days; a warning is
        given from 30 days before. GoGetSSL tells this day to nobody, so it is only known if it is given here.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_certificate_fetch
  - module: certops.gogetssl.gogetssl_order
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: See what is installed and what has to be done
  certops.gogetssl.gogetssl_certificate_info:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        product: 68
  register: installed
"""

RETURN = r"""
certificates:
  description: One entry per certificate of O(certificates), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The certificate's name.
      type: str
      sample: shop
    step:
      description:
        - V(keep) if nothing has to be done, V(install) if what is installed lacks a file, is not what is served, or
          was never seen to be, V(obtain) if the
          vendor has to be asked, V(copy) if the host that orders the certificate has to be asked, V(stop) if a person
          has to decide.
      type: str
      sample: keep
    reason:
      description: Why, in words.
      type: str
      sample: valid until 2027-06-10, to be replaced from 2027-03-28
    order_id:
      description: The order in the certificate's journal, or of the host it was copied from, or null.
      type: int
      sample: 783956
    order_host:
      description: The host that orders the certificate, or null if none was chosen.
      type: str
      sample: web1
    complete:
      description:
        - Whether all files wished for are there and sound. As long as they are not, a service whose configuration names
          them cannot be expected to take it.
      type: bool
      sample: true
    usable:
      description: Whether what is installed can be served as wished for, however soon it ends.
      type: bool
      sample: true
    urgent:
      description: Whether what is installed is missing, broken or about to end.
      type: bool
      sample: false
    names:
      description: The names in the installed certificate.
      type: list
      elements: str
      sample: [shop.example.com, www.shop.example.com]
    serial:
      description: Its serial number in hexadecimal, or null.
      type: str
      sample: 1f2e3d
    sha256:
      description: The SHA-256 of its DER form in hexadecimal, or null.
      type: str
      sample: 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b
    issuer:
      description: Its issuer, or null.
      type: str
      sample: CN=Sectigo RSA DV
    not_before:
      description: When it begins to be valid (ISO 8601, UTC), or null.
      type: str
      sample: "2026-11-23T00:00:00+00:00"
    not_after:
      description: When it ends (ISO 8601, UTC), or null.
      type: str
      sample: "2027-06-10T00:00:00+00:00"
    replace_from:
      description: From when on it is to be replaced (ISO 8601, UTC), or null.
      type: str
      sample: "2027-03-28T00:00:00+00:00"
    term_end:
      description: The end of the paid term as the journal knows it, or null.
      type: str
      sample: "2027-11-23"
    key_matches:
      description: Whether the installed key belongs to the certificate; null if that cannot be told.
      type: bool
      sample: true
    served:
      description: What the listeners serve.
      type: list
      elements: dict
      contains:
        listener:
          description: The listener.
          type: str
          sample: shop.example.com at 127.0.0.1:443
        matches:
          description: Whether it serves the installed certificate.
          type: bool
          sample: true
        answers:
          description: Whether it serves any certificate at all.
          type: bool
          sample: true
obtain:
  description: Names of the certificates for which the vendor has to be asked.
  returned: success
  type: list
  elements: str
  sample: []
to_copy:
  description: Names of the certificates for which the host that orders them has to be asked.
  returned: success
  type: list
  elements: str
  sample: []
stopped:
  description: Certificates that a person has to decide about.
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
      sample: "shop: a purchase was begun on this host and its outcome is not known."
install:
  description: Names of the certificates that only have to be served.
  returned: success
  type: list
  elements: str
  sample: []
check_mode:
  description: Whether the task has run in check mode, which Ansible's own variable tells only of C(--check).
  returned: success
  type: bool
  sample: false
due:
  description: Whether anything has to be done.
  returned: success
  type: bool
  sample: false
leftovers:
  description:
    - Whether runs that were killed have left something in the directories, which
      O(certops.gogetssl.gogetssl_certificate#module:state=settled) removes.
  returned: success
  type: bool
  sample: false
published:
  description: Whether the host has notes of DNS records that were published and are to be removed.
  returned: success
  type: bool
  sample: false
"""

from ..module_utils._certificate_info import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
