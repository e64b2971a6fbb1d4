# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A full or read-only file system on the controller or on the host: one sentence, no purchase, and the next run works.

The file systems are real. Mounting requires root.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Bench

SMALL = 64 * 1024  # bytes; less than a run writes
PLACES = {
    "controller's state": "the purchase cannot be recorded on the controller: ",
    "controller's temporary directory": "the shared state of the run's hosts cannot be stored: ",
    "certificate directory": "",
    "web root": "",
}
REASONS = {"full": "No space left on device", "read-only": "Read-only file system"}


@contextlib.contextmanager
def mounted(path: Path, problem: str) -> Iterator[None]:
    """A small file system that is full or read-only."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system requires root")
    path.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=0755", "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        if problem == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True)
        else:
            room = os.statvfs(path)
            (path / "ballast").write_bytes(b"x" * room.f_bsize * room.f_bavail)
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def directory(bench: Bench, place: str) -> Path:
    """The directory of this purpose."""
    return {
        "controller's state": Path(bench.environment["ANSIBLE_HOME"]),
        "controller's temporary directory": bench.directory / "tmp",
        "certificate directory": bench.store,
        "web root": bench.web_root,
    }[place]


@pytest.fixture(autouse=True)
def _temporary_directory(bench: Bench) -> None:
    """A temporary directory outside of the controller's state, where it is by default."""
    (bench.directory / "tmp").mkdir()
    bench.environment["ANSIBLE_LOCAL_TEMP"] = str(bench.directory / "tmp")


@pytest.mark.slow
@pytest.mark.parametrize("problem", REASONS)
def test_nothing_is_bought_and_the_next_run_works(bench: Bench, problem: str) -> None:
    for place, sentence in PLACES.items():
        path = directory(bench, place)
        if problem == "read-only" and place in ("controller's temporary directory", "web root"):
            continue  # Ansible itself does not start without the first, and the second fails as if it were full
        with mounted(path, problem):
            run = bench.run()
        (told,) = [line for line in run.output.splitlines() if line.startswith(("fatal: ", "failed: "))]
        reasons = (REASONS[problem], "is not writable for this user") if problem == "read-only" else (REASONS[problem],)
        assert sentence in told
        assert str(path) in told
        assert any(reason in told for reason in reasons), told
        assert "Traceback" not in run.output
        assert (run.code, bench.orders) == (2, []), place
    assert bench.run().code == 0
    assert (bench.installed(), len(bench.emulator.ledger()["charges"])) == (True, 1)


@pytest.mark.slow
def test_an_installed_certificate_needs_nothing_of_the_controller(bench: Bench) -> None:
    assert bench.run().code == 0
    with mounted(directory(bench, "controller's state"), "read-only"):
        run = bench.run()
    assert (run.code, run.recap["changed"], len(bench.orders)) == (0, 0, 1)
