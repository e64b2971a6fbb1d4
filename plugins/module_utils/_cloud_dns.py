# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_cloud_dns`: proofs at Route 53, Azure and DigitalOcean, by their collections' modules.

Those modules know record sets, not proofs: they replace all values of a name, or remove one that merely resembles what
was named. So what stands there is read first, and what is sent holds what others have, as they wrote it. Both happen in
one task, as the hosts of a play take turns by tasks and would overwrite each other between two of them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ._errors import host_error, input_error
from ._powerdns import plain, written
from ._records import PUBLISHER_SPEC, Record, read_records
from ._task import Context, Params, Result, Task

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "provider": {"type": "str", "choices": ["azure", "digitalocean", "route53"], "required": True},
    "options": {"type": "dict", "default": {}, "no_log": True},
    "zone_ids": {"type": "dict", "default": {}},
    "resource_group": {"type": "str"},
}
RULES: dict[str, t.Any] = {"required_if": [("provider", "azure", ["resource_group"])]}
SHORTEST_TTL = 30  # seconds, at DigitalOcean

Call = t.Callable[[str, Params], t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Wish:
    """All values of one name and type."""

    zone: str
    name: str
    relative: str
    type: str
    ttl: int
    values: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Found:
    """What stands at a name and type: values, and beside each the provider's own form of it."""

    values: tuple[str, ...] = ()
    raw: tuple[t.Any, ...] = ()
    ttl: int = 0
    special: str = ""  # what makes it more than a plain set, which is nobody's to touch


@dataclasses.dataclass(frozen=True)
class Change:
    """What becomes of a set: `made` and `gone` are values of ours, `kept` and `lost` are in the provider's own form."""

    wish: Wish
    made: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[t.Any, ...]
    lost: tuple[t.Any, ...]
    ttl: int


class Provider(t.Protocol):
    """How to speak to one: a call reads or writes through a module of its collection."""

    def check(self, call: Call, zone: str) -> None:
        """An error unless the zone can be read."""

    def look(self, call: Call, wish: Wish) -> Found:
        """What stands there."""

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        """The modules and options that bring the change about."""


def run(context: Context) -> Result:
    """Look at every set before the first one is touched."""
    params = context.params
    state = params["state"]
    records = read_records(params["records"])
    provider = _PROVIDERS[params["provider"]](params)
    call = _caller(context)
    if state == "checked":
        for zone in dict.fromkeys(record.zone for record in records):
            provider.check(call, zone)
        return {"changed": False, "records": [], "diff": {"before": "", "after": ""}}
    changes = [
        change for wish in wishes(records) if (change := plan(state, wish, provider.look(call, wish))) is not None
    ]
    for change in () if context.check_mode else changes:
        for module, options in provider.steps(change):
            if not call(module, options).get("changed"):
                raise host_error(
                    f"{module} did not change {change.wish.name} ({change.wish.type}): somebody else changes it at the"
                    " same time. Run again."
                )
    done = [(change.wish, value) for change in changes for value in change.made or change.gone]
    lines = "".join(f"{wish.name} {wish.type} {value}\n" for wish, value in done)
    before, after = ("", lines) if state == "present" else (lines, "")
    return {
        "changed": bool(changes),
        "records": [{"zone": w.zone, "name": w.name, "type": w.type, "value": value} for w, value in done],
        "diff": {"before": before, "after": after},
    }


def wishes(records: t.Iterable[Record]) -> list[Wish]:
    """The records by name and type."""
    found: dict[tuple[str, str], Wish] = {}
    for one in records:
        key = (one.name, one.type)
        value = plain("CNAME", one.value) if one.type == "CNAME" else one.value
        wish = found.get(key) or Wish(one.zone, one.name, one.relative, one.type, one.ttl, ())
        found[key] = dataclasses.replace(wish, values=(*wish.values, value))
    return list(found.values())


def plan(state: str, wish: Wish, found: Found) -> Change | None:
    """What is to be done, None if nothing is; an error for what stands in the way."""
    if state == "absent":
        return None if found.special else _removal(wish, found)
    missing = tuple(value for value in wish.values if value not in found.values)
    if not missing:
        return None
    crowd = wish.type == "CNAME" and (found.values or len(wish.values) > 1)
    if found.special or crowd:
        what = found.special or " and ".join(map(repr, found.values)) or "more than one alias to get"
        raise host_error(
            f"{wish.name} has {what} as {wish.type} in the zone {wish.zone}, where {missing[0]!r} is to stand: remove"
            " that, or publish elsewhere (gogetssl_dns_alias)."
        )
    return Change(wish, missing, (), found.raw, (), found.ttl if found.raw else wish.ttl)


def _removal(wish: Wish, found: Found) -> Change | None:
    pairs = list(zip(found.values, found.raw))
    gone = tuple(value for value, _raw in pairs if value in wish.values)
    kept = tuple(raw for value, raw in pairs if value not in wish.values)
    lost = tuple(raw for value, raw in pairs if value in wish.values)
    return Change(wish, (), gone, kept, lost, found.ttl) if gone else None


def _caller(context: Context) -> Call:
    """Runs a module, and turns its failure into a sentence."""
    module_runner = context.module
    if module_runner is None:
        raise input_error("gogetssl_cloud_dns runs other collections' modules on the controller, and not with async.")

    def call(module: str, options: Params) -> t.Mapping[str, t.Any]:
        answer = module_runner(module, {name: value for name, value in options.items() if value is not None})
        if answer.get("failed"):
            where = options.get("zone") or options.get("zone_name") or options.get("domain") or ""
            words = str(answer.get("msg") or "it gave no reason").strip().splitlines()
            raise host_error(f"{module} failed for the zone {where}: {words[0][:300]}")
        return answer

    return call


# ---- Route 53: one call replaces the whole set ------------------------------------------------------------------


class Route53:
    """Without `overwrite` the service itself refuses a set that is there; a removal has to name the whole set."""

    MODULE = "amazon.aws.route53"

    def __init__(self, params: Params) -> None:
        self.options = params["options"]
        self.zone_ids = {str(zone).rstrip(".").lower(): str(id_) for zone, id_ in params["zone_ids"].items()}

    def _options(self, zone: str, name: str, kind: str, state: str) -> dict[str, t.Any]:
        place = {"zone": zone, "hosted_zone_id": self.zone_ids.get(zone), "record": name, "type": kind}
        return {**self.options, **place, "state": state}

    def check(self, call: Call, zone: str) -> None:
        call(self.MODULE, self._options(zone, zone, "SOA", "get"))

    def look(self, call: Call, wish: Wish) -> Found:
        there = call(self.MODULE, self._options(wish.zone, wish.name, wish.type, "get")).get("set")
        if not there:
            return Found()
        raw = tuple(str(value) for value in there.get("values") or ())
        special = f"{raw[0] if raw else 'something'!r} with rules of its own" if _has_rules(there) else ""
        return Found(tuple(plain(wish.type, value) for value in raw), raw, int(there.get("ttl") or 0), special)

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        wish = change.wish
        made = [written(Record(wish.zone, wish.name, wish.type, value)) for value in change.made]
        options = self._options(wish.zone, wish.name, wish.type, "present")
        if not change.kept and not made:
            return [(self.MODULE, {**options, "state": "absent", "value": list(change.lost)})]
        values = [*change.kept, *made]
        overwrite = bool(change.kept)
        return [(self.MODULE, {**options, "value": values, "ttl": change.ttl, "overwrite": overwrite})]


def _has_rules(there: t.Mapping[str, t.Any]) -> bool:
    """An alias of Amazon's own, or one of several sets that are answered by weight, place or health."""
    names = ("alias", "identifier", "weight", "region", "failover", "health_check", "GeoLocation", "MultiValueAnswer")
    return any(there.get(name) for name in names)


# ---- Azure: one call replaces the whole set, or adds to it -------------------------------------------------------


class Azure:
    """Texts are added by the module, which unites them with what it finds; a removal sends what is left."""

    MODULE = "azure.azcollection.azure_rm_dnsrecordset"

    def __init__(self, params: Params) -> None:
        self.options = {**params["options"], "resource_group": params["resource_group"]}

    def _options(self, zone: str, relative: str, kind: str) -> dict[str, t.Any]:
        return {**self.options, "zone_name": zone, "relative_name": relative, "record_type": kind}

    def _sets(self, call: Call, zone: str, relative: str, kind: str) -> list[t.Mapping[str, t.Any]]:
        return list(call(f"{self.MODULE}_info", self._options(zone, relative, kind)).get("dnsrecordsets") or ())

    def check(self, call: Call, zone: str) -> None:
        if not self._sets(call, zone, "@", "SOA"):
            raise host_error(f"Azure has no zone {zone} in the resource group {self.options['resource_group']}.")

    def look(self, call: Call, wish: Wish) -> Found:
        there = next(iter(self._sets(call, wish.zone, wish.relative, wish.type)), None)
        if there is None:
            return Found()
        records = list(there.get("records") or ())
        target = (there.get("target_resource") or {}).get("id")
        if wish.type == "CNAME":
            raw: tuple[t.Any, ...] = tuple(str(one.get("cname")) for one in records)
            values = tuple(plain("CNAME", one) for one in raw)
        else:
            raw = tuple(list(one.get("value") or ()) for one in records)
            values = tuple("".join(parts) for parts in raw)
        special = f"an alias of the resource {target}" if target else ""
        return Found(values, raw, int(there.get("time_to_live") or 0), special)

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        wish = change.wish
        options = self._options(wish.zone, wish.relative, wish.type)
        if not change.kept and not change.made:
            return [(self.MODULE, {**options, "state": "absent"})]
        made = [value if wish.type == "CNAME" else [value] for value in change.made]
        mode = "append" if wish.type == "TXT" and made else "purge"
        records = [{"entry": entry} for entry in [*change.kept, *made]]
        sent = {"records": records, "record_mode": mode, "time_to_live": change.ttl, "state": "present"}
        return [(self.MODULE, {**options, **sent})]


# ---- DigitalOcean: one call for one value ------------------------------------------------------------------------


class DigitalOcean:
    """Removed is by number: asked by name, the module takes another value that is the only one there."""

    MODULE = "community.digitalocean.digital_ocean_domain_record"

    def __init__(self, params: Params) -> None:
        self.options = params["options"]

    def _records(self, call: Call, zone: str) -> list[t.Mapping[str, t.Any]]:
        answer = call(f"{self.MODULE}_info", {**self.options, "domain": zone})
        data = answer.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("records"), list):
            words = str(answer.get("msg") or "it told no records").splitlines()[0][:300]
            raise host_error(f"DigitalOcean does not tell the records of the zone {zone}: {words}")
        return list(data["records"])

    def check(self, call: Call, zone: str) -> None:
        self._records(call, zone)

    def look(self, call: Call, wish: Wish) -> Found:
        records = self._records(call, wish.zone)
        here = [one for one in records if (str(one["name"]).lower(), one["type"]) == (wish.relative, wish.type)]
        values = tuple(self._value(wish, str(one["data"])) for one in here)
        return Found(values, tuple(one["id"] for one in here))

    @staticmethod
    def _value(wish: Wish, data: str) -> str:
        if wish.type == "TXT":
            return plain("TXT", data)
        return wish.zone if data == "@" else plain("CNAME", data)

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        wish = change.wish
        options = {**self.options, "domain": wish.zone}
        place = {"name": wish.relative, "type": wish.type, "ttl": max(wish.ttl, SHORTEST_TTL), "force_update": False}
        made = [(self.MODULE, {**options, **place, "data": value, "state": "present"}) for value in change.made]
        return made + [(self.MODULE, {**options, "record_id": id_, "state": "absent"}) for id_ in change.lost]


_PROVIDERS: dict[str, t.Callable[[Params], Provider]] = {
    "azure": Azure,
    "digitalocean": DigitalOcean,
    "route53": Route53,
}
TASK = Task(argument_spec=SPEC, run=run, rules=RULES)
