# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names a certificate is for: one spelling, and what makes a name acceptable.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ._errors import input_error

try:
    import idna
except ImportError:  # on hosts; the standard codec knows the older IDNA 2003 only, which differs in a few letters
    idna = None  # type: ignore[assignment]

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_CERTIFICATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def canonical(name: str) -> str:
    """The name as it stands in a certificate: lower case, Unicode as its xn-- form, no final dot.

    Raises an input error for what no public authority would certify, such as a single label or a bad wildcard.
    """
    text = name.strip().rstrip(".")
    if is_address(text):
        return ipaddress.ip_address(text).compressed
    wildcard = text.startswith("*.")
    host = _ascii(text[2:] if wildcard else text, name).lower()
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise input_error(f"{name!r} is not a name a certificate can be issued for.")
    return f"*.{host}" if wildcard else host


def canonical_list(names: t.Iterable[str]) -> tuple[str, ...]:
    """The names in their canonical form and given order; a repeated one is an input error."""
    result = tuple(canonical(name) for name in names)
    if not result:
        raise input_error("A certificate needs at least one name.")
    twice = sorted({name for name in result if result.count(name) > 1})
    if twice:
        raise input_error(f"{', '.join(twice)} is listed twice.")
    return result


def shown(name: str) -> str:
    """The name as people read it: an internationalised one in both its spellings."""
    if "xn--" not in name:
        return name
    try:
        readable = unicode(name)
    except UnicodeError:
        return name
    return f"{readable} ({name})" if readable != name else name


def unicode(name: str) -> str:
    """An internationalised name in its own letters; a UnicodeError if it is none."""
    if idna is not None:
        head = "*." if is_wildcard(name) else ""
        return head + idna.decode(base(name))
    return name.encode("ascii").decode("idna")


def check_certificate_name(name: str) -> str:
    """The certificate's own name, which becomes a directory: returned as it is, or an input error."""
    if not _CERTIFICATE_NAME.match(name):
        raise input_error(f"{name!r} cannot name a certificate: use letters, digits, dot, dash and underscore.")
    return name


def is_address(name: str) -> bool:
    """True for an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_wildcard(name: str) -> bool:
    """True for `*.example.com`."""
    return name.startswith("*.")


def base(name: str) -> str:
    """The name without its wildcard: where the proof of control belongs (API reference 8.4)."""
    return name[2:] if is_wildcard(name) else name


def covers(certified: t.Iterable[str], wanted: str) -> bool:
    """True if one of the certified names stands for the wanted one; a wildcard stands for exactly one label."""
    certified = set(certified)
    if wanted in certified:
        return True
    _label, _dot, parent = wanted.partition(".")
    return not is_wildcard(wanted) and not is_address(wanted) and f"*.{parent}" in certified


def missing(certified: t.Iterable[str], wanted: t.Iterable[str]) -> tuple[str, ...]:
    """The wanted names that no certified one stands for."""
    certified = frozenset(certified)
    return tuple(name for name in wanted if not covers(certified, name))


def _ascii(host: str, shown: str) -> str:
    if host.isascii():
        return host
    try:
        if idna is not None:
            return idna.encode(host, uts46=True).decode("ascii")
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise input_error(f"{shown!r} is not a valid internationalised name.") from None


def within(name: str, zone: str) -> bool:
    """True if the name is the zone's own or below it."""
    return zone == "" or name == zone or name.endswith("." + zone)
