# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach the API: the options of every task that calls it.

Apart from what calls it, because a module that only knows these options is sent to hosts without the rest.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

PRODUCTION_URL = "https://my.gogetssl.com/api"
API_SPEC: dict[str, t.Any] = {
    "api_url": {"type": "str", "default": PRODUCTION_URL, "fallback_env": "GOGETSSL_API_URL"},
    "api_user": {"type": "str", "fallback_env": "GOGETSSL_API_USER"},
    "api_password": {"type": "str", "no_log": True, "fallback_env": "GOGETSSL_API_PASSWORD"},
    "auth_key": {"type": "str", "no_log": True, "fallback_env": "GOGETSSL_API_KEY"},
    "api_ca_path": {"type": "path", "fallback_env": "GOGETSSL_API_CA"},
    "api_timeout": {"type": "float", "default": 30.0},
    "api_deadline": {"type": "float", "default": 120.0},
}
