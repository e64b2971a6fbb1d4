# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of tasks that call the API.

They are in a file of their own, because modules that only need these options are sent to hosts without the API client.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback

PRODUCTION_URL = "https://my.gogetssl.com/api"
API_SPEC: dict[str, t.Any] = {
    "api_url": {"type": "str", "default": PRODUCTION_URL, "fallback": (env_fallback, ["GOGETSSL_API_URL"])},
    "api_user": {"type": "str", "fallback": (env_fallback, ["GOGETSSL_API_USER"])},
    "api_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["GOGETSSL_API_PASSWORD"])},
    "auth_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["GOGETSSL_API_KEY"])},
    "api_ca_path": {"type": "path", "fallback": (env_fallback, ["GOGETSSL_API_CA"])},
    "api_timeout": {"type": "float", "default": 30.0},
    "api_deadline": {"type": "float", "default": 120.0},
}
