# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repeat the tests on every Python found and the ansible-core releases that matter there: `make matrix`.

Where Ansible runs: the oldest ansible-core supported and the newest one, on each Python from 3.11. On managed hosts:
the tests marked `host`, on the oldest Python supported there. And `ansible-test sanity` of each ansible-core.
Run with the interpreter of the virtual environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .stages import ROOT, Stage, pytest_stage, run_side_by_side, summarise

Version = tuple[int, int]

OLDEST_CONTROLLER: Version = (3, 11)
OLDEST_HOST: Version = (3, 9)
OLDEST_CORE = "2.16"
# What the newest ansible-core is depends on the Python; OLDEST_CORE runs on Python 3.12 at most.
CORES: dict[Version, tuple[str, ...]] = {(3, 11): (OLDEST_CORE, "2.19")}
NEWEST_CORE = ("2.21",)
TEST_REQUIREMENTS = ("-r", "requirements.txt", "pytest", "flask", "pyyaml", "publicsuffixlist", "dns-lexicon")
FOLDERS = ("unit", "contract", "playbooks")


def pythons() -> dict[Version, str]:
    """Every Python 3 on PATH and in pyenv, one for each minor version."""
    on_path = [f"python3.{minor}" for minor in range(OLDEST_HOST[1], 20)]
    in_pyenv = sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))
    # pyenv leaves programs of that name on PATH that do not run; the real ones come later and win.
    candidates = [sys.executable, *filter(shutil.which, on_path), *map(str, in_pyenv)]
    found: dict[Version, str] = {}
    for candidate in candidates:
        version = _version(candidate)
        if version:
            found[version] = candidate
    return dict(sorted(found.items()))


def _version(python: str) -> Version | None:
    code = "import ensurepip, sys; print(*sys.version_info[:2])"
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if asked.returncode:
        return None
    major, minor = asked.stdout.split()
    return int(major), int(minor)


def lanes() -> list[list[Stage]]:
    """What needs the same virtual environment stands in one lane; sanity's stages share ansible-test's cache."""
    found = pythons()
    combinations = [
        (python, version, core)
        for version, python in found.items()
        if version >= OLDEST_CONTROLLER
        for core in CORES.get(version, NEWEST_CORE)
    ]
    controllers = [list(controller_stages(*combination)) for combination in combinations]
    if OLDEST_HOST in found:
        host = list(host_stages(found[OLDEST_HOST]))
    else:
        host = [Stage("host", (), f"no Python {_dotted(OLDEST_HOST)} found")]
    return [*controllers, host]


def sanity_stages() -> list[Stage]:
    """The rules differ with ansible-core, hardly with the Python: each once, on the newest Python it had."""
    venvs = {
        core: ROOT / _venv(version, core)
        for version in pythons()
        if version >= OLDEST_CONTROLLER
        for core in CORES.get(version, NEWEST_CORE)
    }
    return [
        Stage(f"{core} sanity", ("env", f"PATH={venv / 'bin'}:{os.environ['PATH']}", "tests/bin/sanity.sh"))
        for core, venv in venvs.items()
    ]


def controller_stages(python: str, version: Version, core: str) -> Iterator[Stage]:
    name = f"{_dotted(version)}-{core}"
    venv = _venv(version, core)
    yield _venv_stage(name, python, venv, f"ansible-core=={core}.*")
    for folder in FOLDERS:
        yield pytest_stage(f"{name} {folder}", f"tests/{folder}", f"{venv}/bin/python", "-m", "not slow")


def host_stages(python: str) -> Iterator[Stage]:
    name = f"{_dotted(OLDEST_HOST)}-host"
    venv = f".venv/matrix/{name}"
    # No ansible-core that is still supported runs on this Python. The one that does stands for what Ansible sends along
    # with a module.
    yield _venv_stage(name, python, venv, "ansible-core")
    # Only these files: pytest imports what it collects, and the others need not be fit for so old a Python.
    marked = sorted(str(path) for path in (ROOT / "tests/unit").rglob("test_*.py") if "mark.host" in path.read_text())
    skip = "" if marked else "no test is marked host"
    yield Stage(f"{name} unit", (f"{venv}/bin/python", "-m", "pytest", "-m", "host", *marked), skip)


def _venv_stage(name: str, python: str, venv: str, core: str) -> Stage:
    return Stage(f"{name} venv", ("tests/bin/venv.sh", python, venv, core, *TEST_REQUIREMENTS))


def _venv(version: Version, core: str) -> str:
    return f".venv/matrix/{_dotted(version)}-{core}"


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    results = run_side_by_side(lanes())
    sys.exit(summarise(results + run_side_by_side([sanity_stages()])))
