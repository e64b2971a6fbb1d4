# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public suffixes: what registries and hosters hand out names under. The only file that imports publicsuffixlist.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import enum
import functools
import typing as t

try:
    import publicsuffixlist

    HAS_PUBLICSUFFIXLIST = True
except ImportError:  # optional: suffixes are guessed without it, and the guess is a warning
    HAS_PUBLICSUFFIXLIST = False


class Suffix(enum.Enum):
    """What the list says about a name."""

    NO = "no"
    REGISTRY = "registry"  # co.uk
    PRIVATE = "private"  # a hoster's, such as github.io
    UNKNOWN = "unknown"  # the list is not at hand


def suffix(name: str) -> Suffix:
    """Whether a name without its wildcard is a public suffix."""
    if not HAS_PUBLICSUFFIXLIST:
        return Suffix.UNKNOWN
    if _list(True).publicsuffix(name) == name:
        return Suffix.REGISTRY
    return Suffix.PRIVATE if _list(False).publicsuffix(name) == name else Suffix.NO


@functools.lru_cache(maxsize=2)
def _list(only_icann: bool) -> t.Any:
    return publicsuffixlist.PublicSuffixList(only_icann=only_icann)
