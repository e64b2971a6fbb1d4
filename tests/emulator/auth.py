# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Login and auth keys (API reference 1.2 to 1.4)."""

from __future__ import annotations

import secrets
from typing import Any

from . import errors
from .backend import DAY, Call
from .errors import ApiError


def login(call: Call) -> dict[str, Any]:
    backend = call.backend
    user, password = call.form.get("user", ""), call.form.get("pass", "")
    if not user or not password:
        raise ApiError(errors.NO_CREDENTIALS, errors.NO_CREDENTIALS_WHY)
    good = secrets.compare_digest(user.encode(), backend.user.encode())
    if not good or not secrets.compare_digest(password.encode(), backend.password.encode()):
        # The vendor's text for a wrong user or password is not known (API reference 14).
        raise ApiError("Wrong username and/or password", "The username or the API password is not correct")
    key = secrets.token_hex(20)
    backend.store.add_key(key, backend.now() + backend.settings.key_life_days * DAY)
    return {"key": key, "success": True}


def check(call: Call) -> None:
    key = call.text("auth_key")
    if not key or call.backend.store.key_expires(key) <= call.backend.now():
        raise ApiError(errors.BAD_KEY, status=call.backend.settings.bad_key_status)
