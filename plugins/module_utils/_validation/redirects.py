# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The redirects that a CA follows (CA/Browser Forum Baseline Requirements 3.2.2.4.19). Pure."""

from __future__ import annotations

import typing as t
from urllib.parse import urljoin, urlsplit

from .._core import names
from .._core.errors import GogetsslError
from .._core.text import printable

STATUSES = frozenset({301, 302, 303, 307, 308})
LIMIT = 5
PORTS = (80, 443)


class Location(t.NamedTuple):
    """The target of a redirect. `port` is None for the default port of the scheme."""

    scheme: str
    name: str
    port: int | None
    path: str


def read_location(url: str, location: str) -> Location | None:
    """The target of a redirect; None for a target that no CA follows, such as a non-canonical address."""
    try:
        parts = urlsplit(urljoin(url, location))
        host, port = parts.hostname or "", parts.port
        name = names.canonical(host)
    except (ValueError, GogetsslError):
        return None
    if parts.scheme not in ("http", "https") or set("@%") & set(parts.netloc) or port == 0:
        return None
    return Location(parts.scheme, name, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def describe_location(location: str) -> str:
    """The target for messages, without parts that may be secret: user name, password and query."""
    text = location.partition("?")[0].partition("#")[0]
    scheme, separator, rest = text.partition("//")
    authority, slash, path = rest.partition("/")
    if separator:
        text = scheme + separator + authority.rpartition("@")[2] + slash + path
    return printable(text, 120) or "nowhere"
