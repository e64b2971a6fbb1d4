# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a seed take less time and changes nothing else; `test_quick.py` compares it with the original.

- The inspection of a host and the scripts of its journal are done in this process; others, and those that are killed,
  run in a shell.
- Keys, CSRs and certificates are parsed once, as parsing is a pure function of their text.
- A client has no timer and no connection classes of its own: time is simulated, and no connection is opened.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import types
from collections.abc import Callable, Iterator

import requests

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client
from ansible_collections.certops.gogetssl.plugins.module_utils._api.connection import Exchange
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509

from . import inspection, scripts

PURE = ("read_request", "read_base64", "public_key_of_key", "public_key_of_pem", "is_signed_by", "key_type_of_key")

NO_SYNC = "sync() { :; }\n"  # no seed has a power failure


class UnlimitedExchange(Exchange):
    """An exchange without a timer in real time."""

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        del seconds
        self.expired = False
        yield


class NoSessions(types.SimpleNamespace):
    """The library for a client that gets a session of the vendor, as creating a real one takes time."""

    @staticmethod
    def Session() -> types.SimpleNamespace:
        return types.SimpleNamespace(headers={})


def install() -> None:
    """Use the faster parts in this process."""
    for name in PURE:
        setattr(x509, name, functools.lru_cache(10_000)(getattr(x509, name)))
    client.Exchange = UnlimitedExchange  # type: ignore[attr-defined,misc]
    client.watch = lambda *_arguments: None  # type: ignore[attr-defined]
    client.requests = NoSessions(exceptions=requests.exceptions)  # type: ignore[attr-defined]


@functools.lru_cache(1000)
def command_boundaries(script: str) -> tuple[int, ...]:
    """The positions between a script's commands, where it can be killed or paused."""
    return tuple(
        position
        for position in range(len(script))
        if script.startswith(" && ", position)
        or (
            script[position] == "\n"
            and not script[:position].rstrip().endswith(("&&", "||", "|"))
            and not script[position:].lstrip().startswith(("then", "do"))
        )
    )


def run_shell(script: str) -> CommandResult:
    """The result of a script."""
    return inspection.inspect(script) or scripts.run(script) or run_program(script)


def run_program(script: str) -> CommandResult:
    """The same in a shell."""
    done = subprocess.run(["/bin/sh", "-c", NO_SYNC + script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def run_interrupted(script: str, position: int, meanwhile: Callable[[], None]) -> CommandResult:
    """Run a script; if it reaches `position`, pause it there and call `meanwhile`."""
    paused: list[None] = []

    def pause() -> None:
        if not paused:
            paused.append(None)
            meanwhile()

    stop = command_boundaries(script).index(position)
    return inspection.inspect(script, stop, pause) or run_paused(script, position, pause)


def run_paused(script: str, position: int, meanwhile: Callable[[], None]) -> CommandResult:
    """The same in a shell."""
    reached, report = os.pipe()  # its end is reached when the script ends elsewhere
    halt = f"{{ echo > /dev/fd/{report}; read go || :; }}"  # a later time, there is nothing to read
    halt = f" && {halt}" if script.startswith(" && ", position) else f"\n{halt}"
    process = subprocess.Popen(
        ["/bin/sh", "-c", NO_SYNC + script[:position] + halt + script[position:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=(report,),
    )
    os.close(report)
    if os.read(reached, 1):
        meanwhile()
    out, err = process.communicate("\n")
    os.close(reached)  # only now, as a script may reach the position again
    return CommandResult(process.returncode, out, err)
