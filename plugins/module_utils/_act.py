# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acting on an assessed certificate: the one step that was decided, each write guarded by what was written down before.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses

from . import _entries, _journal, _plan, _purchase, _x509
from ._api import Api
from ._assess import no_request
from ._decision import ACTING, Step
from ._desk import Case, Desk
from ._errors import GogetsslError, Kind, input_error
from ._journal import Intent, Journal
from ._models import Order, OrderRequest, Product, Receipt
from ._wanted import Wanted


def take(desk: Desk, case: Case) -> tuple[Order | None, Receipt | None]:
    """Take the decided step; the order as it is then, and the receipt of what was bought."""
    step, order = case.decision.step, case.vendor.order
    if desk.context.check_mode:
        return order, None
    if step not in ACTING:
        if order is not None:
            note(desk, case, order)
        return order, None
    if case.request is None:
        raise no_request(case.wanted.name)
    if step in (Step.BUY, Step.RENEW):
        return _new_order(desk, case, case.request)
    if order is None:
        raise AssertionError("only a purchase can do without an order")
    return _same_order(desk, case, case.request, order)


def _new_order(desk: Desk, case: Case, request: _x509.Request) -> tuple[Order, Receipt]:
    """Buy, and write down what was bought."""
    receipt = _buy(desk, case, request)
    journal = _after_request(desk, case, case.found.journal, receipt.order_id, receipt)
    desk.save(case.wanted.name, journal, settled=True)
    return desk.api.order(receipt.order_id), receipt


def _same_order(desk: Desk, case: Case, request: _x509.Request, order: Order) -> tuple[Order, Receipt | None]:
    """Reissue, with room for more names bought first if that is the step."""
    receipt: Receipt | None = None
    known = case.found.journal
    if case.decision.step is Step.ADD_NAMES:
        receipt, known = _add_names(desk, case, request, order)
    # Before the request: a run killed after it would leave a healthy host, and nobody to fetch the certificate.
    journal = _after_request(desk, case, known, order.order_id, receipt)
    desk.save(case.wanted.name, journal, settled=case.found.intent is not None)
    _reissue(desk, case, request, order)
    return desk.api.order(order.order_id), receipt


def _after_request(desk: Desk, case: Case, known: Journal | None, order_id: int, receipt: Receipt | None) -> Journal:
    return _entries.after_request(case, desk.api.url, desk.time(), known, order_id, receipt)


def note_refused(desk: Desk, case: Case) -> None:
    """A step that the policy refused does not keep the host from knowing its order: so certificates are adopted."""
    if case.decision.refused is not None and case.vendor.order is not None and not desk.context.check_mode:
        note(desk, case, case.vendor.order)


def note(desk: Desk, case: Case, order: Order) -> None:
    """Bring the journal up to date with what the vendor says, if it says anything new."""
    journal = _entries.as_told(case, desk.api.url, order)
    if journal != case.found.journal or case.found.intent is not None:
        desk.save(case.wanted.name, journal, settled=case.found.intent is not None)


def _buy(desk: Desk, case: Case, request: _x509.Request) -> Receipt:
    wanted, product = case.wanted, case.vendor.product
    code = wanted.unique_code or _purchase.unique_code(request, product.product_id, wanted.names)
    purchase = dataclasses.replace(
        _order_request(desk, wanted, product, request),
        unique_code=code if product.custom_random_value else None,
        product_id=product.product_id,
        period=wanted.period,
        server_count=wanted.server_count,
        admin=wanted.admin,
        tech=wanted.tech,
        organization=wanted.organization,
    )
    intent = _intent(desk, case, request, purchase.unique_code or "")
    send = desk.api.place if case.decision.step is Step.BUY else desk.api.renew
    reservation = desk.reservation(wanted.name, case.decision.step)

    def pay() -> Receipt:
        return desk.pay(reservation, lambda: send(purchase))

    return _purchase.purchase(desk.context, desk.finder, wanted.name, intent, case.found.journal, pay)


def _intent(desk: Desk, case: Case, request: _x509.Request, code: str) -> Intent:
    return Intent(
        api=desk.api.url,
        step=case.decision.step.value,
        product_id=case.vendor.product.product_id,
        period=case.wanted.period,
        names=case.wanted.names,
        public_key=request.public_key,
        md5=request.md5,
        unique_code=code,
        created=desk.context.now(),
        price=case.decision.price,
        currency=desk.policy.currency,
    )


def _add_names(desk: Desk, case: Case, request: _x509.Request, order: Order) -> tuple[Receipt, Journal | None]:
    """Buy room for names, one run at a time. The order's own counts tell what another run or a lost answer bought."""

    def left() -> tuple[int, int]:
        return _plan.extra_slots(case.wanted, desk.api.order(order.order_id))

    context, name = desk.context, case.wanted.name
    intent = _intent(desk, case, request, "")
    known = case.found.journal
    reservation = desk.reservation(name, case.decision.step)
    receipt, bought = Receipt(order.order_id, None, None), False
    _purchase.claim(context, name, intent, known)
    try:
        singles, wildcards = left()
        if singles or wildcards:
            bought = True
            receipt = desk.pay(reservation, lambda: desk.api.add_names(order.order_id, singles, wildcards))
        else:
            desk.release(reservation)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            _journal.forget(context.shell, context.params["directory"], name, intent)
            raise
        if left() != (0, 0):
            raise  # the intent stays: the request may still be under way
    if bought and known is not None:
        known = _entries.after_names(case, desk.time(), known, order.order_id, receipt)
        desk.save(name, known, settled=False)
    _journal.forget(context.shell, context.params["directory"], name, intent)
    return receipt, known


def _reissue(desk: Desk, case: Case, request: _x509.Request, order: Order) -> None:
    """Have the certificate made anew. If the answer is lost, the order itself tells whether it is being done."""
    wanted, product = case.wanted, case.vendor.product
    # An order of another product is reissued by that product's rules until its term ends.
    product = next((one for one in desk.products if one.product_id == order.product_id), product)
    code = _purchase.unique_code(request, product.product_id, wanted.names)
    again = dataclasses.replace(
        _order_request(desk, wanted, product, request),
        unique_code=(wanted.unique_code or code) if product.custom_random_value else None,
    )
    try:
        desk.api.reissue(order.order_id, again)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            raise
        latest = desk.api.order(order.order_id)
        if not latest.in_progress and _purchase.key_of(latest) != request.public_key:
            raise


def _order_request(desk: Desk, wanted: Wanted, product: Product, request: _x509.Request) -> OrderRequest:
    names = wanted.names if product.multi_domain else wanted.names[:1]
    return OrderRequest(
        csr=request.pem,
        approvals=tuple((name, wanted.methods[name]) for name in names),
        webserver=_webserver(desk.api, wanted, product),
        signature_hash=wanted.signature_hash,
        unique_code=None,
        multi_domain=product.multi_domain,
    )


def _webserver(api: Api, wanted: Wanted, product: Product) -> int:
    """The id of the web server by id or name; the family's "other" if none is wished for."""
    if wanted.webserver is None:
        return product.family.other_webserver
    if wanted.webserver.lstrip("-").isdigit():
        return int(wanted.webserver)
    offered = api.webservers(product.family)
    for software, number in offered.items():
        if software.casefold() == wanted.webserver.casefold():
            return number
    raise input_error(f"{wanted.name}: no web server is called {wanted.webserver!r}; known: {', '.join(offered)}.")
