# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dynamic updates against BIND."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import nsupdate

from .conftest import Run
from .servers import KEY, OTHER_KEY, Bind, free_port, query

CNAME = {"zone": "example.com", "name": "_a.www.example.com", "type": "CNAME", "values": ["x.comodoca.com"], "ttl": 60}
TXT = {"zone": "example.com", "name": "www.example.com", "type": "TXT", "values": ["_one", "_two"]}
SUB = {"zone": "sub.example.com", "name": "_a.sub.example.com", "type": "CNAME", "value": "x.comodoca.com"}
UK = {"zone": "shop.co.uk", "name": "_a.shop.co.uk", "type": "CNAME", "value": "x.comodoca.com"}


@pytest.fixture(autouse=True)
def _clean(named: Bind, run: Run) -> Iterator[None]:
    yield
    run(nsupdate.TASK, records=[CNAME, TXT, SUB, UK], state="absent")
    assert named.remove_records() == [], "the test did not remove its records"


def test_present_and_absent_are_idempotent(named: Bind, run: Run) -> None:
    assert run(nsupdate.TASK, records=[CNAME, TXT, SUB, UK], check_mode=True)["changed"]
    assert named.records() == []
    first = run(nsupdate.TASK, records=[CNAME, TXT, SUB, UK])
    assert first["changed"]
    assert "_a.www.example.com CNAME x.comodoca.com\n" in first["diff"]["after"]
    assert named.records() == [
        "_a.shop.co.uk. x.comodoca.com.",
        "_a.sub.example.com. x.comodoca.com.",
        "_a.www.example.com. x.comodoca.com.",
    ]
    assert query(named.primary, "www.example.com.", "TXT") == ['"_one"', '"_two"']
    assert not run(nsupdate.TASK, records=[CNAME, TXT, SUB, UK])["changed"]
    assert run(nsupdate.TASK, records=[CNAME, TXT, SUB, UK], state="absent")["changed"]
    assert not run(nsupdate.TASK, records=[CNAME, TXT, SUB, UK], state="absent")["changed"]


def test_foreign_values_of_the_same_name_are_kept(named: Bind, run: Run) -> None:
    theirs = {**TXT, "values": ["v=spf1 -all"]}
    run(nsupdate.TASK, records=[theirs])
    run(nsupdate.TASK, records=[TXT])
    run(nsupdate.TASK, records=[TXT], state="absent")
    assert query(named.primary, "www.example.com.", "TXT") == ['"v=spf1 -all"']
    run(nsupdate.TASK, records=[{**CNAME, "values": ["other.comodoca.com"]}], state="absent")
    run(nsupdate.TASK, records=[theirs], state="absent")


def test_a_conflicting_record_stops_all_records(named: Bind, run: Run) -> None:
    run(nsupdate.TASK, records=[{**CNAME, "values": ["theirs.example.net"]}])
    with pytest.raises(
        GogetsslError, match=r"has other records at .*_a\.www\.example\.com.*must be the only one: remove them"
    ):
        run(nsupdate.TASK, records=[CNAME, TXT])
    assert named.records() == ["_a.www.example.com. theirs.example.net."]
    assert not run(nsupdate.TASK, records=[CNAME], state="absent")["changed"]
    run(nsupdate.TASK, records=[{**CNAME, "values": ["theirs.example.net"]}], state="absent")


def test_a_cname_beside_other_records_is_refused(run: Run) -> None:
    with pytest.raises(GogetsslError, match=r"has other records at www\.example\.com"):
        run(nsupdate.TASK, records=[{**CNAME, "name": "www.example.com"}])


def test_a_txt_record_beside_a_cname_is_refused(named: Bind, run: Run) -> None:
    """Without a prerequisite, BIND accepts the update and ignores it (RFC 2136, 3.4.2.2)."""
    alias = {**CNAME, "name": "cdn.example.com"}
    run(nsupdate.TASK, records=[alias])
    with pytest.raises(GogetsslError, match=r"has other records at cdn\.example\.com"):
        run(nsupdate.TASK, records=[{**TXT, "name": "cdn.example.com"}])
    run(nsupdate.TASK, records=[alias], state="absent")


def invalid_setups(named: Bind) -> dict[str, tuple[dict[str, Any], str]]:
    other = base64.b64encode(b"x" * 32).decode()
    locked = {"zone": "locked.example", "name": "_a.locked.example", "type": "CNAME", "value": "x.comodoca.com"}
    server = f"127.0.0.1:{named.primary}"
    return {
        "unknown key": (
            {"key_name": "nobody"},
            f"does not know the key nobody that signs for {CNAME['name']}: check key_name",
        ),
        "wrong secret": (
            {"key_secret": other},
            f"knows the key {KEY} that signs for {CNAME['name']} with another secret: check key_secret",
        ),
        "key without rights": (
            {"key_name": OTHER_KEY, "key_secret": named.other},
            f"refuses updates of example.com by {OTHER_KEY}: its update-policy or allow-update has to permit _a.www",
        ),
        "no key": ({"key_name": None, "key_secret": None}, "refuses updates of example.com by anybody"),
        "zone without updates": ({"records": [locked], "server": server}, "refuses updates of locked.example"),
        "another server": ({"server": f"127.0.0.1:{named.secondary}"}, "_a.www"),
        "zone not on this server": (
            {"records": [{**SUB, "zone": "example.org", "name": "_a.example.org"}], "server": server},
            "does not serve example.org",
        ),
        "parent zone of a sub-zone": ({"records": [{**SUB, "zone": "example.com"}]}, "does not serve example.com"),
        "no server": ({"server": f"127.0.0.1:{free_port()}"}, "cannot be reached"),
    }


@pytest.mark.parametrize(
    "case",
    [
        "unknown key",
        "wrong secret",
        "key without rights",
        "no key",
        "zone without updates",
        "zone not on this server",
        "parent zone of a sub-zone",
        "no server",
    ],
)
@pytest.mark.parametrize("verify_only", [True, False])
def test_errors_are_reported_before_and_while_publishing(named: Bind, run: Run, case: str, verify_only: bool) -> None:
    options, message = invalid_setups(named)[case]
    with pytest.raises(GogetsslError) as caught:
        run(nsupdate.TASK, **{"records": [CNAME], "verify_only": verify_only, **options})
    assert message in caught.value.message
    assert "127.0.0.1" in caught.value.message
    assert named.secret not in caught.value.message
    assert caught.value.message.count("\n") == 0


def test_verify_only_changes_nothing(named: Bind, run: Run) -> None:
    before = query(named.primary, "example.com.", "SOA")
    assert not run(nsupdate.TASK, records=[CNAME, SUB, UK], verify_only=True)["changed"]
    assert query(named.primary, "example.com.", "SOA") == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key_secret": "not base64!"}, "key_secret must be Base64"),
        ({"key_name": "no name"}, "is not a valid key name"),
        ({"records": [{**CNAME, "name": "_a.example.net"}]}, "_a.example.net is not inside the zone example.com"),
        ({"records": [{**CNAME, "name": "a b.example.com"}]}, "is not allowed as the name"),
        ({"records": [{**CNAME, "values": ["x.com\nevil"]}]}, "is not allowed as the value"),
        ({"records": [{**CNAME, "type": "A", "values": ["192.0.2.1"]}]}, "a DCV record has the type CNAME or TXT"),
        ({"records": [{**CNAME, "ttl": 0.5}]}, "ttl"),
        ({"records": [{**CNAME, "ttl": "soon"}]}, "ttl"),
        ({"server": "no such server"}, "server: "),
    ],
)
def test_invalid_options(run: Run, options: dict[str, Any], message: str) -> None:
    with pytest.raises(GogetsslError) as caught:
        run(nsupdate.TASK, **{"records": [CNAME], **options})
    assert message in caught.value.message
    assert "base64!" not in caught.value.message
