# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a certificate on its host: keys, versions and journal go together, once nothing needs them any more.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from . import _files, _store
from ._errors import host_error, input_error
from ._store import OrderOf, Paths


@dataclasses.dataclass(frozen=True)
class Removal:
    """A certificate's directory that is to go, and what is in it."""

    name: str
    paths: Paths
    serial: str | None  # the current version
    versions: tuple[str, ...]
    there: bool

    @property
    def changed(self) -> bool:
        return self.there

    def execute(self) -> None:
        """The directory is gone at once; a run that is killed meanwhile leaves files that the next one removes."""
        if self.there:
            _files.discard(self.paths.root)

    def entry(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "serial": "",
            "previous_serial": self.serial or "",
            "path": self.paths.current,
            "not_after": "",
            "forms": [],
            "changed": self.there,
            "moved": self.serial is not None,
            "unproven": False,
        }

    def difference(self) -> dict[str, t.Any]:
        before = {"serial": self.serial, "versions": sorted(self.versions), "directory": self.paths.root}
        header = f"{self.name} (retired)"
        return {"before_header": header, "after_header": header, "before": before, "after": {}}


def look(paths: Paths, item: t.Mapping[str, t.Any], force: bool) -> Removal:
    """What would go; an error if something speaks against it, unless it is forced."""
    name = item["name"]
    serial = _store.linked(paths.current)
    objection = "" if force else _order_objection(paths, item) or _served_objection(item)
    if objection:
        raise host_error(f"{name}: {objection}; set force to remove it nevertheless.")
    there = os.path.lexists(paths.root) or _files.is_discarded_in_part(paths.root)
    return Removal(name, paths, serial, _store.versions(paths), there)


def _order_objection(paths: Paths, item: t.Mapping[str, t.Any]) -> str:
    if _store.has_intent(paths):
        return "a purchase was begun and its outcome is not known, and what is known of it lies on this host"
    if not item.get("cancelled") and _store.newest_order(paths) is OrderOf.OPEN:
        return "its newest order has no certificate here yet, and the order's key would be lost; cancel it first"
    return ""


def _served_objection(item: t.Mapping[str, t.Any]) -> str:
    served = item.get("served") or []
    if not isinstance(served, list) or not all(isinstance(one, dict) for one in served):
        raise input_error(f"{item['name']}: served must be as gogetssl_certificate_info has returned it.")
    listeners = ", ".join(str(one.get("listener")) for one in served if one.get("matches"))
    return f"{listeners} still serves it" if listeners else ""
