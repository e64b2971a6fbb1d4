# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several hosts that wish for the same certificate: nobody buys before somebody has chosen who does.

Two runs with two keys look like two certificates to the vendor, so only the wishes themselves can tell. They are looked
at where something is to be bought and nowhere else.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from . import _names
from ._errors import GogetsslError
from ._wanted import Wanted

_HOSTS_NAMED = 4


def rivals(wanted: Wanted, others: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The other hosts that would buy the same certificate; none if somebody has chosen who orders it.

    `others` are the wishes of the other hosts of the play: host, common_name, product.
    """
    if wanted.order_host is not None:
        return []
    return sorted({str(one.get("host")) for one in others if _is_same(wanted, one)})


def listed(hosts: t.Sequence[str]) -> str:
    """A few hosts by name, the others by their number."""
    shown, more = hosts[:_HOSTS_NAMED], len(hosts) - _HOSTS_NAMED
    return f"{', '.join(shown)} and {more} more hosts" if more > 0 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _is_same(wanted: Wanted, other: t.Mapping[str, t.Any]) -> bool:
    """True if both would buy the same; a product's number and its name cannot be told to be two products."""
    try:
        if _names.canonical(str(other.get("common_name"))) != wanted.common_name:
            return False
    except GogetsslError:  # not a name; that host will be told
        return False
    ours, theirs = wanted.product.casefold(), str(other.get("product")).strip().casefold()
    return ours == theirs or ours.isdigit() != theirs.isdigit()
