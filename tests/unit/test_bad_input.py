# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of bad input and of purchases in the documentation name existing tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = {"Bad input": 8, "Purchases": 11}  # number of rows


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def rows_of(title: str) -> list[str]:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    table = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line for line in table.splitlines() if line.startswith("| ")][2:]


@pytest.mark.parametrize("title", TABLES)
def test_the_documented_tests_exist(title: str) -> None:
    rows = rows_of(title)
    assert len(rows) == TABLES[title]
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for path, test in named:
            assert test in names_in(path), f"{path}::{test}"


def test_the_documented_mutations_exist() -> None:
    mutations = [name for row in rows_of("Purchases") for name in re.findall(r"\| `(\w+)` \|$", row)]
    tests = ROOT / "tests" / "chaos"
    text = "".join((tests / f"test_{name}.py").read_text(encoding="utf-8") for name in ("mutation", "leis"))
    assert len(mutations) == 7
    for mutation in mutations:
        assert f"def {mutation}(" in text, mutation
