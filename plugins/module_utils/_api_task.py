# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that calls the API: how its options open it. What is sent to hosts as a module does without this file.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from . import _client, _x509
from ._api import Api
from ._api_options import API_SPEC
from ._client import Client, Credentials, Limits
from ._task import Context, Params, Result, Task


def api_task(options: Params, run: t.Callable[[Context], Result], **more: t.Any) -> Task:
    """A task with the API's options beside its own; `Context.api` opens it."""
    needs = (_client.REQUESTS, _x509.CRYPTOGRAPHY)
    return Task(argument_spec={**API_SPEC, **options}, run=run, open_api=open_api, needs=needs, **more)


def open_api(params: Params) -> Api:
    """The API as the task's options describe it."""
    credentials = Credentials(params["api_user"], params["api_password"], params["auth_key"])
    limits = Limits(timeout=params["api_timeout"], deadline=params["api_deadline"])
    return Api(Client(params["api_url"], credentials, limits, params["api_ca_path"]))
