# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python library that a task cannot do without. Each is described by the one file that imports it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t


class Library(t.NamedTuple):
    """A library as users know it, and whether this interpreter has it."""

    name: str
    present: bool
    advice: str = ""  # sentences after Ansible's own, which names the interpreter and pip
