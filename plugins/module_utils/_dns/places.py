# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the names and zones of DCV records: from the options `alias` and `zones`, otherwise from the DNS."""

from __future__ import annotations

import concurrent.futures
import typing as t

from . import records as _records
from .nameservers import read_nameservers, read_resolve
from .records import Record
from .resolver import CONCURRENT_QUERIES, Dns

PLACES_SPEC: dict[str, t.Any] = {
    "alias": {"type": "dict", "default": {}},
    "zones": {"type": "dict", "default": {}},
    "ttl": {"type": "int", "default": _records.DEFAULT_TTL},
    "resolve": {"type": "dict", "default": {}},
    "nameservers": {"type": "list", "elements": "str", "default": []},
}


class Places(t.NamedTuple):
    """Finds the names and zones of records."""

    alias: t.Mapping[str, str]
    zones: t.Mapping[str, str]
    dns: Dns

    def record(self, name: str, record: str, kind: str, value: str, ttl: int) -> Record:
        """Return the record of a certificate name in its zone."""
        place = _records.place_of(self.alias, name, record)
        zone = _records.given_zone(self.zones, place) or self.dns.zone_of(place).name
        return _records.checked(Record(zone, place, kind, value, ttl))


def read_places(params: t.Mapping[str, t.Any]) -> Places:
    """Read the options of `PLACES_SPEC`."""
    dns = Dns(read_nameservers(params["nameservers"]), read_resolve(params["resolve"]))
    return Places(_records.read_alias(params["alias"]), _records.read_zones(params["zones"]), dns)


_Item = t.TypeVar("_Item")
_Outcome = t.TypeVar("_Outcome")


def in_threads(function: t.Callable[[_Item], _Outcome], items: t.Iterable[_Item]) -> list[_Outcome]:
    """Return the results of concurrent DNS queries, in the order of the items."""
    with concurrent.futures.ThreadPoolExecutor(CONCURRENT_QUERIES) as workers:
        return list(workers.map(function, items))
