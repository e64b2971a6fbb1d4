# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes a certificate from its host: keys, versions and journal together, once they are no longer needed."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .._core.errors import host_error, input_error
from . import files, store
from .store import OrderOf, Paths


@dataclasses.dataclass(frozen=True)
class Removal:
    """The directory of a certificate to remove, and its contents."""

    name: str
    paths: Paths
    serial: str | None  # the current version
    versions: tuple[str, ...]
    there: bool

    @property
    def changed(self) -> bool:
        return self.there

    def execute(self) -> list[str]:
        """Remove the directory atomically. The next run removes files left by an interrupted removal."""
        if self.there:
            files.discard(self.paths.root)
        return []

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
            "unverified": False,
        }

    def difference(self) -> dict[str, t.Any]:
        before = {"serial": self.serial, "versions": sorted(self.versions), "directory": self.paths.root}
        header = f"{self.name} (retired)"
        return {"before_header": header, "after_header": header, "before": before, "after": {}}


def plan_removal(paths: Paths, item: t.Mapping[str, t.Any], force: bool) -> Removal:
    """Plan the removal; an error if the certificate is still needed, unless forced."""
    name = item["name"]
    serial = store.linked(paths.current)
    objection = "" if force else _order_objection(paths, item) or _served_objection(item)
    if objection:
        raise host_error(f"{name}: {objection}; set force to remove it nevertheless.")
    there = os.path.lexists(paths.root) or files.is_discarded_in_part(paths.root)
    return Removal(name, paths, serial, store.versions(paths), there)


def _order_objection(paths: Paths, item: t.Mapping[str, t.Any]) -> str:
    if store.has_intent(paths):
        return "a purchase was started, its outcome is not known, and its record is on this host"
    if not item.get("cancelled") and store.newest_order(paths) is OrderOf.OPEN:
        return "its newest order has no certificate here yet, and the order's key would be lost; cancel it first"
    return ""


def _served_objection(item: t.Mapping[str, t.Any]) -> str:
    served = item.get("served") or []
    if not isinstance(served, list) or not all(isinstance(one, dict) for one in served):
        raise input_error(f"{item['name']}: served must be as gogetssl_certificate_info has returned it.")
    listeners = ", ".join(str(one.get("listener")) for one in served if one.get("matches"))
    return f"{listeners} still serves it" if listeners else ""
