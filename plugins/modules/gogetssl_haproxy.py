#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_haproxy
short_description: Update certificates of a running HAProxy without a reload
version_added: 1.0.0
description:
  - Replaces certificates in the memory of a running HAProxy with those that M(certops.gogetssl.gogetssl_certificate)
    installed. It uses the runtime API. HAProxy starts no new process and keeps all connections.
  - The new content is C(current/haproxy.pem) of each certificate, which HAProxy also reads at its next reload. The
    module then verifies that HAProxy uses the new certificate.
  - If HAProxy rejects a certificate, the module aborts the transaction and does not fail. It sets RV(reload=true) and
    returns a warning with the reason.
  - A reload is also required if the socket does not respond or does not have the level C(admin), if HAProxy has not
    loaded the file, if HAProxy runs several processes, or if another client is replacing a certificate.
  - The module does not check the served certificates. Use M(certops.gogetssl.gogetssl_certificate_info) for that.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
requirements:
  - Python 3.9 or later on the host.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run replaces the certificates and reports a change.
options:
  certificates:
    description: Names of the certificates. They must have the form V(haproxy).
    type: list
    elements: str
    required: true
  directory:
    description: Directory on the host that has a subdirectory for each certificate.
    type: path
    default: /etc/gogetssl
  socket:
    description: Path of the C(stats socket) of HAProxy. It must be configured with C(level admin).
    type: path
    required: true
  timeout:
    description: Timeout in seconds for each response of HAProxy.
    type: int
    default: 10
notes:
  - HAProxy rejects certificates that are larger than C(tune.bufsize). The default is 16 kB.
seealso:
  - module: certops.gogetssl.gogetssl_certificate
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Update a certificate in HAProxy
  certops.gogetssl.gogetssl_haproxy:
    certificates: [shop]
    socket: /run/haproxy/admin.sock
  register: replaced

- name: Reload HAProxy if the update failed
  ansible.builtin.service:
    name: haproxy
    state: reloaded
  when: replaced.reload
"""

RETURN = r"""
updated:
  description: The updated files, as HAProxy names them.
  returned: success
  type: list
  elements: str
  sample: [/etc/gogetssl/shop/current/haproxy.pem]
reload:
  description: Whether HAProxy must be reloaded to serve all of O(certificates).
  returned: success
  type: bool
  sample: false
reason:
  description:
    - Reason why a reload is required. It contains the message of HAProxy, if there is one. It is empty if no reload
      is required.
  returned: success
  type: str
  sample: the running process has not loaded /etc/gogetssl/shop/current/haproxy.pem
pid:
  description: Process ID of HAProxy, or V(0) if HAProxy did not respond.
  returned: success
  type: int
  sample: 4711
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.haproxy import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
