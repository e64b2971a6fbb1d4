# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/api-coverage.md lists all API methods, and everything that it names exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("flask")
from tests.emulator import routes

ROOT = Path(__file__).resolve().parents[2]
MODULES = {path.stem.removeprefix("gogetssl_") for path in (ROOT / "plugins" / "modules").glob("gogetssl_*.py")}
UNUSED = "not used: "


class Row(NamedTuple):
    number: str
    method: str
    module: str
    emulator: str
    test: str

    @property
    def path(self) -> str:
        return self.method.partition("`")[2].strip("`")

    @property
    def stem(self) -> str:
        """The path as written in code, without the ID."""
        return self.path.partition("<")[0].rstrip("/")

    @property
    def named(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.module)


def rows() -> list[Row]:
    lines = (ROOT / "docs" / "api-coverage.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [Row(*cells) for cells in table if cells[0].isdigit()]


ROWS = rows()
each = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.method.replace("`", ""))


def test_the_table_matches_the_emulator() -> None:
    known = [
        (
            str(route.number),
            f"{route.verbs} `{route.path}`",
            f"`{route.handler.__module__.rpartition('.')[2]}.{route.handler.__name__}`",
        )
        for route in routes.ROUTES
    ]
    assert [(row.number, row.method, row.emulator) for row in ROWS] == known


@each
def test_no_cell_is_empty(row: Row) -> None:
    assert all(row)


@each
def test_module_and_option_exist(row: Row) -> None:
    if row.module.startswith(UNUSED):
        assert len(row.module) > len(UNUSED)
        return
    module, *options = row.named
    assert module in MODULES
    task = importlib.import_module(f"ansible_collections.certops.gogetssl.plugins.module_utils._tasks.{module}").TASK
    assert set(options) <= set(task.argument_spec)


@each
def test_the_named_test_covers_the_method(row: Row) -> None:
    text = (ROOT / row.test.strip("`")).read_text(encoding="utf-8")
    if row.module.startswith(UNUSED):
        assert row.stem in text
    else:
        assert re.search(rf"\b_?{row.named[0]}\.TASK\b", text)


@each
def test_the_collection_uses_the_path(row: Row) -> None:
    files = sorted((ROOT / "plugins" / "module_utils" / "_api").glob("*.py"))
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    pattern = '"' + re.escape(row.stem) + '[/"]'
    assert bool(re.search(pattern, sources)) != row.module.startswith(UNUSED)
