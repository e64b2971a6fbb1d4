# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role says of a run, from what its tasks have returned. Pure; the role's filters are made of it.

A certificate's line begins with its name, and so does the reason of one that stops.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ._decision import money

Item = t.Mapping[str, t.Any]
Items = t.Iterable[Item]
PAID_STEPS = ("buy", "renew", "add_names")


class Run(t.NamedTuple):
    """What is known of one host's run when it ends, lists by the names of certificates."""

    offered: t.Mapping[str, Item]  # orders as they were placed or, in check mode, weighed
    latest: t.Mapping[str, Item]  # the same as they are now
    stopped: t.Mapping[str, Item]
    waiting: t.Mapping[str, Item]  # for the host that orders them
    copied: t.Mapping[str, Item]
    served: t.Mapping[str, Item]
    told: t.Collection[str]  # certificates whose methods of proof were chosen by the role
    dry: bool  # check mode
    through: bool  # the last phase was reached


def report(
    certificates: Items,
    *,
    offered: Items,
    latest: Items,
    stopped: Items,
    waiting: Items,
    copied: Items,
    served: Items,
    told: t.Collection[str],
    dry: bool,
    through: bool,
) -> list[str]:
    """One or two sentences for each certificate that was due."""
    run = Run(
        offered=_by_name(offered),
        latest=_by_name(latest),
        stopped=_by_name(stopped),
        waiting=_by_name(waiting),
        copied=_by_name(copied),
        served=_by_name(served),
        told=told,
        dry=dry,
        through=through,
    )
    return [f"{one['name']}: {_line(one, run)}{_proven(one, run)}" for one in certificates if one["step"] != "keep"]


def _line(one: Item, run: Run) -> str:
    name = one["name"]
    order = run.offered.get(name, {})
    news = run.latest.get(name, {})
    which = f"order {order['order_id']}, {_step(one, order)}" if order.get("order_id") else _step(one, order)
    which += f", {money(order['price'], order.get('currency'))}" if order.get("price") else ""
    if name in run.stopped:
        return f"stopped: {_without_name(run.stopped[name])}"
    if name in run.waiting:
        return f"waiting: {_without_name(run.waiting[name])}"
    if run.dry:
        if one["step"] == "copy":
            return f"would do: copy from {one['order_host']} ({one['reason']})"
        return f"would do: {which} ({order.get('reason', one['reason'])})"
    if one["step"] == "copy" and not (name in run.copied and run.through):
        return f"not copied from {one['order_host']}; run again to resume"
    if not run.through:
        return f"not finished: {which}; run again to resume" if order.get("order_id") else "nothing was ordered"
    if news.get("pending"):
        return f"pending: {which}; {news.get('waiting_for', news.get('reason'))} Run again to resume."
    done = f"copied from {one['order_host']}" if one["step"] == "copy" else which
    return f"installed: {done} ({one['reason']}){_validity(run.served.get(name, {}))}"


def _step(one: Item, order: Item) -> str:
    return str(order.get("step", one["step"]))


def _without_name(item: Item) -> str:
    return str(item["reason"]).removeprefix(f"{item['name']}: ")


def _validity(now: Item) -> str:
    if not now.get("not_after"):
        return ""
    return f"; valid until {now['not_after'][:10]}, to be replaced from {now['replace_from'][:10]}"


def _proven(one: Item, run: Run) -> str:
    methods = run.offered.get(one["name"], {}).get("methods") or {}
    if one["name"] not in run.told or not methods:
        return ""
    return "; proven: " + ", ".join(f"{name} by {method}" for name, method in methods.items())


def total(plan: Items, budgets: Items) -> str:
    """What a play in check mode would buy on all its hosts, against the balance of the account."""
    prices = [step["price"] for step in plan if step["step"] in PAID_STEPS]
    if not prices:
        return "Nothing would be bought."
    budgets = list(budgets)
    currency = next((one["currency"] for one in budgets if one.get("currency")), None)
    balance = next((one["balance"] for one in budgets if one.get("balance") is not None), None)
    sentence = f"{len(prices)} {'purchase' if len(prices) == 1 else 'purchases'} for"
    sentence += f" {money(sum(price or 0 for price in prices), currency)} before tax"
    sentence += ", and some of unknown price" if None in prices else ""
    return sentence + ("." if balance is None else f"; the balance is {money(balance, currency)}.")


def unseen(orders: Items, proofs: Items) -> list[dict[str, str]]:
    """The orders that stop because a proof file of theirs cannot be seen, as entries like those of `stopped`."""
    problems: dict[int, list[str]] = {}
    for proof in proofs:
        problems.setdefault(proof["order_id"], []).append(proof["problem"])
    return [
        _stop(order["name"], f"the proof cannot be seen from outside: {' '.join(problems[order['order_id']])}")
        for order in orders
        if order["order_id"] in problems
    ]


def errands(proofs: Items, publishes_records: bool) -> list[str]:
    """What is left to people: records where nobody publishes them, mails to answer, what the world does not see yet."""
    return [
        f"{proof['name']}: publish {proof['record']} {proof['type']} {proof['value']}"
        if proof.get("record") and not publishes_records
        else f"{proof['name']}: {proof['problem']}"
        for proof in proofs
        if not proof.get("file_name") and proof.get("visible") is not True
    ]


def unanswered(wishes: Items, installed: Items, answers: Items, inventory: t.Container[str]) -> list[dict[str, t.Any]]:
    """Certificates whose ordering host gave no answer. What is installed stays; only what is urgent is a failure."""
    found = _by_name(installed)
    by_host = {answer["__gogetssl_order_host"]: answer for answer in answers}
    lines = []
    for wish in wishes:
        why = _no_answer(wish["order_host"], by_host.get(wish["order_host"], {}), inventory)
        if why:
            urgent = bool(found[wish["name"]]["urgent"])
            stays = "" if urgent else "; what is installed stays until it can"
            lines.append({**_stop(wish["name"], f"{why}{stays}."), "urgent": urgent})
    return lines


def _no_answer(host: str, answer: Item, inventory: t.Container[str]) -> str:
    """Why there is none; empty if there is one."""
    words = " ".join(str(answer.get("msg", "no reason given")).split())
    if host not in inventory:
        return f"{host}, which is to order it, is not in the inventory"
    if answer.get("unreachable"):
        return f"{host}, which orders it, cannot be reached ({words})"
    if answer.get("failed") or "certificates" not in answer:
        return f"{host}, which orders it, could not be looked at: {words}"
    return ""


def farewell(removed: Items, cancelled: Items, dry: bool) -> list[str]:
    """What has become of the certificates that were retired, files and order."""
    orders = _by_name(cancelled)
    lines = []
    for one in removed:
        done = ("would be removed" if dry else "removed") if one["changed"] else "nothing is there"
        order = f"; order: {orders[one['name']]['reason']}" if one["name"] in orders else ""
        advice = "take it out of gogetssl_certificates, or the next run buys it again"
        lines.append(f"{one['name']}: {done}; {advice}{order}")
    return lines


def _stop(name: str, words: str) -> dict[str, str]:
    return {"name": name, "reason": f"{name}: {words}"}


def _by_name(items: Items) -> dict[str, Item]:
    """A later one of the same name counts."""
    return {item["name"]: item for item in items}
