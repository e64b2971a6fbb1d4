# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers to run commands and to query the kernel."""

from __future__ import annotations

import subprocess
from pathlib import Path


class HostsError(Exception):
    """An error message for the user."""


def run(*command: str | Path) -> str:
    """Run a command and return its output. A failure raises HostsError with the command's error output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        message = (done.stderr or done.stdout).strip()
        raise HostsError(f"{' '.join(map(str, command))}: exit {done.returncode}: {message[-2000:]}")
    return done.stdout


def succeeds(*command: str | Path) -> bool:
    """Run a clean-up command, which may fail because its object does not exist; return whether it succeeded."""
    return subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0


def mounts_below(folder: Path) -> list[str]:
    """Mount points below a directory, innermost first, in the order to unmount them."""
    points = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return sorted((point for point in points if Path(point).is_relative_to(folder)), reverse=True)
