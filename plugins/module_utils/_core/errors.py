# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only exception that crosses layers."""

from __future__ import annotations

import contextlib
import enum
import typing as t

from .text import printable

LONGEST_MESSAGE = 1000  # characters of a message that quotes a peer


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


@contextlib.contextmanager
def peer_errors_as_sentences(peer: str) -> t.Iterator[None]:
    """Convert the exceptions of code that reads answers of another form than documented to host errors.

    Messages may quote the answers, so they are escaped and shortened.
    """
    try:
        yield
    except GogetsslError as error:
        raise GogetsslError(printable(error.message, LONGEST_MESSAGE), error.kind) from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise host_error(f"{peer} gave an answer that cannot be read ({type(error).__name__}).") from error
