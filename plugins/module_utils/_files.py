# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the managed host: written whole or not at all, on the disk when a call returns, never through a link.

Every function leaves at any moment, also after `kill -9` or a loss of power, either the old state or the new one; what
an interrupted call may leave behind has a name that starts with `SCRATCH` and is removed by `sweep`.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import pwd
import re
import stat
import time
import typing as t

from ._errors import host_error
from ._leftovers import NOTES, NOTES_AGE_MINUTES, SCRATCH

LOCK_PATIENCE_SECONDS = 60.0


class Rights(t.NamedTuple):
    """Mode and ids of a file; -1 leaves it with the one who writes it."""

    mode: int
    uid: int = -1
    gid: int = -1


PRIVATE = Rights(0o600)
PUBLIC = Rights(0o644)


@contextlib.contextmanager
def os_errors_as_sentences(base: str = "/") -> t.Iterator[None]:
    """Say what the operating system refused, and of which path; it knows no contents, so this holds no secret."""
    try:
        yield
    except OSError as error:
        path = os.path.join(base, os.fsdecode(error.filename)) + ": " if error.filename else ""
        raise host_error(f"{path}{error.strerror or type(error).__name__}.") from None


@contextlib.contextmanager
def locked(directory: str, sleep: t.Callable[[float], None] = time.sleep) -> t.Iterator[None]:
    """Let one run at a time work in a directory. The kernel frees the lock of a killed run."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        waited = 0.0
        while not _lock(handle):
            if waited >= LOCK_PATIENCE_SECONDS:
                raise host_error(f"{directory}: another run has been working here for a minute; try again later.")
            sleep(0.2)
            waited += 0.2
        yield
    finally:
        os.close(handle)


def check_ancestry(path: str) -> None:
    """Refuse a directory in which somebody other than root and the user of the task could swap or plant things."""
    trusted = (0, os.geteuid())
    for part in (*_existing_ancestry(path), *_existing_ancestry(os.path.realpath(path))):
        found = os.lstat(part)
        if found.st_uid not in trusted:
            raise host_error(
                f"{part} belongs to user id {found.st_uid}, who could exchange the keys below it; refused."
            )
        if stat.S_ISDIR(found.st_mode):
            if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
                raise host_error(f"{part} is writable by every user, who could exchange the keys below it; refused.")
        elif not stat.S_ISLNK(found.st_mode):
            raise host_error(f"{part} is not a directory.")


def check_own_directory(path: str) -> bool:
    """True for a directory of ours, False for nothing; an error for a link, a file or somebody else's directory."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(found.st_mode):
        raise host_error(f"{path} is not a directory; refused.")
    check_ancestry(path)
    return True


def check_writable(path: str) -> None:
    """Refuse a directory that cannot be written to, or be made, before anything else is done."""
    nearest = _existing_ancestry(path)[-1]
    if not os.access(nearest, os.W_OK | os.X_OK):
        what = "is not writable" if nearest == path else f"cannot be made: {nearest} is not writable"
        raise host_error(f"{path} {what} for this user.")


def read(path: str, directory: int | None = None) -> bytes | None:
    """The contents of a plain file, or None when there is none. A link is never followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise host_error(f"{path} is a symbolic link; refused.") from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise host_error(f"{path} is not a plain file; refused.")
    with os.fdopen(handle, "rb") as stream:
        return stream.read()


def read_link(path: str, target: re.Pattern[str]) -> str | None:
    """The target of a link of ours, None when there is none; an error for anything else that has this name."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(found.st_mode) or found.st_uid not in (0, os.geteuid()):
        raise host_error(f"{path} is not a symbolic link made by this collection; refused.")
    value = os.readlink(path)
    if not target.fullmatch(value):
        raise host_error(f"{path} points to {value!r}, which is no version kept here; refused.")
    return value


def make_directory(path: str, mode: int = 0o755) -> None:
    """Make a directory and those above it, as far as they are missing."""
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
    """Make a whole directory of files appear at once; nothing may have its name yet.

    The files are written in the order given; those without rights of their own are private.
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
    """Write a file anew; readers see the old contents or the new ones."""
    with _scratch(path) as scratch:
        _write_new(scratch, contents, rights)
        os.replace(scratch, path)
    sync_directory(os.path.dirname(path))


def user_id(owner: str) -> int:
    """The number of a user given by name or number; an error for what the task must not or cannot give away."""
    try:
        uid = int(owner) if owner.isdecimal() else pwd.getpwnam(owner).pw_uid
    except KeyError:
        raise host_error(f"There is no user {owner} on this host.") from None
    if os.geteuid() not in (0, uid):
        raise host_error(f"Only root can make {owner} the owner of a file; use become.")
    return uid


def group_id(group: str) -> int:
    """The number of a group given by name or number."""
    try:
        return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise host_error(f"There is no group {group} on this host.") from None


def rights_of(path: str) -> Rights | None:
    """The rights of what has this name, or None when nothing has."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return Rights(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)


def set_rights(path: str, rights: Rights) -> None:
    """Give a plain file its rights. A link is never followed."""
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
    """Point a symbolic link somewhere else in one step."""
    with _scratch(path) as scratch:
        os.symlink(target, scratch)
        os.replace(scratch, path)
    sync_directory(os.path.dirname(path))


def remove_link(path: str) -> None:
    """Remove a symbolic link."""
    os.unlink(path)
    sync_directory(os.path.dirname(path))


def remove(path: str) -> None:
    """Remove a file, if there is one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    sync_directory(os.path.dirname(path))


def discard(path: str) -> None:
    """Remove a directory of files: it is gone at once, under its name, and its files after that."""
    parent = os.path.dirname(path)
    scratch = _discarded(path)
    remove_tree(scratch)
    try:
        os.rename(path, scratch)
    except FileNotFoundError:
        return
    sync_directory(parent)
    remove_tree(scratch)


def is_discarded_in_part(path: str) -> bool:
    """True if a `discard` of this path was interrupted: it is gone under its name, but not all of its files are."""
    return os.path.lexists(_discarded(path))


def _discarded(path: str) -> str:
    parent, name = os.path.split(path)
    return os.path.join(parent, SCRATCH + "old-" + name)


def littered(directory: str) -> bool:
    """True if there is something to `sweep`."""
    return bool(leftovers(directory))


def leftovers(directory: str) -> list[str]:
    """The paths of what interrupted calls have left in a directory."""
    if not os.path.isdir(directory):
        return []
    return [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if name.startswith(SCRATCH)]


def old_notes(directory: str, now: float) -> list[str]:
    """The paths of half-written notes that no run can be at work on any more."""
    if not os.path.isdir(directory):
        return []
    halves = re.compile("(?:" + "|".join(map(re.escape, NOTES)) + ")[0-9]+")
    paths = [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if halves.fullmatch(name)]
    return [path for path in paths if now - os.lstat(path).st_mtime > NOTES_AGE_MINUTES * 60]


def sweep(directory: str) -> None:
    """Remove what interrupted calls have left in a directory."""
    for path in leftovers(directory):
        remove_tree(path)


def remove_tree(path: str) -> None:
    """Remove a file, a link, or a directory of files and directories; links are not followed."""
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
    """Write and bring to the disk."""
    rest = memoryview(contents)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)


def sync_directory(path: str) -> None:
    """Bring the names in a directory to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _scratch(path: str) -> t.Iterator[str]:
    """A free name beside `path`; what stands there after a failure, such as a full disk, is removed."""
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
    """The owner first: a new owner takes away bits of the mode."""
    if (rights.uid, rights.gid) != (-1, -1):
        os.fchown(handle, rights.uid, rights.gid)
    os.fchmod(handle, rights.mode)


def _write_new(path: str, contents: bytes, rights: Rights) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _apply(handle, rights)  # whatever the umask, and before there is anything to read
        write_all(handle, contents)
    except OSError as error:
        error.filename = error.filename or path  # a full disk is reported without the path
        raise
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks; the journal on it still keeps orders single
    return True


def _existing_ancestry(path: str) -> list[str]:
    """The path's components that exist, from the root down."""
    parts = [os.path.abspath(path)]
    while parts[-1] != os.path.dirname(parts[-1]):
        parts.append(os.path.dirname(parts[-1]))
    return [part for part in reversed(parts) if os.path.lexists(part)]
