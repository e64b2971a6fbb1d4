# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_cloud_dns`: DCV records at cloud providers, through the modules of their collections.

Most of those modules replace all values of a name, or remove a similar record. The task therefore reads the existing
values first and sends them back unchanged. Both happen in one task: Ansible runs all hosts through one task before the
next, so with two tasks the hosts would overwrite each other's values. The modules for Cloudflare and Hetzner change one
value at a time. They are called here, too: only an action can keep their token out of Ansible's debug output.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.errors import host_error, input_error, peer_errors_as_sentences
from .._core.task import Context, Params, Result, Task
from .._core.text import printable
from .._dns.records import PUBLISHER_SPEC, Record, plain, read_records, written

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "provider": {
        "type": "str",
        "choices": ["azure", "cloudflare", "digitalocean", "hetzner", "route53"],
        "required": True,
    },
    "options": {"type": "dict", "default": {}, "no_log": True},
    "zone_ids": {"type": "dict", "default": {}},
    "resource_group": {"type": "str"},
}
RULES: dict[str, t.Any] = {"required_if": [("provider", "azure", ["resource_group"])]}
SHORTEST_TTL = 30  # seconds, at DigitalOcean

Call = t.Callable[[str, Params], t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class DesiredRecord:
    """The desired values of one name and type."""

    zone: str
    name: str
    relative: str
    type: str
    ttl: int
    values: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ZoneRecords:
    """The existing values of a name and type; `raw` has the provider's form of each."""

    values: tuple[str, ...] = ()
    raw: tuple[t.Any, ...] = ()
    ttl: int = 0
    special: str = ""  # why it is not a plain set; such a set is never changed


@dataclasses.dataclass(frozen=True)
class Change:
    """A planned change of a set: `made` and `gone` are DCV values, `kept` and `lost` are in the provider's form."""

    desired: DesiredRecord
    made: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[t.Any, ...]
    lost: tuple[t.Any, ...]
    ttl: int


class Provider(t.Protocol):
    """Adapter for one provider: each call runs a module of its collection."""

    def check(self, call: Call, zone: str) -> None:
        """Raise an error unless the zone can be read."""

    def read_zone(self, call: Call, desired: DesiredRecord) -> ZoneRecords:
        """The existing values."""

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        """The modules and options that make the change."""


class Setter(t.Protocol):
    """Adapter for a module that compares and changes single values itself, also in check mode."""

    def step(self, desired: DesiredRecord, value: str, state: str) -> tuple[str, dict[str, t.Any]]:
        """The module and its options."""


def run(context: Context) -> Result:
    """Create or remove the records."""
    params = context.params
    state = params["state"]
    records = read_records(params["records"])
    call = _caller(context)
    with peer_errors_as_sentences(f"The module of the provider {params['provider']}"):
        if params["provider"] in _SETTERS:
            done = [] if params["verify_only"] else _set_values(params, desired_records(records), call)
        else:
            done = _set_records(context, records, call)
    lines = "".join(f"{desired.name} {desired.type} {value}\n" for desired, value in done)
    before, after = ("", lines) if state == "present" else (lines, "")
    return {
        "changed": bool(done),
        "records": [{"zone": w.zone, "name": w.name, "type": w.type, "value": value} for w, value in done],
        "diff": {"before": before, "after": after},
    }


def _set_values(params: Params, wanted: t.Iterable[DesiredRecord], call: Call) -> list[tuple[DesiredRecord, str]]:
    """The values that the provider's module has changed, with one call for each value."""
    state = params["state"]
    setter = _SETTERS[params["provider"]](params)
    values = [(desired, value) for desired in wanted for value in desired.values]
    return [(desired, value) for desired, value in values if call(*setter.step(desired, value, state)).get("changed")]


def _set_records(context: Context, records: t.Sequence[Record], call: Call) -> list[tuple[DesiredRecord, str]]:
    """Read every set before the first change."""
    params = context.params
    provider = _PROVIDERS[params["provider"]](params)
    if params["verify_only"]:
        for zone in dict.fromkeys(record.zone for record in records):
            provider.check(call, zone)
        return []
    planned = (
        plan_change(params["state"], desired, provider.read_zone(call, desired)) for desired in desired_records(records)
    )
    changes = [change for change in planned if change is not None]
    for change in () if context.check_mode else changes:
        for module, options in provider.steps(change):
            if not call(module, options).get("changed"):
                raise host_error(
                    f"{module} did not change {change.desired.name} ({change.desired.type}): another client changes it"
                    " at the same time. Run again."
                )
    return [(change.desired, value) for change in changes for value in change.made or change.gone]


def desired_records(records: t.Iterable[Record]) -> list[DesiredRecord]:
    """The records, grouped by name and type."""
    found: dict[tuple[str, str], DesiredRecord] = {}
    for one in records:
        key = (one.name, one.type)
        value = plain("CNAME", one.value) if one.type == "CNAME" else one.value
        desired = found.get(key) or DesiredRecord(one.zone, one.name, one.relative, one.type, one.ttl, ())
        found[key] = dataclasses.replace(desired, values=(*desired.values, value))
    return list(found.values())


def plan_change(state: str, desired: DesiredRecord, found: ZoneRecords) -> Change | None:
    """The change, or None if none is needed. Conflicting records raise an error."""
    if state == "absent":
        return None if found.special else _removal(desired, found)
    missing = tuple(value for value in desired.values if value not in found.values)
    if not missing:
        return None
    several = desired.type == "CNAME" and (found.values or len(desired.values) > 1)
    if found.special or several:
        what = found.special or " and ".join(map(repr, found.values)) or "more than one CNAME value"
        raise host_error(
            f"{desired.name} has {what} as {desired.type} in the zone {desired.zone}, where {missing[0]!r} is required:"
            " remove that, or publish at another name (gogetssl_dns_alias)."
        )
    return Change(desired, missing, (), found.raw, (), found.ttl if found.raw else desired.ttl)


def _removal(desired: DesiredRecord, found: ZoneRecords) -> Change | None:
    pairs = list(zip(found.values, found.raw))
    gone = tuple(value for value, _raw in pairs if value in desired.values)
    kept = tuple(raw for value, raw in pairs if value not in desired.values)
    lost = tuple(raw for value, raw in pairs if value in desired.values)
    return Change(desired, (), gone, kept, lost, found.ttl) if gone else None


def _caller(context: Context) -> Call:
    """A function that runs a module and raises an error if the module fails."""
    module_runner = context.module
    if module_runner is None:
        raise input_error("gogetssl_cloud_dns runs other collections' modules on the controller, and not with async.")

    def call(module: str, options: Params) -> t.Mapping[str, t.Any]:
        answer = module_runner(module, {name: value for name, value in options.items() if value is not None})
        if answer.get("failed"):
            where = options.get("zone") or options.get("zone_name") or options.get("domain") or ""
            message = str(answer.get("msg") or "it gave no reason").strip().splitlines()
            raise host_error(f"{module} failed for the zone {where}: {printable(message[0], 300)}")
        return answer

    return call


# ---- Route 53: one call replaces the whole set ------------------------------------------------------------------


class Route53:
    """Without `overwrite` Route 53 refuses to replace an existing set. A removal must name the whole set."""

    MODULE = "amazon.aws.route53"

    def __init__(self, params: Params) -> None:
        self.options = params["options"]
        self.zone_ids = {str(zone).rstrip(".").lower(): str(id_) for zone, id_ in params["zone_ids"].items()}

    def _options(self, zone: str, name: str, kind: str, state: str) -> dict[str, t.Any]:
        place = {"zone": zone, "hosted_zone_id": self.zone_ids.get(zone), "record": name, "type": kind}
        return {**self.options, **place, "state": state}

    def check(self, call: Call, zone: str) -> None:
        call(self.MODULE, self._options(zone, zone, "SOA", "get"))

    def read_zone(self, call: Call, desired: DesiredRecord) -> ZoneRecords:
        there = call(self.MODULE, self._options(desired.zone, desired.name, desired.type, "get")).get("set")
        if not there:
            return ZoneRecords()
        raw = tuple(str(value) for value in there.get("values") or ())
        special = f"{raw[0] if raw else 'something'!r} with rules of its own" if _has_rules(there) else ""
        return ZoneRecords(tuple(plain(desired.type, value) for value in raw), raw, int(there.get("ttl") or 0), special)

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        desired = change.desired
        made = [written(Record(desired.zone, desired.name, desired.type, value)) for value in change.made]
        options = self._options(desired.zone, desired.name, desired.type, "present")
        if not change.kept and not made:
            return [(self.MODULE, {**options, "state": "absent", "value": list(change.lost)})]
        values = [*change.kept, *made]
        overwrite = bool(change.kept)
        return [(self.MODULE, {**options, "value": values, "ttl": change.ttl, "overwrite": overwrite})]


def _has_rules(there: t.Mapping[str, t.Any]) -> bool:
    """True for a Route 53 alias or a routing policy, such as weighted, geolocation or failover routing."""
    names = ("alias", "identifier", "weight", "region", "failover", "health_check", "GeoLocation", "MultiValueAnswer")
    return any(there.get(name) for name in names)


# ---- Azure: one call replaces the whole set, or adds to it -------------------------------------------------------


class Azure:
    """The module appends TXT values to the existing ones. A removal sends the remaining values."""

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

    def read_zone(self, call: Call, desired: DesiredRecord) -> ZoneRecords:
        there = next(iter(self._sets(call, desired.zone, desired.relative, desired.type)), None)
        if there is None:
            return ZoneRecords()
        records = list(there.get("records") or ())
        target = (there.get("target_resource") or {}).get("id")
        if desired.type == "CNAME":
            raw: tuple[t.Any, ...] = tuple(str(one.get("cname")) for one in records)
            values = tuple(plain("CNAME", one) for one in raw)
        else:
            raw = tuple(list(one.get("value") or ()) for one in records)
            values = tuple("".join(parts) for parts in raw)
        special = f"an alias of the resource {target}" if target else ""
        return ZoneRecords(values, raw, int(there.get("time_to_live") or 0), special)

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        desired = change.desired
        options = self._options(desired.zone, desired.relative, desired.type)
        if not change.kept and not change.made:
            return [(self.MODULE, {**options, "state": "absent"})]
        made = [value if desired.type == "CNAME" else [value] for value in change.made]
        mode = "append" if desired.type == "TXT" and made else "purge"
        records = [{"entry": entry} for entry in [*change.kept, *made]]
        sent = {"records": records, "record_mode": mode, "time_to_live": change.ttl, "state": "present"}
        return [(self.MODULE, {**options, **sent})]


# ---- DigitalOcean: one call for one value ------------------------------------------------------------------------


class DigitalOcean:
    """Records are removed by id: by name, the module removes a single existing record even if its value differs."""

    MODULE = "community.digitalocean.digital_ocean_domain_record"

    def __init__(self, params: Params) -> None:
        self.options = params["options"]

    def _records(self, call: Call, zone: str) -> list[t.Mapping[str, t.Any]]:
        answer = call(f"{self.MODULE}_info", {**self.options, "domain": zone})
        data = answer.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("records"), list):
            message = printable(str(answer.get("msg") or "no records were returned").splitlines()[0], 300)
            raise host_error(f"The records of the zone {zone} cannot be read at DigitalOcean: {message}")
        return list(data["records"])

    def check(self, call: Call, zone: str) -> None:
        self._records(call, zone)

    def read_zone(self, call: Call, desired: DesiredRecord) -> ZoneRecords:
        records = self._records(call, desired.zone)
        here = [one for one in records if (str(one["name"]).lower(), one["type"]) == (desired.relative, desired.type)]
        values = tuple(self._value(desired, str(one["data"])) for one in here)
        return ZoneRecords(values, tuple(one["id"] for one in here))

    @staticmethod
    def _value(desired: DesiredRecord, data: str) -> str:
        if desired.type == "TXT":
            return plain("TXT", data)
        return desired.zone if data == "@" else plain("CNAME", data)

    def steps(self, change: Change) -> list[tuple[str, dict[str, t.Any]]]:
        desired = change.desired
        options = {**self.options, "domain": desired.zone}
        place = {
            "name": desired.relative,
            "type": desired.type,
            "ttl": max(desired.ttl, SHORTEST_TTL),
            "force_update": False,
        }
        made = [(self.MODULE, {**options, **place, "data": value, "state": "present"}) for value in change.made]
        return made + [(self.MODULE, {**options, "record_id": id_, "state": "absent"}) for id_ in change.lost]


# ---- Cloudflare and Hetzner: one call for one value, compared by the module ---------------------------------------


class Cloudflare:
    """Cloudflare does not accept a TTL below 120 seconds."""

    MODULE = "community.general.cloudflare_dns"
    SHORTEST_TTL = 120

    def __init__(self, params: Params) -> None:
        self.options = params["options"]

    def step(self, desired: DesiredRecord, value: str, state: str) -> tuple[str, dict[str, t.Any]]:
        place = {"zone": desired.zone, "record": desired.relative, "type": desired.type, "value": value}
        ttl = max(desired.ttl, self.SHORTEST_TTL)
        return self.MODULE, {**self.options, **place, "ttl": ttl, "proxied": False, "state": state}


class Hetzner:
    """The module accepts unquoted TXT values with `txt_transformation`."""

    MODULE = "community.dns.hetzner_dns_record"

    def __init__(self, params: Params) -> None:
        self.options = params["options"]

    def step(self, desired: DesiredRecord, value: str, state: str) -> tuple[str, dict[str, t.Any]]:
        place = {
            "zone_name": desired.zone,
            "record": desired.name,
            "type": desired.type,
            "ttl": desired.ttl,
            "state": state,
        }
        written_value = f"{value}." if desired.type == "CNAME" else value
        return self.MODULE, {**self.options, **place, "value": written_value, "txt_transformation": "unquoted"}


_SETTERS: dict[str, t.Callable[[Params], Setter]] = {"cloudflare": Cloudflare, "hetzner": Hetzner}
_PROVIDERS: dict[str, t.Callable[[Params], Provider]] = {
    "azure": Azure,
    "digitalocean": DigitalOcean,
    "route53": Route53,
}
TASK = Task(argument_spec=SPEC, run=run, rules=RULES)
