# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's journal says after each step. Pure: nothing is written here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from . import _purchase, _spend
from ._decision import Step
from ._desk import Case
from ._journal import Intent, Journal, Purchase
from ._models import Order, Receipt


def of_api(journal: Journal | None, api: str) -> Journal | None:
    """The journal, unless it is of another API: what was bought in a sandbox is not money."""
    return journal if journal is not None and journal.api == api else None


def after_request(
    case: Case, api: str, now: dt.datetime, known: Journal | None, order_id: int, receipt: Receipt | None
) -> Journal:
    """After a CSR was sent: with what was known of the order, if it is the same, and with the purchase."""
    known = of_api(known, api)
    same = known if known is not None and known.order_id == order_id else None
    bought = case.decision.step in (Step.BUY, Step.RENEW)
    purchases = known.purchases if known else ()
    return Journal(
        api,
        order_id,
        case.vendor.product.product_id if bought or same is None else same.product_id,
        case.request.public_key if case.request else "",
        end_date=same.end_date if same else None,
        ordered=_iso(now) if bought else same.ordered if same else None,
        keyed=_iso(now),
        purchases=_spend.remembered(purchases, paid(case, now, order_id, receipt)) if bought else purchases,
    )


def after_names(case: Case, now: dt.datetime, known: Journal, order_id: int, receipt: Receipt) -> Journal:
    """After room for names was bought."""
    return dataclasses.replace(known, purchases=_spend.remembered(known.purchases, paid(case, now, order_id, receipt)))


def after_intent(intent: Intent, known: Journal | None, order_id: int) -> Journal:
    """After the order of a purchase that an earlier run began was found."""
    begun = dt.datetime.fromtimestamp(intent.created, dt.timezone.utc)
    bought = Purchase(begun.date().isoformat(), intent.step, order_id, intent.price, intent.currency)
    return Journal(
        intent.api,
        order_id,
        intent.product_id,
        intent.public_key,
        ordered=_iso(begun),
        keyed=_iso(begun),
        purchases=_spend.remembered(known.purchases if known else (), bought),
    )


def as_told(case: Case, api: str, order: Order) -> Journal:
    """With what the vendor says of the order now."""
    known = of_api(case.found.journal, api)
    same = known if known is not None and known.order_id == order.order_id else None
    key = _newest_key(case, same, order)
    return Journal(
        api,
        order.order_id,
        order.product_id or case.vendor.product.product_id,
        key or "",
        order.end_date.isoformat() if order.end_date else None,
        ordered=same.ordered if same else None,
        keyed=same.keyed if same and same.public_key == key else None,
        purchases=known.purchases if known else (),
    )


def _newest_key(case: Case, same: Journal | None, order: Order) -> str | None:
    """The key of the order's newest CSR, as far as vendor, journal or host can tell."""
    shown = case.vendor.order_key
    if same is not None and (shown is None or order.in_progress):
        return same.public_key  # while a reissue is under way the vendor may still show the previous CSR
    if shown is not None:
        return shown
    issued = _purchase.certificate_of(order)
    if issued is not None and order.issued:
        return issued.public_key
    return case.found.staged.public_key if case.found.staged is not None else None


def paid(case: Case, now: dt.datetime, order_id: int, receipt: Receipt | None) -> Purchase:
    """The purchase that the case's decision made."""
    currency = receipt.currency if receipt else None
    return Purchase(now.date().isoformat(), case.decision.step.value, order_id, case.decision.price, currency)


def _iso(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")
