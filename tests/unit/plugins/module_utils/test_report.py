# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role says of a run and hands from task to task."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _deliveries, _report

FOUND = {"name": "shop", "step": "buy", "reason": "no certificate is installed", "urgent": True}
ORDER = {"name": "shop", "order_id": 7, "step": "buy", "price": 1695, "currency": "USD", "reason": "none is there"}
COPY = {**FOUND, "step": "copy", "order_host": "web1"}
NOTHING: dict[str, Any] = {
    "offered": [],
    "latest": [],
    "stopped": [],
    "waiting": [],
    "copied": [],
    "served": [],
    "told": [],
    "dry": False,
    "through": True,
}
SERVED = {"name": "shop", "not_after": "2027-06-11T10:00:00Z", "replace_from": "2027-04-12T10:00:00Z"}
STOP = {"name": "shop", "reason": "shop: the price is above the ceiling."}


@pytest.mark.parametrize(
    ("found", "known", "line"),
    [
        (FOUND, {"stopped": [STOP], "waiting": [STOP], "dry": True}, "stopped: the price is above the ceiling."),
        (COPY, {"waiting": [{"name": "shop", "reason": "shop: web1 waits."}]}, "waiting: web1 waits."),
        (COPY, {"dry": True}, "would do: copy from web1 (no certificate is installed)"),
        (FOUND, {"dry": True, "offered": [ORDER]}, "would do: order 7, buy, 16.95 USD (none is there)"),
        (FOUND, {"dry": True}, "would do: buy (no certificate is installed)"),
        (COPY, {}, "not copied from web1; run again to resume"),
        (COPY, {"copied": [COPY], "through": False}, "not copied from web1; run again to resume"),
        (FOUND, {"through": False}, "nothing was ordered"),
        (
            FOUND,
            {"through": False, "offered": [ORDER]},
            "not finished: order 7, buy, 16.95 USD; run again to resume",
        ),
        (
            FOUND,
            {"offered": [ORDER], "latest": [{**ORDER, "pending": True, "reason": "It is being made."}]},
            "pending: order 7, buy, 16.95 USD; It is being made. Run again to resume.",
        ),
        (
            FOUND,
            {"offered": [ORDER], "latest": [{**ORDER, "pending": True, "waiting_for": "A person looks at it."}]},
            "pending: order 7, buy, 16.95 USD; A person looks at it. Run again to resume.",
        ),
        (
            FOUND,
            {"offered": [{**ORDER, "price": 0, "step": "reissue"}], "served": [SERVED]},
            "installed: order 7, reissue (no certificate is installed); valid until 2027-06-11, to be replaced from"
            " 2027-04-12",
        ),
        (FOUND, {"served": [{"name": "shop", "not_after": None}]}, "installed: buy (no certificate is installed)"),
        (COPY, {"copied": [COPY]}, "installed: copied from web1 (no certificate is installed)"),
        (
            FOUND,
            {"told": ["shop"], "dry": True, "offered": [{**ORDER, "price": None, "methods": {"a.example": "http"}}]},
            "would do: order 7, buy (none is there); proven: a.example by http",
        ),
    ],
)
def test_a_certificate_has_its_line(found: dict[str, Any], known: dict[str, Any], line: str) -> None:
    assert _report.report([found], **{**NOTHING, **known}) == [f"shop: {line}"]


def test_what_is_kept_is_not_worth_a_line() -> None:
    assert _report.report([{**FOUND, "step": "keep"}], **NOTHING) == []


@pytest.mark.parametrize(
    ("prices", "budgets", "sentence"),
    [
        ([], [{"balance": 1, "currency": "USD"}], "Nothing would be bought."),
        ([1695], [], "1 purchase for 16.95 before tax."),
        ([1695, 5], [{"balance": None, "currency": ""}, {"balance": 100000, "currency": "USD"}],
         "2 purchases for 17.00 USD before tax; the balance is 1000.00 USD."),
        ([1695, None], [{"balance": 0, "currency": "EUR"}],
         "2 purchases for 16.95 EUR before tax, and some of unknown price; the balance is 0.00 EUR."),
    ],
)  # fmt: skip
def test_the_total(prices: list[int | None], budgets: list[dict[str, Any]], sentence: str) -> None:
    plan = [{"step": "renew", "price": price} for price in prices]
    assert _report.total([{"step": "reissue", "price": 0}, *plan], budgets) == sentence


def test_orders_whose_proof_nobody_sees_stop() -> None:
    orders = [{"name": "a", "order_id": 1}, {"name": "b", "order_id": 2}, {"name": "c", "order_id": None}]
    proofs = [{"order_id": 2, "problem": "One."}, {"order_id": 2, "problem": "Two."}]
    assert _report.unseen(orders, proofs) == [
        {"name": "b", "reason": "b: the proof cannot be seen from outside: One. Two."}
    ]


RECORD = {"name": "a.example", "record": "_x.a.example", "type": "CNAME", "value": "y.example", "problem": "Not there."}


@pytest.mark.parametrize(
    ("proof", "publishes", "lines"),
    [
        (RECORD, False, ["a.example: publish _x.a.example CNAME y.example"]),
        (RECORD, True, ["a.example: Not there."]),
        ({**RECORD, "visible": True}, True, []),
        ({"name": "a.example", "file_name": "f.txt", "problem": "Not there."}, False, []),
        ({"name": "a.example", "visible": None, "problem": "Answer the mail."}, True, ["a.example: Answer the mail."]),
    ],
)
def test_errands(proof: dict[str, Any], publishes: bool, lines: list[str]) -> None:
    assert _report.errands([proof], publishes) == lines


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"certificates": []}, None),
        (
            {"unreachable": True, "msg": "Failed to\n connect "},
            "which orders it, cannot be reached (Failed to connect)",
        ),
        (
            {"failed": True, "msg": "Bad things.", "certificates": []},
            "which orders it, could not be looked at: Bad things.",
        ),
        ({}, "which orders it, could not be looked at: no reason given"),
    ],
)
@pytest.mark.parametrize("urgent", [True, False])
def test_hosts_that_give_no_answer(answer: dict[str, Any], why: str | None, urgent: bool) -> None:
    wishes = [{"name": "shop", "order_host": "web1"}]
    answers = [{"__gogetssl_order_host": "web1", **answer}]
    found = _report.unanswered(wishes, [{"name": "shop", "urgent": urgent}], answers, ["web1"])
    stays = "" if urgent else "; what is installed stays until it can"
    assert found == ([{"name": "shop", "urgent": urgent, "reason": f"shop: web1, {why}{stays}."}] if why else [])


def test_a_host_that_does_not_exist() -> None:
    wish = {"name": "shop", "order_host": "web9"}
    (found,) = _report.unanswered([wish], [FOUND], [], ["web1"])
    assert found["reason"] == "shop: web9, which is to order it, is not in the inventory."


def test_farewell() -> None:
    removed = [{"name": "a", "changed": True}, {"name": "b", "changed": False}]
    cancelled = [{"name": "a", "reason": "its cancellation was asked for."}]
    advice = "take it out of gogetssl_certificates, or the next run buys it again"
    assert _report.farewell(removed, cancelled, dry=False) == [
        f"a: removed; {advice}; order: its cancellation was asked for.",
        f"b: nothing is there; {advice}",
    ]
    assert _report.farewell(removed, [], dry=True)[0] == f"a: would be removed; {advice}"


WISHES = [
    {"name": "shop", "names": ["a.example"], "owner": "www", "forms": ["der"], "product": "68"},
    {"name": "mail", "names": ["b.example"], "services": ["postfix"]},
]
ISSUED = {"name": "mail", "names": ["b.example"], "issued": True, "certificate": "PEM", "chain": None, "step": "buy"}


@pytest.mark.parametrize("lacks", [{"issued": False}, {"certificate": ""}, {"step": "keep"}])
def test_what_is_installed(lacks: dict[str, Any]) -> None:
    here = {"name": "shop", "names": ["a.example"], "owner": "www", "forms": ["der"], "unproven": False}
    new = {"name": "mail", "names": ["b.example"], "certificate": "PEM", "chain": "", "unproven": True}
    assert _deliveries.deliveries(WISHES, ["shop"], [ISSUED]) == [here, new]
    assert _deliveries.deliveries(WISHES, [], [{**ISSUED, **lacks}]) == []


def test_what_is_copied() -> None:
    answers = [
        {"certificates": [{"name": "shop", "certificate": "PEM"}], "private_keys": {"shop": "KEY"}},
        {"certificates": [{"name": "mail"}], "private_keys": {"mail": "OTHER"}},
        {"failed": True},
        {"private_keys": None},
    ]
    assert _deliveries.copies(answers, WISHES) == [
        {"owner": "www", "forms": ["der"], "name": "shop", "certificate": "PEM", "unproven": False},
        {"name": "mail", "unproven": True},
    ]
    assert _deliveries.private_keys(answers) == {"shop": "KEY", "mail": "OTHER"}
