# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of a certificate: their canonical form and their validity."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .errors import input_error

try:
    import idna
except ImportError:  # on hosts; the standard codec supports only IDNA 2003, which maps a few letters differently
    idna = None  # type: ignore[assignment]

MAX_COMMON_NAME = 64  # characters (RFC 5280, ub-common-name)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_CERTIFICATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def canonical(name: str) -> str:
    """The name in the form used in certificates: lower case, Unicode as xn-- labels, no final dot.

    Raises an input error for a name that no public CA accepts, such as a single label or an invalid wildcard.
    """
    text = name.strip().rstrip(".")
    if is_address(text):
        return ipaddress.ip_address(text).compressed
    wildcard = text.startswith("*.")
    host = _ascii(text[2:] if wildcard else text, name).lower()
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise input_error(
            f"{name!r} is not a name a certificate can be issued for. Use a full name such as shop.example.com, a"
            " wildcard such as *.example.com, or an IP address."
        )
    return f"*.{host}" if wildcard else host


def canonical_list(names: t.Iterable[str]) -> tuple[str, ...]:
    """The names in canonical form and in the given order. A duplicate is an input error."""
    result = tuple(canonical(name) for name in names)
    if not result:
        raise input_error("A certificate needs at least one name.")
    twice = sorted({name for name in result if result.count(name) > 1})
    if twice:
        raise input_error(f"{', '.join(twice)} is listed twice.")
    return result


def shown(name: str) -> str:
    """The name for messages. An internationalised name is shown in Unicode and in ASCII."""
    if "xn--" not in name:
        return name
    try:
        readable = unicode(name)
    except UnicodeError:
        return name
    return f"{readable} ({name})" if readable != name else name


def unicode(name: str) -> str:
    """An internationalised name in Unicode; a UnicodeError if it is not valid."""
    if idna is not None:
        head = "*." if is_wildcard(name) else ""
        return head + idna.decode(base(name))
    return name.encode("ascii").decode("idna")


def check_certificate_name(name: str) -> str:
    """Return the certificate's own name, which is also its directory name; an input error if it is not valid."""
    if not _CERTIFICATE_NAME.match(name):
        raise input_error(f"{name!r} is not a valid certificate name: use letters, digits, dot, dash and underscore.")
    return name


def is_address(name: str) -> bool:
    """True for an IPv4 or IPv6 address."""
    if ":" not in name and not name[-1:].isdigit():
        return False  # the usual case; the exception below is slow
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_wildcard(name: str) -> bool:
    """True for `*.example.com`."""
    return name.startswith("*.")


def base(name: str) -> str:
    """The name without its wildcard, which is the name to validate (API reference 8.4)."""
    return name[2:] if is_wildcard(name) else name


def covers(certified: t.Iterable[str], expected: str) -> bool:
    """True if one of the certified names covers the expected one; a wildcard covers exactly one label."""
    certified = set(certified)
    if expected in certified:
        return True
    _label, _dot, parent = expected.partition(".")
    return not is_wildcard(expected) and not is_address(expected) and f"*.{parent}" in certified


def missing(certified: t.Iterable[str], expected: t.Iterable[str]) -> tuple[str, ...]:
    """The expected names that no certified name covers."""
    certified = frozenset(certified)
    return tuple(name for name in expected if not covers(certified, name))


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
    """True if the name is the zone itself or is below it."""
    return zone == "" or name == zone or name.endswith("." + zone)
