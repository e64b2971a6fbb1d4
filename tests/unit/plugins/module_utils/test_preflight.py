# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole task: a small internet for the DNS, a real web server on loopback, a scripted vendor."""

from __future__ import annotations

import contextlib
import functools
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import dns.rcode
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import (
    _api,
    _checks,
    _dns,
    _dns_wire,
    _preflight,
    _suffixes,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import Outcome
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._suffixes import Suffix
from ansible_collections.certops.gogetssl.plugins.module_utils._task import Context
from tests.unit.internet import RESOLVER, Internet, zone
from tests.unit.scripted import KEY, PASSWORD, URL, USER, Call, Time, call, client, no_shell, scripted
from tests.unit.tls import untrusted

SHOP, MAIL = "shop.example.com", "admin@example.com"
PROBE = {"file_name": "probe.txt", "content": "here I am"}
DNS_CHECKS = ["address", "dnssec", "servers", "caa"]


def internet(text: str = "") -> Internet:
    com = zone("com", "example.com. NS ns1.example.com.\nns1.example.com. A 192.0.2.1")
    own = zone("example.com", f"@ NS ns1.example.com.\nns1 A 192.0.2.1\n{text}")
    return Internet({"192.0.2.200": dict([zone("", "com. NS a.com."), com]), "192.0.2.1": dict([own])})


def wish(names: Any = (SHOP,), dcv: Any = "http", **more: Any) -> dict[str, Any]:
    return {"name": "shop", "names": list(names), "product": "68", "dcv": dcv, **more}


def preflight(world: Internet | None = None, *certificates: dict[str, Any], **options: Any) -> dict[str, Any]:
    spec = {
        name: {k: v for k, v in option.items() if k != "fallback_env"}
        for name, option in _preflight.TASK.argument_spec.items()
    }
    given = {"certificates": list(certificates or [wish()]), "keep_going": True, "account": False, **options}
    validated = ArgumentSpecValidator(spec).validate(given)
    assert not validated.error_messages, validated.error_messages
    context = Context(
        validated.validated_parameters, False, no_shell, lambda: _api.Api(client(Time())), lambda text: None
    )
    ask = (world or internet()).ask
    with mock.patch.object(_preflight, "Dns", functools.partial(_dns.Dns, ask=ask)):
        return _preflight.TASK.run(context)


def result_of(found: dict[str, Any], check: str, name: str = SHOP) -> tuple[str, str]:
    (row,) = [row for row in found["rows"] if (row["check"], row["name"]) == (check, name)]
    return row["result"], row["found"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        right = self.path == "/.well-known/pki-validation/probe.txt" and self.headers["Host"] == SHOP
        self.send_response(200 if right else 404)
        self.end_headers()
        self.wfile.write(PROBE["content"].encode() if right else b"")

    def log_message(self, *_args: Any) -> None:
        pass


class Server6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def web(ipv6: bool, tls: bool = False) -> Iterator[int]:
    """A web server on 127.0.0.1 and, if wanted, on the same port of ::1."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        servers = [first]
        if ipv6:
            servers.append(stack.enter_context(Server6(("::1", first.server_address[1]), Handler)))
        for server in servers:
            if tls:
                server.socket = untrusted().wrap_socket(server.socket, server_side=True)
            threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
            stack.callback(server.shutdown)
        yield first.server_address[1]


@pytest.fixture(autouse=True)
def _resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dns_wire, "system_servers", lambda: [RESOLVER.address])


@pytest.mark.parametrize(("ipv6", "result"), [(True, "pass"), (False, "stop")])
def test_a_forgotten_aaaa_record(ipv6: bool, result: str) -> None:
    with web(ipv6) as port:
        found = preflight(internet("shop A 127.0.0.1\nshop AAAA ::1"), http_port=port, probe=PROBE)
    got, words = result_of(found, "http")
    assert got == result, found["table"]
    assert f"IPv4 127.0.0.1 port {port}: ok; IPv6 ::1 port {port}: {'ok' if ipv6 else 'connection refused'}" in words
    assert [one["name"] for one in found["stopped"]] == ([] if ipv6 else ["shop"])
    if not ipv6:
        assert "Remove the AAAA record of shop.example.com" in found["stopped"][0]["reason"]


def test_without_a_probe_it_is_a_warning() -> None:
    with web(False) as port:
        found = preflight(internet("shop A 127.0.0.1"), http_port=port)
    assert result_of(found, "http") == ("warn", f"IPv4 127.0.0.1 port {port}: HTTP 404")
    assert not found["stopped"]


def test_what_resolve_says_is_looked_at_instead_of_the_dns() -> None:
    world = internet()
    with web(False) as port:
        found = preflight(world, resolve={SHOP: f"127.0.0.1:{port}"}, probe=PROBE)
    assert result_of(found, "http")[0] == "pass"
    assert {result_of(found, check)[0] for check in DNS_CHECKS} == {"warn"}
    assert not world.asked


def test_nameservers_are_asked_even_about_names_of_resolve() -> None:
    found = preflight(
        internet("shop A 127.0.0.1"), checks=DNS_CHECKS, nameservers=["192.0.2.53"], resolve={SHOP: "127.0.0.1:9"}
    )
    assert {result_of(found, check)[0] for check in ("dnssec", "servers", "caa")} == {"pass"}


def test_a_typing_error() -> None:
    found = preflight(internet("shop A 127.0.0.1"), wish(["shpo.example.com"]), checks=["address", "http"])
    assert result_of(found, "address", "shpo.example.com")[0] == "stop"
    assert [row["check"] for row in found["rows"]] == ["address"]


def test_a_domain_that_nobody_has() -> None:
    found = preflight(internet(), wish(["shop.exmaple.com"], "dns"), checks=["servers"])
    result, words = result_of(found, "servers", "shop.exmaple.com")
    assert result == "stop"
    assert "shop.exmaple.com" in words


def test_caa_is_found_above_and_weighed_for_wildcards() -> None:
    world = internet('shop A 192.0.2.80\n@ CAA 0 issue "letsencrypt.org"\n@ CAA 0 issuewild "sectigo.com"')
    found = preflight(world, wish([SHOP, "*.example.com"], "dns", product="Sectigo PositiveSSL"), checks=["caa"])
    assert result_of(found, "caa")[0] == "stop"
    assert result_of(found, "caa", "*.example.com")[0] == "pass"


def test_a_signature_that_does_not_fit_is_told_from_a_server_that_fails() -> None:
    bogus, failing = internet("shop A 192.0.2.80"), internet("shop A 192.0.2.80")
    bogus.bogus.add("example.com")
    failing.moods["192.0.2.1"] = dns.rcode.SERVFAIL
    first, second = (preflight(world, checks=["dnssec"]) for world in (bogus, failing))
    assert "DNSSEC signatures of shop.example.com do not fit" in result_of(first, "dnssec")[1]
    assert "with and without DNSSEC" in result_of(second, "dnssec")[1]
    assert [result_of(found, "dnssec")[0] for found in (first, second)] == ["stop", "stop"]


def test_a_silent_resolver_is_asked_once_and_all_is_a_warning() -> None:
    world = internet("shop A 192.0.2.80")
    world.moods[RESOLVER.address] = Outcome.TIMEOUT
    found = preflight(world, probe=PROBE)
    assert {result_of(found, check)[0] for check in [*DNS_CHECKS, "http"]} == {"warn"}
    assert len(world.asked) == 1


def test_without_dnspython_dns_is_not_checked_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_preflight, "HAS_DNSPYTHON", False)
    found = preflight(checks=DNS_CHECKS)
    assert {result_of(found, check) for check in DNS_CHECKS} == {
        ("warn", "not looked up: the Python library dnspython is not installed on the controller")
    }


def item(**changes: Any) -> dict[str, Any]:
    """A multi-domain product as `products/ssl` has it."""
    return {
        "id": 68,
        "product": "Multi",
        "brand": "comodo_ggssl",
        "product_type": "domain",
        "san_enabled": 1,
        "wildcard_enabled": 0,
        "wildcard_san_enabled": 1,
        "dcv_http": True,
        "dcv_dns": True,
        "dcv_email": True,
        "prices": {"12": "10.00", "san": {"12": "5.00"}, "wildcard_san": {"12": "50.00"}},
        **changes,
    }


BALANCE = call("GET", "/account/balance/", {"balance": "14.00", "currency": "EUR", "success": True})
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}
ACCOUNT = {
    "api_url": URL,
    "api_user": USER,
    "api_password": PASSWORD,
    "auth_key": KEY,
    "account": None,
    "admin": PERSON,
}


def products(*items: dict[str, Any]) -> Call:
    return call("GET", "/products/ssl/", {"products": list(items), "success": True})


LOOK_AT_A = "shop A 8.8.8.8"


def seen(check: str, world: str | Internet = "", *wishes: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The task with this check alone."""
    return preflight(internet(world) if isinstance(world, str) else world, *wishes, checks=[check], **options)


def told(check: str, *script: Call, **certificate: Any) -> dict[str, Any]:
    """The same with an account, of which the vendor says what is in the script."""
    with scripted(*script):
        return seen(check, "", wish(**certificate), **ACCOUNT)


def approvers(*allowed: str) -> Call:
    emails = {"ComodoApprovalEmails": list(allowed), "success": True}
    return call("POST", "/tools/domain/emails/", emails, fields={"domain": SHOP})


def bogus() -> Internet:
    world = internet(LOOK_AT_A)
    world.bogus.add("example.com")
    return world


def silent() -> Internet:
    world = internet(LOOK_AT_A)
    world.moods[RESOLVER.address] = Outcome.TIMEOUT
    return world


def served(method: str, ipv6: bool = True, probe: bool = True) -> dict[str, Any]:
    """Over both kinds of addresses, or as if the AAAA record had been forgotten."""
    with web(ipv6, tls=method == "https") as port:
        options = {f"{method}_port": port, **({"probe": PROBE} if probe else {})}
        world = internet("shop A 127.0.0.1\nshop AAAA ::1")
        return preflight(world, wish(dcv=method), checks=["address", method], **options)


def funds(balance: str) -> dict[str, Any]:
    return told("balance", call("GET", "/account/balance/", {"balance": balance, "currency": "EUR"}), products(item()))


# A world for everything that every check can come to.
WORLDS: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
    ("name", "pass"): lambda: seen("name"),
    ("name", "warn"): lambda: seen("name", "", wish(["co.uk"])),
    ("name", "stop"): lambda: seen("name", "", wish(["a_b.example.com"])),
    ("product", "pass"): lambda: told("product", products(item())),
    ("product", "warn"): lambda: seen("product"),
    ("product", "stop"): lambda: told("product", products()),
    ("approver", "pass"): lambda: told("approver", products(item()), approvers(MAIL), dcv=MAIL),
    ("approver", "warn"): lambda: seen("approver", "", wish(dcv=MAIL)),
    ("approver", "stop"): lambda: told("approver", products(item()), approvers("root@example.com"), dcv=MAIL),
    ("address", "pass"): lambda: seen("address", LOOK_AT_A),
    ("address", "warn"): lambda: seen("address", "shop A 10.0.0.1"),
    ("address", "stop"): lambda: seen("address", "shpo A 8.8.8.8"),
    ("dnssec", "pass"): lambda: seen("dnssec", LOOK_AT_A),
    ("dnssec", "warn"): lambda: seen("dnssec", silent()),
    ("dnssec", "stop"): lambda: seen("dnssec", bogus()),
    ("servers", "pass"): lambda: seen("servers", LOOK_AT_A),
    ("servers", "warn"): lambda: seen("servers", f"{LOOK_AT_A}\n@ NS ns2.example.com."),
    ("servers", "stop"): lambda: seen("servers", "", wish(["shop.exmaple.com"])),
    ("caa", "pass"): lambda: seen("caa", f'{LOOK_AT_A}\n@ CAA 0 issue "sectigo.com"', wish(product="PositiveSSL")),
    ("caa", "warn"): lambda: seen("caa", f'{LOOK_AT_A}\n@ CAA 0 issue "sectigo.com"'),
    ("caa", "stop"): lambda: seen("caa", f'{LOOK_AT_A}\n@ CAA 0 issue "letsencrypt.org"'),
    ("http", "pass"): lambda: served("http"),
    ("http", "warn"): lambda: served("http", probe=False),
    ("http", "stop"): lambda: served("http", ipv6=False),
    ("https", "pass"): lambda: served("https"),
    ("https", "warn"): lambda: served("https", probe=False),
    ("https", "stop"): lambda: served("https", ipv6=False),
    ("balance", "pass"): lambda: funds("13.00"),
    ("balance", "warn"): lambda: funds("12.99"),
    ("balance", "stop"): lambda: funds("9.99"),
}


def test_there_is_a_world_for_everything_that_every_check_can_come_to() -> None:
    assert list(WORLDS) == [(check, result) for check in _checks.CHECKS for result in ("pass", "warn", "stop")]


@pytest.mark.parametrize(("check", "result"), WORLDS)
def test_a_world_in_which_a_check_comes_to_it(check: str, result: str) -> None:
    found = WORLDS[check, result]()
    (row,) = [row for row in found["rows"] if row["check"] == check]
    assert row["result"] == result, row
    assert [one["name"] for one in found["stopped"]] == ([row["certificate"]] if result == "stop" else [])


def another_root() -> dict[str, Any]:
    """The server does not have the file that was published."""
    with web(False) as port:
        options = {"http_port": port, "probe": {**PROBE, "file_name": "elsewhere.txt"}}
        return preflight(internet("shop A 127.0.0.1"), checks=["address", "http"], **options)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (another_root, ["shop.example.com, http: IPv4 127.0.0.1 port", "HTTP 404", "Is the web root the directory"]),
        (WORLDS["http", "stop"], ["shop.example.com, http: ", "IPv6 ::1 port", "Remove the AAAA record of shop.exam"]),
        (
            lambda: seen("caa", f'{LOOK_AT_A}\n@ CAA 0 issue "letsencrypt.org"', wish(product="PositiveSSL")),
            ["shop.example.com, caa: example.com: ", 'Add the CAA record 0 issue "sectigo.com" at example.com.'],
        ),
        (WORLDS["approver", "stop"], [f"{MAIL} may not approve shop.example.com", "Allowed: root@example.com."]),
    ],
    ids=["web root", "IPv4 only", "CAA", "approver"],
)
def test_what_cannot_be_proven_is_stopped_in_a_sentence_with_name_place_and_mend(
    bad: Callable[[], dict[str, Any]], named: list[str]
) -> None:
    (stopped,) = bad()["stopped"]
    assert stopped["reason"].startswith("shop: shop.example.com, ")
    assert "\n" not in stopped["reason"]
    assert [words for words in named if words not in stopped["reason"]] == [], stopped["reason"]


def test_the_account_is_asked_for_product_price_balance_and_approvers() -> None:
    emails = {"ComodoApprovalEmails": [MAIL], "success": True}
    certificates = [wish([SHOP, "www.example.com"], {SHOP: MAIL, "www.example.com": "root@example.com"})]
    script = (
        BALANCE,
        products(item()),
        call("GET", "/products/details/68", {"product_single_san_included": "0", "success": True}),
        call("POST", "/tools/domain/emails/", emails, fields={"domain": SHOP}),
        call("POST", "/tools/domain/emails/", emails, fields={"domain": "www.example.com"}),
    )
    with scripted(*script):
        found = preflight(None, *certificates, checks=["product", "approver", "balance"], **ACCOUNT)
    assert result_of(found, "product", "") == ("pass", "Multi fits, 15.00 EUR")
    assert result_of(found, "approver")[0] == "pass"
    assert result_of(found, "approver", "www.example.com")[0] == "stop"
    assert result_of(found, "balance", "")[0] == "stop"
    assert [one["name"] for one in found["stopped"]] == ["shop", ""]


def test_a_product_that_does_not_fit_stops() -> None:
    with scripted(products(item(wildcard_san_enabled=0))):
        found = preflight(None, wish([SHOP, "*.example.com"], "dns"), checks=["product"], **ACCOUNT)
    assert result_of(found, "product", "")[0] == "stop"
    with scripted(products()):
        assert "There is no product '68'" in result_of(preflight(checks=["product"], **ACCOUNT), "product", "")[1]


def test_auto_that_finds_nothing_stops_with_the_alternatives() -> None:
    with scripted(products(item())):
        found = preflight(None, wish([SHOP, "*.example.com"], "auto"), checks=["product"], **ACCOUNT)
    result, words = result_of(found, "product", "")
    assert result == "stop"
    assert "configure a DNS provider" in words


def test_an_api_that_fails_is_a_warning_unless_it_was_insisted_on() -> None:
    down = call("GET", "/products/ssl/", {"error": True, "message": "Out of order"})
    with scripted(down):
        found = preflight(checks=["product"], **ACCOUNT)
    assert result_of(found, "product", "")[0] == "warn"
    assert "Out of order" in result_of(found, "product", "")[1]
    with scripted(down), pytest.raises(GogetsslError, match="Out of order"):
        preflight(checks=["product"], **{**ACCOUNT, "account": True})


def test_without_credentials_nobody_is_asked() -> None:
    with scripted():
        found = preflight(checks=["product", "approver", "balance"], account=None)
    assert {row["result"] for row in found["rows"]} == {"warn"}


def test_a_name_proven_along_with_another_is_not_looked_at_on_the_web() -> None:
    single = item(id=45, san_enabled=0)
    with scripted(products(single)):
        found = preflight(
            internet("shop A 127.0.0.1"), wish([SHOP, f"www.{SHOP}"], product="45"), checks=["caa", "http"], **ACCOUNT
        )
    assert [(row["name"], row["check"]) for row in found["rows"]] == [
        (SHOP, "caa"),
        (SHOP, "http"),
        (f"www.{SHOP}", "caa"),
    ]


def test_a_stop_fails_the_task_unless_it_is_to_go_on() -> None:
    bad = wish(["a_b.example.com"])
    assert "failed" not in preflight(None, bad, checks=["name"])
    found = preflight(None, bad, checks=["name"], keep_going=False)
    assert found["failed"]
    assert "underscore" in found["msg"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("co.uk", Suffix.REGISTRY),
        ("shop.co.uk", Suffix.NO),
        ("github.io", Suffix.PRIVATE),
        ("example.com", Suffix.NO),
        ("xn--55qx5d.cn", Suffix.REGISTRY),
    ],
)
def test_public_suffixes(name: str, what: Suffix, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _suffixes.suffix(name) is what
    monkeypatch.setattr(_suffixes, "HAS_PUBLICSUFFIXLIST", False)
    assert _suffixes.suffix(name) is Suffix.UNKNOWN
