# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's client against hostile servers on real sockets: a short error message without secrets."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import resource
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client, orders
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind

KEY = "k3y-that-must-not-leak"
CREDENTIALS = client.Credentials("reseller@example.com", "p4ss-that-must-not-leak", KEY)
LARGE = 10 * 1024 * 1024


class Server:
    """Returns the same response to all requests and records them."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.requests: list[str] = []
        hostile = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                hostile.requests.append(f"{self.command} {self.path} {self.rfile.read(length).decode()}")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def serving(body: bytes, status: int = 200, **headers: str) -> Iterator[Server]:
    server = Server(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        yield server
    finally:
        server.close()


def refused(server: Server, write: bool) -> GogetsslError:
    limits = client.Limits(timeout=20, deadline=60, attempts=1)
    api = orders.Api(client.Client(server.url, CREDENTIALS, limits, None))
    with pytest.raises(GogetsslError) as caught:
        api.revalidate(7, "a.example.com") if write else api.order(7)
    assert KEY not in caught.value.message
    assert CREDENTIALS.password not in caught.value.message
    assert len(caught.value.message) < 1000
    return caught.value


def bomb(layers: int) -> bytes:
    body = gzip.compress(b"[" + b" " * (300 * 1024 * 1024 // layers) + b"]", 9)
    return gzip.compress(body, 9) if layers > 1 else body


ANSWERS: dict[str, tuple[bytes, int, dict[str, str]]] = {
    "10 MB of text": (json.dumps("x" * LARGE).encode(), 200, {}),
    "10 MB in a field": (json.dumps({"order_id": "7", "status": "x" * LARGE}).encode(), 200, {}),
    "10 MB without an end": (b'{"status": "' + b"x" * LARGE, 200, {}),
    "nesting": (b"[" * 200_000 + b"]" * 200_000, 200, {}),
    "invalid UTF-8": (b'{"status": "\xff\xfe\x80"}', 200, {}),
    "HTML": (b"<html><body>maintenance</body></html>", 200, {"Content_Type": "text/html"}),
    "nothing": (b"", 200, {}),
    "half": (json.dumps({"order_id": "7", "status": "active"}).encode()[:-9], 200, {}),
    "shorter than announced": (b'{"order_id"', 200, {"Content_Length": "5000"}),
    "invalid gzip": (b"no gzip at all", 200, {"Content_Encoding": "gzip"}),
    "an unknown status": (json.dumps({"order_id": "7", "status": "limbo", "success": True}).encode(), 200, {}),
    "an echo of the key": (json.dumps({"error": True, "message": f"bad {KEY}"}).encode(), 200, {}),
    "HTTP 500 with the key": (f"<h1>{KEY}</h1>".encode(), 500, {}),
}
# A write call reads no more than the success of its response, so these are errors of read calls only.
READ_ONLY = {"an unknown status"}


COMBINATIONS = [(name, write) for name in ANSWERS for write in (False, True) if not write or name not in READ_ONLY]


@pytest.mark.parametrize(("name", "write"), COMBINATIONS)
def test_an_unusable_response_is_an_error(name: str, write: bool) -> None:
    body, status, headers = ANSWERS[name]
    with serving(body, status, **headers) as server:
        started = time.monotonic()
        error = refused(server, write)
        assert time.monotonic() - started < 30
        assert len(server.requests) == 1
    if name != "an echo of the key":
        assert error.kind is (Kind.UNCERTAIN if write else Kind.ANSWER), "a write call may have taken effect"


@pytest.mark.parametrize("layers", [1, 2])
def test_a_gzip_bomb_is_not_unpacked(layers: int) -> None:
    """The response has a few hundred kB and expands to 300 MB. Memory may grow by a fraction of that only."""
    encoding = ", ".join(["gzip"] * layers)
    body = bomb(layers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(body, Content_Encoding=encoding) as server:
        error = refused(server, write=False)
    assert "larger than" in error.message or layers == 2
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150 * 1024, f"{grown // 1024} MB"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_the_key_is_not_sent_to_a_redirect_target(status: int, write: bool) -> None:
    with serving(b"{}") as other, serving(b"", status, Location=f"{other.url}/orders") as server:
        error = refused(server, write)
        assert len(server.requests) == 1
        assert other.requests == []
    assert "redirects are not followed" in error.message


def test_a_key_in_a_redirect_is_not_printed() -> None:
    with serving(b"", 302, Location=f"https://{KEY}.example.com/?auth_key={KEY}") as server:
        refused(server, write=False)
