# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purchase has an unknown outcome if its request may have been sent, and only then. With real sockets and TLS."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client as _client
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from tests.emulator.testing import Emulator

BUY = "/orders/add_ssl_order/"


def reset(connection):
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(connection):
    connection.recv(10_000)


def forbid(connection):
    connection.recv(10_000)
    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def no_response(connection):
    connection.settimeout(30)
    while connection.recv(10_000):  # until the client's timeout
        pass


@contextlib.contextmanager
def answering(how):
    """The port of a server that handles one connection with `how` and then closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                how(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.close()
        thread.join()


@contextlib.contextmanager
def closed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # without listen()
        yield taken.getsockname()[1]


def buy(url, ca=None, **credentials):
    limits = _client.Limits(timeout=1.0, deadline=5.0, attempts=1)
    client = _client.Client(url, _client.Credentials(**(credentials or {"auth_key": "k"})), limits, ca)
    with pytest.raises(GogetsslError) as caught:
        client.write("POST", BUY, {"product_id": 68})
    return caught.value.kind


@pytest.mark.parametrize("how", [reset, close, no_response])
def test_a_failed_handshake_is_a_request_not_sent(how):
    with answering(how) as port:
        assert buy(f"https://127.0.0.1:{port}") is Kind.UNREACHABLE


@pytest.mark.parametrize("how", [reset, close, forbid, no_response])
def test_a_proxy_without_connection_is_a_request_not_sent(how, monkeypatch):
    with answering(how) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert buy("https://vendor.invalid") is Kind.UNREACHABLE


def test_a_proxy_that_is_down_is_a_request_not_sent(monkeypatch):
    with closed() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert buy("https://vendor.invalid") is Kind.UNREACHABLE


@pytest.mark.parametrize("how", [reset, close, no_response])
def test_a_failure_without_tls_has_an_unknown_outcome(how):
    with answering(how) as port:
        assert buy(f"http://127.0.0.1:{port}") is Kind.UNCERTAIN


@pytest.fixture(scope="module")
def secure():
    with Emulator(tls=True, resolve={"*": "127.0.0.1:9"}) as running:
        yield running


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [{"kind": "reset"}, {"kind": "timeout", "seconds": 3}])
def test_a_failure_after_the_handshake_has_an_unknown_outcome(secure, fault, when):
    """On a new connection and on a reused one."""
    secure.clear_faults()
    secure.fault(path=f"{BUY.rstrip('/')}*", times=2, when=when, **fault)
    assert buy(secure.url, str(secure.ca)) is Kind.UNCERTAIN
    assert buy(secure.url, str(secure.ca), user=secure.user, password=secure.password) is Kind.UNCERTAIN
    assert [one["fired"] for one in secure.faults()] == [2]
