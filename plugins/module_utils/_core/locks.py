# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File locks of processes. The kernel releases the locks of a process that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from .errors import host_error

PROVIDER_SECONDS = 3600.0  # for a DNS provider: every other host of the run may come first
RUN_SECONDS = 300.0  # for the run state; the holder may be reading the balance, which takes up to `api_deadline`
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2


@contextlib.contextmanager
def run_state(lock: str) -> t.Iterator[None]:
    """Lock the state that the hosts of a run share on the controller.

    A read or write error stops the run, because the limits and comparisons of a purchase depend on this state.
    """
    directory = os.path.dirname(lock)
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not acquire(handle, RUN_SECONDS):
                raise _not_kept(directory, f"another process of the run holds it for {RUN_SECONDS:g} seconds")
            yield
        finally:
            os.close(handle)
    except OSError as error:
        raise _not_kept(directory, error.strerror or type(error).__name__) from None
    except ValueError:
        raise _not_kept(directory, "a file is damaged") from None


@contextlib.contextmanager
def provider(run_directory: str | None) -> t.Iterator[None]:
    """Let one host of a run at a time change DNS records, because several hosts may change the same record set."""
    path = os.path.join(run_directory or "", "gogetssl-dns-provider")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise host_error(f"{path}: {error.strerror}") from None
    try:
        if not acquire(handle, PROVIDER_SECONDS):
            raise host_error(f"Other hosts of the run have been changing DNS records for {PROVIDER_SECONDS:g} seconds.")
        yield
    finally:
        os.close(handle)


def _not_kept(directory: str, why: str) -> Exception:
    return host_error(
        f"{directory}: the shared state of the run's hosts cannot be stored: {why}. Nothing more is bought. Free"
        " space on the controller, or set ANSIBLE_LOCAL_TEMP to a writable directory, and run again."
    )


def acquire(handle: int, seconds: float, sleep: t.Callable[[float], None] = time.sleep) -> bool:
    """Lock an open file or directory. Return False if another process holds the lock for this number of seconds."""
    waited, pause = 0.0, _FIRST_PAUSE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if waited >= seconds:
                return False
            sleep(pause)
            waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE)
