# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows from the results of hosts: states, order, clocks, and results that are not as expected."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._report import clocks, rows

from .fleet import NOW, account, certificate, days, host, rows_of, unreachable

OTHER = {"listener": "l", "matches": False, "answers": True, "not_after": days(80)}
SILENT = {"listener": "l", "matches": False, "answers": False, "not_after": None}
NONE = dict.fromkeys(("not_before", "not_after", "replace_from", "order_id", "term_end"))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "ok"),
        ({"step": "obtain"}, "due"),
        ({"step": "copy"}, "due"),
        ({"step": "install"}, "due"),
        ({"step": "install", "served": [OTHER]}, "not_served"),
        ({"step": "install", "served": [SILENT]}, "not_served"),
        ({"step": "stop"}, "stopped"),
        ({"step": "invalid", **NONE}, "unreadable"),
        ({"step": "obtain", "in_progress": True}, "pending"),
        ({"step": "obtain", "in_progress": True, **NONE}, "pending"),
        ({"step": "obtain", "served": [], **NONE}, "missing"),
        ({"end": -1, "step": "obtain"}, "expired"),
        ({"end": -1, "step": "stop"}, "expired"),
        ({"served": [{**OTHER, "not_after": days(-1)}]}, "expired"),
        ({"end": 4400}, "ok"),
    ],
)
def test_states(changes: dict[str, Any], state: str) -> None:
    (row,) = rows_of(host("web1", certificate(**changes)))
    assert row.state == state


def test_the_most_urgent_is_first() -> None:
    found = rows_of(
        host("a", certificate("ok", 100), certificate("soon", 5, step="obtain"), certificate("later", 50)),
        host("b", certificate("due", 60, step="obtain"), certificate("over", -2), certificate("stop", 90, step="stop")),
        unreachable("c", "silent"),
    )
    assert [row.name for row in found] == ["over", "soon", "silent", "stop", "due", "later", "ok"]


def test_an_unreachable_host_has_its_requested_certificates() -> None:
    found = rows_of(unreachable("gone", "shop", "mail"), unreachable("empty"))
    assert [(row.host, row.name, row.state) for row in found] == [
        ("empty", "", "unreachable"),
        ("gone", "mail", "unreachable"),
        ("gone", "shop", "unreachable"),
    ]
    assert {row.reason for row in found} == {"No route to host"}


def test_a_host_without_certificates_is_no_row() -> None:
    assert rows_of(host("db1"), {"host": "db2", "result": {"skipped": True}}, {"host": "db3"}) == []


def test_a_host_without_openssl_and_one_with_a_foreign_key() -> None:
    (row,) = rows_of(host("web1", certificate(served=[], unchecked_listeners=2, key_matches=False)))
    assert row.state == "ok"
    assert row.notes == (
        "what is served cannot be checked on this host: install openssl",
        "the private key does not belong to the certificate",
    )


def test_a_term_that_may_not_be_renewed() -> None:
    ends = certificate(term_end=(NOW.date() + dt.timedelta(days=30)).isoformat())
    for allowed, noted in (("reissue", True), (["none"], True), (["renew"], False), (None, False), ("", False)):
        (row,) = rows_of(host("web1", ends, spend=allowed))
        assert bool(row.notes) is noted, allowed


HOSTILE = "\x1b[31m<script>\u202eevil\n"


@pytest.mark.parametrize("value", [None, 7, -1, True, "", "x", HOSTILE, [], {}, [1], [None], "9" * 400, 1e300])
def test_a_host_may_return_anything(value: Any) -> None:
    for key in certificate():
        for found in rows_of(host("web1", {**certificate(), key: value, "names": ["a"], "name": "a"})):
            assert "\n" not in found.reason
            assert "\x1b" not in found.reason
    for key in ("result", "certificates", "spend", "host"):
        rows_of({**host("web1", certificate()), key: value})
    rows_of({"host": "h", "result": {"certificates": value, "failed": True, "msg": value}, "certificates": value})


def test_orders_of_the_account() -> None:
    found = rows_of(
        host("a", certificate("shop", order_id=1), certificate("mail", order_id=2)),
        host("b", certificate("new", order_id=3, step="obtain"), certificate("lost", order_id=4)),
        of=account((1, "active", "shop.example.com"), (2, "cancelled", "mail"), (3, "processing", "new")),
    )
    assert {row.name: (row.order_status, row.state) for row in found} == {
        "shop": ("active", "ok"),
        "mail": ("cancelled", "ok"),
        "new": ("processing", "pending"),
        "lost": ("gone", "ok"),
    }
    assert {row.product for row in found} == {"Multi-Domain"}
    assert {row.price for row in found} == {1230}


def test_orders_beyond_the_lists_are_not_called_gone() -> None:
    (row,) = rows_of(host("a", certificate(order_id=4)), of=account(complete=False))
    assert row.order_status == "not listed"


@pytest.mark.parametrize(
    ("validated", "end"),
    [
        ("2026-03-14", "2026-09-30"),  # 398 days by the old rule, 200 days from 2026-03-15
        ("2026-03-15", "2026-10-01"),
        ("2026-11-26", "2027-03-14"),  # 200 days would end in June, and 100 days are over on 2027-03-06
        ("2026-12-20", "2027-03-30"),
        ("2027-03-15", "2027-06-23"),
        ("2029-03-10", "2029-03-20"),
        ("2010-01-01", None),
    ],
)
def test_the_reuse_of_validations_follows_the_schedule(validated: str, end: str | None) -> None:
    found = clocks.reuse_end(dt.date.fromisoformat(validated))
    assert (found.isoformat() if found else None) == end


def test_every_state_has_a_place() -> None:
    assert {*rows._FIRST, *rows._OPERATOR, "due", "pending", "ok"} == set(rows.STATES)
