# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of the vendor's API: faults, verb, key, handler, errors and the request log (API reference 1).

Nothing here knows HTTP: `app.py` calls it for a server, and a test may call it in its own process.
"""

from __future__ import annotations

import functools
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import werkzeug.routing
from werkzeug.exceptions import HTTPException

from . import auth, errors, lifecycle, routes
from .backend import Backend, Call
from .errors import ApiError
from .faults import Fault
from .routes import Route

_JSON = "application/json; charset=utf-8"
_PATHS = werkzeug.routing.Map(strict_slashes=False)
for _number, _route in enumerate(routes.ROUTES):
    _PATHS.add(werkzeug.routing.Rule(f"{_route.path.rstrip('/')}/", endpoint=str(_number)))


class Dropped(ConnectionError):
    """A fault has cut the connection, so the server must not send a response."""


@dataclass
class Request:
    """A request to a path without /api. `form` merges query and body, `drop` cuts the connection."""

    method: str
    path: str
    form: Callable[[], Mapping[str, str]]
    read: Callable[[], object] = lambda: None
    drop: Callable[[], None] = lambda: None
    started: float = field(default_factory=time.monotonic)
    fault: str | None = None


class Response(NamedTuple):
    body: bytes
    status: int = 200
    content_type: str = _JSON


def respond(backend: Backend, request: Request) -> Response:
    """Answer a call and log it. Raise `Dropped` if a fault cuts the connection."""
    response = _with_faults(backend, request)
    _log(backend, request, response.status)
    return response


def encoded(body: Any, status: int = 200) -> Response:
    """Encode like PHP's json_encode: slashes and non-ASCII characters are escaped (API reference 1.6)."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False).replace("/", "\\/")
    return Response(text.encode(), status)


@functools.lru_cache(maxsize=4096)
def _matched(path: str) -> tuple[Route | None, tuple[str, ...]]:
    try:
        endpoint, found = _PATHS.bind("api").match(path)
    except HTTPException:
        return None, ()
    return routes.ROUTES[int(endpoint)], tuple(found.values())


def _answer(backend: Backend, request: Request) -> Response:
    # HEAD is processed as GET; the server omits the body.
    method = "GET" if request.method == "HEAD" else request.method
    route, path_args = _matched(request.path)
    try:
        call = Call(backend, request.form(), method)
        if route is None or not route.allows(method, backend.settings):
            raise ApiError(errors.UNKNOWN_METHOD, status=404)
        if route.slow_list:
            backend.stopping.wait(backend.settings.list_seconds)
        if backend.store.has_due_orders(backend.now()):
            with backend.store.transaction():
                lifecycle.settle(backend)
        with backend.store.transaction():
            if route.needs_key:
                auth.check(call)
            return encoded(route.handler(call, *path_args))
    except ApiError as error:
        return encoded(error.body(), error.status)
    except Exception:
        # A bug of the emulator is logged for its operator and hidden from the client.
        logging.getLogger("emulator").exception("%s /api%s failed", method, request.path)
        return encoded(ApiError("Internal error").body(), 500)


# Faults


def _with_faults(backend: Backend, request: Request) -> Response:
    path = request.path.rstrip("/") or "/"
    before = backend.faults.take("before", request.method, path)
    if before and before.kind != "delay":
        # The body is read first, so that the client has sent its request and waits for the response.
        request.read()
        return _strike(backend, request, before, None if before.kind != "truncate" else _answer(backend, request))
    if before:
        backend.stopping.wait(before.seconds)
    response = _answer(backend, request)
    after = backend.faults.take("after", request.method, path)
    return _strike(backend, request, after, response) if after else response


def _strike(backend: Backend, request: Request, fault: Fault, response: Response | None) -> Response:
    request.fault = fault.kind
    if fault.kind in ("delay", "timeout"):
        backend.stopping.wait(fault.seconds)
    if fault.kind in ("reset", "timeout"):
        _log(backend, request, 0)
        request.drop()
        raise Dropped
    if fault.kind == "truncate" and response is not None:
        response = response._replace(body=response.body[: len(response.body) // 2])
    if fault.kind in ("delay", "truncate") and response is not None:
        return response
    status = fault.status if fault.kind == "status" else 200
    body = fault.body if fault.body is not None else f"<html><body><h1>{status}</h1></body></html>"
    return Response(body.encode(), status, fault.content_type)


def _log(backend: Backend, request: Request, status: int) -> None:
    """Log a request without query and body, which may hold secrets. Status 0 is a connection cut by a fault."""
    backend.requests.append(
        {
            "method": request.method,
            "path": f"/api{request.path}",
            "status": status,
            "time": round(backend.now(), 3),
            "seconds": round(time.monotonic() - request.started, 4),
            "fault": request.fault,
        }
    )
