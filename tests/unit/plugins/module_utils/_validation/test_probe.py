# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Validation
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import nameservers, resolver
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.resolver import Dns, Outcome, Server
from ansible_collections.certops.gogetssl.plugins.module_utils._validation import probe, redirects
from ansible_collections.certops.gogetssl.plugins.module_utils._validation.probe import (
    NoRoute,
    Page,
    ProbeError,
    Prober,
    Target,
    Visibility,
)
from tests.unit.internet import Internet, listening, zone
from tests.unit.scripted import FILE_VALIDATION
from tests.unit.tls import untrusted

CONTENT = (FILE_VALIDATION.content or "").encode()
RIGHT = Page(200, None, CONTENT)
CNAME = Validation("shop.example.com", "dns", type="CNAME", record="_a.shop.example.com", value="b.comodoca.com")
TXT = Validation("shop.example.com", "dns", type="TXT", record="shop.example.com", value="_Token")


def prober(pages: dict[str, Page], addresses: Any = ("192.0.2.1",), **options: Any) -> Prober:
    """A prober with pages by `address:port/scheme`. All other connections are refused."""

    def fetch(target: Target) -> Page:
        try:
            return pages[f"{target.scheme}:{target.name}:{target.address}:{target.port}{target.path}"]
        except KeyError:
            raise ProbeError("connection refused") from None

    return Prober(fetch=fetch, addresses_of=lambda _name: list(addresses), **options)


def page_at(address: str = "192.0.2.1", port: int = 80, scheme: str = "http", name: str = "shop.example.com") -> str:
    return f"{scheme}:{name}:{address}:{port}{FILE_VALIDATION.path}"


def test_an_existing_file() -> None:
    assert prober({page_at(): RIGHT}).check(FILE_VALIDATION) == Visibility(True)


def test_all_addresses_must_serve_the_file() -> None:
    result = prober({page_at(): RIGHT}, ("192.0.2.1", "2001:db8::1")).check(FILE_VALIDATION)
    assert result.visible is False
    assert "on 2001:db8::1 port 80: connection refused." in result.problem
    assert "192.0.2.1" not in result.problem


def test_an_unroutable_address_is_ignored() -> None:
    """A controller without IPv6 must not fail a name, although the CA checks all addresses."""

    def fetch(target: Target) -> Page:
        if ":" in target.address:
            raise NoRoute("network is unreachable")
        return RIGHT

    addresses = ["192.0.2.1", "2001:db8::1"]
    result = Prober(fetch=fetch, addresses_of=lambda _name: addresses).check(FILE_VALIDATION)
    assert result == Visibility(True, "2001:db8::1 was not probed.")
    only = Prober(fetch=fetch, addresses_of=lambda _name: addresses[1:]).check(FILE_VALIDATION)
    assert only.visible is False
    assert "network is unreachable" in only.problem


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENETUNREACH, NoRoute), (errno.EHOSTUNREACH, ProbeError), (errno.ECONNREFUSED, ProbeError)],
)
def test_reasons_of_failed_connections(number: int, kind: type[ProbeError], monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_args: Any, **_options: Any) -> None:
        raise OSError(number, "no way")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(ProbeError) as caught:
        probe.fetch(Target("http", "192.0.2.1", 80, "shop.example.com", "/"))
    assert caught.type is kind


def test_a_redirect_is_followed_and_reported() -> None:
    moved = Page(301, f"https://shop.example.com{FILE_VALIDATION.path}", b"")
    assert prober({page_at(): moved, page_at(port=443, scheme="https"): RIGHT}).check(FILE_VALIDATION).visible
    result = prober({page_at(): moved}).check(FILE_VALIDATION)
    assert f"redirected to 'https://shop.example.com{FILE_VALIDATION.path}': connection refused." in result.problem


def test_a_relative_redirect() -> None:
    assert prober({page_at(): Page(302, "//www.example.com/x", b"")}).check(FILE_VALIDATION).visible is False
    pages = {page_at(): Page(302, "/x?y=1", b""), "http:shop.example.com:192.0.2.1:80/x?y=1": RIGHT}
    assert prober(pages).check(FILE_VALIDATION).visible


@pytest.mark.parametrize(
    ("location", "message"),
    [
        (FILE_VALIDATION.path, "more than 5 redirects"),
        ("ftp://shop.example.com/", "no valid target"),
        ("http://shop.example.com:22/", "port 22"),
        ("http://[", "no valid target"),
        ("http://shop.example.com:99999/", "no valid target"),
    ],
)
def test_redirects_that_are_not_followed(location: str, message: str) -> None:
    assert message in prober({page_at(): Page(302, location, b"")}).check(FILE_VALIDATION).problem


def server_on(stack: contextlib.ExitStack, address: str, port: int, location: str = "") -> tuple[int, list[str]]:
    """A web server that redirects each request to `location`, or serves something secret. It lists its requests."""
    requests: list[str] = []

    class Recorder(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            body = b"" if location else b"TOKEN=secret"
            self.send_response(302 if location else 200)
            self.send_header("Location", location.replace("PORT", str(self.server.server_address[1])))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = stack.enter_context(http.server.ThreadingHTTPServer((address, port), Recorder))
    threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
    stack.callback(server.shutdown)
    return server.server_address[1], requests


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.2:PORT/latest/token", "127.0.0.2 is not a public address (loopback)"),
        ("http://127.0.0.2.:PORT/", "127.0.0.2 is not a public address (loopback)"),
        ("//127.0.0.2:PORT/", "127.0.0.2 is not a public address (loopback)"),
        ("http://inner.example.com:PORT/", "add inner.example.com to gogetssl_resolve"),
        ("http://[::ffff:127.0.0.2]:PORT/", "is not a public address"),
        ("http://[::127.0.0.2]:PORT/", "is not a public address"),
        ("http://[64:ff9b::127.0.0.2]:PORT/", "is not a public address"),
        ("http://[2002:7f00:2::1]:PORT/", "is not a public address"),
        ("http://[fe80::1%25lo]:PORT/", "no valid target"),
        ("http://2130706434:PORT/", "no valid target"),
        ("http://0x7f000002:PORT/", "no valid target"),
        ("http://0x7f.0.0.2:PORT/", "no valid target"),
        ("http://0177.0.0.2:PORT/", "no valid target"),
        ("http://127.2:PORT/", "no valid target"),
        ("http://0x7f.0x0.0x0.0x2:PORT/", "127.0.0.2 is not a public address (loopback)"),
        ("http://localhost:PORT/", "no valid target"),
        ("http://public.example.com@127.0.0.2:PORT/", "no valid target"),
        ("http://user:password@inner.example.com:PORT/", "no valid target"),
        ("gopher://127.0.0.2:PORT/", "no valid target"),
        ("file:///etc/passwd", "no valid target"),
        ("http://127.0.0.2:22/", "CAs do not follow a redirect to port 22"),
    ],
)
def test_a_redirect_does_not_reach_internal_addresses(location: str, reason: str) -> None:
    with contextlib.ExitStack() as stack:
        port, _requests = server_on(stack, "127.0.0.1", 0, location)
        _port, reached = server_on(stack, "127.0.0.2", port)
        resolve = {"shop.example.com": ("127.0.0.1", port)}
        result = Prober(resolve, http_port=port, addresses_of=lambda _name: ["127.0.0.2"]).check(FILE_VALIDATION)
    assert (result.visible, reached) == (False, [])
    assert reason in result.problem
    assert "password" not in result.problem.replace("passwd", "")
    assert "TOKEN" not in result.problem


def test_a_redirect_reaches_an_internal_address_that_resolve_names() -> None:
    with contextlib.ExitStack() as stack:
        port, _requests = server_on(stack, "127.0.0.1", 0, "http://inner.example.com:PORT/x?token=secret")
        _port, reached = server_on(stack, "127.0.0.2", port)
        resolve = {"shop.example.com": ("127.0.0.1", port), "inner.example.com": ("127.0.0.2", None)}
        result = Prober(resolve, http_port=port, addresses_of=lambda _name: []).check(FILE_VALIDATION)
    assert reached == ["/x?token=secret"]
    assert result.problem.endswith(
        f"redirected to 'http://inner.example.com:{port}/x': other content is served: 12 bytes."
    )


def test_nothing_is_sent_to_an_internal_address_of_the_name() -> None:
    """The CA decides: with split-horizon DNS it sees another address."""
    result = Prober(addresses_of=lambda _name: ["10.0.0.1", "fd00::1"], fetch=no_connection).check(FILE_VALIDATION)
    assert result.visible is None
    assert "10.0.0.1 is not a public address (private); add shop.example.com to gogetssl_resolve" in result.problem
    mixed = prober({page_at(): RIGHT}, ("192.0.2.1", "10.0.0.1")).check(FILE_VALIDATION)
    assert mixed == Visibility(True, "10.0.0.1 was not probed.")


def test_an_address_that_changes_between_two_lookups_is_used_as_checked() -> None:
    answers = iter([["192.0.2.1"], ["192.0.2.2"], ["127.0.0.1"]])
    moved = Page(301, "http://other.example.com/x", b"")
    pages = {page_at(): moved, "http:other.example.com:192.0.2.2:80/x": RIGHT}
    chosen = dataclasses.replace(prober(pages), addresses_of=lambda _name: next(answers))
    assert chosen.check(FILE_VALIDATION) == Visibility(True)
    assert next(answers) == ["127.0.0.1"]


def no_connection(target: Target) -> Page:
    raise AssertionError(f"{target.address} was requested")


def test_wide_digits_are_no_address() -> None:
    assert redirects.read_location("http://shop.example.com/", "http://\uff11\uff12\uff17.0.0.2/") is None


def test_a_location_is_shown_without_secrets_and_control_characters() -> None:
    assert redirects.describe_location("https://u:secret@a.example.com/b?c=secret#d") == "https://a.example.com/b"
    assert redirects.describe_location("/x\x1b[31m\u202e" + "y" * 500).startswith(r"/x\x1b[31m\u202ey")
    assert len(redirects.describe_location("y" * 500)) == 120
    assert redirects.describe_location("") == "nowhere"


def test_a_name_without_an_address() -> None:
    assert prober({}, ()).check(FILE_VALIDATION) == Visibility(False, "shop.example.com has no address.")


def test_the_resolve_map_overrides_dns_and_port() -> None:
    resolve = nameservers.read_resolve({"Shop.example.com.": "127.0.0.1:8080"})
    assert prober({page_at("127.0.0.1", 8080): RIGHT}, (), resolve=resolve).check(FILE_VALIDATION).visible


@pytest.mark.parametrize(
    ("text", "location_of"),
    [
        ("127.0.0.1", ("127.0.0.1", None)),
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("::1", ("::1", None)),
        ("[::1]", ("::1", None)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_entries_of_the_resolve_map(text: str, location_of: tuple[str, int | None]) -> None:
    assert nameservers.read_resolve({"a.example.com": text}) == {"a.example.com": location_of}


@pytest.mark.parametrize("text", ["localhost", "localhost:80", "127.0.0.1:0", "127.0.0.1:x", "", "127.0.0.1:99999"])
def test_invalid_entries_of_the_resolve_map(text: str) -> None:
    with pytest.raises(GogetsslError, match="resolve"):
        nameservers.read_resolve({"a.example.com": text})


@pytest.mark.parametrize("body", [CONTENT, CONTENT + b"\n", CONTENT + b"\r\n"])
def test_a_trailing_line_ending_is_ignored(body: bytes) -> None:
    assert probe.compare_page(CONTENT.decode(), Page(200, None, body)) == ""


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (Page(404, None, CONTENT), "HTTP 404"),
        (Page(200, None, CONTENT.replace(b"\r", b"")), "line ends"),
        (Page(200, None, b"<html>Hello"), "other content is served: 11 bytes of HTML."),
        (Page(200, None, b"TOKEN=secret"), "other content is served: 12 bytes."),
        (Page(200, None, b"\x1b]0;title\x07"), "other content is served: 10 bytes."),
        (
            Page(200, None, b"AB12" * 16 + CONTENT[64:]),
            "the validation file of another CSR, which begins with AB12AB12.",
        ),
        (Page(200, None, CONTENT + b"\n\n"), "line ends"),
        (Page(200, None, b"a" * 70_000), "larger than"),
        (Page(200, None, b""), "other content"),
    ],
)
def test_a_page_with_other_content(page: Page, message: str) -> None:
    assert message in probe.compare_page(CONTENT.decode(), page)


def dns_prober(**moods: Outcome) -> Prober:
    """A prober with two DNS servers for one CNAME and one TXT record. `moods` are the faults of the servers."""
    internet = Internet(
        {address: dict([ZONE]) for address in ("192.0.2.1", "192.0.2.2")},
        {address.replace("_", "."): mood for address, mood in moods.items()},
    )
    return Prober(dns=internet.dns())


ZONE = zone(
    "example.com",
    """
    @ NS ns1.example.com.
    @ NS ns2.example.com.
    ns1 A 192.0.2.1
    ns2 A 192.0.2.2
    _a.shop CNAME B.comodoca.com.
    shop TXT "v=spf1"
    shop TXT "_To" "ken"
    """,
)


@pytest.mark.parametrize(
    ("validation", "visible", "message"),
    [
        (CNAME, True, ""),
        (dataclasses.replace(CNAME, value="other.com"), False, "has 'b.comodoca.com' as CNAME of"),
        (
            dataclasses.replace(CNAME, record="_b.shop.example.com"),
            False,
            "reports that _b.shop.example.com does not exist",
        ),
        (TXT, True, ""),
        (dataclasses.replace(TXT, value="_token"), False, "instead of '_token'"),
    ],
)
def test_a_record(validation: Validation, visible: bool, message: str) -> None:
    result = dns_prober().check(validation)
    assert result.visible is visible
    assert message in result.problem


def test_a_server_without_answer_does_not_affect_others() -> None:
    result = dns_prober(**{"192_0_2_2": Outcome.TIMEOUT}).check(CNAME)
    assert result == Visibility(True, "ns2.example.com (192.0.2.2) did not answer for _a.shop.example.com in time.")


def test_a_failed_lookup() -> None:
    dead = dict.fromkeys(("192_0_2_1", "192_0_2_2", "192_0_2_53"), Outcome.TIMEOUT)
    result = dns_prober(**dead).check(CNAME)
    assert result.visible is False
    assert "The zone of _a.shop.example.com could not be found" in result.problem


def test_dns_is_not_checked_without_dnspython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "HAS_DNSPYTHON", False)
    result = Prober().check(CNAME)
    assert result.visible is None
    assert "dnspython" in result.problem


def test_validations_that_cannot_be_checked() -> None:
    assert Prober().check(Validation("a.example.com", "email", email="admin@example.com")).visible is None
    assert Prober().check(Validation("a.example.com", "http")).visible is None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT if self.headers["Host"] == "shop.example.com" else b"other host")

    def log_message(self, *_args: Any) -> None:
        pass


def test_a_real_name_server() -> None:
    with listening(Internet({"here": dict([ZONE])}), "here") as port:
        places = dict.fromkeys(("ns1.example.com", "ns2.example.com"), ("127.0.0.1", port))
        prober = Prober(places, dns=Dns((Server("", "127.0.0.1", port),), places))
        assert [prober.check(validation).visible for validation in (CNAME, TXT)] == [True, True]
        assert prober.check(dataclasses.replace(CNAME, record="_b.shop.example.com")).visible is False


def test_https_accepts_any_certificate(port: int) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = untrusted().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
        location_of = ("127.0.0.1", server.server_address[1])
        validation = dataclasses.replace(
            FILE_VALIDATION, method="https", url=f"https://shop.example.com{FILE_VALIDATION.path}"
        )
        assert Prober({"shop.example.com": location_of}).check(validation) == Visibility(True)
        server.shutdown()
    plain = Prober({"shop.example.com": ("127.0.0.1", port)}).check(validation)
    assert plain.visible is False


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_real_server(port: int) -> None:
    resolve = {"shop.example.com": ("127.0.0.1", port)}
    assert Prober(resolve).check(FILE_VALIDATION) == Visibility(True)


@pytest.mark.parametrize("length", ["", f"Content-Length: {10**12}\r\n"])
def test_a_body_without_an_end_is_read_up_to_the_limit(length: str) -> None:
    """A web server that someone else controls sends as fast as it can, until its visitor has gone."""
    sent = []

    class Endless(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                self.wfile.write(f"HTTP/1.1 200 OK\r\n{length}\r\n".encode())
                while len(sent) < 1000:
                    self.wfile.write(b"x" * probe.MAX_BODY_BYTES)
                    sent.append(1)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
        page = probe.fetch(Target("http", "127.0.0.1", server.server_address[1], "shop.example.com", "/"))
        server.shutdown()
    size = len(page.body)
    assert size == probe.MAX_BODY_BYTES + 1
    assert len(sent) < 1000  # the connection was closed before all was sent


def test_no_listening_server() -> None:
    result = Prober({"shop.example.com": ("127.0.0.1", 1)}).check(FILE_VALIDATION)
    assert result.problem == f"{FILE_VALIDATION.url} on 127.0.0.1 port 1: connection refused."


def test_the_probes_of_the_role_are_recognised() -> None:
    tasks = (Path(__file__).parents[5] / "roles" / "gogetssl" / "tasks" / "settings.yml").read_text(encoding="utf-8")
    assert f"      content: {probe.PROBE}{{{{ lookup(" in tasks


def test_nameservers_give_the_addresses_too() -> None:
    """The system's resolver may not know a name that the given resolvers know."""
    options = {"http_port": 80, "https_port": 443, "nameservers": ["192.0.2.53"]}
    tables: dict[str, Any] = {"A": ("192.0.2.7",), "AAAA": ("2001:db8::7",)}

    class Scripted(Dns):
        def lookup(self, name: str, kind: str) -> Any:
            return resolver.Answer(Server("resolver", "192.0.2.53"), name, kind, Outcome.FOUND, tables[kind])

    chosen = probe.make_prober(options, {}, Scripted())
    assert [target.address for target in chosen.targets(FILE_VALIDATION)] == ["192.0.2.7", "2001:db8::7"]
    assert probe.make_prober({**options, "nameservers": []}, {}, Scripted()).addresses_of is probe.addresses_of
