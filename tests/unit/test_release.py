# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release needs: the built artifact, its emulator, the changelog, and the requirements of each module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.bin import matrix, stages

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LEFT_OUT = ("benchmark", "bin", "chaos", "contract", "demo", "dns", "hosts", "playbooks", "unit")


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files in git, without caches and virtual environments."""
    directory = tmp_path_factory.mktemp("release") / "ansible_collections" / "certops" / "gogetssl"
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for file in filter(None, listed):
        if (ROOT / file).exists():
            (directory / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, directory / file)
    return directory


@pytest.mark.slow
def test_the_artifact_has_the_emulator_and_no_other_tests(copy: Path, tmp_path: Path) -> None:
    galaxy = BIN / "ansible-galaxy"
    if not galaxy.exists():
        pytest.skip("ansible-galaxy is not installed beside this Python")
    run(str(galaxy), "collection", "build", "--output-path", str(tmp_path), cwd=copy)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        files = opened.getnames()
        opened.extractall(tmp_path / "installed", filter="data")
    assert [name for name in files if name.startswith(tuple(f"tests/{folder}" for folder in LEFT_OUT))] == []
    assert [name for name in files if name.startswith(("extensions/molecule", ".github", ".ci", ".venv"))] == []
    assert {"README.md", "LICENSE", "meta/runtime.yml", "tests/emulator/__main__.py", "tests/config.yml"} <= set(files)
    assert {"extensions/awx/tasks.yml", "extensions/awx/execution-environment.yml"} <= set(files)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.emulator", "--port", "0"],
        cwd=tmp_path / "installed",
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline())["url"].endswith("/api")
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@pytest.mark.slow
def test_a_changelog_can_be_released(copy: Path) -> None:
    tool = BIN / "antsibull-changelog"
    if not tool.exists():
        pytest.skip("antsibull-changelog is not installed beside this Python")
    run(str(tool), "release", "--date", "2026-12-01", cwd=copy)
    changes = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text())["releases"]["1.0.0"]["changes"]
    assert len(changes["release_summary"]) > 100
    assert "v1.0.0" in (copy / "CHANGELOG.rst").read_text()
    assert list((copy / "changelogs" / "fragments").iterdir()) == []


@pytest.mark.parametrize("path", sorted((ROOT / "plugins" / "modules").glob("*.py")), ids=lambda path: path.stem)
def test_each_module_names_the_python_that_it_needs(path: Path) -> None:
    text = path.read_text()
    own = re.search(r"^  - Python 3\.(9 or later on the host|10 or later on the controller)\.$", text, re.MULTILINE)
    assert own or "certops.gogetssl.attributes.controller" in text


def test_linters_need_no_server() -> None:
    needed = {package for name in ("lint", "shellcheck", "unit") for package in stages.DEBIAN_PACKAGES.get(name, ())}
    assert not needed & {"bind9", "pdns-server"}
    assert set(stages.DEBIAN_PACKAGES) <= {stage.name for stage in stages.stages()}


def test_workflows_have_every_supported_core() -> None:
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    cores = yaml.safe_load(text)["jobs"]["matrix"]["strategy"]["matrix"]["core"]
    assert cores == list(matrix.SUPPORTED_CORES)
    readme, contributing = (ROOT / "README.md").read_text(), (ROOT / "CONTRIBUTING.md").read_text()
    assert f"from\n{cores[0]} to {cores[-1]}" in readme
    assert all(core in contributing for core in cores)


def test_commands_of_workflows_exist() -> None:
    """Each job runs a target of the Makefile, and modules that exist."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text()
        commands = re.findall(r"- run: (.*)", text)
        assert commands
        for command in commands:
            made = re.search(r"make (\w+)", command)
            assert made, command
            assert made[1] in targets, command
            for module in re.findall(r"RUNNER=([\w.]+)", command):
                assert (ROOT / (module.replace(".", "/") + ".py")).exists(), command
