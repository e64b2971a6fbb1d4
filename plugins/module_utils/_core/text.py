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
_COMMON = 0x3000  # characters below are remembered


def printable(text: str, limit: int = LIMIT) -> str:
    """One line of at most `limit` characters: line ends become spaces, unsafe characters become escape sequences."""
    line = " ".join(text[: 4 * limit].split())
    return shortened("".join(map(_escaped, line)), limit)


def escaped_lines(text: str) -> str:
    """The text with unsafe characters escaped, except line ends and tabs."""
    if text.translate(_LINES).isprintable():  # the usual case; faster for the many texts of a catalogue
        return text
    return text.translate(_ESCAPES)  # needs no memory for each character


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")


class _Escapes(dict[int, str]):
    """What replaces each character, except line ends and tabs."""

    def __missing__(self, code: int) -> str:
        found = chr(code) if code in _LINES else _escaped(chr(code))
        if code < _COMMON:
            self[code] = found
        return found


_ESCAPES = _Escapes()
