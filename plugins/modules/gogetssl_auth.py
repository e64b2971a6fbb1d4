#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_auth
short_description: Log in to the GoGetSSL API
version_added: 1.0.0
description:
  - Logs in to the GoGetSSL API and returns the API key. With O(auth_key) set to this key, other tasks do not have to
    log in.
  - In a run of Ansible, all tasks of this collection with the same user and password use the same key for up to five
    minutes. It is stored encrypted with the password, in the temporary directory of the run on the controller.
  - The API key is a secret. Set C(no_log=true) on the task, because Ansible does not mask return values.
  - This module is optional. All other modules of this collection log in themselves.
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
      - The module also logs in when in check mode, because a login does not change anything.
  diff_mode:
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    support: full
options:
  auth_key:
    description:
      - This module ignores this option and always logs in. It accepts the option so that the option can be set in
        C(module_defaults) for the whole action group.
seealso:
  - module: certops.gogetssl.gogetssl_order_info
"""

EXAMPLES = r"""
- name: Log in once for all hosts of the play
  certops.gogetssl.gogetssl_auth:
    api_user: "{{ gogetssl_user }}"
    api_password: "{{ gogetssl_password }}"
  register: login
  run_once: true
  no_log: true

- name: Read an order with the API key
  certops.gogetssl.gogetssl_order_info:
    auth_key: "{{ login.auth_key }}"
    order_ids: [1234567]
"""

RETURN = r"""
auth_key:
  description: The API key. Keep it secret.
  returned: success
  type: str
  sample: 0123456789abcdef0123456789abcdef
"""


from ..module_utils._core.task import run_module
from ..module_utils._tasks.auth import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
