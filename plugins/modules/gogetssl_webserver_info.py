#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_webserver_info
short_description: List the web server types of GoGetSSL
version_added: 1.0.0
description:
  - Lists the web server types that an order can name. Each brand family has its own list of IDs.
  - According to GoGetSSL, the web server type has little effect. If none is set, M(certops.gogetssl.gogetssl_order)
    sends the ID for other software.
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
      - The brand family. If not set, the lists of both families are returned.
    type: str
    choices: [sectigo, digicert]
  name:
    description:
      - Part of the name. Upper and lower case are not distinguished.
    type: str
seealso:
  - module: certops.gogetssl.gogetssl_order
"""

EXAMPLES = r"""
- name: Find the ID of nginx
  certops.gogetssl.gogetssl_webserver_info:
    family: sectigo
    name: nginx
  register: nginx
"""

RETURN = r"""
webservers:
  description: The web server types.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The ID to send with an order.
      type: int
      sample: 36
    name:
      description: Name of the web server software.
      type: str
      sample: Nginx
    family:
      description: The brand family.
      type: str
      sample: sectigo
    other:
      description: Whether the entry represents all software that is not in the list.
      type: bool
      sample: false
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
from ..module_utils._tasks.webserver_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
