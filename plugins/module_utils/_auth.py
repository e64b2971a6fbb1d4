# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: obtain an auth key once, for many tasks or forks.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ._api import Api
from ._api_task import api_task
from ._task import Context, Result


def run(context: Context) -> Result:
    """Log in; the key is the whole result."""
    api: Api = context.api()
    return {"changed": False, "auth_key": api.login()}


TASK = api_task({}, run)
