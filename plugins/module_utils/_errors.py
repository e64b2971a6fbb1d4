# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception that crosses layers.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """What a failure means for the caller, above all for one who was spending money."""

    INPUT = "input"  # the caller's wish is wrong; nothing was asked of anybody
    UNREACHABLE = "unreachable"  # the request did not reach the vendor: it certainly had no effect
    REFUSED = "refused"  # the vendor understood and said no: it certainly had no effect
    UNCERTAIN = "uncertain"  # the request may have taken effect: look before doing anything again
    ANSWER = "answer"  # the vendor's answer to a reading call cannot be used
    HOST = "host"  # something on the managed host failed


class GogetsslError(Exception):
    """A failure in one sentence: what failed, in whose words, what to do. Never holds a secret."""

    def __init__(self, message: str, kind: Kind) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


def input_error(message: str) -> GogetsslError:
    """The wish itself is wrong."""
    return GogetsslError(message, Kind.INPUT)


def host_error(message: str) -> GogetsslError:
    """Something on the managed host failed."""
    return GogetsslError(message, Kind.HOST)
