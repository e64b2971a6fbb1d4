#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_haproxy
short_description: Have a running HAProxy serve installed certificates without a reload
version_added: 1.0.0
description:
  - Replaces certificates in the memory of a running HAProxy with what M(certops.gogetssl.gogetssl_certificate) has
    installed, through the run-time API. No process is started, and no connection is disturbed.
  - What goes into the memory is C(current/haproxy.pem) of each certificate, the file that HAProxy reads when it is
    reloaded the next time. HAProxy is then asked which certificate it has.
  - Where HAProxy does not take a certificate, the attempt is taken back. That is no failure; RV(reload) says that a
    reload is needed, and a warning why. It is needed as well if the socket does not answer or is not of the level
    C(admin), if the running process has not loaded the file, if several processes serve, or if somebody else is
    replacing a certificate.
  - This module does not look at what is served. M(certops.gogetssl.gogetssl_certificate_info) does.
extends_documentation_fragment:
  - certops.gogetssl.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run hands the certificates over, and reports a change.
options:
  certificates:
    description: The names of the certificates, which have the form V(haproxy).
    type: list
    elements: str
    required: true
  directory:
    description: The directory of the certificates.
    type: path
    default: /etc/gogetssl
  socket:
    description: HAProxy's C(stats socket), with C(level admin) in its configuration.
    type: path
    required: true
  timeout:
    description: How many seconds HAProxy has for each answer.
    type: int
    default: 10
notes:
  - HAProxy takes no certificate that is longer than C(tune.bufsize), 16 kB unless its configuration says otherwise.
seealso:
  - module: certops.gogetssl.gogetssl_certificate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Replace a certificate in HAProxy's memory
  certops.gogetssl.gogetssl_haproxy:
    certificates: [shop]
    socket: /run/haproxy/admin.sock
  register: replaced

- name: Reload HAProxy if that was not enough
  ansible.builtin.service:
    name: haproxy
    state: reloaded
  when: replaced.reload
"""

RETURN = r"""
updated:
  description: The files that were replaced in the memory, as HAProxy calls them.
  returned: success
  type: list
  elements: str
  sample: [/etc/gogetssl/shop/current/haproxy.pem]
reload:
  description: Whether HAProxy has to be reloaded to serve all of O(certificates).
  returned: success
  type: bool
  sample: false
reason:
  description: Why it has to be reloaded, in HAProxy's words where it had some. Empty if it need not be.
  returned: success
  type: str
  sample: the running process has not loaded /etc/gogetssl/shop/current/haproxy.pem
pid:
  description: The process that answered, V(0) if none did.
  returned: success
  type: int
  sample: 4711
"""

from ..module_utils._haproxy import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
