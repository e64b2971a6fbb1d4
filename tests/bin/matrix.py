# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the tests on the Pythons found and the supported ansible-core releases: `make matrix`.

    python -m tests.bin.matrix              each supported ansible-core, the lowest versions of all libraries, hosts
    python -m tests.bin.matrix CORE...      these only, such as 2.18, devel (the newest pre-release) or lowest
    python -m tests.bin.matrix short        the oldest and the newest ansible-core: `.ci/run`

For managed hosts: the tests marked `host`, on the oldest supported Python. Contract tests, playbooks and `ansible-test
sanity` depend on ansible-core more than on Python, so they run once for each ansible-core. `short` runs those playbooks
that are marked `outermost`, and no contract tests. The combination of `make test` is skipped. Run this script with the
interpreter of the virtual environment that `make test` uses.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .stages import ROOT, Stage, pytest_stage, run_in_parallel, summarise

Version = tuple[int, int]
Combination = tuple[Version, str]

OLDEST_CONTROLLER: Version = (3, 10)
OLDEST_HOST: Version = (3, 9)
OLDEST_CORE = "2.16"
# Each supported ansible-core with its oldest and newest Python, of those that the tests support.
SUPPORTED_CORES: dict[str, tuple[Version, Version]] = {
    OLDEST_CORE: ((3, 10), (3, 12)),
    "2.17": ((3, 10), (3, 12)),
    "2.18": ((3, 11), (3, 13)),
    "2.19": ((3, 11), (3, 13)),
    "2.20": ((3, 12), (3, 14)),
    "2.21": ((3, 12), (3, 14)),
}
DEVEL = "devel"
DEVEL_PYTHONS: tuple[Version, Version] = ((3, 13), (3, 14))
LOWEST = "lowest"
HOST_CRYPTOGRAPHY = "cryptography==3.2"
NEWEST_CORE = "2.21"
HOST_REQUIREMENTS = ("pytest", "pyyaml", "dnspython", "requests", "flask")
TEST_REQUIREMENTS = ("-r", "requirements.txt", "pytest", "flask", "pyyaml", "publicsuffixlist", "dns-lexicon")


def pythons() -> dict[Version, str]:
    """All Python 3 interpreters on PATH and in pyenv, one for each minor version."""
    on_path = [f"python3.{minor}" for minor in range(OLDEST_HOST[1], 20)]
    in_pyenv = sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))
    # pyenv's shims on PATH may not run, so its real interpreters come last and take precedence.
    candidates = [sys.executable, *filter(shutil.which, on_path), *map(str, in_pyenv)]
    found: dict[Version, str] = {}
    for candidate in candidates:
        version = _version(candidate)
        if version:
            found[version] = candidate
    return dict(sorted(found.items()))


def _version(python: str) -> Version | None:
    code = "import ensurepip, sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)


def outermost(found: Sequence[Version], tested: Combination) -> list[Combination]:
    """The newest ansible-core on the newest Python and the oldest on the oldest, except the one already tested."""
    newest, oldest = supported(found, [NEWEST_CORE], tested), supported(found, [OLDEST_CORE], tested)
    return [*newest[-1:], *oldest[:1]]


def current_combination() -> Combination:
    core = importlib.metadata.version("ansible-core").split(".")
    return (sys.version_info.major, sys.version_info.minor), ".".join(core[:2])


def supported(found: Iterable[Version], cores: Iterable[str], tested: Combination) -> list[Combination]:
    """Each of these cores with the oldest and the newest Python that is found for it."""
    chosen = []
    for core in cores:
        first, last = DEVEL_PYTHONS if core == DEVEL else SUPPORTED_CORES[core]
        usable = [version for version in found if first <= version <= last]
        chosen += [(version, core) for version in dict.fromkeys([*usable[:1], *usable[-1:]])]
    return [combination for combination in chosen if combination != tested]


def lowest_stages(pythons: dict[Version, str]) -> Iterator[Stage]:
    """The lowest versions of all libraries on the controller: ansible-core and the requirements."""
    version = min(found for found in pythons if found >= OLDEST_CONTROLLER)
    venv = f".venv/matrix/{LOWEST}"
    pinned = re.sub(r">=", "==", (ROOT / "meta" / "ee-requirements.txt").read_text())
    libraries = [line for line in pinned.splitlines() if line and not line.startswith("#")]
    core = re.findall(r"requires_ansible: '>=([\d.]+)'", (ROOT / "meta" / "runtime.yml").read_text())
    tools = TEST_REQUIREMENTS[2:]
    packages = (f"ansible-core=={core[0]}", *libraries, *tools)
    yield Stage(f"{LOWEST} venv", ("tests/bin/venv.sh", pythons[version], venv, *packages))
    for folder in ("unit", "contract"):
        yield pytest_stage(f"{LOWEST} {folder}", f"tests/{folder}", f"{venv}/bin/python", "-m", "not slow")


def once_for_each_core(found: Sequence[Combination], tested: str) -> list[Combination]:
    """Each other ansible-core with the newest Python of its combinations."""
    return [(version, core) for core, version in sorted({core: v for v, core in found if core != tested}.items())]


def lanes(
    pythons: dict[Version, str], chosen: Sequence[Combination], tested: Combination, *, short: bool = False
) -> list[list[Stage]]:
    """One lane for each virtual environment, the longest lanes first."""
    with_all_tests = once_for_each_core(chosen, tested[1])
    controllers = []
    for version, core in chosen:
        # Tests of host code run on the oldest Python of hosts.
        markers = {"unit": "not slow and not host" if short else "not slow"}
        if (version, core) in with_all_tests:
            markers |= {"playbooks": "outermost"} if short else {"contract": "not slow", "playbooks": "not slow"}
        controllers.append(list(controller_stages(pythons[version], version, core, markers)))
    return sorted(controllers, key=len, reverse=True)


def controller_stages(python: str, version: Version, core: str, markers: Mapping[str, str]) -> Iterator[Stage]:
    """The tests of one environment. `markers`: for each folder, which tests to run. Sanity goes with playbooks."""
    name = f"{_dotted(version)}-{core}"
    venv = _venv(version, core)
    yield _venv_stage(name, python, venv, f"ansible-core=={core}.*")
    for folder, marker in markers.items():
        yield pytest_stage(f"{name} {folder}", f"tests/{folder}", f"{venv}/bin/python", "-m", marker)
    if "playbooks" in markers:
        path = f"PATH={ROOT / venv / 'bin'}:{os.environ['PATH']}"
        # No ansible-core changes what pylint finds, which takes a third of the time.
        yield Stage(f"{core} sanity", ("env", path, "tests/bin/sanity.sh", "--skip-test", "pylint"))


def host_stages(pythons: dict[Version, str], *libraries: str) -> Iterator[Stage]:
    name = "-".join((f"{_dotted(OLDEST_HOST)}-host", *((LOWEST,) if libraries else ())))
    venv, python = f".venv/matrix/{name}", pythons.get(OLDEST_HOST)
    if python is None:
        yield Stage(name, (), f"no Python {_dotted(OLDEST_HOST)} found")
        return
    # No supported ansible-core runs on this Python. An older one provides the module_utils that Ansible sends along
    # with a module.
    if libraries:
        yield Stage(f"{name} venv", ("tests/bin/venv.sh", python, venv, "ansible-core", *libraries, *HOST_REQUIREMENTS))
    else:
        yield _venv_stage(name, python, venv, "ansible-core")
    # Only these files: pytest imports all files that it collects, and the others may need a newer Python.
    marked = sorted(str(path) for path in (ROOT / "tests/unit").rglob("test_*.py") if "mark.host" in path.read_text())
    skip = "" if marked else "no test is marked host"
    yield Stage(f"{name} unit", (f"{venv}/bin/python", "-m", "pytest", "-m", "host", *marked), skip)


def _venv_stage(name: str, python: str, venv: str, core: str) -> Stage:
    if core == f"ansible-core=={DEVEL}.*":
        core = "ansible-core>=2.22.0b1"  # a pre-release in the requirement allows pre-releases
    return Stage(f"{name} venv", ("tests/bin/venv.sh", python, venv, core, *TEST_REQUIREMENTS))


def _venv(version: Version, core: str) -> str:
    return f".venv/matrix/{_dotted(version)}-{core}"


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def main(names: Sequence[str]) -> int:
    here, tested = pythons(), current_combination()
    unknown = [name for name in names if name not in (*SUPPORTED_CORES, DEVEL, LOWEST, "short")]
    if unknown:
        sys.exit(f"matrix.py: unknown: {', '.join(unknown)}")
    short = "short" in names
    if short:
        chosen, others = outermost(list(here), tested), [list(host_stages(here))]
    else:
        cores = [core for core in (*SUPPORTED_CORES, DEVEL) if core in (names or SUPPORTED_CORES)]
        chosen, others = supported(here, cores, tested), []
        if not names or LOWEST in names:
            others = [list(lowest_stages(here)), list(host_stages(here)), list(host_stages(here, HOST_CRYPTOGRAPHY))]
    return summarise(run_in_parallel([*lanes(here, chosen, tested, short=short), *others]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
