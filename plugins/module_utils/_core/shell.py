# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands on the managed host, independent of the transport."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .errors import host_error
from .text import printable

_END_OF_SSH = re.compile(r"(Shared connection|Connection) to \S+ closed\.")


@dataclasses.dataclass(frozen=True)
class CommandResult:
    """The result of a shell script on the managed host."""

    rc: int
    stdout: str
    stderr: str


class Shell(t.Protocol):
    """Runs a POSIX shell script on the managed host, with the privileges of the task."""

    def __call__(self, script: str) -> CommandResult:
        """Run the script and wait until it ends."""


def output(result: CommandResult, what: str) -> str:
    """The standard output of a script; a host error with its error output if the script failed."""
    if result.rc != 0:
        reason = printable(_reason(result), 300) or f"exit code {result.rc}; is become: true missing?"
        raise host_error(f"{what} failed on the host: {reason if reason.endswith(('.', '?')) else reason + '.'}")
    return result.stdout


def _reason(result: CommandResult) -> str:
    """The error output. With a terminal, ssh reports only its own end, and the script's last line is the reason."""
    errors = "\n".join(line for line in result.stderr.splitlines() if not _END_OF_SSH.fullmatch(line.strip()))
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    return errors.strip() or (lines[-1] if lines else "")
