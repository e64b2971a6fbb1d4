# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares the answers of a zone's servers with an expected record. Pure."""

from __future__ import annotations

import typing as t

from .wire import Answer, Outcome


def compare_record(kind: str, expected: str, answers: t.Sequence[Answer]) -> Comparison:
    """Return which servers lack a record and which did not answer. Names are case-insensitive, TXT values are not."""
    lagging, silent = [], []
    for answer in answers:
        if not answer.outcome.conclusive:
            silent.append(answer)
        elif not holds(kind, expected, answer.values):
            lagging.append(answer)
    return Comparison(kind, expected, len(answers), tuple(lagging), tuple(silent))


def holds(kind: str, expected: str, values: t.Sequence[str]) -> bool:
    """True if the values of a name include the expected one. A CNAME has one target; TXT values can coexist."""
    if kind == "CNAME":
        return list(values) == [expected.rstrip(".").lower()]
    return expected in values


class Comparison(t.NamedTuple):
    """An expected record and the answers of the servers."""

    kind: str
    expected: str
    queried: int
    lagging: tuple[Answer, ...]
    silent: tuple[Answer, ...]

    @property
    def none_answered(self) -> bool:
        return len(self.silent) == self.queried

    @property
    def problem(self) -> str:
        """Return the servers without the record, as a sentence; empty if every server that answers has it."""
        parts = []
        for answer in self.lagging:
            instead = f" instead of {self.expected!r}" if answer.values else ""
            parts.append(f"{answer.sentence}{instead}")
        return "; ".join(parts) + "." if parts else ""

    @property
    def silence(self) -> str:
        """Return the servers that did not answer, as a sentence, except those without a route from this machine."""
        parts = [answer.sentence for answer in self.silent if answer.outcome is not Outcome.NO_ROUTE]
        return "; ".join(parts) + "." if parts else ""
