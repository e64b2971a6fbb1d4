# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks of directories, so that one run at a time works in each."""

from __future__ import annotations

import contextlib
import os
import stat
import time
import typing as t

from .._core import locks
from .._core.errors import host_error

LOCK_SECONDS = 60.0
LOCK = ".lock"  # no certificate has this name


@contextlib.contextmanager
def locked(
    directory: str, sleep: t.Callable[[float], None] = time.sleep, seconds: float = LOCK_SECONDS
) -> t.Iterator[None]:
    """Lock a directory for one run at a time. The kernel releases the lock of a killed run.

    The lock is on a file that only this user can open: every user could lock a directory that services can read.
    """
    path = os.path.join(directory, LOCK)
    current = False
    while not current:  # the run that held the lock has removed its file
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        with _locked(handle, directory, sleep, seconds):
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise host_error(f"{path} is not a plain file; refused.")
            with contextlib.suppress(FileNotFoundError):
                current = os.path.samestat(os.lstat(path), found)
            if current:
                try:
                    yield
                finally:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(path)


@contextlib.contextmanager
def web_root_locked(directory: str, sleep: t.Callable[[float], None]) -> t.Iterator[None]:
    """Lock a web root, which may belong to another user, without a file in it."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with _locked(handle, directory, sleep, LOCK_SECONDS):
        yield


@contextlib.contextmanager
def _locked(handle: int, directory: str, sleep: t.Callable[[float], None], seconds: float) -> t.Iterator[None]:
    """Lock an open file or directory, and close it."""
    try:
        held = True
        with contextlib.suppress(OSError):  # no locks on this file system; the journal still prevents duplicate orders
            held = locks.acquire(handle, seconds, sleep)
        if not held:
            raise host_error(
                f"{directory}: another run has been working here for {seconds:g} seconds. Run again later."
            )
        yield
    finally:
        os.close(handle)
