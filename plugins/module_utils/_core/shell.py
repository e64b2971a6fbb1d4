# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands on the managed host, independent of the transport."""

from __future__ import annotations

import dataclasses
import os
import re
import selectors
import subprocess
import typing as t

from .errors import host_error
from .text import printable

MOST_BYTES = 64 << 20  # of standard output and of standard error
_PIPE_BYTES = 1 << 20  # no pipe holds more
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


def run_here(script: str) -> CommandResult:
    """Run a script on this host until its shell ends.

    A process that it leaves in the background, such as a started service, may keep the output open and write to it.
    """
    texts = (bytearray(), bytearray())
    with (
        subprocess.Popen(  # pylint: disable=ansible-bad-function  # run_command of Ansible waits for such a process
            ["/bin/sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        selectors.DefaultSelector() as selector,
    ):
        for stream, text in zip((process.stdout, process.stderr), texts):
            selector.register(t.cast("t.IO[bytes]", stream), selectors.EVENT_READ, text)
        ended = False
        while selector.get_map() and not ended:
            ended = process.poll() is not None  # before the last read, which then finds everything
            for key, _events in selector.select(0 if ended else 0.2):
                piece = os.read(key.fd, _PIPE_BYTES)
                key.data.extend(piece)
                if not piece:
                    selector.unregister(key.fileobj)
            if max(map(len, texts)) > MOST_BYTES:
                process.kill()
                return CommandResult(1, "", f"the command printed more than {MOST_BYTES >> 20} MiB")
    decoded = (text.decode("utf-8", "surrogateescape") for text in texts)
    return CommandResult(process.returncode, *decoded)


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
