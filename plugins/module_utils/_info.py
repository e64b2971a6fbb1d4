# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tasks that only read have in common: the option `raw`.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ._api import Api
from ._api_task import api_task
from ._task import Context, Result, Task

RAW = {"raw": {"type": "bool", "default": False}}


def info_task(options: t.Mapping[str, t.Any], read: t.Callable[[Context, Api], Result], **more: t.Any) -> Task:
    """A task that changes nothing; with `raw` it returns the vendor's answers beside its own."""

    def run(context: Context) -> Result:
        api: Api = context.api()
        if context.params["raw"]:
            api.listen()
        result = {"changed": False, **read(context, api)}
        if context.params["raw"]:
            result["raw"] = api.heard()
        return result

    return api_task({**RAW, **options}, run, **more)
