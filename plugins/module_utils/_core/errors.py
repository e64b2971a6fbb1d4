# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only exception that crosses layers."""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """What a failure means for the caller, in particular whether a purchase may have been made."""

    INPUT = "input"  # invalid options; no request was sent
    UNREACHABLE = "unreachable"  # the request did not reach the vendor, so it had no effect
    REFUSED = "refused"  # the vendor rejected the request, so it had no effect
    UNCERTAIN = "uncertain"  # the request may have taken effect; check before repeating it
    ANSWER = "answer"  # the vendor's response to a read-only call is not usable
    HOST = "host"  # an operation on the managed host failed


class GogetsslError(Exception):
    """A failure. Its message states what failed, the reason and the remedy, and never contains a secret."""

    def __init__(self, message: str, kind: Kind) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


def input_error(message: str) -> GogetsslError:
    """An error for invalid options."""
    return GogetsslError(message, Kind.INPUT)


def host_error(message: str) -> GogetsslError:
    """An error for a failed operation on the managed host."""
    return GogetsslError(message, Kind.HOST)
