# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code, messages and documentation use the terms of TLS and Ansible, and one name has one meaning.

A failure names the file, the line, the word, and the terms to use instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("plugins", "roles", "playbooks", "docs")
FILES = sorted(
    [
        *(ROOT / name for name in ("README.md", "SECURITY.md", "galaxy.yml")),
        *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yml", ".md")),
    ]
)

# Words that must not occur, also as parts of identifiers, and their replacements.
WORDS = {
    "wish|wishes|wished": "requested, desired; the object is a certificate spec",
    "told|tell|tells|telling|said|say|says|saying|heard|hear|hears": "returned, reported, recorded, known",
    "ask|asks|asked|asking|asker|askers": "requested, queried",
    "authority|authorities": "CA",
    "stands|standing|lies": "is, exists, is stored",
    "nobody|somebody|everybody|people": "the role: another run, another host, an operator",
    "mend|mends|mended|way out": "fix, remedy",
    "weigh|weighs|weighed|weighing": "plan, dry run",
    "judge|judges|judged|judging|judgement|judgment": "evaluate, decide",
    "grounded|polled|proven|unseen": "what it holds, for example held_back or not_visible",
    "proof|proofs": "validations, DCV files, DCV records",
    "errand|errands": "manual steps",
    "stranger|strangers": "unknown services",
    "patience|patient|patiently": "timeout",
    "memories|forget|forgets|forgetful|forgot|forgotten": "negative TTL, a cached answer; removed",
    "farewell": "removal report",
    "leftover|leftovers": "files left by an interrupted run",
    "go back|goes back|went back|way back|put back|puts back": "roll back, rollback",
    "made up|make up|makes up|made by": "generated, created",
    "desk|purse|rival|rivals|sighting|sightings|departure": "context, funds, conflicting hosts, probe result",
    "dear|dearer|lean|leaner": "the amount: costs more than",
}
# Ordinary uses: the user of Unix, the parts of a DNS message and of a URL, the forum.
ORDINARY = re.compile(
    r"user \W*nobody|V\(nobody\)|\bNOBODY\b|getpwnam\(\"nobody\"\)"
    r"|message\.authority|authority, slash|authority\.rpartition|Ask questions in the \[Ansible forum\]"
)
# The role registers this variable; it is renamed with the tasks that use it.
PENDING = re.compile(r"__gogetssl_polled")
DEFINITION = re.compile(r"^\s*(?:class|def|async def) (Found|World|Look|Wish|Case|Board|look|judge|listed)\b")
PATTERNS = {
    re.compile(rf"(?<![A-Za-z])(?:{words.replace(' ', '[ _]')})(?![A-Za-z])", re.IGNORECASE): use
    for words, use in WORDS.items()
}


def old_words(text: str) -> Iterator[str]:
    """Each old word of a text with its line and its replacement."""
    for number, line in enumerate(text.splitlines(), 1):
        line = PENDING.sub("", ORDINARY.sub("", line))
        for pattern, use in PATTERNS.items():
            yield from (f"line {number}: {match.group()!r}; use {use}" for match in pattern.finditer(line))
        definition = DEFINITION.match(line)
        if definition:
            yield f"line {number}: {definition.group(1)} is too general a name"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_old_words(path: Path) -> None:
    assert list(old_words(path.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "the authority is asked",
        "nobody_answered = 1",
        "ASKERS = 16",
        "def _look_up(): wish = 1",
        "the file lies in the directory",
        "puts back the old version",
        "def look(self):",
        "class Found:",
        "-> told: str",
    ],
)
def test_old_words_are_found(line: str) -> None:
    assert list(old_words(line))


@pytest.mark.parametrize(
    "line", ["it changes to the user `nobody`", "lookup(name)", "task", "gear", "weighted", "clean", "requested"]
)
def test_ordinary_words_are_not(line: str) -> None:
    assert list(old_words(line)) == []
