# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts whose Python lacks cryptography: a sentence before money is spent, or the package of the distribution."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from .conftest import Bench

# A package manager that gives the bare Python what this one has, and writes down what it was asked for.
MANAGER = """
import json
from ansible.module_utils.basic import AnsibleModule

def main():
    module = AnsibleModule(argument_spec={{"name": {{"type": "list"}}, "state": {{"type": "str"}}}})
    with open({asked!r}, "w") as stream:
        json.dump(module.params["name"], stream)
    with open({path!r}, "w") as stream:
        stream.write({libraries!r})
    module.exit_json(changed=True)

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A Python without any library."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return tmp_path / "bare" / "bin" / "python"


def test_the_package_is_named_before_money_is_spent(bench: Bench, bare: Path) -> None:
    run = bench.run(ansible_python_interpreter=str(bare))
    assert run.code != 0
    assert "python3-cryptography" in run.output
    assert not bench.orders
    assert not bench.store.exists()


@pytest.mark.slow
def test_the_package_is_installed_where_that_is_allowed(bench: Bench, bare: Path) -> None:
    site = sysconfig.get_path("purelib", vars={"base": str(bare.parents[1])})
    asked = bench.directory / "asked"
    (bench.directory / "library").mkdir()
    text = MANAGER.format(asked=str(asked), path=os.path.join(site, "all.pth"), libraries=sysconfig.get_path("purelib"))
    (bench.directory / "library" / "manager.py").write_text(text)
    run = bench.run(
        env={"ANSIBLE_LIBRARY": str(bench.directory / "library")},
        ansible_python_interpreter=str(bare),
        ansible_package_use="manager",
        gogetssl_install_packages=True,
    )
    assert run.code == 0, run.output
    assert "cryptography" in asked.read_text()
    assert '"openssl"' in asked.read_text()
    assert bench.installed()
