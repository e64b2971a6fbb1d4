# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tools of the playbook runner kill at the chosen point and leave no process running."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bin.processes import descendants, kill_tree
from tests.chaos.playbooks import SHELL

SECONDS = 30


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_kill_tree_kills_children_in_their_own_sessions() -> None:
    process = subprocess.Popen(["sh", "-c", "setsid sh -c 'sleep 300; true' & sleep 300; true"])
    until(lambda: len(descendants(process.pid)) >= 4)
    family = descendants(process.pid)
    kill_tree(process.pid)
    process.wait(SECONDS)
    until(lambda: not any(map(alive, family)))


@pytest.mark.parametrize(("when", "done"), [("BEFORE", "1"), ("AFTER", "12")])
def test_the_shell_pauses_at_the_chosen_command(tmp_path: Path, when: str, done: str) -> None:
    reached, wrote = tmp_path / "reached", tmp_path / "wrote"
    env = {
        **os.environ,
        "CHAOS_COUNT": str(tmp_path / "count"),
        "CHAOS_REACHED": str(reached),
        f"CHAOS_KILL_{when}": "2",
    }
    assert subprocess.run([SHELL, "-c", f"printf 1 >> {wrote}; exit 3"], env=env, check=False).returncode == 3
    assert not reached.exists()
    process = subprocess.Popen([SHELL, "-c", f"printf 2 >> {wrote}"], env=env)
    until(reached.exists)
    assert process.poll() is None
    kill_tree(process.pid)
    process.wait(SECONDS)
    assert wrote.read_text() == done
