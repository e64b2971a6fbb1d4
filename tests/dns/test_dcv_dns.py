# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records, their zones and what stands in their way, against BIND; notes on the host, by a real shell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _dcv_dns, _nsupdate
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError

from .conftest import Run
from .servers import MEMORY_SECONDS, Bind

DIGEST = "0a1b2c3d4e5f60718293a4b5c6d7e8f9.a0b1c2d3e4f5061728394a5b6c7d8e9f"
VALUE = f"{DIGEST}.t1.comodoca.com"


def proof(name: str, order_id: int = 7, **changes: Any) -> dict[str, Any]:
    base = name.removeprefix("*.")
    record = {"record": f"_md5.{base}", "type": "CNAME", "value": VALUE}
    return {"order_id": order_id, "name": name, "method": "dns", "state": "processing", **record, **changes}


def record(zone: str, name: str, value: str = VALUE, kind: str = "CNAME") -> dict[str, Any]:
    return {"zone": zone, "name": name, "type": kind, "values": [value]}


@pytest.fixture(autouse=True)
def _clean(named: Bind) -> Iterator[None]:
    yield
    assert named.records() == named.records("TXT") == [], "a test has left records"


def test_zones_are_found_right(run: Run, directory: str) -> None:
    names = ["example.com", "*.example.com", "deep.sub.example.com", "shop.co.uk", "xn--mller-kva-q9a.com"]
    proofs = [*map(proof, names), {"order_id": 7, "name": "file.example.com", "method": "http", "record": None}]
    result = run(_dcv_dns.TASK, proofs=proofs, provider="nsupdate", directory=directory)
    assert [(one["zone"], one["record"], one["values"]) for one in result["records"]] == [
        ("example.com", "_md5", [VALUE]),
        ("sub.example.com", "_md5.deep", [VALUE]),
        ("shop.co.uk", "_md5", [VALUE]),
        ("xn--mller-kva-q9a.com", "_md5", [VALUE]),
    ]
    assert (result["order_ids"], result["stopped"], result["replaced"]) == ([7], [], [])


def test_zones_can_be_given(run: Run, directory: str) -> None:
    zones = {"example.org": "example.org", "a.example.org": "a.example.org"}
    proofs = [proof("www.example.org"), proof("b.a.example.org")]
    result = run(_dcv_dns.TASK, proofs=proofs, zones=zones, directory=directory)
    assert [(one["zone"], one["record"]) for one in result["records"]] == [
        ("example.org", "_md5.www"),
        ("a.example.org", "_md5.b"),
    ]
    with pytest.raises(GogetsslError, match=r"example\.org is not inside example\.com"):
        run(_dcv_dns.TASK, proofs=proofs, zones={"example.org": "example.com"}, directory=directory)


def test_a_name_without_a_zone_stops_its_order_alone(run: Run, directory: str) -> None:
    result = run(_dcv_dns.TASK, proofs=[proof("www.example.org", 8), proof("shop.co.uk", 9)], directory=directory)
    (stop,) = result["stopped"]
    assert stop["order_id"] == 8
    assert "www.example.org: _md5.www.example.org has no zone of its own" in stop["reason"]
    assert [one["zone"] for one in result["records"]] == ["shop.co.uk"]


def test_what_resolvers_may_remember(named: Bind, run: Run, directory: str) -> None:
    """That there is no such record, for as long as the zone's SOA record says, or what stands in its place."""
    old = f"{DIGEST}.t0.comodoca.com"
    proofs = [proof("shop.co.uk"), proof("memory.co.uk", 8), proof("www.memory.co.uk", 9)]
    with named.standing("memory.co.uk", "_md5.www.memory.co.uk", "CNAME", f"{old}."):
        result = run(_dcv_dns.TASK, proofs=proofs, directory=directory, check_mode=True)
    assert [(one["order_id"], one["name"], one["seconds"]) for one in result["remembered"]] == [
        (7, "_md5.shop.co.uk", 2),
        (8, "_md5.memory.co.uk", MEMORY_SECONDS),
        (9, "_md5.www.memory.co.uk", 300),
    ]
    assert "(300 seconds)" in result["remembered"][2]["reason"]
    theirs = ["www.memory.co.uk", "TXT", '"theirs"']
    text = proof("www.memory.co.uk", record="www.memory.co.uk", type="TXT", value="_token")
    with named.standing("memory.co.uk", *theirs):
        result = run(_dcv_dns.TASK, proofs=[text], directory=directory, check_mode=True)
        assert [one["seconds"] for one in result["remembered"]] == [300]
    with named.standing("memory.co.uk", "www.memory.co.uk", "TXT", '"_token"'):
        assert run(_dcv_dns.TASK, proofs=[text], directory=directory)["remembered"] == []


def test_what_is_there_need_not_be_made(run: Run, directory: str) -> None:
    there = [record("shop.co.uk", "_md5.shop.co.uk")]
    run(_nsupdate.TASK, records=there)
    result = run(_dcv_dns.TASK, proofs=[proof("shop.co.uk")], directory=directory)
    assert result["records"] == []
    assert result["order_ids"] == [7]
    # It was not made by us, so it is not ours to remove.
    assert run(_dcv_dns.TASK, state="stale", directory=directory)["records"] == []
    run(_nsupdate.TASK, records=there, state="absent")


def test_what_one_server_lacks_is_made_again(named: Bind, run: Run, directory: str) -> None:
    run(_nsupdate.TASK, records=[record("example.com", "_md5.example.com")])
    assert len(run(_dcv_dns.TASK, proofs=[proof("example.com")], directory=directory)["records"]) == 1
    named.catch_up()
    assert run(_dcv_dns.TASK, proofs=[proof("example.com")], directory=directory)["records"] == []
    run(_nsupdate.TASK, records=[record("example.com", "_md5.example.com")], state="absent")
    named.catch_up()


def test_a_foreign_record_stops_its_order_and_is_named(run: Run, directory: str) -> None:
    theirs = [record("shop.co.uk", "_md5.shop.co.uk", "theirs.example.net")]
    run(_nsupdate.TASK, records=theirs)
    result = run(_dcv_dns.TASK, proofs=[proof("shop.co.uk"), proof("www.shop.co.uk", 8)], directory=directory)
    (stop,) = result["stopped"]
    assert stop["order_id"] == 7
    for part in ("127.0.0.1", "_md5.shop.co.uk", "'theirs.example.net'", VALUE, "Remove it", "gogetssl_dns_alias"):
        assert part in stop["reason"]
    assert [one["name"] for one in result["records"]] == ["_md5.www.shop.co.uk"]
    run(_nsupdate.TASK, records=theirs, state="absent")


@pytest.mark.parametrize("old", [f"{DIGEST}.t0.comodoca.com", f"{DIGEST}.comodoca.com"])
def test_an_old_proof_makes_room(run: Run, directory: str, old: str) -> None:
    run(_nsupdate.TASK, records=[record("shop.co.uk", "_md5.shop.co.uk", old)])
    result = run(_dcv_dns.TASK, proofs=[proof("shop.co.uk")], directory=directory)
    assert [one["values"] for one in result["replaced"]] == [[old]]
    run(_nsupdate.TASK, records=result["replaced"], state="absent")
    run(_nsupdate.TASK, records=result["records"])
    run(_nsupdate.TASK, records=result["records"], state="absent")


def test_a_wildcard_is_in_nobodys_way(named: Bind, run: Run, directory: str) -> None:
    wildcard = [record("shop.co.uk", "*.shop.co.uk", "elsewhere.example.com")]
    with pytest.raises(GogetsslError, match="is refused as the name"):
        run(_nsupdate.TASK, records=wildcard)
    with named.standing("shop.co.uk", "*.shop.co.uk", "CNAME", "elsewhere.example.com."):
        result = run(_dcv_dns.TASK, proofs=[proof("shop.co.uk")], directory=directory)
        assert result["stopped"] == []
        run(_nsupdate.TASK, records=result["records"])
        run(_nsupdate.TASK, records=result["records"], state="absent")


def test_texts_stand_beside_others_but_not_beside_an_alias(run: Run, directory: str) -> None:
    text = proof("www.example.com", record="www.example.com", type="TXT", value="_token")
    theirs = [record("example.com", "www.example.com", "v=spf1", "TXT")]
    run(_nsupdate.TASK, records=theirs)
    result = run(_dcv_dns.TASK, proofs=[text], directory=directory)
    assert [one["values"] for one in result["records"]] == [["_token"]]
    run(_nsupdate.TASK, records=theirs, state="absent")

    alias = [record("shop.co.uk", "cdn.shop.co.uk", "edge.example.com")]
    run(_nsupdate.TASK, records=alias)
    text = proof("cdn.shop.co.uk", record="cdn.shop.co.uk", type="TXT", value="_token")
    (stop,) = run(_dcv_dns.TASK, proofs=[text], directory=directory)["stopped"]
    assert "gogetssl_dns_alias: {cdn.shop.co.uk: edge.example.com}" in stop["reason"]
    moved = run(_dcv_dns.TASK, proofs=[text], alias={"cdn.shop.co.uk": "edge.example.com"}, directory=directory)
    assert [(one["zone"], one["record"]) for one in moved["records"]] == [("example.com", "edge")]
    run(_nsupdate.TASK, records=alias, state="absent")


def test_an_alias_of_two_orders_is_refused(run: Run, directory: str) -> None:
    alias = {"shop.co.uk": "proofs.example.com", "www.shop.co.uk": "proofs.example.com"}
    proofs = [proof("shop.co.uk"), proof("www.shop.co.uk", 8, value=f"{DIGEST}.t2.comodoca.com")]
    result = run(_dcv_dns.TASK, proofs=proofs, alias=alias, directory=directory)
    assert [one["order_id"] for one in result["stopped"]] == [7, 8]
    assert "at once: names of different orders need different places" in result["stopped"][0]["reason"]
    assert result["records"] == []


def test_notes_outlive_the_run(run: Run, directory: str) -> None:
    result = run(_dcv_dns.TASK, proofs=[proof("shop.co.uk")], provider="nsupdate", directory=directory, check_mode=True)
    assert not Path(directory).exists()
    result = run(_dcv_dns.TASK, proofs=[proof("shop.co.uk")], provider="nsupdate", directory=directory)
    run(_dcv_dns.TASK, proofs=[proof("example.com", 8)], provider="other", directory=directory)
    assert run(_dcv_dns.TASK, state="stale", order_ids=[7, 8], directory=directory)["records"] == []
    stale = run(_dcv_dns.TASK, state="stale", order_ids=[8], directory=directory)
    assert stale["records"] == result["records"]
    assert stale["records"][0]["provider"] == "nsupdate"
    assert stale["order_ids"] == [7]
    assert run(_dcv_dns.TASK, state="forgotten", order_ids=[7], directory=directory)["changed"]
    assert not run(_dcv_dns.TASK, state="forgotten", order_ids=[7], directory=directory)["changed"]
    assert run(_dcv_dns.TASK, state="stale", directory=directory)["order_ids"] == [8]
    assert [path.name for path in Path(directory).iterdir()] == [".dns-8.json"]


def test_a_note_keeps_what_it_knows(run: Run, directory: str) -> None:
    """A second proof of the same order does not make the first one unknown."""
    run(_dcv_dns.TASK, proofs=[proof("shop.co.uk")], directory=directory)
    run(_dcv_dns.TASK, proofs=[proof("shop.co.uk", value=f"{DIGEST}.t2.comodoca.com")], directory=directory)
    (stale,) = run(_dcv_dns.TASK, state="stale", directory=directory)["records"]
    assert stale["values"] == [VALUE, f"{DIGEST}.t2.comodoca.com"]


@pytest.mark.parametrize("text", ["{", '{"format": 2}', '{"format": 1, "records": [{"zone": "a.b", "name": "*"}]}'])
def test_a_note_that_cannot_be_read(run: Run, directory: str, text: str) -> None:
    Path(directory).mkdir()
    Path(directory, ".dns-7.json").write_text(text)
    with pytest.raises(GogetsslError, match="cannot be read as a note of published DNS records"):
        run(_dcv_dns.TASK, state="stale", directory=directory)


def checked(run: Run, *names: str, **options: Any) -> dict[str, Any]:
    certificates = [{"name": "shop", "names": list(names), "dcv": "dns"}]
    return run(_dcv_dns.TASK, **{"state": "checked", "certificates": certificates, **options})


def test_before_money_every_name_has_a_zone(run: Run) -> None:
    result = checked(run, "*.example.com", "example.com", "xn--mller-kva-q9a.com")
    assert {one["record"] for one in result["records"]} == {"_gogetssl-check"}
    assert {one["zone"] for one in result["records"]} == {"example.com", "xn--mller-kva-q9a.com"}
    assert (result["certificates"], result["stopped"]) == (["shop"], [])


def test_before_money_a_missing_zone_stops_its_certificate_alone(run: Run) -> None:
    certificates = [
        {
            "name": "good",
            "names": ["shop.co.uk", "www.shop.co.uk"],
            "dcv": {"shop.co.uk": "dns", "www.shop.co.uk": "http"},
        },
        {"name": "bad", "names": ["www.example.org"], "dcv": "DNS"},
        {"name": "file", "names": ["www.example.org"], "dcv": "http"},
    ]
    result = checked(run, certificates=certificates)
    assert result["certificates"] == ["good", "bad"]
    assert [one["name"] for one in result["records"]] == ["_gogetssl-check.shop.co.uk"]
    (stop,) = result["stopped"]
    assert stop["reason"].startswith("bad: _gogetssl-check.www.example.org has no zone of its own")


def test_before_money_an_alias_has_to_lead_there(named: Bind, run: Run) -> None:
    options: dict[str, Any] = {"alias": {"shop.co.uk": "proofs.example.com"}}
    (stop,) = checked(run, "shop.co.uk", **options)["stopped"]
    assert "*.shop.co.uk CNAME proofs.example.com" in stop["reason"]
    with named.standing("shop.co.uk", "*.shop.co.uk", "CNAME", "proofs.example.com."):
        result = checked(run, "shop.co.uk", **options)
        assert result["stopped"] == []
        assert [one["name"] for one in result["records"]] == ["proofs.example.com"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"collections": ["no.such"]}, "route53 needs the collection no.such on the controller: ansible-galaxy"),
        (
            {"libraries": {"no_such_library": "nosuch"}},
            "route53 needs the Python library no_such_library on the controller, for the Python that runs Ansible: "
            f"{sys.executable} -m pip install nosuch",
        ),
    ],
)
def test_before_money_a_missing_tool_is_told(run: Run, options: dict[str, Any], said: str) -> None:
    with pytest.raises(GogetsslError) as caught:
        checked(run, "example.com", provider="route53", **options)
    assert said in caught.value.message
    checked(run, "example.com", collections=["certops.gogetssl"], libraries={"dns": "dnspython"})


def test_an_answer_that_could_reach_beyond_its_name_is_refused(run: Run, directory: str) -> None:
    evil = proof("shop.co.uk", value="x.com\n@ A 192.0.2.1")
    (stop,) = run(_dcv_dns.TASK, proofs=[evil], directory=directory)["stopped"]
    assert "is refused as the value" in stop["reason"]
    assert not Path(directory).exists()
