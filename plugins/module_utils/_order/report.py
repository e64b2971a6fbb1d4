# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of `gogetssl_order`: completed steps, the plan, and the budget of this run."""

from __future__ import annotations

import typing as t

from .._api.models import Order, Product, Receipt, Status, ValidationLevel
from .._api.results import is_pending, order_result, order_validations
from .._core.dates import iso
from .._core.money import money
from .._core.task import Context, Result
from .._host.journal import HostState
from .._request.spec import CertificateSpec
from .decision import ACTING, SPENDING, Decision, Step
from .policy import terms
from .session import Assessment, Session

_SPENDING_STEPS = tuple(step.value for step in SPENDING)


def report(
    context: Context, done: t.Sequence[tuple[Assessment, Order | None, Receipt | None]], stopped: list[dict[str, str]]
) -> Result:
    """Return the completed steps."""
    result: Result = {
        "changed": any(assessment.decision.step in ACTING for assessment, _order, _receipt in done),
        "orders": [_entry(*one) for one in done],
        "stopped": stopped,
    }
    pending = [(one, order) for one, order, _receipt in done if order is not None and is_pending(order)]
    complete = [order for one, order in pending if _is_complete(one.spec, order)]
    result["validations"] = [validation for order in complete for validation in order_validations(order)]
    result["incomplete_order_ids"] = [order.order_id for _one, order in pending if order not in complete]
    acted = [one for one in done if one[0].decision.step in ACTING]
    if acted:
        lines = [f"{c.spec.name}: {c.decision.step.value}, {c.decision.reason}, {_price(c)}" for c, _o, _r in acted]
        result["diff"] = {"before": "", "after": "".join(f"{line}\n" for line in lines)}
    if stopped and not context.params["keep_going"]:
        result.update(failed=True, msg=" ".join(one["reason"] for one in stopped))
    return result


def _is_complete(spec: CertificateSpec, order: Order) -> bool:
    """True if the order shows what to publish for each open name, with the method that is requested for it."""
    if not order.validations:
        return False
    return all(one.ready and spec.methods.get(one.name, one.approval) == one.approval for one in order.open_validations)


def _entry(assessment: Assessment, order: Order | None, receipt: Receipt | None) -> dict[str, t.Any]:
    decision = assessment.decision
    about = order_result(order) if order else {"order_id": decision.order_id, "pending": False, "issued": False}
    entry: dict[str, t.Any] = {"status": None, "certificate": None, "chain": None, "validations": [], **about}
    return {
        **entry,
        "name": assessment.spec.name,
        "names": list(assessment.spec.names),
        "methods": dict(assessment.spec.methods),
        "step": decision.step.value,
        "reason": decision.reason,
        "waiting_for": entry.get("reason", ""),
        "requires": required_for_issuance(assessment.vendor.product, order) if order else "",
        "product": assessment.vendor.product.name,
        "product_id": entry.get("product_id") or assessment.vendor.product.product_id,
        "period": assessment.spec.period,
        "price": decision.price,
        "extra_price": extra_price(assessment),
        "charged": receipt.amount if receipt else None,
        "currency": receipt.currency if receipt else None,
    }


def required_for_issuance(product: Product, order: Order) -> str:
    """What a pending order requires before it can be issued, if that takes longer than a run; otherwise empty."""
    if not is_pending(order):
        return ""
    if order.status is Status.UNPAID:
        return "a payment"
    if order.manual_check:
        return "a manual check by the brand"
    emails = sorted({one.email or "the approver" for one in order.open_validations if one.method == "email"})
    if emails:
        return f"the answer to an email to {', '.join(emails)}"
    new_term = not order.reissuing and order.status is not Status.REISSUE
    if new_term and not order.pre_signing and product.validation is not ValidationLevel.DV:
        return f"the CA's check of the organization ({product.validation.value.upper()})"
    return ""


def extra_price(assessment: Assessment) -> int | None:
    """Return the part of a new term's price for names that the product does not include."""
    decision = assessment.decision
    price, base = decision.price, assessment.vendor.product.prices.get(assessment.spec.period)
    new_term = (decision.refused or decision.step) in (Step.BUY, Step.RENEW)
    return price - base if new_term and price is not None and base is not None else None


def unread_orders(
    found: t.Mapping[str, HostState], cases: t.Sequence[Assessment], stopped: t.Sequence[t.Mapping[str, str]]
) -> list[int]:
    """Return the orders of stopped certificates with unknown state. They may still need DCV files and records."""
    by_name = {assessment.spec.name: assessment for assessment in cases}
    ids: set[int] = set()
    for name in {one["name"] for one in stopped}:
        journal, assessment = found[name].journal, by_name.get(name)
        if assessment is None or assessment.decision.step is not Step.STOP:  # an error stopped it
            ids.update([journal.order_id] if journal else [])
            ids.update([assessment.vendor.order.order_id] if assessment and assessment.vendor.order else [])
        else:
            known = (assessment.vendor.unreadable, assessment.vendor.unknown)
            ids.update(one[0] for one in known if one is not None)
    return sorted(ids)


def _price(assessment: Assessment) -> str:
    return "free" if assessment.decision.price == 0 else f"price {money(assessment.decision.price)} before tax"


def purchase_order(
    session: Session,
    spec: t.Sequence[CertificateSpec],
    cases: t.Sequence[Assessment],
    stopped: t.Sequence[t.Mapping[str, str]],
) -> Result:
    """Return the planned or completed steps with prices, and the budget of this run."""
    by_name = {assessment.spec.name: assessment for assessment in cases}
    reasons = {one["name"]: one["reason"] for one in stopped}
    plan = [_plan_entry(session, one, by_name.get(one.name), reasons.get(one.name)) for one in spec]
    with session.account() as account:
        budget = {
            "price": sum(entry["price"] or 0 for entry in plan if entry["step"] in _SPENDING_STEPS),
            "run_price": sum(account.reserved.values()),
            "balance": account.balance,
            "currency": account.currency or session.policy.currency,
            "tax_percent": session.policy.tax_percent,
        }
    for entry in plan:
        entry["currency"] = budget["currency"]
    return {"plan": plan, "budget": budget}


def _plan_entry(session: Session, spec: CertificateSpec, assessment: Assessment | None, stopped: str | None) -> Result:
    """Return the plan entry of a certificate. One that could not be assessed is a stop with a reason."""
    decision = assessment.decision if assessment else Decision(Step.STOP, "", price=None)
    step = Step.STOP if stopped else decision.step
    due = decision.refused or decision.step
    return {
        "host": session.context.host,
        **terms(spec, assessment.vendor.product.name if assessment else spec.product),
        "step": step.value,
        "due": None if due is Step.STOP else due.value,
        "reason": stopped or decision.reason,
        "order_id": decision.order_id,
        "price": decision.price,
        "extra_price": extra_price(assessment) if assessment else None,
        "deadline": iso(decision.deadline),
    }
