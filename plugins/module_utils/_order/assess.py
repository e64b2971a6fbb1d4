# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assesses a certificate before any payment: the vendor's state, the due step, and whether it is allowed.

Assessment sends no write requests. All certificates of a host are assessed before the first step is performed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._api.models import Family, Product, Status
from .._core import names
from .._core.errors import GogetsslError, input_error
from .._core.task import Context
from .._crypto import x509
from .._host.journal import HostState
from .._request import duplicates, methods
from .._request.spec import CertificateSpec
from .._request.suggestions import unknown_product
from . import lifetime, lookup, plan, product_fit, repeats
from . import policy as _policy
from . import purchase as _purchase
from .budget import Account
from .decision import ACTING, SPENDING, Decision, Step, refuse
from .plan import VendorState
from .policy import Funds
from .session import Assessment, Session

_NEW_AGE = 10.0  # seconds; of a catalogue in which a product is missing
_WARN_AHEAD = dt.timedelta(days=14)  # before the vendor cancels an unfinished order


def assess(session: Session, spec: CertificateSpec, state: HostState, csr: str | None) -> Assessment:
    """Read the vendor state of one certificate and decide the step. Settle an intent first. Nothing is bought."""
    if spec.source is not None:
        raise input_error(f"{spec.name}: {spec.source} orders it for this host, which only copies it.")
    product, not_sold = _product(session, spec, state)
    spec = methods.choose(spec, product, session.context.params["publishers"])
    request = x509.read_request(csr, f"{spec.name}: the CSR") if csr else None
    if product.multi_domain and len(spec.names) > 1 and not_sold is None:
        product = dataclasses.replace(product, included_sans=session.api.included_sans(product.product_id))
    spec, state = lookup.use_options_once(session, spec, state)
    state, vendor = lookup.find_order(session, spec, state, product)
    if not_sold is not None and vendor.order is not None:
        vendor = dataclasses.replace(vendor, product=product_fit.as_ordered(product, vendor.order))
    vendor, decision = _decide(session, spec, state, vendor)
    _check_fit(spec, product, not_sold, decision)
    decision = _without_conflict(session, spec, decision)
    decision = _without_file_conflict(session, spec, vendor.product, decision)
    purchase = _policy.terms(spec, vendor.product.name)
    decision = _policy.approved(decision, purchase, session.context.params["approved_plan"])
    if decision.spends:
        decision = _reserve(session, spec, decision)
    if decision.step in ACTING:
        try:
            _check_request(session, spec, request, state)
        except GogetsslError:
            session.release(session.reservation(spec.name, decision.step))
            raise
    return Assessment(spec, state, vendor, decision, request)


def _product(session: Session, spec: CertificateSpec, state: HostState) -> tuple[Product, GogetsslError | None]:
    """Return the product and why it cannot be ordered. An existing order does not require a catalogue entry."""
    try:
        return _sold_product(session, spec.product), None
    except GogetsslError as error:
        records = [one for one in (state.journal, state.intent) if one is not None and one.api == session.api.url]
        if not records and spec.adopt is None:
            raise
        return product_fit.former_product(spec, records[0].product_id if records else 0), error


def _sold_product(session: Session, product: str) -> Product:
    """The product in the catalogue. The one that the hosts of the run share may be some minutes old."""
    try:
        return find_product(session.products, product)
    except GogetsslError:
        return find_product(session.api.products(_NEW_AGE), product)


def _check_fit(spec: CertificateSpec, product: Product, not_sold: GogetsslError | None, decision: Decision) -> None:
    """Reject a request or purchase that does not fit the product. Free steps continue."""
    step = decision.refused or decision.step
    if step not in ACTING:
        return
    if not_sold is not None:  # an order of a discontinued product can be reissued until its term ends
        if step in SPENDING:
            raise not_sold
        return
    problem = product_fit.request_problem(spec, product)
    if step in SPENDING:
        problem = problem or product_fit.purchase_problem(spec, product)
    if problem:
        raise input_error(f"{spec.name}: {problem}.")


def _decide(
    session: Session, spec: CertificateSpec, state: HostState, vendor: VendorState
) -> tuple[VendorState, Decision]:
    """Return the next step. Earlier purchases are checked only if the step costs money."""

    def decide(known: VendorState) -> Decision:
        return plan.decide_step(spec, state, known, session.policy, session.now)

    decision = decide(vendor)
    if lookup.needs_successor(decision, vendor, session.now):
        vendor = lookup.with_successor(session, spec, state, vendor)
        decision = decide(vendor)
    names_due = (decision.refused or decision.step) is Step.ADD_NAMES
    if vendor.order is not None and (names_due or repeats.slots_not_given(state.journal, vendor.order)):
        vendor = dataclasses.replace(vendor, unpaid=_purchase.unpaid_invoices(session.api, vendor.order.order_id))
        decision = decide(vendor)
    return vendor, decision


def _without_conflict(session: Session, spec: CertificateSpec, decision: Decision) -> Decision:
    """Stop a purchase that another host of the play may make too."""
    if decision.step is not Step.BUY:
        return decision
    here = session.context.params["host"] or "this host"
    others = duplicates.conflicting_hosts(spec, session.other_requests(spec))
    if not others:
        return decision
    hosts = duplicates.name_hosts([here, *others])
    first = min([here, *others])  # the same suggestion on every host
    return refuse("no_order_host", decision, hosts=hosts, name=spec.common_name, first=first)


def _without_file_conflict(session: Session, spec: CertificateSpec, product: Product, decision: Decision) -> Decision:
    """Stop a step whose DCV file would replace another one: brands of DigiCert have one file name (API reference 8.3).

    An order that is under way only claims the name: it is paid, and a later run can complete it.
    """
    by_file = any(method in methods.FILES for method in spec.methods.values())
    if product.family is not Family.DIGICERT or not by_file or session.context.check_mode:
        return decision
    if decision.step not in (*ACTING, Step.RESUME):
        return decision
    used = session.claim_file(spec.name)
    if used is None or decision.step is Step.RESUME:
        return decision
    return refuse("file_in_use", decision, web_host=used[0], holder=used[1])


def _reserve(session: Session, spec: CertificateSpec, decision: Decision) -> Decision:
    """Reserve the price for this purchase, or stop. No other host of the run can use the reserved amount."""
    policy, purchase = session.policy, session.reservation(spec.name, decision.step)
    with session.account() as account:
        if policy.needs_account and not account.queried:
            account.balance, account.currency = session.api.balance()
            account.queried = True
        others = account.others(purchase)
        funds = Funds(account.balance, account.currency, others, _spent_today(session, account, others))
        decision = _policy.affordable(decision, policy, funds)
        if decision.step is not Step.STOP:
            account.reserved[purchase] = decision.price or 0
    return decision


def _spent_today(session: Session, account: Account, others: int) -> int:
    """Return what the account was invoiced for today, with this run's reservations that are not invoiced yet.

    The invoices are read before each purchase, because other runs and persons buy from the same account.
    """
    if session.policy.max_price_per_day is None:
        return 0
    invoiced = session.api.invoiced_since(session.time().date())
    if account.invoiced is None:
        account.invoiced = invoiced
    return max(invoiced, account.invoiced + others)


def warn_in_time(context: Context, assessment: Assessment) -> None:
    """Warn before the vendor cancels an unfinished order."""
    order = assessment.vendor.order
    ends = lifetime.cancelled_on(assessment.vendor.product, order, assessment.state.journal) if order else None
    today = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc).date()
    if order is not None and ends is not None and ends - today <= _WARN_AHEAD:
        what = "paid" if order.status is Status.UNPAID else "validated"
        context.warn(
            f"{assessment.spec.name}: order {order.order_id} is not {what} yet. GoGetSSL will cancel it on {ends}."
        )


def find_product(products: t.Sequence[Product], spec: str) -> Product:
    """Return the product for an id or a name, ignoring case."""
    for product in products:
        if spec == str(product.product_id) or spec.casefold() == product.name.casefold():
            return product
    raise input_error(unknown_product(spec, [(one.product_id, one.name) for one in products]))


def _check_request(session: Session, spec: CertificateSpec, request: x509.Request | None, state: HostState) -> None:
    """Reject a CSR before the purchase if it differs from the spec or the staged one, or the vendor rejects it."""
    name = spec.name
    if request is None:
        if session.context.check_mode:
            return
        raise no_request(name)
    if state.staged is None or state.staged.public_key != request.public_key:
        raise input_error(f"{name}: the CSR does not belong to the key staged on the host; run gogetssl_csr again.")
    # A CSR that would be too long contains only the common name; the order contains all names.
    if request.common_name != spec.common_name or set(request.names) not in (set(spec.names), {spec.common_name}):
        _release_key(session, name, state)
        raise input_error(
            f"{name}: the CSR is for {', '.join(request.names)}, but the certificate is requested for"
            f" {', '.join(spec.names)}; run gogetssl_csr again."
        )
    problem = session.api.csr_problem(request.pem, any(map(names.is_wildcard, spec.names)))
    if problem:
        raise input_error(f"{name}: GoGetSSL refuses the CSR: {problem}")
    for one, method in spec.methods.items():
        allowed = session.api.approver_emails(names.base(one)) if "@" in method else ()
        if allowed and method not in allowed:
            raise input_error(f"{name}: {method} is not allowed to approve {one}; allowed: {', '.join(allowed)}.")


def no_request(name: str) -> GogetsslError:
    """Return the error for a certificate without a CSR."""
    return input_error(f"{name}: there is no CSR; run gogetssl_csr first and pass on its requests.")


def _release_key(session: Session, name: str, state: HostState) -> None:
    """Clear the journal's key, so that gogetssl_csr continues. A new request is due regardless of the order."""
    if state.journal is not None and state.intent is None and not session.context.check_mode:
        session.save(name, dataclasses.replace(state.journal, public_key=""), settled=False)
