# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control group for each host.

systemd-nspawn puts the host's systemd below the group that it was itself started in, always under the same name. Hosts
started from one shell would share the groups of their services, and each would remove those that it finds empty: now
and then a service could not be started or reloaded (status=219/CGROUP).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def _hierarchies() -> dict[str, Path]:
    """Where the hierarchies that a systemd uses are mounted, by their names in /proc/self/cgroup."""
    found = {}
    for line in Path("/proc/mounts").read_text().splitlines():
        _source, point, kind, options, *_rest = line.split()
        if kind == "cgroup2":
            found[""] = Path(point)
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            found["name=systemd"] = Path(point)
    return found


def make(namespace: str) -> list[Path]:
    """The host's groups, one in each hierarchy, below the one we are in ourselves."""
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
    """Remove what a killed host has left, wherever in the hierarchies it was started."""
    for point in _hierarchies().values():
        for folder, children, _files in os.walk(point):
            if namespace in children:
                children.remove(namespace)
                _remove(Path(folder) / namespace)


def _remove(group: Path) -> None:
    for folder, _children, _files in os.walk(group, topdown=False):
        # A process that was killed and not reaped yet still counts; a later host of the same name takes the group over.
        with contextlib.suppress(OSError):
            os.rmdir(folder)
