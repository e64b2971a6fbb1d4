# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dynamic updates against BIND."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _nsupdate
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError

from .conftest import Run
from .servers import KEY, OTHER_KEY, Bind, ask, free_port

CNAME = {"zone": "example.com", "name": "_a.www.example.com", "type": "CNAME", "values": ["x.comodoca.com"], "ttl": 60}
TXT = {"zone": "example.com", "name": "www.example.com", "type": "TXT", "values": ["_one", "_two"]}
SUB = {"zone": "sub.example.com", "name": "_a.sub.example.com", "type": "CNAME", "value": "x.comodoca.com"}
UK = {"zone": "shop.co.uk", "name": "_a.shop.co.uk", "type": "CNAME", "value": "x.comodoca.com"}


@pytest.fixture(autouse=True)
def _clean(named: Bind, run: Run) -> Iterator[None]:
    yield
    run(_nsupdate.TASK, records=[CNAME, TXT, SUB, UK], state="absent")
    assert named.records() == named.records("TXT") == []


def test_made_once_and_removed_once(named: Bind, run: Run) -> None:
    assert run(_nsupdate.TASK, records=[CNAME, TXT, SUB, UK], check_mode=True)["changed"]
    assert named.records() == []
    first = run(_nsupdate.TASK, records=[CNAME, TXT, SUB, UK])
    assert first["changed"]
    assert "_a.www.example.com CNAME x.comodoca.com\n" in first["diff"]["after"]
    assert named.records() == [
        "_a.shop.co.uk. x.comodoca.com.",
        "_a.sub.example.com. x.comodoca.com.",
        "_a.www.example.com. x.comodoca.com.",
    ]
    assert ask(named.primary, "www.example.com.", "TXT") == ['"_one"', '"_two"']
    assert not run(_nsupdate.TASK, records=[CNAME, TXT, SUB, UK])["changed"]
    assert run(_nsupdate.TASK, records=[CNAME, TXT, SUB, UK], state="absent")["changed"]
    assert not run(_nsupdate.TASK, records=[CNAME, TXT, SUB, UK], state="absent")["changed"]


def test_other_values_of_the_same_name_stay(named: Bind, run: Run) -> None:
    theirs = {**TXT, "values": ["v=spf1 -all"]}
    run(_nsupdate.TASK, records=[theirs])
    run(_nsupdate.TASK, records=[TXT])
    run(_nsupdate.TASK, records=[TXT], state="absent")
    assert ask(named.primary, "www.example.com.", "TXT") == ['"v=spf1 -all"']
    run(_nsupdate.TASK, records=[{**CNAME, "values": ["other.comodoca.com"]}], state="absent")
    run(_nsupdate.TASK, records=[theirs], state="absent")


def test_a_record_with_another_value_is_in_the_way_of_all(named: Bind, run: Run) -> None:
    run(_nsupdate.TASK, records=[{**CNAME, "values": ["theirs.example.net"]}])
    with pytest.raises(GogetsslError, match=r"has other records at .*_a\.www\.example\.com.*stand alone: remove them"):
        run(_nsupdate.TASK, records=[CNAME, TXT])
    assert named.records() == ["_a.www.example.com. theirs.example.net."]
    assert not run(_nsupdate.TASK, records=[CNAME], state="absent")["changed"]
    run(_nsupdate.TASK, records=[{**CNAME, "values": ["theirs.example.net"]}], state="absent")


def test_an_alias_beside_other_records_is_refused(run: Run) -> None:
    with pytest.raises(GogetsslError, match=r"has other records at www\.example\.com"):
        run(_nsupdate.TASK, records=[{**CNAME, "name": "www.example.com"}])


def test_a_text_beside_an_alias_is_refused(named: Bind, run: Run) -> None:
    """Without a condition BIND says yes to it and does nothing (RFC 2136, 3.4.2.2)."""
    alias = {**CNAME, "name": "cdn.example.com"}
    run(_nsupdate.TASK, records=[alias])
    with pytest.raises(GogetsslError, match=r"has other records at cdn\.example\.com"):
        run(_nsupdate.TASK, records=[{**TXT, "name": "cdn.example.com"}])
    run(_nsupdate.TASK, records=[alias], state="absent")


def wrong(named: Bind) -> dict[str, tuple[dict[str, Any], str]]:
    other = base64.b64encode(b"x" * 32).decode()
    locked = {"zone": "locked.example", "name": "_a.locked.example", "type": "CNAME", "value": "x.comodoca.com"}
    server = f"127.0.0.1:{named.primary}"
    return {
        "unknown key": (
            {"key_name": "nobody"},
            f"does not know the key nobody, which is to sign for {CNAME['name']}: check key_name",
        ),
        "wrong secret": (
            {"key_secret": other},
            f"knows the key {KEY}, which is to sign for {CNAME['name']}, with another secret: check key_secret",
        ),
        "key without rights": (
            {"key_name": OTHER_KEY, "key_secret": named.other},
            f"refuses updates of example.com by {OTHER_KEY}: its update-policy or allow-update has to permit _a.www",
        ),
        "no key": ({"key_name": None, "key_secret": None}, "refuses updates of example.com by anybody"),
        "zone without updates": ({"records": [locked], "server": server}, "refuses updates of locked.example"),
        "another server": ({"server": f"127.0.0.1:{named.secondary}"}, "_a.www"),
        "no such zone there": (
            {"records": [{**SUB, "zone": "example.org", "name": "_a.example.org"}], "server": server},
            "does not serve example.org",
        ),
        "a sub-zone taken for the zone": ({"records": [{**SUB, "zone": "example.com"}]}, "does not serve example.com"),
        "nobody there": ({"server": f"127.0.0.1:{free_port()}"}, "cannot be reached"),
    }


@pytest.mark.parametrize(
    "case",
    [
        "unknown key",
        "wrong secret",
        "key without rights",
        "no key",
        "zone without updates",
        "no such zone there",
        "a sub-zone taken for the zone",
        "nobody there",
    ],
)
@pytest.mark.parametrize("state", ["checked", "present"])
def test_what_is_wrong_is_said_before_and_when_publishing(named: Bind, run: Run, case: str, state: str) -> None:
    options, said = wrong(named)[case]
    with pytest.raises(GogetsslError) as caught:
        run(_nsupdate.TASK, **{"records": [CNAME], "state": state, **options})
    assert said in caught.value.message
    assert "127.0.0.1" in caught.value.message
    assert named.secret not in caught.value.message
    assert caught.value.message.count("\n") == 0


def test_a_check_changes_nothing(named: Bind, run: Run) -> None:
    before = ask(named.primary, "example.com.", "SOA")
    assert not run(_nsupdate.TASK, records=[CNAME, SUB, UK], state="checked")["changed"]
    assert ask(named.primary, "example.com.", "SOA") == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key_secret": "not base64!"}, "key_secret is not what tsig-keygen gives"),
        ({"key_name": "no name"}, "cannot be the name of a key"),
        ({"records": [{**CNAME, "name": "_a.example.net"}]}, "_a.example.net is not inside the zone example.com"),
        ({"records": [{**CNAME, "name": "a b.example.com"}]}, "is refused as the name"),
        ({"records": [{**CNAME, "values": ["x.com\nevil"]}]}, "is refused as the value"),
        ({"records": [{**CNAME, "type": "A", "values": ["192.0.2.1"]}]}, "of type CNAME or TXT"),
        ({"records": [{**CNAME, "ttl": 0.5}]}, "ttl"),
        ({"records": [{**CNAME, "ttl": "soon"}]}, "ttl"),
        ({"server": "no such server"}, "server: "),
    ],
)
def test_options_that_cannot_be_meant(run: Run, options: dict[str, Any], said: str) -> None:
    with pytest.raises(GogetsslError) as caught:
        run(_nsupdate.TASK, **{"records": [CNAME], **options})
    assert said in caught.value.message
    assert "base64!" not in caught.value.message
