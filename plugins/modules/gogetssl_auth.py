#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_auth
short_description: Obtain a key for the GoGetSSL API
version_added: 1.0.0
description:
  - Logs in to the GoGetSSL API and returns the key, so that later tasks and other hosts of the play need no login.
  - The result is a secret. Use C(no_log=true) on the task; the value is not masked in results otherwise.
  - All other modules of this collection log in by themselves, so that this module is only needed to save logins.
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
      - Logs in also in check mode, as a login changes nothing.
  diff_mode:
    support: N/A
    details:
      - Nothing is changed.
  idempotent:
    support: full
options:
  auth_key:
    description:
      - Not used by this module, which always logs in. It is accepted so that the option can be given to all modules of
        the action group.
seealso:
  - module: certops.gogetssl.gogetssl_order_info
"""

EXAMPLES = r"""
- name: Log in once for the whole play
  certops.gogetssl.gogetssl_auth:
    api_user: "{{ gogetssl_user }}"
    api_password: "{{ gogetssl_password }}"
  register: login
  run_once: true
  no_log: true

- name: Use the key
  certops.gogetssl.gogetssl_order_info:
    auth_key: "{{ login.auth_key }}"
    order_ids: [1234567]
"""

RETURN = r"""
auth_key:
  description: The key. Keep it secret.
  returned: success
  type: str
  sample: 0123456789abcdef0123456789abcdef
"""


from ..module_utils._auth import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
