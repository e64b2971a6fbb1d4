# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole task, with simulated DNS, a real web server on loopback and a scripted API."""

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

from ansible_collections.certops.gogetssl.plugins.module_utils._api import orders
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import resolver, suffixes, wire
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.resolver import Outcome
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.suffixes import Suffix
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import preflight as _preflight
from ansible_collections.certops.gogetssl.plugins.module_utils._validation import checks, probe
from tests.unit.internet import RESOLVER, Internet, zone
from tests.unit.scripted import KEY, PASSWORD, URL, USER, Call, Time, call, client, no_shell, scripted
from tests.unit.tls import untrusted

SHOP, MAIL = "shop.example.com", "admin@example.com"
PROBE = {"file_name": "probe.txt", "content": "probe content"}
DNS_CHECKS = ["address", "dnssec", "servers", "caa"]


def internet(text: str = "") -> Internet:
    com = zone("com", "example.com. NS ns1.example.com.\nns1.example.com. A 192.0.2.1")
    own = zone("example.com", f"@ NS ns1.example.com.\nns1 A 192.0.2.1\n{text}")
    return Internet({"192.0.2.200": dict([zone("", "com. NS a.com."), com]), "192.0.2.1": dict([own])})


def spec(names: Any = (SHOP,), dcv: Any = "http", **more: Any) -> dict[str, Any]:
    return {"name": "shop", "names": list(names), "product": "68", "dcv": dcv, **more}


def preflight(prober: Internet | None = None, *certificates: dict[str, Any], **options: Any) -> dict[str, Any]:
    given = {"certificates": list(certificates or [spec()]), "keep_going": True, "account": False, **options}
    validated = ArgumentSpecValidator(_preflight.TASK.argument_spec).validate(given)
    assert not validated.error_messages, validated.error_messages
    context = Context(
        validated.validated_parameters, False, no_shell, lambda: orders.Api(client(Time())), lambda text: None
    )
    query_server = (prober or internet()).query_server
    with mock.patch.object(_preflight, "Dns", functools.partial(resolver.Dns, query_server=query_server)):
        return _preflight.TASK.run(context)


def result_of(found: dict[str, Any], check: str, name: str = SHOP) -> tuple[str, str]:
    (row,) = [row for row in found["rows"] if (row["check"], row["name"]) == (check, name)]
    return row["result"], row["details"]


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


def listening(ipv6: bool) -> list[http.server.ThreadingHTTPServer]:
    """Servers on one free port. A port that is free on 127.0.0.1 may be in use on ::1."""
    while True:
        first = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        try:
            return [first, Server6(("::1", first.server_address[1]), Handler)] if ipv6 else [first]
        except OSError:
            first.server_close()


@contextlib.contextmanager
def web(ipv6: bool, tls: bool = False) -> Iterator[int]:
    """A web server on 127.0.0.1 and optionally on the same port of ::1."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(server) for server in listening(ipv6)]
        for server in servers:
            if tls:
                server.socket = untrusted().wrap_socket(server.socket, server_side=True)
            threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
            stack.callback(server.shutdown)
        yield int(servers[0].server_address[1])


@pytest.fixture(autouse=True)
def _resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "system_servers", lambda: [RESOLVER.address])
    monkeypatch.setattr(probe, "internal_kind", lambda address: "private" if address.startswith("10.") else "")


def test_what_could_not_be_checked_is_no_problem() -> None:
    """Check mode publishes no probe: the role's output has no line for that, but the table does."""
    with web(False) as port:
        found = preflight(internet("shop A 127.0.0.1"), http_port=port)
    assert any("No probe was published" in line for line in found["table"])
    assert not any("No probe was published" in line for line in found["problems"])


@pytest.mark.parametrize(("ipv6", "result"), [(True, "pass"), (False, "stop")])
def test_an_outdated_aaaa_record(ipv6: bool, result: str) -> None:
    with web(ipv6) as port:
        found = preflight(internet("shop A 127.0.0.1\nshop AAAA ::1"), http_port=port, probe=PROBE)
    got, joined = result_of(found, "http")
    assert got == result, found["table"]
    assert f"IPv4 127.0.0.1 port {port}: ok; IPv6 ::1 port {port}: {'ok' if ipv6 else 'connection refused'}" in joined
    assert [one["name"] for one in found["stopped"]] == ([] if ipv6 else ["shop"])
    if not ipv6:
        assert "Remove the AAAA record of shop.example.com" in found["stopped"][0]["reason"]


def test_without_a_probe_it_is_a_warning() -> None:
    with web(False) as port:
        found = preflight(internet("shop A 127.0.0.1"), http_port=port)
    assert result_of(found, "http") == ("warn", f"IPv4 127.0.0.1 port {port}: HTTP 404")
    assert not found["stopped"]


@pytest.mark.parametrize(
    ("served", "stopped"),
    [(("fileauth.txt",), True), ((), False), (("",), False)],
    ids=["a file of another order", "no file", "a server with an answer for every path"],
)
def test_an_existing_file_of_another_validation_stops(served: tuple[str, ...], stopped: bool) -> None:
    class Other(Handler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.endswith((*served, "probe.txt") if served else "probe.txt") else 404)
            self.end_headers()
            self.wfile.write(PROBE["content"].encode() if self.path.endswith("probe.txt") else b"other content")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
        resolve = {SHOP: f"127.0.0.1:{server.server_address[1]}"}
        found = preflight(None, spec(product="RapidSSL"), resolve=resolve, probe=PROBE)
        alone = preflight(None, spec(product="RapidSSL"), resolve=resolve, probe=PROBE, together=False)
        server.shutdown()
    assert [one["name"] for one in found["stopped"]] == (["shop"] if stopped else [])
    if stopped:
        assert (
            f"http://{SHOP}/.well-known/pki-validation/fileauth.txt is served already" in found["stopped"][0]["reason"]
        )
        assert "other content" not in str(found)
    assert alone["stopped"] == []


def test_an_internal_address_is_not_probed() -> None:
    found = preflight(internet("shop A 10.0.0.1"), probe=PROBE)
    result, details = result_of(found, "http")
    assert (result, found["stopped"]) == ("warn", [])
    assert "10.0.0.1 is not a public address (private)" in details
    assert "Set gogetssl_resolve to the address of shop.example.com that the" in " ".join(found["table"])


def test_addresses_in_resolve_replace_dns() -> None:
    prober = internet()
    with web(False) as port:
        found = preflight(prober, resolve={SHOP: f"127.0.0.1:{port}"}, probe=PROBE)
    assert result_of(found, "http")[0] == "pass"
    assert {result_of(found, check)[0] for check in DNS_CHECKS} == {"warn"}
    assert not prober.queries


def test_names_in_resolve_are_still_queried_at_nameservers() -> None:
    found = preflight(
        internet("shop A 127.0.0.1"), checks=DNS_CHECKS, nameservers=["192.0.2.53"], resolve={SHOP: "127.0.0.1:9"}
    )
    assert {result_of(found, check)[0] for check in ("dnssec", "servers", "caa")} == {"pass"}


def test_a_misspelt_name() -> None:
    found = preflight(internet("shop A 127.0.0.1"), spec(["shpo.example.com"]), checks=["address", "http"])
    assert result_of(found, "address", "shpo.example.com")[0] == "stop"
    assert [row["check"] for row in found["rows"]] == ["address"]


def test_an_unregistered_domain() -> None:
    found = preflight(internet(), spec(["shop.exmaple.com"], "dns"), checks=["servers"])
    result, joined = result_of(found, "servers", "shop.exmaple.com")
    assert result == "stop"
    assert "shop.exmaple.com" in joined


def test_caa_of_the_parent_applies_to_wildcards() -> None:
    prober = internet('shop A 192.0.2.80\n@ CAA 0 issue "letsencrypt.org"\n@ CAA 0 issuewild "sectigo.com"')
    found = preflight(prober, spec([SHOP, "*.example.com"], "dns", product="Sectigo PositiveSSL"), checks=["caa"])
    assert result_of(found, "caa")[0] == "stop"
    assert result_of(found, "caa", "*.example.com")[0] == "pass"


def test_an_invalid_signature_is_distinguished_from_a_failing_server() -> None:
    bogus, failing = internet("shop A 192.0.2.80"), internet("shop A 192.0.2.80")
    bogus.bogus.add("example.com")
    failing.moods["192.0.2.1"] = dns.rcode.SERVFAIL
    first, second = (preflight(prober, checks=["dnssec"]) for prober in (bogus, failing))
    assert "DNSSEC signatures of shop.example.com are invalid" in result_of(first, "dnssec")[1]
    assert "with and without DNSSEC" in result_of(second, "dnssec")[1]
    assert [result_of(found, "dnssec")[0] for found in (first, second)] == ["stop", "stop"]


def test_a_silent_resolver_is_queried_once_and_causes_warnings() -> None:
    prober = internet("shop A 192.0.2.80")
    prober.moods[RESOLVER.address] = Outcome.TIMEOUT
    found = preflight(prober, probe=PROBE)
    assert {result_of(found, check)[0] for check in [*DNS_CHECKS, "http"]} == {"warn"}
    assert len(prober.queries) == 1


def test_what_resolve_overrides_is_in_the_table_and_not_a_problem() -> None:
    found = preflight(internet("shop A 127.0.0.1"), checks=DNS_CHECKS, resolve={SHOP: "127.0.0.1:9"})
    assert any("not queried: resolve gives" in line for line in found["table"])
    assert not any("not queried" in line for line in found["problems"])


def test_missing_dnspython_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_preflight, "HAS_DNSPYTHON", False)
    found = preflight(checks=DNS_CHECKS)
    assert {result_of(found, check) for check in DNS_CHECKS} == {
        ("warn", "not queried: the Python library dnspython is not installed on the controller")
    }


def item(**changes: Any) -> dict[str, Any]:
    """A multi-domain product in the format of `products/ssl`."""
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


ADDRESS_RECORD = "shop A 8.8.8.8"


def result_of_check(check: str, prober: str | Internet = "", *specs: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The result of the task with this check only."""
    return preflight(internet(prober) if isinstance(prober, str) else prober, *specs, checks=[check], **options)


def result_with_account(check: str, *script: Call, **certificate: Any) -> dict[str, Any]:
    """The result of one check with an account and a scripted API."""
    with scripted(*script):
        return result_of_check(check, "", spec(**certificate), **ACCOUNT)


def approvers(*allowed: str) -> Call:
    emails = {"ComodoApprovalEmails": list(allowed), "success": True}
    return call("POST", "/tools/domain/emails/", emails, fields={"domain": SHOP})


def bogus() -> Internet:
    prober = internet(ADDRESS_RECORD)
    prober.bogus.add("example.com")
    return prober


def silent() -> Internet:
    prober = internet(ADDRESS_RECORD)
    prober.moods[RESOLVER.address] = Outcome.TIMEOUT
    return prober


def served(method: str, ipv6: bool = True, probe: bool = True) -> dict[str, Any]:
    """The result with a web server on both addresses, or with an outdated AAAA record."""
    with web(ipv6, tls=method == "https") as port:
        options = {f"{method}_port": port, **({"probe": PROBE} if probe else {})}
        prober = internet("shop A 127.0.0.1\nshop AAAA ::1")
        return preflight(prober, spec(dcv=method), checks=["address", method], **options)


def funds(balance: str) -> dict[str, Any]:
    return result_with_account(
        "balance", call("GET", "/account/balance/", {"balance": balance, "currency": "EUR"}), products(item())
    )


# A scenario for each result of each check.
SCENARIOS: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
    ("name", "pass"): lambda: result_of_check("name"),
    ("name", "warn"): lambda: result_of_check("name", "", spec(["co.uk"])),
    ("name", "stop"): lambda: result_of_check("name", "", spec(["a_b.example.com"])),
    ("product", "pass"): lambda: result_with_account("product", products(item())),
    ("product", "warn"): lambda: result_of_check("product"),
    ("product", "stop"): lambda: result_with_account("product", products()),
    ("approver", "pass"): lambda: result_with_account("approver", products(item()), approvers(MAIL), dcv=MAIL),
    ("approver", "warn"): lambda: result_of_check("approver", "", spec(dcv=MAIL)),
    ("approver", "stop"): lambda: result_with_account(
        "approver", products(item()), approvers("root@example.com"), dcv=MAIL
    ),
    ("address", "pass"): lambda: result_of_check("address", ADDRESS_RECORD),
    ("address", "warn"): lambda: result_of_check("address", "shop A 10.0.0.1"),
    ("address", "stop"): lambda: result_of_check("address", "shpo A 8.8.8.8"),
    ("dnssec", "pass"): lambda: result_of_check("dnssec", ADDRESS_RECORD),
    ("dnssec", "warn"): lambda: result_of_check("dnssec", silent()),
    ("dnssec", "stop"): lambda: result_of_check("dnssec", bogus()),
    ("servers", "pass"): lambda: result_of_check("servers", ADDRESS_RECORD),
    ("servers", "warn"): lambda: result_of_check("servers", f"{ADDRESS_RECORD}\n@ NS ns2.example.com."),
    ("servers", "stop"): lambda: result_of_check("servers", "", spec(["shop.exmaple.com"])),
    ("caa", "pass"): lambda: result_of_check(
        "caa", f'{ADDRESS_RECORD}\n@ CAA 0 issue "sectigo.com"', spec(product="PositiveSSL")
    ),
    ("caa", "warn"): lambda: result_of_check("caa", f'{ADDRESS_RECORD}\n@ CAA 0 issue "sectigo.com"'),
    ("caa", "stop"): lambda: result_of_check("caa", f'{ADDRESS_RECORD}\n@ CAA 0 issue "letsencrypt.org"'),
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


def test_every_result_of_every_check_has_a_scenario() -> None:
    assert list(SCENARIOS) == [(check, result) for check in checks.CHECKS for result in ("pass", "warn", "stop")]


@pytest.mark.parametrize(("check", "result"), SCENARIOS)
def test_scenarios(check: str, result: str) -> None:
    found = SCENARIOS[check, result]()
    (row,) = [row for row in found["rows"] if row["check"] == check]
    assert row["result"] == result, row
    assert [one["name"] for one in found["stopped"]] == ([row["certificate"]] if result == "stop" else [])


def another_root() -> dict[str, Any]:
    """The server does not have the published file."""
    with web(False) as port:
        options = {"http_port": port, "probe": {**PROBE, "file_name": "elsewhere.txt"}}
        return preflight(internet("shop A 127.0.0.1"), checks=["address", "http"], **options)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (
            another_root,
            ["shop.example.com, http: IPv4 127.0.0.1 port", "HTTP 404", "Check that the web root"],
        ),
        (
            SCENARIOS["http", "stop"],
            ["shop.example.com, http: ", "IPv6 ::1 port", "Remove the AAAA record of shop.exam"],
        ),
        (
            lambda: result_of_check(
                "caa", f'{ADDRESS_RECORD}\n@ CAA 0 issue "letsencrypt.org"', spec(product="PositiveSSL")
            ),
            ["shop.example.com, caa: example.com: ", 'Add the CAA record 0 issue "sectigo.com" at example.com.'],
        ),
        (SCENARIOS["approver", "stop"], [f"{MAIL} may not approve shop.example.com", "Allowed: root@example.com."]),
    ],
    ids=["web root", "IPv4 only", "CAA", "approver"],
)
def test_a_stop_names_the_name_the_check_and_the_fix(bad: Callable[[], dict[str, Any]], named: list[str]) -> None:
    (stopped,) = bad()["stopped"]
    assert stopped["reason"].startswith("shop: shop.example.com, ")
    assert "\n" not in stopped["reason"]
    assert [joined for joined in named if joined not in stopped["reason"]] == [], stopped["reason"]


def test_product_price_balance_and_approvers_are_read() -> None:
    emails = {"ComodoApprovalEmails": [MAIL], "success": True}
    certificates = [spec([SHOP, "www.example.com"], {SHOP: MAIL, "www.example.com": "root@example.com"})]
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
        found = preflight(None, spec([SHOP, "*.example.com"], "dns"), checks=["product"], **ACCOUNT)
    assert result_of(found, "product", "")[0] == "stop"
    with scripted(products()):
        assert "There is no product '68'" in result_of(preflight(checks=["product"], **ACCOUNT), "product", "")[1]


def test_auto_without_a_method_stops_with_alternatives() -> None:
    with scripted(products(item())):
        found = preflight(None, spec([SHOP, "*.example.com"], "auto"), checks=["product"], **ACCOUNT)
    result, joined = result_of(found, "product", "")
    assert result == "stop"
    assert "configure a DNS provider" in joined


def test_a_failing_api_is_a_warning_unless_account_is_true() -> None:
    down = call("GET", "/products/ssl/", {"error": True, "message": "Out of order"})
    with scripted(down):
        found = preflight(checks=["product"], **ACCOUNT)
    assert result_of(found, "product", "")[0] == "warn"
    assert "Out of order" in result_of(found, "product", "")[1]
    with scripted(down), pytest.raises(GogetsslError, match="Out of order"):
        preflight(checks=["product"], **{**ACCOUNT, "account": True})


def test_without_credentials_no_call_is_made() -> None:
    with scripted():
        found = preflight(checks=["product", "approver", "balance"], account=None)
    assert {row["result"] for row in found["rows"]} == {"warn"}


def test_a_name_validated_with_another_is_not_probed() -> None:
    single = item(id=45, san_enabled=0)
    with scripted(products(single)):
        found = preflight(
            internet("shop A 127.0.0.1"),
            spec([SHOP, f"www.{SHOP}"], product="45"),
            checks=["caa", "http"],
            **ACCOUNT,
        )
    assert [(row["name"], row["check"]) for row in found["rows"]] == [
        (SHOP, "caa"),
        (SHOP, "http"),
        (f"www.{SHOP}", "caa"),
    ]


def test_a_stop_fails_the_task_unless_keep_going() -> None:
    bad = spec(["a_b.example.com"])
    assert "failed" not in preflight(None, bad, checks=["name"])
    found = preflight(None, bad, checks=["name"], keep_going=False)
    assert found["failed"]
    assert "underscore" in found["msg"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("co.uk", Suffix.REGISTRY),
        ("shop.co.uk", Suffix.NO),
        ("github.io", Suffix.PRIVATE),
        ("example.com", Suffix.NO),
        ("xn--55qx5d.cn", Suffix.REGISTRY),
    ],
)
def test_public_suffixes(name: str, expected: Suffix, monkeypatch: pytest.MonkeyPatch) -> None:
    assert suffixes.suffix(name) is expected
    monkeypatch.setattr(suffixes, "HAS_PUBLICSUFFIXLIST", False)
    assert suffixes.suffix(name) is Suffix.UNKNOWN
