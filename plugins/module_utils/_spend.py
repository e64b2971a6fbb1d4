# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run may spend: pure functions that let a decision pass or turn it into a stop.

All prices and ceilings are before tax, in minor units of the account's currency, as in the vendor's price list.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ._decision import Decision, Step, money, refuse
from ._journal import Journal, Purchase
from ._models import Order

# A renewal comes up to 29 days before its term ends: counted by 365 days, every year would hold two of them.
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
    """What a run may do with money."""

    spend: frozenset[str] = frozenset({"buy"})
    max_price: int | None = None  # of one step
    max_price_per_year: int | None = None  # of one certificate, with what was bought in the `YEAR` before
    max_price_per_run: int | None = None  # of everything a run of Ansible buys, on all hosts
    currency: str | None = None  # that the ceilings are meant in
    tax_percent: float | None = None  # that the account pays on top of the price list
    check_balance: bool = True

    def allows(self, step: Step) -> bool:
        """Buying includes renewing, renewing includes reissuing; more names are bought only when asked for by name."""
        if step is Step.ADD_NAMES:
            return "add_names" in self.spend
        if step not in _LADDER:
            return True
        return any(rung.value in self.spend for rung in _LADDER[_LADDER.index(step) :])

    @property
    def has_ceiling(self) -> bool:
        return any(one is not None for one in (self.max_price, self.max_price_per_year, self.max_price_per_run))

    @property
    def needs_account(self) -> bool:
        """True if the account has to be asked before a purchase."""
        return self.check_balance or self.currency is not None


@dataclasses.dataclass(frozen=True)
class Purse:
    """What the account has, and what other certificates of this run have taken or will take from it."""

    balance: int | None = None
    currency: str | None = None
    reserved: int = 0


def permitted(decision: Decision, policy: Policy, spent: int) -> Decision:
    """The decision, or a stop: by what is known without asking for the account. `spent` is the year's, before."""
    if not policy.allows(decision.step):
        return refuse("spend", decision, spend=", ".join(sorted(policy.spend)))
    if not decision.spends:
        return decision
    price, unit = decision.price, policy.currency
    if price is None:
        return refuse("price_unknown", decision) if policy.has_ceiling else decision
    shown = money(price, unit)
    if policy.max_price is not None and price > policy.max_price:
        return refuse("max_price", decision, price=shown, ceiling=money(policy.max_price, unit))
    if policy.max_price_per_year is not None and spent + price > policy.max_price_per_year:
        ceiling = money(policy.max_price_per_year, unit)
        return refuse("max_price_per_year", decision, price=shown, spent=money(spent, unit), ceiling=ceiling)
    return decision


def affordable(decision: Decision, policy: Policy, purse: Purse) -> Decision:
    """The decision, or a stop: by the account and by what else this run buys."""
    if not decision.spends:
        return decision
    unit = purse.currency or policy.currency
    if policy.currency is not None and (purse.currency or "").upper() != policy.currency.upper():
        known = purse.currency or "a currency that it does not tell"
        return refuse("currency", decision, currency=known, expected=policy.currency)
    price = decision.price or 0
    shown, others = money(price, unit), money(purse.reserved, unit)
    if policy.max_price_per_run is not None and purse.reserved + price > policy.max_price_per_run:
        ceiling = money(policy.max_price_per_run, unit)
        return refuse("max_price_per_run", decision, price=shown, spent=others, ceiling=ceiling)
    if not policy.check_balance or purse.balance is None:
        return decision
    if with_tax(purse.reserved, policy) + with_tax(price, policy) > purse.balance:
        tax = "before tax" if policy.tax_percent is None else f"with {policy.tax_percent:g} % tax"
        return refuse(
            "balance",
            decision,
            price=money(with_tax(price, policy), unit),
            tax=tax,
            spent=money(with_tax(purse.reserved, policy), unit),
            balance=money(purse.balance, unit),
        )
    return decision


def with_tax(price: int, policy: Policy) -> int:
    """What leaves the balance, as far as the tax is known; rounded up."""
    return price if policy.tax_percent is None else price - int(-price * policy.tax_percent // 100)


def approved(decision: Decision, name: str, plan: t.Sequence[t.Mapping[str, t.Any]] | None) -> Decision:
    """The decision, or a stop if it is paid for and not in the plan that somebody has approved."""
    if plan is None or not decision.spends:
        return decision
    for entry in plan:
        price = entry.get("price")
        same = entry.get("name") == name and entry.get("step") == decision.step.value
        if same and decision.price is not None and isinstance(price, int) and decision.price <= price:
            return decision
    return refuse("not_approved", decision)


def spent_in_year(journal: Journal | None, order: Order | None, list_price: int | None, now: dt.datetime) -> int:
    """What a certificate has cost in the `YEAR` before.

    The host's journal knows. An order that it does not know as a purchase, as it was adopted or the journal was lost,
    counts with today's price if its term has begun within the year.
    """
    since = (now - YEAR).date()
    purchases = journal.purchases if journal else ()
    total = sum(one.price or 0 for one in purchases if one.date >= since.isoformat())
    known = order is not None and any(one.order_id == order.order_id for one in purchases)
    if order is not None and not known and order.begin_date is not None and order.begin_date >= since:
        total += list_price or 0
    return total


def remembered(purchases: t.Sequence[Purchase], bought: Purchase) -> tuple[Purchase, ...]:
    """The purchases of a certificate with one more; those older than two years are forgotten, and all beyond fifty."""
    if bought.step != Step.ADD_NAMES.value and any(one.order_id == bought.order_id for one in purchases):
        return tuple(purchases)  # another run has written it down
    oldest = (dt.date.fromisoformat(bought.date) - 2 * YEAR).isoformat()
    return (*(one for one in purchases if one.date >= oldest), bought)[-50:]
