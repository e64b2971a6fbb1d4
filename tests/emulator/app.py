# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side of the vendor's API: verbs, bodies, keys, errors and faults (API reference 1)."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import flask
import werkzeug.routing
from werkzeug.exceptions import HTTPException

from . import auth, control, errors, lifecycle, routes
from .backend import Backend, Call
from .errors import ApiError
from .faults import Fault
from .routes import Route

# PHP drops a form that is larger than its post_max_size.
_LARGEST_FORM = 8 * 1024 * 1024
_JSON = "application/json; charset=utf-8"


class Dropped(ConnectionError):
    """A fault has cut the connection, so the server must not send a response."""


def create(backend: Backend) -> flask.Flask:
    app = flask.Flask(__name__, static_folder=None)
    # Let `Dropped` reach the server, which closes the connection without a response.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _LARGEST_FORM
    app.url_map.strict_slashes = False
    app.register_blueprint(control.create(backend), url_prefix="/_emulator")
    paths = werkzeug.routing.Map(strict_slashes=False)
    for number, route in enumerate(routes.ROUTES):
        paths.add(werkzeug.routing.Rule(f"{route.path.rstrip('/')}/", endpoint=str(number)))
    # One rule for the whole API, so that Flask generates no error responses: the routes check the verb.
    app.url_map.add(werkzeug.routing.Rule("/api/", endpoint="api"))
    app.url_map.add(werkzeug.routing.Rule("/api/<path:rest>", endpoint="api"))
    app.view_functions["api"] = lambda rest="": _with_faults(backend, lambda: _answer(backend, *_matched(paths)))
    app.register_error_handler(HTTPException, _other)
    app.wsgi_app = _single_slashes(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation says
    app.before_request(_note_start)
    app.after_request(lambda response: _note(backend, response))
    return app


def _single_slashes(inner: Callable[..., Any]) -> Callable[..., Any]:
    """Treat a doubled slash, left by joining URLs, as one slash: a redirect would drop the form of a POST."""

    def outer(environ: dict[str, Any], start_response: Any) -> Any:
        environ["PATH_INFO"] = re.sub("/+", "/", environ.get("PATH_INFO", ""))
        return inner(environ, start_response)

    return outer


def _api_path() -> str:
    return flask.request.path.removeprefix("/api") or "/"


def _matched(paths: werkzeug.routing.Map) -> tuple[Route | None, dict[str, str]]:
    try:
        endpoint, found = paths.bind("api").match(_api_path())
    except HTTPException:
        return None, {}
    return routes.ROUTES[int(endpoint)], dict(found)


def _answer(backend: Backend, route: Route | None, path_args: dict[str, str]) -> flask.Response:
    # HEAD is processed as GET; the server omits the body.
    method = "GET" if flask.request.method == "HEAD" else flask.request.method
    try:
        call = Call(backend, _form(backend), method)
        if route is None or not route.allows(method, backend.settings):
            raise ApiError(errors.UNKNOWN_METHOD, status=404)
        if route.slow_list:
            backend.stopping.wait(backend.settings.list_seconds)
        with backend.store.transaction():
            lifecycle.settle(backend)
        with backend.store.transaction():
            if route.needs_key:
                auth.check(call)
            return _json(routes.run(route, call, path_args))
    except ApiError as error:
        return _json(error.body(), error.status)
    except Exception:
        # A bug of the emulator is logged for its operator and hidden from the client.
        logging.getLogger("emulator").exception("%s %s failed", method, flask.request.path)
        return _json(ApiError("Internal error").body(), 500)


def _form(backend: Backend) -> dict[str, str]:
    """Query and body merged like PHP's $_REQUEST: the body takes precedence, and so does the last value of a field."""
    request = flask.request
    form = {name: values[-1] for name, values in request.args.lists()}
    try:
        form |= {name: values[-1] for name, values in request.form.lists()}
        if backend.settings.json_bodies and request.is_json:
            body = request.get_json(silent=True)
            form |= dict(_flat(body)) if isinstance(body, dict) else {}
    except (HTTPException, RecursionError):
        logging.getLogger("emulator").info("body too large or too deeply nested, treated as empty")
    # JSON may hold a lone surrogate, which UTF-8 cannot encode.
    return {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}


def _flat(body: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """JSON as a form: PHP's names for nested values, "1" for true, an empty value for false and null."""
    for name, value in body.items():
        path = f"{prefix}[{name}]" if prefix else str(name)
        if isinstance(value, list):
            value = dict(enumerate(value))
        if isinstance(value, dict):
            yield from _flat(value, path)
        elif isinstance(value, bool) or value is None:
            yield path, "1" if value else ""
        else:
            yield path, str(value)


def _other(error: HTTPException) -> flask.Response:
    """Answer requests outside the API and requests that Flask rejects."""
    code = error.code or 500
    return _json({"error": True, "message": error.name, "description": flask.request.path}, code)


def _json(body: Any, status: int = 200) -> flask.Response:
    """Encode like PHP's json_encode: slashes and non-ASCII characters are escaped (API reference 1.6)."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False).replace("/", "\\/")
    return flask.Response(text, status, content_type=_JSON)


# Faults


def _with_faults(backend: Backend, answer: Callable[[], flask.Response]) -> flask.Response:
    request = flask.request
    path = _api_path().rstrip("/") or "/"
    before = backend.faults.take("before", request.method, path)
    if before and before.kind != "delay":
        # The body is read first, so that the client has sent its request and waits for the response.
        request.get_data(cache=True)
        return _strike(backend, before, None if before.kind != "truncate" else answer())
    if before:
        backend.stopping.wait(before.seconds)
    response = answer()
    after = backend.faults.take("after", request.method, path)
    return _strike(backend, after, response) if after else response


def _strike(backend: Backend, fault: Fault, response: flask.Response | None) -> flask.Response:
    flask.g.fault = fault.kind
    if fault.kind in ("delay", "timeout"):
        backend.stopping.wait(fault.seconds)
    if fault.kind in ("reset", "timeout"):
        _note_dropped(backend)
        _reset_connection()
    if fault.kind == "truncate" and response is not None:
        response.set_data(response.get_data()[: len(response.get_data()) // 2])
    if fault.kind in ("delay", "truncate") and response is not None:
        return response
    status = fault.status if fault.kind == "status" else 200
    body = fault.body if fault.body is not None else f"<html><body><h1>{status}</h1></body></html>"
    return flask.Response(body, status, content_type=fault.content_type)


def _reset_connection() -> None:
    """Close with SO_LINGER 0, which sends a TCP reset instead of a response."""
    connection: socket.socket = flask.request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        os.close(connection.detach())
    raise Dropped


# Request log


def _note_start() -> None:
    flask.g.started = time.monotonic()


def _note(backend: Backend, response: flask.Response) -> flask.Response:
    if flask.request.path.startswith("/api"):
        _append(backend, response.status_code)
    return response


def _note_dropped(backend: Backend) -> None:
    _append(backend, 0)


def _append(backend: Backend, status: int) -> None:
    """Log a request without query and body, which may hold secrets. Status 0 is a connection cut by a fault."""
    backend.requests.append(
        {
            "method": flask.request.method,
            "path": flask.request.path,
            "status": status,
            "time": round(backend.now(), 3),
            "seconds": round(time.monotonic() - flask.g.started, 4),
            "fault": flask.g.get("fault"),
        }
    )
