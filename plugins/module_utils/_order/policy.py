# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spending limits of a run: pure functions that permit a decision or replace it with a stop.

All prices and limits are before tax, in minor units of the account's currency, as in the vendor's price list.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._api.models import Order
from .._core.money import money
from .._host.journal import Journal, Purchase
from .._request.spec import CertificateSpec
from .decision import Decision, Step, refuse

# A renewal is bought up to 29 days before its term ends, so a window of 365 days could contain two renewals.
YEAR = dt.timedelta(days=330)
SPEND_SPEC: dict[str, t.Any] = {
    "spend": {
        "type": "list",
        "elements": "str",
        "choices": ["none", "reissue", "renew", "buy", "add_names"],
        "default": ["buy"],
    },
}
_LADDER = (Step.REISSUE, Step.RENEW, Step.BUY)


@dataclasses.dataclass(frozen=True)
class Policy:
    """Spending limits of a run."""

    spend: frozenset[str] = frozenset({"buy"})
    max_price: int | None = None  # of one step
    max_price_per_year: int | None = None  # of one certificate, with what was bought in the `YEAR` before
    max_price_per_run: int | None = None  # of everything a run of Ansible buys, on all hosts
    max_price_per_day: int | None = None  # of everything the account is invoiced for in a day, by any run or person
    currency: str | None = None  # of the limits
    tax_percent: float | None = None  # added to the list price
    check_balance: bool = True

    def allows(self, step: Step) -> bool:
        """True if the step is allowed. buy includes renew, and renew includes reissue; add_names must be listed."""
        if step is Step.ADD_NAMES:
            return "add_names" in self.spend
        if step not in _LADDER:
            return True
        return any(rung.value in self.spend for rung in _LADDER[_LADDER.index(step) :])

    @property
    def has_limit(self) -> bool:
        limits = (self.max_price, self.max_price_per_year, self.max_price_per_run, self.max_price_per_day)
        return any(limit is not None for limit in limits)

    @property
    def needs_account(self) -> bool:
        """True if the account must be queried before a purchase."""
        return self.check_balance or self.currency is not None


@dataclasses.dataclass(frozen=True)
class Funds:
    """The account balance, and what was reserved or spent for other certificates: by this run, and by anyone today."""

    balance: int | None = None
    currency: str | None = None
    reserved: int = 0
    today: int = 0


def permitted(decision: Decision, policy: Policy, spent: int) -> Decision:
    """Return the decision, or a stop, without querying the account. `spent` is the amount of the past year."""
    if not policy.allows(decision.step):
        key = "spend" if policy.spend - {"none"} else "spend_none"
        return refuse(key, decision, spend=", ".join(sorted(policy.spend)))
    if not decision.spends:
        return decision
    price, unit = decision.price, policy.currency
    if price is None:
        return refuse("price_unknown", decision) if policy.has_limit else decision
    shown = money(price, unit)
    if policy.max_price is not None and price > policy.max_price:
        return refuse("max_price", decision, price=shown, limit=money(policy.max_price, unit))
    if policy.max_price_per_year is not None and spent + price > policy.max_price_per_year:
        limit = money(policy.max_price_per_year, unit)
        return refuse("max_price_per_year", decision, price=shown, spent=money(spent, unit), limit=limit)
    return decision


def affordable(decision: Decision, policy: Policy, funds: Funds) -> Decision:
    """Return the decision, or a stop, based on the account and the other purchases of this run."""
    if not decision.spends:
        return decision
    unit = funds.currency or policy.currency
    if policy.currency is not None and (funds.currency or "").upper() != policy.currency.upper():
        known = funds.currency or "not returned by GoGetSSL"
        return refuse("currency", decision, currency=known, expected=policy.currency)
    price = decision.price or 0
    shown, others = money(price, unit), money(funds.reserved, unit)
    if policy.max_price_per_run is not None and funds.reserved + price > policy.max_price_per_run:
        limit = money(policy.max_price_per_run, unit)
        return refuse("max_price_per_run", decision, price=shown, spent=others, limit=limit)
    if policy.max_price_per_day is not None and funds.today + price > policy.max_price_per_day:
        limit, spent = money(policy.max_price_per_day, unit), money(funds.today, unit)
        return refuse("max_price_per_day", decision, price=shown, spent=spent, limit=limit)
    if not policy.check_balance or funds.balance is None:
        return decision
    if with_tax(funds.reserved, policy) + with_tax(price, policy) > funds.balance:
        tax = "before tax" if policy.tax_percent is None else f"with {policy.tax_percent:g} % tax"
        return refuse(
            "balance",
            decision,
            price=money(with_tax(price, policy), unit),
            tax=tax,
            spent=money(with_tax(funds.reserved, policy), unit),
            balance=money(funds.balance, unit),
        )
    return decision


def with_tax(price: int, policy: Policy) -> int:
    """Return the amount charged to the balance, rounded up, with tax if its rate is known."""
    return price if policy.tax_percent is None else price - int(-price * policy.tax_percent // 100)


def terms(spec: CertificateSpec, product: str) -> dict[str, t.Any]:
    """What is bought for a certificate, as in an entry of the plan. `product` is the vendor's name of the product."""
    return {"name": spec.name, "names": list(spec.names), "product": product, "period": spec.period}


def approved(
    decision: Decision, purchase: t.Mapping[str, t.Any], plan: t.Sequence[t.Mapping[str, t.Any]] | None
) -> Decision:
    """Return the decision, or a stop if it costs money and the approved plan has no entry for the same purchase.

    `purchase` are the `terms`. The order is compared too, so that a plan approves the renewal of one term only.
    """
    if plan is None or not decision.spends:
        return decision
    same = {**purchase, "step": decision.step.value, "order_id": decision.order_id}
    for entry in plan:
        price = entry.get("price")
        if any(entry.get(key) != value for key, value in same.items()):
            continue
        if decision.price is not None and isinstance(price, int) and decision.price <= price:
            return decision
    return refuse("not_approved", decision)


def spent_in_year(journal: Journal | None, order: Order | None, list_price: int | None, now: dt.datetime) -> int:
    """Return the cost of a certificate in the past `YEAR`, from the host's journal.

    An order without a recorded purchase (adopted, or the journal was lost) counts at the current price if its term
    began within the year.
    """
    since = (now - YEAR).date()
    purchases = journal.purchases if journal else ()
    total = sum(one.price or 0 for one in purchases if one.date >= since.isoformat())
    known = order is not None and any(one.order_id == order.order_id for one in purchases)
    if order is not None and not known and order.begin_date is not None and order.begin_date >= since:
        total += list_price or 0
    return total


def add_purchase(purchases: t.Sequence[Purchase], bought: Purchase) -> tuple[Purchase, ...]:
    """Add a purchase. Purchases older than two years are dropped, and the list is limited to fifty."""
    if bought.step != Step.ADD_NAMES.value and any(one.order_id == bought.order_id for one in purchases):
        return tuple(purchases)  # already recorded by another run
    oldest = (dt.date.fromisoformat(bought.date) - 2 * YEAR).isoformat()
    return (*(one for one in purchases if one.date >= oldest), bought)[-50:]
