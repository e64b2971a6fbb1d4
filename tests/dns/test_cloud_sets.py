# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds whose modules replace whole record sets: foreign values in a set must be kept.

Fakes accept exactly the options of the real modules (`specs/`) and behave like amazon.aws 10.1.2, azure.azcollection
3.12.0 and community.digitalocean 1.27.0, including the replacement of sets.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import cloud_dns

from .conftest import task_runner

SPECS = Path(__file__).parent / "specs"
ZONE = "example.com"
CNAME = {"zone": ZONE, "name": f"_a.www.{ZONE}", "type": "CNAME", "value": "x.comodoca.com", "ttl": 60}
TXT = {"zone": ZONE, "name": ZONE, "type": "TXT", "values": ["_one", "_two"], "ttl": 60}
SPF = "v=spf1 include:example.org -all"

Params = dict[str, Any]


class Cloud:
    """A fake cloud with one zone. `sets` maps (full name, type) to values and TTL."""

    provider = ""
    options: Params = {}
    changed_meanwhile: Callable[[], None] | None = None  # a concurrent change before the first write

    def __init__(self) -> None:
        self.sets: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[Params] = []

    def put(self, name: str, kind: str, *values: str, ttl: int = 3600, **more: Any) -> None:
        self.sets[name, kind] = {"values": list(values), "ttl": ttl, **more}

    def values(self, name: str, kind: str) -> list[str]:
        return sorted(self.sets.get((name, kind), {"values": []})["values"])

    def __call__(self, module: str, options: Params) -> Params:
        spec = json.loads((SPECS / f"{module}.json").read_text())["options"]
        validated = ArgumentSpecValidator(spec).validate(options)
        assert not validated.error_messages, validated.error_messages
        params = validated.validated_parameters
        if not (module.endswith("_info") or params.get("state") == "get"):
            if self.changed_meanwhile:
                self.changed_meanwhile()
            self.calls.append(params)
        return self.do(params, module)

    def do(self, params: Params, module: str) -> Params:
        raise NotImplementedError

    def run(self, **options: Any) -> Params:
        return task_runner(cloud_dns.TASK, call_module=self, provider=self.provider, **{**self.options, **options})


class AwsRoute53(Cloud):
    provider = "route53"
    options = {"options": {"access_key": "a", "secret_key": "s"}}

    def do(self, params: Params, module: str) -> Params:
        if params["zone"] != ZONE:
            return {"failed": True, "msg": f"Zone {params['zone']}. does not exist in Route53"}
        key = params["record"], params["type"]
        there = self.sets.get(key)
        if params["state"] == "get":
            return {"changed": False, "set": {**there, "ttl": str(there["ttl"])} if there else []}
        if params["state"] == "absent":
            if there is None:
                return {"changed": False}
            if sorted(params["value"]) != sorted(there["values"]):
                return {
                    "failed": True,
                    "msg": "InvalidChangeBatch: the values provided do not match the current values",
                }
            del self.sets[key]
            return {"changed": True}
        if there and (sorted(params["value"]), params["ttl"]) == (sorted(there["values"]), there["ttl"]):
            return {"changed": False}
        if there and not params["overwrite"]:
            return {"failed": True, "msg": "Record already exists with different value. Set 'overwrite' to replace it"}
        self.put(*key, *params["value"], ttl=params["ttl"])
        return {"changed": True}


class AzureZone(Cloud):
    provider = "azure"
    options = {"resource_group": "dns", "options": {"subscription_id": "s", "secret": "p"}}

    def __init__(self) -> None:
        super().__init__()
        self.put(ZONE, "SOA", "ns1.example.com")

    def do(self, params: Params, module: str) -> Params:
        relative, kind = params["relative_name"], params["record_type"]
        key = (ZONE if relative == "@" else f"{relative}.{ZONE}"), kind
        there = self.sets.get(key) if (params["zone_name"], params["resource_group"]) == (ZONE, "dns") else None
        if module.endswith("_info"):
            return {"dnsrecordsets": [self.shown(there, kind)] if there else []}
        if params["state"] == "absent":
            return {"changed": self.sets.pop(key, None) is not None}
        entries = [one["entry"] for one in params["records"]]
        assert all(isinstance(one, list) == (kind == "TXT") for one in entries), "a text must be a list of its parts"
        sent = ["\x00".join(one) if kind == "TXT" else one for one in entries]
        if params["record_mode"] == "append" and there:
            sent = list({*there["values"], *sent})
        changed = not there or (sorted(sent), params["time_to_live"]) != (sorted(there["values"]), there["ttl"])
        self.put(*key, *sent, ttl=params["time_to_live"])
        return {"changed": changed}

    @staticmethod
    def shown(there: Params, kind: str) -> Params:
        records = [{"value": one.split("\x00")} if kind == "TXT" else {"cname": one} for one in there["values"]]
        return {"records": records, "time_to_live": there["ttl"], "target_resource": there.get("target")}


class OceanDomain(Cloud):
    provider = "digitalocean"
    options = {"options": {"oauth_token": "t"}}

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[tuple[str, str, str], int] = {}

    def records(self) -> list[Params]:
        found = []
        for (name, kind), one in self.sets.items():
            for value in one["values"]:
                number = self.numbers.setdefault((name, kind, value), len(self.numbers) + 1)
                relative = "@" if name == ZONE else name[: -len(ZONE) - 1]
                found.append({"id": number, "name": relative, "type": kind, "data": value, "ttl": one["ttl"]})
        return found

    def do(self, params: Params, module: str) -> Params:
        if module.endswith("_info"):
            if params["name"] != ZONE:  # the real module succeeds without data
                return {"changed": False, "msg": "Error getting domain records [404: not_found]"}
            return {"changed": False, "data": {"records": self.records()}}
        full = ZONE if params["name"] == "@" else f"{params['name']}.{ZONE}"
        if params["state"] == "present":
            there = self.sets.setdefault((full, params["type"]), {"values": [], "ttl": params["ttl"]})
            there["values"].append(params["data"])
            return {"changed": True}
        similar = [one for one in self.records() if one["id"] == params["record_id"]]
        if params["record_id"] is None:
            similar = [one for one in self.records() if (one["name"], one["type"]) == (params["name"], params["type"])]
        if not similar:
            return {"changed": False}
        full = ZONE if similar[0]["name"] == "@" else f"{similar[0]['name']}.{ZONE}"
        self.sets[full, similar[0]["type"]]["values"].remove(similar[0]["data"])
        return {"changed": True}


@pytest.fixture(params=[AwsRoute53, AzureZone, OceanDomain])
def cloud(request: pytest.FixtureRequest) -> Any:
    return request.param()


def stored_texts(cloud: Cloud, *texts: str) -> list[str]:
    """Texts in the format of the service."""
    return sorted(f'"{text}"' for text in texts) if cloud.provider == "route53" else sorted(texts)


def test_present_and_absent_are_idempotent(cloud: Cloud) -> None:
    records = [CNAME, TXT]
    assert cloud.run(records=records, check_mode=True)["changed"]
    assert cloud.calls == []
    first = cloud.run(records=records)
    assert first["diff"]["after"] == (f"_a.www.{ZONE} CNAME x.comodoca.com\n{ZONE} TXT _one\n{ZONE} TXT _two\n")
    assert [one["value"] for one in first["records"]] == ["x.comodoca.com", "_one", "_two"]
    assert [one.rstrip(".") for one in cloud.values(f"_a.www.{ZONE}", "CNAME")] == ["x.comodoca.com"]
    assert cloud.values(ZONE, "TXT") == stored_texts(cloud, "_one", "_two")
    cloud.calls.clear()
    assert not cloud.run(records=records)["changed"]
    assert cloud.calls == []
    assert cloud.run(records=records, state="absent")["diff"]["before"] == first["diff"]["after"]
    assert (cloud.values(f"_a.www.{ZONE}", "CNAME"), cloud.values(ZONE, "TXT")) == ([], [])
    assert not cloud.run(records=records, state="absent")["changed"]


def test_foreign_values_of_the_same_set_are_kept(cloud: Cloud) -> None:
    cloud.put(ZONE, "TXT", *stored_texts(cloud, SPF), ttl=1234)
    cloud.run(records=[TXT])
    assert cloud.values(ZONE, "TXT") == stored_texts(cloud, SPF, "_one", "_two")
    assert cloud.sets[ZONE, "TXT"]["ttl"] == 1234
    cloud.run(records=[{**TXT, "values": ["_two"]}], state="absent")
    assert cloud.values(ZONE, "TXT") == stored_texts(cloud, SPF, "_one")
    cloud.run(records=[TXT], state="absent")
    assert (cloud.values(ZONE, "TXT"), cloud.sets[ZONE, "TXT"]["ttl"]) == (stored_texts(cloud, SPF), 1234)


@pytest.mark.parametrize(("cloud", "theirs"), [(AwsRoute53, '"one" "two"'), (AzureZone, "one\x00two")])
def test_the_parts_of_a_foreign_text_are_kept(cloud: type[Cloud], theirs: str) -> None:
    zone = cloud()
    zone.put(ZONE, "TXT", theirs)
    zone.run(records=[TXT])
    zone.run(records=[TXT], state="absent")
    assert zone.values(ZONE, "TXT") == [theirs]


def test_absent_does_not_remove_foreign_values(cloud: Cloud) -> None:
    """Given only a name, DigitalOcean's module removes a single record and the other modules remove the whole set."""
    cloud.put(ZONE, "TXT", *stored_texts(cloud, SPF))
    cloud.put(f"_a.www.{ZONE}", "CNAME", "theirs.example.org")
    assert not cloud.run(records=[TXT, CNAME], state="absent")["changed"]
    assert cloud.calls == []


def test_a_foreign_cname_is_reported_before_any_change(cloud: Cloud) -> None:
    cloud.put(f"_a.www.{ZONE}", "CNAME", "theirs.example.org")
    with pytest.raises(GogetsslError, match=r"^_a\.www\.example\.com has 'theirs\.example\.org' as CNAME") as caught:
        cloud.run(records=[TXT, CNAME])
    assert "gogetssl_dns_alias" in caught.value.message
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("cloud", "special"),
    [
        (AwsRoute53, {"identifier": "blue", "weight": "10"}),
        (AwsRoute53, {"alias": True}),
        (AwsRoute53, {"health_check": "d3c4"}),
        (AzureZone, {"target": {"id": "/subscriptions/s/cdn"}}),
    ],
)
def test_sets_with_routing_rules_are_not_changed(cloud: type[Cloud], special: Params) -> None:
    zone = cloud()
    zone.put(ZONE, "TXT", *stored_texts(zone, SPF), **special)
    with pytest.raises(GogetsslError, match=r"rules of its own|alias of the resource"):
        zone.run(records=[TXT])
    assert not zone.run(records=[TXT], state="absent")["changed"]
    assert zone.calls == []


def test_a_concurrent_change_at_route53_is_kept() -> None:
    """The service refuses to create or remove a set that has changed since it was read."""
    zone = AwsRoute53()
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", '"theirs"')
    with pytest.raises(GogetsslError, match=r"route53 failed for the zone example\.com: Record already exists"):
        zone.run(records=[TXT])
    zone.put(ZONE, "TXT", '"_one"')
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", '"_one"', '"theirs"')
    with pytest.raises(GogetsslError, match="InvalidChangeBatch"):
        zone.run(records=[TXT], state="absent")
    assert '"theirs"' in zone.values(ZONE, "TXT")


def test_a_concurrent_change_at_azure_is_kept() -> None:
    zone = AzureZone()
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", "theirs")
    zone.run(records=[TXT])
    assert zone.values(ZONE, "TXT") == ["_one", "_two", "theirs"]


def test_a_change_without_effect_is_an_error() -> None:
    zone = AwsRoute53()
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", '"_one"', '"_two"', ttl=60)
    with pytest.raises(GogetsslError, match=r"did not change .* Run again"):
        zone.run(records=[TXT])


def test_verify_only_reads_the_zone_and_reports_a_missing_one(cloud: Cloud) -> None:
    assert not cloud.run(records=[CNAME], verify_only=True)["changed"]
    assert cloud.calls == []
    other = {**CNAME, "zone": "example.net", "name": "_a.example.net"}
    with pytest.raises(GogetsslError, match=r"zone example\.net") as caught:
        cloud.run(records=[other], verify_only=True)
    assert "\n" not in caught.value.message


def test_a_zone_can_be_selected_by_its_id() -> None:
    zone = AwsRoute53()
    zone.run(records=[CNAME], zone_ids={"Example.com.": "Z123"})
    assert zone.calls[0]["hosted_zone_id"] == "Z123"


def test_options_cannot_change_the_records() -> None:
    zone = AwsRoute53()
    keys = {"access_key": "a", "secret_key": "s"}
    zone.run(records=[CNAME], options={**keys, "record": "www.example.com", "overwrite": True, "state": "absent"})
    assert [(call["record"], call["state"], call["overwrite"]) for call in zone.calls] == [
        (f"_a.www.{ZONE}", "present", False)
    ]


def test_the_task_requires_the_controller() -> None:
    with pytest.raises(GogetsslError, match="on the controller"):
        task_runner(cloud_dns.TASK, records=[CNAME], provider="route53")
