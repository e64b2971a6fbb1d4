# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a name itself: reserved, internationalised or public-suffix names. Pure."""

from __future__ import annotations

import ipaddress

from .._core import names as _names
from .._dns.suffixes import Suffix
from .table import Evaluation, NameFacts, passed, stopped, warned

# Top-level domains for which no public CA issues certificates (RFC 2606, 6761, 6762, 8375; ICANN for internal).
RESERVED = ("test", "example", "invalid", "localhost", "local", "internal", "home.arpa", "alt")
# Second-level labels of registries. Only a hint, for controllers without the public suffix list.
_REGISTRIES = frozenset(
    {"ac", "co", "com", "edu", "gob", "gouv", "gov", "govt", "id", "info", "ltd", "me", "mil", "ne", "net", "nhs"}
    | {"nom", "or", "org", "plc", "sch", "school", "web"}
)


def check_name(facts: NameFacts, common_name: bool = False) -> Evaluation:
    """Evaluate a name. `common_name`: it is the first name of its certificate."""
    name, base = facts.name, _names.base(facts.name)
    if common_name and len(name) > _names.MAX_COMMON_NAME:
        return stopped(
            f"{facts.shown} has {len(name)} characters; a common name has at most {_names.MAX_COMMON_NAME}",
            "Put a shorter name first.",
        )
    if _names.is_address(name):
        if ipaddress.ip_address(name).is_global or facts.place:
            return passed("a public address")
        return stopped(f"{name} is not a public address", "No public CA issues certificates for it. Use a name.")
    if "_" in base:
        return stopped(f"{facts.shown} has an underscore", "CAs have refused underscores since 2019. Use a dash.")
    reserved = next((one for one in RESERVED if base == one or base.endswith("." + one)), "")
    if reserved and not facts.place:
        return stopped(f"{facts.shown} ends in .{reserved}, which is reserved", "Use a name in a domain that you own.")
    if "xn--" in base:
        return _idn(facts)
    return _suffix(facts, base)


def _idn(facts: NameFacts) -> Evaluation:
    try:
        readable = _names.unicode(facts.name)
    except UnicodeError:
        return stopped(f"{facts.name} is not a valid internationalised name", "Check the spelling after xn--.")
    if not facts.written.isascii():
        try:
            older = facts.written.strip().rstrip(".").lower().encode("idna").decode("ascii")
        except UnicodeError:
            older = ""
        if older != facts.name:
            return warned(
                f"{facts.written} becomes another name under IDNA 2003",
                f"Write {facts.name} in names, so that every host reads the same name.",
            )
    return passed(f"reads {readable}")


def _suffix(facts: NameFacts, base: str) -> Evaluation:
    wildcard = _names.is_wildcard(facts.name)
    if facts.suffix is Suffix.REGISTRY and wildcard:
        return stopped(
            f"{base} is a public suffix", f"No CA issues {facts.name}. Use a name below a registered domain."
        )
    if facts.suffix in (Suffix.REGISTRY, Suffix.PRIVATE):
        return warned(f"{base} is a public suffix", "CAs may refuse it unless you run that registry.")
    labels = base.split(".")
    if facts.suffix is Suffix.UNKNOWN and len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _REGISTRIES:
        return warned(
            f"{base} looks like a public suffix",
            "Install the Python library publicsuffixlist on the controller for a definite answer.",
        )
    if base.startswith("www.www.") or (wildcard and base.startswith("www.")):
        return warned(f"{facts.name} is an unusual name", "Check the spelling.")
    return passed("a name that can be certified")
