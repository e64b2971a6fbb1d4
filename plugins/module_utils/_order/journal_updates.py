# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a host's journal after each step. Pure: nothing is written here."""

from __future__ import annotations

import dataclasses
import datetime as dt

from .._api.models import Order, Receipt
from .._core.dates import iso
from .._host.journal import Intent, Journal, Purchase, Reissue
from . import policy, prices, purchase
from .decision import Step
from .session import Assessment


def of_api(journal: Journal | None, api: str) -> Journal | None:
    """Return the journal, or None if it is for another API: sandbox purchases cost no money."""
    return journal if journal is not None and journal.api == api else None


def after_request(
    assessment: Assessment, api: str, now: dt.datetime, known: Journal | None, order_id: int, receipt: Receipt | None
) -> Journal:
    """Return the journal after a CSR was sent. It keeps the facts of the same order and adds the purchase."""
    known = of_api(known, api)
    same = known if known is not None and known.order_id == order_id else None
    bought = assessment.decision.step in (Step.BUY, Step.RENEW)
    purchases = known.purchases if known else ()
    return Journal(
        api,
        order_id,
        assessment.vendor.product.product_id if bought or same is None else same.product_id,
        assessment.request.public_key if assessment.request else "",
        end_date=same.end_date if same else None,
        ordered=iso(now) if bought else same.ordered if same else None,
        keyed=iso(now),
        purchases=policy.add_purchase(purchases, paid(assessment, now, order_id, receipt)) if bought else purchases,
        adopted=adopted(assessment.spec.adopt, known),
        flagged=flagged(assessment),
        reissued=None if bought else reissue(assessment),
    )


def after_names(assessment: Assessment, now: dt.datetime, known: Journal, order_id: int, receipt: Receipt) -> Journal:
    """Return the journal after slots for names were bought."""
    bought = paid(assessment, now, order_id, receipt)
    order = assessment.vendor.order
    if order is not None:
        slots = order.single_sans + order.wildcard_sans + sum(prices.extra_slots(assessment.spec, order))
        bought = dataclasses.replace(bought, slots=slots)
    purchases = policy.add_purchase(known.purchases, bought)
    return dataclasses.replace(known, purchases=purchases, flagged=flagged(assessment))


def after_intent(intent: Intent, known: Journal | None, order_id: int, adopt: int | None) -> Journal:
    """Return the journal after the order of an earlier run's purchase was found."""
    begun = dt.datetime.fromtimestamp(intent.created, dt.timezone.utc)
    bought = Purchase(begun.date().isoformat(), intent.step, order_id, intent.price, intent.currency)
    return Journal(
        intent.api,
        order_id,
        intent.product_id,
        intent.public_key,
        ordered=iso(begun),
        keyed=iso(begun),
        purchases=policy.add_purchase(known.purchases if known else (), bought),
        adopted=adopted(adopt, known),
        flagged=intent.flagged,
    )


def from_order(assessment: Assessment, api: str, order: Order) -> Journal:
    """Return the journal updated from the vendor's order."""
    known = of_api(assessment.state.journal, api)
    same = known if known is not None and known.order_id == order.order_id else None
    key = _newest_key(assessment, same, order)
    return Journal(
        api,
        order.order_id,
        order.product_id or assessment.vendor.product.product_id,
        key or "",
        iso(order.end_date),
        ordered=same.ordered if same else None,
        keyed=same.keyed if same and same.public_key == key else None,
        purchases=known.purchases if known else (),
        adopted=adopted(assessment.spec.adopt, known),
        flagged=known.flagged if known else assessment.spec.abandon_intent,
        reissued=same.reissued if same else None,
    )


def adopted(adopt: int | None, known: Journal | None) -> int | None:
    """Return the last value of adopt that was applied."""
    return adopt if adopt is not None else known.adopted if known else None


def flagged(assessment: Assessment) -> bool:
    """True if abandon_intent is set for this step. The record keeps the option from applying to later steps."""
    records = (assessment.state.intent, assessment.state.journal)
    return assessment.spec.abandon_intent or any(record.flagged for record in records if record is not None)


def reissue(assessment: Assessment) -> Reissue | None:
    """Return the record of a reissue. A later run uses it to check whether the reissue fixed its cause."""
    order, request = assessment.vendor.order, assessment.request
    leaf = purchase.certificate_of(order) if order is not None else None
    if leaf is None or request is None:
        return None
    return Reissue(assessment.decision.cause, request.public_key, leaf.sha256, leaf.not_after.isoformat())


def _newest_key(assessment: Assessment, same: Journal | None, order: Order) -> str | None:
    """Return the key of the order's newest CSR from the vendor, the journal or the host."""
    shown = assessment.vendor.order_key
    if same is not None and (shown is None or order.in_progress):
        return same.public_key  # during a reissue the vendor may still return the previous CSR
    if shown is not None:
        return shown
    issued = purchase.certificate_of(order)
    if issued is not None and order.issued:
        return issued.public_key
    return assessment.state.staged.public_key if assessment.state.staged is not None else None


def paid(assessment: Assessment, now: dt.datetime, order_id: int, receipt: Receipt | None) -> Purchase:
    """Return the purchase record of the decided step."""
    currency = receipt.currency if receipt else None
    return Purchase(
        now.date().isoformat(), assessment.decision.step.value, order_id, assessment.decision.price, currency
    )
