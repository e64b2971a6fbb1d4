# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several hosts that wish for the same certificate: nobody buys before somebody has chosen who does.

Two runs with two keys look like two certificates to the vendor, so only the wishes themselves can tell. They are looked
at where something is to be bought and nowhere else.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import typing as t

from . import _names
from ._errors import GogetsslError
from ._wanted import Wanted

_HOSTS_NAMED = 4
_ALL = "all"


class Wish(t.NamedTuple):
    """What one host would buy."""

    host: str
    common_name: str
    product: str


class Board:
    """What the hosts of a play wish for, a file for each common name in the run's own temporary directory.

    It takes a fleet's variables to fill it, which costs some milliseconds for each host. So the first one that has to
    buy something fills it for all, or a roll-out would cost the square of the fleet. Each batch adds its own hosts once
    more, as wishes in the play itself are known only of hosts that have begun to work.
    """

    def __init__(self, directory: str, read: t.Callable[[t.Sequence[str]], t.Iterable[Wish]]) -> None:
        self._directory, self._read = directory, read

    def fill(self, hosts: t.Sequence[str], batch: t.Sequence[str]) -> None:
        """Put up the wishes of all hosts and those of a batch, if nobody has done so."""
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        mark = os.path.join(self._directory, "batch-" + hashlib.sha256("\n".join(batch).encode()).hexdigest())
        if os.path.exists(mark):
            return
        with self._locked():
            if os.path.exists(mark):
                return
            everybody = os.path.join(self._directory, _ALL)
            self.put_up(self._read(batch if os.path.exists(everybody) else hosts))
            for done in (everybody, mark):  # last, so that what was interrupted is done again
                with open(done, "w", encoding="utf-8"):
                    pass

    def put_up(self, wishes: t.Iterable[Wish]) -> None:
        """Add wishes; a line is written in one go, so that others may do the same."""
        for wish in wishes:
            path = self._path(wish.common_name)
            if path is not None:
                line = (json.dumps(wish) + "\n").encode()
                handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    os.write(handle, line)
                finally:
                    os.close(handle)

    def wishes(self, common_name: str) -> list[Wish]:
        """All that were put up for a name."""
        path = self._path(common_name)
        if path is None or not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as stream:
            return [Wish(*json.loads(line)) for line in stream]

    def _path(self, common_name: str) -> str | None:
        try:
            name = _names.canonical(common_name)
        except GogetsslError:  # not a name; its host will be told
            return None
        return os.path.join(self._directory, "name-" + hashlib.sha256(name.encode()).hexdigest())

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        lock = os.open(os.path.join(self._directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def rivals(wanted: Wanted, others: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The other hosts that would buy the same certificate; none if somebody has chosen who orders it.

    `others` are the wishes of the other hosts of the play: host, common_name, product.
    """
    if wanted.order_host is not None:
        return []
    return sorted({str(one.get("host")) for one in others if _is_same(wanted, one)})


def others(board: Board, wanted: Wanted, host: str) -> list[dict[str, t.Any]]:
    """What the other hosts wish for under this name; they see this host's wish from now on, whatever they do."""
    board.put_up([Wish(host, wanted.common_name, wanted.product)])
    return [wish._asdict() for wish in board.wishes(wanted.common_name) if wish.host != host]


def listed(hosts: t.Sequence[str]) -> str:
    """A few hosts by name, the others by their number."""
    shown, more = hosts[:_HOSTS_NAMED], len(hosts) - _HOSTS_NAMED
    return f"{', '.join(shown)} and {more} more hosts" if more > 0 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _is_same(wanted: Wanted, other: t.Mapping[str, t.Any]) -> bool:
    """True if both would buy the same; a product's number and its name cannot be told to be two products."""
    try:
        if _names.canonical(str(other.get("common_name"))) != wanted.common_name:
            return False
    except GogetsslError:  # not a name; that host will be told
        return False
    ours, theirs = wanted.product.casefold(), str(other.get("product")).strip().casefold()
    return ours == theirs or ours.isdigit() != theirs.isdigit()
