# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The quiet end of installations: the mark of a version that was proven goes, and so does what killed runs have left.

Nothing that a service reads is touched, so no service has to be reloaded for it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from . import _files, _store
from ._errors import input_error
from ._store import OrderOf, Paths


@dataclasses.dataclass(frozen=True)
class Settlement:
    """What is to go from a certificate's directory, and from the one above it."""

    name: str
    paths: Paths
    serial: str | None  # the current version
    proven: bool  # its mark is there and goes
    leftovers: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return self.proven or bool(self.leftovers)

    def execute(self) -> None:
        for path in self.leftovers:
            if path == self.paths.staged:
                _files.discard(path)
            else:
                _files.remove_tree(path)
        if self.proven:
            _files.remove(self.paths.unproven)

    def entry(self) -> dict[str, t.Any]:
        leaf = _store.read_certificate(self.paths.version(self.serial)) if self.serial else None
        return {
            "name": self.name,
            "serial": self.serial or "",
            "previous_serial": "",
            "path": self.paths.current,
            "not_after": leaf.not_after.isoformat() if leaf else "",
            "forms": _store.forms_of(self.paths.version(self.serial)) if self.serial else [],
            "changed": False,
            "moved": False,
            "unproven": bool(self.serial) and not self.proven and _store.unproven(self.paths) == self.serial,
        }

    def difference(self) -> dict[str, t.Any]:
        before = {"unproven": self.proven, "leftovers": [os.path.basename(path) for path in self.leftovers]}
        return {
            "before_header": f"{self.name} (settled)",
            "after_header": f"{self.name} (settled)",
            "before": before,
            "after": {"unproven": False, "leftovers": []},
        }


def look(directory: str, item: t.Mapping[str, t.Any], now: float) -> Settlement:
    """What goes. The mark does only if the entry names the version that it is about, as the one that was proven."""
    name, proven = item["name"], item.get("serial")
    if proven is not None and not isinstance(proven, str):
        raise input_error(f"{name}: serial must be as state=present has returned it.")
    paths = _store.paths(directory, name)
    current = _store.linked(paths.current)
    folders = [entry.path for entry in _entries(paths.root) if entry.is_dir(follow_symlinks=False)]
    left = [*_files.leftovers(directory), *_files.old_notes(directory, now)]
    left += [*_files.leftovers(paths.root), *_files.old_notes(paths.root, now)]
    if _is_staged_twice(paths, current):
        left.append(paths.staged)
    left += [path for folder in folders if folder not in left for path in _files.leftovers(folder)]
    marked = bool(proven) and current == proven and _store.unproven(paths) == proven
    return Settlement(name, paths, current, marked, tuple(left))


def _is_staged_twice(paths: Paths, current: str | None) -> bool:
    """True if the installed key is still staged, although no order waits for it."""
    staged = _store.read_key(paths.staged)
    live = _store.read_key(paths.version(current)) if current and staged else None
    if staged is None or live is None or staged.public_key != live.public_key:
        return False
    return _store.order_of(paths, staged.public_key) is not OrderOf.OPEN


def _entries(directory: str) -> list[os.DirEntry[str]]:
    if not os.path.isdir(directory):
        return []
    with os.scandir(directory) as found:
        return sorted(found, key=lambda entry: entry.name)
