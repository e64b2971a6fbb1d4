# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the judgement decides: one step with its reason, price and deadline; and the sentences of its stops.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing as t


class Step(enum.Enum):
    """The one next thing to do about a certificate."""

    KEEP = "keep"
    OBTAIN = "obtain"  # of `judge` only: the vendor has to be asked
    COPY = "copy"  # of `judge` only: the host that orders the certificate has to be asked
    INSTALL = "install"
    RESUME = "resume"
    REISSUE = "reissue"
    RENEW = "renew"
    BUY = "buy"
    ADD_NAMES = "add_names"
    STOP = "stop"


SPENDING = (Step.BUY, Step.RENEW, Step.ADD_NAMES)
ACTING = (*SPENDING, Step.REISSUE)  # steps that ask the vendor for something


@dataclasses.dataclass(frozen=True)
class Decision:
    """A step with its reason, the order it is about, its price and its deadline."""

    step: Step
    reason: str
    order_id: int | None = None
    price: int | None = 0  # before tax, in minor units; 0 is free, None is not known
    deadline: dt.datetime | None = None  # after it the certificate in use has ended, or the vendor cancels the order
    refused: Step | None = None  # of a stop: the step that was due and that the policy refused

    @property
    def spends(self) -> bool:
        """True if the step is paid for."""
        return self.step in SPENDING and self.price != 0


# Every stop of a judgement. docs/operating.md has a row for each, with the way out; a test holds the two together.
STOPS: dict[str, str] = {
    "clock_behind": "{what} starts on {start}, which is in the future by the controller's clock: put that right",
    "clock_ahead": (
        "order {order_id} is active at GoGetSSL although its paid term has ended on {end}: look at the controller's"
        " clock; if that is right, set abandon_intent to buy again"
    ),
    "not_adopted": (
        "its files have not been taken over yet: run the playbook certops.gogetssl.adopt first, or remove adopt_files"
    ),
    "unknown_order": (
        "GoGetSSL does not give order {order_id} of the host's journal ({why}): is it another account's? Name the right"
        " one with adopt, or set abandon_intent to do without it"
    ),
    "unsure": (
        "it cannot be told whether {name} was ordered before: the account has more orders than the {reach} GoGetSSL"
        " lists. Look into the account; then name the order with adopt, or set abandon_intent to buy"
    ),
    "same_key": "orders {orders} were all placed with this key; say which to use with adopt",
    "same_name": (
        "the account has a live order for {name} and this product, made with another key: {orders};"
        " use it with adopt, or set abandon_intent to buy another"
    ),
    "rejected": "order {order_id} was rejected ({why}); set abandon_intent to buy again once that is mended",
    "unpaid": "order {order_id} is not paid: pay its invoice or add funds to the account, then run again",
    "names_pending": (
        "order {order_id} is still being validated without {names}; names can be changed once it is issued, or cancel"
        " it"
    ),
    "common_name": (
        "the common name of order {order_id} is {known}; this brand cannot change it, so {name} needs an order of its"
        " own"
    ),
    "other_product": (
        "order {order_id} is for another product ({product_id}), and {names} is not in its certificate: ask for that"
        " product until its term ends, or set abandon_intent to buy the new one now"
    ),
    "spend": "{step} is due ({reason}), but this run may only: {spend}",
    "price_unknown": "{step} is due ({reason}), but its price is not known, so no ceiling can be kept",
    "max_price": "{step} costs {price} before tax, above the ceiling of {ceiling} for one step ({reason})",
    "max_price_per_year": (
        "{step} costs {price} before tax; with {spent} bought before that is above the ceiling of {ceiling} for one"
        " certificate and year ({reason})"
    ),
    "max_price_per_run": (
        "{step} costs {price} before tax; with {spent} for other certificates that is above the ceiling of {ceiling}"
        " for one run ({reason})"
    ),
    "currency": "{step} is due ({reason}), but the account is kept in {currency}, not in {expected} as its ceilings",
    "balance": (
        "{step} costs {price} {tax}; with {spent} for other certificates of this run that is more than the balance of"
        " {balance} ({reason}): add funds"
    ),
    "no_order_host": (
        "{hosts} wish for {name} and would each buy it: set its order_host to the one that is to order it for all of"
        " them, such as {first}, or to inventory_hostname if each is to pay for an order of its own"
    ),
    "unfinished_here": (
        "a purchase was begun on this host and its outcome is not known: set order_host to this host for one run, which"
        " settles it, before {host} orders for it"
    ),
    "not_approved": "{step} for {price} is due ({reason}), but the approved plan does not hold it: approve a new plan",
}


def stop(key: str, order_id: int | None = None, **facts: t.Any) -> Decision:
    """A stop by its key, with the facts its sentence needs."""
    return Decision(Step.STOP, STOPS[key].format(order_id=order_id, **facts), order_id)


def refuse(key: str, decision: Decision, **facts: t.Any) -> Decision:
    """A stop of a step that was due: what it would have cost stays known."""
    words = {"step": decision.step.value, "reason": decision.reason, "price": money(decision.price), **facts}
    return dataclasses.replace(
        decision, step=Step.STOP, reason=STOPS[key].format(**words), refused=decision.refused or decision.step
    )


def money(minor_units: int | None, currency: str | None = None) -> str:
    """An amount for people."""
    if minor_units is None:
        return "an unknown price"
    sign, minor_units = ("-" if minor_units < 0 else ""), abs(minor_units)
    return f"{sign}{minor_units // 100}.{minor_units % 100:02d}" + (f" {currency}" if currency else "")
