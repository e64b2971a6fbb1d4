# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New keys for many certificates within hours: what is replaced, in which order, and what remains. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t

from .._api.models import Product
from .._core.errors import input_error
from .._core.money import money
from . import selection as _selection
from .rows import Entry, Row, entries, number, text
from .selection import UNREAD, Selection

Key = tuple[str, str]  # host and name of a certificate
# Variables of the hosts: what a wave sets if it fails, what the role has planned.
FAILURE, PLAN = "__gogetssl_emergency_failure", "gogetssl_plan"
FINISHED = "__gogetssl_emergency_ok"  # set at the end of a host's run
PAID = ("renew", "buy", "add_names")


@dataclasses.dataclass(frozen=True)
class Affected:
    """The selected certificates, and those that could not be read: it is not known whether they are affected."""

    targets: t.Sequence[Row]
    unknown: t.Sequence[Row]


@dataclasses.dataclass(frozen=True)
class Remaining:
    """A certificate that still has its former key, and why."""

    host: str
    name: str
    reason: str
    not_after: dt.datetime | None = None

    def sentence(self) -> str:
        label = f"{self.name} on {self.host}" if self.name else self.host
        return f"{label}: {self.reason.removeprefix(self.name + ': ').rstrip('.')}."


class Outcome(t.NamedTuple):
    """What stopped in a run: reasons of single certificates, and failures of hosts."""

    stops: t.Mapping[Key, str] = {}
    failures: t.Mapping[str, str] = {}


def find_affected(rows: t.Sequence[Row], selection: Selection, products: t.Mapping[int, Product]) -> Affected:
    """The affected certificates. All hosts that share a certificate have the same key, so all of them are affected."""
    found = {_key(row): _selection.matches(row, selection, products) for row in rows}
    shared = {_origin(row) for row in rows if found[_key(row)] and row.state not in UNREAD}
    chosen = [row for row in rows if row.name and (found[_key(row)] or _origin(row) in shared)]
    targets = [row for row in chosen if row.state not in UNREAD and (row.serial or row.state == "pending")]
    unread = [row for row in rows if (row.state in UNREAD or row.damaged) and row not in targets]
    unknown = [row for row in unread if found[_key(row)] is None or row in chosen]
    return Affected(targets, unknown)


def _key(row: Row) -> Key:
    return row.host, row.name


def _origin(row: Row) -> Key:
    """The certificate on the host that orders it."""
    return row.order_host or row.host, row.name


def replaced(row: Row, since: dt.datetime) -> bool:
    """True if a certificate has a key that was sent to the CA at this time or later, and its services take it."""
    return row.key_sent is not None and row.key_sent >= since and row.step != "install"


def blocked(row: Row, targets: t.Iterable[Row]) -> str:
    """Why a certificate cannot be replaced in this run, or an empty text."""
    if row.copy and _origin(row) not in set(map(_key, targets)):
        return (
            f"it is a copy, and {row.order_host}, which orders it, is not in this run or did not answer. Add"
            f" {row.order_host} to --limit and run again"
        )
    return ""


def order_hosts(targets: t.Sequence[Row], canary: t.Sequence[str]) -> tuple[list[str], int]:
    """The hosts in the order of the waves, and how many of them are canaries.

    A host that orders a certificate for others comes before them.
    """
    hosts = list(dict.fromkeys(row.host for row in targets))
    stray = [host for host in canary if host not in hosts]
    if stray:
        raise input_error(f"gogetssl_canary: {', '.join(stray)} has none of the selected certificates.")
    origins = {host: [row.order_host for row in targets if row.host == host and row.copy] for host in hosts}
    first = canary or hosts[:1]
    canaries = list(dict.fromkeys(one for host in first for one in (*origins[host], host) if one in hosts))
    owners = [one for host in hosts for one in origins[host] if one in hosts]
    return list(dict.fromkeys((*canaries, *owners, *hosts))), len(canaries)


def waves(count: int, canaries: int, batches: t.Sequence[t.Any]) -> list[int]:
    """The number of hosts in each wave: the canaries, then the batches, of which the last one is repeated.

    The first batch is the canary's. A batch is a number of hosts or a percentage of all.
    """
    sizes = [_size(one, count) for one in batches]
    found, left = [], count
    for size in [max(canaries, sizes[0]), *sizes[1:]]:
        if left > 0:
            found.append(min(size, left))
            left -= size
    while left > 0:
        found.append(min(sizes[-1], left))
        left -= sizes[-1]
    return found


def _size(batch: t.Any, count: int) -> int:
    text = str(batch).strip()
    number = int(text.rstrip("%")) if re.fullmatch(r"\d{1,6}%?", text) else 0
    if number < 1:
        raise input_error(f"gogetssl_batches: {text!r} is neither a number of hosts nor a percentage such as 10%.")
    return max(1, count * min(number, 100) // 100) if text.endswith("%") else number


def obstacles(affected: Affected, since: dt.datetime, outcome: Outcome) -> list[Remaining]:
    """What prevents a replacement, or has prevented it: stops, failures, hosts that are not in the run or silent."""
    found = []
    for row in affected.targets:
        failure = outcome.failures.get(row.host, "")
        if replaced(row, since):
            why = failure and f"it has a new key, but {failure}"
        else:
            why = outcome.stops.get(_key(row)) or blocked(row, affected.targets) or failure
        if why:
            found.append(Remaining(row.host, row.name, why, row.end))
    return found + [
        Remaining(row.host, row.name, f"not known whether it is affected: {row.reason}") for row in affected.unknown
    ]


def remaining(affected: Affected, since: dt.datetime, outcome: Outcome) -> list[Remaining]:
    """What is not replaced after a run."""
    found = obstacles(affected, since, outcome)
    known = {(one.host, one.name) for one in found}
    rest = [row for row in affected.targets if not replaced(row, since) and _key(row) not in known]
    return [*found, *(Remaining(row.host, row.name, row.reason or "it was not processed", row.end) for row in rest)]


def still_valid(due: t.Sequence[Row], today: dt.date) -> list[str]:
    """The hosts whose certificates to replace all have validations that the CA may use again."""
    stale = {row.host for row in due if row.reuse_end is None or row.reuse_end < today}
    return [host for host in dict.fromkeys(row.host for row in due) if host not in stale]


def read_outcome(hosts: t.Iterable[Entry]) -> Outcome:
    """What stopped, from the variables of the hosts: their plans, and the failure that a wave has recorded."""
    stops, failures = {}, {}
    for host in hosts:
        name, failure = text(host.get("host")), text(host.get(FAILURE))
        if not failure and FINISHED in host and host[FINISHED] is None:
            failure = "its run did not end, because the host stopped answering"
        if failure:
            failures[name] = failure
        for one in entries(host.get(PLAN)):
            if one.get("step") == "stop":
                stops[name, text(one.get("name"))] = text(one.get("reason"))
    return Outcome(stops, failures)


def cost_of(hosts: t.Iterable[Entry]) -> tuple[int, str]:
    """What the steps of the plans cost, in minor units, and the currency. Reissues are free of charge."""
    planned = [one for host in hosts for one in entries(host.get(PLAN))]
    paid = [number(one.get("price")) or 0 for one in planned if one.get("step") in PAID]
    return sum(paid), next((text(one.get("currency")) for one in planned if one.get("currency")), "")


def purchases_sentence(hosts: t.Iterable[Entry], currency: str) -> list[str]:
    """The certificates that cannot be replaced free of charge, and what that would cost."""
    planned = [one for host in hosts for one in entries(host.get(PLAN))]
    needed = [one for one in planned if one.get("step") == "stop" and one.get("due") in PAID]
    if not needed:
        return []
    total = sum(number(one.get("price")) or 0 for one in needed)
    return [
        f"{len(needed)} of these need a purchase of {money(total, currency)} before tax, which this playbook does not"
        " make. Run certops.gogetssl.issue for their hosts to buy them."
    ]


def to_revoke(done: t.Iterable[Row], targets: t.Mapping[Key, Entry]) -> list[dict[str, t.Any]]:
    """The former certificates of what was replaced, once each, for the request to GoGetSSL's support."""
    former = {}
    for row in done:
        old = targets[_key(row)]
        if old["serial"] and old["serial"] != row.serial:
            former[old["serial"]] = {"order_id": old["order_id"], "serial": old["serial"], "names": old["names"]}
    return list(former.values())


# Of a reissue and its validation, in addition to the calls of a check; measured with the emulator.
CALLS_PER_CERTIFICATE = 5
CALLS_PER_WAVE = 2
WORK = 1.5  # the duration of a run in relation to that of its check, without the time of the CA


@dataclasses.dataclass(frozen=True)
class Figures:
    """The size, duration and cost of a replacement."""

    certificates: int
    hosts: int
    waves: int
    minutes: float
    api_calls: int
    cost: int  # in minor units of the currency
    currency: str = ""
    estimated: bool = False

    def record(self) -> dict[str, t.Any]:
        return {**dataclasses.asdict(self), "minutes": round(self.minutes, 1)}

    def sentence(self) -> str:
        about = "about " if self.estimated else ""
        return (
            f"{self.certificates} certificates on {self.hosts} hosts in {self.waves} waves: {about}{self.minutes:.1f}"
            f" minutes, {about}{self.api_calls} API calls, cost {money(self.cost, self.currency)}."
        )


def estimate(checked: Figures, issuance_minutes: float) -> Figures:
    """The figures of a run from those of its check. `issuance_minutes` is the time of the CA in each wave."""
    return dataclasses.replace(
        checked,
        minutes=checked.minutes * WORK + checked.waves * issuance_minutes,
        api_calls=checked.api_calls + checked.certificates * CALLS_PER_CERTIFICATE + checked.waves * CALLS_PER_WAVE,
        estimated=True,
    )


def deadline_sentence(left: int, deadline: dt.datetime | None, now: dt.datetime, minutes: float = 0) -> str:
    """How the remaining certificates relate to the deadline, or an empty text. `minutes` is an estimate for them."""
    if deadline is None or not left:
        return ""
    what = f"{left} certificate{'s' if left > 1 else ''}"
    if now >= deadline:
        return f"{what} not replaced at the deadline, {deadline:%Y-%m-%d %H:%M} UTC."
    hours = (deadline - now).total_seconds() / 3600
    if minutes > hours * 60:
        return (
            f"{what} to replace take longer than the {hours:.1f} hours until the deadline. Use more forks, or larger"
            " gogetssl_batches."
        )
    return f"{what} to replace within {hours:.1f} hours, until {deadline:%Y-%m-%d %H:%M} UTC."
