# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File operations on the managed host, synced to disk before they return. Only `read` with `follow` follows links.

Every function here is atomic, even under SIGKILL or power loss. Files left by an interrupted call have names that start
with `SCRATCH`; `sweep` removes them.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import re
import stat
import typing as t

from .._core.errors import host_error
from .interrupted_files import NOTES, NOTES_AGE_MINUTES, SCRATCH

_O_PATH = getattr(os, "O_PATH", os.O_RDONLY)  # the directory need not be readable
LARGEST = 1 << 20  # bytes; no key, certificate, keystore, journal or DCV file is larger


class Rights(t.NamedTuple):
    """Mode, user ID and group ID of a file; -1 keeps the ID of the writing process."""

    mode: int
    uid: int = -1
    gid: int = -1


PRIVATE = Rights(0o600)
PUBLIC = Rights(0o644)


@contextlib.contextmanager
def os_errors_as_sentences(base: str = "/") -> t.Iterator[None]:
    """Convert OS errors to host errors with path and reason. OS errors contain no file contents, so no secrets."""
    try:
        yield
    except OSError as error:
        path = os.path.join(base, os.fsdecode(error.filename)) + ": " if error.filename else ""
        hint = " Is become: true missing?" if isinstance(error, PermissionError) and os.geteuid() != 0 else ""
        raise host_error(f"{path}{error.strerror or type(error).__name__}.{hint}") from None


def check_ancestry(path: str) -> None:
    """Refuse a directory in which users other than root and the task's user could replace or add files."""
    trusted = (0, os.geteuid())
    real = os.path.realpath(path)
    for part in dict.fromkeys((*_existing_ancestry(path), *(_existing_ancestry(real) if real != path else ()))):
        found = os.lstat(part)
        if found.st_uid not in trusted:
            raise host_error(f"{part} belongs to user id {found.st_uid}, who could replace the keys in it; refused.")
        if stat.S_ISDIR(found.st_mode):
            if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
                raise host_error(f"{part} is writable by every user, who could replace the keys in it; refused.")
        elif not stat.S_ISLNK(found.st_mode):
            raise host_error(f"{part} is not a directory.")


def check_own_directory(path: str) -> bool:
    """True for a managed directory, False if missing; an error for a link, a file or another user's directory."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(found.st_mode):
        raise host_error(f"{path} is not a directory; refused.")
    check_ancestry(path)
    return True


def check_writable(path: str) -> None:
    """Refuse a directory that is not writable or cannot be created, before any change is made."""
    nearest = _existing_ancestry(path)[-1]
    if not os.access(nearest, os.W_OK | os.X_OK):
        what = "is not writable" if nearest == path else f"cannot be made: {nearest} is not writable"
        raise host_error(f"{path} {what} for this user.")


# Functions of a script that reads files below the directory $d. `plain` ends the script unless a file is a plain one
# that it may read. A file with another hard link may be one that another user wants to have read, unless only this user
# and root can change its directory. A second name alone is no sign of that: others may be able to link to any file.
PLAIN = """
out_of_sight() { echo "Permission denied reading $1; is become: true missing?" >&2; exit 13; }
odd() { echo "$1 is a link or not a plain file; refused" >&2; exit 13; }
of_others() { case "$(stat -c %u:%A "${1%/*}/.")" in 0:d????-??-*|"$(id -u)":d????-??-*) false ;; esac; }
linked=$(find -H "$d" -maxdepth 3 -type f -links +1 2>/dev/null | head -n 1)
plain() {
  [ -r "$1" ] || out_of_sight "$1"
  [ -f "$1" ] && [ ! -L "$1" ] || odd "$1"
  [ -z "$linked" ] || [ "$(stat -c %h "$1")" = 1 ] || ! of_others "$1" || odd "$1"
}
"""


def read(path: str, directory: int | None = None, follow: bool = False) -> bytes | None:
    """Return the contents of a regular file of at most `LARGEST` bytes; None if missing.

    Symbolic links, pipes, sockets, devices and directories are refused, and hard links unless only this user and root
    can change the directory, so that no call hangs and no file outside the directory is read. In a directory that is
    given by its handle, hard links are always refused. `follow` is for paths that the operator configured.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    with contextlib.ExitStack() as stack:
        try:
            linked, place, name = follow, directory, path
            if directory is None and not follow:  # its owner and the file are those of the same directory
                parent, name = os.path.split(path)
                place = os.open(parent or ".", _O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
                stack.callback(os.close, place)
                linked = _is_ours(os.fstat(place))
            _check_plain(path, os.stat(name, dir_fd=place, follow_symlinks=follow), linked)
            handle = os.open(name, flags, dir_fd=place)
        except FileNotFoundError:
            return None
        except OSError as error:
            error.filename = path
            if error.errno in (errno.ELOOP, errno.EMLINK):
                raise host_error(f"{path} is a symbolic link; refused.") from None
            raise
        with os.fdopen(handle, "rb") as stream:
            _check_plain(path, os.fstat(handle), linked)
            return stream.read(LARGEST)


def _is_ours(directory: os.stat_result) -> bool:
    """Whether only this user and root can add names to a directory. Others may still link to its files."""
    return directory.st_uid in (0, os.geteuid()) and not directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _check_plain(path: str, found: os.stat_result, linked: bool) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise host_error(f"{path} is a symbolic link; refused.")
    if not stat.S_ISREG(found.st_mode):
        raise host_error(f"{path} is not a plain file; refused.")
    if found.st_nlink != 1 and not linked:
        raise host_error(f"{path} has another hard link; refused. Replace it with a separate copy, or remove it.")
    if found.st_size > LARGEST:
        raise host_error(f"{path} is larger than {LARGEST} bytes; refused.")


def read_link(path: str, target: re.Pattern[str]) -> str | None:
    """Return the target of a link created by this collection, None if missing; an error for any other file type."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(found.st_mode) or found.st_uid not in (0, os.geteuid()):
        raise host_error(f"{path} is not a symbolic link created by this collection; refused.")
    value = os.readlink(path)
    if not target.fullmatch(value):
        raise host_error(f"{path} points to {value!r}, which is not an installed version; refused.")
    return value


def make_directory(path: str, mode: int = 0o755) -> None:
    """Create a directory and its missing parents."""
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        make_directory(parent)
    umask = os.umask(0)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    finally:
        os.umask(umask)
    sync_directory(parent)


def write_directory(
    path: str, files: t.Mapping[str, bytes], mode: int, rights: t.Mapping[str, Rights] | None = None
) -> None:
    """Create a directory with its files atomically. The path must not exist yet.

    Files are written in the given order. Files without an entry in `rights` get mode 0600.
    """
    own = rights or {}
    with _scratch(path) as scratch:
        os.mkdir(scratch, 0o700)
        for file_name, contents in files.items():
            _write_new(os.path.join(scratch, file_name), contents, own.get(file_name, PRIVATE))
        os.chmod(scratch, mode)
        sync_directory(scratch)
        os.rename(scratch, path)
    sync_directory(os.path.dirname(path))


def replace_file(path: str, contents: bytes, rights: Rights) -> None:
    """Replace a file atomically: readers see the old contents or the new contents."""
    with _scratch(path) as scratch:
        _write_new(scratch, contents, rights)
        os.replace(scratch, path)
    sync_directory(os.path.dirname(path))


def user_id(owner: str) -> int:
    """Return the ID of a user given by name or ID; an error for an owner that the task cannot set."""
    try:
        uid = int(owner) if owner.isdecimal() else pwd.getpwnam(owner).pw_uid
    except KeyError:
        raise host_error(f"There is no user {owner} on this host. Create the user, or correct owner.") from None
    if os.geteuid() not in (0, uid):
        raise host_error(f"Only root can make {owner} the owner of a file; use become.")
    return uid


def group_id(group: str) -> int:
    """Return the ID of a group given by name or ID."""
    try:
        return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise host_error(f"There is no group {group} on this host. Create it, or correct group.") from None


def rights_of(path: str) -> Rights | None:
    """Return the rights of a path, or None if it does not exist."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return Rights(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)


def set_rights(path: str, rights: Rights) -> None:
    """Set the rights of a regular file. Links are never followed."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _apply(handle, rights)
        os.fsync(handle)
    except OSError as error:
        error.filename = error.filename or path
        raise
    finally:
        os.close(handle)


def replace_link(path: str, target: str) -> None:
    """Replace a symbolic link atomically."""
    with _scratch(path) as scratch:
        os.symlink(target, scratch)
        os.replace(scratch, path)
    sync_directory(os.path.dirname(path))


def remove_link(path: str) -> None:
    """Remove a symbolic link."""
    os.unlink(path)
    sync_directory(os.path.dirname(path))


def remove(path: str) -> None:
    """Remove a file if it exists."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    sync_directory(os.path.dirname(path))


def discard(path: str) -> None:
    """Remove a directory: it is renamed atomically, then its files are deleted."""
    parent = os.path.dirname(path)
    scratch = _discarded(path)
    remove_tree(scratch)
    try:
        os.rename(path, scratch)
    except FileNotFoundError:
        return
    sync_directory(parent)
    remove_tree(scratch)


def try_removals(remove: t.Callable[[str], None], paths: t.Iterable[str]) -> list[str]:
    """Remove unused files. Failures are returned as messages, because they must not block an installation."""
    problems = []
    for path in paths:
        try:
            remove(path)
        except OSError as error:
            problems.append(f"{path} could not be removed: {error.strerror}. Remove it, or run again later.")
    return problems


def is_discarded_in_part(path: str) -> bool:
    """True if a `discard` of this path was interrupted after the rename."""
    return os.path.lexists(_discarded(path))


def _discarded(path: str) -> str:
    parent, name = os.path.split(path)
    return os.path.join(parent, SCRATCH + "old-" + name)


def littered(directory: str) -> bool:
    """True if the directory contains files to `sweep`."""
    return bool(interrupted_files(directory))


def interrupted_files(directory: str) -> list[str]:
    """Return the paths of files left by interrupted calls in a directory."""
    if not os.path.isdir(directory):
        return []
    return [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if name.startswith(SCRATCH)]


def old_notes(directory: str, now: float) -> list[str]:
    """Return the paths of partially written notes that are too old to belong to an active run."""
    if not os.path.isdir(directory):
        return []
    halves = re.compile("(?:" + "|".join(map(re.escape, NOTES)) + ")[0-9]+")
    paths = [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if halves.fullmatch(name)]
    return [path for path in paths if now - os.lstat(path).st_mtime > NOTES_AGE_MINUTES * 60]


def sweep(directory: str) -> None:
    """Remove files left by interrupted calls in a directory."""
    for path in interrupted_files(directory):
        remove_tree(path)


def remove_tree(path: str) -> None:
    """Remove a file, a link or a directory tree. Links are not followed."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(path)
        return
    for name in os.listdir(path):
        remove_tree(os.path.join(path, name))
    os.rmdir(path)


def write_all(handle: int, contents: bytes) -> None:
    """Write all contents and sync them to disk."""
    rest = memoryview(contents)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)


def sync_directory(path: str) -> None:
    """Sync the entries of a directory to disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _scratch(path: str) -> t.Iterator[str]:
    """Yield an unused path next to `path`. It is removed after a failure, such as a full disk."""
    parent, name = os.path.split(path)
    scratch = os.path.join(parent, SCRATCH + name)
    remove_tree(scratch)
    try:
        yield scratch
    except OSError:
        with contextlib.suppress(OSError):
            remove_tree(scratch)
        raise


def _apply(handle: int, rights: Rights) -> None:
    """Set the owner before the mode, because chown clears mode bits."""
    if (rights.uid, rights.gid) != (-1, -1):
        os.fchown(handle, rights.uid, rights.gid)
    os.fchmod(handle, rights.mode)


def _write_new(path: str, contents: bytes, rights: Rights) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _apply(handle, rights)  # independent of the umask, and before the file has contents
        write_all(handle, contents)
    except OSError as error:
        error.filename = error.filename or path  # the OS reports a full disk without the path
        raise
    finally:
        os.close(handle)


def _existing_ancestry(path: str) -> list[str]:
    """Return the existing path components, starting at the root."""
    parts = [os.path.abspath(path)]
    while parts[-1] != os.path.dirname(parts[-1]):
        parts.append(os.path.dirname(parts[-1]))
    return [part for part in reversed(parts) if os.path.lexists(part)]
