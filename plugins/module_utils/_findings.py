# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands at the name of a DNS record that is to be published, and whether it is in the way. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ._dns import Answer, holds, shown
from ._records import Record

# How the target of a Sectigo proof begins: the request's SHA-256 in two labels (API reference 8.2).
_CHECKSUMS = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{32}\.")


class Finding(t.NamedTuple):
    """What stands at a record's name now."""

    there: bool = False  # everywhere and as wished for
    problem: str = ""  # why it cannot be published
    replaced: tuple[str, ...] = ()  # values of old proofs of ours that have to go first
    remembered: int = 0  # seconds for which resolvers may not see what is made now


def weigh(record: Record, answers: t.Sequence[Answer], ours: t.Collection[tuple[str, str, str]]) -> Finding:
    """What the servers' words on a name mean for a record that is to be published there.

    An alias can stand at a name alone, so another one is in the way unless it is an old proof. Texts can share a name.
    """
    telling = [answer for answer in answers if answer.outcome.tells]
    if telling and all(holds(record.type, record.value, one.values) and not one.aliases for one in telling):
        return Finding(there=len(telling) == len(answers))
    for answer in telling:
        if record.type == "TXT" and answer.aliases:
            target = answer.aliases[0].target
            return Finding(
                problem=f"{answer.server} has {record.name} as an alias of {target}, so that no {record.type} record"
                f" can stand there. Publish at its target: gogetssl_dns_alias: {{{record.name}: {target}}}."
            )
        if record.type == "CNAME" and answer.values and not holds("CNAME", record.value, answer.values):
            old = tuple(value for value in answer.values if is_old_proof(record, value, ours))
            if old != answer.values:
                return Finding(
                    problem=f"{answer.server} has {shown(answer.values)} as {record.type} of {record.name}, where"
                    f" {record.value!r} is to stand. Remove it, or give the name an alias (gogetssl_dns_alias)."
                )
            return Finding(replaced=old)
    return Finding()


def remembered(record: Record, answers: t.Sequence[Answer]) -> int:
    """Seconds for which a resolver that asked before may go on saying what is not so any more once the record is made.

    What it may have learnt is what the servers say now: other values, or that there is no such record.
    """
    return max(
        (_ttl_of(answer) for answer in answers if not holds(record.type, record.value, answer.values)), default=0
    )


def _ttl_of(answer: Answer) -> int:
    if not answer.outcome.tells:
        return 0
    if answer.values:
        return answer.ttl or 0
    return answer.soa.negative_ttl if answer.soa else 0  # RFC 2308


def is_old_proof(record: Record, value: str, ours: t.Collection[tuple[str, str, str]]) -> bool:
    """True if a value in a record's place is a proof of the past: one we noted, or one for the same authority."""
    authority = record.value.lower().rsplit(".", 2)[-2:]
    return (record.name, record.type, value) in ours or (
        bool(_CHECKSUMS.match(value)) and value.rsplit(".", 2)[-2:] == authority
    )
