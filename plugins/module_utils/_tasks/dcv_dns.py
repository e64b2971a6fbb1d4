# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: the DCV records of orders, with their zones, and the notes of them on the host.

The task does not publish records. Before a publisher does, the records are noted on the host, in one small file for
each order. The next run can then remove the records of an interrupted run.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import typing as t

from .._core.errors import GogetsslError
from .._core.task import Context, Result, Task
from .._dns import records as _records
from .._dns.conflicts import RecordState, cached_seconds, evaluate_record
from .._dns.places import PLACES_SPEC, Places, in_threads, read_places
from .._dns.records import Record
from .._dns.resolver import DNSPYTHON, Dns, DnsTrouble
from .._host import dns_notes
from .._request.spec import DEFAULT_DIRECTORY

SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    # Without suboptions: the validations of gogetssl_dcv are accepted with all their keys.
    "validations": {"type": "list", "elements": "dict", "default": []},
    "order_ids": {"type": "list", "elements": "int", "default": []},
    "provider": {"type": "str", "default": ""},
    "directory": {"type": "path", "default": DEFAULT_DIRECTORY},
    **PLACES_SPEC,
}


def run(context: Context) -> Result:
    """Note and return the missing records, or remove the notes."""
    if context.params["state"] == "absent":
        return _absent(context)
    return _present(context, read_places(context.params))


class Plan(t.NamedTuple):
    """The records of orders: what is missing, what must be removed before, and what cannot be published."""

    missing: list[Record]
    replaced: list[Record]
    order_ids: list[int]
    cached: list[Result]
    stopped: list[Result]


def _present(context: Context, places: Places) -> Result:
    plan = plan_records(context, places)
    return {
        "changed": False,
        "records": _records.grouped(plan.missing),
        "obsolete": _records.grouped(plan.replaced),
        "order_ids": plan.order_ids,
        "cached": plan.cached,
        "stopped": plan.stopped,
    }


def plan_records(context: Context, places: Places) -> Plan:
    """The missing records, after a query of their names. They are noted on the host first."""
    noted = dns_notes.read(context.shell, context.params["directory"])
    ours = {record.key for record in noted}
    provider, ttl = context.params["provider"], context.params["ttl"]
    expected, stops = _wanted(places, context.params["validations"], ttl, provider)
    findings = in_threads(lambda record: _find(places.dns, record, ours), expected)
    stops += [(record, finding.problem) for record, finding in zip(expected, findings) if finding.problem]
    refused = {record.order_id for record, _reason in stops}
    missing, replaced = [], []
    for record, finding in zip(expected, findings):
        if record.order_id in refused:
            continue
        if not finding.published:
            missing.append(record)
        replaced += [dataclasses.replace(record, value=value) for value in finding.replaced]
    if missing and not context.check_mode:
        _note(context, noted, missing)
    cached = [
        _memory(record, finding.cached_seconds, context.now())
        for record, finding in zip(expected, findings)
        if record in missing and finding.cached_seconds
    ]
    stopped = [{"order_id": record.order_id, "reason": reason} for record, reason in stops]
    return Plan(missing, replaced, sorted({record.order_id for record in expected} - refused), cached, stopped)


def _memory(record: Record, seconds: int, now: float) -> Result:
    """The time until which a resolver, including the CA's, may have cached that the record does not exist."""
    until = dt.datetime.fromtimestamp(now + seconds, dt.timezone.utc)
    return {
        "order_id": record.order_id,
        "name": record.name,
        "seconds": seconds,
        "reason": f"{record.name}: if the CA queried it before it was created, its resolver may cache the negative"
        f" answer until {until:%Y-%m-%d %H:%M} UTC ({seconds} seconds, by the TTLs of the zone {record.zone}). If the"
        " order is still pending, run again after that.",
    }


def _wanted(
    places: Places, validations: t.Sequence[t.Mapping[str, t.Any]], ttl: int, provider: str
) -> tuple[list[Record], list[tuple[Record, str]]]:
    """The records of these validations, and those that cannot be published, with the reason."""
    expected: list[Record] = []
    stops: list[tuple[Record, str]] = []
    for validation in validations:
        name, record, kind, value = (str(validation.get(key) or "") for key in ("name", "record", "type", "value"))
        order_id = int(validation.get("order_id") or 0)
        if not record:
            continue
        try:
            placed = places.record(name, record, kind, value, ttl)
            expected.append(Record(placed.zone, placed.name, kind, value, ttl, order_id, provider))
        except GogetsslError as error:
            stops.append((Record("", record, kind, value, ttl, order_id, provider), f"{name}: {error.message}"))
    expected = list({(record.key, record.order_id): record for record in expected}.values())
    for place, values in _records.find_clashes(expected).items():
        reason = (
            f"{place} would have to be an alias of {' and '.join(values)} at once: names of different orders need"
            " different places (gogetssl_dns_alias)."
        )
        stops += [(record, reason) for record in expected if record.name == place and record.type == "CNAME"]
    return expected, stops


def _find(dns: Dns, record: Record, ours: t.Collection[tuple[str, str, str]]) -> RecordState:
    """The current state of a record's name. A wildcard record above it is not a conflict."""
    try:
        answers = dns.everywhere(record.name, record.type)
        finding = evaluate_record(record, answers, ours)._replace(cached_seconds=cached_seconds(record, answers))
        if finding.problem and record.type == "CNAME":
            beside = f"_{secrets.token_hex(8)}.{record.name.partition('.')[2]}"
            found = {answer.values for answer in answers if answer.values}
            if all(answer.values in found and answer.values for answer in dns.everywhere(beside, "CNAME")):
                return RecordState(cached_seconds=finding.cached_seconds)
        return finding
    except DnsTrouble:
        # The zone is not visible from here. The operator configured it, or it would have been refused before.
        return RecordState()


def _absent(context: Context) -> Result:
    """Remove the notes of these orders."""
    directory, order_ids = context.params["directory"], set(context.params["order_ids"])
    gone = sorted(order_ids & {record.order_id for record in dns_notes.read(context.shell, directory)})
    if gone and not context.check_mode:
        dns_notes.remove(context.shell, directory, gone)
    return {"changed": bool(gone)}


def _note(context: Context, noted: t.Sequence[Record], missing: t.Sequence[Record]) -> None:
    """Note the records about to be published, in addition to earlier ones of the same orders."""
    for order_id in sorted({record.order_id for record in missing}):
        both = [record for record in (*noted, *missing) if record.order_id == order_id]
        unique = list({(record.key, record.provider): record for record in both}.values())
        dns_notes.write(context.shell, context.params["directory"], order_id, unique)


TASK = Task(argument_spec=SPEC, run=run, needs=(DNSPYTHON,))
