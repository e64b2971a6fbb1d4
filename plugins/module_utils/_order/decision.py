# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision for a certificate: a step with its reason, price and deadline; and the messages of stops."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing as t

from .._core.money import money
from .._host.journal import UNREADABLE


class Step(enum.Enum):
    """The next step for a certificate."""

    KEEP = "keep"
    OBTAIN = "obtain"  # only from `evaluate_host`: query the vendor
    COPY = "copy"  # only from `evaluate_host`: query the ordering host
    INSTALL = "install"
    RESUME = "resume"
    REISSUE = "reissue"
    RENEW = "renew"
    BUY = "buy"
    ADD_NAMES = "add_names"
    STOP = "stop"


SPENDING = (Step.BUY, Step.RENEW, Step.ADD_NAMES)
ACTING = (*SPENDING, Step.REISSUE)  # steps that send a write request to the vendor


@dataclasses.dataclass(frozen=True)
class Decision:
    """A step with its reason, order, price and deadline."""

    step: Step
    reason: str
    order_id: int | None = None
    price: int | None = 0  # before tax, in minor units; 0: free, None: unknown
    deadline: dt.datetime | None = None  # when the installed certificate expires or the vendor cancels the order
    refused: Step | None = None  # of a stop: the due step that the policy refused
    cause: str = ""  # of a reissue: its reason as a key for comparison, see `repeats`

    @property
    def spends(self) -> bool:
        """True if the step costs money."""
        return self.step in SPENDING and self.price != 0


# The message of every stop. docs/operating.md has a row for each, with the remedy; a test compares the two.
STOPS: dict[str, str] = {
    "clock_behind": "{what} starts on {start}, in the future by the controller's clock. Correct the clock",
    "clock_ahead": (
        "order {order_id} is active at GoGetSSL although its paid term ended on {end}. Correct the controller's clock;"
        " if it is correct, set abandon_intent to buy a new order"
    ),
    "not_adopted": (
        "adopt_files is set, but the files have not been adopted yet. Run the playbook certops.gogetssl.adopt first, or"
        " remove adopt_files"
    ),
    "unknown_order": (
        "GoGetSSL does not return order {order_id} of the host's journal: {why}. Use the credentials of its account,"
        " set adopt to the correct order, or set abandon_intent to continue without it"
    ),
    "unreadable_order": (
        "order {order_id} is or may be this certificate's, and GoGetSSL's answer about it cannot be read: {why}."
        " Contact GoGetSSL's support, or set abandon_intent to buy without it"
    ),
    "unsure": (
        "cannot determine whether {name} was ordered before: the account has more orders than the {reach} that GoGetSSL"
        " lists. Search the account; then set adopt to the order, or set abandon_intent to buy one"
    ),
    "same_key": "orders {orders} were all placed with this key. Set adopt to the one to use",
    "same_name": (
        "the account has a live order for {name} and this product, placed with another key: {orders}."
        " Set adopt to use it, or set abandon_intent to buy another"
    ),
    "ended_without": "order {order_id} is {status}: {why}. Fix the cause, then set abandon_intent to buy a new order",
    "adopt_ended": (
        "order {order_id}, named by adopt, is {status}. Remove adopt, or name a live order of this certificate"
    ),
    "foreign_order": (
        "order {order_id} does not belong to this certificate: {why}. Correct adopt, remove order.json of this"
        " certificate from the host (a cloned disk contains another host's), or set abandon_intent to ignore the file"
    ),
    "claimed": (
        "order {order_id} is in use by {other} in this run too. If a disk was cloned, remove order.json and the folder"
        " staged of this certificate from one of the hosts"
    ),
    "foreign_intent": (
        "a purchase at another API address, {api}, was started on this host, and its outcome is unknown. Run once with"
        " that api_url, or set abandon_intent to delete the record of the purchase"
    ),
    "unpaid_names": "names were bought for order {order_id} and are not paid. Pay invoice {invoices}, then run again",
    "names_not_given": (
        "order {order_id} does not have the names that were bought for it. Run again in a few minutes, contact"
        " GoGetSSL's support, or set abandon_intent to buy them again"
    ),
    "not_cured": (
        "order {order_id} was reissued because {reason}, and its new certificate has the same fault. Contact"
        " GoGetSSL's support, or set abandon_intent to reissue it once more"
    ),
    "unpaid": "order {order_id} is not paid. Pay its invoice or add funds to the account, then run again",
    "names_pending": (
        "order {order_id} is still being validated without {names}. Wait until it is issued before you change names,"
        " or cancel it"
    ),
    "common_name": (
        "the common name of order {order_id} is {known}, and this brand cannot change it. Restore {known} as the first"
        " name, or request {name} in an entry of its own"
    ),
    "other_product": (
        "order {order_id} is for another product ({product_id}), and {names} is not in its certificate. Request that"
        " product until its term ends, or set abandon_intent to buy the new one now"
    ),
    "spend": "{step} is due ({reason}), but gogetssl_spend allows only: {spend}. Add {step} to it to allow this step",
    # Also of tasks that never order, such as the last look at an order that was issued in this run.
    "spend_none": (
        "{step} is due ({reason}), but this task may not order anything (spend: none). Run again, with {step} allowed"
        " by gogetssl_spend"
    ),
    "price_unknown": (
        "{step} is due ({reason}), but its price is not known, so no limit (gogetssl_max_price) can be checked."
        " Correct product and period, or remove the limits"
    ),
    "max_price": (
        "{step} costs {price} before tax, above the limit of {limit} for one step ({reason}). Raise gogetssl_max_price,"
        " in minor units such as cents, to allow it"
    ),
    "max_price_per_year": (
        "{step} costs {price} before tax; with {spent} bought before, that is above the limit of {limit} for one"
        " certificate and year ({reason}). Raise gogetssl_max_price_per_year to allow it"
    ),
    "max_price_per_run": (
        "{step} costs {price} before tax; with {spent} for other certificates, that is above the limit of {limit}"
        " for one run ({reason}). Raise gogetssl_max_price_per_run, or run again"
    ),
    "max_price_per_day": (
        "{step} costs {price} before tax; with {spent} that the account was invoiced for today, that is above the limit"
        " of {limit} for one day ({reason}). Raise gogetssl_max_price_per_day, or run again tomorrow"
    ),
    "currency": (
        "{step} is due ({reason}), but the account's currency is {currency} and gogetssl_currency is {expected}."
        " Correct gogetssl_currency or the credentials"
    ),
    "balance": (
        "{step} costs {price} {tax}; with {spent} for other certificates of this run, that is more than the balance of"
        " {balance} ({reason}). Add funds, then run again"
    ),
    "no_order_host": (
        "{hosts} request {name}, and each would buy it. Set its order_host to the host that orders it for all of"
        " them, such as {first}, or to inventory_hostname if each host buys an order of its own"
    ),
    "file_in_use": (
        "{step} is due ({reason}), but its DCV file fileauth.txt would replace the one of {holder} in the web root of"
        " {web_host}. Run again when that certificate is installed, or set dcv to dns"
    ),
    "bought_elsewhere": (
        "another run has bought {name} for {holder} within the last hour ({known}). Set order_host to that host, or to"
        " inventory_hostname if each host is to pay for an order of its own"
    ),
    "withdrawn": (
        "another run bought {name} at the same time, in order {other}, so this run requested the cancellation of its"
        " own order {order_id} before validation{result}. Set order_host to the host of order {other}, or to"
        " inventory_hostname if each host is to pay for an order of its own"
    ),
    "unreadable_record": UNREADABLE,
    "unfinished_here": (
        "a purchase was started on this host, and its outcome is unknown. Set order_host to this host for one run to"
        " complete it, before {host} orders for it"
    ),
    "not_approved": (
        "{step} for {price} is due ({reason}), but the approved plan does not contain it. Approve a new plan"
    ),
}


def stop(key: str, order_id: int | None = None, **facts: t.Any) -> Decision:
    """Return the stop for a key, with the values of its message."""
    texts = {name: fact.rstrip(".") if isinstance(fact, str) else fact for name, fact in facts.items()}
    return Decision(Step.STOP, STOPS[key].format(order_id=order_id, **texts), order_id)


def refuse(key: str, decision: Decision, **facts: t.Any) -> Decision:
    """Return the stop that replaces a due step. It keeps the step and its price."""
    values = {"step": decision.step.value, "reason": decision.reason, "price": money(decision.price), **facts}
    return dataclasses.replace(
        decision, step=Step.STOP, reason=STOPS[key].format(**values), refused=decision.refused or decision.step
    )
