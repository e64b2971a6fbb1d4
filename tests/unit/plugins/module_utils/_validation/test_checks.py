# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks as tables of cases that pass, warn or stop."""

from __future__ import annotations

import ast
import dataclasses
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Family, Product, ValidationLevel
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.resolver import (
    Answer,
    Caa,
    CaaSet,
    DnsTrouble,
    Outcome,
    Server,
    Zone,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.suffixes import Suffix
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.wire import Alias, Soa
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CertificateSpec
from ansible_collections.certops.gogetssl.plugins.module_utils._validation import (
    account_checks,
    checks,
    dns_checks,
    file_checks,
    name_checks,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._validation import table as _table
from ansible_collections.certops.gogetssl.plugins.module_utils._validation.probe import ProbeResult
from ansible_collections.certops.gogetssl.plugins.module_utils._validation.table import (
    CertificateFacts,
    Facts,
    NameFacts,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._validation.table import Result as R

BY_FILE = ("http", "https")
RESULTS = ("passed", "warned", "stopped")
NAME, WILD = "shop.example.com", "*.example.com"
MAIL = "admin@example.com"
RESOLVER, NS1, NS2 = (
    Server("", "192.0.2.53"),
    Server("ns1.example.com", "192.0.2.1"),
    Server("ns2.example.com", "192.0.2.2"),
)
ZONE = Zone("example.com", (NS1, NS2))
PRODUCT = Product(
    68, "Multi", "comodo", Family.SECTIGO, ValidationLevel.DV, False, True, True, frozenset({"http"}), True, {}, {}, {}
)


def answer(outcome: Outcome, *values: str, server: Server = RESOLVER, kind: str = "A", **more: Any) -> Answer:
    return Answer(server, NAME, kind, outcome, values, **more)


def found(*values: str, **more: Any) -> Answer:
    return answer(Outcome.FOUND, *values, **more)


def soa(server: Server, serial: int) -> Answer:
    return found(server=server, kind="SOA", soa=Soa("example.com", "ns1.example.com", serial, 300))


def trouble(outcome: Outcome) -> DnsTrouble:
    return DnsTrouble("Something is the matter.", outcome)


V4, V6 = ProbeResult("192.0.2.1", 80, status=200), ProbeResult("2001:db8::1", 80, status=200)
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
    probed=(V4,),
)


def row(check: str, name: NameFacts = GOOD, certificate: dict[str, Any] | None = None, **facts: Any) -> _table.Row:
    """The row of a check."""
    spec = CertificateSpec("shop", (name.name,), "68", 12, {name.name: name.method})
    known = {"family": Family.SECTIGO, "product": PRODUCT, "price": 1000, **(certificate or {})}
    one = CertificateFacts(spec, (name,), **known)
    given = {"probe": True, "account": True, "balance": 5000, "currency": "EUR", **facts}
    rows = [entry for entry in checks.checks(Facts((one,), **given)) if entry.check == check]
    assert len(rows) == 1, rows
    return rows[0]


def name(**changes: Any) -> NameFacts:
    return dataclasses.replace(GOOD, **changes)


def caa(*records: tuple[int, str, str], of: str = NAME) -> NameFacts:
    return name(name=of, caa=CaaSet("example.com", tuple(Caa(*record) for record in records)))


def test_a_valid_name_passes_every_check() -> None:
    facts = Facts(
        (
            CertificateFacts(
                CertificateSpec("shop", (NAME,), "68", 12, {NAME: "http"}), (GOOD,), Family.SECTIGO, PRODUCT, price=1
            ),
        ),
        probe=True,
        account=True,
        balance=100,
        currency="EUR",
    )
    rows = checks.checks(facts)
    assert {entry.check for entry in rows} == {*checks.CHECKS} - {"https", "approver"}
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
    (name(name="xn--strae-oqa.example.com", written="straße.example.com"), R.WARN, "another name under IDNA 2003"),
    (name(name="xn--a.example.com", written="xn--a.example.com"), R.STOP, "not a valid internationalised name"),
    (name(name="www.www.example.com"), R.WARN, "unusual"),
    (name(name=f"{'a' * 60}.example.com"), R.STOP, "has 72 characters; a common name has at most 64"),
]
ADDRESSES: list[tuple[NameFacts, R, str]] = [
    (GOOD, R.PASS, "8.8.8.8"),
    (name(place="127.0.0.1:8080"), R.PASS, "8.8.8.8"),
    (name(lookups=None, place="127.0.0.1:8080"), R.WARN, "resolve gives 127.0.0.1:8080"),
    (name(lookups=None), R.WARN, "dnspython is not installed"),
    (name(lookups=(answer(Outcome.NXDOMAIN),)), R.STOP, "shop.example.com does not exist (NXDOMAIN)"),
    (name(lookups=(answer(Outcome.NODATA),)), R.STOP, "no address"),
    (name(lookups=(answer(Outcome.NXDOMAIN),), method="dns"), R.WARN, "does not exist"),
    (name(lookups=(answer(Outcome.NXDOMAIN),), method="dns", name=WILD), R.PASS, "needs no address"),
    (name(lookups=(answer(Outcome.TIMEOUT),)), R.WARN, "did not answer"),
    (name(lookups=(answer(Outcome.TIMEOUT),), by_nameservers=True), R.STOP, "did not answer"),
    (name(lookups=(answer(Outcome.TIMEOUT),), by_nameservers=True, method="dns"), R.WARN, "did not answer"),
    (name(lookups=(answer(Outcome.TIMEOUT),), by_nameservers=True, place="192.0.2.1"), R.WARN, "did not answer"),
    (name(lookups=(answer(Outcome.SERVFAIL),)), R.STOP, "SERVFAIL"),
    (name(lookups=(found("10.0.0.1"),)), R.WARN, "10.0.0.1 cannot be reached from outside"),
]
SIGNATURES: list[tuple[NameFacts, R, str]] = [
    (GOOD, R.PASS, "not signed"),
    (name(signed=True, lookups=(found("8.8.8.8", authenticated=True),)), R.PASS, "signatures are valid"),
    (name(signed=True), R.WARN, "does not validate signatures"),
    (name(lookups=(answer(Outcome.TIMEOUT),)), R.WARN, "did not answer"),
    (name(lookups=(answer(Outcome.BOGUS),)), R.STOP, "the DNSSEC signatures of shop.example.com are invalid"),
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
    (name(serials=(soa(NS1, 7), DEAF)), R.WARN, "ns2.example.com (192.0.2.2) did not answer"),
    (name(serials=(DEAF,)), R.WARN, "did not answer"),
    (name(serials=(LAME,)), R.STOP, "does not serve it"),
    (name(zone=dataclasses.replace(ZONE, unresolved=("ns3.example.com",))), R.WARN, "ns3.example.com has no address"),
    (name(zone=trouble(Outcome.NXDOMAIN)), R.STOP, "Something is the matter"),
    (name(zone=trouble(Outcome.REFUSED)), R.WARN, "Something is the matter"),
    (name(zone=None, place="127.0.0.1"), R.WARN, "resolve gives"),
    (
        name(presence=(found("8.8.8.8", server=NS1), answer(Outcome.NXDOMAIN, server=NS2))),
        R.STOP,
        "ns2.example.com (192.0.2.2) reports that shop.example.com does not exist, but ns1.example.com",
    ),
    # Different values of the servers, as with load balancing, are no fault.
    (name(presence=(found("8.8.8.8", server=NS1), found("8.8.4.4", server=NS2))), R.PASS, ""),
    # An alias that only one server can resolve is an answer of both.
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
    (caa((0, "issue", ";")), R.STOP, "no CA may issue"),
    (caa((0, "issue", "sectigo.com and more")), R.STOP, "no CA may issue"),
    (caa((0, "issue", "sectigo.com; malformed")), R.STOP, "no CA may issue"),
    (caa((0, "issue", "sectigo.com; accounturi=https://x")), R.WARN, "on a condition"),
    (caa((0, "issue", "sectigo.com; validationmethods=dns-01"), (0, "issue", "sectigo.com")), R.PASS, "allows it"),
    # issuewild takes precedence for wildcards and is ignored for other names.
    (caa((0, "issue", "sectigo.com"), (0, "issuewild", ";"), of=WILD), R.STOP, "no CA may issue"),
    (caa((0, "issue", "sectigo.com"), (0, "issuewild", ";")), R.PASS, "allows it"),
    (caa((0, "issue", "letsencrypt.org"), (0, "issuewild", "sectigo.com"), of=WILD), R.PASS, "allows it"),
    (caa((0, "issue", "letsencrypt.org"), (0, "issuewild", "sectigo.com")), R.STOP, "only letsencrypt.org"),
    (caa((0, "issue", "sectigo.com"), of=WILD), R.PASS, "allows it"),
    (name(caa=trouble(Outcome.SERVFAIL)), R.STOP, "Something is the matter"),
    (name(caa=trouble(Outcome.TIMEOUT)), R.WARN, "Something is the matter"),
    (name(caa=None), R.WARN, "dnspython"),
]
HTTP: list[tuple[NameFacts, R, str]] = [
    (name(probed=(V4, V6)), R.PASS, "IPv4 192.0.2.1 port 80: ok; IPv6 2001:db8::1 port 80: ok"),
    (
        name(probed=(V4._replace(trail="redirected to 'https://shop.example.com/x': "),)),
        R.PASS,
        "IPv4 192.0.2.1 port 80: redirected to 'https://shop.example.com/x': ok",
    ),
    (name(probed=(V4, REFUSED)), R.STOP, "IPv4 192.0.2.1 port 80: ok; IPv6 2001:db8::1 port 80: connection refused"),
    (name(probed=(V4._replace(problem="the server answered HTTP 404.", status=404),)), R.STOP, "HTTP 404"),
    (name(probed=(V4, REFUSED._replace(routed=False, problem="network is unreachable."))), R.WARN, "unreachable"),
    (name(probed=(REFUSED._replace(routed=False),)), R.WARN, "refused"),
    (name(probed=None, reason="no response"), R.WARN, "not probed: no response"),
]


NOT_FOUND = V4._replace(problem="the server answered HTTP 404.", status=404)
# Without a probe, a response of the server shows nothing.
NO_PROBE: list[tuple[NameFacts, R, str]] = [
    (name(probed=(NOT_FOUND, V6)), R.WARN, "IPv4 192.0.2.1 port 80: HTTP 404"),
    (name(probed=(V4, REFUSED)), R.STOP, "connection refused"),
    (name(probed=(REFUSED,)), R.WARN, "connection refused"),
]
# Without the product, both families are checked.
EITHER: list[tuple[NameFacts, R, str]] = [
    (caa((0, "issue", "sectigo.com"), (0, "issue", "digicert.com")), R.PASS, "allows it"),
    (caa((0, "issue", "sectigo.com")), R.WARN, "only sectigo.com may issue"),
    (caa((0, "issue", "letsencrypt.org")), R.STOP, "only letsencrypt.org may issue"),
]


def by(method: str, facts: NameFacts) -> NameFacts:
    return dataclasses.replace(facts, method=method)


BY_MAIL = name(method=MAIL, approvers=(MAIL,))


class Case(NamedTuple):
    """The facts of a name, its certificate and the account, and the expected result of a check."""

    check: str
    name: NameFacts
    result: R
    message: str
    certificate: dict[str, Any] = {}
    facts: dict[str, Any] = {}

    @property
    def row(self) -> _table.Row:
        return row(self.check, self.name, self.certificate, **self.facts)


CASES = [
    *(Case("name", *case) for case in NAMES),
    Case("product", GOOD, R.PASS, "Multi fits, 10.00 EUR"),
    Case("product", GOOD, R.WARN, "not queried: no credentials", {"product": None}, {"account": False}),
    Case("product", GOOD, R.STOP, "Multi takes no wildcards", {"problem": "Multi takes no wildcards"}),
    Case("approver", BY_MAIL, R.PASS, f"{MAIL} may approve"),
    Case("approver", name(method=MAIL), R.WARN, "not queried: no credentials", {}, {"account": False}),
    Case("approver", name(method=MAIL, approvers=("root@example.com",)), R.STOP, f"{MAIL} may not approve {NAME}"),
    *(Case("address", *case) for case in ADDRESSES),
    *(Case("dnssec", *case) for case in SIGNATURES),
    *(Case("servers", *case) for case in SERVERS),
    *(Case("caa", *case) for case in CAA),
    *(Case("caa", *case, {"family": None}) for case in EITHER),
    *(Case(method, by(method, facts), result, message) for method in BY_FILE for facts, result, message in HTTP),
    *(
        Case(method, by(method, facts), result, message, facts={"probe": False})
        for method in BY_FILE
        for facts, result, message in NO_PROBE
    ),
    *(
        Case(
            method,
            by(method, name(occupied="http://shop.example.com/.well-known/pki-validation/fileauth.txt")),
            R.STOP,
            "fileauth.txt is served already",
            {"family": Family.DIGICERT},
        )
        for method in BY_FILE
    ),
    Case("balance", GOOD, R.PASS, "13.00 EUR for a price of 10.00 before tax", {}, {"balance": 1300}),
    Case("balance", GOOD, R.WARN, "all certificates cost 10.00 before tax", {}, {"balance": 1299}),
    Case("balance", GOOD, R.STOP, "all certificates cost 10.00 before tax", {}, {"balance": 999}),
    Case("balance", GOOD, R.WARN, "the balance is not known", {}, {"balance": None}),
    Case("balance", GOOD, R.WARN, "not all prices are known", {"price": None}),
]
# Results that a check cannot have, with the reason. Currently all checks can have all results.
CANNOT: dict[tuple[str, R], str] = {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.result.value}-{case.message[:40]}")
def test_check_results(case: Case) -> None:
    one = case.row
    assert one.result is case.result, one
    assert case.message in one.details
    assert bool(one.advice) is (case.result is not R.PASS), "warnings and stops must have advice"


def test_every_check_has_cases_that_pass_warn_and_stop() -> None:
    outcomes = {(check, result) for check in checks.CHECKS for result in R} - set(CANNOT)
    assert {(case.check, case.result) for case in CASES} == outcomes


def test_every_message_of_every_check_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases reach each call in the code that passes, warns or stops."""
    calls: dict[tuple[str, int, int, str], str] = {}
    reached: set[tuple[str, str, int]] = set()

    def spy(topic: ModuleType, result: str) -> Any:
        real = getattr(topic, result)

        def record(*texts: str) -> Any:
            reached.add((topic.__name__, result, sys._getframe(1).f_lineno))
            return real(*texts)

        return record

    for topic in (name_checks, account_checks, dns_checks, file_checks):
        source = Path(topic.__file__).read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RESULTS:
                location = (topic.__name__, node.lineno, node.end_lineno or node.lineno, node.func.id)
                calls[location] = ast.unparse(node)
        for result in RESULTS:
            if hasattr(topic, result):
                monkeypatch.setattr(topic, result, spy(topic, result))
    for case in CASES:
        assert case.row
    not_visible = [
        call
        for (topic_name, first, last, result), call in calls.items()
        if not any(name == topic_name and one == result and first <= line <= last for name, one, line in reached)
    ]
    assert len(calls) > 3 * len(checks.CHECKS)
    assert not_visible == []


def test_the_documentation_lists_warnings_and_stops_of_every_check() -> None:
    text = (Path(__file__).parents[5] / "docs" / "preflight.md").read_text(encoding="utf-8")
    table = text.partition("## The checks\n")[2].strip().partition("\n\n")[0]
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]
    documented = {check: cells for cells in lines for check in cells[0].split(", ")}
    assert list(documented) == list(checks.CHECKS)
    for check, (_name, _looks_at, warn, stop, to_do) in documented.items():
        assert bool(warn.strip()) is ((check, R.WARN) not in CANNOT), check
        assert bool(stop.strip()) is ((check, R.STOP) not in CANNOT), check
        assert to_do.strip(" |"), check


@pytest.mark.parametrize(
    ("probed", "advice"),
    [
        ((V4, REFUSED), "Remove the AAAA record"),
        ((REFUSED,), "start the web server"),
        (
            (NOT_FOUND._replace(trail="redirected to '/': "),),
            "The redirect",
        ),
        ((V4, V4._replace(problem="other content is served.", status=200)), "gogetssl_web_hosts"),
        ((NOT_FOUND,), "Check that the web root"),
    ],
)
def test_the_advice(probed: Any, advice: str) -> None:
    assert advice in row("http", name(probed=probed)).advice


def by_one_file(certificate: str, *names: NameFacts, family: Family = Family.DIGICERT) -> CertificateFacts:
    methods = {one.name: one.method for one in names}
    spec = CertificateSpec(certificate, tuple(methods), "31", 12, methods)
    return CertificateFacts(spec, names, family, PRODUCT, price=1)


def stops(*certificates: CertificateFacts, together: bool = True) -> dict[str, str]:
    rows = checks.checks(Facts(certificates, True, True, check_balance=False, together=together))
    return _table.reasons(rows, R.STOP)


A, B, C = (name(name=f"{letter}.example.com") for letter in "abc")


def test_certificates_with_the_same_file_name_are_validated_one_after_the_other() -> None:
    """The first one that nothing else stops uses the file."""
    broken = by_one_file("a", dataclasses.replace(A, probed=(NOT_FOUND,)))
    found = stops(broken, by_one_file("b", B), by_one_file("c", by("https", C)))
    assert list(found) == ["a", "c"]
    assert found["c"].startswith(
        "c.example.com, https: fileauth.txt holds one validation at a time, and b uses it in this run. Run again when b"
    )
    assert stops(by_one_file("a", A), by_one_file("b", B), together=False) == {}
    assert stops(by_one_file("a", A), by_one_file("b", B, family=Family.SECTIGO)) == {}
    assert stops(by_one_file("a", A), by_one_file("b", name(name="b.example.com", method="dns"))) == {}


def test_several_names_of_a_certificate_cannot_be_validated_by_one_file() -> None:
    found = stops(by_one_file("a", A, B), by_one_file("c", C), together=False)
    assert list(found) == ["a"]
    assert found["a"].count("all 2 names are validated by one file, fileauth.txt") == 1
    assert "request a certificate for each name" in found["a"]
    assert stops(by_one_file("a", A, B, family=Family.SECTIGO)) == {}


def test_allowed_approvers_are_listed_for_an_invalid_one() -> None:
    assert row("approver", name(method=MAIL, approvers=("root@example.com",))).advice == "Allowed: root@example.com."


def test_the_other_family() -> None:
    facts = caa((0, "issue", "sectigo.com"))
    one = row("caa", facts, certificate={"family": Family.DIGICERT})
    assert one.result is R.STOP
    assert one.advice == 'Add the CAA record 0 issue "digicert.com" at example.com.'
    wild = caa((0, "issuewild", "sectigo.com"), of=WILD)
    assert "issuewild" in row("caa", wild, certificate={"family": Family.DIGICERT}).advice


def test_a_name_validated_with_another_has_a_caa_check_only() -> None:
    spec = CertificateSpec("shop", (NAME,), "45", 12, {NAME: "http"})
    facts = Facts(
        (CertificateFacts(spec, (name(method=""),), Family.SECTIGO, PRODUCT),), True, True, check_balance=False
    )
    assert [entry.check for entry in checks.checks(facts)] == ["product", "name", "dnssec", "caa"]


def test_the_table_and_the_reasons() -> None:
    rows = [
        row("http", name(probed=(V4, REFUSED))),
        row("name", name(name="xn--bcher-kva.example.com", written="bücher.example.com")),
    ]
    lines = _table.render(rows)
    assert lines[0].split()[:5] == ["shop", "shop.example.com", "http", "stop", "IPv4"]
    assert lines[0].index("http") == lines[2].index("name")
    assert lines[1].strip().startswith("-> Remove the AAAA record")
    assert "bücher.example.com (xn--bcher-kva.example.com)" in lines[2]
    (reason,) = _table.reasons(rows, R.STOP).values()
    assert reason.startswith("shop.example.com, http: IPv4 192.0.2.1 port 80: ok; IPv6")
    assert reason.endswith("over IPv6.")
