# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A peer that is silent, or sends a byte now and then, holds a wait no longer than its deadline. Real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client as _client
from ansible_collections.certops.gogetssl.plugins.module_utils._core import deadline
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._validation import probe

DEADLINE = 1.5
LENIENT = 15.0  # more than a slow machine needs, and less than a peer would hold a wait without an end
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drip(connection: socket.socket, first: bytes, then: bytes) -> None:
    """The first bytes at once, then the others again and again, a byte at a time."""
    connection.sendall(first)
    with contextlib.suppress(OSError):
        while True:
            for byte in then:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)


def headers(connection: socket.socket) -> None:
    connection.recv(10_000)
    drip(connection, HEAD, b"X-Slow: 1\r\n")


def body(connection: socket.socket) -> None:
    connection.recv(10_000)
    drip(connection, HEAD + b"Content-Length: 100000\r\n\r\n{", b" ")


def body_without_length(connection: socket.socket) -> None:
    connection.recv(10_000)
    drip(connection, HEAD + b"Connection: close\r\n\r\n{", b" ")


def handshake(connection: socket.socket) -> None:
    connection.recv(10_000)
    drip(connection, b"\x16\x03\x03\x40\x00", b"\x02")


@contextlib.contextmanager
def dripping(how: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = server.accept()
                    threading.Thread(target=how, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def client(url: str, key: str | None = "k" * 20) -> _client.Client:
    return _client.Client(url, _client.Credentials("u", "p", key), _client.Limits(timeout=30.0, deadline=DEADLINE))


@pytest.mark.parametrize(
    ("how", "scheme", "kind"),
    [
        (headers, "http", Kind.UNCERTAIN),
        (body, "http", Kind.UNCERTAIN),
        (body_without_length, "http", Kind.UNCERTAIN),
        (handshake, "https", Kind.UNREACHABLE),
    ],
)
@pytest.mark.parametrize("reading", [True, False])
def test_a_slow_peer(how: Callable[[socket.socket], None], scheme: str, kind: Kind, reading: bool) -> None:
    with dripping(how) as port:
        session = client(f"{scheme}://127.0.0.1:{port}/api")
        started = time.monotonic()
        with pytest.raises(GogetsslError, match="api_deadline") as raised:
            (session.read if reading else session.write)("POST", "/orders/add_ssl_order/", {"csr": "x"})
        assert time.monotonic() - started < DEADLINE + LENIENT
    expected = Kind.ANSWER if reading and kind is Kind.UNCERTAIN else kind
    assert raised.value.kind is expected


def test_the_login_counts_for_the_deadline_of_a_call() -> None:
    with dripping(headers) as port:
        session = client(f"http://127.0.0.1:{port}/api", None)
        started = time.monotonic()
        with pytest.raises(GogetsslError, match=r"POST /auth/: .*api_deadline"):
            session.write("POST", "/orders/add_ssl_order/", {"csr": "x"})
        assert time.monotonic() - started < DEADLINE + LENIENT


def forever() -> socket.socket:
    time.sleep(60)
    raise AssertionError


def test_the_resolution_of_the_name_counts_for_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: forever())
    started = time.monotonic()
    with pytest.raises(GogetsslError, match="api_deadline") as raised:
        client("https://api.example.com/api").write("POST", "/orders/add_ssl_order/", {"csr": "x"})
    assert raised.value.kind is Kind.UNREACHABLE  # no byte of it has left
    monkeypatch.setattr(probe, "TIMEOUT_SECONDS", DEADLINE)
    with pytest.raises(probe.ProbeError, match="has no address"):
        probe.addresses_of("shop.example.com")
    assert time.monotonic() - started < 2 * DEADLINE + LENIENT


def test_a_connection_that_comes_too_late_is_closed() -> None:
    go_on, ours = threading.Event(), socket.socket()

    def connect() -> socket.socket:
        go_on.wait(60)
        return ours

    exchange = deadline.Exchange()
    with exchange.limited(0.1), pytest.raises(deadline.Expired):
        exchange.connect(connect)
    assert exchange.expired
    go_on.set()
    until = time.monotonic() + 30
    while ours.fileno() != -1 and time.monotonic() < until:
        time.sleep(0.01)
    assert ours.fileno() == -1


@pytest.mark.parametrize(
    ("how", "scheme"), [(headers, "http"), (body, "http"), (body_without_length, "http"), (handshake, "https")]
)
def test_a_slow_web_server(how: Callable[[socket.socket], None], scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "REQUEST_SECONDS", DEADLINE)
    with dripping(how) as port:
        started = time.monotonic()
        with pytest.raises(probe.ProbeError, match="no complete response within"):
            probe.fetch(probe.Target(scheme, "127.0.0.1", port, "shop.example.com", "/"))
        assert time.monotonic() - started < DEADLINE + LENIENT


def test_redirects_are_not_followed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "REDIRECT_SECONDS", 0.0)
    moved = probe.Page(302, "/further", b"")
    prober = probe.Prober(fetch=lambda _target: moved)
    result = prober.probe_target(probe.Target("http", "192.0.2.1", 80, "shop.example.com", "/"), "x")
    assert result.problem == "the redirects took longer than 0 seconds."
