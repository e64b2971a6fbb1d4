# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a certificate's order at the vendor: by adopt, by the journal, or by a search of the account.

Every order passes `ownership` first. Nothing is bought here; an intent of an earlier run is settled.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from .._api.listing import REACH
from .._api.models import AnyOrder, Order, Product, Unreadable
from .._core.errors import GogetsslError, Kind
from .._host import journal as _journal
from .._host.journal import HostState
from .._request import duplicates
from .._request.spec import CertificateSpec
from . import journal_updates, outcome, ownership, prices, repeats
from . import purchase as _purchase
from .decision import Decision, Step
from .lifetime import term_is_over
from .plan import VendorState
from .session import Session


def use_options_once(session: Session, spec: CertificateSpec, state: HostState) -> tuple[CertificateSpec, HostState]:
    """Return the spec without options that were already applied. Clear the recorded flags of removed options."""
    context, url = session.context, session.api.url
    journal, intent = journal_updates.of_api(state.journal, url), state.intent
    if journal is not None and spec.adopt == journal.order_id != journal.adopted:
        # Recorded now: after a renewal, the same value would look new and select the former order again.
        journal = dataclasses.replace(journal, adopted=spec.adopt, withdrawn=None)
        state = dataclasses.replace(state, journal=journal)
        if not context.check_mode:
            session.save(spec.name, journal, settled=False)
    if not spec.abandon_intent:
        if journal is not None and journal.flagged:
            journal = dataclasses.replace(journal, flagged=False)
            state = dataclasses.replace(state, journal=journal)
            if not context.check_mode:
                session.save(spec.name, journal, settled=False)
        if intent is not None and intent.flagged:
            if not context.check_mode:
                _journal.unflag(context.shell, context.params["directory"], spec.name, intent)
            state = dataclasses.replace(state, intent=dataclasses.replace(intent, flagged=False))
    spec = dataclasses.replace(spec, abandon_intent=repeats.flag_counts(spec, state))
    return repeats.follow_adopt(spec, journal), state


def find_order(
    session: Session, spec: CertificateSpec, state: HostState, product: Product
) -> tuple[HostState, VendorState]:
    """Return the certificate's order or why there is none. An intent of an earlier run is settled first."""
    state, elsewhere = _intent_elsewhere(session, spec, state)
    vendor = VendorState(product, prices.price_of(spec, product), elsewhere=elsewhere)
    adopted = session.api.any_order(spec.adopt) if spec.adopt is not None else None
    if state.intent is not None:
        if isinstance(adopted, Order) and repeats.settles(adopted, _purchase.key_of(adopted), state.intent):
            return state, _with_order(session, spec, state, vendor, adopted)
        state = outcome.settle_earlier(session, spec, state, state.intent)
    journal = journal_updates.of_api(state.journal, session.api.url)
    if adopted is not None and repeats.adopt_is_new(spec.adopt, journal):
        return state, _with_order(session, spec, state, vendor, adopted)
    if journal is not None and journal.withdrawn is not None:
        return state, _after_withdrawal(session, spec, state, vendor, journal.order_id, journal.withdrawn)
    if journal is not None:
        try:
            found = _with_order(session, spec, state, vendor, session.api.any_order(journal.order_id))
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED:
                raise
            found = dataclasses.replace(vendor, unknown=(journal.order_id, error.message))
        if found.order is not None or not spec.abandon_intent:
            return state, found
    return state, _search(session, spec, state, vendor)


def _intent_elsewhere(session: Session, spec: CertificateSpec, state: HostState) -> tuple[HostState, str | None]:
    """Set aside an intent for another API address. Until abandoned, it prevents purchases only."""
    intent = state.intent
    if intent is None or intent.api == session.api.url:
        return state, None
    state = dataclasses.replace(state, intent=None)
    if not spec.abandon_intent:
        return state, intent.api
    if not session.context.check_mode:
        _journal.remove_intent(session.context.shell, session.context.params["directory"], spec.name, intent)
    return state, None


def _with_order(
    session: Session, spec: CertificateSpec, state: HostState, vendor: VendorState, order: AnyOrder
) -> VendorState:
    """Add an order from adopt, the journal or a search, if it belongs to this certificate and is not in use."""
    adopted = order.order_id == spec.adopt
    nameless = isinstance(order, Unreadable) and not order.names
    why = "" if nameless else ownership.foreign(order, ownership.claimant(spec, state), adopted)
    if why:
        return dataclasses.replace(vendor, foreign=(order.order_id, why))
    other = session.claim(order.order_id, spec.name)
    if other:
        return dataclasses.replace(vendor, claimed=(order.order_id, other))
    if isinstance(order, Unreadable):
        return _with_unreadable(vendor, order)
    return dataclasses.replace(vendor, order=order, order_key=_purchase.key_of(order), adopted=adopted)


def _with_unreadable(vendor: VendorState, order: Unreadable | None) -> VendorState:
    return dataclasses.replace(vendor, unreadable=(order.order_id, order.reason.rstrip("."))) if order else vendor


def _search(
    session: Session, spec: CertificateSpec, state: HostState, vendor: VendorState, without: int = 0
) -> VendorState:
    """Search live orders of any of the names by key or installed certificate, if there is no journal."""
    product = vendor.product
    live = [one for one in _orders(session, spec, state) if not one.status.ended and one.order_id != without]
    mine = ownership.claimant(spec, state)
    # A cloned disk has the key and the certificate of another host, whose order is for other names.
    ours = [order for order in live if _is_for_spec(order, spec, state, product) and not ownership.foreign(order, mine)]
    if len(ours) == 1:
        return _with_order(session, spec, state, vendor, ours[0])
    conflicting = [
        order.order_id
        for order in live
        if order not in ours
        and order.product_id in (None, product.product_id)
        and (order.common_name == spec.common_name or ownership.same_names(order, spec, product))
    ]
    vendor = _with_unreadable(vendor, ownership.concerning(session.finder.unreadable, spec, product, mine))
    return dataclasses.replace(
        vendor,
        same_key=tuple(order.order_id for order in ours),
        same_name=() if ours else tuple(conflicting),
        reach=None if session.finder.complete else REACH,
    )


def _after_withdrawal(
    session: Session, spec: CertificateSpec, state: HostState, vendor: VendorState, order_id: int, other: int
) -> VendorState:
    """Search the account without the order that this host withdrew. While that order is live, nothing is bought."""
    order = session.api.any_order(order_id)
    ended = order.ended if isinstance(order, Unreadable) else order.status.ended
    vendor = _search(session, spec, state, vendor, without=order_id)
    if ended and not vendor.same_name:
        return vendor
    status = "not readable" if isinstance(order, Unreadable) else order.status.value
    return dataclasses.replace(vendor, withdrawn=(order_id, other, status))


def _orders(session: Session, spec: CertificateSpec, state: HostState) -> list[Order]:
    """Return the live orders of the names, without those of the host's certificate with the other key algorithm."""
    former = state.certificate.names if state.certificate is not None else ()
    found = session.finder.orders(*dict.fromkeys((*spec.names, *former)))
    if not found or not session.siblings(spec):
        return found
    return [order for order in found if not _is_for_sibling(order, spec)]


def _is_for_sibling(order: Order, spec: CertificateSpec) -> bool:
    request = _purchase.request_of(order)
    return request is not None and duplicates.other_algorithm(spec, request.key_type)


def _is_for_spec(order: Order, spec: CertificateSpec, state: HostState, product: Product) -> bool:
    """True if the order has the staged key, the installed key or the installed certificate."""
    if state.certificate is not None:
        issued = _purchase.certificate_of(order)
        if issued is not None and issued.sha256 == state.certificate.sha256:
            return True
        if _purchase.key_of(order) == state.certificate.public_key:
            return True
    if state.staged is None:
        return False
    code = spec.unique_code or _purchase.unique_code(state.staged, product.product_id, spec.names)
    trace = _purchase.Trace(spec.common_name, state.staged.public_key, state.staged.md5, code)
    return _purchase.is_ours(order, trace)


def needs_successor(decision: Decision, vendor: VendorState, now: dt.datetime) -> bool:
    """True if the order or its term has ended or a purchase is due: a later order may exist, unknown to the host."""
    order, due = vendor.order, decision.refused or decision.step
    if order is None:
        return False
    return due in (Step.BUY, Step.RENEW) or order.status.ended or term_is_over(order, now)


def with_successor(session: Session, spec: CertificateSpec, state: HostState, vendor: VendorState) -> VendorState:
    """Add a later order than the recorded one, in case the host was restored from an older backup.

    An order with a key of the host belongs to it. One with another key does if no other host could have bought it and
    its names are the same: names may have changed since the purchase, but it may also be for another certificate.
    abandon_intent does not apply to that one: it may be in the inventory since a stop before the backup.
    """
    former = vendor.order
    if former is None:
        return vendor
    context = session.context
    held = _journal.orders_held(context.shell, context.params["directory"])
    taken = {order_id for name, order_id in held.items() if name != spec.name}
    found = ownership.successors(_orders(session, spec, state), former, spec, vendor.product, taken)
    mine = ownership.claimant(spec, state)
    later = [one for one in session.finder.unreadable if one.order_id > former.order_id and one.order_id not in taken]
    vendor = _with_unreadable(vendor, ownership.concerning(later, spec, vendor.product, mine))
    with_key = own = [order for order in found if ownership.has_key(order, mine)]
    if not own:
        owners = duplicates.count_owners(spec, session.other_requests(spec))
        if owners is not None and len(found) <= owners:
            return vendor
        own = [one for one in found if ownership.same_names(one, spec, vendor.product)] if owners is not None else []
    if len(own) != 1:
        if not with_key and (not found or spec.abandon_intent):
            return vendor
        return dataclasses.replace(vendor, same_name=tuple(order.order_id for order in own or found))
    empty = dataclasses.replace(vendor, order=None, order_key=None, adopted=False, unreadable=None)
    return _with_order(session, spec, state, empty, own[0])
