# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `gogetssl_order` returns: what was done, the purchase order as data, and what this run spends.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ._decision import ACTING, SPENDING, Decision, Step, money
from ._desk import Case, Desk
from ._models import Order, Receipt
from ._results import order_result
from ._task import Context, Result
from ._wanted import Wanted

_SPENDING_WORDS = tuple(step.value for step in SPENDING)


def report(
    context: Context, done: t.Sequence[tuple[Case, Order | None, Receipt | None]], stopped: list[dict[str, str]]
) -> Result:
    """What was done, in the end."""
    result: Result = {
        "changed": any(case.decision.step in ACTING for case, _order, _receipt in done),
        "orders": [_entry(*one) for one in done],
        "stopped": stopped,
    }
    acted = [one for one in done if one[0].decision.step in ACTING]
    if acted:
        lines = [f"{c.wanted.name}: {c.decision.step.value}, {c.decision.reason}, {_price(c)}" for c, _o, _r in acted]
        result["diff"] = {"before": "", "after": "".join(f"{line}\n" for line in lines)}
    if stopped and not context.params["keep_going"]:
        result.update(failed=True, msg=" ".join(one["reason"] for one in stopped))
    return result


def _entry(case: Case, order: Order | None, receipt: Receipt | None) -> dict[str, t.Any]:
    decision = case.decision
    about = order_result(order) if order else {"order_id": decision.order_id, "pending": False, "issued": False}
    entry: dict[str, t.Any] = {"status": None, "certificate": None, "chain": None, "proofs": [], **about}
    return {
        **entry,
        "name": case.wanted.name,
        "names": list(case.wanted.names),
        "methods": dict(case.wanted.methods),
        "step": decision.step.value,
        "reason": decision.reason,
        "waiting_for": entry.get("reason", ""),
        "price": decision.price,
        "charged": receipt.amount if receipt else None,
        "currency": receipt.currency if receipt else None,
    }


def _price(case: Case) -> str:
    return "free" if case.decision.price == 0 else f"price {money(case.decision.price)} before tax"


def purchase_order(
    desk: Desk, wanted: t.Sequence[Wanted], cases: t.Sequence[Case], stopped: t.Sequence[t.Mapping[str, str]]
) -> Result:
    """What would be done or was, with prices, as plain data; and what this run spends of what the account has."""
    by_name = {case.wanted.name: case for case in cases}
    reasons = {one["name"]: one["reason"] for one in stopped}
    plan = [_plan_entry(desk, one, by_name.get(one.name), reasons.get(one.name)) for one in wanted]
    with desk.account() as account:
        budget = {
            "price": sum(entry["price"] or 0 for entry in plan if entry["step"] in _SPENDING_WORDS),
            "run_price": sum(account.reserved.values()),
            "balance": account.balance,
            "currency": account.currency or desk.policy.currency,
            "tax_percent": desk.policy.tax_percent,
        }
    for entry in plan:
        entry["currency"] = budget["currency"]
    return {"plan": plan, "budget": budget}


def _plan_entry(desk: Desk, wanted: Wanted, case: Case | None, stopped: str | None) -> Result:
    """One certificate of the plan; one that could not even be judged is a stop with a reason."""
    decision = case.decision if case else Decision(Step.STOP, "", price=None)
    step = Step.STOP if stopped else decision.step
    due = decision.refused or decision.step
    return {
        "host": desk.context.host,
        "name": wanted.name,
        "names": list(wanted.names),
        "product": case.vendor.product.name if case else wanted.product,
        "period": wanted.period,
        "step": step.value,
        "due": None if due is Step.STOP else due.value,
        "reason": stopped or decision.reason,
        "order_id": decision.order_id,
        "price": decision.price,
        "deadline": decision.deadline.isoformat() if decision.deadline else None,
    }
