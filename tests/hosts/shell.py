# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run commands; the one place that starts a process and waits for it."""

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
