# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from typing import Any

import dns.rcode
import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import nameservers, resolver, wire
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.resolver import (
    Answer,
    Dns,
    DnsTrouble,
    Outcome,
    Server,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import nsupdate
from tests.unit.internet import RESOLVER, Internet, listening, zone

COM = zone(
    "com", "example.com. NS ns1.example.com.\nns1.example.com. A 192.0.2.1\nxn--mller-kva.com. NS ns1.example.com."
)
UK = zone("uk", "co.uk. NS ns.uk.\nns.uk. A 192.0.2.9")
CO_UK = zone("co.uk", "@ NS ns.uk.\nshop.co.uk. NS ns1.example.com.")
EXAMPLE = zone(
    "example.com",
    """
    @ NS ns1.example.com.
    @ NS ns2.example.com.
    ns1 A 192.0.2.1
    ns2 A 192.0.2.2
    ns2 AAAA 2001:db8::2
    www CNAME shop.example.com.
    shop A 192.0.2.80
    *.shop CNAME proofs.example.net.
    cdn CNAME edge.example.net.
    round CNAME round.example.net.
    _a.sub-not CNAME b.comodoca.com.
    _old CNAME elsewhere.comodoca.com.
    @ CAA 0 issue "sectigo.com; validationmethods=dns"
    @ CAA 128 iodef "mailto:ada@example.com"
    shop TXT "_To" "ken"
    sub NS ns1.sub.example.com.
    ns1.sub A 192.0.2.3
    """,
)
SUB = zone("sub.example.com", "@ NS ns1.sub.example.com.\nns1 A 192.0.2.3\nalias CNAME cdn.example.com.")
SHOP_UK = zone("shop.co.uk", "@ NS ns1.example.com.\n@ A 192.0.2.80")
IDN = zone("xn--mller-kva.com", "@ NS ns1.example.com.")
NET = zone(
    "example.net",
    """
    @ NS ns.example.net.
    ns A 192.0.2.4
    edge A 192.0.2.81
    proofs CNAME _wanted.comodoca.com.
    round CNAME round.example.com.
    """,
)


@pytest.fixture
def internet() -> Internet:
    first, second = dict([EXAMPLE, SHOP_UK, IDN]), dict([copy.deepcopy(EXAMPLE)])
    zones = copy.deepcopy(
        {
            "192.0.2.8": dict([COM, UK]),
            "192.0.2.9": dict([CO_UK]),
            "192.0.2.1": first,
            "192.0.2.2": second,
            "2001:db8::2": second,
            "192.0.2.3": dict([SUB]),
            "192.0.2.4": dict([NET]),
        }
    )
    return Internet(zones)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com", "example.com"),
        ("_md5.shop.example.com", "example.com"),
        ("www.example.com", "example.com"),
        ("_a.b.www.example.com", "example.com"),
        ("cdn.example.com", "example.com"),
        ("deep.sub.example.com", "sub.example.com"),
        ("alias.sub.example.com", "sub.example.com"),
        ("www.shop.co.uk", "shop.co.uk"),
        ("_md5.xn--mller-kva.com", "xn--mller-kva.com"),
    ],
)
def test_the_zone_of_a_name(internet: Internet, name: str, expected: str) -> None:
    found = internet.dns().zone_of(name)
    assert found.name == expected
    assert found.soa
    assert found.soa.zone == expected


def test_every_address_of_every_server(internet: Internet) -> None:
    servers = internet.dns().zone_of("shop.example.com").servers
    assert [str(server) for server in servers] == [
        "ns1.example.com (192.0.2.1)",
        "ns2.example.com (192.0.2.2)",
        "ns2.example.com (2001:db8::2)",
    ]


def test_a_delegation_that_the_resolver_does_not_know(internet: Internet) -> None:
    """The resolver has cached the time before the delegation, which the parent's servers already have."""

    def stale(server: Server, name: str, kind: str, recurse: bool) -> Answer:
        if server == RESOLVER and "sub." in name and kind == "SOA":
            name = name.replace("sub.", "sub-not.")
        return internet.query_server(server, name, kind, recurse)

    found = internet.dns(query_server=stale).zone_of("deep.sub.example.com")
    assert found.name == "sub.example.com"
    assert [server.address for server in found.servers] == ["192.0.2.3"]


def test_a_zone_inside_a_zone_on_the_same_server(internet: Internet) -> None:
    for address in ("192.0.2.1", "192.0.2.2"):
        internet.served[address]["sub.example.com"] = SUB[1]

    def stale(server: Server, name: str, kind: str, recurse: bool) -> Answer:
        if server == RESOLVER and kind == "SOA":
            name = "example.com"
        return internet.query_server(server, name, kind, recurse)

    found = internet.dns(query_server=stale).zone_of("deep.sub.example.com")
    assert found.name == "sub.example.com"
    assert [server.address for server in found.servers] == ["192.0.2.3"]


def test_an_unregistered_domain(internet: Internet) -> None:
    with pytest.raises(DnsTrouble, match=r"nearest is that of 'com'\. Check that the domain"):
        internet.dns().zone_of("www.exmaple.com")


def test_a_name_without_any_known_zone(internet: Internet) -> None:
    with pytest.raises(DnsTrouble, match="no name above it has an SOA"):
        internet.dns().zone_of("www.example.invalid")


def test_a_resolver_that_is_itself_authoritative(internet: Internet) -> None:
    """A resolver that refuses names outside its zones and returns referrals for delegated zones."""
    dns_ = internet.dns(nameservers=(Server("", "192.0.2.1"),))
    assert dns_.zone_of("www.shop.co.uk").name == "shop.co.uk"
    assert dns_.zone_of("deep.sub.example.com").name == "sub.example.com"
    with pytest.raises(DnsTrouble, match=r"192\.0\.2\.1 refuses to answer for www\.example\.net"):
        dns_.zone_of("www.example.net")


def test_server_addresses_may_be_overridden(internet: Internet) -> None:
    places = {"ns1.example.com": ("127.0.0.1", 5301), "ns2.example.com": ("127.0.0.1", None)}
    found = [str(server) for server in internet.dns(places=places).zone_of("example.com").servers]
    assert found == ["ns1.example.com (127.0.0.1 port 5301)", "ns2.example.com (127.0.0.1)"]


@pytest.mark.parametrize(
    ("mood", "outcome", "message"),
    [
        (Outcome.TIMEOUT, Outcome.TIMEOUT, "did not answer"),
        (dns.rcode.REFUSED, Outcome.REFUSED, "refuses"),
        (dns.rcode.SERVFAIL, Outcome.SERVFAIL, "SERVFAIL"),
        (dns.rcode.NOTIMP, Outcome.GARBLED, "unusable answer"),
        ("lame", Outcome.LAME, "does not serve it"),
    ],
)
def test_the_error_names_the_failing_server(internet: Internet, mood: Any, outcome: Outcome, message: str) -> None:
    internet.moods["192.0.2.2"] = mood
    answers = internet.dns().everywhere("shop.example.com", "A")
    assert [answer.outcome for answer in answers] == [Outcome.FOUND, outcome, Outcome.FOUND]
    assert "ns2.example.com (192.0.2.2) " in answers[1].sentence
    assert message in answers[1].sentence


def test_the_first_server_may_fail(internet: Internet) -> None:
    internet.moods["192.0.2.1"] = Outcome.TIMEOUT
    assert internet.dns().zone_of("deep.sub.example.com").name == "sub.example.com"


def test_all_servers_may_fail(internet: Internet) -> None:
    """A firewall allows queries to the resolver only."""
    dns_ = internet.dns()
    internet.moods.update(dict.fromkeys(("192.0.2.1", "192.0.2.2", "2001:db8::2"), Outcome.TIMEOUT))

    def firewalled(server: Server, name: str, kind: str, recurse: bool) -> Answer:
        if server != RESOLVER:
            return Answer(server, name, kind, Outcome.TIMEOUT)
        moods, internet.moods = internet.moods, {}
        try:
            return internet.query_server(server, name, kind, recurse)
        finally:
            internet.moods = moods

    dns_.query_server = firewalled
    comparison = dns_.compare("shop.example.com", "TXT", "_Token")
    assert (comparison.lagging, comparison.none_answered) == ((), False)


def test_invalid_dnssec_is_distinguished_from_a_failing_server(internet: Internet) -> None:
    internet.bogus.add("example.com")
    with pytest.raises(DnsTrouble, match="DNSSEC") as caught:
        internet.dns().zone_of("shop.example.com")
    assert caught.value.outcome is Outcome.BOGUS

    internet.bogus.clear()
    internet.moods[RESOLVER.address] = Outcome.SERVFAIL
    with pytest.raises(DnsTrouble, match=r"192\.0\.2\.53 cannot answer for shop\.example\.com: SERVFAIL"):
        internet.dns().zone_of("shop.example.com")


def test_all_aliases_of_a_chain(internet: Internet) -> None:
    chain = internet.dns().follow("alias.sub.example.com", "A")
    assert [(hop.name, hop.target) for hop in chain.hops] == [
        ("alias.sub.example.com", "cdn.example.com"),
        ("cdn.example.com", "edge.example.net"),
    ]
    assert chain.end == "edge.example.net"
    assert chain.zone.name == "example.net"
    assert [answer.values for answer in chain.answers] == [("192.0.2.81",)]
    assert chain.answers[0].ttl == 300


def test_a_loop_of_aliases(internet: Internet) -> None:
    with pytest.raises(DnsTrouble, match=r"that is too long: round\.example\.com -> round\.example\.net -> round"):
        internet.dns().follow("round.example.com", "A")


def test_the_parts_of_a_text_are_joined(internet: Internet) -> None:
    assert internet.dns().compare("www.example.com", "TXT", "_Token") == resolver.Comparison("TXT", "_Token", 3, (), ())


@pytest.mark.parametrize(
    ("record", "kind", "spec", "message"),
    [
        ("_a.sub-not.example.com", "CNAME", "B.comodoca.com", ""),
        (
            "_a.sub-not.example.com",
            "CNAME",
            "c.comodoca.com",
            "has 'b.comodoca.com' as CNAME of _a.sub-not.example.com",
        ),
        ("_b.sub-not.example.com", "CNAME", "b.comodoca.com", "reports that _b.sub-not.example.com does not exist"),
        ("_md5.shop.example.com", "CNAME", "_wanted.comodoca.com", ""),
        ("_md5.shop.example.com", "CNAME", "_other.comodoca.com", "'proofs.example.net' as CNAME"),
        ("shop.example.com", "TXT", "_token", "instead of '_token'"),
        ("cdn.example.com", "TXT", "_Token", "(192.0.2.4) has no TXT record for edge.example.net"),
    ],
)
def test_a_record_is_checked_on_all_servers(
    internet: Internet, record: str, kind: str, spec: str, message: str
) -> None:
    problem = internet.dns().compare(record, kind, spec).problem
    assert message in problem if message else not problem


def test_the_error_names_the_outdated_server(internet: Internet) -> None:
    del internet.served["192.0.2.2"]["example.com"]["_old.example.com", "CNAME"]
    comparison = internet.dns().compare("_old.example.com", "CNAME", "elsewhere.comodoca.com")
    assert [answer.server.address for answer in comparison.lagging] == ["192.0.2.2", "2001:db8::2"]
    assert comparison.problem.startswith("ns2.example.com (192.0.2.2) reports that _old.example.com does not exist;")


def test_a_silent_server_is_distinguished_from_an_outdated_one(internet: Internet) -> None:
    internet.moods.update({"192.0.2.2": Outcome.TIMEOUT, "2001:db8::2": Outcome.NO_ROUTE})
    comparison = internet.dns().compare("_old.example.com", "CNAME", "elsewhere.comodoca.com")
    assert comparison.problem == ""
    assert comparison.silence == "ns2.example.com (192.0.2.2) did not answer for _old.example.com in time."


INSIDE = ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::ffff:192.168.1.1"]


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_server_of_a_zone_inside_the_network_is_not_queried(internet: Internet, address: str) -> None:
    internet.served[address] = internet.served["192.0.2.2"]
    kind = "AAAA" if ":" in address else "A"
    for zones in internet.served.values():  # the zone's own records, and glue of a delegation
        for records in zones.values():
            records.pop(("ns2.example.com", "AAAA"), None)
            records.pop(("ns2.example.com", "A"), None)
            records["ns2.example.com", kind] = [address]
    dns_ = internet.dns()
    comparison = dns_.compare("_old.example.com", "CNAME", "elsewhere.comodoca.com")
    dns_.caa("www.example.com")
    assert address not in {queried for queried, _name, _kind in internet.queries}
    assert comparison.problem == ""
    assert comparison.silence.startswith(
        f"ns2.example.com ({address}) is not queried, because it has no public address"
    )


def test_name_servers_inside_the_network_leave_the_answers_of_the_resolver(internet: Internet) -> None:
    (records,) = internet.served["192.0.2.4"].values()
    records["ns.example.net", "A"] = ["10.0.0.5"]
    assert internet.dns().caa("edge.example.net") == resolver.CaaSet("", ())
    assert internet.dns().compare("edge.example.net", "A", "192.0.2.81").problem == ""
    assert "10.0.0.5" not in {queried for queried, _name, _kind in internet.queries}


@pytest.mark.parametrize("named", [{"places": {"ns.example.net": ("10.0.0.5", None)}}, {}])
def test_a_name_server_inside_the_network_that_the_operator_has_named_is_queried(
    internet: Internet, named: dict[str, Any]
) -> None:
    (records,) = internet.served["192.0.2.4"].values()
    records["ns.example.net", "A"] = ["10.0.0.5"]
    internet.served["10.0.0.5"] = internet.served["192.0.2.4"]
    dns_ = internet.dns(**(named or {"nameservers": (RESOLVER, Server("", "10.0.0.5"))}))
    (answer,) = dns_.everywhere("edge.example.net", "A")
    assert (answer.server.address, answer.values) == ("10.0.0.5", ("192.0.2.81",))


def test_no_update_is_sent_to_a_primary_inside_the_network(internet: Internet) -> None:
    assert nsupdate.find_server(internet.dns(), "example.com", None).address == "192.0.2.1"
    for zones in internet.served.values():
        for records in zones.values():
            records["ns1.example.com", "A"] = ["10.0.0.5"]
    with pytest.raises(GogetsslError, match=r"10\.0\.0\.5\), has no public address.*gogetssl_nsupdate_server"):
        nsupdate.find_server(internet.dns(), "example.com", None)
    assert nsupdate.find_server(internet.dns(), "example.com", "ns1.example.com").address == "10.0.0.5"


def test_caa_records_of_a_parent_are_found(internet: Internet) -> None:
    found = internet.dns().caa("_md5.shop.sub-not.example.com")
    assert found.found_at == "example.com"
    issue, iodef = sorted(found.records, key=lambda record: record.tag, reverse=True)
    assert (issue.tag, issue.issuer, issue.parameters) == ("issue", "sectigo.com", {"validationmethods": "dns"})
    assert (iodef.critical, iodef.value) == (True, "mailto:ada@example.com")


def test_no_caa_records(internet: Internet) -> None:
    assert internet.dns().caa("www.shop.co.uk") == resolver.CaaSet("", ())


def test_a_failed_caa_lookup(internet: Internet) -> None:
    internet.moods.update(dict.fromkeys(("192.0.2.3",), dns.rcode.SERVFAIL))
    with pytest.raises(DnsTrouble, match="CAA records could not be looked up"):
        internet.dns().caa("deep.sub.example.com")


def test_no_configured_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "system_servers", lambda: [])
    with pytest.raises(DnsTrouble, match="no name server configured"):
        Dns().zone_of("shop.example.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5300", ("192.0.2.1", 5300)),
        ("[2001:db8::1]:54", ("2001:db8::1", 54)),
    ],
)
def test_a_name_server_from_the_options(text: str, expected: tuple[str, int]) -> None:
    (server,) = nameservers.read_nameservers([text])
    assert (server.address, server.port) == expected


@pytest.mark.parametrize("text", ["ns1.example.com", "192.0.2.1:0", "", "192.0.2.1:dns"])
def test_an_invalid_name_server(text: str) -> None:
    with pytest.raises(GogetsslError, match="nameservers"):
        nameservers.read_nameservers([text])


def test_over_real_sockets(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    """UDP, TCP for large answers, and a closed port."""
    many = [f'"{"x" * 200} {number}"' for number in range(12)]
    internet.served["192.0.2.1"]["shop.co.uk"]["big.shop.co.uk", "TXT"] = many
    with listening(internet, "192.0.2.1") as port:
        dns_ = Dns((Server("", "127.0.0.1", port),), {"ns1.example.com": ("127.0.0.1", port)})
        assert dns_.everywhere("www.shop.co.uk", "A")[0].outcome is Outcome.NXDOMAIN
        (answer,) = dns_.everywhere("big.shop.co.uk", "TXT")
        assert len(answer.values) == 12
        assert dns_.compare("big.shop.co.uk", "TXT", many[0].strip('"')).problem == ""
    monkeypatch.setattr(wire, "TIMEOUT_SECONDS", 0.2)
    gone = wire.query_server(Server("ns1", "127.0.0.1", port), "shop.co.uk", "A", False)
    assert gone.outcome in (Outcome.TIMEOUT, Outcome.UNREACHABLE)


def test_a_hostile_answer_remains_one_line(internet: Internet) -> None:
    internet.served["192.0.2.1"]["shop.co.uk"]["evil.shop.co.uk", "TXT"] = ['"a\\010b{self}"']
    (answer,) = internet.dns().everywhere("evil.shop.co.uk", "TXT")
    assert answer.sentence == "ns1.example.com (192.0.2.1) has 'a\\nb{self}' as TXT of evil.shop.co.uk"
