# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Withdraws an order that was bought at the same time as another run's order for the same names.

Runs on several controllers share no lock, and GoGetSSL lists new orders with a delay (API reference 12). Both runs
search before they buy, and neither finds the other's order. After its purchase, each run therefore reads the list until
it shows the run's own order, within the settle time. The run with the later order cancels it before validation; the
run with the earlier order keeps it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._api.listing import REACH
from .._api.models import Order
from .._api.orders import LISTED_STATUSES, Api
from .._core.errors import GogetsslError
from . import cancel, ownership
from . import purchase as _purchase
from .decision import stop
from .session import Placed, Session

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 15.0
_MADE_WITHIN = dt.timedelta(days=1)  # the vendor's dates have no time


def withdraw_later_orders(session: Session) -> list[dict[str, str]]:
    """Cancel each new order for whose names another run has an earlier one. Return these certificates as stopped."""
    placed = [one for one in session.placed if one.spec.order_host is None and not one.spec.abandon_intent]
    if not placed:
        return []
    try:
        listed = _wait_until_listed(session, placed)
    except GogetsslError as error:
        names = ", ".join(one.spec.name for one in placed)
        session.context.warn(f"{names}: whether another run bought the same names is not known: {error.message}")
        return []
    reasons = {one.spec.name: _withdraw_if_later(session, one, listed) for one in placed}
    return [{"name": name, "reason": f"{name}: {reason}."} for name, reason in reasons.items() if reason]


def _wait_until_listed(session: Session, placed: t.Sequence[Placed]) -> list[int]:
    """Return the ids of the account's orders, once they include the new ones. Earlier orders are listed by then."""
    context, begun, waited, pause = session.context, session.context.now(), 0.0, _FIRST_PAUSE
    limit = context.params["settle_time"]
    while True:
        listed = _order_ids(session.api)
        late = [one for one in placed if one.journal.order_id not in listed]
        if not late:
            break
        if max(waited, context.now() - begun) >= limit:
            for one in late:
                context.warn(
                    f"{one.spec.name}: GoGetSSL does not list order {one.journal.order_id} after {limit} seconds, so"
                    " whether another run bought the same names at the same time is not known."
                )
            break
        pause = min(pause, limit - waited)
        context.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)
    return sorted(listed)


def _order_ids(api: Api) -> set[int]:
    listed = list(api.all_orders())
    if len(listed) >= REACH:  # the paged list ends here
        listed += [summary for status in LISTED_STATUSES for summary in api.orders_with_status(status)]
    return {summary.order_id for summary in listed}


def _withdraw_if_later(session: Session, one: Placed, listed: t.Sequence[int]) -> str:
    """Cancel the order if another run has an earlier one. Return why the certificate stops, or an empty string."""
    context, name, order_id = session.context, one.spec.name, one.journal.order_id
    try:
        other = _earlier_order(session, one, listed)
        if other is None:
            return ""
        problem = _not_withdrawn(session, one)
        if not problem:
            # Recorded before the request: the vendor reviews it for hours, in which no run may complete the order.
            session.save(name, dataclasses.replace(one.journal, withdrawn=other), settled=False)
    except GogetsslError as error:
        context.warn(f"{name}: whether another run bought the same names is not known: {error.message}")
        return ""
    if problem:
        context.warn(f"{name}: orders {other} and {order_id} are for the same names, and both are paid: {problem}.")
        return ""
    failed = cancel.withdraw(context, session.api, order_id, f"Order {other} was placed at the same time")
    result = f", without success ({failed.rstrip('.')}). Cancel it with state=cancelled and order_ids" if failed else ""
    return stop("withdrawn", order_id, name=one.spec.common_name, other=other, result=result).reason


def _earlier_order(session: Session, one: Placed, listed: t.Sequence[int]) -> int | None:
    """Return the first order that another run placed for these names after this run searched the account."""
    with session.account() as account:
        own = {int(order_id) for order_id in account.orders}  # of all hosts of this run
    for order_id in listed:
        if one.intent.newest < order_id < one.journal.order_id and order_id not in own:
            order = session.api.any_order(order_id)
            if isinstance(order, Order) and _conflicts(session, one, order):
                return order_id
    return None


def _conflicts(session: Session, one: Placed, order: Order) -> bool:
    """True if a live order is for the same names and product, and has been placed today with another key."""
    began = order.begin_date
    return (
        not order.status.ended
        and order.product_id in (None, one.product.product_id)
        and ownership.same_names(order, one.spec, one.product)
        and not _purchase.is_ours(order, _purchase.trace_of(one.intent))
        and (began is None or began >= (session.now - _MADE_WITHIN).date())
    )


def _not_withdrawn(session: Session, one: Placed) -> str:
    """Return why this run's own order is not cancelled, as one clause, or an empty string."""
    order = session.api.order(one.journal.order_id)
    why = ownership.bought(order, _purchase.trace_of(one.intent), one.spec.names, ())
    if why or not ownership.same_names(order, one.spec, one.product):
        return f"order {order.order_id} is not cancelled, as {why or 'its names differ'}"
    if not order.in_progress or order.certificate is not None or order.begin_date is not None:
        return f"order {order.order_id} is {order.status.value}"
    return ""
