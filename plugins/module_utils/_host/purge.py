# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes all keys of a certificate but the installed one, so that no rollback brings back a compromised key."""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.errors import host_error, input_error
from . import files, store
from .store import OrderOf, Paths


@dataclasses.dataclass(frozen=True)
class Purge:
    """The directories with other keys than the installed one."""

    name: str
    paths: Paths
    serial: str  # the current version
    obsolete: tuple[str, ...]
    link: bool  # `previous` exists

    @property
    def changed(self) -> bool:
        return self.link or bool(self.obsolete)

    def execute(self) -> list[str]:
        """Remove the link first, so that it never points to nothing. A key that cannot be removed is an error."""
        if self.link:
            files.remove(self.paths.previous)
        problems = files.try_removals(files.discard, self.obsolete)
        if problems:
            raise host_error(f"{self.name}: an old key is still on the host: {' '.join(problems)}")
        return []

    def entry(self) -> dict[str, t.Any]:
        leaf = store.read_certificate(self.paths.version(self.serial))
        return {
            "name": self.name,
            "serial": self.serial,
            "previous_serial": "",
            "path": self.paths.current,
            "not_after": leaf.not_after.isoformat() if leaf else "",
            "forms": store.forms_of(self.paths.version(self.serial)),
            "changed": False,
            "moved": False,
            "unverified": False,
        }

    def difference(self) -> dict[str, t.Any]:
        header = f"{self.name} (old keys)"
        return {
            "before_header": header,
            "after_header": header,
            "before": {"directories": list(self.obsolete)},
            "after": {"directories": []},
        }


def plan_purge(paths: Paths, item: t.Mapping[str, t.Any]) -> Purge:
    """Plan the removal; an error if the installed version is not the one that the caller has seen in use.

    The staged key of an open order stays: its certificate may have been paid for.
    """
    name, expected = item["name"], item.get("serial")
    current = store.linked(paths.current)
    if not isinstance(expected, str) or not expected:
        raise input_error(f"{name}: state=purged needs the serial of the installed certificate.")
    if current != expected:
        raise host_error(f"{name}: {paths.current} points to {current or 'nothing'}, not to {expected}. Run again.")
    if store.unverified(paths) == current:
        raise host_error(f"{name}: its services have not confirmed version {current} yet. Run the role first.")
    if not store.is_whole(paths.version(current)):
        raise host_error(
            f"{name}: version {current} is incomplete, so the other versions are kept. Run the role first."
        )
    obsolete = [paths.version(serial) for serial in store.versions(paths) if serial != current]
    obsolete += files.interrupted_files(paths.root)
    staged = store.read_key(paths.staged)
    if staged is not None and store.order_of(paths, staged.public_key) is not OrderOf.OPEN:
        obsolete.append(paths.staged)
    return Purge(name, paths, current, tuple(obsolete), store.linked(paths.previous) is not None)
