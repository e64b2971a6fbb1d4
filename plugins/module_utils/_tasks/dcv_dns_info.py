# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: whether the DCV records of certificates can be published, and which noted records are stale."""

from __future__ import annotations

import secrets
import typing as t

from .._core import names as _names
from .._core.errors import GogetsslError
from .._core.task import Context, Params, Result, Task
from .._dns import providers
from .._dns import records as _records
from .._dns.places import PLACES_SPEC, Places, in_threads, read_places
from .._dns.records import Record
from .._dns.resolver import DNSPYTHON, Dns
from .._host import dns_notes
from .._host.journal import orders_held
from .._request.spec import DEFAULT_DIRECTORY

SPEC: dict[str, t.Any] = {
    # Without suboptions: certificates are accepted with all their keys.
    "certificates": {"type": "list", "elements": "dict"},
    "pending_order_ids": {"type": "list", "elements": "int"},
    "managed_certificates": {"type": "list", "elements": "str"},
    "provider": {"type": "str", "default": ""},
    "collections": {"type": "list", "elements": "str", "default": []},
    "libraries": {"type": "dict", "default": {}},
    "directory": {"type": "path", "default": DEFAULT_DIRECTORY},
    **PLACES_SPEC,
}
RULES = {"required_one_of": [("certificates", "pending_order_ids")]}
PROBE_LABEL = "_gogetssl-check"
PROBE_VALUE = "gogetssl-check.invalid"


def run(context: Context) -> Result:
    """The results of the queries that the options select."""
    params = context.params
    result: Result = {"changed": False}
    if params["certificates"] is not None:
        result.update(_check(params, read_places(params)))
    if params["pending_order_ids"] is not None:
        result.update(_stale(context))
    return result


def _check(params: Params, places: Places) -> Result:
    """Whether the records can be published. Returns a test record for each name. It is never created."""
    providers.check_libraries(params["provider"], params["collections"], params["libraries"])
    names = dns_names(params["certificates"])
    probes, stopped = probe_records(places, names, params["ttl"])
    records = {record.key: record for found in probes.values() for record in found}
    return {
        "test_records": _records.grouped(records.values()),
        "certificates": list(names),
        "stopped": [{"name": name, "reason": f"{name}: {reason}"} for name, reason in stopped.items()],
    }


def probe_records(
    places: Places, names: t.Mapping[str, t.Sequence[str]], ttl: int
) -> tuple[dict[str, list[Record]], dict[str, str]]:
    """The test records by certificate, and the certificates whose records cannot be published, with the reason."""
    known = list(dict.fromkeys(name for expected in names.values() for name in expected))
    probes = dict(zip(known, in_threads(lambda name: _probe(places, name, ttl), known)))
    records: dict[str, list[Record]] = {}
    stopped: dict[str, str] = {}
    for certificate, expected in names.items():
        problems = [one for name in expected if isinstance(one := probes[name], str)]
        if problems:
            stopped[certificate] = " ".join(problems)
        else:
            records[certificate] = [one for name in expected if isinstance(one := probes[name], Record)]
    return records, stopped


def dns_names(certificates: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, tuple[str, ...]]:
    """Certificate -> its names to be validated by DNS, without the `*.` of wildcards."""
    found: dict[str, tuple[str, ...]] = {}
    for item in certificates:
        dcv = item.get("methods") or item.get("dcv", "")  # an order of a plan has the selected methods
        methods = dcv.items() if isinstance(dcv, dict) else [(name, dcv) for name in item.get("names", ())]
        names = [
            _names.base(_names.canonical(str(name))) for name, method in methods if str(method).strip().lower() == "dns"
        ]
        if names:
            found[str(item.get("name"))] = tuple(dict.fromkeys(names))
    return found


def _probe(places: Places, name: str, ttl: int) -> Record | str:
    """A record like the one to be published for the name, or the reason why none can be published."""
    try:
        probe = places.record(name, f"{PROBE_LABEL}.{name}", "CNAME", PROBE_VALUE, ttl)
        if name in places.alias and not _leads_to(places.dns, name, places.alias[name]):
            return (
                f"{name} has the alias {places.alias[name]}, but neither {name} nor a name below it leads there."
                f" Create this permanent record: *.{name} CNAME {places.alias[name]}"
            )
    except GogetsslError as error:
        return error.message
    return probe


def _leads_to(dns: Dns, name: str, alias: str) -> bool:
    """True if the name, or a random name below it, is an alias that leads to `alias`."""
    ways = (name, f"_{secrets.token_hex(8)}.{name}")
    return any(alias in [hop.target for hop in dns.follow(way, "TXT").hops] for way in ways)


def _stale(context: Context) -> Result:
    stale = stale_records(context)
    return {
        "stale_records": _records.grouped(stale),
        "stale_order_ids": sorted({record.order_id for record in stale}),
    }


def stale_records(context: Context) -> list[Record]:
    """The noted records that their orders no longer need. Orders of other certificates of the host are left alone."""
    directory, managed = context.params["directory"], context.params["managed_certificates"]
    needed = set(context.params["pending_order_ids"])
    noted = dns_notes.read(context.shell, directory)
    if noted and managed is not None:
        held = orders_held(context.shell, directory)
        ours = {order_id for name, order_id in held.items() if name in managed}  # also under its former name
        needed |= set(held.values()) - ours
    return [record for record in noted if record.order_id not in needed]


TASK = Task(argument_spec=SPEC, run=run, rules=RULES, needs=(DNSPYTHON,))
