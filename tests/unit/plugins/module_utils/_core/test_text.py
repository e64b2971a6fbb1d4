# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tracemalloc

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.text import escaped_lines, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("Gültig für 中文", "Gültig für 中文"),
        ("two\nlines\tand\r\nmore", "two lines and more"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u202eb\u2066c\u200fd\u200be", r"a\u202eb\u2066c\u200fd\u200be"),
        ("\ud800", r"\ud800"),
        ("x" * 600, "x" * 497 + "..."),
    ],
)
def test_printable(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_line_ends_and_tabs_stay_where_they_are_wanted() -> None:
    assert escaped_lines("a\x1b\r\n\tb\u202e") == "a\\x1b\r\n\tb\\u202e"


@pytest.mark.parametrize("character", ["\x1b", "\u202e", "\U000e0001"])
def test_very_many_unsafe_characters_need_little_memory(character: str) -> None:
    """A host can send millions of them."""
    count = 200_000
    tracemalloc.start()
    try:
        escaped = escaped_lines(character * count)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert escaped == character.encode("unicode_escape").decode() * count
    assert peak < 5 * len(escaped)
