# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds whose modules replace whole record sets: what others have at a name must never be gone.

Stand-ins take the options of the real modules and no others (`specs/`), and do what the sources of amazon.aws 10.1.2,
azure.azcollection 3.12.0 and community.digitalocean 1.27.0 do with them, the dangerous part included.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import _cloud_dns
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError

from .conftest import task_runner

SPECS = Path(__file__).parent / "specs"
ZONE = "example.com"
CNAME = {"zone": ZONE, "name": f"_a.www.{ZONE}", "type": "CNAME", "value": "x.comodoca.com", "ttl": 60}
TXT = {"zone": ZONE, "name": ZONE, "type": "TXT", "values": ["_one", "_two"], "ttl": 60}
SPF = "v=spf1 include:example.org -all"

Params = dict[str, Any]


class Cloud:
    """One zone of a service, as (name in full, type) -> values and time to live, behind the modules' options."""

    provider = ""
    options: Params = {}
    changed_meanwhile: Callable[[], None] | None = None  # what somebody else does before the first change

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
        return task_runner(_cloud_dns.TASK, call_module=self, provider=self.provider, **{**self.options, **options})


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
        assert all(isinstance(one, list) == (kind == "TXT") for one in entries), "a text is a list of its parts"
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
            if params["name"] != ZONE:  # the real one ends well and tells nothing
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


def as_kept(cloud: Cloud, *texts: str) -> list[str]:
    """Texts as the service keeps them."""
    return sorted(f'"{text}"' for text in texts) if cloud.provider == "route53" else sorted(texts)


def test_made_once_and_removed_once(cloud: Cloud) -> None:
    records = [CNAME, TXT]
    assert cloud.run(records=records, check_mode=True)["changed"]
    assert cloud.calls == []
    first = cloud.run(records=records)
    assert first["diff"]["after"] == (f"_a.www.{ZONE} CNAME x.comodoca.com\n{ZONE} TXT _one\n{ZONE} TXT _two\n")
    assert [one["value"] for one in first["records"]] == ["x.comodoca.com", "_one", "_two"]
    assert [one.rstrip(".") for one in cloud.values(f"_a.www.{ZONE}", "CNAME")] == ["x.comodoca.com"]
    assert cloud.values(ZONE, "TXT") == as_kept(cloud, "_one", "_two")
    cloud.calls.clear()
    assert not cloud.run(records=records)["changed"]
    assert cloud.calls == []
    assert cloud.run(records=records, state="absent")["diff"]["before"] == first["diff"]["after"]
    assert (cloud.values(f"_a.www.{ZONE}", "CNAME"), cloud.values(ZONE, "TXT")) == ([], [])
    assert not cloud.run(records=records, state="absent")["changed"]


def test_what_others_have_in_the_same_set_stays_as_it_was(cloud: Cloud) -> None:
    cloud.put(ZONE, "TXT", *as_kept(cloud, SPF), ttl=1234)
    cloud.run(records=[TXT])
    assert cloud.values(ZONE, "TXT") == as_kept(cloud, SPF, "_one", "_two")
    assert cloud.sets[ZONE, "TXT"]["ttl"] == 1234
    cloud.run(records=[{**TXT, "values": ["_two"]}], state="absent")
    assert cloud.values(ZONE, "TXT") == as_kept(cloud, SPF, "_one")
    cloud.run(records=[TXT], state="absent")
    assert (cloud.values(ZONE, "TXT"), cloud.sets[ZONE, "TXT"]["ttl"]) == (as_kept(cloud, SPF), 1234)


@pytest.mark.parametrize(("cloud", "theirs"), [(AwsRoute53, '"one" "two"'), (AzureZone, "one\x00two")])
def test_a_text_in_parts_goes_back_in_parts(cloud: type[Cloud], theirs: str) -> None:
    zone = cloud()
    zone.put(ZONE, "TXT", theirs)
    zone.run(records=[TXT])
    zone.run(records=[TXT], state="absent")
    assert zone.values(ZONE, "TXT") == [theirs]


def test_another_ones_only_value_is_not_taken_for_ours(cloud: Cloud) -> None:
    """Asked by name, DigitalOcean's module removes the one that is there; the others remove all there are."""
    cloud.put(ZONE, "TXT", *as_kept(cloud, SPF))
    cloud.put(f"_a.www.{ZONE}", "CNAME", "theirs.example.org")
    assert not cloud.run(records=[TXT, CNAME], state="absent")["changed"]
    assert cloud.calls == []


def test_an_alias_in_the_way_is_named_before_anything_is_changed(cloud: Cloud) -> None:
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
def test_sets_with_rules_of_their_own_are_nobodys_to_touch(cloud: type[Cloud], special: Params) -> None:
    zone = cloud()
    zone.put(ZONE, "TXT", *as_kept(zone, SPF), **special)
    with pytest.raises(GogetsslError, match=r"rules of its own|alias of the resource"):
        zone.run(records=[TXT])
    assert not zone.run(records=[TXT], state="absent")["changed"]
    assert zone.calls == []


def test_whoever_comes_in_between_at_route53_keeps_what_he_made() -> None:
    """Making a set and removing one are refused by the service if it is not as it was read."""
    zone = AwsRoute53()
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", '"theirs"')
    with pytest.raises(GogetsslError, match=r"route53 failed for the zone example\.com: Record already exists"):
        zone.run(records=[TXT])
    zone.put(ZONE, "TXT", '"_one"')
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", '"_one"', '"theirs"')
    with pytest.raises(GogetsslError, match="InvalidChangeBatch"):
        zone.run(records=[TXT], state="absent")
    assert '"theirs"' in zone.values(ZONE, "TXT")


def test_texts_that_come_in_between_at_azure_stay() -> None:
    zone = AzureZone()
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", "theirs")
    zone.run(records=[TXT])
    assert zone.values(ZONE, "TXT") == ["_one", "_two", "theirs"]


def test_a_change_that_changed_nothing_is_not_believed() -> None:
    zone = AwsRoute53()
    zone.changed_meanwhile = lambda: zone.put(ZONE, "TXT", '"_one"', '"_two"', ttl=60)
    with pytest.raises(GogetsslError, match=r"did not change .* Run again"):
        zone.run(records=[TXT])


def test_a_check_reads_the_zone_and_names_one_that_is_not_there(cloud: Cloud) -> None:
    assert not cloud.run(records=[CNAME], state="checked")["changed"]
    assert cloud.calls == []
    other = {**CNAME, "zone": "example.net", "name": "_a.example.net"}
    with pytest.raises(GogetsslError, match=r"zone example\.net") as caught:
        cloud.run(records=[other], state="checked")
    assert "\n" not in caught.value.message


def test_a_zone_of_several_by_its_number() -> None:
    zone = AwsRoute53()
    zone.run(records=[CNAME], zone_ids={"Example.com.": "Z123"})
    assert zone.calls[0]["hosted_zone_id"] == "Z123"


def test_options_cannot_say_which_records() -> None:
    zone = AwsRoute53()
    keys = {"access_key": "a", "secret_key": "s"}
    zone.run(records=[CNAME], options={**keys, "record": "www.example.com", "overwrite": True, "state": "absent"})
    assert [(call["record"], call["state"], call["overwrite"]) for call in zone.calls] == [
        (f"_a.www.{ZONE}", "present", False)
    ]


def test_not_without_the_controller() -> None:
    with pytest.raises(GogetsslError, match="on the controller"):
        task_runner(_cloud_dns.TASK, records=[CNAME], provider="route53")
