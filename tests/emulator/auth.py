# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logging in, and the key of every other call (API reference 1.2 to 1.4)."""

from __future__ import annotations

import secrets
from typing import Any

from . import errors
from .errors import ApiError
from .world import DAY, Call


def login(call: Call) -> dict[str, Any]:
    world = call.world
    user, password = call.form.get("user", ""), call.form.get("pass", "")
    if not user or not password:
        raise ApiError(errors.NO_CREDENTIALS, errors.NO_CREDENTIALS_WHY)
    good = secrets.compare_digest(user.encode(), world.user.encode())
    if not good or not secrets.compare_digest(password.encode(), world.password.encode()):
        # The text for a wrong pair is not known (API reference 14).
        raise ApiError("Wrong username and/or password", "The username or the API password is not correct")
    key = secrets.token_hex(20)
    world.store.add_key(key, world.now() + world.settings.key_life_days * DAY)
    return {"key": key, "success": True}


def check(call: Call) -> None:
    key = call.text("auth_key")
    if not key or call.world.store.key_expires(key) <= call.world.now():
        raise ApiError(errors.BAD_KEY, status=call.world.settings.bad_key_status)
