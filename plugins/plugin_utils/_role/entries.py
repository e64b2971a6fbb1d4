# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The input of the role's filters: certificates of the user, and entries of module results."""

from __future__ import annotations

import typing as t

Entry = t.Mapping[str, t.Any]
Entries = t.Iterable[Entry]


def entries_of(value: t.Any) -> list[Entry]:
    """The dictionaries of a list in a module result. A host may return a value of any type."""
    return [one for one in value if isinstance(one, t.Mapping)] if isinstance(value, list) else []


def by_name(entries: Entries) -> dict[str, Entry]:
    """Map names to entries. If several entries have the same name, the last one is used."""
    return {entry["name"]: entry for entry in entries}


def list_of(results: Entry, name: str, key: str) -> list[t.Any]:
    """The list under this key in the result of this name; empty if the task did not run."""
    return list((results.get(name) or {}).get(key) or [])


def names_of(entries: Entries) -> set[str]:
    return {one["name"] for one in entries}
