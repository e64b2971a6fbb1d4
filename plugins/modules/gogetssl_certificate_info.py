#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_certificate_info
short_description: Inspect the certificates installed on a host
version_added: 1.0.0
description:
  - Reads the state of all certificates of a host with a single command, and evaluates it on the controller. The
    module does not use the GoGetSSL API.
  - The module checks the names, the private key, the chain, the remaining lifetime, pending orders, and the
    certificates that the listeners serve.
  - A certificate is due for replacement when a third of its lifetime, but at least 7 days, remains. Depending on its
    name, the replacement starts up to a twentieth of the lifetime earlier, so that the replacements of many
    certificates are spread over time. The last certificate of a paid term is not replaced before the renewal window,
    which starts 29 days before the end of the term.
  - The check of the private key and of the served certificates requires the command C(openssl) on the host. If it is
    not available, the module skips these checks and returns a warning.
  - The module connects to up to 8 listeners at a time. After 10 seconds without a response, it does not connect to
    the same listener for other certificates. After 60 seconds, it does not connect to further listeners. A listener
    without a connection counts as not responding.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.certificates
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: This module does not change anything.
  idempotent:
    support: full
options:
  keep_going:
    description:
      - Whether certificates with invalid options are listed in RV(stopped), with a message that names the option, and
        the others are read. Otherwise the task fails.
      - The same applies to a certificate whose records on the host (C(order.json), C(intent.json)) cannot be read.
      - The task always fails if the list is invalid as a whole, because an entry has no valid
        O(certificates[].name), or two have the same one. It also fails with C(async).
    type: bool
    default: false
  spend:
    description:
      - The steps that the run is allowed to take, as in O(certops.gogetssl.gogetssl_order#module:spend). If renewals
        are not allowed, the module returns a warning from 60 days before the end of a paid term. The end of the term
        is read from the journal on the host.
    type: list
    elements: str
    choices: [none, reissue, renew, buy, add_names]
    default: [buy]
  web_root:
    description:
      - Web root of the host in which to look for probe files that interrupted runs of the role have left. They are
        returned in RV(probes). Requires O(host).
    type: path
  api_password_date:
    description:
      - Date on which the API password was created, such as V(2026-11-24).
      - The API password expires after 365 days. The module returns a warning from 30 days before this date. The
        GoGetSSL API does not return the date.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_certificate_fetch
  - module: certops.gogetssl.gogetssl_order
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Read the installed certificates
  certops.gogetssl.gogetssl_certificate_info:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        product: 68
  register: installed
"""

RETURN = r"""
summary:
  description: One line for each certificate, with the end of its validity. Use C(-v) to show it in a run of the role.
  returned: always
  type: list
  elements: str
  sample: ["shop: valid until 2027-06-10, to be replaced from 2027-03-28, paid until 2027-11-23"]
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
    step:
      description:
        - V(keep) if nothing has to be done.
        - V(install) if the installed version lacks a file, is not the served certificate, or was never verified to be
          served.
        - V(obtain) if a certificate has to be obtained from GoGetSSL.
        - V(copy) if a certificate has to be copied from the host that orders it.
        - V(stop) if an operator has to decide.
        - V(invalid) if O(keep_going=true) and the options of the certificate are invalid. It is not read, so the other
          values are null, false or empty.
      type: str
      sample: keep
    reason:
      description: Reason for the step.
      type: str
      sample: valid until 2027-06-10, to be replaced from 2027-03-28
    order_id:
      description:
        - ID of the order in the journal of the certificate or of the ordering host. It is null if there is no order.
      type: int
      sample: 783956
    product_id:
      description: ID of the product in the journal of the certificate, or null.
      type: int
      sample: 68
    in_progress:
      description:
        - Whether an earlier run has begun a purchase or a reissue whose certificate is not installed yet.
      type: bool
      sample: false
    order_host:
      description: The host that orders the certificate, or null if O(certificates[].order_host) is not set.
      type: str
      sample: web1
    complete:
      description:
        - Whether all requested files exist and are valid. If it is false, a service whose configuration refers to the
          files might not start.
      type: bool
      sample: true
    usable:
      description:
        - Whether the installed certificate can be served for the requested names, regardless of its remaining
          lifetime.
      type: bool
      sample: true
    urgent:
      description: Whether the installed certificate is missing, damaged or about to expire.
      type: bool
      sample: false
    names:
      description: The names in the installed certificate.
      type: list
      elements: str
      sample: [shop.example.com, www.shop.example.com]
    serial:
      description: Serial number in hexadecimal, or null.
      type: str
      sample: 1f2e3d
    sha256:
      description: SHA-256 hash of the certificate in DER format, in hexadecimal, or null.
      type: str
      sample: 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b
    issuer:
      description: The issuer, or null.
      type: str
      sample: CN=Sectigo RSA DV
    not_before:
      description: Start of the validity (ISO 8601, UTC), or null.
      type: str
      sample: "2026-11-23T00:00:00+00:00"
    not_after:
      description: End of the validity (ISO 8601, UTC), or null.
      type: str
      sample: "2027-06-10T00:00:00+00:00"
    replace_from:
      description: Time from which the certificate is due for replacement (ISO 8601, UTC), or null.
      type: str
      sample: "2027-03-28T00:00:00+00:00"
    term_end:
      description: End of the paid term according to the journal, or null.
      type: str
      sample: "2027-11-23"
    key_type:
      description: Type of the key of the installed certificate, or null.
      type: str
      sample: rsa-2048
    key_sent:
      description:
        - When the key of the installed certificate was sent to the CA (ISO 8601, UTC), or null if no certificate is
          installed. It is the start of the certificate's validity if the time was not recorded.
      type: str
      sample: "2026-11-24T10:03:22+00:00"
    damaged:
      description: Whether a certificate or its key is on the host, but the certificate cannot be read.
      type: bool
      sample: false
    key_matches:
      description: Whether the private key belongs to the certificate, or null if this cannot be checked.
      type: bool
      sample: true
    served:
      description: The results of the listeners.
      type: list
      elements: dict
      contains:
        listener:
          description: The server name and address of the listener.
          type: str
          sample: shop.example.com at 127.0.0.1:443
        matches:
          description: Whether the listener serves the installed certificate.
          type: bool
          sample: true
        answers:
          description: Whether the listener serves any certificate.
          type: bool
          sample: true
        not_after:
          description: End of the validity of the served certificate (ISO 8601, UTC), or null.
          type: str
          sample: "2027-06-10T00:00:00+00:00"
        sha256:
          description: SHA-256 hash of the served certificate in DER format, in hexadecimal, or null.
          type: str
          sample: 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b
    unchecked_listeners:
      description: Number of listeners that this host cannot check.
      type: int
      sample: 0
obtain:
  description: Names of the certificates that have to be obtained from GoGetSSL.
  returned: success
  type: list
  elements: str
  sample: []
to_copy:
  description: Names of the certificates that have to be copied from the host that orders them.
  returned: success
  type: list
  elements: str
  sample: []
stopped:
  description: The certificates for which an operator has to decide, and those with the step V(invalid).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    reason:
      description: Reason why the certificate cannot be processed.
      type: str
      sample: "shop: a purchase was begun on this host and its outcome is not known."
install:
  description: Names of the certificates that have to be installed or verified again, without a new certificate.
  returned: success
  type: list
  elements: str
  sample: []
check_mode:
  description:
    - Whether the task runs in check mode. C(ansible_check_mode) only reflects the command line option C(--check).
  returned: success
  type: bool
  sample: false
due:
  description: Whether any step has to be taken.
  returned: success
  type: bool
  sample: false
interrupted_files:
  description:
    - Whether there are files left by an interrupted run.
      O(certops.gogetssl.gogetssl_certificate#module:state=verified) removes them.
  returned: success
  type: bool
  sample: false
flag_removed:
  description:
    - The certificates to obtain whose last purchase was made while O(certificates[].abandon_intent) was set, and that
      no longer set it.
    - A M(certops.gogetssl.gogetssl_order) task records this, so that the option has an effect when it is set again.
  returned: success
  type: list
  elements: str
  sample: []
probes:
  description: The probe files found in O(web_root), as M(certops.gogetssl.gogetssl_dcv_file) takes them.
  returned: success
  type: list
  elements: dict
  contains:
    file_name:
      description: Name of the file.
      type: str
      sample: gogetssl-probe-0123456789abcdef0123-0123456789abcdefghij.txt
published:
  description: Whether the host has notes of published DNS records that have to be removed.
  returned: success
  type: bool
  sample: false
unremoved_files:
  description:
    - The DCV files that the role could not remove in an earlier run, by the host's note, in the form of
      RV(certops.gogetssl.gogetssl_dcv#module:validations).
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.certificate_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
