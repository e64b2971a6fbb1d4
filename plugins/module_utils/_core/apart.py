# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One action for several orders: for all at once and, if that fails, for each by itself."""

from __future__ import annotations

import typing as t

from .errors import GogetsslError

_Key = t.TypeVar("_Key")


def failures(keys: t.Iterable[_Key], act: t.Callable[[t.Sequence[_Key]], None]) -> dict[_Key, str]:
    """Return the keys for which the action fails even by itself, each with the reason. Without keys, it is not called.

    The action must accept that a part of it has been done by the attempt before.
    """
    everything = list(keys)
    if not everything:
        return {}
    try:
        act(everything)
    except GogetsslError as error:
        if len(everything) == 1:
            return {everything[0]: error.message}
        found: dict[_Key, str] = {}
        for key in everything:
            found.update(failures([key], act))
        return found
    return {}
