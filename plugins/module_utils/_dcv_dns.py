# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_dcv_dns`: which DNS records to publish, whether they may be, and which have had their day.

It makes no record itself: that is a publisher's work. What is to be published is noted on the certificates' host
before, one small file for each order, so that whoever comes after a killed run knows what to remove.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime as dt
import importlib.util
import secrets
import sys
import typing as t

from . import _names, _published, _records
from ._dns import ASKERS, DNSPYTHON, Dns, DnsTrouble, read_nameservers
from ._errors import GogetsslError, input_error
from ._findings import Finding, remembered, weigh
from ._records import Record
from ._task import Context, Params, Result, Task
from ._wanted import DEFAULT_DIRECTORY
from ._world import read_resolve

STATES = ("checked", "present", "stale", "forgotten")
SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": list(STATES), "default": "present"},
    # Without sub-options: certificates and the proofs of gogetssl_dcv are taken as they are, whatever else they hold.
    "certificates": {"type": "list", "elements": "dict", "default": []},
    "proofs": {"type": "list", "elements": "dict", "default": []},
    "order_ids": {"type": "list", "elements": "int", "default": []},
    "provider": {"type": "str", "default": ""},
    "collections": {"type": "list", "elements": "str", "default": []},
    "libraries": {"type": "dict", "default": {}},
    "alias": {"type": "dict", "default": {}},
    "zones": {"type": "dict", "default": {}},
    "ttl": {"type": "int", "default": _records.DEFAULT_TTL},
    "directory": {"type": "path", "default": DEFAULT_DIRECTORY},
    "resolve": {"type": "dict", "default": {}},
    "nameservers": {"type": "list", "elements": "str", "default": []},
}
PROBE_LABEL = "_gogetssl-check"
PROBE_VALUE = "gogetssl-check.invalid"


class Places(t.NamedTuple):
    """Where records go: what the user says of it, and the DNS."""

    alias: t.Mapping[str, str]
    zones: t.Mapping[str, str]
    dns: Dns

    def record(self, name: str, record: str, kind: str, value: str, ttl: int) -> Record:
        """A certificate name's record in its zone."""
        place = _records.place_of(self.alias, name, record)
        zone = _records.given_zone(self.zones, place) or self.dns.zone_of(place).name
        return _records.checked(Record(zone, place, kind, value, ttl))


def run(context: Context) -> Result:
    """Do what `state` says."""
    params = context.params
    if params["state"] == "stale":
        return _stale(context)
    if params["state"] == "forgotten":
        return _forgotten(context)
    dns = Dns(read_nameservers(params["nameservers"]), read_resolve(params["resolve"]))
    places = Places(_records.read_alias(params["alias"]), _records.read_zones(params["zones"]), dns)
    return _checked(params, places) if params["state"] == "checked" else _present(context, places)


# ---- before money is spent ---------------------------------------------------------------------------------------


def _checked(params: Params, places: Places) -> Result:
    """Is everything there that publishing will need? One record to try with for each name, which nobody ever makes."""
    _check_libraries(params["provider"], params["collections"], params["libraries"])
    names = dns_names(params["certificates"])
    known = {name for wanted in names.values() for name in wanted}
    probes: dict[str, Record | str] = dict(
        zip(known, _in_threads(lambda name: _probe(places, name, params["ttl"]), known))
    )
    stopped, records = [], {}
    for certificate, wanted in names.items():
        problems = [str(probes[name]) for name in wanted if isinstance(probes[name], str)]
        if problems:
            stopped.append({"name": certificate, "reason": f"{certificate}: {' '.join(problems)}"})
        else:
            records.update({name: probe for name in wanted if isinstance(probe := probes[name], Record)})
    return {
        "changed": False,
        "records": _records.grouped(records.values()),
        "certificates": list(names),
        "stopped": stopped,
    }


def _check_libraries(provider: str, collections: t.Sequence[str], libraries: t.Mapping[str, str]) -> None:
    for collection in collections:
        if not _can_import(f"ansible_collections.{collection}"):
            raise input_error(
                f"The DNS provider {provider} needs the collection {collection} on the controller:"
                f" ansible-galaxy collection install {collection}"
            )
    for library, package in libraries.items():
        if not _can_import(library):
            raise input_error(
                f"The DNS provider {provider} needs the Python library {library} on the controller, for the Python that"
                f" runs Ansible: {sys.executable} -m pip install {package}"
            )


def _can_import(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def dns_names(certificates: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, tuple[str, ...]]:
    """Certificate -> the names of it that DNS records are to prove, without wildcards' stars."""
    found: dict[str, tuple[str, ...]] = {}
    for item in certificates:
        dcv = item.get("dcv", "")
        methods = dcv.items() if isinstance(dcv, dict) else [(name, dcv) for name in item.get("names", ())]
        names = [
            _names.base(_names.canonical(str(name))) for name, method in methods if str(method).strip().lower() == "dns"
        ]
        if names:
            found[str(item.get("name"))] = tuple(dict.fromkeys(names))
    return found


def _probe(places: Places, name: str, ttl: int) -> Record | str:
    """A record of the kind that will be published for the name, or why none can be."""
    try:
        probe = places.record(name, f"{PROBE_LABEL}.{name}", "CNAME", PROBE_VALUE, ttl)
        if name in places.alias and not _leads_to(places.dns, name, places.alias[name]):
            return (
                f"{name} has the alias {places.alias[name]}, but neither {name} nor a name below it leads there."
                f" Create the record once for ever: *.{name} CNAME {places.alias[name]}"
            )
    except GogetsslError as error:
        return error.message
    return probe


def _leads_to(dns: Dns, name: str, alias: str) -> bool:
    """True if the name, or any name below it, is an alias that leads to the other one."""
    ways = (name, f"_{secrets.token_hex(8)}.{name}")
    return any(alias in [hop.target for hop in dns.follow(way, "TXT").hops] for way in ways)


# ---- publishing --------------------------------------------------------------------------------------------------


def _present(context: Context, places: Places) -> Result:
    """The records that are missing, after a look at what stands in their places. They are noted on the host first."""
    noted = _published.read(context.shell, context.params["directory"])
    ours = {record.key for record in noted}
    provider, ttl = context.params["provider"], context.params["ttl"]
    wanted, stops = _wanted(places, context.params["proofs"], ttl, provider)
    findings = _in_threads(lambda record: _find(places.dns, record, ours), wanted)
    stops += [(record, finding.problem) for record, finding in zip(wanted, findings) if finding.problem]
    refused = {record.order_id for record, _reason in stops}
    missing, replaced = [], []
    for record, finding in zip(wanted, findings):
        if record.order_id in refused:
            continue
        if not finding.there:
            missing.append(record)
        replaced += [dataclasses.replace(record, value=value) for value in finding.replaced]
    if missing and not context.check_mode:
        _note(context, noted, missing)
    return {
        "changed": False,
        "records": _records.grouped(missing),
        "replaced": _records.grouped(replaced),
        "order_ids": sorted({record.order_id for record in wanted} - refused),
        "remembered": [
            _memory(record, finding.remembered, context.now())
            for record, finding in zip(wanted, findings)
            if record in missing and finding.remembered
        ],
        "stopped": [{"order_id": record.order_id, "reason": reason} for record, reason in stops],
    }


def _memory(record: Record, seconds: int, now: float) -> Result:
    """Until when a resolver may not see the record, the authority's among them."""
    until = dt.datetime.fromtimestamp(now + seconds, dt.timezone.utc)
    return {
        "order_id": record.order_id,
        "name": record.name,
        "seconds": seconds,
        "reason": f"{record.name}: if the authority has looked before the record was made, its resolver may remember"
        f" until {until:%Y-%m-%d %H:%M} UTC that it was not there, as times to live in the zone {record.zone} say"
        f" ({seconds} seconds). If the order is still pending, run again after that.",
    }


def _wanted(
    places: Places, proofs: t.Sequence[t.Mapping[str, t.Any]], ttl: int, provider: str
) -> tuple[list[Record], list[tuple[Record, str]]]:
    """The records of these proofs, and those that have no place to go to, with the reason."""
    wanted: list[Record] = []
    stops: list[tuple[Record, str]] = []
    for proof in proofs:
        name, record, kind, value = (str(proof.get(key) or "") for key in ("name", "record", "type", "value"))
        order_id = int(proof.get("order_id") or 0)
        if not record:
            continue
        try:
            placed = places.record(name, record, kind, value, ttl)
            wanted.append(Record(placed.zone, placed.name, kind, value, ttl, order_id, provider))
        except GogetsslError as error:
            stops.append((Record("", record, kind, value, ttl, order_id, provider), f"{name}: {error.message}"))
    wanted = list({(record.key, record.order_id): record for record in wanted}.values())
    for place, values in _records.find_clashes(wanted).items():
        reason = (
            f"{place} would have to be an alias of {' and '.join(values)} at once: names of different orders need"
            " different places (gogetssl_dns_alias)."
        )
        stops += [(record, reason) for record in wanted if record.name == place and record.type == "CNAME"]
    return wanted, stops


def _find(dns: Dns, record: Record, ours: t.Collection[tuple[str, str, str]]) -> Finding:
    """What stands in a record's place. A wildcard above it is in nobody's way."""
    try:
        answers = dns.everywhere(record.name, record.type)
        finding = weigh(record, answers, ours)._replace(remembered=remembered(record, answers))
        if finding.problem and record.type == "CNAME":
            beside = f"_{secrets.token_hex(8)}.{record.name.partition('.')[2]}"
            found = {answer.values for answer in answers if answer.values}
            if all(answer.values in found and answer.values for answer in dns.everywhere(beside, "CNAME")):
                return Finding(remembered=finding.remembered)
        return finding
    except DnsTrouble:
        # A zone that is served to others only: the user has named it, or it would have been refused before.
        return Finding()


# ---- the note on the host ----------------------------------------------------------------------------------------


def _stale(context: Context) -> Result:
    """The records that were noted for other orders than those that still need theirs."""
    pending = set(context.params["order_ids"])
    noted = _published.read(context.shell, context.params["directory"])
    stale = [record for record in noted if record.order_id not in pending]
    return {
        "changed": False,
        "records": _records.grouped(stale),
        "order_ids": sorted({record.order_id for record in stale}),
    }


def _forgotten(context: Context) -> Result:
    """The notes of these orders go."""
    directory, order_ids = context.params["directory"], set(context.params["order_ids"])
    gone = sorted(order_ids & {record.order_id for record in _published.read(context.shell, directory)})
    if gone and not context.check_mode:
        _published.remove(context.shell, directory, gone)
    return {"changed": bool(gone)}


def _note(context: Context, noted: t.Sequence[Record], missing: t.Sequence[Record]) -> None:
    """Note what is about to be published, beside what was noted for the same orders before."""
    for order_id in sorted({record.order_id for record in missing}):
        both = [record for record in (*noted, *missing) if record.order_id == order_id]
        unique = list({(record.key, record.provider): record for record in both}.values())
        _published.write(context.shell, context.params["directory"], order_id, unique)


_Item = t.TypeVar("_Item")
_Outcome = t.TypeVar("_Outcome")


def _in_threads(function: t.Callable[[_Item], _Outcome], items: t.Iterable[_Item]) -> list[_Outcome]:
    with concurrent.futures.ThreadPoolExecutor(ASKERS) as askers:
        return list(askers.map(function, items))


TASK = Task(argument_spec=SPEC, run=run, needs=(DNSPYTHON,))
