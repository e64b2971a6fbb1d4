#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_report
short_description: Report the certificates of a fleet
version_added: 1.0.0
description:
  - Evaluates what M(certops.gogetssl.gogetssl_certificate_info) returned for many hosts, and writes it as an HTML page,
    as Prometheus metrics, as CSV and as JSON. The most urgent certificate comes first.
  - The module makes at most 15 requests to the GoGetSSL API, which add the states of orders, the names of products and
    prices. With O(offline=true) it makes none. If the account cannot be read, the module returns a warning and reports
    what the hosts have.
  - The module buys, changes and cancels nothing.
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
    details: In check mode, the module writes no file.
  diff_mode:
    support: none
    details: The files are too large for a diff.
  idempotent:
    support: none
    details: The HTML page, the metrics and the JSON file contain the time of the report.
requirements:
  - The Python library C(jinja2) on the controller, which ansible-core requires too.
options:
  hosts:
    description:
      - One entry for each host, with C(host), C(result), C(certificates) and C(spend). The filter
        C(certops.gogetssl.fleet_hosts) returns them.
      - C(result) is the registered result of a M(certops.gogetssl.gogetssl_certificate_info) task, also of a failed one
        or of an unreachable host. C(certificates) and C(spend) are C(gogetssl_certificates) and C(gogetssl_spend).
    type: list
    elements: dict
    required: true
  offline:
    description: Whether to report without the GoGetSSL API.
    type: bool
    default: false
  title:
    description: Title of the HTML page.
    type: str
    default: Certificates
  html:
    description:
      - File for the HTML page. The page loads nothing from the network, and can be read without JavaScript.
      - No file is written for a format whose option is not set.
    type: path
  prometheus:
    description:
      - File for the metrics in the text format of Prometheus, such as
        V(/var/lib/prometheus/node-exporter/gogetssl.prom) for the textfile collector of node_exporter.
    type: path
  csv:
    description: File for the table as CSV.
    type: path
  json:
    description: File for the report as JSON.
    type: path
  mode:
    description: Mode of the files in octal notation.
    type: str
    default: "0644"
  below_days:
    description:
      - Return in RV(below) the certificates that end within this number of days, have expired or are missing.
    type: int
  details:
    description:
      - Maximum number of orders whose details are read, one request each. Details are the reason why an order is
        pending, and the product, price and paid term of an order that no host uses.
      - With the default, the module makes at most 15 requests.
    type: int
    default: 3
  pending_days:
    description: Report in RV(findings) the orders that are pending for more than this number of days.
    type: int
    default: 3
  window_days:
    description: Report in RV(findings) the paid terms that end within this number of days and that nothing renews.
    type: int
    default: 60
seealso:
  - module: certops.gogetssl.gogetssl_certificate_info
  - module: certops.gogetssl.gogetssl_order_info
"""

EXAMPLES = r"""
- name: Read the installed certificates
  certops.gogetssl.gogetssl_certificate_info:
    certificates: "{{ gogetssl_certificates }}"
  register: installed

- name: Write the report of all hosts of the play
  certops.gogetssl.gogetssl_report:
    hosts: "{{ hostvars | certops.gogetssl.fleet_hosts(ansible_play_hosts_all, 'installed') }}"
    html: /srv/www/certificates.html
    prometheus: /var/lib/prometheus/node-exporter/gogetssl.prom
  run_once: true
"""

RETURN = r"""
lines:
  description: The most urgent certificates, one sentence each, and the number of the others.
  returned: success
  type: list
  elements: str
  sample: ["shop on web1: due: ends soon; ends on 2027-01-30 (in 65 d)"]
summary:
  description:
    - The numbers of the report, such as the number of certificates by state in C(states), and the replacements of the
      next 90 days with their cost in minor units of the currency (cents) in C(next_90_days).
  returned: success
  type: dict
  sample: {hosts: 1, states: {ok: 1}}
below:
  description: The certificates that end within O(below_days).
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: Name of the host.
      type: str
      sample: web1
    name:
      description: Name of the certificate.
      type: str
      sample: shop
    not_after:
      description: Earliest end of the installed and the served certificate (ISO 8601, UTC), or null.
      type: str
      sample: "2027-06-10T00:00:00+00:00"
findings:
  description:
    - The differences between the orders of the account and the hosts. Empty with O(offline=true).
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - V(unpaid) for an order that is not paid.
        - V(gone) for a certificate whose order has ended or is not in the account.
        - V(unrenewed) for a paid term that ends and that nothing renews.
        - V(pending) for an order that waits.
        - V(unused) for a live order that no host uses.
        - V(double) for several live orders of one name.
      type: str
      sample: unused
    order_id:
      description: ID of the order.
      type: int
      sample: 783956
    name:
      description: Common name of the order.
      type: str
      sample: shop.example.com
    reason:
      description: What differs.
      type: str
      sample: no host of the inventory uses the live order
    remedy:
      description: What an operator can do, with the option or the command.
      type: str
    cost:
      description: List price or unpaid amount in minor units of the currency (cents), or null if it is not known.
      type: int
      sample: 3095
    end:
      description: End of the paid term or of the certificate, or null.
      type: str
      sample: "2027-11-23"
    hosts:
      description: The hosts that use the order.
      type: list
      elements: str
      sample: [web1]
finding_lines:
  description: One sentence for each of RV(findings), of which 500 are shown.
  returned: success
  type: list
  elements: str
files:
  description: The paths of the files.
  returned: success
  type: list
  elements: str
  sample: [/srv/www/certificates.html]
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.report import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
