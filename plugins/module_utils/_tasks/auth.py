# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: obtain one auth key for many tasks or forks."""

from __future__ import annotations

from .._api.api_task import api_task
from .._api.orders import Api
from .._core.task import Context, Result


def run(context: Context) -> Result:
    """Log in. The result contains only the key."""
    api: Api = context.api()
    return {"changed": False, "auth_key": api.login()}


TASK = api_task({}, run)
