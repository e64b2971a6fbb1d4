# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCV records in the publishers' format. Pure: other modules find zones and create records.

Records are written to an operator's zone, so names and values from every source are validated here.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from .._api.validations import DNS_NAME, TXT_VALUE
from .._core import names, stored
from .._core.errors import GogetsslError, host_error, input_error
from .._core.names import within

DEFAULT_TTL = 60
TYPES = ("CNAME", "TXT")
MAX_TTL = 86400
MAX_NOTED = 20  # records of one name in the notes of a host: one for each CSR of an order that is not issued yet
PUBLISHER_SPEC: dict[str, t.Any] = {  # the options of every task that publishes records
    "records": {"type": "list", "elements": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "verify_only": {"type": "bool", "default": False},
}


@dataclasses.dataclass(frozen=True)
class Record:
    """One value of one name. `provider` and `order_id` identify the publisher and the order."""

    zone: str
    name: str
    type: str
    value: str
    ttl: int = DEFAULT_TTL
    order_id: int = 0
    provider: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of the record in the DNS."""
        return self.name, self.type, self.value if self.type == "TXT" else self.value.lower()

    @property
    def relative(self) -> str:
        """The name relative to its zone; @ at the apex."""
        return self.name[: -len(self.zone) - 1] if self.name != self.zone else "@"

    def __str__(self) -> str:
        return f"{self.name} {self.type} {self.value}"


def as_result(record: Record) -> dict[str, str]:
    """Return a record in the result format of the tasks that create and remove records."""
    return {"zone": record.zone, "name": record.name, "type": record.type, "value": record.value}


def checked(record: Record) -> Record:
    """Return the record; an input error if it is outside its zone or has an invalid type, name, value or TTL."""
    if record.type not in TYPES:
        raise input_error(f"{record.name}: a DCV record has the type {' or '.join(TYPES)}, not {record.type[:20]!r}.")
    for what, name in (("zone", record.zone), ("name", record.name)):
        if not DNS_NAME.match(name) or len(name) > 253:
            raise input_error(f"{name[:120]!r} is not allowed as the {what} of a DNS record.")
    if not within(record.name, record.zone):
        raise input_error(f"{record.name} is not inside the zone {record.zone}; see gogetssl_dns_zones.")
    fits = TXT_VALUE.match(record.value) if record.type == "TXT" else DNS_NAME.match(record.value)
    if not fits:
        raise input_error(
            f"{record.name}: {record.value[:120]!r} is not allowed as the value of a {record.type} record."
        )
    if not 1 <= record.ttl <= MAX_TTL:
        raise input_error(f"{record.name}: ttl must be 1 to {MAX_TTL} seconds, not {record.ttl}.")
    return record


def grouped(records: t.Iterable[Record]) -> list[dict[str, t.Any]]:
    """Group records in the publishers' format: one item per name and type, with all its values."""
    items: dict[tuple[str, str, str], dict[str, t.Any]] = {}
    for record in records:
        item = items.setdefault(
            (record.provider, record.name, record.type),
            {
                "zone": record.zone,
                "name": record.name,
                "record": record.relative,
                "type": record.type,
                "value": record.value,
                "values": [],
                "ttl": record.ttl,
                "provider": record.provider,
            },
        )
        if record.value not in item["values"]:
            item["values"].append(record.value)
    return list(items.values())


def read_records(given: t.Iterable[t.Mapping[str, t.Any]]) -> list[Record]:
    """Read an option in that format: one record per value. Unknown keys are ignored."""
    records: dict[tuple[str, str, str], Record] = {}
    for item in given:
        name, zone, kind = (str(item.get(key) or "").strip().rstrip(".") for key in ("name", "zone", "type"))
        values = item.get("values") or [item.get("value") or ""]
        if not isinstance(values, list):
            raise input_error(f"{name[:120]!r}: values must be a list.")
        for value in values:
            try:
                ttl = int(item.get("ttl") or DEFAULT_TTL)
            except (TypeError, ValueError):
                raise input_error(f"{name[:120]!r}: ttl must be a number of seconds.") from None
            text = str(value) if kind.upper() == "TXT" else str(value).rstrip(".").lower()
            record = checked(Record(zone.lower(), name.lower(), kind.upper(), text, ttl))
            records.setdefault(record.key, record)
    return list(records.values())


def read_alias(given: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """Read the option `alias`: certificate name -> name where its DCV records are published instead."""
    return {_base(str(name)): _base(str(target)) for name, target in (given or {}).items()}


def read_zones(given: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """Read the option `zones`: name -> zone of that name and all names below it."""
    zones = {_base(str(name)): _base(str(zone)) for name, zone in (given or {}).items()}
    for name, zone in zones.items():
        if not within(name, zone):
            raise input_error(f"zones: {name} is not inside {zone}.")
    return zones


def given_zone(zones: t.Mapping[str, str], name: str) -> str | None:
    """Return a name's zone from the option `zones`, by the longest matching key."""
    fitting = [key for key in zones if within(name, key)]
    return zones[max(fitting, key=len)] if fitting else None


def place_of(alias: t.Mapping[str, str], name: str, record: str) -> str:
    """Return the name where a certificate name's record is published: its own, or that of its alias."""
    return alias.get(record) or alias.get(names.base(name)) or record


def _base(name: str) -> str:
    return names.base(names.canonical(name))


def find_clashes(records: t.Sequence[Record]) -> dict[str, tuple[str, ...]]:
    """Return names that would get several CNAME targets, because certificate names share an alias."""
    values: dict[str, dict[str, None]] = {}
    for record in records:
        if record.type == "CNAME":
            values.setdefault(record.name, {})[record.value] = None
    return {name: tuple(found) for name, found in values.items() if len(found) > 1}


def dump(records: t.Iterable[Record]) -> str:
    """Return records in the format of the host's notes."""
    entries = [dataclasses.asdict(record) for record in records]
    return json.dumps({"format": stored.FORMAT, "records": entries}, sort_keys=True)


def load(text: str, where: str) -> list[Record]:
    """Read records from the host's notes; a host error for an invalid note."""
    try:
        return [_noted(stored.build(Record, entry)) for entry in stored.load(text)["records"]]
    except (ValueError, TypeError, KeyError, GogetsslError):
        raise host_error(
            f"{where} on the host cannot be read as a note of published DNS records. Check whether the records"
            " in it still exist, then remove it."
        ) from None


def of_names(noted: t.Iterable[Record], names_: t.Iterable[str], alias: t.Mapping[str, str]) -> list[Record]:
    """Return the noted records that these names of certificates can have had. A host can note those of any name.

    Very many would hold the run, so only the last ones of each name are returned.
    """
    bases = {_base(name) for name in names_}
    places = {target: key for key, target in alias.items() if key in bases or _owner(key) in bases}
    found: dict[str, list[Record]] = {}
    for record in noted:
        owner = record.name if record.type == "TXT" else _owner(record.name)
        if record.name in places or owner in bases:
            found.setdefault(places.get(record.name, owner), []).append(record)
    return [record for own in found.values() for record in own[-MAX_NOTED:]]


def _owner(name: str) -> str:
    """The certificate name of a record's name."""
    return name.partition(".")[2] if name.startswith("_") else name


def _noted(record: Record) -> Record:
    """Return the record; a ValueError if it is no DCV record, so that a host cannot remove other records of a zone."""
    ours = _TXT_TOKEN if record.type == "TXT" else _CA_NAME
    if not ours.match(record.value) or not _PROVIDER.match(record.provider):
        raise ValueError("record")
    return checked(record)


_TXT_TOKEN = re.compile(r"_?[A-Za-z0-9]{1,128}\Z")
_CA_NAME = re.compile(r"([A-Za-z0-9_-]+\.)+(comodoca|sectigo)\.com\Z", re.IGNORECASE | re.ASCII)
_PROVIDER = re.compile(r"[A-Za-z0-9_.-]{0,64}\Z")  # part of a file name
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def written(record: Record) -> str:
    """Return a record's value in zone file format. Values that need escapes have been refused before."""
    return f'"{record.value}"' if record.type == "TXT" else f"{record.value.rstrip('.')}."


def plain(kind: str, content: str) -> str:
    """Return the value of a zone file entry."""
    if kind == "TXT":
        return "".join(re.sub(r"\\(.)", r"\1", part) for part in _QUOTED.findall(content)) or content
    return content.rstrip(".").lower()
