# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intents and journal of LEI purchases, in a directory of the controller because an LEI belongs to no host.

A legal entity has up to two files. The intent exists while a purchase is under way or its outcome is unknown. The
journal contains the entity's last order. A lock on the directory permits one purchasing run at a time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import typing as t

from .._core.errors import host_error
from .._host import directory_lock, files

FORMAT = 1
LOCK_SECONDS = 600.0  # covers purchases of other entities and a settle time
_INTENT, _JOURNAL = ".intent.json", ".order.json"


@dataclasses.dataclass(frozen=True)
class Entity:
    """The legal entity of a purchase: an LEI number for a renewal, a company for a first purchase."""

    api: str  # each API, such as the sandbox, has its own orders
    name: str  # for messages
    lei_number: str = ""
    jurisdiction: str = ""
    registration_id: str = ""
    legal_name: str = ""
    place: tuple[str, ...] = ()  # city, postal code, country: the entity fields in an order's status

    def same(self, other: Entity) -> bool:
        """True if both have the same LEI, or the same registration or legal name in one jurisdiction."""
        if self.api != other.api:
            return False
        if self.lei_number or other.lei_number:
            return self.lei_number == other.lei_number
        registered = self.registration_id == other.registration_id != ""
        named = self.legal_name == other.legal_name != ""
        return self.jurisdiction == other.jurisdiction and (registered or named)

    def at(self, other: Entity) -> bool:
        """True if both are companies at one address, so that their orders look alike."""
        return self.api == other.api and self.place == other.place != ()


@dataclasses.dataclass(frozen=True)
class Record:
    """An intent or, with an order, an entry of the journal."""

    entity: Entity
    created: float  # seconds since the epoch
    newest: int  # the largest order id that the account listed before the purchase
    flagged: bool = False  # abandon_intent was set
    order_id: int | None = None


class LeiJournal:
    """The records in one directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    @contextlib.contextmanager
    def locked(self, sleep: t.Callable[[float], None]) -> t.Iterator[None]:
        """Let one run at a time buy LEIs."""
        with files.os_errors_as_sentences():
            files.make_directory(self._directory, 0o700)
            with directory_lock.locked(self._directory, sleep, LOCK_SECONDS):
                yield

    def intent(self, entity: Entity) -> Record | None:
        """Return this entity's purchase that is under way or has an unknown outcome."""
        return self._find(entity, _INTENT)

    def order(self, entity: Entity) -> Record | None:
        """The last order of this entity."""
        return self._find(entity, _JOURNAL)

    def intents(self) -> list[Record]:
        """Return all purchases that are under way or have an unknown outcome."""
        return [record for _path, record in self._records(_INTENT)]

    def orders(self) -> list[Record]:
        """The last orders of all entities."""
        return [record for _path, record in self._records(_JOURNAL)]

    def write_intent(self, record: Record) -> None:
        """Record a purchase before it is made."""
        self._write(record, _INTENT)

    def write_order(self, record: Record) -> None:
        """Record the purchased order, and remove the intent."""
        self._write(record, _JOURNAL)
        self.remove_intent(record.entity)

    def remove_intent(self, entity: Entity) -> None:
        """Remove the intent of a purchase that failed or is in the journal."""
        with files.os_errors_as_sentences():
            for path, record in self._records(_INTENT):
                if record.entity.same(entity):
                    files.remove(path)

    def _find(self, entity: Entity, ending: str) -> Record | None:
        found = [record for _path, record in self._records(ending) if record.entity.same(entity)]
        return max(found, key=lambda record: record.created) if found else None

    def _write(self, record: Record, ending: str) -> None:
        entity = record.entity
        identity = "|".join((entity.api, entity.lei_number, entity.jurisdiction, entity.registration_id))
        path = os.path.join(self._directory, hashlib.sha256(identity.encode()).hexdigest()[:20] + ending)
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(record)}, sort_keys=True) + "\n"
        with files.os_errors_as_sentences():
            files.replace_file(path, text.encode(), files.PRIVATE)

    def _records(self, ending: str) -> list[tuple[str, Record]]:
        with files.os_errors_as_sentences():
            if not os.path.isdir(self._directory):
                return []
            names = [name for name in sorted(os.listdir(self._directory)) if name.endswith(ending)]
            paths = [os.path.join(self._directory, name) for name in names if not name.startswith(".")]
            return [(path, _read(path, contents)) for path in paths if (contents := files.read(path)) is not None]


def _read(path: str, contents: bytes) -> Record:
    """Parse a record. Fail if it is invalid, because ignoring it could cause a second purchase."""
    try:
        fields = json.loads(contents)
        if fields.pop("format") != FORMAT:
            raise ValueError("format")
        entity = fields.pop("entity")
        return Record(Entity(**{**entity, "place": tuple(entity["place"])}), **fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise host_error(
            f"{path}: not a record of this collection. Look up the LEI orders in the account, then remove the file."
        ) from None
