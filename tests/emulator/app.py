# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side of the vendor's API: paths, queries, bodies and cut connections (API reference 1)."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import flask
import werkzeug.routing
from werkzeug.exceptions import HTTPException

from . import api, control
from .backend import Backend

# PHP drops a form that is larger than its post_max_size.
_LARGEST_FORM = 8 * 1024 * 1024


def create(backend: Backend) -> flask.Flask:
    app = flask.Flask(__name__, static_folder=None)
    # Let `Dropped` reach the server, which closes the connection without a response.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _LARGEST_FORM
    app.url_map.strict_slashes = False
    app.register_blueprint(control.create(backend), url_prefix="/_emulator")
    # One rule for the whole API, so that Flask generates no error responses: the routes check the verb.
    app.url_map.add(werkzeug.routing.Rule("/api/", endpoint="api"))
    app.url_map.add(werkzeug.routing.Rule("/api/<path:rest>", endpoint="api"))
    app.view_functions["api"] = lambda rest="": _call(backend)
    app.register_error_handler(HTTPException, _other)
    app.wsgi_app = _single_slashes(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation says
    return app


def _single_slashes(inner: Callable[..., Any]) -> Callable[..., Any]:
    """Treat a doubled slash, left by joining URLs, as one slash: a redirect would drop the form of a POST."""

    def outer(environ: dict[str, Any], start_response: Any) -> Any:
        environ["PATH_INFO"] = re.sub("/+", "/", environ.get("PATH_INFO", ""))
        return inner(environ, start_response)

    return outer


def _call(backend: Backend) -> flask.Response:
    http = flask.request
    path = http.path.removeprefix("/api") or "/"
    read = functools.partial(http.get_data, cache=True)
    call = api.Request(http.method, path, lambda: _form(backend), read, _reset_connection)
    return _http(api.respond(backend, call))


def _http(response: api.Response) -> flask.Response:
    return flask.Response(response.body, response.status, content_type=response.content_type)


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
    return _http(api.encoded({"error": True, "message": error.name, "description": flask.request.path}, code))


def _reset_connection() -> None:
    """Close with SO_LINGER 0, which sends a TCP reset instead of a response."""
    connection: socket.socket = flask.request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        os.close(connection.detach())
