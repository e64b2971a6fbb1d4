# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notes of published DNS records on a host: one small file for each order, beside the certificates' directories.

A note is written before its records are made and goes after they are gone, so that every record of a killed run is
known to the next one. Nothing in it is secret.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import shlex
import typing as t

from . import _records
from ._records import Record
from ._shell import Shell, output

# No certificate can have a name that begins with a dot.
_PREFIX, _SUFFIX = ".dns-", ".json"


# Part of the inspection: shows whether there is a note.
EXISTS = f'for f in "$d"/{_PREFIX}*{_SUFFIX}; do [ ! -e "$f" ] || {{ show published; break; }}; done\n'


def read(shell: Shell, directory: str) -> list[Record]:
    """All records noted on the host."""
    script = f"""
for f in {shlex.quote(directory)}/{_PREFIX}*{_SUFFIX}; do
  [ ! -e "$f" ] || cat "$f" || exit 1
done
exit 0
"""
    text = output(shell(script), "Reading the notes of published DNS records")
    return [record for line in text.splitlines() if line.strip() for record in _records.load(line, directory)]


def write(shell: Shell, directory: str, order_id: int, records: t.Iterable[Record]) -> None:
    """The note of an order, whole or not at all."""
    script = f"""
umask 022
d={shlex.quote(directory)}
mkdir -p "$d" && t="$d/.new-dns.$$" && printf '%s\\n' {shlex.quote(_records.dump(records))} > "$t" || exit 1
sync "$t" 2>/dev/null || sync
mv -f "$t" "$d/{_PREFIX}{order_id}{_SUFFIX}"
"""
    output(shell(script), f"Noting the DNS records of order {order_id} in {directory}")


def remove(shell: Shell, directory: str, order_ids: t.Iterable[int]) -> None:
    """The notes of these orders go."""
    paths = " ".join(shlex.quote(f"{directory}/{_PREFIX}{order_id}{_SUFFIX}") for order_id in order_ids)
    output(shell(f"rm -f {paths}"), f"Removing notes of published DNS records in {directory}")
