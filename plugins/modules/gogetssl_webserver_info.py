#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_webserver_info
short_description: List the web servers that GoGetSSL knows
version_added: 1.0.0
description:
  - An order may name the web server it is for. Each family of brands has its own list of numbers.
  - According to GoGetSSL the choice hardly matters any more; M(certops.gogetssl.gogetssl_order) sends the number
    for other servers by itself.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.info
  - certops.gogetssl.raw
options:
  family:
    description:
      - The family of brands. Without it, both.
    type: str
    choices: [sectigo, digicert]
  name:
    description:
      - A part of the name, in any case.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: Find the number of nginx
  certops.gogetssl.gogetssl_webserver_info:
    family: sectigo
    name: nginx
  register: found
"""

RETURN = r"""
webservers:
  description: The web servers.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The number to send with an order.
      type: int
      sample: 36
    name:
      description: The name.
      type: str
      sample: Nginx
    family:
      description: The family whose list has it.
      type: str
      sample: sectigo
    other:
      description: Whether it stands for all servers that are not listed.
      type: bool
      sample: false
raw:
  description: The answers of GoGetSSL in the order of the calls.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: Verb and path of the call.
      type: str
      sample: GET /account/
    body:
      description: What was answered.
      type: raw
"""

from ..module_utils._task import run_module
from ..module_utils._webserver_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
