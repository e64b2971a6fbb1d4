# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a seed take less time and changes nothing else; `test_quick.py` compares it with the original.

- The inspection of a host, the most frequent script, is done in this process unless it is interrupted or killed.
- Keys, CSRs and certificates are parsed once, as parsing is a pure function of their text.
- A client has no timer and no connection classes of its own: time is simulated, and no connection is opened.
"""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
import shlex
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client
from ansible_collections.certops.gogetssl.plugins.module_utils._api.connection import Exchange
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import (
    dns_notes,
    files,
    interrupted_files,
    journal,
)

PURE = ("read_request", "read_base64", "public_key_of_key", "public_key_of_pem", "is_signed_by", "key_type_of_key")

NO_SYNC = "sync() { :; }\n"  # no seed has a power failure


class UnlimitedExchange(Exchange):
    """An exchange without a timer in real time."""

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        del seconds
        self.expired = False
        yield


def install() -> None:
    """Use the faster parts in this process."""
    for name in PURE:
        setattr(x509, name, functools.lru_cache(10_000)(getattr(x509, name)))
    client.Exchange = UnlimitedExchange  # type: ignore[attr-defined,misc]
    client.watch = lambda *_arguments: None  # type: ignore[attr-defined]


def run_shell(script: str) -> CommandResult:
    """The result of a script."""
    return (inspect(script) if journal._INSPECT in script else None) or run_program(script)


def run_program(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", NO_SYNC + script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def run_interrupted(script: str, position: int, meanwhile: Callable[[], None]) -> CommandResult:
    """Run a script; if it reaches `position`, pause it there and call `meanwhile`."""
    reached, report = os.pipe()  # its end is reached when the script ends elsewhere
    halt = f"{{ echo > /dev/fd/{report}; read go; }}"
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


def inspect(script: str) -> CommandResult | None:
    """The result of the inspection script; None if the script must run, because it meets something unusual."""
    given = _variables(script[: script.index("\n")])
    directory = Path(given["d"])
    try:
        parts = [part for name in given["names"].split() for part in _certificate(directory / name, given["files"])]
        _check_names(directory)
        notes = [
            *directory.glob(f"{dns_notes._PREFIX}*{dns_notes._SUFFIX}"),
            *directory.glob(interrupted_files.FILE_NOTE),
        ]
    except (_Unusual, ValueError, OSError):
        return None
    return None if notes else CommandResult(0, "".join(parts), "")


@functools.lru_cache(100)
def _variables(line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(line.replace(";", " ")))


class _Unusual(Exception):
    """Something that the script must read itself."""


def _certificate(root: Path, printed: str) -> Iterator[str]:
    """What the script prints about a certificate."""
    if not root.exists():
        return
    current, name = root / "current", root.name
    if root.is_symlink() or (current.exists() and current.resolve().parent != root.resolve()):
        raise _Unusual
    for file in printed.split():
        if (root / file).exists():
            yield _part(f"{name} {file}") + _plain(root / file).decode()
    _check_names(root, *(path for path in root.iterdir() if path.is_dir()))
    if current.is_dir():
        yield _part(f"{name} current/files") + _facts(current)
    if (current / "privkey.pem").exists():
        yield _part(f"{name} current/public") + _public_key(_plain(current / "privkey.pem"))


def _part(name: str) -> str:
    return f"\n{journal.MARK}{name}\n"


def _plain(path: Path) -> bytes:
    content = path.read_bytes()
    if path.is_symlink() or not path.is_file() or len(content) > files.LARGEST:
        raise _Unusual
    return content


def _check_names(directory: Path, *below: Path) -> None:
    """The script must report the files of interrupted runs, except notes that are not old enough."""
    for path in (path for place in (directory, *below) for path in place.iterdir()):
        is_note = path.name.startswith(interrupted_files.NOTES) and time.time() - path.lstat().st_mtime > 60
        if is_note or path.name.startswith(interrupted_files.SCRATCH):
            raise _Unusual


def _facts(current: Path) -> str:
    lines = []
    for path in sorted(path for path in current.iterdir() if not path.name.startswith(".")):
        found = path.lstat()
        owner, group = _owner(found.st_uid), _group(found.st_gid)
        lines.append(f"{path.name}/{stat.S_IMODE(found.st_mode):o}/{found.st_uid}/{owner}/{found.st_gid}/{group}\n")
    return "".join(lines)


@functools.lru_cache(10)
def _owner(number: int) -> str:
    return pwd.getpwuid(number).pw_name


@functools.lru_cache(10)
def _group(number: int) -> str:
    return grp.getgrgid(number).gr_name


@functools.lru_cache(1000)
def _public_key(private_key: bytes) -> str:
    key = serialization.load_pem_private_key(private_key, None).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()
