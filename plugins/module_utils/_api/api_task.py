# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that call the API. Modules that are sent to hosts do not include this file."""

from __future__ import annotations

import functools
import typing as t

from .._core.errors import input_error
from .._core.task import Context, Params, Result, Task
from .._crypto import x509
from . import client as _client
from . import run_cache
from .client import Client, Credentials, Limits
from .options import API_SPEC
from .orders import Api


def api_task(options: Params, run: t.Callable[[Context], Result], **more: t.Any) -> Task:
    """Return a task with the API's options in addition to its own. `Context.api` opens the API."""
    needs = (_client.REQUESTS, x509.CRYPTOGRAPHY)
    return Task(argument_spec={**API_SPEC, **options}, run=run, open_api=open_api, needs=needs, **more)


def open_api(params: Params, run_directory: str | None = None) -> Api:
    """Return an API client with the task's URL, credentials and limits. The hosts of a run share some answers."""
    for option in ("api_timeout", "api_deadline"):
        if not 0 < params[option] < float("inf"):
            raise input_error(f"{option} must be more than 0 seconds.")
    credentials = Credentials(params["api_user"], params["api_password"], params["auth_key"])
    limits = Limits(timeout=params["api_timeout"], deadline=params["api_deadline"])
    client = Client(params["api_url"], credentials, limits, params["api_ca_path"])
    client.exchange.begun = functools.partial(run_cache.count_call, run_directory)
    cache = run_cache.RunCache(run_directory, (client.url, credentials.user, credentials.auth_key))
    password = credentials.password
    if password:
        client.share_key = lambda log_in: cache.read_secret("login", password, log_in)
    return Api(client, cache)
