# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records, zones and conflicts against BIND, and the notes about published records on the host."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv_dns, dcv_dns_info, nsupdate

from .conftest import Run
from .servers import LONG_NEGATIVE_TTL, Bind

DIGEST = "0a1b2c3d4e5f60718293a4b5c6d7e8f9.a0b1c2d3e4f5061728394a5b6c7d8e9f"
VALUE = f"{DIGEST}.t1.comodoca.com"


def validation(name: str, order_id: int = 7, **changes: Any) -> dict[str, Any]:
    base = name.removeprefix("*.")
    record = {"record": f"_md5.{base}", "type": "CNAME", "value": VALUE}
    return {"order_id": order_id, "name": name, "method": "dns", "state": "processing", **record, **changes}


def record(zone: str, name: str, value: str = VALUE, kind: str = "CNAME") -> dict[str, Any]:
    return {"zone": zone, "name": name, "type": kind, "values": [value]}


@pytest.fixture(autouse=True)
def _clean(named: Bind) -> Iterator[None]:
    yield
    assert named.remove_records() == [], "the test did not remove its records"


def test_zones_are_detected(run: Run, directory: str) -> None:
    names = ["example.com", "*.example.com", "deep.sub.example.com", "shop.co.uk", "xn--mller-kva-q9a.com"]
    validations = [
        *map(validation, names),
        {"order_id": 7, "name": "file.example.com", "method": "http", "record": None},
    ]
    result = run(dcv_dns.TASK, validations=validations, provider="nsupdate", directory=directory)
    assert [(one["zone"], one["record"], one["values"]) for one in result["records"]] == [
        ("example.com", "_md5", [VALUE]),
        ("sub.example.com", "_md5.deep", [VALUE]),
        ("shop.co.uk", "_md5", [VALUE]),
        ("xn--mller-kva-q9a.com", "_md5", [VALUE]),
    ]
    assert (result["order_ids"], result["stopped"], result["obsolete"]) == ([7], [], [])


def test_zones_can_be_set(run: Run, directory: str) -> None:
    zones = {"example.org": "example.org", "a.example.org": "a.example.org"}
    validations = [validation("www.example.org"), validation("b.a.example.org")]
    result = run(dcv_dns.TASK, validations=validations, zones=zones, directory=directory)
    assert [(one["zone"], one["record"]) for one in result["records"]] == [
        ("example.org", "_md5.www"),
        ("a.example.org", "_md5.b"),
    ]
    with pytest.raises(GogetsslError, match=r"example\.org is not inside example\.com"):
        run(dcv_dns.TASK, validations=validations, zones={"example.org": "example.com"}, directory=directory)


def test_a_name_without_a_zone_stops_its_order_only(run: Run, directory: str) -> None:
    result = run(
        dcv_dns.TASK, validations=[validation("www.example.org", 8), validation("shop.co.uk", 9)], directory=directory
    )
    (stop,) = result["stopped"]
    assert stop["order_id"] == 8
    assert "www.example.org: _md5.www.example.org has no zone of its own" in stop["reason"]
    assert [one["zone"] for one in result["records"]] == ["shop.co.uk"]


def test_answers_that_resolvers_may_have_cached(named: Bind, run: Run, directory: str) -> None:
    """The negative TTL of the zone, or the TTL of an old record with the same name."""
    old = f"{DIGEST}.t0.comodoca.com"
    validations = [validation("shop.co.uk"), validation("memory.co.uk", 8), validation("www.memory.co.uk", 9)]
    with named.foreign_records("memory.co.uk", "_md5.www.memory.co.uk", "CNAME", f"{old}."):
        result = run(dcv_dns.TASK, validations=validations, directory=directory, check_mode=True)
    assert [(one["order_id"], one["name"], one["seconds"]) for one in result["cached"]] == [
        (7, "_md5.shop.co.uk", 2),
        (8, "_md5.memory.co.uk", LONG_NEGATIVE_TTL),
        (9, "_md5.www.memory.co.uk", 300),
    ]
    assert "(300 seconds, by the TTLs of the zone memory.co.uk)" in result["cached"][2]["reason"]
    theirs = ["www.memory.co.uk", "TXT", '"theirs"']
    text = validation("www.memory.co.uk", record="www.memory.co.uk", type="TXT", value="_token")
    with named.foreign_records("memory.co.uk", *theirs):
        result = run(dcv_dns.TASK, validations=[text], directory=directory, check_mode=True)
        assert [one["seconds"] for one in result["cached"]] == [300]
    with named.foreign_records("memory.co.uk", "www.memory.co.uk", "TXT", '"_token"'):
        assert run(dcv_dns.TASK, validations=[text], directory=directory)["cached"] == []


def test_an_existing_record_is_not_created_again(run: Run, directory: str) -> None:
    existing = [record("shop.co.uk", "_md5.shop.co.uk")]
    run(nsupdate.TASK, records=existing)
    result = run(dcv_dns.TASK, validations=[validation("shop.co.uk")], directory=directory)
    assert result["records"] == []
    assert result["order_ids"] == [7]
    # A record that the collection did not create is not removed.
    assert run(dcv_dns_info.TASK, pending_order_ids=[], directory=directory)["stale_records"] == []
    run(nsupdate.TASK, records=existing, state="absent")


def test_a_record_missing_on_one_server_is_published_again(named: Bind, run: Run, directory: str) -> None:
    run(nsupdate.TASK, records=[record("example.com", "_md5.example.com")])
    assert len(run(dcv_dns.TASK, validations=[validation("example.com")], directory=directory)["records"]) == 1
    named.catch_up()
    assert run(dcv_dns.TASK, validations=[validation("example.com")], directory=directory)["records"] == []
    run(nsupdate.TASK, records=[record("example.com", "_md5.example.com")], state="absent")
    named.catch_up()


def test_a_foreign_record_stops_its_order_and_is_named(run: Run, directory: str) -> None:
    theirs = [record("shop.co.uk", "_md5.shop.co.uk", "theirs.example.net")]
    run(nsupdate.TASK, records=theirs)
    result = run(
        dcv_dns.TASK, validations=[validation("shop.co.uk"), validation("www.shop.co.uk", 8)], directory=directory
    )
    (stop,) = result["stopped"]
    assert stop["order_id"] == 7
    for part in ("127.0.0.1", "_md5.shop.co.uk", "'theirs.example.net'", VALUE, "Remove it", "gogetssl_dns_alias"):
        assert part in stop["reason"]
    assert [one["name"] for one in result["records"]] == ["_md5.www.shop.co.uk"]
    run(nsupdate.TASK, records=theirs, state="absent")


@pytest.mark.parametrize("old", [f"{DIGEST}.t0.comodoca.com", f"{DIGEST}.comodoca.com"])
def test_an_old_validation_record_is_replaced(run: Run, directory: str, old: str) -> None:
    run(nsupdate.TASK, records=[record("shop.co.uk", "_md5.shop.co.uk", old)])
    result = run(dcv_dns.TASK, validations=[validation("shop.co.uk")], directory=directory)
    assert [one["values"] for one in result["obsolete"]] == [[old]]
    run(nsupdate.TASK, records=result["obsolete"], state="absent")
    run(nsupdate.TASK, records=result["records"])
    run(nsupdate.TASK, records=result["records"], state="absent")


def test_a_wildcard_record_is_no_conflict(named: Bind, run: Run, directory: str) -> None:
    wildcard = [record("shop.co.uk", "*.shop.co.uk", "elsewhere.example.com")]
    with pytest.raises(GogetsslError, match="is not allowed as the name"):
        run(nsupdate.TASK, records=wildcard)
    with named.foreign_records("shop.co.uk", "*.shop.co.uk", "CNAME", "elsewhere.example.com."):
        result = run(dcv_dns.TASK, validations=[validation("shop.co.uk")], directory=directory)
        assert result["stopped"] == []
        run(nsupdate.TASK, records=result["records"])
        run(nsupdate.TASK, records=result["records"], state="absent")


def test_a_txt_record_conflicts_with_a_cname_only(run: Run, directory: str) -> None:
    text = validation("www.example.com", record="www.example.com", type="TXT", value="_token")
    theirs = [record("example.com", "www.example.com", "v=spf1", "TXT")]
    run(nsupdate.TASK, records=theirs)
    result = run(dcv_dns.TASK, validations=[text], directory=directory)
    assert [one["values"] for one in result["records"]] == [["_token"]]
    run(nsupdate.TASK, records=theirs, state="absent")

    alias = [record("shop.co.uk", "cdn.shop.co.uk", "edge.example.com")]
    run(nsupdate.TASK, records=alias)
    text = validation("cdn.shop.co.uk", record="cdn.shop.co.uk", type="TXT", value="_token")
    (stop,) = run(dcv_dns.TASK, validations=[text], directory=directory)["stopped"]
    assert "gogetssl_dns_alias: {cdn.shop.co.uk: edge.example.com}" in stop["reason"]
    redirected = run(
        dcv_dns.TASK, validations=[text], alias={"cdn.shop.co.uk": "edge.example.com"}, directory=directory
    )
    assert [(one["zone"], one["record"]) for one in redirected["records"]] == [("example.com", "edge")]
    run(nsupdate.TASK, records=alias, state="absent")


def test_an_alias_target_of_two_orders_is_refused(run: Run, directory: str) -> None:
    alias = {"shop.co.uk": "proofs.example.com", "www.shop.co.uk": "proofs.example.com"}
    validations = [validation("shop.co.uk"), validation("www.shop.co.uk", 8, value=f"{DIGEST}.t2.comodoca.com")]
    result = run(dcv_dns.TASK, validations=validations, alias=alias, directory=directory)
    assert [one["order_id"] for one in result["stopped"]] == [7, 8]
    assert "at once: names of different orders need different places" in result["stopped"][0]["reason"]
    assert result["records"] == []


def test_notes_are_kept_until_the_records_are_removed(run: Run, directory: str) -> None:
    result = run(
        dcv_dns.TASK, validations=[validation("shop.co.uk")], provider="nsupdate", directory=directory, check_mode=True
    )
    assert not Path(directory).exists()
    result = run(dcv_dns.TASK, validations=[validation("shop.co.uk")], provider="nsupdate", directory=directory)
    run(dcv_dns.TASK, validations=[validation("example.com", 8)], provider="other", directory=directory)
    assert run(dcv_dns_info.TASK, pending_order_ids=[7, 8], directory=directory)["stale_records"] == []
    stale = run(dcv_dns_info.TASK, pending_order_ids=[8], directory=directory)
    assert stale["stale_records"] == result["records"]
    assert stale["stale_records"][0]["provider"] == "nsupdate"
    assert stale["stale_order_ids"] == [7]
    assert run(dcv_dns.TASK, state="absent", order_ids=[7], directory=directory)["changed"]
    assert not run(dcv_dns.TASK, state="absent", order_ids=[7], directory=directory)["changed"]
    assert run(dcv_dns_info.TASK, pending_order_ids=[], directory=directory)["stale_order_ids"] == [8]
    assert [path.name for path in Path(directory).iterdir()] == [".dns-8.json"]


def test_records_of_certificates_in_another_list_are_left_alone(run: Run, directory: str) -> None:
    """Two roles of one host have their own lists. The journal shows that order 7 is that of `mail`."""
    for order_id, name in ((7, "shop.co.uk"), (8, "example.com"), (9, "deep.sub.example.com")):
        run(dcv_dns.TASK, validations=[validation(name, order_id)], directory=directory)
    for certificate, order_id in (("mail", 7), ("web", 8), ("web, renamed", 8)):
        (Path(directory) / certificate).mkdir()
        (Path(directory) / certificate / "order.json").write_text(json.dumps({"format": 1, "order_id": order_id}))

    def stale(**options: Any) -> list[int]:
        result = run(dcv_dns_info.TASK, pending_order_ids=[], directory=directory, **options)
        found: list[int] = result["stale_order_ids"]
        return found

    assert stale(managed_certificates=["web"]) == [8, 9]
    assert stale(managed_certificates=["mail", "web"]) == [7, 8, 9]
    assert stale() == [7, 8, 9]


def test_a_note_keeps_earlier_values(run: Run, directory: str) -> None:
    """A note holds the values of all validations of its order."""
    run(dcv_dns.TASK, validations=[validation("shop.co.uk")], directory=directory)
    run(dcv_dns.TASK, validations=[validation("shop.co.uk", value=f"{DIGEST}.t2.comodoca.com")], directory=directory)
    (stale,) = run(dcv_dns_info.TASK, pending_order_ids=[], directory=directory)["stale_records"]
    assert stale["values"] == [VALUE, f"{DIGEST}.t2.comodoca.com"]


@pytest.mark.parametrize("text", ["{", '{"format": 2}', '{"format": 1, "records": [{"zone": "a.b", "name": "*"}]}'])
def test_an_unreadable_note_is_an_error(run: Run, directory: str, text: str) -> None:
    Path(directory).mkdir()
    Path(directory, ".dns-7.json").write_text(text)
    with pytest.raises(GogetsslError, match="cannot be read as a note of published DNS records"):
        run(dcv_dns_info.TASK, pending_order_ids=[], directory=directory)


def check_before_order(run: Run, *names: str, **options: Any) -> dict[str, Any]:
    certificates = [{"name": "shop", "names": list(names), "dcv": "dns"}]
    return run(dcv_dns_info.TASK, **{"certificates": certificates, **options})


def test_the_check_before_the_order_finds_all_zones(run: Run) -> None:
    result = check_before_order(run, "*.example.com", "example.com", "xn--mller-kva-q9a.com")
    assert {one["record"] for one in result["test_records"]} == {"_gogetssl-check"}
    assert {one["zone"] for one in result["test_records"]} == {"example.com", "xn--mller-kva-q9a.com"}
    assert (result["certificates"], result["stopped"]) == (["shop"], [])


def test_before_the_order_a_missing_zone_stops_its_certificate_only(run: Run) -> None:
    certificates = [
        {
            "name": "good",
            "names": ["shop.co.uk", "www.shop.co.uk"],
            "dcv": {"shop.co.uk": "dns", "www.shop.co.uk": "http"},
        },
        {"name": "bad", "names": ["www.example.org"], "dcv": "DNS"},
        {"name": "file", "names": ["www.example.org"], "dcv": "http"},
    ]
    result = check_before_order(run, certificates=certificates)
    assert result["certificates"] == ["good", "bad"]
    assert [one["name"] for one in result["test_records"]] == ["_gogetssl-check.shop.co.uk"]
    (stop,) = result["stopped"]
    assert stop["reason"].startswith("bad: _gogetssl-check.www.example.org has no zone of its own")


def test_before_the_order_a_missing_alias_is_reported(named: Bind, run: Run) -> None:
    options: dict[str, Any] = {"alias": {"shop.co.uk": "proofs.example.com"}}
    (stop,) = check_before_order(run, "shop.co.uk", **options)["stopped"]
    assert "*.shop.co.uk CNAME proofs.example.com" in stop["reason"]
    with named.foreign_records("shop.co.uk", "*.shop.co.uk", "CNAME", "proofs.example.com."):
        result = check_before_order(run, "shop.co.uk", **options)
        assert result["stopped"] == []
        assert [one["name"] for one in result["test_records"]] == ["proofs.example.com"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"collections": ["no.such"]}, "route53 needs the collection no.such on the controller: ansible-galaxy"),
        (
            {"libraries": {"no_such_library": "nosuch"}},
            "route53 needs the Python library no_such_library on the controller, for the Python that runs Ansible: "
            f"{sys.executable} -m pip install nosuch",
        ),
    ],
)
def test_before_the_order_a_missing_dependency_is_reported(run: Run, options: dict[str, Any], message: str) -> None:
    with pytest.raises(GogetsslError) as caught:
        check_before_order(run, "example.com", provider="route53", **options)
    assert message in caught.value.message
    check_before_order(run, "example.com", collections=["certops.gogetssl"], libraries={"dns": "dnspython"})


def test_a_value_with_a_line_break_is_refused(run: Run, directory: str) -> None:
    malicious = validation("shop.co.uk", value="x.com\n@ A 192.0.2.1")
    (stop,) = run(dcv_dns.TASK, validations=[malicious], directory=directory)["stopped"]
    assert "is not allowed as the value" in stop["reason"]
    assert not Path(directory).exists()
