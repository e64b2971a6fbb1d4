# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages a host without the library needs, and which module installs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import library
from tests.unit import hosts


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of programs of a host whose Python lacks the library."""
    monkeypatch.setattr(x509, "CRYPTOGRAPHY", x509.CRYPTOGRAPHY._replace(present=False))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def needed(**options: Any) -> tuple[list[str], str]:
    result = hosts.run(library.TASK, **options)
    return result["packages"], result["manager"]


def test_a_host_with_the_library_needs_nothing() -> None:
    assert needed() == ([], "")


@pytest.mark.parametrize(
    ("program", "package", "module"),
    [
        ("apt-get", "python3-cryptography", "ansible.builtin.apt"),
        ("dnf", "python3-cryptography", "ansible.builtin.dnf"),
        ("zypper", "python3-cryptography", "community.general.zypper"),
        ("apk", "py3-cryptography", "community.general.apk"),
        ("pacman", "python-cryptography", "community.general.pacman"),
    ],
)
def test_the_package_and_module_of_each_distribution(bare: Path, program: str, package: str, module: str) -> None:
    (bare / program).touch(mode=0o755)
    assert needed() == ([package, "openssl"], module)


def test_the_operator_can_name_both(bare: Path) -> None:
    assert needed(package="python39-cryptography", use="yum") == (["python39-cryptography", "openssl"], "yum")


def test_a_host_without_a_known_package_manager(bare: Path) -> None:
    with pytest.raises(GogetsslError, match=r"No package manager of apt-get, .* Install the Python library"):
        needed()
