# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run commands and ask the kernel: what the other files share."""

from __future__ import annotations

import subprocess
from pathlib import Path


class HostsError(Exception):
    """One sentence for the person at the terminal."""


def run(*command: str | Path) -> str:
    """The command's output; a failing command is an error with its own words."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()
        raise HostsError(f"{' '.join(map(str, command))}: exit {done.returncode}: {words[-2000:]}")
    return done.stdout


def succeeds(*command: str | Path) -> bool:
    """For clean-up, where "was not there" is as good as "is gone"."""
    return subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0


def mounts_below(folder: Path) -> list[str]:
    """Innermost first, the order to unmount them in."""
    points = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return sorted((point for point in points if Path(point).is_relative_to(folder)), reverse=True)
