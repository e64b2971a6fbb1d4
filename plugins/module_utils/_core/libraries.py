# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python library that a task requires. Each is described in the only file that imports it."""

from __future__ import annotations

import platform
import sys
import typing as t

FAILURE = "library"  # `failure` in the result of a task whose library is missing


class Library(t.NamedTuple):
    """A library by the name of its package, and whether this interpreter has it."""

    name: str
    present: bool
    advice: str = ""  # how to install it; the default is pip


def missing(library: Library) -> str:
    """The message for a missing library: the host, its interpreter and how to install the library."""
    advice = library.advice or f"Install it with: {sys.executable} -m pip install {library.name}"
    return f"The required Python library {library.name} is missing on {platform.node()} for {sys.executable}. {advice}"
