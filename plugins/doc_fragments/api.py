# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach the API: the options of every module that calls it (`API_SPEC` in `module_utils/_api_options.py`)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - The Python library C(requests) on the controller.
options:
  api_url:
    description:
      - Address of the GoGetSSL API.
      - If not given, the environment variable E(GOGETSSL_API_URL) of the controller is used.
    type: str
    default: https://my.gogetssl.com/api
  api_user:
    description:
      - User name of the GoGetSSL account.
      - If not given, the environment variable E(GOGETSSL_API_USER) of the controller is used.
    type: str
  api_password:
    description:
      - API password of the GoGetSSL account. It is set in the account's API settings, is not the password of the
        login page, and expires every 365 days.
      - If not given, the environment variable E(GOGETSSL_API_PASSWORD) of the controller is used.
    type: str
  auth_key:
    description:
      - A key obtained before, for example by M(certops.gogetssl.gogetssl_auth). It saves the login.
      - A key that the API refuses is replaced by logging in, if O(api_user) and O(api_password) are given too.
      - If not given, the environment variable E(GOGETSSL_API_KEY) of the controller is used.
    type: str
  api_ca_path:
    description:
      - A file or folder of authorities that may sign the API's own certificate, instead of those known to C(requests).
      - If not given, the environment variable E(GOGETSSL_API_CA) of the controller is used.
    type: path
  api_timeout:
    description:
      - Seconds of silence on a connection after which a call counts as lost.
    type: float
    default: 30.0
  api_deadline:
    description:
      - Seconds that one reading call may take in all, with its retries and pauses.
      - Reading calls are retried. Calls that act, such as a purchase, are sent once.
    type: float
    default: 120.0
"""
