# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options of every module that calls the API."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - The Python library C(requests) on the controller, version 2.32.4 or later.
options:
  api_url:
    description:
      - URL of the GoGetSSL API.
      - If not set, the module uses the environment variable E(GOGETSSL_API_URL) of the controller.
    type: str
    default: https://my.gogetssl.com/api
  api_user:
    description:
      - User name of the GoGetSSL account.
      - If not set, the module uses the environment variable E(GOGETSSL_API_USER) of the controller.
    type: str
  api_password:
    description:
      - API password of the GoGetSSL account.
      - This is not the password of the login page. It is created in the API settings of the account and expires after
        365 days.
      - If not set, the module uses the environment variable E(GOGETSSL_API_PASSWORD) of the controller.
    type: str
  auth_key:
    description:
      - API key of an earlier login, for example the one that M(certops.gogetssl.gogetssl_auth) returns. It saves a
        login.
      - If the API rejects the key and O(api_user) and O(api_password) are set, the module logs in to get a new key.
      - If not set, the module uses the environment variable E(GOGETSSL_API_KEY) of the controller.
    type: str
  api_ca_path:
    description:
      - File or directory with the CA certificates that the TLS certificate of the API is verified against. They
        replace the CA certificates that C(requests) trusts by default.
      - If not set, the module uses the environment variable E(GOGETSSL_API_CA) of the controller.
    type: path
  api_timeout:
    description:
      - Maximum time in seconds that the module waits for data on a connection to the API.
    type: float
    default: 30.0
  api_deadline:
    description:
      - Maximum time in seconds for one read request, including its retries and the pauses between them.
      - The module retries read requests. It sends requests that change something, such as a purchase, only once.
    type: float
    default: 120.0
"""
