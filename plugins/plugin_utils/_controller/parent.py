# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Termination of worker processes of ansible-playbook when their run is killed.

A remaining worker would run in parallel with the next run, and would publish or install outdated files.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal

from ansible.errors import AnsibleError

_PR_SET_PDEATHSIG = 1


def end_with_it() -> None:
    """Make Linux terminate this process when its parent ends. Ansible's signal handler terminates its children."""
    if multiprocessing.parent_process() is None:
        return
    with contextlib.suppress(OSError, AttributeError):  # other systems, which have only the check before each effect
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    check()


def check() -> None:
    """Raise an error if the parent process has ended. Called before each operation on a host."""
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        raise AnsibleError("The run that started this task has ended. Nothing more is done.")
