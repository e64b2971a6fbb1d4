# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Termination of the processes that an interrupted operation has started, such as ssh or a module on the controller.

Ansible leaves them. A module of a DNS provider would go on after the run, and could change records that the next run
needs.
"""

from __future__ import annotations

import contextlib
import glob
import os
import signal
import typing as t


@contextlib.contextmanager
def ended_after_failure() -> t.Iterator[None]:
    """Kill the processes that the body of the `with` statement has started and not waited for, if it raises."""
    before = _children(os.getpid())
    try:
        yield
    except BaseException:
        for process in _with_descendants(_children(os.getpid()) - before):
            with contextlib.suppress(OSError):  # it has ended, or belongs to root after become
                os.kill(process, signal.SIGKILL)
        raise


def _with_descendants(processes: set[int]) -> set[int]:
    return processes.union(*(_with_descendants(_children(process)) for process in processes))


def _children(process: int) -> set[int]:
    """The processes that a process has started; none on other systems than Linux."""
    found: set[int] = set()
    for path in glob.iglob(f"/proc/{process}/task/*/children"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            found.update(map(int, file.read().split()))
    return found
