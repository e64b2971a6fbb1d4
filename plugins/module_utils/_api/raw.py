# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option `raw`, and the common parts of tasks that only read."""

from __future__ import annotations

import typing as t

from .._core.task import Context, Result, Task
from .api_task import api_task
from .orders import Api

RAW = {"raw": {"type": "bool", "default": False}}


def with_raw(context: Context, work: t.Callable[[Context, Api], Result]) -> Result:
    """Run a function with the API and return its result, with the vendor's responses if `raw` is set."""
    api: Api = context.api()
    if not context.params["raw"]:
        return work(context, api)
    api.record_answers()
    return {**work(context, api), "raw": api.recorded_answers()}


def info_task(options: t.Mapping[str, t.Any], read: t.Callable[[Context, Api], Result], **more: t.Any) -> Task:
    """Return a task that only reads. With `raw`, its result includes the vendor's responses."""

    def run(context: Context) -> Result:
        return {"changed": False, **with_raw(context, read)}

    return api_task({**RAW, **options}, run, **more)
