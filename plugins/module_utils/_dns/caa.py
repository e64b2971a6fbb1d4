# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CAA records: whether the relevant record set of a name permits the brand's CA to issue. Pure; RFC 8659 and 8657."""

from __future__ import annotations

import enum
import typing as t

from .._api.models import Family
from .._core import names
from .resolver import Caa

# Issuer domain names that each CA accepts in CAA records. The first one is the recommended one.
ISSUERS: dict[Family, tuple[str, ...]] = {
    Family.SECTIGO: ("sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"),
    Family.DIGICERT: (
        "digicert.com",
        "www.digicert.com",
        "geotrust.com",
        "rapidssl.com",
        "thawte.com",
        "symantec.com",
        "digitalcertvalidation.com",
    ),
}
# A CA must not issue if it does not know a property with the critical flag. These properties are registered.
_UNDERSTOOD = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"})
_RESTRICTING = ("accounturi", "validationmethods")  # parameters that make a permission conditional (RFC 8657)


class Allows(enum.Enum):
    """Whether a CAA record set permits a CA to issue."""

    YES = "yes"
    CONDITIONALLY = "conditionally"
    NO = "no"


class Verdict(t.NamedTuple):
    """The result and its reason, which names the record."""

    allows: Allows
    reason: str


def evaluate(records: t.Sequence[Caa], name: str, family: Family) -> Verdict:
    """Evaluate whether the family's CA may issue for the name, by its relevant record set."""
    if not records:
        return Verdict(Allows.YES, "there is no CAA record")
    odd = next((one for one in records if one.critical and one.tag.lower() not in _UNDERSTOOD), None)
    if odd is not None:
        return Verdict(Allows.NO, f"{_shown(odd)} is marked critical and no CA knows it")
    relevant = _relevant(records, name)
    if not relevant:
        return Verdict(Allows.YES, "no CAA record restricts who issues")
    ours = [(one, issuer) for one in relevant for issuer in [_issuer(one.value)] if issuer[0] in ISSUERS[family]]
    if not ours:
        issuers = [issuer for one in relevant if (issuer := _issuer(one.value)[0])]
        return Verdict(Allows.NO, f"only {', '.join(issuers)} may issue" if issuers else "no CA may issue")
    free = next((one for one, (_domain, parameters) in ours if not _conditions(parameters)), None)
    if free is not None:
        return Verdict(Allows.YES, f"{_shown(free)} allows it")
    return Verdict(Allows.CONDITIONALLY, f"{_shown(ours[0][0])} allows it on a condition")


def _relevant(records: t.Sequence[Caa], name: str) -> list[Caa]:
    """Return the issue records; for a wildcard the issuewild records, if any. iodef and others have no effect."""
    tags = ("issuewild", "issue") if names.is_wildcard(name) else ("issue",)
    for tag in tags:
        found = [one for one in records if one.tag.lower() == tag]
        if found:
            return found
    return []


def _issuer(value: str) -> tuple[str, list[str]]:
    """Return the issuer's domain and its parameters. A malformed value permits no CA."""
    domain, *parameters = (part.strip() for part in value.split(";"))
    parameters = [part for part in parameters if part]
    if " " in domain or not all("=" in part for part in parameters):
        return "", parameters
    return domain.rstrip(".").lower(), parameters


def _conditions(parameters: t.Sequence[str]) -> list[str]:
    return [part for part in parameters if part.partition("=")[0].strip().lower() in _RESTRICTING]


def _shown(record: Caa) -> str:
    return f"{record.flags} {record.tag} {record.value[:120]!r}"
