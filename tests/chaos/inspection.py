# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inspection of a host, the most frequent script, in this process. It can be paused where the script can.

`test_quick.py` compares it with the script, which it pauses at each boundary while the host changes.
"""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
import shlex
import stat
import time
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives import serialization

from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._host import (
    dns_notes,
    file_notes,
    interrupted_files,
    journal,
)

from .scripts import read

DENIED = 13


class _Unusual(Exception):
    """Something that the script must read itself."""


class _End(Exception):
    """The script ends with an error."""


def inspect(script: str, stop: int | None = None, meanwhile: Callable[[], None] = lambda: None) -> CommandResult | None:
    """The result of the inspection, which calls `meanwhile` when it first gets to boundary `stop`.

    None if the script must run, because it meets something unusual or has other parts.
    """
    if journal._INSPECT not in script:
        return None
    given = _variables(script[: script.index("\n")])
    if " " in given["names"] or script != _script(given["d"], given["names"], given["files"]):
        return None
    printed: list[str] = []
    paused = False
    try:
        for boundary in _inspection(given["d"], given["names"], given["files"].split(), printed):
            if boundary == stop and not paused:
                paused = True
                meanwhile()
    except _End as end:
        return CommandResult(DENIED, "".join(printed), f"{end}\n")
    except _Unusual:
        return None
    return CommandResult(0, "".join(printed), "")


@functools.lru_cache(100)
def _variables(line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(line.replace(";", " ")))


@functools.lru_cache(100)
def _script(directory: str, names: str, printed: str) -> str:
    head = f"d={shlex.quote(directory)}; names={shlex.quote(names)}; files={shlex.quote(printed)}"
    notes = dns_notes.EXISTS + file_notes.PRINT
    return head + interrupted_files.FUNCTION + journal._INSPECT + interrupted_files.ABOVE + notes + "\nexit 0\n"


def _inspection(directory: str, name: str, printed: list[str], out: list[str]) -> Iterator[int]:
    """Print what the script prints. The boundaries are numbered in the order of the text."""
    yield from (0, 7, 8, 9, 10, 11, 12, 18, 19, 20, 21, 22)
    if os.path.exists(f"{directory}/{name}"):
        yield from _certificate(directory, name, printed, out)
    yield 51
    found: list[bool] = []
    yield from _interrupted(directory, False, found)
    if found:
        out.append(_part("interrupted_files"))
    yield 52
    if any(name.startswith(dns_notes._PREFIX) for name in _list(directory)):
        raise _Unusual
    yield from (53, 54, 55)
    if os.path.lexists(f"{directory}/{interrupted_files.FILE_NOTE}"):
        raise _Unusual
    yield from (58, 59)


def _certificate(directory: str, name: str, printed: list[str], out: list[str]) -> Iterator[int]:
    root, current = f"{directory}/{name}", f"{directory}/{name}/current"
    yield from (23, 24, 25)
    if os.path.islink(root):
        raise _Unusual
    yield 26
    yield 27
    if os.path.exists(current):
        yield from _inside(root, current)
    yield 34
    for file in printed:
        yield 35
        path = f"{root}/{file}"
        if os.path.exists(path):
            yield 36
            yield from _plain(path)
            yield 37
            out.append(_part(f"{name} {file}"))
            out.append(_head(path))
    yield 38
    found: list[bool] = []
    yield from _interrupted(root, True, found)
    if found:
        out.append(_part(f"{name} interrupted_files"))
    yield 39
    if os.path.isdir(current):
        yield 40
        out.append(_part(f"{name} current/files"))
        yield 41
        directory = f"{root}/{os.readlink(current)}"
        yield 42
        out.append(_facts(directory))
        yield 43
    yield from (44, 45)
    key = f"{current}/privkey.pem"
    if os.path.exists(key):
        yield 46
        yield from _plain(key)
        yield 47
        out.append(_part(f"{name} current/public"))
        yield 48
        out.append(_key(key))
        yield 50


def _inside(root: str, current: str) -> Iterator[int]:
    """`current` must be a link to a directory beside it."""
    yield from (28, 29, 30)
    target = os.readlink(current) if os.path.islink(current) else "/"
    yield from (31, 32)
    if "/" in target or os.path.islink(f"{root}/{target}"):
        raise _Unusual
    yield 33


def _interrupted(place: str, below: bool, found: list[bool]) -> Iterator[int]:
    """Whether there are files of interrupted runs in a directory, or scratch files in those `below` it."""
    names = _list(place)
    paths = _named(place, names, interrupted_files.SCRATCH)
    if below:
        scratch = [_named(one, _list(one), interrupted_files.SCRATCH) for one in _directories(place)]
        paths += [path for one in scratch for path in one if path] or [""]
    for note in interrupted_files.NOTES:
        paths += _named(place, names, note, "0123456789")
    yield 1
    for path in paths:
        yield 2
        if not path or not os.path.lexists(path):
            continue
        yield 3
        if os.path.basename(path).startswith(interrupted_files.SCRATCH):
            return found.append(True)
        yield 4
        with contextlib.suppress(FileNotFoundError):  # removed in the meantime; `find` prints nothing then
            if time.time() - os.lstat(path).st_mtime > 60 * interrupted_files.NOTES_AGE_MINUTES:
                return found.append(True)
    yield 5


def _named(place: str, names: list[str], start: str, then: str = "") -> list[str]:
    """The files with such a name, or an empty path, as a pattern that matches nothing is one word too."""
    found = [name for name in names if name.startswith(start)]
    return [f"{place}/{name}" for name in found if not then or name[len(start) : len(start) + 1] in then] or [""]


def _directories(place: str) -> list[str]:
    with os.scandir(place) as entries:
        return sorted(entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir())


def _list(place: str) -> list[str]:
    try:
        return sorted(os.listdir(place))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _plain(path: str) -> Iterator[int]:
    yield 13
    if not os.path.exists(path):
        raise _End(f"Permission denied reading {path}; is become: true missing?")
    yield 14
    if not os.path.isfile(path):
        raise _End(f"{path} is a link or not a plain file; refused")
    yield 15
    if os.path.islink(path):
        raise _End(f"{path} is a link or not a plain file; refused")
    yield from (16, 17)


def _part(name: str) -> str:
    return f"\n{journal.MARK}{name}\n"


def _head(path: str) -> str:
    try:
        return read(path)
    except FileNotFoundError:
        raise _End(f"head: cannot open '{path}' for reading: No such file or directory") from None


def _facts(current: str) -> str:
    lines = []
    for name in _list(current):
        if not name.startswith("."):
            found = os.lstat(f"{current}/{name}")
            owner, group = _owner(found.st_uid), _group(found.st_gid)
            lines.append(f"{name}/{stat.S_IMODE(found.st_mode):o}/{found.st_uid}/{owner}/{found.st_gid}/{group}\n")
    return "".join(lines)


@functools.lru_cache(10)
def _owner(number: int) -> str:
    return pwd.getpwuid(number).pw_name


@functools.lru_cache(10)
def _group(number: int) -> str:
    return grp.getgrgid(number).gr_name


def _key(path: str) -> str:
    """What openssl prints about a key."""
    try:
        return _public_key(read(path))
    except (FileNotFoundError, ValueError):
        return "damaged\n"


@functools.lru_cache(1000)
def _public_key(private_key: str) -> str:
    key = serialization.load_pem_private_key(private_key.encode(), None).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()
