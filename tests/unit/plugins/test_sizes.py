# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes of files and functions. Docstrings, comments and blank lines of a file do not count."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
FILES = sorted(PLUGINS.rglob("*.py"))
MAX_FILE = 300  # code lines
MAX_FUNCTION = 40  # lines from the definition to the end
NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def lines_of_texts(tree: ast.Module) -> set[int]:
    """The lines of texts that are statements: docstrings."""
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    return {line for text in texts for line in range(text.lineno, (text.end_lineno or 0) + 1)}


def count_code_lines(source: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for one in tokens if one.type not in NO_CODE for line in range(one.start[0], one.end[0] + 1)}
    return len(lines - lines_of_texts(ast.parse(source)))


def long_functions(source: str) -> list[str]:
    functions = [one for one in ast.walk(ast.parse(source)) if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [one.name for one in functions if (one.end_lineno or 0) - one.lineno >= MAX_FUNCTION]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_files_and_functions_are_short(path: Path) -> None:
    source = path.read_text()
    documentation = path.parent.name in ("modules", "doc_fragments")  # texts in variables, not code
    assert documentation or count_code_lines(source) <= MAX_FILE
    assert long_functions(source) == []


def test_long_functions_are_detected() -> None:
    assert long_functions("def short():\n" + "    x = 1\n" * 39) == []
    assert long_functions("def long():\n" + "    x = 1\n" * 40) == ["long"]


def test_only_code_is_counted() -> None:
    assert count_code_lines('"""A docstring\n\nof three lines."""\n\n# A comment\nx = [\n    1,\n]\n') == 3
