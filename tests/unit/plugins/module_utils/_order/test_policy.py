# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of purchases: price limits, the account, the approved plan, and the reservations of all hosts of a run."""

from __future__ import annotations

import datetime as dt
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import order_answers
from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Order
from ansible_collections.certops.gogetssl.plugins.module_utils._host.journal import Journal, Purchase
from ansible_collections.certops.gogetssl.plugins.module_utils._order import budget
from ansible_collections.certops.gogetssl.plugins.module_utils._order import decision as _decision
from ansible_collections.certops.gogetssl.plugins.module_utils._order import policy as _policy
from ansible_collections.certops.gogetssl.plugins.module_utils._order.decision import Decision, Step
from ansible_collections.certops.gogetssl.plugins.module_utils._order.policy import Funds, Policy

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
BUY = Decision(Step.BUY, "there is no order for it", price=2500)
RENEW = Decision(Step.RENEW, "the paid term ends", 7, 2500)
FREE = Decision(Step.REISSUE, "it ends", 7, 0)
UNPRICED = Decision(Step.BUY, "there is no order for it", price=None)


@pytest.mark.parametrize(
    ("decision", "policy", "spent", "step", "message"),
    [
        (BUY, Policy(max_price=2500), 0, Step.BUY, ""),
        (BUY, Policy(max_price=2499), 0, Step.STOP, "costs 25.00 before tax, above the limit of 24.99 for one step"),
        (BUY, Policy(max_price=0), 0, Step.STOP, "limit of 0.00"),
        (BUY, Policy(max_price=2499, currency="EUR"), 0, Step.STOP, "25.00 EUR before tax, above the limit"),
        (FREE, Policy(max_price=0, max_price_per_year=0, max_price_per_run=0), 9999, Step.REISSUE, ""),
        (BUY, Policy(max_price_per_year=5000), 2500, Step.BUY, ""),
        (BUY, Policy(max_price_per_year=4999), 2500, Step.STOP, "with 25.00 bought before, that is above the limit"),
        (RENEW, Policy(spend=frozenset({"reissue"})), 0, Step.STOP, "but gogetssl_spend allows only: reissue"),
        (RENEW, Policy(spend=frozenset({"none"})), 0, Step.STOP, "Run again, with renew allowed by gogetssl_spend"),
        (UNPRICED, Policy(), 0, Step.BUY, ""),
        (UNPRICED, Policy(max_price=9999), 0, Step.STOP, "its price is not known"),
        (UNPRICED, Policy(max_price_per_year=9999), 0, Step.STOP, "its price is not known"),
        (UNPRICED, Policy(max_price_per_run=9999), 0, Step.STOP, "its price is not known"),
    ],
)  # fmt: skip
def test_permitted(decision: Decision, policy: Policy, spent: int, step: Step, message: str) -> None:
    result = _policy.permitted(decision, policy, spent)
    assert (result.step, message in result.reason, result.price) == (step, True, decision.price), result
    assert result.refused is (decision.step if step is Step.STOP else None)


def funds(balance: int | None = 10000, currency: str | None = "EUR", reserved: int = 0) -> Funds:
    return Funds(balance, currency, reserved)


@pytest.mark.parametrize(
    ("decision", "policy", "held", "step", "message"),
    [
        (BUY, Policy(), funds(2500), Step.BUY, ""),
        (BUY, Policy(), funds(2499), Step.STOP, "costs 25.00 EUR before tax; with 0.00 EUR for other certificates"),
        (BUY, Policy(), funds(4999, reserved=2500), Step.STOP, "more than the balance of 49.99 EUR"),
        (BUY, Policy(), funds(5000, reserved=2500), Step.BUY, ""),
        (BUY, Policy(), funds(None), Step.BUY, ""),
        (BUY, Policy(check_balance=False), funds(0), Step.BUY, ""),
        (FREE, Policy(currency="EUR", max_price_per_run=0), funds(0, "USD"), Step.REISSUE, ""),
        (BUY, Policy(tax_percent=21), funds(3024), Step.STOP, "costs 30.25 EUR with 21 % tax"),
        (BUY, Policy(tax_percent=21), funds(3025), Step.BUY, ""),
        (BUY, Policy(tax_percent=21), funds(6049, reserved=2500), Step.STOP, "with 30.25 EUR for other certificates"),
        (BUY, Policy(currency="EUR"), funds(), Step.BUY, ""),
        (BUY, Policy(currency="eur"), funds(), Step.BUY, ""),
        (BUY, Policy(currency="EUR"), funds(currency="USD"), Step.STOP, "currency is USD and gogetssl_currency is EUR"),
        (BUY, Policy(currency="EUR"), funds(currency=""), Step.STOP, "currency is not returned by GoGetSSL"),
        (BUY, Policy(max_price_per_run=5000), funds(reserved=2500), Step.BUY, ""),
        (BUY, Policy(max_price_per_run=4999), funds(reserved=2500), Step.STOP, "the limit of 49.99 EUR for one run"),
        (UNPRICED, Policy(), funds(0), Step.BUY, ""),
    ],
)  # fmt: skip
def test_affordable(decision: Decision, policy: Policy, held: Funds, step: Step, message: str) -> None:
    result = _policy.affordable(decision, policy, held)
    assert (result.step, message in result.reason) == (step, True), result


PURCHASE = {"name": "shop", "names": ["a.example.com", "b.example.com"], "product": "Multi-Domain", "period": 12}
ENTRY = {**PURCHASE, "host": "web1", "step": "buy", "order_id": None, "price": 2500}


@pytest.mark.parametrize(
    ("decision", "plan", "step"),
    [
        (BUY, None, Step.BUY),
        (BUY, [ENTRY], Step.BUY),
        (BUY, [], Step.STOP),
        (BUY, [{**ENTRY, "price": 2600}], Step.BUY),
        (BUY, [{**ENTRY, "price": 2499}], Step.STOP),
        (BUY, [{**ENTRY, "name": "other"}], Step.STOP),
        (BUY, [{**ENTRY, "price": None}], Step.STOP),
        (BUY, [{**ENTRY, "price": "2500"}], Step.STOP),
        (BUY, [{**ENTRY, "names": ["a.example.com", "c.example.com"]}], Step.STOP),
        (BUY, [{**ENTRY, "names": ["a.example.com"]}], Step.STOP),
        (BUY, [{**ENTRY, "product": "Wildcard"}], Step.STOP),
        (BUY, [{**ENTRY, "period": 24}], Step.STOP),
        (BUY, [{**ENTRY, "period": 24}, ENTRY], Step.BUY),
        (BUY, [{"name": "shop", "step": "buy", "price": 2500}], Step.STOP),
        (RENEW, [ENTRY], Step.STOP),
        (RENEW, [{**ENTRY, "step": "renew", "order_id": RENEW.order_id}], Step.RENEW),
        (RENEW, [{**ENTRY, "step": "renew", "order_id": 8}], Step.STOP),
        (UNPRICED, [ENTRY], Step.STOP),
        (FREE, [], Step.REISSUE),
    ],
)
def test_approved(decision: Decision, plan: Any, step: Step) -> None:
    assert _policy.approved(decision, PURCHASE, plan).step is step


def bought(date: str, order_id: int = 7, step: str = "buy", price: int | None = 2500) -> Purchase:
    return Purchase(date, step, order_id, price, "EUR")


def order(begin: str | None) -> Order:
    answer = {"order_id": 7, "status": "active", "domain": "a.example.com", "begin_date": begin or "0000-00-00"}
    return order_answers.read_order(answer)


@pytest.mark.parametrize(
    ("purchases", "the_order", "spent"),
    [
        ((), None, 0),
        ((bought("2026-11-01"),), None, 2500),
        ((bought("2026-11-01"),), order("2026-11-01"), 2500),
        ((bought("2026-01-01"), bought("2026-11-01", step="add_names", price=500)), None, 3000),
        ((bought("2025-12-26"),), None, 0),  # 333 days: the previous term, whose renewal is due
        ((bought("2026-01-02", price=None),), None, 0),
        ((), order("2026-11-01"), 2000),  # adopted: the current price
        ((), order("2025-11-01"), 0),
        ((), order(None), 0),
        ((bought("2026-10-01", order_id=6),), order("2026-11-01"), 4500),
    ],
)
def test_spent_in_year(purchases: tuple[Purchase, ...], the_order: Order | None, spent: int) -> None:
    journal = Journal("a", 7, 68, "k", purchases=purchases)
    assert _policy.spent_in_year(journal, the_order, 2000, NOW) == spent


def test_purchases_are_recorded_once_and_for_a_limited_time() -> None:
    old, new = bought("2024-11-01", 5), bought("2026-11-24", 8)
    assert _policy.add_purchase((old, bought("2025-12-01")), new) == (bought("2025-12-01"), new)
    assert _policy.add_purchase((new,), new) == (new,)
    room = bought("2026-11-24", 8, "add_names")
    assert _policy.add_purchase((new, room), room) == (new, room, room)
    assert len(_policy.add_purchase((room,) * 60, room)) == 50


def reserve(arguments: tuple[str, int]) -> bool:
    directory, number = arguments
    with budget.Budget(directory).account("https://api", "user") as account:
        decision = _policy.affordable(BUY, Policy(max_price_per_run=10 * 2500), funds(None, None, account.others("")))
        if decision.step is Step.BUY:
            account.reserved[str(number)] = 2500
    return decision.step is Step.BUY


def test_concurrent_reservations_stay_below_the_limit(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        granted = pool.map(reserve, [(str(tmp_path), number) for number in range(40)])
    assert sum(granted) == 10


def test_a_reservation_is_not_counted_against_itself(tmp_path: Path) -> None:
    for _time in range(2):
        with budget.Budget(str(tmp_path)).account("https://api", None) as account:
            assert account.others("shop") == 0
            account.reserved["shop"] = 2500
    with budget.Budget(str(tmp_path)).account("https://api", None) as account:
        assert account.others("other") == 2500
    with budget.Budget(str(tmp_path)).account("https://sandbox", None) as account:
        assert account.others("other") == 0


def test_every_stop_is_explained_in_the_documentation() -> None:
    """Each message has a row in the table, found by the text that the row quotes."""
    text = (Path(__file__).resolve().parents[5] / "docs" / "operating.md").read_text()
    table = text.split("## What a stop means")[1].split("\n## ")[0]
    quoted = [
        row.split(" | ")[0].lstrip("| ") for row in table.splitlines() if row.startswith("| ") and "---" not in row
    ]
    message = {row: [part.strip(" *") for part in row.split("…") if part.strip(" *")] for row in quoted[1:]}
    for key, sentence in _decision.STOPS.items():
        found = [row for row, parts in message.items() if all(part in sentence for part in parts)]
        assert len(found) == 1, f"{key} is explained by {found}"
