# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check as a table: what makes it pass, what makes it warn, what makes it stop."""

from __future__ import annotations

import ast
import dataclasses
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _checks
from ansible_collections.certops.gogetssl.plugins.module_utils._checks import CertificateFacts, Facts, NameFacts
from ansible_collections.certops.gogetssl.plugins.module_utils._checks import Result as R
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import (
    Answer,
    Caa,
    CaaSet,
    DnsTrouble,
    Outcome,
    Server,
    Zone,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._dns_wire import Alias, Soa
from ansible_collections.certops.gogetssl.plugins.module_utils._models import Family, Product, Validation
from ansible_collections.certops.gogetssl.plugins.module_utils._suffixes import Suffix
from ansible_collections.certops.gogetssl.plugins.module_utils._wanted import Wanted
from ansible_collections.certops.gogetssl.plugins.module_utils._world import Look

BY_FILE = ("http", "https")
NAME, WILD = "shop.example.com", "*.example.com"
MAIL = "admin@example.com"
RESOLVER, NS1, NS2 = (
    Server("", "192.0.2.53"),
    Server("ns1.example.com", "192.0.2.1"),
    Server("ns2.example.com", "192.0.2.2"),
)
ZONE = Zone("example.com", (NS1, NS2))
PRODUCT = Product(
    68, "Multi", "comodo", Family.SECTIGO, Validation.DV, False, True, True, frozenset({"http"}), True, {}, {}, {}
)


def answer(outcome: Outcome, *values: str, server: Server = RESOLVER, kind: str = "A", **more: Any) -> Answer:
    return Answer(server, NAME, kind, outcome, values, **more)


def found(*values: str, **more: Any) -> Answer:
    return answer(Outcome.FOUND, *values, **more)


def soa(server: Server, serial: int) -> Answer:
    return found(server=server, kind="SOA", soa=Soa("example.com", "ns1.example.com", serial, 300))


def trouble(outcome: Outcome) -> DnsTrouble:
    return DnsTrouble("Something is the matter.", outcome)


V4, V6 = Look("192.0.2.1", 80, status=200), Look("2001:db8::1", 80, status=200)
REFUSED = V6._replace(problem="connection refused.", status=None)
GOOD = NameFacts(
    NAME,
    "http",
    written=NAME,
    lookups=(found("8.8.8.8"), answer(Outcome.NODATA, kind="AAAA")),
    zone=ZONE,
    serials=(soa(NS1, 7), soa(NS2, 7)),
    presence=(found("8.8.8.8", server=NS1), found("8.8.8.8", server=NS2)),
    caa=CaaSet("", ()),
    looks=(V4,),
)


def row(check: str, name: NameFacts = GOOD, certificate: dict[str, Any] | None = None, **facts: Any) -> _checks.Row:
    """The one row of a check."""
    wanted = Wanted("shop", (name.name,), "68", 12, {name.name: name.method})
    known = {"family": Family.SECTIGO, "product": PRODUCT, "price": 1000, **(certificate or {})}
    one = CertificateFacts(wanted, (name,), **known)
    given = {"probe": True, "account": True, "balance": 5000, "currency": "EUR", **facts}
    rows = [entry for entry in _checks.checks(Facts((one,), **given)) if entry.check == check]
    assert len(rows) == 1, rows
    return rows[0]


def name(**changes: Any) -> NameFacts:
    return dataclasses.replace(GOOD, **changes)


def caa(*records: tuple[int, str, str], of: str = NAME) -> NameFacts:
    return name(name=of, caa=CaaSet("example.com", tuple(Caa(*record) for record in records)))


def test_a_sound_name_passes_every_check() -> None:
    facts = Facts(
        (
            CertificateFacts(
                Wanted("shop", (NAME,), "68", 12, {NAME: "http"}), (GOOD,), Family.SECTIGO, PRODUCT, price=1
            ),
        ),
        probe=True,
        account=True,
        balance=100,
        currency="EUR",
    )
    rows = _checks.checks(facts)
    assert {entry.check for entry in rows} == {*_checks.CHECKS} - {"https", "approver"}
    assert {entry.result for entry in rows} == {R.PASS}
    assert not any(entry.advice for entry in rows)


NAMES: list[tuple[NameFacts, R, str]] = [
    (GOOD, R.PASS, "can be certified"),
    (name(name="8.8.8.8"), R.PASS, "public address"),
    (name(name="10.0.0.1"), R.STOP, "not a public address"),
    (name(name="a_b.example.com"), R.STOP, "underscore"),
    (name(name="shop.internal"), R.STOP, "ends in .internal, which is reserved"),
    (name(name="shop.internal", place="127.0.0.1"), R.PASS, ""),
    (name(name="*.co.uk", suffix=Suffix.REGISTRY), R.STOP, "co.uk is a public suffix"),
    (name(name="co.uk", suffix=Suffix.REGISTRY), R.WARN, "is a public suffix"),
    (name(name="*.github.io", suffix=Suffix.PRIVATE), R.WARN, "is a public suffix"),
    (name(name="*.co.uk", suffix=Suffix.UNKNOWN), R.WARN, "looks like a public suffix"),
    (name(name="shop.co.uk", suffix=Suffix.UNKNOWN), R.PASS, ""),
    (name(name="xn--bcher-kva.example.com", written="bücher.example.com"), R.PASS, "reads bücher.example.com"),
    (name(name="xn--strae-oqa.example.com", written="straße.example.com"), R.WARN, "another name by the older rules"),
    (name(name="xn--a.example.com", written="xn--a.example.com"), R.STOP, "not a valid internationalised name"),
    (name(name="www.www.example.com"), R.WARN, "unusual"),
]
ADDRESSES: list[tuple[NameFacts, R, str]] = [
    (GOOD, R.PASS, "8.8.8.8"),
    (name(place="127.0.0.1:8080"), R.PASS, "8.8.8.8"),
    (name(lookups=None, place="127.0.0.1:8080"), R.WARN, "resolve says that the name lives at 127.0.0.1:8080"),
    (name(lookups=None), R.WARN, "dnspython is not installed"),
    (name(lookups=(answer(Outcome.NXDOMAIN),)), R.STOP, "shop.example.com does not exist (NXDOMAIN)"),
    (name(lookups=(answer(Outcome.NODATA),)), R.STOP, "no address"),
    (name(lookups=(answer(Outcome.NXDOMAIN),), method="dns"), R.WARN, "does not exist"),
    (name(lookups=(answer(Outcome.NXDOMAIN),), method="dns", name=WILD), R.PASS, "needs no address"),
    (name(lookups=(answer(Outcome.TIMEOUT),)), R.WARN, "gave no answer"),
    (name(lookups=(answer(Outcome.SERVFAIL),)), R.STOP, "SERVFAIL"),
    (name(lookups=(found("10.0.0.1"),)), R.WARN, "10.0.0.1 cannot be reached from outside"),
]
SIGNATURES: list[tuple[NameFacts, R, str]] = [
    (GOOD, R.PASS, "not signed"),
    (name(signed=True, lookups=(found("8.8.8.8", authenticated=True),)), R.PASS, "signatures fit"),
    (name(signed=True), R.WARN, "does not check signatures"),
    (name(lookups=(answer(Outcome.TIMEOUT),)), R.WARN, "gave no answer"),
    (name(lookups=(answer(Outcome.BOGUS),)), R.STOP, "the DNSSEC signatures of shop.example.com do not fit"),
    (name(lookups=(answer(Outcome.SERVFAIL),)), R.STOP, "with and without DNSSEC"),
    (name(lookups=None), R.WARN, "dnspython"),
]
DEAF = answer(Outcome.TIMEOUT, server=NS2, kind="SOA")
LAME = answer(Outcome.LAME, server=NS2, kind="SOA")
SERVERS: list[tuple[NameFacts, R, str]] = [
    (GOOD, R.PASS, "2 servers agree on example.com, serial 7"),
    (
        name(serials=(soa(NS1, 7), soa(NS2, 5))),
        R.WARN,
        "ns2.example.com (192.0.2.2) has serial 5 of example.com, others 7",
    ),
    (name(serials=(soa(NS1, 7), DEAF)), R.WARN, "ns2.example.com (192.0.2.2) gave no answer"),
    (name(serials=(DEAF,)), R.WARN, "gave no answer"),
    (name(serials=(LAME,)), R.STOP, "does not serve it"),
    (name(zone=dataclasses.replace(ZONE, unresolved=("ns3.example.com",))), R.WARN, "ns3.example.com has no address"),
    (name(zone=trouble(Outcome.NXDOMAIN)), R.STOP, "Something is the matter"),
    (name(zone=trouble(Outcome.REFUSED)), R.WARN, "Something is the matter"),
    (name(zone=None, place="127.0.0.1"), R.WARN, "resolve says"),
    (
        name(presence=(found("8.8.8.8", server=NS1), answer(Outcome.NXDOMAIN, server=NS2))),
        R.STOP,
        "ns2.example.com (192.0.2.2) says that shop.example.com does not exist, but ns1.example.com",
    ),
    # Servers that spread their answers differ in the values; that is no fault.
    (name(presence=(found("8.8.8.8", server=NS1), found("8.8.4.4", server=NS2))), R.PASS, ""),
    # An alias that only one of the servers resolves itself is an answer of both.
    (
        name(
            presence=(
                found("8.8.8.8", server=NS1),
                answer(Outcome.ALIAS, server=NS2, aliases=(Alias(NAME, "cdn.example.net", 60),)),
            )
        ),
        R.PASS,
        "",
    ),
]
CAA: list[tuple[NameFacts, R, str]] = [
    (GOOD, R.PASS, "no CAA record"),
    (caa((0, "issue", "sectigo.com")), R.PASS, "example.com: 0 issue 'sectigo.com' allows it"),
    (caa((0, "ISSUE", "Comodoca.com. ; policy=ev")), R.PASS, "allows it"),
    (caa((0, "issue", "letsencrypt.org"), (0, "issue", "sectigo.com")), R.PASS, "allows it"),
    (caa((0, "iodef", "mailto:a@example.com")), R.PASS, "no CAA record restricts"),
    (caa((128, "iodef", "mailto:a@example.com")), R.PASS, "no CAA record restricts"),
    (caa((0, "tbs", "x")), R.PASS, "no CAA record restricts"),
    (caa((128, "tbs", "x"), (0, "issue", "sectigo.com")), R.STOP, "marked critical"),
    (caa((0, "issue", "letsencrypt.org")), R.STOP, "only letsencrypt.org may issue"),
    (caa((0, "issue", ";")), R.STOP, "only nobody may issue"),
    (caa((0, "issue", "sectigo.com and more")), R.STOP, "only nobody may issue"),
    (caa((0, "issue", "sectigo.com; malformed")), R.STOP, "only nobody may issue"),
    (caa((0, "issue", "sectigo.com; accounturi=https://x")), R.WARN, "on a condition"),
    (caa((0, "issue", "sectigo.com; validationmethods=dns-01"), (0, "issue", "sectigo.com")), R.PASS, "allows it"),
    # For a wildcard issuewild counts if there is any; for other names never.
    (caa((0, "issue", "sectigo.com"), (0, "issuewild", ";"), of=WILD), R.STOP, "only nobody may issue"),
    (caa((0, "issue", "sectigo.com"), (0, "issuewild", ";")), R.PASS, "allows it"),
    (caa((0, "issue", "letsencrypt.org"), (0, "issuewild", "sectigo.com"), of=WILD), R.PASS, "allows it"),
    (caa((0, "issue", "letsencrypt.org"), (0, "issuewild", "sectigo.com")), R.STOP, "only letsencrypt.org"),
    (caa((0, "issue", "sectigo.com"), of=WILD), R.PASS, "allows it"),
    (name(caa=trouble(Outcome.SERVFAIL)), R.STOP, "Something is the matter"),
    (name(caa=trouble(Outcome.TIMEOUT)), R.WARN, "Something is the matter"),
    (name(caa=None), R.WARN, "dnspython"),
]
HTTP: list[tuple[NameFacts, R, str]] = [
    (name(looks=(V4, V6)), R.PASS, "IPv4 192.0.2.1 port 80: ok; IPv6 2001:db8::1 port 80: ok"),
    (
        name(looks=(V4._replace(trail="redirected to 'https://shop.example.com/x': "),)),
        R.PASS,
        "IPv4 192.0.2.1 port 80: redirected to 'https://shop.example.com/x': ok",
    ),
    (name(looks=(V4, REFUSED)), R.STOP, "IPv4 192.0.2.1 port 80: ok; IPv6 2001:db8::1 port 80: connection refused"),
    (name(looks=(V4._replace(problem="the server answered HTTP 404.", status=404),)), R.STOP, "HTTP 404"),
    (name(looks=(V4, REFUSED._replace(routed=False, problem="network is unreachable."))), R.WARN, "unreachable"),
    (name(looks=(REFUSED._replace(routed=False),)), R.WARN, "refused"),
    (name(looks=None, words="nobody answered"), R.WARN, "not looked at: nobody answered"),
]


NOT_FOUND = V4._replace(problem="the server answered HTTP 404.", status=404)
# Without a probe an answering server proves nothing.
NO_PROBE: list[tuple[NameFacts, R, str]] = [
    (name(looks=(NOT_FOUND, V6)), R.WARN, "IPv4 192.0.2.1 port 80: HTTP 404"),
    (name(looks=(V4, REFUSED)), R.STOP, "connection refused"),
    (name(looks=(REFUSED,)), R.WARN, "connection refused"),
]
# Without the product both families are weighed.
EITHER: list[tuple[NameFacts, R, str]] = [
    (caa((0, "issue", "sectigo.com"), (0, "issue", "digicert.com")), R.PASS, "allows it"),
    (caa((0, "issue", "sectigo.com")), R.WARN, "only sectigo.com may issue"),
    (caa((0, "issue", "letsencrypt.org")), R.STOP, "only letsencrypt.org may issue"),
]


def by(method: str, facts: NameFacts) -> NameFacts:
    return dataclasses.replace(facts, method=method)


BY_MAIL = name(method=MAIL, approvers=(MAIL,))


class Case(NamedTuple):
    """What was found out of a name, of its certificate and of the account, and what the check has to say to it."""

    check: str
    name: NameFacts
    result: R
    said: str
    certificate: dict[str, Any] = {}
    facts: dict[str, Any] = {}

    @property
    def row(self) -> _checks.Row:
        return row(self.check, self.name, self.certificate, **self.facts)


CASES = [
    *(Case("name", *case) for case in NAMES),
    Case("product", GOOD, R.PASS, "Multi fits, 10.00 EUR"),
    Case("product", GOOD, R.WARN, "not known: not asked: no credentials", {"product": None}, {"account": False}),
    Case("product", GOOD, R.STOP, "Multi takes no wildcards", {"problem": "Multi takes no wildcards"}),
    Case("approver", BY_MAIL, R.PASS, f"{MAIL} may approve"),
    Case("approver", name(method=MAIL), R.WARN, "not known: not asked: no credentials", {}, {"account": False}),
    Case("approver", name(method=MAIL, approvers=("root@example.com",)), R.STOP, f"{MAIL} may not approve {NAME}"),
    *(Case("address", *case) for case in ADDRESSES),
    *(Case("dnssec", *case) for case in SIGNATURES),
    *(Case("servers", *case) for case in SERVERS),
    *(Case("caa", *case) for case in CAA),
    *(Case("caa", *case, {"family": None}) for case in EITHER),
    *(Case(way, by(way, facts), result, said) for way in BY_FILE for facts, result, said in HTTP),
    *(
        Case(way, by(way, facts), result, said, facts={"probe": False})
        for way in BY_FILE
        for facts, result, said in NO_PROBE
    ),
    Case("balance", GOOD, R.PASS, "13.00 EUR for a price of 10.00 before tax", {}, {"balance": 1300}),
    Case("balance", GOOD, R.WARN, "the price 10.00 before tax", {}, {"balance": 1299}),
    Case("balance", GOOD, R.STOP, "buying all of these costs 10.00 before tax", {}, {"balance": 999}),
    Case("balance", GOOD, R.WARN, "the balance is not known", {}, {"balance": None}),
    Case("balance", GOOD, R.WARN, "not all prices are known", {"price": None}),
]
# What a check by its nature cannot come to, and why. Each of them can do all three.
CANNOT: dict[tuple[str, R], str] = {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.result.value}-{case.said[:40]}")
def test_what_a_check_comes_to(case: Case) -> None:
    one = case.row
    assert one.result is case.result, one
    assert case.said in one.found
    assert bool(one.advice) is (case.result is not R.PASS), "what is not well comes with what to do"


def test_every_check_is_seen_to_pass_to_warn_and_to_stop() -> None:
    outcomes = {(check, result) for check in _checks.CHECKS for result in R} - set(CANNOT)
    assert {(case.check, case.result) for case in CASES} == outcomes


def test_every_sentence_of_every_check_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place of the code that says pass, warn or stop is reached by one of the cases."""
    source = Path(_checks.__file__).read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    places = {
        (node.lineno, node.end_lineno or node.lineno, node.func.id): ast.unparse(node)
        for node in calls
        if isinstance(node.func, ast.Name) and node.func.id in ("_pass", "_warn", "_stop")
    }
    reached: set[tuple[str, int]] = set()

    def spy(of: str) -> Any:
        real = getattr(_checks, of)

        def say(*words: str) -> Any:
            reached.add((of, sys._getframe(1).f_lineno))
            return real(*words)

        return say

    for of in ("_pass", "_warn", "_stop"):
        monkeypatch.setattr(_checks, of, spy(of))
    for case in CASES:
        assert case.row
    unseen = [
        words
        for (first, last, of), words in places.items()
        if not any(one == of and first <= line <= last for one, line in reached)
    ]
    assert len(places) > 3 * len(_checks.CHECKS)
    assert unseen == []


def test_the_manual_tells_of_every_check_what_warns_and_what_stops() -> None:
    text = (Path(__file__).parents[4] / "docs" / "preflight.md").read_text(encoding="utf-8")
    table = text.partition("## The checks\n")[2].strip().partition("\n\n")[0]
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]
    told = {check: cells for cells in lines for check in cells[0].split(", ")}
    assert list(told) == list(_checks.CHECKS)
    for check, (_name, _looks_at, warn, stop, to_do) in told.items():
        assert bool(warn.strip()) is ((check, R.WARN) not in CANNOT), check
        assert bool(stop.strip()) is ((check, R.STOP) not in CANNOT), check
        assert to_do.strip(" |"), check


@pytest.mark.parametrize(
    ("looks", "advice"),
    [
        ((V4, REFUSED), "Remove the AAAA record"),
        ((REFUSED,), "start the web server"),
        (
            (NOT_FOUND._replace(trail="redirected to '/': "),),
            "The redirect",
        ),
        ((V4, V4._replace(problem="other content is served.", status=200)), "gogetssl_web_hosts"),
        ((NOT_FOUND,), "Is the web root"),
        ((V4._replace(problem="other content is served.", other_probe=True),), "Another run has put its probe there"),
    ],
)
def test_the_mend(looks: Any, advice: str) -> None:
    assert advice in row("http", name(looks=looks)).advice


def test_who_may_approve_is_listed_where_somebody_may_not() -> None:
    assert row("approver", name(method=MAIL, approvers=("root@example.com",))).advice == "Allowed: root@example.com."


def test_the_other_family() -> None:
    facts = caa((0, "issue", "sectigo.com"))
    one = row("caa", facts, certificate={"family": Family.DIGICERT})
    assert one.result is R.STOP
    assert one.advice == 'Add the CAA record 0 issue "digicert.com" at example.com.'
    wild = caa((0, "issuewild", "sectigo.com"), of=WILD)
    assert "issuewild" in row("caa", wild, certificate={"family": Family.DIGICERT}).advice


def test_a_name_that_is_proven_along_with_another_has_its_caa_looked_at_only() -> None:
    wanted = Wanted("shop", (NAME,), "45", 12, {NAME: "http"})
    facts = Facts(
        (CertificateFacts(wanted, (name(method=""),), Family.SECTIGO, PRODUCT),), True, True, check_balance=False
    )
    assert [entry.check for entry in _checks.checks(facts)] == ["product", "name", "dnssec", "caa"]


def test_the_table_and_the_reasons() -> None:
    rows = [
        row("http", name(looks=(V4, REFUSED))),
        row("name", name(name="xn--bcher-kva.example.com", written="bücher.example.com")),
    ]
    lines = _checks.table(rows)
    assert lines[0].split()[:5] == ["shop", "shop.example.com", "http", "stop", "IPv4"]
    assert lines[0].index("http") == lines[2].index("name")
    assert lines[1].strip().startswith("-> Remove the AAAA record")
    assert "bücher.example.com (xn--bcher-kva.example.com)" in lines[2]
    (reason,) = _checks.reasons(rows, R.STOP).values()
    assert reason.startswith("shop.example.com, http: IPv4 192.0.2.1 port 80: ok; IPv6")
    assert reason.endswith("over IPv4.")
