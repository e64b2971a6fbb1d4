# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each line of the threat model names a test that exists, and the minimum versions are those of the requirements."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
MODEL = [row for row in ROWS if len(row) == 5 and row[0] not in ("party", "---")]
VERSIONS = {row[0]: row[1] for row in ROWS if len(row) == 3 and row[0] not in ("package", "---")}
PARTIES = ("controller", "inventory", "managed host", "owner of the web root", "vendor", "DNS provider", "CA")


@pytest.mark.parametrize("row", MODEL, ids=lambda row: row[4].rpartition("::")[2])
def test_each_line_names_an_existing_test(row: list[str]) -> None:
    path, _separator, name = row[4].partition("::")
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert all(row)


def test_every_party_has_a_line() -> None:
    assert {*PARTIES, "network"} <= {row[0] for row in MODEL}


def test_minimum_versions_are_required() -> None:
    requirements = (ROOT / "meta" / "ee-requirements.txt").read_text()
    required = dict(re.findall(r"^([\w-]+)>=([\d.]+)$", requirements, re.MULTILINE))
    assert required == {name: version for name, version in VERSIONS.items() if name not in ("ansible-core", "Jinja2")}
    readme = (ROOT / "README.md").read_text()
    assert [name for name in required if f"'{name}>={required[name]}'" not in readme] == []
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert runtime["requires_ansible"] == f">={VERSIONS['ansible-core'].split(',')[0]}"
