# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Confirms installations: removes the `unverified` mark of a verified version and files left by interrupted runs.

No file that a service reads is changed, so no service needs a reload.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .._core.errors import input_error
from . import files, store
from .store import OrderOf, Paths


@dataclasses.dataclass(frozen=True)
class Settlement:
    """The files to remove from a certificate's directory and from its parent directory."""

    name: str
    paths: Paths
    serial: str | None  # the current version
    verified: bool  # the mark exists and is removed
    interrupted_files: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return self.verified or bool(self.interrupted_files)

    def execute(self) -> list[str]:
        """Remove the files; return the reasons for those that could not be removed."""
        staged = [path for path in self.interrupted_files if path == self.paths.staged]
        others = [path for path in self.interrupted_files if path != self.paths.staged]
        problems = files.try_removals(files.discard, staged) + files.try_removals(files.remove_tree, others)
        if self.verified:
            files.remove(self.paths.unverified)
        return problems

    def entry(self) -> dict[str, t.Any]:
        leaf = store.read_certificate(self.paths.version(self.serial)) if self.serial else None
        return {
            "name": self.name,
            "serial": self.serial or "",
            "previous_serial": "",
            "path": self.paths.current,
            "not_after": leaf.not_after.isoformat() if leaf else "",
            "forms": store.forms_of(self.paths.version(self.serial)) if self.serial else [],
            "changed": False,
            "moved": False,
            "unverified": bool(self.serial) and not self.verified and store.unverified(self.paths) == self.serial,
        }

    def difference(self) -> dict[str, t.Any]:
        before = {
            "unverified": self.verified,
            "interrupted_files": [os.path.basename(path) for path in self.interrupted_files],
        }
        return {
            "before_header": f"{self.name} (verified)",
            "after_header": f"{self.name} (verified)",
            "before": before,
            "after": {"unverified": False, "interrupted_files": []},
        }


def read_settlement(directory: str, item: t.Mapping[str, t.Any], now: float) -> Settlement:
    """Read what to remove. The mark is removed only if the entry names the marked version as verified."""
    name, verified = item["name"], item.get("serial")
    if verified is not None and not isinstance(verified, str):
        raise input_error(f"{name}: serial must be as state=present has returned it.")
    paths = store.paths(directory, name)
    current = store.linked(paths.current)
    folders = [entry.path for entry in _entries(paths.root) if entry.is_dir(follow_symlinks=False)]
    left = [*files.interrupted_files(directory), *files.old_notes(directory, now)]
    left += [*files.interrupted_files(paths.root), *files.old_notes(paths.root, now)]
    if _is_staged_twice(paths, current):
        left.append(paths.staged)
    left += [path for folder in folders if folder not in left for path in files.interrupted_files(folder)]
    marked = bool(verified) and current == verified and store.unverified(paths) == verified
    return Settlement(name, paths, current, marked, tuple(left))


def _is_staged_twice(paths: Paths, current: str | None) -> bool:
    """True if the installed key is still staged although no order is pending for it."""
    staged = store.read_key(paths.staged)
    live = store.read_key(paths.version(current)) if current and staged else None
    if staged is None or live is None or staged.public_key != live.public_key:
        return False
    return store.order_of(paths, staged.public_key) is not OrderOf.OPEN


def _entries(directory: str) -> list[os.DirEntry[str]]:
    if not os.path.isdir(directory):
        return []
    with os.scandir(directory) as found:
        return sorted(found, key=lambda entry: entry.name)
