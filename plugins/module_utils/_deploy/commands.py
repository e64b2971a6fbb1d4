# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands of services on their host: test, reload, and the last lines of the system journal.

A command that exceeds its time is ended and counts as failed, so that a hanging service does not hold a run.
"""

from __future__ import annotations

import os
import shlex
import typing as t

from .._core.shell import CommandResult, Shell
from . import report
from .services import Failure, Service, command_problem

JOURNAL_SECONDS = 30
KILL_SECONDS = 5  # between SIGTERM and SIGKILL
_TIMEOUT_CODES = (124, 137)  # exit codes of timeout(1) after SIGTERM and after SIGKILL
_NOT_FOUND = 127  # exit code of timeout(1) if there is no such program

# Systemd, OpenRC, and other systems. A unit that does not run is started.
_UNIT = """
if [ -d /run/systemd/system ]; then
  if systemctl is-active --quiet "$1"; then exec systemctl "$2" "$1"; else exec systemctl start "$1"; fi
elif command -v rc-service >/dev/null 2>&1; then
  if rc-service "$1" status >/dev/null 2>&1; then exec rc-service "$1" "$2"; else exec rc-service "$1" start; fi
elif service "$1" status >/dev/null 2>&1; then exec service "$1" "$2"; else exec service "$1" start
fi
"""


def test(shell: Shell, service: Service, seconds: int) -> Failure | None:
    """Test the configuration of a service; None if it accepts it or has no test."""
    return _run(shell, service.test, seconds) if service.test else None


def reload(shell: Shell, service: Service, seconds: int) -> Failure | None:
    """Make the service read its files again, by its command or its unit; None if that went well or is not needed."""
    if service.reload:
        return _run(shell, service.reload, seconds)
    if not service.unit:
        return None
    action = "restart" if service.restart else "reload"
    result = shell(_limited(["sh", "-c", _UNIT, "sh", service.unit, action], seconds))
    return _failure(result, f"systemctl {action} {service.unit}", seconds)


def journal(shell: Shell, service: Service) -> list[str]:
    """The last lines of the service in the system journal; none if it cannot be read."""
    command = ["journalctl", "--quiet", "--no-pager", "--output=cat"]
    # --lines combined with --since selects the first lines, not the last.
    result = shell(_limited([*command, "--since=-1min", f"--unit={service.journal}"], JOURNAL_SECONDS))
    return result.stdout.splitlines()[-report.JOURNAL_LINES :]


def _run(shell: Shell, command: str, seconds: int) -> Failure | None:
    why = command_problem(command)
    if why:
        return Failure(f"{report.shortened(command)} cannot run: {why}.")
    words = [os.path.expanduser(os.path.expandvars(word)) for word in shlex.split(command)]
    return _failure(shell(_limited(words, seconds)), " ".join(words), seconds)


def _limited(words: t.Sequence[str], seconds: int) -> str:
    return " ".join(map(shlex.quote, ["timeout", "-k", str(KILL_SECONDS), str(seconds), *words]))


def _failure(result: CommandResult, command: str, seconds: int) -> Failure | None:
    if result.rc == 0:
        return None
    if result.rc in _TIMEOUT_CODES:
        return Failure(f"{report.shortened(command)} did not finish within {seconds} seconds and was stopped.")
    output = next(filter(None, (result.stderr.strip(), result.stdout.strip())), "")
    error = report.sentence(output or f"{command} failed with exit code {result.rc}")
    return Failure(error, missing=result.rc == _NOT_FOUND)
