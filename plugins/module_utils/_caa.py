# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CAA records: whether those in force for a name let the brand's authority issue. Pure; RFC 8659 and 8657.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import enum
import typing as t

from . import _names
from ._dns import Caa
from ._models import Family

# By which names the authorities behind the brands recognise themselves; the first one is the one to write.
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
# A property with the critical flag that an authority does not understand forbids it to issue. These are registered.
_UNDERSTOOD = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"})
_RESTRICTING = ("accounturi", "validationmethods")  # parameters that make a permission conditional (RFC 8657)


class Allows(enum.Enum):
    """What a set of records says about an authority."""

    YES = "yes"
    CONDITIONALLY = "conditionally"
    NO = "no"


class Verdict(t.NamedTuple):
    """The answer and its reason, in words that name the record."""

    allows: Allows
    reason: str


def judge(records: t.Sequence[Caa], name: str, family: Family) -> Verdict:
    """Whether the family's authority may issue for the name, by the record set that is in force for it."""
    if not records:
        return Verdict(Allows.YES, "there is no CAA record")
    odd = next((one for one in records if one.critical and one.tag.lower() not in _UNDERSTOOD), None)
    if odd is not None:
        return Verdict(Allows.NO, f"{_shown(odd)} is marked critical and no authority knows it")
    relevant = _relevant(records, name)
    if not relevant:
        return Verdict(Allows.YES, "no CAA record restricts who issues")
    ours = [(one, issuer) for one in relevant for issuer in [_issuer(one.value)] if issuer[0] in ISSUERS[family]]
    if not ours:
        return Verdict(Allows.NO, f"only {', '.join(_who(one) for one in relevant)} may issue")
    free = next((one for one, (_domain, parameters) in ours if not _conditions(parameters)), None)
    if free is not None:
        return Verdict(Allows.YES, f"{_shown(free)} allows it")
    return Verdict(Allows.CONDITIONALLY, f"{_shown(ours[0][0])} allows it on a condition")


def _relevant(records: t.Sequence[Caa], name: str) -> list[Caa]:
    """The records that decide: for a wildcard those of issuewild, if there are any; iodef and others never decide."""
    tags = ("issuewild", "issue") if _names.is_wildcard(name) else ("issue",)
    for tag in tags:
        found = [one for one in records if one.tag.lower() == tag]
        if found:
            return found
    return []


def _issuer(value: str) -> tuple[str, list[str]]:
    """The issuer's domain and its parameters; what is malformed permits nobody."""
    domain, *parameters = (part.strip() for part in value.split(";"))
    parameters = [part for part in parameters if part]
    if " " in domain or not all("=" in part for part in parameters):
        return "", parameters
    return domain.rstrip(".").lower(), parameters


def _conditions(parameters: t.Sequence[str]) -> list[str]:
    return [part for part in parameters if part.partition("=")[0].strip().lower() in _RESTRICTING]


def _shown(record: Caa) -> str:
    return f"{record.flags} {record.tag} {record.value[:120]!r}"


def _who(record: Caa) -> str:
    return _issuer(record.value)[0] or "nobody"
