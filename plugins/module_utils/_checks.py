# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judgement before the money: what was found out becomes rows of pass, warn and stop. Pure.

`stop` is what the authority would refuse as well. What cannot be known from the controller is `warn`, never a silent
pass.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import typing as t

from . import _caa, _methods, _names
from ._caa import ISSUERS, Allows
from ._decision import money
from ._dns import Answer, CaaSet, DnsTrouble, Outcome, Zone
from ._models import Family, Product
from ._suffixes import Suffix
from ._wanted import Wanted
from ._world import Look

CHECKS = (
    "name",
    "product",
    "approver",
    "address",
    "dnssec",
    "servers",
    "caa",
    "http",
    "https",
    "balance",
)
# Top-level domains that no public authority certifies anything in (RFC 2606, 6761, 6762, 8375; ICANN for internal).
RESERVED = ("test", "example", "invalid", "localhost", "local", "internal", "home.arpa", "alt")
# Second levels that registries use; a hint only, where the list of public suffixes is not at hand.
_REGISTRIES = frozenset(
    {"ac", "co", "com", "edu", "gob", "gouv", "gov", "govt", "id", "info", "ltd", "me", "mil", "ne", "net", "nhs"}
    | {"nom", "or", "org", "plc", "sch", "school", "web"}
)
TAX_MARGIN = 130  # percent of the price that is surely enough with tax; no rate in use is above 27
_BROKEN = (Outcome.SERVFAIL, Outcome.BOGUS, Outcome.NXDOMAIN)  # the world's fault, not the controller's
_NO_DNSPYTHON = "not looked up: the Python library dnspython is not installed on the controller"


class Result(enum.Enum):
    """What a check came to."""

    PASS = "pass"
    WARN = "warn"
    STOP = "stop"


class Row(t.NamedTuple):
    """One line of the table. Rows about the certificate as a whole have no name."""

    certificate: str
    name: str
    check: str
    result: Result
    found: str
    advice: str = ""


@dataclasses.dataclass(frozen=True)
class NameFacts:
    """What was found out about one name. None stands for what could not be asked; `words` then says why."""

    name: str
    method: str  # empty for a name that is proven along with another one
    written: str = ""  # as the wish has it
    suffix: Suffix = Suffix.NO
    place: str = ""  # where `resolve` says the name lives
    lookups: tuple[Answer, ...] | None = None  # A and AAAA, by the controller's resolvers
    signed: bool = False  # the zone's parent says that it is signed
    zone: Zone | DnsTrouble | None = None
    serials: tuple[Answer, ...] = ()  # SOA at each server of the zone
    presence: tuple[Answer, ...] = ()  # A and AAAA at each of them
    caa: CaaSet | DnsTrouble | None = None
    looks: tuple[Look, ...] | None = None  # one for each address, for http and https
    approvers: tuple[str, ...] | None = None
    words: str = _NO_DNSPYTHON

    @property
    def shown(self) -> str:
        return _names.shown(self.name)

    @property
    def by_file(self) -> bool:
        return self.method in _methods.FILES


@dataclasses.dataclass(frozen=True)
class CertificateFacts:
    """One certificate: its names, and what the account says about its product."""

    wanted: Wanted
    names: tuple[NameFacts, ...]
    family: Family | None = None
    product: Product | None = None
    problem: str = ""  # why the wish and the product do not fit
    price: int | None = None


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that was found out."""

    certificates: tuple[CertificateFacts, ...]
    probe: bool  # a probe file was published where the proofs would go
    account: bool  # GoGetSSL could be asked
    account_words: str = "not asked: no credentials"
    balance: int | None = None
    currency: str = ""
    check_balance: bool = True


def checks(facts: Facts) -> list[Row]:
    """Every row of the table, certificate by certificate; the account last."""
    rows: list[Row] = []
    for one in facts.certificates:
        rows.append(_product(facts, one))
        for name in one.names:
            rows += [row for row in _name_rows(facts, one, name) if row is not None]
    if facts.check_balance and facts.certificates:
        rows.append(_balance(facts))
    return rows


def _name_rows(facts: Facts, one: CertificateFacts, name: NameFacts) -> t.Iterator[Row | None]:
    def row(check: str, found: tuple[Result, str, str] | None) -> Row | None:
        return Row(one.wanted.name, name.name, check, *found) if found else None

    yield row("name", _name(name))
    if name.method:
        yield row("approver", _approver(facts, name))
        yield row("address", _address(name))
    if not _names.is_address(name.name):
        yield row("dnssec", _dnssec(name))
        if name.method:
            yield row("servers", _servers(name))
        yield row("caa", _caa_row(one, name))
    if name.by_file:
        yield row(name.method, _file(facts, name))


Finding = tuple[Result, str, str]


def _pass(found: str) -> Finding:
    return Result.PASS, found, ""


def _warn(found: str, advice: str) -> Finding:
    return Result.WARN, found, advice


def _stop(found: str, advice: str) -> Finding:
    return Result.STOP, found, advice


# The name itself


def _name(facts: NameFacts) -> Finding:
    name, base = facts.name, _names.base(facts.name)
    if _names.is_address(name):
        if ipaddress.ip_address(name).is_global or facts.place:
            return _pass("a public address")
        return _stop(f"{name} is not a public address", "No public authority certifies it; use a name.")
    if "_" in base:
        return _stop(f"{facts.shown} has an underscore", "Authorities have refused those since 2019; use a dash.")
    reserved = next((one for one in RESERVED if base == one or base.endswith("." + one)), "")
    if reserved and not facts.place:
        return _stop(f"{facts.shown} ends in .{reserved}, which is reserved", "Use a name in a domain of your own.")
    if "xn--" in base:
        return _idn(facts)
    return _suffix(facts, base)


def _idn(facts: NameFacts) -> Finding:
    try:
        readable = _names.unicode(facts.name)
    except UnicodeError:
        return _stop(f"{facts.name} is not a valid internationalised name", "Look for a typing error after xn--.")
    if not facts.written.isascii():
        try:
            older = facts.written.strip().rstrip(".").lower().encode("idna").decode("ascii")
        except UnicodeError:
            older = ""
        if older != facts.name:
            return _warn(
                f"{facts.written} is another name by the older rules for such names",
                f"Write {facts.name} in names, so that every host makes the same of it.",
            )
    return _pass(f"reads {readable}")


def _suffix(facts: NameFacts, base: str) -> Finding:
    wildcard = _names.is_wildcard(facts.name)
    if facts.suffix is Suffix.REGISTRY and wildcard:
        return _stop(f"{base} is a public suffix", f"Nobody gets {facts.name}; write the domain in between.")
    if facts.suffix in (Suffix.REGISTRY, Suffix.PRIVATE):
        return _warn(f"{base} is a public suffix", "Authorities may refuse it, unless you run that registry.")
    labels = base.split(".")
    if facts.suffix is Suffix.UNKNOWN and len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _REGISTRIES:
        return _warn(
            f"{base} looks like a public suffix",
            "Install the Python library publicsuffixlist on the controller to know for sure.",
        )
    if base.startswith("www.www.") or (wildcard and base.startswith("www.")):
        return _warn(f"{facts.name} is an unusual name", "Look for a typing error.")
    return _pass("a name that can be certified")


# The account


def _product(facts: Facts, one: CertificateFacts) -> Row:
    if one.problem:
        found = _stop(one.problem, "Change product, names, dcv or contacts of this certificate.")
    elif one.product is None:
        found = _warn(
            f"whether {one.wanted.product} fits is not known: {facts.account_words}",
            "Give the API's user and password.",
        )
    else:
        price = f", {money(one.price)} {facts.currency}".rstrip() if one.price is not None else ""
        found = _pass(f"{one.product.name} fits{price}")
    return Row(one.wanted.name, "", "product", *found)


def _approver(facts: Facts, name: NameFacts) -> Finding | None:
    if _methods.kind_of(name.method) != "email":
        return None
    if name.approvers is None:
        return _warn(f"whether {name.method} may approve is not known: {facts.account_words}", "Ask with credentials.")
    if name.method in name.approvers:
        return _pass(f"{name.method} may approve")
    allowed = ", ".join(name.approvers) or "nobody"
    return _stop(f"{name.method} may not approve {name.shown}", f"Allowed: {allowed}.")


def _balance(facts: Facts) -> Row:
    prices = [one.price for one in facts.certificates]
    known = [price for price in prices if price is not None]
    total, currency = sum(known), facts.currency
    if facts.balance is None:
        found = _warn(f"the balance is not known: {facts.account_words}", "Give the API's user and password.")
    elif len(known) < len(prices):
        found = _warn(
            f"the balance is {money(facts.balance)} {currency}; not all prices are known",
            "Look the price up before buying.",
        )
    elif facts.balance < total:
        found = _stop(
            f"the balance is {money(facts.balance)} {currency}, buying all of these costs {money(total)} before tax",
            "Add funds; an order without them stays unpaid.",
        )
    elif facts.balance * 100 < total * TAX_MARGIN:
        found = _warn(
            f"the balance is {money(facts.balance)} {currency} and the price {money(total)} before tax",
            "It may not suffice with tax; add funds.",
        )
    else:
        found = _pass(f"{money(facts.balance)} {currency} for a price of {money(total)} before tax")
    return Row("", "", "balance", *found)


# The world's DNS


def _elsewhere(facts: NameFacts) -> Finding:
    """For what was left out, because the wish says that the DNS does not tell the truth or cannot be asked."""
    if facts.place:
        return _warn(
            f"not looked up: resolve says that the name lives at {facts.place}", "Give nameservers to have it."
        )
    return _warn(facts.words, "See the requirements of gogetssl_preflight.")


def _address(facts: NameFacts) -> Finding:
    if _names.is_address(facts.name):
        return _pass("is one itself")
    if facts.lookups is None:
        return _elsewhere(facts)
    found = [value for answer in facts.lookups for value in answer.values]
    if found:
        private = [value for value in found if not ipaddress.ip_address(value).is_global]
        if private and facts.by_file:
            return _warn(
                f"{', '.join(private)} cannot be reached from outside",
                "If this is the inner view of a split horizon, say in resolve what the world sees.",
            )
        return _pass(", ".join(found))
    silent = next((answer for answer in facts.lookups if not answer.outcome.tells), None)
    if silent is not None:
        if silent.outcome in _BROKEN:
            return _stop(f"{silent.sentence}", "Mend the zone; see the row dnssec.")
        return _warn(f"{silent.sentence}", "The controller's resolver did not answer; it was not checked.")
    missing = any(answer.outcome is Outcome.NXDOMAIN for answer in facts.lookups)
    words = f"{_names.base(facts.name)} does not exist (NXDOMAIN)" if missing else "the name has no address"
    if facts.by_file:
        return _stop(words, "Look for a typing error; give it an A record, or prove it by dns.")
    if _names.is_wildcard(facts.name):
        return _pass("a wildcard's base needs no address")
    return _warn(words, "Look for a typing error; a DNS record or a mail proves it all the same.")


def _dnssec(facts: NameFacts) -> Finding:
    if facts.lookups is None:
        return _elsewhere(facts)
    answers = {answer.outcome: answer for answer in facts.lookups}
    if Outcome.BOGUS in answers:
        return _stop(
            f"the DNSSEC signatures of {_names.base(facts.name)} do not fit: {answers[Outcome.BOGUS].sentence}",
            "Sign the zone again, or correct its DS record at the registrar; until then authorities see nothing of it.",
        )
    if Outcome.SERVFAIL in answers:
        return _stop(
            f"{answers[Outcome.SERVFAIL].sentence}, with and without DNSSEC",
            "The name servers of the zone fail; mend them.",
        )
    told = [answer for answer in facts.lookups if answer.outcome.tells]
    if not told:
        return _warn(facts.lookups[0].sentence, "The controller's resolver did not answer; it was not checked.")
    if facts.signed and not all(answer.authenticated for answer in told):
        return _warn(
            "the zone is signed, and the controller's resolver does not check signatures",
            "Give nameservers that check them.",
        )
    return _pass("the signatures fit" if facts.signed else "the zone is not signed")


def _servers(facts: NameFacts) -> Finding:
    zone = facts.zone
    if zone is None:
        return _elsewhere(facts)
    if isinstance(zone, DnsTrouble):
        if zone.outcome in _BROKEN:
            return _stop(zone.message.rstrip("."), "Look for a typing error; is the domain registered and delegated?")
        return _warn(zone.message.rstrip("."), "It was not checked.")
    told = [answer for answer in facts.serials if answer.outcome.tells and answer.soa]
    silent = [answer for answer in facts.serials if not answer.outcome.tells]
    deaf = [answer for answer in silent if answer.outcome not in (Outcome.LAME, Outcome.REFUSED, Outcome.SERVFAIL)]
    if not told and not deaf:
        sentences = "; ".join(answer.sentence for answer in silent) or f"{zone.name} has no server"
        return _stop(sentences, f"None of the servers named for {zone.name} serves it; mend the delegation.")
    if not told:
        return _warn("; ".join(answer.sentence for answer in silent), "None could be asked from the controller.")
    return _agreement(facts, zone, told, silent)


def _agreement(facts: NameFacts, zone: Zone, told: t.Sequence[Answer], silent: t.Sequence[Answer]) -> Finding:
    """Whether the servers that answer say the same, of the zone and of the name."""
    for kind in ("A", "AAAA"):
        answers = [one for one in facts.presence if one.kind == kind and one.outcome.tells]
        having, lacking = (
            [one for one in answers if one.values or one.aliases],
            [one for one in answers if not one.values],
        )
        lacking = [one for one in lacking if not one.aliases]
        if having and lacking:
            found = f"{lacking[0].sentence}, but {having[0].sentence}"
            return _stop(found, "The authority may ask either; bring the servers to the same state.")
    serials = sorted({answer.soa.serial for answer in told if answer.soa}, reverse=True)
    if len(serials) > 1:
        behind = [answer for answer in told if answer.soa and answer.soa.serial != serials[0]]
        listed = ", ".join(f"{one.server} has serial {one.soa.serial}" for one in behind if one.soa)
        return _warn(f"{listed} of {zone.name}, others {serials[0]}", "It lags; look at the transfer of the zone.")
    trouble = [answer.sentence for answer in silent] + [f"{name} has no address" for name in zone.unresolved]
    if trouble:
        return _warn("; ".join(trouble), f"The others agree on {zone.name}; the authority may ask this one.")
    return _pass(f"{len(told)} servers agree on {zone.name}, serial {serials[0]}")


def _caa_row(one: CertificateFacts, facts: NameFacts) -> Finding:
    if facts.caa is None:
        return _elsewhere(facts)
    if isinstance(facts.caa, DnsTrouble):
        if facts.caa.outcome in _BROKEN:
            return _stop(
                facts.caa.message.rstrip("."), "Authorities do not issue while CAA cannot be looked up; mend it."
            )
        return _warn(facts.caa.message.rstrip("."), "It was not checked.")
    families = (one.family,) if one.family else tuple(Family)
    verdicts = {family: _caa.judge(facts.caa.records, facts.name, family) for family in families}
    worst = {verdict.allows for verdict in verdicts.values()}
    reasons = " ; ".join(dict.fromkeys(verdict.reason for verdict in verdicts.values()))
    where = f"{facts.caa.found_at}: " if facts.caa.found_at else ""
    if worst == {Allows.YES}:
        return _pass(f"{where}{reasons}")
    if worst == {Allows.NO}:
        tag = "issuewild" if _decided_by_issuewild(facts) else "issue"
        wanted = " or ".join(f'0 {tag} "{ISSUERS[family][0]}"' for family in families)
        return _stop(f"{where}{reasons}", f"Add the CAA record {wanted} at {facts.caa.found_at}.")
    if Allows.CONDITIONALLY in worst:
        return _warn(f"{where}{reasons}", "Whether the condition is met is known to the authority only.")
    return _warn(f"{where}{reasons}", "Whether that is the product's authority is not known without the catalogue.")


def _decided_by_issuewild(facts: NameFacts) -> bool:
    records = facts.caa.records if isinstance(facts.caa, CaaSet) else ()
    return _names.is_wildcard(facts.name) and any(one.tag == "issuewild" for one in records)


# The files


def _file(facts: Facts, name: NameFacts) -> Finding | None:
    looks = name.looks
    if looks is None:
        return _warn(f"not looked at: {name.words}", "It has to be reachable when the proof is published.")
    if not looks:
        return None  # without an address, of which the row address tells
    shown = "; ".join(_shown_look(one, facts.probe) for one in looks)
    routed = [one for one in looks if one.routed]
    wrong = [one for one in routed if (one.problem if facts.probe else one.status is None)]
    if not routed:
        return _warn(shown, "The controller has no way to it; look from elsewhere.")
    if wrong and (facts.probe or len(wrong) < len(routed)):
        return _stop(shown, _mend(name, wrong, routed))
    if not facts.probe:
        if wrong:
            return _warn(
                shown, "As it should be if a listener of this role serves the proofs; otherwise start the server."
            )
        return _warn(
            shown, "A server answers; whether it would serve the proof is not known, as no probe was published."
        )
    if len(routed) < len(looks):
        return _warn(shown, "The controller has no way to the other address; look from elsewhere.")
    return _pass(shown)


def _shown_look(look: Look, probe: bool) -> str:
    version = "IPv6" if ":" in look.address else "IPv4"
    words = look.problem.rstrip(".") if probe or look.status is None else f"HTTP {look.status}"
    return f"{version} {look.address} port {look.port}: {look.trail}{words or 'ok'}"


def _mend(name: NameFacts, wrong: t.Sequence[Look], routed: t.Sequence[Look]) -> str:
    """What to do, from how the addresses differ."""
    versions = {":" in look.address for look in wrong}
    if versions == {True} and len(wrong) < len(routed):
        return f"Remove the AAAA record of {name.shown}, or have the web server answer there as it does over IPv4."
    if any(look.status is None for look in wrong):
        return "Nothing answers there: start the web server, open the port, or mend the record."
    if any(look.other_probe for look in wrong):
        return (
            "Another run has put its probe there: let it end, then run again. If no other run is at work, an old probe "
            "is served: the web root is not the directory this server serves for the name."
        )
    if any(look.trail for look in wrong):
        return "The redirect leads away from the file: leave /.well-known/pki-validation/ out of it."
    if len(wrong) < len(routed):
        return "Not every address serves the web root: list all hosts in gogetssl_web_hosts, or mend the record."
    return "Is the web root the directory this server serves for the name?"


def table(rows: t.Sequence[Row]) -> list[str]:
    """The rows as aligned lines, with the advice below those that need it."""
    cells = [(row.certificate, _names.shown(row.name) or "-", row.check, row.result.value) for row in rows]
    widths = [max((len(cell[column]) for cell in cells), default=0) for column in range(4)]
    lines = []
    for row, cell in zip(rows, cells):
        lines.append("  ".join(text.ljust(width) for text, width in zip(cell, widths)) + "  " + row.found)
        if row.advice:
            lines.append(" " * (sum(widths) + 8) + "-> " + row.advice)
    return lines


def reasons(rows: t.Iterable[Row], result: Result) -> dict[str, str]:
    """Certificate -> what stops it (or warns of it), one sentence for each row."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.result is result:
            about = f"{_names.shown(row.name)}, {row.check}: " if row.name else f"{row.check}: "
            found.setdefault(row.certificate, []).append(f"{about}{row.found}. {row.advice}".strip())
    return {certificate: " ".join(sentences) for certificate, sentences in found.items()}
