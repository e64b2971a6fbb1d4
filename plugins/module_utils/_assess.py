# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assessing a certificate before anything is paid: what the vendor has, what is due, whether it may be had.

Costs nothing and asks for nothing. All certificates of a host are assessed before the first of them is acted on.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from . import _methods, _names, _outcome, _plan, _purchase, _sharing, _spend, _x509
from ._decision import ACTING, Decision, Step, refuse
from ._desk import Case, Desk
from ._errors import GogetsslError, Kind, input_error
from ._journal import HostState
from ._models import Order, Product, Status
from ._order_list import REACH
from ._plan import VendorState
from ._spend import Purse
from ._task import Context
from ._wanted import Wanted

_WARN_AHEAD = dt.timedelta(days=14)  # of the day on which the vendor cancels an order by itself


def assess(desk: Desk, wanted: Wanted, found: HostState, csr: str | None) -> Case:
    """Gather the vendor's side of one certificate and decide. Costs nothing; settles an intent if there is one."""
    if wanted.source is not None:
        raise input_error(f"{wanted.name}: {wanted.source} orders it for this host, which only copies it.")
    product = find_product(desk.products, wanted.product)
    wanted = _methods.choose(wanted, product, desk.context.params["publishers"])
    problem = _plan.product_problem(wanted, product)
    if problem:
        raise input_error(f"{wanted.name}: {problem}.")
    request = _x509.read_request(csr, f"{wanted.name}: the CSR") if csr else None
    if product.multi_domain and len(wanted.names) > 1:
        product = dataclasses.replace(product, included_sans=desk.api.included_sans(product.product_id))
    found, vendor = _vendor_state(desk, wanted, found, product)
    decision = _only_once(desk, wanted, _plan.plan(wanted, found, vendor, desk.policy, desk.now))
    decision = _spend.approved(decision, wanted.name, desk.context.params["approved_plan"])
    if decision.spends:
        decision = _reserve(desk, wanted, decision)
    if decision.step in ACTING:
        try:
            _check_request(desk, wanted, request, found)
        except GogetsslError:
            desk.release(desk.reservation(wanted.name, decision.step))
            raise
    return Case(wanted, found, vendor, decision, request)


def _only_once(desk: Desk, wanted: Wanted, decision: Decision) -> Decision:
    """No purchase that another host of the play might make as well."""
    if decision.step is not Step.BUY:
        return decision
    here = desk.context.params["host"] or "this host"
    others = _sharing.rivals(wanted, _other_wishes(desk.context, wanted))
    if not others:
        return decision
    return refuse(
        "no_order_host", decision, hosts=_sharing.listed([here, *others]), name=wanted.common_name, first=here
    )


def _other_wishes(context: Context, wanted: Wanted) -> list[t.Mapping[str, t.Any]]:
    """What other hosts wish for: as the task was told, and as the play's variables tell."""
    told: list[t.Mapping[str, t.Any]] = list(context.params["other_hosts"])
    if not context.params["compare_hosts"] or wanted.order_host is not None:
        return told
    if context.board is None:
        raise input_error("compare_hosts works inside the controller only, and not with async.")
    return [*told, *_sharing.others(context.board(), wanted, context.host)]


def _reserve(desk: Desk, wanted: Wanted, decision: Decision) -> Decision:
    """Set the price aside for this purchase, or stop: no other host of the run can use it in between."""
    policy, purchase = desk.policy, desk.reservation(wanted.name, decision.step)
    with desk.account() as account:
        if policy.needs_account and not account.asked:
            account.balance, account.currency = desk.api.balance()
            account.asked = True
        purse = Purse(account.balance, account.currency, account.others(purchase))
        decision = _spend.affordable(decision, policy, purse)
        if decision.step is not Step.STOP:
            account.reserved[purchase] = decision.price or 0
    return decision


def warn_in_time(context: Context, case: Case) -> None:
    """Say in time that the vendor will cancel an order by itself."""
    order = case.vendor.order
    ends = _plan.cancelled_on(case.vendor.product, order, case.found.journal) if order else None
    today = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc).date()
    if order is not None and ends is not None and ends - today <= _WARN_AHEAD:
        what = "paid" if order.status is Status.UNPAID else "validated"
        context.warn(
            f"{case.wanted.name}: order {order.order_id} is not {what} yet; GoGetSSL cancels it by itself on {ends}."
        )


def find_product(products: t.Sequence[Product], wanted: str) -> Product:
    """The product of an id or a name, whatever its case."""
    for product in products:
        if wanted == str(product.product_id) or wanted.casefold() == product.name.casefold():
            return product
    alike = [one.name for one in products if wanted.casefold() in one.name.casefold()][:5]
    hint = f" Did you mean {' or '.join(alike)}?" if alike else " See gogetssl_product_info or the vendor's catalogue."
    raise input_error(f"There is no product {wanted!r} in the account's catalogue.{hint}")


def _vendor_state(desk: Desk, wanted: Wanted, found: HostState, product: Product) -> tuple[HostState, VendorState]:
    """The certificate's own order and its rivals; an intent left by an earlier run is settled first."""
    price = _plan.price_of(wanted, product)
    if wanted.adopt is not None:
        return found, _with_order(product, price, desk.api.order(wanted.adopt))
    if found.intent is not None and found.intent.api == desk.api.url:
        found = _outcome.learn(desk, wanted, found, found.intent)
    if found.journal is not None and found.journal.api == desk.api.url:
        try:
            return found, _with_order(product, price, desk.api.order(found.journal.order_id))
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED:
                raise
            if not wanted.abandon_intent:
                return found, VendorState(product, price, unknown=(found.journal.order_id, error.message))
    return found, _search(desk, wanted, found, product, price)


def _with_order(product: Product, price: int | None, order: Order) -> VendorState:
    return VendorState(product, price, order, _purchase.key_of(order))


def _search(desk: Desk, wanted: Wanted, found: HostState, product: Product, price: int | None) -> VendorState:
    """Without a journal: orders of the same common name, told apart by their key or by the installed certificate."""
    former = found.certificate.names if found.certificate is not None else ()
    orders = desk.finder.orders(*dict.fromkeys((wanted.common_name, *former)))
    ours = [order for order in orders if not order.status.ended and _belongs(order, wanted, found, product)]
    if len(ours) == 1:
        return _with_order(product, price, ours[0])
    rivals = [
        order.order_id
        for order in orders
        if order not in ours
        and not order.status.ended
        and order.common_name == wanted.common_name
        and order.product_id in (None, product.product_id)
    ]
    return VendorState(
        product,
        price,
        same_key=tuple(order.order_id for order in ours),
        same_name=() if ours else tuple(rivals),
        reach=None if desk.finder.complete else REACH,
    )


def _belongs(order: Order, wanted: Wanted, found: HostState, product: Product) -> bool:
    """True if the order was placed with the staged or the installed key, or gave the installed certificate."""
    if found.certificate is not None:
        issued = _purchase.certificate_of(order)
        if issued is not None and issued.sha256 == found.certificate.sha256:
            return True
        if _purchase.key_of(order) == found.certificate.public_key:
            return True
    if found.staged is None:
        return False
    code = wanted.unique_code or _purchase.unique_code(found.staged, product.product_id, wanted.names)
    trace = _purchase.Trace(wanted.common_name, found.staged.public_key, found.staged.md5, code)
    return _purchase.is_ours(order, trace)


def _check_request(desk: Desk, wanted: Wanted, request: _x509.Request | None, found: HostState) -> None:
    """Refuse, before anything is paid, a CSR that is not the wish or not the staged one, or that the vendor rejects."""
    name = wanted.name
    if request is None:
        if desk.context.check_mode:
            return
        raise no_request(name)
    if found.staged is None or found.staged.public_key != request.public_key:
        raise input_error(f"{name}: the CSR does not belong to the key staged on the host; run gogetssl_csr again.")
    if request.common_name != wanted.common_name or set(request.names) != set(wanted.names):
        _release_key(desk, name, found)
        raise input_error(
            f"{name}: the CSR is for {', '.join(request.names)}, but the certificate is wanted for"
            f" {', '.join(wanted.names)}; run gogetssl_csr again."
        )
    problem = desk.api.csr_problem(request.pem, any(map(_names.is_wildcard, wanted.names)))
    if problem:
        raise input_error(f"{name}: GoGetSSL refuses the CSR: {problem}")
    for one, method in wanted.methods.items():
        allowed = desk.api.approver_emails(_names.base(one)) if "@" in method else ()
        if allowed and method not in allowed:
            raise input_error(f"{name}: {method} may not approve {one}; allowed: {', '.join(allowed)}.")


def no_request(name: str) -> GogetsslError:
    """The wish cannot be ordered without one."""
    return input_error(f"{name}: there is no CSR; run gogetssl_csr first and hand on its requests.")


def _release_key(desk: Desk, name: str, found: HostState) -> None:
    """A new request is due whatever became of the order, so its key need not wait any longer: gogetssl_csr goes on."""
    if found.journal is not None and found.intent is None and not desk.context.check_mode:
        desk.save(name, dataclasses.replace(found.journal, public_key=""), settled=False)
