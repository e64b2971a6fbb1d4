# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of the role about a run, based on the results of its tasks. Pure functions.

The line of a certificate and the reason of a stopped certificate begin with the name of the certificate.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.money import money
from .entries import Entries, Entry, by_name

PAID_STEPS = ("buy", "renew", "add_names")


class Run(t.NamedTuple):
    """The results of one host's run, by the names of its certificates."""

    planned: t.Mapping[str, Entry]  # orders as they were placed or, in check mode, planned
    orders: t.Mapping[str, Entry]  # the same orders in their most recent state
    stopped: t.Mapping[str, Entry]
    waiting: t.Mapping[str, Entry]  # certificates that wait for their ordering host
    awaited: t.Mapping[str, Entry]  # pending orders, with what they require before they are issued
    copied: t.Mapping[str, Entry]
    served: t.Mapping[str, Entry]
    auto: t.Collection[str]  # certificates whose validation methods the role selected
    check_mode: bool
    completed: bool  # the run reached the last phase


def certificate_report(
    certificates: Entries,
    *,
    planned: Entries,
    orders: Entries,
    stopped: Entries,
    waiting: Entries,
    copied: Entries,
    awaited: Entries = (),
    served: Entries,
    auto: t.Collection[str],
    check_mode: bool,
    completed: bool,
) -> list[str]:
    """One or two sentences for each certificate that required an action."""
    run = Run(
        planned=by_name(planned),
        orders=by_name(orders),
        stopped=by_name(stopped),
        waiting=by_name(waiting),
        awaited=by_name(awaited),
        copied=by_name(copied),
        served=by_name(served),
        auto=auto,
        check_mode=check_mode,
        completed=completed,
    )
    return [f"{one['name']}: {_result(one, run)}{_methods(one, run)}" for one in certificates if one["step"] != "keep"]


def _result(certificate: Entry, run: Run) -> str:
    name, copy = certificate["name"], certificate["step"] == "copy"
    order = run.orders.get(name, {})
    planned = run.planned.get(name, {})
    action = _action(certificate, planned)
    if name in run.stopped:
        return _remains(certificate, f"stopped: {_reason(run.stopped[name])}")
    if name in run.waiting:
        return _remains(certificate, f"waiting: {_reason(run.waiting[name])}")
    if run.check_mode:
        return f"planned: {action} ({planned.get('reason', certificate['reason'])})"
    if copy and not (name in run.copied and run.completed):
        return _remains(certificate, f"not copied from {certificate['order_host']}; run again to resume")
    if not run.completed:
        unfinished = (
            f"not finished: {action}; run again to resume" if planned.get("order_id") else "nothing was ordered"
        )
        return _remains(certificate, unfinished)
    if order.get("pending"):
        reason = order.get("waiting_for", order.get("reason"))
        awaited = _not_awaited(run.awaited.get(name, {}))
        return _remains(certificate, f"pending: {action}; {reason}{awaited} Run again to resume.")
    done = f"copied from {certificate['order_host']}" if copy else action
    return f"installed: {done} ({certificate['reason']}){_validity(run.served.get(name, {}))}"


def _remains(certificate: Entry, text: str) -> str:
    """The text, and how much time is left, because the certificate was not replaced."""
    end = certificate.get("not_after")
    return f"{text.rstrip('.')}. The installed certificate ends on {end[:10]}." if end else text


def _not_awaited(entry: Entry) -> str:
    return f" This run did not wait for it, because it requires {entry['requires']}." if entry.get("requires") else ""


def _action(certificate: Entry, planned: Entry) -> str:
    """The order, the step and its price."""
    if certificate["step"] == "copy":
        return f"copy from {certificate['order_host']}"
    return ", ".join(
        [
            *([f"order {planned['order_id']}"] if planned.get("order_id") else []),
            *_purchase(str(planned.get("step", certificate["step"])), planned),
        ]
    )


def _purchase(step: str, planned: Entry) -> t.Iterator[str]:
    """The step; for a paid step also the product, period, names and price."""
    count = len(planned.get("names") or ())
    if step not in PAID_STEPS or not planned.get("product"):
        yield step
    else:
        yield f"{step} {planned['product']} ({planned['product_id']})"
        yield f"{planned['period']} months"
        yield f"{count} name" if count == 1 else f"{count} names"
    if planned.get("price"):
        yield price_text(planned)


def price_text(step: Entry) -> str:
    """The price of a step, with the part for additional names."""
    price, extra = step["price"], step.get("extra_price")
    parts = f" ({money(price - extra)} and {money(extra)} for additional names)" if extra else ""
    return money(price, step.get("currency")) + parts


def _reason(entry: Entry) -> str:
    return str(entry["reason"]).removeprefix(f"{entry['name']}: ")


def _validity(served: Entry) -> str:
    if not served.get("not_after"):
        return ""
    return f"; valid until {served['not_after'][:10]}, to be replaced from {served['replace_from'][:10]}"


def _methods(certificate: Entry, run: Run) -> str:
    methods = run.planned.get(certificate["name"], {}).get("methods") or {}
    if certificate["name"] not in run.auto or not methods:
        return ""
    return "; validation: " + ", ".join(f"{name} by {method}" for name, method in methods.items())


def purchase_total(plan: Entries, budgets: Entries) -> str:
    """The total price of the play's purchases on all hosts, and the balance of the account."""
    prices = [step["price"] for step in plan if step["step"] in PAID_STEPS]
    if not prices:
        return "Nothing would be bought."
    budgets = list(budgets)
    currency = next((one["currency"] for one in budgets if one.get("currency")), None)
    balance = next((one["balance"] for one in budgets if one.get("balance") is not None), None)
    sentence = f"{len(prices)} {'purchase' if len(prices) == 1 else 'purchases'} for"
    sentence += f" {money(sum(price or 0 for price in prices), currency)} before tax"
    sentence += ", without purchases of unknown price" if None in prices else ""
    return sentence + ("." if balance is None else f"; the balance is {money(balance, currency)}.")


def stopped_orders(orders: Entries, unpublished: Entries, not_visible: Entries) -> list[dict[str, str]]:
    """The orders with DCV files or records that could not be published, or with files that are not visible."""
    orders = list(orders)
    problems: dict[int, list[str]] = {}
    for file in not_visible:
        problems.setdefault(file["order_id"], []).append(file["problem"])
    return [
        *(
            stop(order["name"], one["reason"])
            for order in orders
            for one in unpublished
            if one["order_id"] == order["order_id"]
        ),
        *(
            stop(
                order["name"],
                f"the DCV file is not visible from the controller: {' '.join(problems[order['order_id']])}",
            )
            for order in orders
            if order["order_id"] in problems
        ),
    ]


def manual_steps(validations: Entries, publishes_records: bool) -> list[str]:
    """The manual steps: create DNS records without a DNS provider, confirm e-mails, correct records."""
    return [
        f"{one['name']}: create the DNS record {one['record']} {one['type']} {one['value']}"
        if one.get("record") and not publishes_records
        else f"{one['name']}: {one['problem']}"
        for one in validations
        if not one.get("file_name") and one.get("visible") is not True
    ]


def removal_report(removed: Entries, cancelled: Entries, check_mode: bool) -> list[str]:
    """The result for each retired certificate: its files and its order."""
    orders = by_name(cancelled)
    lines = []
    for one in removed:
        result = ("would be removed" if check_mode else "removed") if one["changed"] else "not installed"
        order = f" Order: {orders[one['name']]['reason']}" if one["name"] in orders else ""
        advice = "Delete it from gogetssl_certificates, otherwise the next run buys it again."
        lines.append(f"{one['name']}: {result}. {advice}{order}")
    return lines


def stop(name: str, reason: str) -> dict[str, str]:
    """The entry of a stopped certificate."""
    return {"name": name, "reason": f"{name}: {reason}"}
