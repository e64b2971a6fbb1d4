# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of real listeners, read by a real shell: in parallel, by name, with STARTTLS, on all addresses."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal
from ansible_collections.certops.gogetssl.plugins.module_utils._request import endpoints
from ansible_collections.certops.gogetssl.plugins.module_utils._request.endpoints import Listener, read_listeners
from tests.contract.test_deadlines import LENIENT, dripping, handshake
from tests.unit.hosts import CertificateAuthority

from .._host.test_journal import inspect, make_spec
from .._order.test_plan import KEY, OTHER_KEY, leaf, serialization


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Two certificates for listeners: server contexts by name, and the certificates."""
    directory = tmp_path_factory.mktemp("pairs")
    contexts, certificates = {}, {}
    for name, key, which in (("one", KEY, "key"), ("two", OTHER_KEY, "other")):
        certificates[name] = leaf(key=which)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = directory / f"{name}.pem"
        path.write_text(certificates[name].pem + pem.decode())
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(path)
    return contexts, certificates


class Server:
    """A listener. `talk` is its dialogue before TLS. Without a context it accepts connections and sends nothing."""

    def __init__(self, context=None, talk=(), address="127.0.0.1", port=0, seconds=0.0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.create_server((address, port), family=family, backlog=200)
        self.port = self.socket.getsockname()[1]
        self.context, self.talk, self.seconds = context, talk, seconds
        self.connections, self.active, self.most, self.kept = 0, 0, 0, []
        self.counting = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self.socket.accept()
                self.connections += 1
                if self.context:
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
                else:
                    self.kept.append(connection)

    def _serve(self, connection):
        with self.counting:
            self.active += 1
            self.most = max(self.most, self.active)
        time.sleep(self.seconds)
        with self.counting:
            self.active -= 1
        with contextlib.suppress(OSError), connection:
            for say, hear in self.talk:
                connection.sendall(say)
                while hear and hear not in connection.recv(1000):
                    pass
            with self.context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)

    def close(self):
        self.socket.close()


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:

        def start(*arguments, **more):
            return stack.enter_context(contextlib.closing(Server(*arguments, **more)))

        yield start


@pytest.fixture
def closed_port():
    """A bound port without a listening server."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        yield taken.getsockname()[1]


def served(tmp_path, *listeners):
    return inspect(tmp_path, make_spec(listeners=listeners))["shop"].served


def test_each_listener_is_identified(tmp_path, pairs, serve, closed_port):
    contexts, certificates = pairs
    one, two = serve(contexts["one"]), serve(contexts["two"])
    found = served(
        tmp_path, *(Listener("127.0.0.1", port, "a.example.com") for port in (one.port, two.port, closed_port))
    )
    assert [answer.sha256 for answer in found] == [certificates["one"].sha256, certificates["two"].sha256, None]
    assert [answer.not_after for answer in found] == [
        certificates["one"].not_after,
        certificates["two"].not_after,
        None,
    ]
    assert found[0].listener == f"a.example.com at 127.0.0.1:{one.port}"


def test_the_sni_name_is_that_of_the_listener(tmp_path, pairs, serve):
    contexts, certificates = pairs
    context = contexts["one"]

    def choose(connection, name, _context):
        if name == "b.example.com":
            connection.context = contexts["two"]

    context.sni_callback = choose
    try:
        server = serve(context)
        names = ("a.example.com", "b.example.com", "192.0.2.1")
        found = served(tmp_path, *(Listener("127.0.0.1", server.port, name) for name in names))
    finally:
        context.sni_callback = None
    expected = {"a.example.com": "one", "b.example.com": "two", "192.0.2.1": "one"}
    assert [answer.sha256 for answer in found] == [certificates[expected[name]].sha256 for name in names]


@pytest.mark.parametrize(
    ("protocol", "talk"),
    [
        ("smtp", [(b"220 a ESMTP\r\n", b"EHLO"), (b"250-a\r\n250 STARTTLS\r\n", b"STARTTLS"), (b"220 go\r\n", b"")]),
        (
            "imap",
            [
                (b"* OK ready\r\n", b"CAPABILITY"),
                (b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n", b"STARTTLS"),
                (b". OK go\r\n", b""),
            ],
        ),
        ("pop3", [(b"+OK ready\r\n", b"STLS"), (b"+OK go\r\n", b"")]),
    ],
)
def test_starttls(tmp_path, pairs, serve, protocol, talk):
    contexts, certificates = pairs
    server = serve(contexts["one"], talk)
    (found,) = served(tmp_path, Listener("127.0.0.1", server.port, "a.example.com", protocol))
    assert found.sha256 == certificates["one"].sha256
    assert found.listener == f"a.example.com at 127.0.0.1:{server.port} ({protocol})"


def test_ipv6(tmp_path, pairs, serve):
    contexts, certificates = pairs
    try:
        server = serve(contexts["one"], address="::1")
    except OSError:
        pytest.skip("IPv6 is not available")
    (found,) = served(tmp_path, Listener("::1", server.port, "a.example.com"))
    assert (found.sha256, found.listener) == (
        certificates["one"].sha256,
        f"a.example.com at [::1]:{server.port}",
    )


@pytest.mark.skipif(not shutil.which("ss") or not shutil.which("ip"), reason="needs iproute2")
def test_every_address_means_each_listening_address(tmp_path, pairs, serve):
    contexts, certificates = pairs
    first = serve(contexts["one"])
    serve(contexts["two"], address="127.0.0.2", port=first.port)
    found = served(tmp_path, Listener("all", first.port, "a.example.com"))
    assert {(one.listener, one.sha256) for one in found} == {
        (f"a.example.com at 127.0.0.1:{first.port}", certificates["one"].sha256),
        (f"a.example.com at 127.0.0.2:{first.port}", certificates["two"].sha256),
    }


@pytest.mark.skipif(not shutil.which("ss") or not shutil.which("ip"), reason="needs iproute2")
def test_a_wildcard_socket_is_queried_at_all_host_addresses(tmp_path, pairs, serve):
    contexts, certificates = pairs
    server = serve(contexts["one"], address="0.0.0.0")
    found = served(tmp_path, Listener("all", server.port, "a.example.com"))
    shown = subprocess.run(["ip", "-o", "-4", "address", "show"], capture_output=True, text=True, check=True).stdout
    own = {line.split()[3].partition("/")[0] for line in shown.splitlines() if "scope link" not in line}
    assert "127.0.0.1" in own
    assert {one.listener for one in found} == {f"a.example.com at {address}:{server.port}" for address in own}
    assert {one.sha256 for one in found} == {certificates["one"].sha256}


@pytest.mark.skipif(not shutil.which("ss") or not shutil.which("ip"), reason="needs iproute2")
def test_every_address_when_nothing_listens(tmp_path, closed_port):
    found = served(tmp_path, Listener("all", closed_port, "a.example.com"))
    assert [(one.listener, one.sha256) for one in found] == [(f"a.example.com at every address:{closed_port}", None)]


def test_silent_listeners_time_out_in_parallel(tmp_path, pairs, serve, monkeypatch):
    monkeypatch.setattr(endpoints, "ANSWER_SECONDS", 2)
    contexts, certificates = pairs
    silent, sound = serve(), serve(contexts["one"])
    specs = [
        make_spec(f"c{n}", listeners=(Listener("127.0.0.1", silent.port, f"{n}.example.com"),)) for n in range(100)
    ]
    specs.append(make_spec("sound", listeners=(Listener("127.0.0.1", sound.port, "a.example.com"),)))
    started = time.monotonic()
    found = inspect(tmp_path, *specs)
    assert time.monotonic() - started < 15  # 200 s in sequence
    assert silent.connections <= endpoints.WORKERS
    assert all(found[f"c{n}"].served[0].sha256 is None for n in range(100))
    assert found["sound"].served[0].sha256 == certificates["one"].sha256


def test_the_total_time_is_limited(tmp_path, serve, monkeypatch):
    monkeypatch.setattr(endpoints, "ANSWER_SECONDS", 1)
    monkeypatch.setattr(endpoints, "TOTAL_SECONDS", 2)
    monkeypatch.setattr(endpoints, "WORKERS", 1)
    silent = [serve() for _unused in range(12)]
    listeners = [Listener("127.0.0.1", one.port, "a.example.com") for one in silent]
    found = served(tmp_path, *listeners)
    assert [one.sha256 for one in found] == [None] * 12
    assert sum(one.connections for one in silent) < 6


def test_a_listener_that_sends_a_byte_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(endpoints, "ANSWER_SECONDS", 1)
    started = time.monotonic()
    with dripping(handshake) as port:
        found = served(tmp_path, Listener("127.0.0.1", port, "a.example.com"))
    assert [one.sha256 for one in found] == [None]
    assert time.monotonic() - started < 1 + LENIENT


@pytest.fixture
def dual(tmp_path):
    """A server context with an RSA and an ECDSA certificate for one name, and their PEM texts by key type."""
    ca, context, texts = CertificateAuthority(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), {}
    for key_type in ("rsa-2048", "ecdsa-p256"):
        key = x509.new_key(key_type)
        texts[key_type] = ca.issue(x509.new_request(key, ["a.example.com"]))
        path = tmp_path / f"{key_type}.pem"
        path.write_text(texts[key_type] + key.decode())
        context.load_cert_chain(path)
    return context, texts


@pytest.mark.parametrize("key_type", ["rsa-2048", "ecdsa-p256"])
def test_a_server_with_two_key_types_is_queried_for_the_installed_one(tmp_path, dual, serve, key_type):
    context, texts = dual
    current = tmp_path / "shop" / "current"
    current.mkdir(parents=True)
    (current / "cert.pem").write_text(texts[key_type])
    server = serve(context)
    (found,) = served(tmp_path, Listener("127.0.0.1", server.port, "a.example.com"))
    assert found.sha256 == x509.read_certificate(texts[key_type]).sha256
    assert server.connections <= 3


def test_another_served_certificate_is_the_one_that_clients_get_first(tmp_path, dual, pairs, serve):
    context, texts = dual
    current = tmp_path / "shop" / "current"
    current.mkdir(parents=True)
    (current / "cert.pem").write_text(pairs[1]["one"].pem)
    (found,) = served(tmp_path, Listener("127.0.0.1", serve(context).port, "a.example.com"))
    assert found.sha256 == x509.read_certificate(texts["ecdsa-p256"]).sha256


def test_listeners_are_queried_in_parallel(tmp_path, pairs, serve):
    contexts, certificates = pairs
    server = serve(contexts["one"], seconds=1.0)
    found = served(tmp_path, *(Listener("127.0.0.1", server.port, f"{n}.example.com") for n in range(8)))
    assert {one.sha256 for one in found} == {certificates["one"].sha256}
    assert 1 < server.most <= endpoints.WORKERS


def answered(tmp_path, listeners, *tools):
    """The result for listeners of a host that has only these commands."""
    path = tmp_path / "bin"
    path.mkdir()
    for tool in ("cat", "date", "sort", *tools):
        (path / tool).symlink_to(shutil.which(tool))
    script = journal.inspection_script(str(tmp_path), (make_spec(listeners=listeners),))
    command = ["/bin/sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": str(path)})
    answers = endpoints.read_responses(journal.split_parts(done.stdout))
    return [one.listener for one in endpoints.read_served("shop", listeners, answers)]


def test_listeners_without_tools_are_left_out(tmp_path):
    assert answered(tmp_path, (Listener("127.0.0.1", 9, "a.example.com"),)) == []


def test_every_address_without_listing_tools_is_left_out(tmp_path):
    listeners = (Listener("all", 9, "a.example.com"), Listener("127.0.0.1", 9, "a.example.com"))
    assert answered(tmp_path, listeners, "openssl", "timeout") == ["a.example.com at 127.0.0.1:9"]


def test_the_script_of_a_large_host_fits_into_one_argument(tmp_path):
    specs = [
        make_spec(
            f"certificate-{n}", listeners=read_listeners("x", None, ["nginx", "dovecot"], f"www.shop-{n}.example.com")
        )
        for n in range(500)
    ]
    assert len(journal.inspection_script(str(tmp_path), specs)) < 110_000  # the limit of Linux is 131,072 bytes


def test_the_default_listeners_of_services():
    def usual(*services):
        return [str(one) for one in read_listeners("shop", None, services, "a.example.com")]

    assert usual() == []
    assert usual("nginx") == usual("nginx", "apache", "custom service") == ["a.example.com at 127.0.0.1:443"]
    assert usual("postfix", "dovecot") == [
        "a.example.com at 127.0.0.1:25 (smtp)",
        "a.example.com at 127.0.0.1:993",
        "a.example.com at 127.0.0.1:143 (imap)",
    ]
    assert usual("tomcat") == ["a.example.com at 127.0.0.1:8443"]


def test_a_port_follows_from_its_protocol():
    def port(**given):
        return read_listeners("shop", [{"address": "127.0.0.1", **given}], ["nginx"], "a.example.com")[0].port

    assert (port(), port(starttls="ldap"), port(starttls="smtp", port=587)) == (443, 389, 587)


@pytest.mark.parametrize(
    "given",
    [
        {"port": 0},
        {"port": 70000},
        {"address": "127.0.0.1 -proxy evil"},
        {"address": "-help"},
        {"address": "a,b"},
        {"address": ""},
        {"server_name": "$(reboot)"},
        {"server_name": "a'b"},
        {"server_name": "-proxy"},
        {"server_name": "*.example.com"},
    ],
)
def test_shell_injection_is_refused(given):
    with pytest.raises(GogetsslError, match="shop: "):
        read_listeners("shop", [{"address": "127.0.0.1", **given}], [], "a.example.com")
