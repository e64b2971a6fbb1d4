# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts whose Python lacks cryptography: an error before a purchase, or installation of the distribution's package."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from .conftest import Bench

# A package manager that gives the bare Python this interpreter's packages and records the requested names.
MANAGER = """
import json
from ansible.module_utils.basic import AnsibleModule

def main():
    module = AnsibleModule(argument_spec={{"name": {{"type": "list"}}, "state": {{"type": "str"}}}})
    with open({recorded!r}, "w") as stream:
        json.dump(module.params["name"], stream)
    with open({path!r}, "w") as stream:
        stream.write({libraries!r})
    module.exit_json(changed=True)

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A Python without installed packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return tmp_path / "bare" / "bin" / "python"


@pytest.mark.slow
def test_the_missing_package_is_reported_before_a_purchase(bench: Bench, bare: Path) -> None:
    run = bench.run(ansible_python_interpreter=str(bare))
    assert run.code != 0
    assert "python3-cryptography" in run.output
    assert not bench.orders
    assert not bench.store.exists()


@pytest.mark.slow
def test_the_missing_package_is_installed_if_allowed(bench: Bench, bare: Path) -> None:
    site = sysconfig.get_path("purelib", vars={"base": str(bare.parents[1])})
    recorded = bench.directory / "recorded"
    (bench.directory / "library").mkdir()
    text = MANAGER.format(
        recorded=str(recorded), path=os.path.join(site, "all.pth"), libraries=sysconfig.get_path("purelib")
    )
    (bench.directory / "library" / "manager.py").write_text(text)
    run = bench.run(
        env={"ANSIBLE_LIBRARY": str(bench.directory / "library")},
        ansible_python_interpreter=str(bare),
        ansible_package_use="manager",
        gogetssl_install_packages=True,
    )
    assert run.code == 0, run.output
    assert "cryptography" in recorded.read_text()
    assert '"openssl"' in recorded.read_text()
    assert bench.installed()
