# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands on the managed host, whoever carries them there.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ._errors import host_error


@dataclasses.dataclass(frozen=True)
class CommandResult:
    """What a shell script on the managed host gave."""

    rc: int
    stdout: str
    stderr: str


class Shell(t.Protocol):
    """Runs a POSIX shell script on the managed host, with the privileges of the task."""

    def __call__(self, script: str) -> CommandResult:
        """Run the script and wait for its end."""


def output(result: CommandResult, what: str) -> str:
    """The standard output of a script that has to have worked; an error in its own words when it did not."""
    if result.rc != 0:
        words = " ".join((result.stderr or result.stdout).split())[:300]
        raise host_error(f"{what} failed on the host: {words or f'exit code {result.rc}'}.")
    return result.stdout
