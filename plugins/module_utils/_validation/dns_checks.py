# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the DNS as the CA sees it: addresses, DNSSEC, name servers, CAA. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from .._api.models import Family
from .._core import names as _names
from .._dns import caa as _caa
from .._dns.caa import ISSUERS, Allows
from .._dns.resolver import Answer, CaaSet, DnsTrouble, Outcome, Zone
from .table import CertificateFacts, Evaluation, NameFacts, passed, stopped, warned

NOT_CHECKED = "This was not checked. Check the name servers, or set nameservers."  # nothing is known to be wrong
NOT_QUERIED = "not queried: resolve gives"  # configured by the user
_BROKEN = (Outcome.SERVFAIL, Outcome.BOGUS, Outcome.NXDOMAIN)  # faults of the zone, not of the controller


def _elsewhere(facts: NameFacts) -> Evaluation:
    """The result without a query: `resolve` overrides the DNS, or the DNS could not be queried."""
    if facts.place:
        return warned(f"{NOT_QUERIED} {facts.place} for the name", "Set nameservers to check it nevertheless.")
    return warned(facts.reason, "See the requirements of gogetssl_preflight.")


def check_address(facts: NameFacts) -> Evaluation:
    if _names.is_address(facts.name):
        return passed("the name is an IP address")
    if facts.lookups is None:
        return _elsewhere(facts)
    found = [value for answer in facts.lookups for value in answer.values]
    if found:
        private = [value for value in found if not ipaddress.ip_address(value).is_global]
        if private and facts.by_file:
            return warned(
                f"{', '.join(private)} cannot be reached from outside",
                "If this is the internal view of a split-horizon DNS, set resolve to the public address.",
            )
        return passed(", ".join(found))
    silent = next((answer for answer in facts.lookups if not answer.outcome.conclusive), None)
    if silent is not None:
        if silent.outcome in _BROKEN:
            return stopped(silent.sentence, "Repair the zone; see the row dnssec.")
        if facts.by_nameservers and facts.by_file and not facts.place:
            # The check after the purchase would query them too, and find no address.
            return stopped(silent.sentence, "Correct nameservers, or remove the option to use the system's resolver.")
        return warned(silent.sentence, "Not checked: the controller's resolver did not respond.")
    missing = any(answer.outcome is Outcome.NXDOMAIN for answer in facts.lookups)
    text = f"{_names.base(facts.name)} does not exist (NXDOMAIN)" if missing else "the name has no address"
    if facts.by_file:
        return stopped(text, "Check the spelling. Add an A record, or set dcv to dns.")
    if _names.is_wildcard(facts.name):
        return passed("a wildcard's base needs no address")
    return warned(text, "Check the spelling. Validation by dns or e-mail does not require an address.")


def check_dnssec(facts: NameFacts) -> Evaluation:
    if facts.lookups is None:
        return _elsewhere(facts)
    answers = {answer.outcome: answer for answer in facts.lookups}
    if Outcome.BOGUS in answers:
        return stopped(
            f"the DNSSEC signatures of {_names.base(facts.name)} are invalid: {answers[Outcome.BOGUS].sentence}",
            "Sign the zone again, or correct its DS record at the registrar. Until then no CA can query the zone.",
        )
    if Outcome.SERVFAIL in answers:
        return stopped(
            f"{answers[Outcome.SERVFAIL].sentence}, with and without DNSSEC",
            "The name servers of the zone fail. Repair them.",
        )
    answered = [answer for answer in facts.lookups if answer.outcome.conclusive]
    if not answered:
        return warned(facts.lookups[0].sentence, "Not checked: the controller's resolver did not respond.")
    if facts.signed and not all(answer.authenticated for answer in answered):
        return warned(
            "the zone is signed, but the controller's resolver does not validate signatures",
            "Set nameservers to resolvers that validate.",
        )
    return passed("the signatures are valid" if facts.signed else "the zone is not signed")


def check_servers(facts: NameFacts) -> Evaluation:
    zone = facts.zone
    if zone is None:
        return _elsewhere(facts)
    if isinstance(zone, DnsTrouble):
        if zone.outcome in _BROKEN:
            return stopped(zone.message.rstrip("."), "Correct the name, or register and delegate the domain.")
        return warned(zone.message.rstrip("."), NOT_CHECKED)
    answered = [answer for answer in facts.serials if answer.outcome.conclusive and answer.soa]
    silent = [answer for answer in facts.serials if not answer.outcome.conclusive]
    unreachable = [
        answer for answer in silent if answer.outcome not in (Outcome.LAME, Outcome.REFUSED, Outcome.SERVFAIL)
    ]
    if not answered and not unreachable:
        sentences = "; ".join(answer.sentence for answer in silent) or f"{zone.name} has no server"
        return stopped(sentences, f"None of the name servers of {zone.name} serves it. Correct the delegation.")
    if not answered:
        return warned("; ".join(answer.sentence for answer in silent), "The controller could query none of them.")
    return _agreement(facts, zone, answered, silent)


def _agreement(facts: NameFacts, zone: Zone, answered: t.Sequence[Answer], silent: t.Sequence[Answer]) -> Evaluation:
    """Compare the zone and the name on the servers that respond."""
    for kind in ("A", "AAAA"):
        answers = [one for one in facts.presence if one.kind == kind and one.outcome.conclusive]
        having, lacking = (
            [one for one in answers if one.values or one.aliases],
            [one for one in answers if not one.values],
        )
        lacking = [one for one in lacking if not one.aliases]
        if having and lacking:
            found = f"{lacking[0].sentence}, but {having[0].sentence}"
            return stopped(found, "The CA may query either. Bring the servers to the same state.")
    serials = sorted({answer.soa.serial for answer in answered if answer.soa}, reverse=True)
    if len(serials) > 1:
        behind = [answer for answer in answered if answer.soa and answer.soa.serial != serials[0]]
        listed = ", ".join(f"{one.server} has serial {one.soa.serial}" for one in behind if one.soa)
        return warned(f"{listed} of {zone.name}, others {serials[0]}", "It lags. Check the transfer of the zone.")
    trouble = [answer.sentence for answer in silent] + [f"{name} has no address" for name in zone.unresolved]
    if trouble:
        return warned("; ".join(trouble), f"The other servers agree on {zone.name}, but the CA may query this one.")
    return passed(f"{len(answered)} servers agree on {zone.name}, serial {serials[0]}")


def check_caa(one: CertificateFacts, facts: NameFacts) -> Evaluation:
    if facts.caa is None:
        return _elsewhere(facts)
    if isinstance(facts.caa, DnsTrouble):
        if facts.caa.outcome in _BROKEN:
            return stopped(
                facts.caa.message.rstrip("."), "CAs do not issue while the CAA lookup fails. Repair the zone."
            )
        return warned(facts.caa.message.rstrip("."), NOT_CHECKED)
    families = (one.family,) if one.family else tuple(Family)
    verdicts = {family: _caa.evaluate(facts.caa.records, facts.name, family) for family in families}
    worst = {verdict.allows for verdict in verdicts.values()}
    reasons = " ; ".join(dict.fromkeys(verdict.reason for verdict in verdicts.values()))
    where = f"{facts.caa.found_at}: " if facts.caa.found_at else ""
    if worst == {Allows.YES}:
        return passed(f"{where}{reasons}")
    if worst == {Allows.NO}:
        tag = "issuewild" if _decided_by_issuewild(facts) else "issue"
        expected = " or ".join(f'0 {tag} "{ISSUERS[family][0]}"' for family in families)
        return stopped(f"{where}{reasons}", f"Add the CAA record {expected} at {facts.caa.found_at}.")
    if Allows.CONDITIONALLY in worst:
        return warned(f"{where}{reasons}", "Only the CA can evaluate the condition.")
    return warned(f"{where}{reasons}", "The CA of the product is not known without the catalogue.")


def _decided_by_issuewild(facts: NameFacts) -> bool:
    records = facts.caa.records if isinstance(facts.caa, CaaSet) else ()
    return _names.is_wildcard(facts.name) and any(one.tag == "issuewild" for one in records)
