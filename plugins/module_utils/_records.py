# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS records that prove control, as publishers take them. Pure: zones are found and records made elsewhere.

A record ends up in somebody's zone, so names and values are checked here whoever they come from.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from . import _names
from ._errors import GogetsslError, host_error, input_error
from ._names import within
from ._proofs import DNS_NAME, TXT_VALUE

FORMAT = 1
DEFAULT_TTL = 60
TYPES = ("CNAME", "TXT")
MAX_TTL = 86400
PUBLISHER_SPEC: dict[str, t.Any] = {  # what every task takes that publishes records
    "records": {"type": "list", "elements": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent", "checked"], "default": "present"},
}


@dataclasses.dataclass(frozen=True)
class Record:
    """One value of one name. `provider` and `order_id` say who published it, and for what."""

    zone: str
    name: str
    type: str
    value: str
    ttl: int = DEFAULT_TTL
    order_id: int = 0
    provider: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same record in the DNS."""
        return self.name, self.type, self.value if self.type == "TXT" else self.value.lower()

    @property
    def relative(self) -> str:
        """The name as seen from its zone, whose own is @."""
        return self.name[: -len(self.zone) - 1] if self.name != self.zone else "@"

    def __str__(self) -> str:
        return f"{self.name} {self.type} {self.value}"


def told(record: Record) -> dict[str, str]:
    """A record as the tasks return it that have made or removed it."""
    return {"zone": record.zone, "name": record.name, "type": record.type, "value": record.value}


def checked(record: Record) -> Record:
    """The record itself, or an input error if it could reach beyond what it is for."""
    if record.type not in TYPES:
        raise input_error(f"{record.name}: a proof is a record of type {' or '.join(TYPES)}, not {record.type[:20]!r}.")
    for what, name in (("zone", record.zone), ("name", record.name)):
        if not DNS_NAME.match(name) or len(name) > 253:
            raise input_error(f"{name[:120]!r} is refused as the {what} of a DNS record.")
    if not within(record.name, record.zone):
        raise input_error(f"{record.name} is not inside the zone {record.zone}; see gogetssl_dns_zones.")
    fits = TXT_VALUE.match(record.value) if record.type == "TXT" else DNS_NAME.match(record.value)
    if not fits:
        raise input_error(f"{record.name}: {record.value[:120]!r} is refused as the value of a {record.type} record.")
    if not 1 <= record.ttl <= MAX_TTL:
        raise input_error(f"{record.name}: a ttl is 1 to {MAX_TTL} seconds, not {record.ttl}.")
    return record


def grouped(records: t.Iterable[Record]) -> list[dict[str, t.Any]]:
    """Records as publishers take them: one item for each name and type, with all its values."""
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
    """The records in an option of this shape, one for each value; what is not needed is ignored."""
    records: dict[tuple[str, str, str], Record] = {}
    for item in given:
        name, zone, kind = (str(item.get(key) or "").strip().rstrip(".") for key in ("name", "zone", "type"))
        values = item.get("values") or [item.get("value") or ""]
        if not isinstance(values, list):
            raise input_error(f"{name[:120]!r}: values is a list.")
        for value in values:
            try:
                ttl = int(item.get("ttl") or DEFAULT_TTL)
            except (TypeError, ValueError):
                raise input_error(f"{name[:120]!r}: ttl is a number of seconds.") from None
            text = str(value) if kind.upper() == "TXT" else str(value).rstrip(".").lower()
            record = checked(Record(zone.lower(), name.lower(), kind.upper(), text, ttl))
            records.setdefault(record.key, record)
    return list(records.values())


def read_alias(given: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """The option `alias`: name of a certificate -> where its proofs are published instead."""
    return {_base(str(name)): _base(str(target)) for name, target in (given or {}).items()}


def read_zones(given: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """The option `zones`: name -> the zone that it and all names below it belong to."""
    zones = {_base(str(name)): _base(str(zone)) for name, zone in (given or {}).items()}
    for name, zone in zones.items():
        if not within(name, zone):
            raise input_error(f"zones: {name} is not inside {zone}.")
    return zones


def given_zone(zones: t.Mapping[str, str], name: str) -> str | None:
    """The zone that the option `zones` gives a name, by the longest of its keys that fits."""
    fitting = [key for key in zones if within(name, key)]
    return zones[max(fitting, key=len)] if fitting else None


def place_of(alias: t.Mapping[str, str], name: str, record: str) -> str:
    """Where the record of a certificate's name is published: there, or where its alias leads."""
    return alias.get(record) or alias.get(_names.base(name)) or record


def _base(name: str) -> str:
    return _names.base(_names.canonical(name))


def find_clashes(records: t.Sequence[Record]) -> dict[str, tuple[str, ...]]:
    """Names that are to be an alias of several things at once, as two names of a certificate may share their alias."""
    values: dict[str, dict[str, None]] = {}
    for record in records:
        if record.type == "CNAME":
            values.setdefault(record.name, {})[record.value] = None
    return {name: tuple(found) for name, found in values.items() if len(found) > 1}


def dump(records: t.Iterable[Record]) -> str:
    """Records as they are noted on the host."""
    entries = [dataclasses.asdict(record) for record in records]
    return json.dumps({"format": FORMAT, "records": entries}, sort_keys=True)


def load(text: str, where: str) -> list[Record]:
    """Records as they were noted; a host error for what cannot be understood."""
    try:
        note = json.loads(text)
        if note["format"] != FORMAT:
            raise ValueError("format")
        return [checked(Record(**entry)) for entry in note["records"]]
    except (ValueError, TypeError, KeyError, GogetsslError):
        raise host_error(
            f"{where} on the host cannot be read as a note of published DNS records; look whether records named in it"
            " are still there, then remove it."
        ) from None
