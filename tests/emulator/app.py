# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side of the vendor's API: verbs, bodies, keys, errors and faults (API reference 1)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

from . import auth, control, errors, lifecycle, routes
from .errors import ApiError
from .faults import Fault
from .routes import Route
from .world import Call, World

_VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH")
_JSON = "application/json; charset=utf-8"


class Dropped(ConnectionError):
    """The connection was cut on purpose; the server has nothing more to say on it."""


def create(world: World) -> flask.Flask:
    app = flask.Flask(__name__, static_folder=None)
    # Lets `Dropped` through to the server, which ends such a connection without an answer.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.strict_slashes = False
    app.register_blueprint(control.create(world), url_prefix="/_emulator")
    for route in routes.ROUTES:
        view = _view(world, route)
        app.add_url_rule(
            "/api" + route.path.rstrip("/") + "/", f"{route.number} {route.path}", view, methods=list(_VERBS)
        )
    app.register_error_handler(404, lambda error: _unknown(world, error))
    app.before_request(_note_start)
    app.after_request(lambda response: _note(world, response))
    return app


def _view(world: World, route: Route) -> Callable[..., flask.Response]:
    def view(**path_args: str) -> flask.Response:
        return _with_faults(world, lambda: _answer(world, route, path_args))

    return view


def _answer(world: World, route: Route, path_args: dict[str, str]) -> flask.Response:
    request = flask.request
    call = Call(world, _form(world), request.method)
    try:
        if not route.allows(request.method, world.settings):
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


def _form(world: World) -> dict[str, str]:
    """Query and body together; the body wins. Multipart and urlencoded bodies are both read."""
    request = flask.request
    form = {**request.args.to_dict(), **request.form.to_dict()}
    if world.settings.json_bodies and request.is_json:
        body = request.get_json(silent=True)
        form |= {str(k): str(v) for k, v in body.items()} if isinstance(body, dict) else {}
    return form


def _unknown(world: World, error: HTTPException) -> flask.Response:
    if not flask.request.path.startswith("/api"):
        return _json({"error": True, "message": "Not found", "description": flask.request.path}, 404)
    return _with_faults(world, lambda: _json(ApiError(errors.UNKNOWN_METHOD).body(), 404))


def _json(body: Any, status: int = 200) -> flask.Response:
    """As PHP's json_encode writes it: slashes and all that is not ASCII escaped (API reference 1.6)."""
    text = json.dumps(body, separators=(",", ":")).replace("/", "\\/")
    return flask.Response(text, status, content_type=_JSON)


# Faults


def _with_faults(world: World, answer: Callable[[], flask.Response]) -> flask.Response:
    request = flask.request
    path = request.path.removeprefix("/api").rstrip("/") or "/"
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
