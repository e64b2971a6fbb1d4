# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Escaping of untrusted text for terminals, logs and reports."""

from __future__ import annotations

import unicodedata

LIMIT = 500
# Control characters, formats (including bidirectional overrides and zero-width characters), surrogates, private use,
# unassigned characters, and the separators that some programs treat as line ends.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LINES = {ord(character): " " for character in "\r\n\t"}


def printable(text: str, limit: int = LIMIT) -> str:
    """One line of at most `limit` characters: line ends become spaces, unsafe characters become escape sequences."""
    line = " ".join(text[: 4 * limit].split())
    return shortened("".join(map(_escaped, line)), limit)


def escaped_lines(text: str) -> str:
    """The text with unsafe characters escaped, except line ends and tabs."""
    if text.translate(_LINES).isprintable():  # the usual case; faster for the many texts of a catalogue
        return text
    return "".join(character if character in "\r\n\t" else _escaped(character) for character in text)


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")
