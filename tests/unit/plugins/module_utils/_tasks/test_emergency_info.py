# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The selection at the start of a run, and what became of it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._report.emergency import FAILURE, FINISHED, PLAN
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import emergency_info
from tests.unit.scripted import Time, call, run, scripted

NOW = dt.datetime.fromtimestamp(Time().seconds, dt.timezone.utc)
SINCE = NOW - dt.timedelta(hours=1)


def host(name: str, sent: dt.datetime = NOW - dt.timedelta(days=40), serial: str = "a1", **more: Any) -> dict[str, Any]:
    one = {
        "name": "shop",
        "step": "keep",
        "reason": "valid",
        "order_id": 7,
        "product_id": 68,
        "names": [f"{name}.example.com"],
        "not_before": sent.isoformat(),
        "not_after": (sent + dt.timedelta(days=199)).isoformat(),
        "key_sent": sent.isoformat(),
        "serial": serial,
        "issuer": "CN=Sectigo",
    }
    requested = {"name": "shop", "names": one["names"], "product": "68"}
    return {"host": name, "result": {"certificates": [one]}, "certificates": [requested], **more}


def emergency(*hosts: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
    options.setdefault("since", SINCE.isoformat())
    return run(emergency_info.TASK, check_mode=check_mode, hosts=list(hosts), **options)


def test_hosts_keep_the_order_of_the_inventory() -> None:
    with scripted():
        result = emergency(host("web2"), host("web1"), host("web3", NOW), select="all", batches=["1", "100%"])
    assert (result["hosts"], result["waves"]) == (["web2", "web1", "web3"], [1, 2])
    assert result["once"] == {
        "web2": {"shop": {"rekey": SINCE.isoformat()}},
        "web1": {"shop": {"rekey": SINCE.isoformat()}},
        "web3": {},
    }
    assert [one["due"] for one in result["targets"]] == [True, True, False]
    assert result["validated_hosts"] == ["web2", "web1"]
    assert result["lines"][0] == (
        "3 certificates on 3 hosts are selected, and 2 of them get new keys, free of charge. Waves: 1, 2 hosts."
    )
    assert result["lines"][1] == "shop on web2: web2.example.com; order 7, serial a1, CN=Sectigo"


def test_a_product_name_takes_one_request() -> None:
    listed = {"products": [{"id": "68", "product": "Multi", "brand": "ggssl", "prices": {}}], "success": True}
    with scripted(call("GET", "/products/ssl/", listed)), pytest.raises(GogetsslError, match="no product 'nothing'"):
        emergency(host("web1"), select={"product": "nothing"})


def test_a_copy_without_its_ordering_host_is_not_replaced() -> None:
    """Its run would do nothing but wait for the other host."""
    copy = host("web2")
    copy["certificates"][0]["order_host"] = "web1"
    with scripted():
        result = emergency(host("web3"), copy, select="all")
    assert result["once"] == {"web3": {"shop": {"rekey": SINCE.isoformat()}}, "web2": {}}
    assert [one["host"] for one in result["remaining"]] == ["web2"]
    assert "Add web1 to --limit" in result["lines"][-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"select": {"issuer": "DigiCert"}}, "gogetssl_emergency selects none of the 1 certificates of these hosts."),
        ({"since": None}, "Set gogetssl_emergency_since to the time from which a key counts as new"),
        ({"since": "soon"}, "gogetssl_emergency_since must be a date or time such as"),
        ({"since": "2040-01-01"}, "gogetssl_emergency_since: 2040-01-01 is in the future"),
        ({"deadline": "soon"}, "gogetssl_emergency_deadline must be a date or time such as"),
        ({"batches": ["x"]}, "gogetssl_batches: 'x' is neither"),
        ({"canary": ["db"]}, "gogetssl_canary: db has none"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    with scripted(), pytest.raises(GogetsslError, match=re.escape(message)):
        emergency(host("web1"), **{"select": "all", **options})


def test_a_drill_needs_no_time() -> None:
    with scripted():
        result = emergency(host("web1"), check_mode=True, since=None, select="all")
    assert result["once"]["web1"] == {"shop": {"rekey": NOW.isoformat()}}


def test_what_remains_and_what_to_revoke() -> None:
    before = [host("web1"), host("web2"), host("web3")]
    with scripted():
        selected = emergency(*before, select="all")
        finished = {FINISHED: True, FAILURE: None, PLAN: []}
        failed = {FINISHED: False, FAILURE: "nginx: failed", PLAN: []}
        after = [host("web1", NOW, "b2", **finished), host("web2", **failed), host("web3", NOW, "c3", **finished)]
        result = emergency(*after, selected=selected, deadline="2026-01-01")
        checked = emergency(*before, selected=selected, check_mode=True, deadline="2026-01-01")
    assert [(one["host"], one["reason"]) for one in result["remaining"]] == [("web2", "nginx: failed")]
    assert result["revoke"] == [{"order_id": 7, "serial": "a1", "names": ["web3.example.com"]}]
    assert result["lines"] == [
        "shop on web2: nginx: failed.",
        "1 certificate not replaced at the deadline, 2026-01-01 00:00 UTC.",
        "3 certificates on 3 hosts in 3 waves: 0.0 minutes, 0 API calls, cost 0.00.",
    ]
    assert checked["remaining"] == []
    assert checked["figures"]["estimated"] is True
    assert checked["lines"][0] == "3 certificates not replaced at the deadline, 2026-01-01 00:00 UTC."
