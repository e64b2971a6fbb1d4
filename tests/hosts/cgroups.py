# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control group for each host.

systemd-nspawn creates the host's group below its own group, always with the same name. Hosts started from one shell
would share the groups of their services, and each host would remove groups that it finds empty. Services would
sometimes fail to start or reload (status=219/CGROUP).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def _hierarchies() -> dict[str, Path]:
    """Mount points of the hierarchies that systemd uses, by their names in /proc/self/cgroup."""
    found = {}
    for line in Path("/proc/mounts").read_text().splitlines():
        _source, point, kind, options, *_rest = line.split()
        if kind == "cgroup2":
            found[""] = Path(point)
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            found["name=systemd"] = Path(point)
    return found


def make(namespace: str) -> list[Path]:
    """Create the host's groups below the group of this process, one in each hierarchy."""
    groups = []
    hierarchies = _hierarchies()
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, name, own = line.split(":", 2)
        if name in hierarchies:
            group = hierarchies[name] / own.lstrip("/") / namespace
            group.mkdir(exist_ok=True)
            groups.append(group)
    return groups


def enter(groups: list[Path]) -> None:
    for group in groups:
        (group / "cgroup.procs").write_text(str(os.getpid()))


def remove(namespace: str) -> None:
    """Remove the groups of a killed host from all hierarchies."""
    for point in _hierarchies().values():
        for folder, children, _files in os.walk(point):
            if namespace in children:
                children.remove(namespace)
                _remove(Path(folder) / namespace)


def _remove(group: Path) -> None:
    for folder, _children, _files in os.walk(group, topdown=False):
        # A killed process that is not reaped yet still counts. A later host of the same name reuses the group.
        with contextlib.suppress(OSError):
            os.rmdir(folder)
