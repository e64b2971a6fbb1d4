# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role reports about a run."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role import report

FOUND = {"name": "shop", "step": "buy", "reason": "no certificate is installed", "urgent": True}
ORDER = {"name": "shop", "order_id": 7, "step": "buy", "price": 1695, "currency": "USD", "reason": "none is installed"}
BOUGHT: dict[str, Any] = {
    **{**ORDER, "order_id": None},
    "product": "GoGetSSL Domain SSL",
    "product_id": 66,
    "period": 12,
    "names": ["a.example", "b.example"],
    "extra_price": 600,
}
ENDING = {**FOUND, "not_after": "2026-12-02T23:59:59+00:00"}
ENDS = ". The installed certificate ends on 2026-12-02."
COPY = {**FOUND, "step": "copy", "order_host": "web1"}
NOTHING: dict[str, Any] = {
    "planned": [],
    "orders": [],
    "stopped": [],
    "waiting": [],
    "copied": [],
    "served": [],
    "auto": [],
    "check_mode": False,
    "completed": True,
}
SERVED = {"name": "shop", "not_after": "2027-06-11T10:00:00Z", "replace_from": "2027-04-12T10:00:00Z"}
STOP = {"name": "shop", "reason": "shop: the price is above the limit."}


@pytest.mark.parametrize(
    ("decision", "known", "line"),
    [
        (FOUND, {"stopped": [STOP], "waiting": [STOP], "check_mode": True}, "stopped: the price is above the limit."),
        (COPY, {"waiting": [{"name": "shop", "reason": "shop: web1 waits."}]}, "waiting: web1 waits."),
        (COPY, {"check_mode": True}, "planned: copy from web1 (no certificate is installed)"),
        (FOUND, {"check_mode": True, "planned": [ORDER]}, "planned: order 7, buy, 16.95 USD (none is installed)"),
        (
            FOUND,
            {"check_mode": True, "planned": [{**BOUGHT, "names": ["a.example"], "extra_price": 0}]},
            "planned: buy GoGetSSL Domain SSL (66), 12 months, 1 name, 16.95 USD (none is installed)",
        ),
        (
            FOUND,
            {"check_mode": True, "planned": [BOUGHT]},
            "planned: buy GoGetSSL Domain SSL (66), 12 months, 2 names, 16.95 USD (10.95 and 6.00 for additional names)"
            " (none is installed)",
        ),
        (FOUND, {"check_mode": True}, "planned: buy (no certificate is installed)"),
        (COPY, {}, "not copied from web1; run again to resume"),
        (COPY, {"copied": [COPY], "completed": False}, "not copied from web1; run again to resume"),
        (FOUND, {"completed": False}, "nothing was ordered"),
        (ENDING, {"completed": False}, f"nothing was ordered{ENDS}"),
        (ENDING, {"stopped": [STOP]}, f"stopped: the price is above the limit{ENDS}"),
        ({**ENDING, **COPY}, {}, f"not copied from web1; run again to resume{ENDS}"),
        (ENDING, {"check_mode": True, "planned": [ORDER]}, "planned: order 7, buy, 16.95 USD (none is installed)"),
        (
            FOUND,
            {"completed": False, "planned": [ORDER]},
            "not finished: order 7, buy, 16.95 USD; run again to resume",
        ),
        (
            FOUND,
            {"planned": [ORDER], "orders": [{**ORDER, "pending": True, "reason": "It is being issued."}]},
            "pending: order 7, buy, 16.95 USD; It is being issued. Run again to resume.",
        ),
        (
            FOUND,
            {"planned": [ORDER], "orders": [{**ORDER, "pending": True, "waiting_for": "It is reviewed manually."}]},
            "pending: order 7, buy, 16.95 USD; It is reviewed manually. Run again to resume.",
        ),
        (
            FOUND,
            {
                "planned": [ORDER],
                "orders": [{**ORDER, "pending": True, "waiting_for": "The order is not paid."}],
                "awaited": [{"name": ORDER["name"], "requires": "a payment"}],
            },
            "pending: order 7, buy, 16.95 USD; The order is not paid. This run did not wait for it, because it requires"
            " a payment. Run again to resume.",
        ),
        (
            FOUND,
            {"planned": [{**ORDER, "price": 0, "step": "reissue"}], "served": [SERVED]},
            "installed: order 7, reissue (no certificate is installed); valid until 2027-06-11, to be replaced from"
            " 2027-04-12",
        ),
        (FOUND, {"served": [{"name": "shop", "not_after": None}]}, "installed: buy (no certificate is installed)"),
        (COPY, {"copied": [COPY]}, "installed: copied from web1 (no certificate is installed)"),
        (
            FOUND,
            {
                "auto": ["shop"],
                "check_mode": True,
                "planned": [{**ORDER, "price": None, "methods": {"a.example": "http"}}],
            },
            "planned: order 7, buy (none is installed); validation: a.example by http",
        ),
    ],
)
def test_result_of_a_certificate(decision: dict[str, Any], known: dict[str, Any], line: str) -> None:
    assert report.certificate_report([decision], **{**NOTHING, **known}) == [f"shop: {line}"]


def test_a_certificate_that_is_not_due_has_no_line() -> None:
    assert report.certificate_report([{**FOUND, "step": "keep"}], **NOTHING) == []


@pytest.mark.parametrize(
    ("prices", "budgets", "sentence"),
    [
        ([], [{"balance": 1, "currency": "USD"}], "Nothing would be bought."),
        ([1695], [], "1 purchase for 16.95 before tax."),
        ([1695, 5], [{"balance": None, "currency": ""}, {"balance": 100000, "currency": "USD"}],
         "2 purchases for 17.00 USD before tax; the balance is 1000.00 USD."),
        ([1695, None], [{"balance": 0, "currency": "EUR"}],
         "2 purchases for 16.95 EUR before tax, without purchases of unknown price; the balance is 0.00 EUR."),
    ],
)  # fmt: skip
def test_purchase_total(prices: list[int | None], budgets: list[dict[str, Any]], sentence: str) -> None:
    plan = [{"step": "renew", "price": price} for price in prices]
    assert report.purchase_total([{"step": "reissue", "price": 0}, *plan], budgets) == sentence


def test_orders_that_cannot_be_validated_are_stopped() -> None:
    orders = [{"name": "a", "order_id": 1}, {"name": "b", "order_id": 2}, {"name": "c", "order_id": None}]
    not_visible = [{"order_id": 2, "problem": "One."}, {"order_id": 2, "problem": "Two."}]
    unpublished = [{"order_id": 1, "reason": "No zone."}, {"order_id": 1, "reason": "No key."}]
    assert report.stopped_orders(orders, unpublished, not_visible) == [
        {"name": "a", "reason": "a: No zone."},
        {"name": "a", "reason": "a: No key."},
        {"name": "b", "reason": "b: the DCV file is not visible from the controller: One. Two."},
    ]
    assert report.stopped_orders(orders, [], []) == []


RECORD = {"name": "a.example", "record": "_x.a.example", "type": "CNAME", "value": "y.example", "problem": "Not there."}


@pytest.mark.parametrize(
    ("validation", "publishes", "lines"),
    [
        (RECORD, False, ["a.example: create the DNS record _x.a.example CNAME y.example"]),
        (RECORD, True, ["a.example: Not there."]),
        ({**RECORD, "visible": True}, True, []),
        ({"name": "a.example", "file_name": "f.txt", "problem": "Not there."}, False, []),
        ({"name": "a.example", "visible": None, "problem": "Answer the mail."}, True, ["a.example: Answer the mail."]),
    ],
)
def test_manual_steps(validation: dict[str, Any], publishes: bool, lines: list[str]) -> None:
    assert report.manual_steps([validation], publishes) == lines


def test_removal_report() -> None:
    removed = [{"name": "a", "changed": True}, {"name": "b", "changed": False}]
    cancelled = [{"name": "a", "reason": "its cancellation was requested."}]
    advice = "Delete it from gogetssl_certificates, otherwise the next run buys it again."
    assert report.removal_report(removed, cancelled, check_mode=False) == [
        f"a: removed. {advice} Order: its cancellation was requested.",
        f"b: not installed. {advice}",
    ]
    assert report.removal_report(removed, [], check_mode=True)[0] == f"a: would be removed. {advice}"
