# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detects existing DNS records that conflict with a record to publish. Pure."""

from __future__ import annotations

import re
import typing as t

from .comparison import holds
from .records import Record
from .resolver import Answer, shown

# Prefix of the target of a Sectigo DCV record: the CSR's SHA-256 in two labels (API reference 8.2).
_CHECKSUMS = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{32}\.")


class RecordState(t.NamedTuple):
    """The current state of a record's name."""

    published: bool = False  # on all servers, with the expected value
    problem: str = ""  # why it cannot be published
    replaced: tuple[str, ...] = ()  # values of old DCV records to remove first
    cached_seconds: int = 0  # seconds for which resolvers may not see a new record


def evaluate_record(
    record: Record, answers: t.Sequence[Answer], ours: t.Collection[tuple[str, str, str]]
) -> RecordState:
    """Evaluate the servers' answers for a record to publish.

    A CNAME excludes other records, so another one conflicts unless it is an old DCV record. TXT records can coexist.
    """
    conclusive = [answer for answer in answers if answer.outcome.conclusive]
    if conclusive and all(holds(record.type, record.value, one.values) and not one.aliases for one in conclusive):
        return RecordState(published=len(conclusive) == len(answers))
    for answer in conclusive:
        if record.type == "TXT" and answer.aliases:
            target = answer.aliases[0].target
            return RecordState(
                problem=f"{answer.server} has {record.name} as an alias of {target}, so that no {record.type} record"
                f" is possible there. Publish at its target: gogetssl_dns_alias: {{{record.name}: {target}}}."
            )
        if record.type == "CNAME" and answer.values and not holds("CNAME", record.value, answer.values):
            old = tuple(value for value in answer.values if is_old_dcv_record(record, value, ours))
            if old != answer.values:
                return RecordState(
                    problem=f"{answer.server} has {shown(answer.values)} as {record.type} of {record.name}, where"
                    f" {record.value!r} is required. Remove it, or give the name an alias (gogetssl_dns_alias)."
                )
            return RecordState(replaced=old)
    return RecordState()


def cached_seconds(record: Record, answers: t.Sequence[Answer]) -> int:
    """Return the seconds for which resolvers may return a cached answer after the record is created.

    The cached answer is what the servers return now: other values, or a negative answer.
    """
    return max(
        (_ttl_of(answer) for answer in answers if not holds(record.type, record.value, answer.values)), default=0
    )


def _ttl_of(answer: Answer) -> int:
    if not answer.outcome.conclusive:
        return 0
    if answer.values:
        return answer.ttl or 0
    return answer.soa.negative_ttl if answer.soa else 0  # RFC 2308


def is_old_dcv_record(record: Record, value: str, ours: t.Collection[tuple[str, str, str]]) -> bool:
    """True if the value is that of an old DCV record: one noted by this collection, or one for the same CA."""
    ca_domain = record.value.lower().rsplit(".", 2)[-2:]
    return (record.name, record.type, value) in ours or (
        bool(_CHECKSUMS.match(value)) and value.rsplit(".", 2)[-2:] == ca_domain
    )
