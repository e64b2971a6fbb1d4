# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repeat the tests on every Python found and the ansible-core releases that matter there: `make matrix`.

Where Ansible runs: the oldest ansible-core supported and the newest one, on each Python from 3.11. On managed hosts:
the tests marked `host`, on the oldest Python supported there. Playbooks and `ansible-test sanity` differ with
ansible-core and hardly with the Python: once for each ansible-core. The combination that `make test` runs on is left to
it. Run with the interpreter of the virtual environment, which is the one of `make test`.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .stages import ROOT, Stage, pytest_stage, run_side_by_side, summarise

Version = tuple[int, int]
Combination = tuple[Version, str]

OLDEST_CONTROLLER: Version = (3, 11)
OLDEST_HOST: Version = (3, 9)
OLDEST_CORE = "2.16"
# What the newest ansible-core is depends on the Python; OLDEST_CORE runs on Python 3.12 at most.
CORES: dict[Version, tuple[str, ...]] = {(3, 11): (OLDEST_CORE, "2.19")}
NEWEST_CORE = ("2.21",)
TEST_REQUIREMENTS = ("-r", "requirements.txt", "pytest", "flask", "pyyaml", "publicsuffixlist", "dns-lexicon")
FOLDERS = ("unit", "contract")


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


def combinations(found: Iterable[Version], tested: Combination) -> list[Combination]:
    """Of a Python and an ansible-core, but for the one tested already."""
    everything = [(v, core) for v in found if v >= OLDEST_CONTROLLER for core in CORES.get(v, NEWEST_CORE)]
    return [combination for combination in everything if combination != tested]


def of_make_test() -> Combination:
    core = importlib.metadata.version("ansible-core").split(".")
    return (sys.version_info.major, sys.version_info.minor), ".".join(core[:2])


def once_for_each_core(found: Sequence[Combination], tested: str) -> list[Combination]:
    """Each other ansible-core on the newest Python that it is tried on."""
    return [(version, core) for core, version in sorted({core: v for v, core in found if core != tested}.items())]


def lanes(pythons: dict[Version, str], tested: Combination) -> list[list[Stage]]:
    """What needs the same virtual environment stands in one lane, and the longest ones begin."""
    chosen = combinations(pythons, tested)
    with_playbooks = once_for_each_core(chosen, tested[1])
    controllers = [
        list(controller_stages(pythons[version], version, core, with_playbooks=(version, core) in with_playbooks))
        for version, core in chosen
    ]
    if OLDEST_HOST in pythons:
        host = list(host_stages(pythons[OLDEST_HOST]))
    else:
        host = [Stage("host", (), f"no Python {_dotted(OLDEST_HOST)} found")]
    return [*sorted(controllers, key=len, reverse=True), host]


def sanity_stages(found: Sequence[Combination], tested: str) -> list[Stage]:
    """In one lane, since they share ansible-test's cache."""
    return [
        Stage(
            f"{core} sanity",
            ("env", f"PATH={ROOT / _venv(version, core) / 'bin'}:{os.environ['PATH']}", "tests/bin/sanity.sh"),
        )
        for version, core in once_for_each_core(found, tested)
    ]


def controller_stages(python: str, version: Version, core: str, *, with_playbooks: bool) -> Iterator[Stage]:
    name = f"{_dotted(version)}-{core}"
    venv = _venv(version, core)
    yield _venv_stage(name, python, venv, f"ansible-core=={core}.*")
    for folder in (*FOLDERS, *(("playbooks",) if with_playbooks else ())):
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
    here, tested = pythons(), of_make_test()
    results = run_side_by_side(lanes(here, tested))
    sys.exit(summarise(results + run_side_by_side([sanity_stages(combinations(here, tested), tested[1])])))
