# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option `raw`, and what the tasks that only read have in common beside it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ._api import Api
from ._api_task import api_task
from ._task import Context, Result, Task

RAW = {"raw": {"type": "bool", "default": False}}


def with_raw(context: Context, work: t.Callable[[Context, Api], Result]) -> Result:
    """The result of some work with the API; with `raw` the vendor's answers beside it."""
    api: Api = context.api()
    if not context.params["raw"]:
        return work(context, api)
    api.listen()
    return {**work(context, api), "raw": api.heard()}


def info_task(options: t.Mapping[str, t.Any], read: t.Callable[[Context, Api], Result], **more: t.Any) -> Task:
    """A task that changes nothing; with `raw` it returns the vendor's answers beside its own."""

    def run(context: Context) -> Result:
        return {"changed": False, **with_raw(context, read)}

    return api_task({**RAW, **options}, run, **more)
