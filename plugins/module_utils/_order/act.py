# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Perform the decided step. Each write request is preceded by a record of it."""

from __future__ import annotations

import contextlib
import dataclasses

from .._api.models import Order, OrderRequest, Product, Receipt
from .._api.orders import Api, readable
from .._core.errors import GogetsslError, Kind, input_error
from .._crypto import x509
from .._host import journal as _journal
from .._host.journal import Intent, Journal
from .._request.spec import CertificateSpec
from . import controller_purchases, journal_updates, ownership, prices
from . import purchase as _purchase
from .assess import no_request
from .controller_purchases import Purchases
from .decision import ACTING, Step, stop
from .session import Assessment, Placed, Session


def take_step(session: Session, assessment: Assessment) -> tuple[Order | None, Receipt | None]:
    """Perform the decided step. Return the order afterwards and the receipt of a purchase."""
    step, order = assessment.decision.step, assessment.vendor.order
    if session.context.check_mode:
        return order, None
    if step not in ACTING:
        if order is not None:
            record_state(session, assessment, order)
        return order, None
    if assessment.request is None:
        raise no_request(assessment.spec.name)
    if step in (Step.BUY, Step.RENEW):
        return _new_order(session, assessment, assessment.request)
    if order is None:
        raise AssertionError("only a purchase can do without an order")
    return _same_order(session, assessment, assessment.request, order)


def _new_order(session: Session, assessment: Assessment, request: x509.Request) -> tuple[Order, Receipt]:
    """Buy a new order, and record it for this host and for other runs."""
    with controller_purchases.exclusive(session.context, session.api.url, assessment.spec) as purchases:
        if purchases is not None:
            _check_other_runs(session, assessment, purchases)
        intent, order, receipt = _bought(session, assessment, request, purchases)
        if purchases is not None:
            _complete(session, assessment.spec.name, purchases, order.order_id)
    journal = _after_request(session, assessment, assessment.state.journal, receipt.order_id, receipt)
    session.save(assessment.spec.name, journal, settled=True)
    session.claim(order.order_id, assessment.spec.name)
    if receipt.answered and assessment.decision.step is Step.BUY:
        session.placed.append(Placed(assessment.spec, assessment.vendor.product, intent, journal))
    return order, receipt


def _complete(session: Session, name: str, purchases: Purchases, order_id: int) -> None:
    """Add the order to the controller's record. A failure, such as a full disk, must not lose the paid order."""
    try:
        purchases.complete(session.holder(name), order_id)
    except GogetsslError as error:
        session.context.warn(f"{name}: order {order_id} is missing in the controller's record: {error.message}")


def _check_other_runs(session: Session, assessment: Assessment, purchases: Purchases) -> None:
    """Stop if a run that does not know this host has just bought a certificate for these names."""
    spec, step = assessment.spec, assessment.decision.step
    if step is not Step.BUY or spec.abandon_intent:
        return
    own = (spec.name, *session.siblings(spec))
    for purchase in purchases.of_others(*map(session.holder, own)):
        if purchase.order_id is not None:
            order = session.api.any_order(purchase.order_id)
            if isinstance(order, Order) and order.status.ended:
                continue
        session.release(session.reservation(spec.name, step))
        known = f"order {purchase.order_id}" if purchase.order_id else "its order is not known yet"
        reason = stop("bought_elsewhere", name=spec.common_name, holder=purchase.holder, known=known).reason
        raise GogetsslError(f"{spec.name}: {reason}.", Kind.REFUSED)


def _bought(
    session: Session, assessment: Assessment, request: x509.Request, purchases: Purchases | None
) -> tuple[Intent, Order, Receipt]:
    intent, receipt = _buy(session, assessment, request, purchases)
    return (intent, *_verified(session, assessment, intent, receipt))


def _verified(session: Session, assessment: Assessment, intent: Intent, receipt: Receipt) -> tuple[Order, Receipt]:
    """Return the order of a purchase. The order itself must match the response before the journal records it."""
    name, before = assessment.spec.name, assessment.state.journal
    known = [one for one in (before and before.order_id, assessment.spec.adopt, assessment.decision.order_id) if one]
    try:
        order = session.api.any_order(receipt.order_id)
        why = ownership.bought(order, _purchase.trace_of(intent), intent.names, known)
        if not why:
            return readable(order), receipt
    except GogetsslError:  # the intent stays, and the next run verifies the order
        journal = _after_request(session, assessment, before, receipt.order_id, receipt)
        session.save(name, journal, settled=False)
        raise
    problem = f"GoGetSSL answered the purchase with order {order.order_id}, but {why}"
    session.context.warn(f"{name}: {problem}. Searching for the order that was bought.")
    found = _purchase.settle(session.context, session.finder, name, intent, problem)
    return session.api.order(found.order_id), dataclasses.replace(receipt, order_id=found.order_id, answered=False)


def _same_order(
    session: Session, assessment: Assessment, request: x509.Request, order: Order
) -> tuple[Order, Receipt | None]:
    """Reissue the order. If the step is add_names, buy slots for the names first."""
    receipt: Receipt | None = None
    known = assessment.state.journal
    if assessment.decision.step is Step.ADD_NAMES:
        receipt, known = _add_names(session, assessment, request, order)
    # Saved before the request: after an interruption, the host looks healthy and no run would fetch the certificate.
    journal = _after_request(session, assessment, known, order.order_id, receipt)
    session.save(assessment.spec.name, journal, settled=assessment.state.intent is not None)
    _reissue(session, assessment, request, order)
    return session.api.order(order.order_id), receipt


def _after_request(
    session: Session, assessment: Assessment, known: Journal | None, order_id: int, receipt: Receipt | None
) -> Journal:
    return journal_updates.after_request(assessment, session.api.url, session.time(), known, order_id, receipt)


def note_refused(session: Session, assessment: Assessment) -> None:
    """Record the order even if the policy refused the step: this is how certificates are adopted."""
    if (
        assessment.decision.refused is not None
        and assessment.vendor.order is not None
        and not session.context.check_mode
    ):
        record_state(session, assessment, assessment.vendor.order)


def record_state(session: Session, assessment: Assessment, order: Order) -> None:
    """Update the journal from the order if anything changed."""
    journal = journal_updates.from_order(assessment, session.api.url, order)
    if journal != assessment.state.journal or assessment.state.intent is not None:
        session.save(assessment.spec.name, journal, settled=assessment.state.intent is not None)


def _buy(
    session: Session, assessment: Assessment, request: x509.Request, purchases: Purchases | None
) -> tuple[Intent, Receipt]:
    spec, product = assessment.spec, assessment.vendor.product
    code = spec.unique_code or _purchase.unique_code(request, product.product_id, spec.names)
    purchase = dataclasses.replace(
        _order_request(session, spec, product, request),
        unique_code=code if product.custom_random_value else None,
        product_id=product.product_id,
        period=spec.period,
        server_count=spec.server_count,
        admin=spec.admin,
        tech=spec.tech,
        organization=spec.organization,
    )
    intent = _intent(session, assessment, request, purchase.unique_code or "")
    send = session.api.place if assessment.decision.step is Step.BUY else session.api.renew
    reservation = session.reservation(spec.name, assessment.decision.step)

    def pay() -> Receipt:
        # Around the request only: a later failure does not mean that nothing was bought.
        with purchases.recorded(session.holder(spec.name)) if purchases else contextlib.nullcontext():
            return session.pay(reservation, lambda: send(purchase))

    known = assessment.state.journal
    return intent, _purchase.purchase(session.context, session.finder, spec.name, intent, known, pay)


def _intent(session: Session, assessment: Assessment, request: x509.Request, code: str) -> Intent:
    order = assessment.vendor.order
    journal = journal_updates.of_api(assessment.state.journal, session.api.url)
    return Intent(
        api=session.api.url,
        step=assessment.decision.step.value,
        product_id=assessment.vendor.product.product_id,
        period=assessment.spec.period,
        names=assessment.spec.names,
        public_key=request.public_key,
        md5=request.md5,
        unique_code=code,
        created=session.context.now(),
        price=assessment.decision.price,
        currency=session.policy.currency,
        newest=max(session.finder.newest, order.order_id if order else 0),
        before=journal.order_id if journal else None,
        flagged=journal_updates.flagged(assessment),
    )


def _add_names(
    session: Session, assessment: Assessment, request: x509.Request, order: Order
) -> tuple[Receipt, Journal | None]:
    """Buy slots for names, one run at a time. The order's counts show what another run or a lost response bought."""

    def left() -> tuple[int, int]:
        return prices.extra_slots(assessment.spec, session.api.order(order.order_id))

    context, name = session.context, assessment.spec.name
    intent = _intent(session, assessment, request, "")
    known = assessment.state.journal
    reservation = session.reservation(name, assessment.decision.step)
    receipt, bought = Receipt(order.order_id, None, None), False
    _purchase.claim(context, name, intent, known)
    try:
        singles, wildcards = left()
        if singles or wildcards:
            bought = True
            receipt = session.pay(reservation, lambda: session.api.add_names(order.order_id, singles, wildcards))
        else:
            session.release(reservation)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            _journal.remove_intent(context.shell, context.params["directory"], name, intent)
            raise
        if left() != (0, 0):
            raise  # the intent stays: the request may still be under way
    if bought and known is not None:
        known = journal_updates.after_names(assessment, session.time(), known, order.order_id, receipt)
        session.save(name, known, settled=False)
    _journal.remove_intent(context.shell, context.params["directory"], name, intent)
    if bought and left() != (0, 0):
        invoices = _purchase.unpaid_invoices(session.api, order.order_id)
        key = "unpaid_names" if invoices else "names_not_given"
        raise GogetsslError(stop(key, order.order_id, invoices=", ".join(invoices)).reason + ".", Kind.REFUSED)
    return receipt, known


def _reissue(session: Session, assessment: Assessment, request: x509.Request, order: Order) -> None:
    """Reissue the certificate. After a lost response, the order shows whether the reissue has started."""
    spec, product = assessment.spec, assessment.vendor.product
    # Until its term ends, an order of another product is reissued under the rules of that product.
    product = next((one for one in session.products if one.product_id == order.product_id), product)
    code = _purchase.unique_code(request, product.product_id, spec.names)
    again = dataclasses.replace(
        _order_request(session, spec, product, request),
        unique_code=(spec.unique_code or code) if product.custom_random_value else None,
    )
    try:
        session.api.reissue(order.order_id, again)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            raise
        latest = session.api.order(order.order_id)
        if not latest.in_progress and _purchase.key_of(latest) != request.public_key:
            raise


def _order_request(session: Session, spec: CertificateSpec, product: Product, request: x509.Request) -> OrderRequest:
    names = spec.names if product.multi_domain else spec.names[:1]
    return OrderRequest(
        csr=request.pem,
        approvals=tuple((name, spec.methods[name]) for name in names),
        webserver=_webserver(session.api, spec, product),
        signature_hash=spec.signature_hash,
        unique_code=None,
        multi_domain=product.multi_domain,
    )


def _webserver(api: Api, spec: CertificateSpec, product: Product) -> int:
    """Return the web server id for an id or a name. The default is "other" of the product family."""
    if spec.webserver is None:
        return product.family.other_webserver
    if spec.webserver.lstrip("-").isdigit():
        return int(spec.webserver)
    offered = api.webservers(product.family)
    for software, number in offered.items():
        if software.casefold() == spec.webserver.casefold():
            return number
    raise input_error(f"{spec.name}: no web server is called {spec.webserver!r}; known: {', '.join(offered)}.")
