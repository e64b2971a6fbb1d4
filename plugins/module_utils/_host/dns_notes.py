# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notes of published DNS records on a host: one small file per order, next to the certificates' directories.

A note is written before its records are created and removed after they are deleted, so that the next run knows every
record of an interrupted run. A note contains no secrets.
"""

from __future__ import annotations

import shlex
import typing as t

from .._core.shell import Shell, output
from .._dns import records as _records
from .._dns.records import Record
from .files import LARGEST

# No certificate can have a name that begins with a dot.
_PREFIX, _SUFFIX = ".dns-", ".json"


# Part of the inspection script: reports whether a note exists.
EXISTS = f'for f in "$d"/{_PREFIX}*{_SUFFIX}; do [ ! -e "$f" ] || {{ show published; break; }}; done\n'


def read(shell: Shell, directory: str) -> list[Record]:
    """Return all records noted on the host."""
    script = f"""
for f in {shlex.quote(directory)}/{_PREFIX}*{_SUFFIX}; do
  [ ! -e "$f" ] || [ -f "$f" ] && [ ! -L "$f" ] || exit 1
  [ ! -e "$f" ] || head -c {LARGEST} "$f" || exit 1
done
exit 0
"""
    text = output(shell(script), "Reading the notes of published DNS records")
    lines = text.splitlines() if len(text) <= LARGEST else [text]  # more than all notes of a host; refused
    return [record for line in lines if line.strip() for record in _records.load(line, directory)]


def write(shell: Shell, directory: str, order_id: int, records: t.Iterable[Record]) -> None:
    """Write the note of an order atomically."""
    script = f"""
umask 022
d={shlex.quote(directory)}
mkdir -p "$d" && t="$d/.new-dns.$$" && printf '%s\\n' {shlex.quote(_records.dump(records))} > "$t" || exit 1
sync "$t" 2>/dev/null || sync
mv -f "$t" "$d/{_PREFIX}{order_id}{_SUFFIX}"
"""
    output(shell(script), f"Noting the DNS records of order {order_id} in {directory}")


def remove(shell: Shell, directory: str, order_ids: t.Iterable[int]) -> None:
    """Remove the notes of these orders."""
    paths = " ".join(shlex.quote(f"{directory}/{_PREFIX}{order_id}{_SUFFIX}") for order_id in order_ids)
    output(shell(f"rm -f {paths}"), f"Removing notes of published DNS records in {directory}")
