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
from .errors import ApiError
from .faults import Fault
from .routes import Route
from .world import Call, World

# A body larger than this PHP's post_max_size reaches the script as no form at all.
_LARGEST_FORM = 8 * 1024 * 1024
_JSON = "application/json; charset=utf-8"


class Dropped(ConnectionError):
    """The connection was cut on purpose; the server has nothing more to say on it."""


def create(world: World) -> flask.Flask:
    app = flask.Flask(__name__, static_folder=None)
    # Lets `Dropped` through to the server, which ends such a connection without an answer.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _LARGEST_FORM
    app.url_map.strict_slashes = False
    app.register_blueprint(control.create(world), url_prefix="/_emulator")
    paths = werkzeug.routing.Map(strict_slashes=False)
    for number, route in enumerate(routes.ROUTES):
        paths.add(werkzeug.routing.Rule(f"{route.path.rstrip('/')}/", endpoint=str(number)))
    # One rule for the whole API: which verb a path takes is its own affair, and no answer may be the framework's.
    app.url_map.add(werkzeug.routing.Rule("/api/", endpoint="api"))
    app.url_map.add(werkzeug.routing.Rule("/api/<path:rest>", endpoint="api"))
    app.view_functions["api"] = lambda rest="": _with_faults(world, lambda: _answer(world, *_matched(paths)))
    app.register_error_handler(HTTPException, _other)
    app.wsgi_app = _single_slashes(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation says
    app.before_request(_note_start)
    app.after_request(lambda response: _note(world, response))
    return app


def _single_slashes(inner: Callable[..., Any]) -> Callable[..., Any]:
    """A doubled slash, which comes of joining addresses, counts as one; a redirect would lose a POST's form."""

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


def _answer(world: World, route: Route | None, path_args: dict[str, str]) -> flask.Response:
    # What is a GET in all but the body.
    method = "GET" if flask.request.method == "HEAD" else flask.request.method
    try:
        call = Call(world, _form(world), method)
        if route is None or not route.allows(method, world.settings):
            raise ApiError(errors.UNKNOWN_METHOD, status=404)
        if route.slow_list:
            world.stopping.wait(world.settings.list_seconds)
        with world.store.transaction():
            lifecycle.settle(world)
        with world.store.transaction():
            if route.needs_key:
                auth.check(call)
            return _json(routes.run(route, call, path_args))
    except ApiError as error:
        return _json(error.body(), error.status)
    except Exception:
        # A bug of the emulator: told where its operator looks, never to a client.
        logging.getLogger("emulator").exception("%s %s failed", method, flask.request.path)
        return _json(ApiError("Internal error").body(), 500)


def _form(world: World) -> dict[str, str]:
    """Query and body together as PHP has them: the body wins, of a name given twice the last, the rest is dropped."""
    request = flask.request
    form = {name: values[-1] for name, values in request.args.lists()}
    try:
        form |= {name: values[-1] for name, values in request.form.lists()}
        if world.settings.json_bodies and request.is_json:
            body = request.get_json(silent=True)
            form |= dict(_flat(body)) if isinstance(body, dict) else {}
    except (HTTPException, RecursionError):
        logging.getLogger("emulator").info("a body too large or nested too deeply is taken for none")
    # JSON can hold half a surrogate pair, which no text is.
    return {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}


def _flat(body: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """JSON as a form: nested objects and lists under PHP's names, true as 1, false and null as nothing."""
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
    """What is outside the API, and what the framework itself refuses."""
    code = error.code or 500
    return _json({"error": True, "message": error.name, "description": flask.request.path}, code)


def _json(body: Any, status: int = 200) -> flask.Response:
    """As PHP's json_encode writes it: slashes and all that is not ASCII escaped (API reference 1.6)."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False).replace("/", "\\/")
    return flask.Response(text, status, content_type=_JSON)


# Faults


def _with_faults(world: World, answer: Callable[[], flask.Response]) -> flask.Response:
    request = flask.request
    path = _api_path().rstrip("/") or "/"
    before = world.faults.take("before", request.method, path)
    if before and before.kind != "delay":
        # The body is read first, so that the client is past sending and waits for the answer.
        request.get_data(cache=True)
        return _strike(world, before, None if before.kind != "truncate" else answer())
    if before:
        world.stopping.wait(before.seconds)
    response = answer()
    after = world.faults.take("after", request.method, path)
    return _strike(world, after, response) if after else response


def _strike(world: World, fault: Fault, response: flask.Response | None) -> flask.Response:
    flask.g.fault = fault.kind
    if fault.kind in ("delay", "timeout"):
        world.stopping.wait(fault.seconds)
    if fault.kind in ("reset", "timeout"):
        _note_dropped(world)
        _reset_connection()
    if fault.kind == "truncate" and response is not None:
        response.set_data(response.get_data()[: len(response.get_data()) // 2])
    if fault.kind in ("delay", "truncate") and response is not None:
        return response
    status = fault.status if fault.kind == "status" else 200
    body = fault.body if fault.body is not None else f"<html><body><h1>{status}</h1></body></html>"
    return flask.Response(body, status, content_type=fault.content_type)


def _reset_connection() -> None:
    """Closes with no time to linger, which sends a TCP reset instead of an answer."""
    connection: socket.socket = flask.request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        os.close(connection.detach())
    raise Dropped


# The log of requests


def _note_start() -> None:
    flask.g.started = time.monotonic()


def _note(world: World, response: flask.Response) -> flask.Response:
    if flask.request.path.startswith("/api"):
        _append(world, response.status_code)
    return response


def _note_dropped(world: World) -> None:
    _append(world, 0)


def _append(world: World, status: int) -> None:
    """Without the query and the body: both can hold secrets. Status 0 is a connection cut by a fault."""
    world.requests.append(
        {
            "method": flask.request.method,
            "path": flask.request.path,
            "status": status,
            "time": round(world.now(), 3),
            "seconds": round(time.monotonic() - flask.g.started, 4),
            "fault": flask.g.get("fault"),
        }
    )
