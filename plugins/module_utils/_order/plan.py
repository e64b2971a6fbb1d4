# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides the next step for a certificate, with its reason and price. Pure functions.

`evaluate_host` uses the host state only and decides whether to query the vendor. `decide_step` uses the vendor state
too and decides the next step.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._api.models import Family, Order, Product, Status
from .._core import names
from .._crypto import x509
from .._crypto.chain import read_issued
from .._host.journal import HostState
from .._request.spec import CertificateSpec
from . import policy as _policy
from . import repeats
from .decision import Decision, Step, stop
from .installed import damage_of, shortfall_of, unconfirmed
from .lifetime import (
    DAY,
    RENEWAL_WINDOW,
    TERM_END_SLACK,
    cancelled_on,
    due_on,
    midnight,
    rekey_due,
    term_end,
    term_is_over,
)
from .policy import Policy
from .prices import extra_slots, slots_price

# CAs do not postdate certificates, and vendors end terms on time. A larger difference means that our clock is wrong.
CLOCK_BEHIND = dt.timedelta(hours=1)
CLOCK_AHEAD = 7 * DAY


@dataclasses.dataclass(frozen=True)
class VendorState:
    """The vendor's state of one certificate. `key_of` returns the public key of an order's CSR, if it has one."""

    product: Product
    price: int | None  # of the product for the requested period and names, in minor units
    order: Order | None = None  # the certificate's own
    order_key: str | None = None
    same_key: tuple[int, ...] = ()  # orders found by the staged or installed key, besides `order`
    same_name: tuple[int, ...] = ()  # live orders for the same name and product with another key
    unknown: tuple[int, str] | None = None  # an order of the journal that the vendor does not return, and why
    reach: int | None = None  # number of orders searched, if the account has more
    adopted: bool = False  # `order` was specified by adopt in this run
    foreign: tuple[int, str] | None = None  # an order of the journal or adopt for other names, and why
    claimed: tuple[int, str] | None = None  # an order that another certificate of the run uses, and which
    elsewhere: str | None = None  # the other API address of an unfinished purchase
    unpaid: tuple[str, ...] = ()  # invoices of `order` that are not paid
    withdrawn: tuple[int, int, str] | None = None  # an order cancelled in favour of another, that order, its status
    unreadable: tuple[int, str] | None = (
        None  # an order that is or may be the certificate's and cannot be read, and why
    )


def evaluate_host(spec: CertificateSpec, state: HostState, now: dt.datetime) -> Decision:
    """Decide from the host state only: keep, install, or query the vendor or the ordering host."""
    decision = _evaluate_host(spec, state, now)
    return dataclasses.replace(decision, deadline=state.certificate.not_after if state.certificate else None)


def _evaluate_host(spec: CertificateSpec, state: HostState, now: dt.datetime) -> Decision:
    certificate = state.certificate
    if state.unreadable:
        return stop("unreadable_record", record=state.unreadable)
    if spec.source is None:
        begun = unfinished(state)
        if begun:
            return Decision(Step.OBTAIN, begun)
    elif state.intent is not None:
        return stop("unfinished_here", host=spec.source)
    fetch = Step.COPY if spec.source else Step.OBTAIN
    if certificate is None:
        return Decision(fetch, state.damage or "no certificate is installed")
    reason = _host_reason(spec, state, certificate, now)
    if reason:
        return Decision(fetch, reason)
    not_served = [one.listener for one in state.served if one.sha256 != certificate.sha256]
    if not_served:
        return Decision(Step.INSTALL, f"{', '.join(not_served)} does not serve the installed certificate")
    shortfall = shortfall_of(spec, state) or unconfirmed(state)
    if shortfall:
        return Decision(Step.INSTALL, shortfall)
    due = due_on(spec.name, certificate, term_end(state))
    reason = f"valid until {certificate.not_after:%Y-%m-%d}, to be replaced from {due:%Y-%m-%d}"
    return Decision(Step.KEEP, reason + _key_type_note(spec, certificate))


def _key_type_note(spec: CertificateSpec, certificate: x509.Certificate) -> str:
    """Return when a changed `key_type` takes effect. A changed type alone does not replace a key."""
    if spec.source is not None or certificate.key_type in ("", spec.key_type):
        return ""
    return f"; its key is {certificate.key_type}, and {spec.key_type} takes effect then, or now with rekey"


def unfinished(state: HostState) -> str:
    """Return what an earlier run left unfinished at the vendor, or an empty string."""
    if state.intent is not None:
        return "a purchase was started and its outcome is unknown"
    journal, certificate = state.journal, state.certificate
    if journal is not None and (certificate is None or journal.public_key != certificate.public_key):
        return f"the newest certificate of order {journal.order_id} is not installed yet"
    return ""


def decide_step(
    spec: CertificateSpec, state: HostState, vendor: VendorState, policy: Policy, now: dt.datetime
) -> Decision:
    """Decide the next step, within the policy limits that do not require the account."""
    decision = _next_step(spec, state, vendor, now)
    if decision.cause == repeats.REKEY and not policy.allows(decision.step):
        decision = _within_term(spec, state, vendor, now) or decision
    decision = dataclasses.replace(decision, deadline=_deadline(state, vendor))
    return _policy.permitted(decision, policy, _policy.spent_in_year(state.journal, vendor.order, vendor.price, now))


def _within_term(spec: CertificateSpec, state: HostState, vendor: VendorState, now: dt.datetime) -> Decision | None:
    """Return the reissue of a certificate whose term ends, for a new key that must not wait for a purchase.

    A reissue is free of charge until the last day of the paid term.
    """
    order = vendor.order
    if order is None or order.end_date is None or now >= midnight(order.end_date):
        return None
    without_end = dataclasses.replace(vendor, order=dataclasses.replace(order, end_date=None))
    decision = _next_step(spec, state, without_end, now)
    return decision if decision.step is Step.REISSUE else None


def _deadline(state: HostState, vendor: VendorState) -> dt.datetime | None:
    """Return when the installed certificate expires or the vendor cancels its new order, whichever is first."""
    ends = [state.certificate.not_after] if state.certificate else []
    cancelled = cancelled_on(vendor.product, vendor.order, state.journal) if vendor.order else None
    return min([*ends, *([midnight(cancelled)] if cancelled else [])], default=None)


def _next_step(spec: CertificateSpec, state: HostState, vendor: VendorState, now: dt.datetime) -> Decision:
    if spec.adopt_files and state.certificate is None and state.journal is None and not state.damage:
        return stop("not_adopted")
    if vendor.order is None:
        return _without_order(spec, vendor)
    order = vendor.order
    if order.status.ended:
        return _after_end(spec, vendor, order)
    if order.in_progress:
        over = _after_unfinished_reissue(spec, vendor, order, now)
        return over or _in_progress(spec, order)
    return _with_active_order(spec, state, vendor, order, now)


def _after_end(spec: CertificateSpec, vendor: VendorState, order: Order) -> Decision:
    if vendor.adopted:
        return stop("adopt_ended", order.order_id, status=order.status.value)
    if (order.status is Status.REJECTED or repeats.gave_nothing(order)) and not spec.abandon_intent:
        why = order.description or "no reason given"
        return stop("ended_without", order.order_id, status=order.status.value, why=why)
    return _purchase(spec, vendor, Step.BUY, f"order {order.order_id} is {order.status.value}")


def _without_order(spec: CertificateSpec, vendor: VendorState) -> Decision:
    for key, named in (("foreign_order", vendor.foreign), ("claimed", vendor.claimed)):
        if named:
            return stop(key, named[0], why=named[1], other=named[1])
    if len(vendor.same_key) > 1:
        return stop("same_key", orders=_listed(vendor.same_key))
    if not spec.abandon_intent:
        if vendor.withdrawn:
            order_id, other, status = vendor.withdrawn
            return stop("withdrawn", order_id, name=spec.common_name, other=other, result=f"; it is {status}")
        if vendor.unknown:
            order_id, why = vendor.unknown
            return stop("unknown_order", order_id, why=why)
        if vendor.reach is not None and not vendor.same_name:
            return stop("unsure", name=spec.common_name, reach=vendor.reach)
    return _purchase(spec, vendor, Step.BUY, "there is no order for it")


def _listed(orders: t.Sequence[int]) -> str:
    return ", ".join(map(str, orders))


def _in_progress(spec: CertificateSpec, order: Order) -> Decision:
    if order.status is Status.UNPAID:
        return stop("unpaid", order.order_id)
    left_out = names.missing(order.names, spec.names)
    if left_out and order.names:
        return stop("names_pending", order.order_id, names=", ".join(left_out))
    return Decision(Step.RESUME, f"order {order.order_id} is under way", order.order_id)


def _with_active_order(
    spec: CertificateSpec, state: HostState, vendor: VendorState, order: Order, now: dt.datetime
) -> Decision:
    if order.certificate is None:
        return Decision(
            Step.RESUME, f"order {order.order_id} is active, its certificate is not there yet", order.order_id
        )
    leaf, _delivered = read_issued(order.certificate, f"the certificate of order {order.order_id}")
    if leaf.not_before > now + CLOCK_BEHIND:
        what, start = f"the certificate of order {order.order_id}", f"{leaf.not_before:%Y-%m-%d %H:%M} UTC"
        return stop("clock_behind", order.order_id, what=what, start=start)
    cause, reason = _shortcoming(spec, state, order, leaf, now)
    if reason:
        decision = _replace(spec, state, vendor, order, leaf, reason, now)
        return _unless_repeated(spec, state, order, leaf, dataclasses.replace(decision, cause=cause), reason)
    if state.certificate is None or state.certificate.sha256 != leaf.sha256:
        return Decision(Step.INSTALL, f"order {order.order_id} is issued and not installed", order.order_id)
    damage = damage_of(state, state.certificate, now) or shortfall_of(spec, state) or unconfirmed(state)
    if damage:
        return Decision(Step.INSTALL, damage, order.order_id)
    due = due_on(spec.name, leaf, order.end_date)
    return Decision(
        Step.KEEP,
        f"order {order.order_id}'s certificate is installed, to be replaced from {due:%Y-%m-%d}",
        order.order_id,
    )


def _shortcoming(
    spec: CertificateSpec, state: HostState, order: Order, leaf: x509.Certificate, now: dt.datetime
) -> tuple[str, str]:
    """Return why the order's newest certificate is not suitable, as a key and a message, or empty strings."""
    left_out = names.missing(leaf.names, spec.names)
    if left_out:
        return repeats.names_reason(left_out), f"{', '.join(left_out)} is not in the certificate"
    if rekey_due(spec, state, leaf, now):
        return repeats.REKEY, "a new key is requested"
    if due_on(spec.name, leaf, order.end_date) <= now:
        return repeats.ENDS, f"the certificate ends on {leaf.not_after:%Y-%m-%d}"
    installed = state.certificate is not None and state.certificate.sha256 == leaf.sha256
    keys = {state.staged.public_key if state.staged else None, state.key}
    key_unknown = installed and state.key is None and not state.damage  # a host without openssl
    if leaf.public_key not in keys and not key_unknown:
        return repeats.KEY, f"the key of order {order.order_id}'s certificate is not on the host"
    return "", ""


def _unless_repeated(
    spec: CertificateSpec,
    state: HostState,
    order: Order,
    leaf: x509.Certificate,
    decision: Decision,
    reason: str,
) -> Decision:
    """Return the decision, or a stop if a reissue for the same reason had no effect. The end of a term is exempt."""
    journal = state.journal
    if journal is None or journal.order_id != order.order_id or spec.abandon_intent or decision.step is Step.STOP:
        return decision
    if decision.cause == repeats.ENDS and decision.step in (Step.RENEW, Step.BUY):
        return decision
    if repeats.not_cured(journal.reissued, decision.cause, leaf):
        return stop("not_cured", order.order_id, reason=reason)
    return decision


def _replace(
    spec: CertificateSpec,
    state: HostState,
    vendor: VendorState,
    order: Order,
    leaf: x509.Certificate,
    reason: str,
    now: dt.datetime,
) -> Decision:
    """Decide how to replace the certificate: free within the paid term, by purchase at its end."""
    last_of_term = order.end_date is not None and leaf.not_after >= midnight(order.end_date) - TERM_END_SLACK
    purchase = _next_term(spec, vendor, order, reason, last_of_term, now)
    if purchase is not None:
        return purchase
    another_product = order.product_id not in (None, vendor.product.product_id)
    if spec.common_name != order.common_name and vendor.product.family is Family.DIGICERT:
        return stop("common_name", order.order_id, known=order.common_name, name=spec.common_name)
    left_out = names.missing(leaf.names, spec.names)
    if another_product and left_out:
        if spec.abandon_intent:
            return _purchase(spec, vendor, Step.BUY, f"order {order.order_id} is for another product")
        return stop("other_product", order.order_id, product_id=order.product_id, names=", ".join(left_out))
    if vendor.product.multi_domain and left_out:
        singles, wildcards = extra_slots(spec, order)
        if singles or wildcards:
            return _add_names(spec, state, vendor, order, singles, wildcards)
    return Decision(Step.REISSUE, reason, order.order_id)


def _after_unfinished_reissue(
    spec: CertificateSpec, vendor: VendorState, order: Order, now: dt.datetime
) -> Decision | None:
    """Return the purchase of the next term, which an unvalidated reissue must not prevent.

    It is a new order, because the vendor may refuse to renew an order during a reissue.
    """
    if not order.reissuing and order.status is not Status.REISSUE:
        return None
    due = _next_term(spec, vendor, order, "its reissue was not finished", False, now)
    return due if due is None or due.step is not Step.RENEW else dataclasses.replace(due, step=Step.BUY, order_id=None)


def _next_term(
    spec: CertificateSpec, vendor: VendorState, order: Order, reason: str, last_of_term: bool, now: dt.datetime
) -> Decision | None:
    """Return the purchase of the next term, if this one has ended, or ends soon and its last certificate is issued."""
    if order.end_date is None:
        return None
    term_end = midnight(order.end_date)
    if now > term_end + CLOCK_AHEAD:
        if spec.abandon_intent:
            return _purchase(spec, vendor, Step.BUY, f"the paid term of order {order.order_id} has ended")
        return stop("clock_ahead", order.order_id, end=term_end.date())
    if not term_is_over(order, now) and not (last_of_term and now >= term_end - RENEWAL_WINDOW):
        return None
    if order.product_id not in (None, vendor.product.product_id):
        ends = f"the paid term of order {order.order_id} ends and the product changed"
        return _purchase(spec, vendor, Step.BUY, ends)
    ends = f"the paid term ends on {term_end:%Y-%m-%d} ({reason})"
    return _purchase(spec, vendor, Step.RENEW, ends, order.order_id)


def _add_names(
    spec: CertificateSpec, state: HostState, vendor: VendorState, order: Order, singles: int, wildcards: int
) -> Decision:
    """Return the purchase of names, unless the last names bought are unpaid or missing from the order."""
    if vendor.elsewhere:
        return stop("foreign_intent", api=vendor.elsewhere)
    if vendor.unpaid:
        return stop("unpaid_names", order.order_id, invoices=", ".join(vendor.unpaid))
    if repeats.slots_not_given(state.journal, order) and not spec.abandon_intent:
        return stop("names_not_given", order.order_id)
    price = slots_price(spec, vendor.product, singles, wildcards)
    return Decision(Step.ADD_NAMES, f"{singles + wildcards} more paid names are needed", order.order_id, price)


def _purchase(
    spec: CertificateSpec, vendor: VendorState, step: Step, reason: str, order_id: int | None = None
) -> Decision:
    """Return the purchase, unless an order may already exist."""
    if vendor.elsewhere:
        return stop("foreign_intent", api=vendor.elsewhere)
    if vendor.unreadable and not spec.abandon_intent:
        return stop("unreadable_order", vendor.unreadable[0], why=vendor.unreadable[1])
    if vendor.same_name and not spec.abandon_intent:
        return stop("same_name", name=spec.common_name, orders=_listed(vendor.same_name))
    return Decision(step, reason, order_id, vendor.price)


def under_way(theirs: HostState) -> bool:
    """True if the ordering host is already obtaining another certificate."""
    return bool(unfinished(theirs))


def _host_reason(spec: CertificateSpec, state: HostState, certificate: x509.Certificate, now: dt.datetime) -> str:
    """Return why the installed certificate is not suitable, or an empty string."""
    damage = damage_of(state, certificate, now)
    if damage:
        return damage
    left_out = names.missing(certificate.names, spec.names)
    if left_out:
        return f"{', '.join(left_out)} is not in the installed certificate"
    if spec.rekey is True or rekey_due(spec, state, certificate, now):
        return "a new key is requested"
    if certificate.not_before > now + CLOCK_BEHIND:
        return f"the installed certificate is valid from {certificate.not_before:%Y-%m-%d %H:%M} UTC only"
    if due_on(spec.name, certificate, term_end(state)) <= now:
        return f"the installed certificate ends on {certificate.not_after:%Y-%m-%d}"
    return ""
