#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_deploy
short_description: Install certificates and make services serve them
version_added: 1.0.0
description:
  - Tests the services of the certificates, installs the certificates as M(certops.gogetssl.gogetssl_certificate) does,
    tests the services with the new files, reloads them, and compares what their listeners serve with what is installed.
  - If a test, a reload or a listener fails, the certificates of that service or listener are rolled back to the
    previous version. Their services are then reloaded and verified again. Other certificates stay installed.
  - A first version has no previous one. It is only removed if its services accepted their configuration without it and
    reject it with it. Otherwise a service might not start without its files.
  - A service that is missing, or that rejects its configuration before the installation, does not get its certificates.
    If a certificate of the service lacks files, its configuration may name them, so only the test after the
    installation decides.
  - Versions that no service was verified to serve remain marked. If the task is interrupted at any point, run it again.
  - The role P(certops.gogetssl.gogetssl#role) uses this module.
extends_documentation_fragment:
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.host
  - certops.gogetssl.certificates
requirements:
  - Python 3.9 or later on the host.
  - The Python library C(cryptography) on the host, version 3.2 or later.
  - The command C(timeout) on the host, and C(openssl) to query listeners.
attributes:
  check_mode:
    support: full
    details: Services are neither tested nor reloaded.
  diff_mode:
    support: full
    details: The diff shows serial numbers, names, issuers and dates. It never contains a private key.
  idempotent:
    support: partial
    details: Services of the certificates are reloaded each time.
options:
  deliveries:
    description:
      - The certificates to install, as RV(certops.gogetssl.gogetssl_order#module:orders) or
        RV(certops.gogetssl.gogetssl_certificate_fetch#module:certificates) hold them. Entries that are not issued yet
        are ignored.
      - Formats, owner, group and mode are those of O(certificates).
    type: list
    elements: dict
    default: []
  complete:
    description:
      - Names of certificates to deploy without a delivery, because they lack files or their services do not serve them.
        M(certops.gogetssl.gogetssl_certificate_info) returns them as
        RV(certops.gogetssl.gogetssl_certificate_info#module:install).
    type: list
    elements: str
    default: []
  dcv_files:
    description:
      - DCV files to remove before the installation, as for M(certops.gogetssl.gogetssl_dcv_file). A file that cannot be
        removed is a warning.
    type: list
    elements: dict
    default: []
  web_root:
    description: Document root with the O(dcv_files), which it is required for.
    type: path
  incomplete:
    description: Names of certificates with missing or damaged files before this task, whether they are deployed or not.
    type: list
    elements: str
    default: []
  services:
    description:
      - What to do for a service, as a dictionary from service to a dictionary with the keys C(test) and C(reload) for
        commands, and C(unit) for the unit that is reloaded without C(reload). What is missing or empty has the default
        of the role.
      - A service that the role does not know needs an entry here or in O(hooks).
    type: dict
    default: {}
  hooks:
    description: Services that a task file of the user tests and reloads. The module requests it with RV(hook).
    type: list
    elements: str
    default: []
  hook_failure:
    description:
      - Why the task file of a service failed, as C(error), with RV(hook_run) as C(run). A failure of another run is
        ignored.
    type: dict
    default: {}
  earlier:
    description:
      - Result of an earlier task of this module on the host, in the same run.
      - If it has a RV(hook), the module continues that deployment. Otherwise its results are added to those of this
        task, and certificates are tried again that were stopped because a certificate lacked files.
    type: dict
    default: {}
  haproxy_socket:
    description:
      - Path of the C(stats socket) of HAProxy. Certificates are then replaced as by
        M(certops.gogetssl.gogetssl_haproxy), and HAProxy is only reloaded if that fails.
    type: path
  service_timeout:
    description: Timeout in seconds for each test and each reload.
    type: int
    default: 60
  serve_timeout:
    description:
      - How often to query the listeners again, one second apart, until they serve what is installed.
      - For V(tomcat), at least 60 times.
    type: int
    default: 10
  keep_versions:
    description: The option O(certops.gogetssl.gogetssl_certificate#module:keep_versions).
    type: int
    default: 3
  trusted_roots:
    description: The option O(certops.gogetssl.gogetssl_certificate#module:trusted_roots).
    type: str
  store_password:
    description: The option O(certops.gogetssl.gogetssl_certificate#module:store_password).
    type: str
  private_keys:
    description: The option O(certops.gogetssl.gogetssl_certificate#module:private_keys).
    type: dict
    default: {}
  keep_going:
    description: Whether to return the certificates that could not be deployed as RV(stopped) instead of failing.
    type: bool
    default: false
seealso:
  - module: certops.gogetssl.gogetssl_certificate
  - module: certops.gogetssl.gogetssl_certificate_info
  - module: certops.gogetssl.gogetssl_haproxy
author:
  - The certops.gogetssl contributors (@certops)
"""

EXAMPLES = r"""
- name: Deploy a certificate for a service with commands of its own
  certops.gogetssl.gogetssl_deploy:
    directory: /etc/gogetssl
    certificates:
      - name: shop
        names: [shop.example.com, www.shop.example.com]
        product: "68"
        services: [broker]
        listeners: []
    deliveries:
      - name: shop
        certificate: "{{ lookup('ansible.builtin.file', 'shop.crt') }}"
        chain: "{{ lookup('ansible.builtin.file', 'shop-chain.crt') }}"
    services:
      broker: {test: "true", reload: "true"}
"""

RETURN = r"""
certificates:
  description: The installed certificates, as M(certops.gogetssl.gogetssl_certificate) returns them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    serial:
      description: Serial number of the installed version in hexadecimal.
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
      description: End of the certificate's validity in ISO 8601 format.
      type: str
      sample: '2027-03-01T00:00:00+00:00'
    forms:
      description: The additional formats of the version.
      type: list
      elements: str
      sample: [haproxy]
    changed:
      description: Whether services had to read the files again.
      type: bool
      sample: true
    moved:
      description: Whether C(current) pointed to another version before.
      type: bool
      sample: true
    unverified:
      description: Whether the version was marked as unverified when it was installed.
      type: bool
      sample: true
served:
  description: What the listeners of the certificates served after the reload.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    not_after:
      description: End of the installed certificate's validity in ISO 8601 format.
      type: str
      sample: '2027-03-01T00:00:00+00:00'
    replace_from:
      description: When the certificate will be replaced, in ISO 8601 format.
      type: str
      sample: '2027-01-15T00:00:00+00:00'
    listeners:
      description: The listeners that could be queried.
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
          description: Whether it serves any certificate.
          type: bool
          sample: true
stopped:
  description: The certificates that could not be deployed. It is only returned with O(keep_going=true).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    reason:
      description: What failed, what became of the certificate, and what to do.
      type: str
      sample: 'shop: not served; the previous version was restored and is served. ...'
dcv_files_left:
  description: Whether one of O(dcv_files) could not be removed, by this task or by the one of O(earlier).
  returned: success
  type: bool
  sample: false
hook:
  description:
    - A service of O(hooks) whose task file has to be run now, or an empty string at the end. After that, the module has
      to be run again with this result as O(earlier).
  returned: success
  type: str
  sample: exim
hook_run:
  description: Identifies this run of the task file. See O(hook_failure).
  returned: success
  type: str
  sample: 6c1f0b2a9d8e7f60
haproxy:
  description: What M(certops.gogetssl.gogetssl_haproxy) returned, for O(haproxy_socket).
  returned: success
  type: dict
  contains:
    updated:
      description: The updated files, as HAProxy names them.
      type: list
      elements: str
      sample: [/etc/gogetssl/shop/current/haproxy.pem]
    reload:
      description: Whether HAProxy had to be reloaded.
      type: bool
      sample: false
    reason:
      description: Reason for the reload.
      type: str
      sample: ''
    pid:
      description: Process ID of HAProxy.
      type: int
      sample: 4711
progress:
  description: The progress, for O(earlier).
  returned: success
  type: str
  sample: '{}'
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.deploy import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
