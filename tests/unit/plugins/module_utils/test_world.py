# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import errno
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _world
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import Dns, Outcome, Server
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._models import Proof
from ansible_collections.certops.gogetssl.plugins.module_utils._world import (
    NoRoute,
    Page,
    Sighting,
    Target,
    Unseen,
    World,
)
from tests.unit.internet import Internet, listening, zone
from tests.unit.scripted import PROOF
from tests.unit.tls import untrusted

CONTENT = (PROOF.content or "").encode()
RIGHT = Page(200, None, CONTENT)
CNAME = Proof("shop.example.com", "dns", type="CNAME", record="_a.shop.example.com", value="b.comodoca.com")
TXT = Proof("shop.example.com", "dns", type="TXT", record="shop.example.com", value="_Token")


def world(pages: dict[str, Page], addresses: Any = ("192.0.2.1",), **options: Any) -> World:
    """A world in which `address:port/scheme` answers with a page; everything else refuses the connection."""

    def fetch(target: Target) -> Page:
        try:
            return pages[f"{target.scheme}:{target.name}:{target.address}:{target.port}{target.path}"]
        except KeyError:
            raise Unseen("connection refused") from None

    return World(fetch=fetch, addresses_of=lambda _name: list(addresses), **options)


def page_at(address: str = "192.0.2.1", port: int = 80, scheme: str = "http", name: str = "shop.example.com") -> str:
    return f"{scheme}:{name}:{address}:{port}{PROOF.path}"


def test_a_file_that_is_there() -> None:
    assert world({page_at(): RIGHT}).look(PROOF) == Sighting(True)


def test_every_address_counts() -> None:
    sighting = world({page_at(): RIGHT}, ("192.0.2.1", "2001:db8::1")).look(PROOF)
    assert sighting.visible is False
    assert "on 2001:db8::1 port 80: connection refused." in sighting.problem
    assert "192.0.2.1" not in sighting.problem


def test_an_address_without_a_way_to_it_says_nothing() -> None:
    """A controller without IPv6 must not fail a name for it; the authority still looks at every address."""

    def fetch(target: Target) -> Page:
        if ":" in target.address:
            raise NoRoute("network is unreachable")
        return RIGHT

    addresses = ["192.0.2.1", "2001:db8::1"]
    sighting = World(fetch=fetch, addresses_of=lambda _name: addresses).look(PROOF)
    assert sighting == Sighting(True, "2001:db8::1 was not looked at.")
    only = World(fetch=fetch, addresses_of=lambda _name: addresses[1:]).look(PROOF)
    assert only.visible is False
    assert "network is unreachable" in only.problem


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENETUNREACH, NoRoute), (errno.EHOSTUNREACH, Unseen), (errno.ECONNREFUSED, Unseen)]
)
def test_why_an_address_cannot_be_reached(number: int, kind: type[Unseen], monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_args: Any, **_options: Any) -> None:
        raise OSError(number, "no way")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(Unseen) as caught:
        _world.fetch(Target("http", "192.0.2.1", 80, "shop.example.com", "/"))
    assert caught.type is kind


def test_a_redirect_is_followed_and_reported() -> None:
    moved = Page(301, f"https://shop.example.com{PROOF.path}", b"")
    assert world({page_at(): moved, page_at(port=443, scheme="https"): RIGHT}).look(PROOF).visible
    sighting = world({page_at(): moved}).look(PROOF)
    assert f"redirected to 'https://shop.example.com{PROOF.path}': connection refused." in sighting.problem


def test_a_relative_redirect() -> None:
    assert world({page_at(): Page(302, "//www.example.com/x", b"")}).look(PROOF).visible is False
    pages = {page_at(): Page(302, "/x?y=1", b""), "http:shop.example.com:192.0.2.1:80/x?y=1": RIGHT}
    assert world(pages).look(PROOF).visible


@pytest.mark.parametrize(
    ("location", "said"),
    [
        (PROOF.path, "more than 5 redirects"),
        ("ftp://shop.example.com/", "leads nowhere"),
        ("http://shop.example.com:22/", "port 22"),
        ("http://[", "leads nowhere"),
        ("http://shop.example.com:99999/", "leads nowhere"),
    ],
)
def test_a_redirect_that_is_not_followed(location: str, said: str) -> None:
    assert said in world({page_at(): Page(302, location, b"")}).look(PROOF).problem


def test_a_name_without_an_address() -> None:
    assert world({}, ()).look(PROOF) == Sighting(False, "shop.example.com has no address.")


def test_the_map_overrules_dns_with_its_port() -> None:
    resolve = _world.read_resolve({"Shop.example.com.": "127.0.0.1:8080"})
    assert world({page_at("127.0.0.1", 8080): RIGHT}, (), resolve=resolve).look(PROOF).visible


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1", ("127.0.0.1", None)),
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("::1", ("::1", None)),
        ("[::1]", ("::1", None)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_an_entry_of_the_map(text: str, place: tuple[str, int | None]) -> None:
    assert _world.read_resolve({"a.example.com": text}) == {"a.example.com": place}


@pytest.mark.parametrize("text", ["localhost", "localhost:80", "127.0.0.1:0", "127.0.0.1:x", "", "127.0.0.1:99999"])
def test_an_entry_that_is_none(text: str) -> None:
    with pytest.raises(GogetsslError, match="resolve"):
        _world.read_resolve({"a.example.com": text})


@pytest.mark.parametrize("body", [CONTENT, CONTENT + b"\n", CONTENT + b"\r\n"])
def test_a_final_line_end_does_not_matter(body: bytes) -> None:
    assert _world.compare_page(CONTENT.decode(), Page(200, None, body)) == ""


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page(404, None, CONTENT), "HTTP 404"),
        (Page(200, None, CONTENT.replace(b"\r", b"")), "line ends"),
        (Page(200, None, b"<html>Hello"), "other content is served: '<html>Hello'"),
        (Page(200, None, CONTENT + b"\n\n"), "line ends"),
        (Page(200, None, b"a" * 70_000), "larger than"),
        (Page(200, None, b""), "other content"),
    ],
)
def test_a_page_that_is_not_the_proof(page: Page, said: str) -> None:
    assert said in _world.compare_page(CONTENT.decode(), page)


def dns_world(**moods: Outcome) -> World:
    """A world in which two servers know one CNAME and one TXT record, each in its mood."""
    internet = Internet(
        {address: dict([ZONE]) for address in ("192.0.2.1", "192.0.2.2")},
        {address.replace("_", "."): mood for address, mood in moods.items()},
    )
    return World(dns=internet.dns())


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
    ("proof", "visible", "said"),
    [
        (CNAME, True, ""),
        (dataclasses.replace(CNAME, value="other.com"), False, "has 'b.comodoca.com' as CNAME of"),
        (
            dataclasses.replace(CNAME, record="_b.shop.example.com"),
            False,
            "says that _b.shop.example.com does not exist",
        ),
        (TXT, True, ""),
        (dataclasses.replace(TXT, value="_token"), False, "instead of '_token'"),
    ],
)
def test_a_record(proof: Proof, visible: bool, said: str) -> None:
    sighting = dns_world().look(proof)
    assert sighting.visible is visible
    assert said in sighting.problem


def test_a_server_that_does_not_answer_hinders_nobody() -> None:
    sighting = dns_world(**{"192_0_2_2": Outcome.TIMEOUT}).look(CNAME)
    assert sighting == Sighting(True, "ns2.example.com (192.0.2.2) gave no answer for _a.shop.example.com in time.")


def test_a_lookup_that_fails() -> None:
    dead = dict.fromkeys(("192_0_2_1", "192_0_2_2", "192_0_2_53"), Outcome.TIMEOUT)
    sighting = dns_world(**dead).look(CNAME)
    assert sighting.visible is False
    assert "The zone of _a.shop.example.com could not be found" in sighting.problem


def test_without_its_library_dns_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_world, "HAS_DNSPYTHON", False)
    sighting = World().look(CNAME)
    assert sighting.visible is None
    assert "dnspython" in sighting.problem


def test_what_cannot_be_looked_at() -> None:
    assert World().look(Proof("a.example.com", "email", email="admin@example.com")).visible is None
    assert World().look(Proof("a.example.com", "http")).visible is None


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
        world = World(places, dns=Dns((Server("", "127.0.0.1", port),), places))
        assert [world.look(proof).visible for proof in (CNAME, TXT)] == [True, True]
        assert world.look(dataclasses.replace(CNAME, record="_b.shop.example.com")).visible is False


def test_over_https_the_old_certificate_does_not_matter(port: int) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = untrusted().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
        place = ("127.0.0.1", server.server_address[1])
        proof = dataclasses.replace(PROOF, method="https", url=f"https://shop.example.com{PROOF.path}")
        assert World({"shop.example.com": place}).look(proof) == Sighting(True)
        server.shutdown()
    plain = World({"shop.example.com": ("127.0.0.1", port)}).look(proof)
    assert plain.visible is False


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_real_server(port: int) -> None:
    resolve = {"shop.example.com": ("127.0.0.1", port)}
    assert World(resolve).look(PROOF) == Sighting(True)


def test_no_server_at_all() -> None:
    sighting = World({"shop.example.com": ("127.0.0.1", 1)}).look(PROOF)
    assert sighting.problem == f"{PROOF.url} on 127.0.0.1 port 1: connection refused."


@pytest.mark.parametrize(
    ("content", "page", "other"),
    [
        ("gogetssl-probe-a", Page(200, None, b"gogetssl-probe-b"), True),
        ("gogetssl-probe-a", Page(200, None, b"gogetssl-probe-a\n"), False),
        ("gogetssl-probe-a", Page(404, None, b"gogetssl-probe-b"), False),
        ("gogetssl-probe-a", Page(200, None, b"<html>gogetssl-probe-b"), False),
        ("a proof", Page(200, None, b"gogetssl-probe-b"), False),
    ],
)
def test_the_probe_of_another_run_is_known_and_does_not_pass(content: str, page: Page, other: bool) -> None:
    target = Target("http", "192.0.2.1", 80, "shop.example.com", PROOF.path or "")
    look = world({page_at(): page}).look_at(target, content)
    assert look.other_probe is other
    assert not (other and not look.problem)


def test_the_role_makes_probes_that_are_known_as_such() -> None:
    tasks = (Path(__file__).parents[4] / "roles" / "gogetssl" / "tasks" / "preflight.yml").read_text(encoding="utf-8")
    assert f"      content: {_world.PROBE}{{{{ lookup(" in tasks
