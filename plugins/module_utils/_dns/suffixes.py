# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public suffixes: domains under which registries and hosting providers register names. Only this file imports
publicsuffixlist."""

from __future__ import annotations

import enum
import functools
import typing as t

try:
    import publicsuffixlist

    HAS_PUBLICSUFFIXLIST = True
except ImportError:  # optional: without it, suffixes are estimated and a warning is issued
    HAS_PUBLICSUFFIXLIST = False


class Suffix(enum.Enum):
    """The classification of a name by the list."""

    NO = "no"
    REGISTRY = "registry"  # co.uk
    PRIVATE = "private"  # of a hosting provider, such as github.io
    UNKNOWN = "unknown"  # the list is not available


def suffix(name: str) -> Suffix:
    """Classify a name without its wildcard label."""
    if not HAS_PUBLICSUFFIXLIST:
        return Suffix.UNKNOWN
    if _list(True).publicsuffix(name) == name:
        return Suffix.REGISTRY
    return Suffix.PRIVATE if _list(False).publicsuffix(name) == name else Suffix.NO


def is_public_suffix(name: str) -> bool:
    """True if the name is a known public suffix or has only one label."""
    return "." not in name or suffix(name) in (Suffix.REGISTRY, Suffix.PRIVATE)


def is_registered_domain(name: str) -> bool:
    """True for a name directly below a public suffix; without the list, for a name with two labels."""
    if not HAS_PUBLICSUFFIXLIST:
        return name.count(".") == 1
    return bool(_list(False).privatesuffix(name) == name)


@functools.lru_cache(maxsize=2)
def _list(only_icann: bool) -> t.Any:
    return publicsuffixlist.PublicSuffixList(only_icann=only_icann)
