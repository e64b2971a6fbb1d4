#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_dcv
short_description: Manage the domain control validation (DCV) of GoGetSSL orders
version_added: 1.0.0
description:
  - Returns the DCV file, the DCV record or the approver email address that validates each name of an order. The
    structure is the same for all brands and methods.
  - Checks whether the published data is visible, and then requests the validation by the CA.
  - This module does not publish DCV files or DCV records. Use M(certops.gogetssl.gogetssl_dcv_file),
    M(certops.gogetssl.gogetssl_dcv_dns) or other modules for that.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
attributes:
  check_mode:
    support: full
    details:
      - In check mode, the module reads the orders and checks the published data once. It does not wait, change
        methods or request validations.
  diff_mode:
    support: full
    details:
      - The diff shows the changed validation methods.
  idempotent:
    support: partial
    details:
      - With O(state=validated), each run requests the validation again until the CA has validated the name.
      - With O(resend_email) and O(recheck_caa), each run sends the requests while the order is in progress.
requirements:
  - The Python library C(dnspython) on the controller, to check DNS records. Without it, the module requests the
    validation without this check.
options:
  order_ids:
    description:
      - IDs of the orders.
    type: list
    elements: int
    required: true
  state:
    description:
      - V(present) waits until GoGetSSL has provided the validation data of all pending names, and returns it.
      - V(validated) waits until the validation data of all pending names is visible from the controller at every
        address of the name. It then requests the validation of each name. Read the result later with
        M(certops.gogetssl.gogetssl_order_info).
    type: str
    choices: [present, validated]
    default: present
  resend_email:
    description:
      - Whether to send the emails to the approvers of all pending names again.
      - The module does not fail if GoGetSSL rejects the request temporarily. See RV(deferred).
    type: bool
    default: false
  recheck_caa:
    description:
      - Whether to request another check of the CAA records for orders in progress. It requires a brand of the Sectigo
        family.
      - The module does not fail if GoGetSSL rejects the request temporarily. GoGetSSL accepts one request every ten
        minutes. See RV(deferred).
    type: bool
    default: false
  methods:
    description:
      - The requested validation methods, as a dictionary from name to V(http), V(https), V(dns) or the email address
        of an approver.
      - The module changes the method of all pending names that have another method or approver. It sends one request
        for each order. The methods of names without an entry are not changed.
      - Wildcard names cannot be validated by V(http) or V(https). Brands of the DigiCert family require the same
        method for all names of an order.
    type: dict
  order_methods:
    description:
      - The requested validation methods of single orders, as a dictionary from order ID to a dictionary as in
        O(methods). It takes precedence over O(methods).
      - Names that the order does not have to validate are ignored.
    type: dict
  change_by:
    description:
      - The API method that changes validation methods. Use another value than V(auto) only if the usual API method
        does not work.
      - V(auto) changes all names of an order with one request. It changes the approver of the common name with a
        separate API method.
      - V(all) always changes all names with one request.
      - V(each) sends one request for each name.
      - V(dcv) sends one request for each name with an older API method, which does not support V(https).
    type: str
    choices: [auto, all, each, dcv]
    default: auto
  raw:
    description: Whether to return the unmodified responses of the GoGetSSL API.
    type: bool
    default: false
  wait:
    description:
      - Maximum time in seconds to wait for O(state). The module does not fail at the end of this time. See
        RV(validations[].ready) and RV(validations[].visible).
    type: int
    default: 60
  interval:
    description:
      - Time in seconds between two checks.
    type: int
    default: 5
  resolve:
    description:
      - Addresses that are used instead of the addresses in DNS, as a dictionary from name to address, C(address:port)
        or C([address]:port). This is useful with split-horizon DNS or in tests.
      - DNS records are queried from the name servers of their zone. The host names of these name servers can also be
        keys.
    type: dict
  nameservers:
    description:
      - DNS servers that are queried instead of the resolvers of the controller. Each entry is an address,
        C(address:port) or C([address]:port).
      - The module uses them to find the zone and its name servers. It then queries the DNS records from every address
        of every name server of the zone.
    type: list
    elements: str
  http_port:
    description:
      - TCP port for checks of V(http) validations. CAs always use port 80.
    type: int
    default: 80
  https_port:
    description:
      - TCP port for checks of V(https) validations. CAs always use port 443.
    type: int
    default: 443
seealso:
  - module: certops.gogetssl.gogetssl_order
  - module: certops.gogetssl.gogetssl_order_info
"""

EXAMPLES = r"""
- name: Read the validation data
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
  register: dcv

- name: Publish the DCV files
  certops.gogetssl.gogetssl_dcv_file:
    web_root: /var/www/html
    files: "{{ dcv.validations | selectattr('file_name') | selectattr('state', 'ne', 'validated') }}"

- name: Request the validation as soon as the DCV files are visible
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    state: validated
    wait: 120

- name: Change the approver of a name
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    methods:
      www.example.com: hostmaster@example.com

- name: Send the emails to the approvers again
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    resend_email: true

- name: Request a check of corrected CAA records
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    recheck_caa: true

- name: Change the validation method of a name to DNS
  certops.gogetssl.gogetssl_dcv:
    order_ids: [1234567]
    methods:
      www.example.com: dns
"""

RETURN = r"""
validations:
  description: The validation of each name of each order.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 1234567
    name:
      description: The domain name to validate. A wildcard name includes its asterisk.
      type: str
      sample: www.example.com
    method:
      description: The validation method, V(http), V(https), V(dns) or V(email).
      type: str
      sample: http
    state:
      description: V(validated) after the CA has validated the name, and V(processing) or V(unset) before.
      type: str
      sample: processing
    reason:
      description: The message of GoGetSSL about the state. It can be empty.
      type: str
      sample: ""
    ready:
      description: Whether GoGetSSL has provided the data to publish.
      type: bool
      sample: true
    url:
      description: URL of the DCV file, for V(http) and V(https).
      type: str
      sample: http://www.example.com/.well-known/pki-validation/0123.txt
    path:
      description: Path component of RV(validations[].url).
      type: str
      sample: /.well-known/pki-validation/0123.txt
    file_name:
      description: Last component of RV(validations[].path). It is safe to use as a file name.
      type: str
      sample: 0123.txt
    content:
      description: Exact content of the DCV file. Its lines are separated by CRLF.
      type: str
      sample: "0123\r\nsectigo.com\r\nabcd"
    type:
      description: Type of the DCV record, V(CNAME) or V(TXT), for V(dns).
      type: str
      sample: CNAME
    record:
      description: Fully qualified name of the DCV record, without a trailing dot.
      type: str
      sample: _0123.www.example.com
    value:
      description: Value of the DCV record, without a trailing dot or quotes.
      type: str
      sample: 4567.89ab.abcd.comodoca.com
    email:
      description: Email address of the approver, for V(email).
      type: str
      sample: admin@example.com
    visible:
      description:
        - Whether the validation data is visible at every address that the CA can use.
        - It is null if there is nothing to check, or if the check is not possible.
      returned: O(state=validated)
      type: bool
      sample: true
    problem:
      description:
        - The address and the response if the validation data is not visible, or the reason why it was not checked.
      returned: O(state=validated)
      type: str
      sample: ""
requested:
  description:
    - The names for which a validation or an email was requested. In check mode, the names for which it would be
      requested.
  returned: success
  type: list
  elements: str
  sample: [www.example.com]
deferred:
  description: Requests that GoGetSSL rejected temporarily. Repeat them later.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 1234567
    names:
      description: The affected names.
      type: list
      elements: str
      sample: [www.example.com]
    reason:
      description: The message of GoGetSSL. It can contain the remaining time.
      type: str
      sample: "Function is locked for 540 seconds. Run again later."
raw:
  description: The unmodified responses of the GoGetSSL API, in the order of the requests.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: HTTP method and path of the request.
      type: str
      sample: GET /account/
    body:
      description: Body of the response.
      type: raw
"""


from ..module_utils._core.task import run_module
from ..module_utils._tasks.dcv import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
