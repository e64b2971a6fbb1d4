# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_order`: for each certificate find out what the vendor has, decide the one step, take it.

All certificates are assessed before the first one costs money. One that cannot go on does not stop the others.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from . import _cancel, _journal, _methods, _names, _plan, _purchase, _sharing, _spend, _x509
from ._api import Api
from ._api_task import api_task
from ._budget import Budget
from ._decision import SPENDING, Decision, Step, money, refuse
from ._errors import GogetsslError, Kind, input_error
from ._journal import HostState, Intent, Journal, Purchase
from ._models import Order, OrderRequest, Product, Receipt, Status
from ._order_list import REACH
from ._plan import VendorState
from ._results import order_result
from ._spend import Policy, Purse
from ._task import Context, Result
from ._wanted import CERTIFICATES_SPEC, CONTACTS_SPEC, Wanted, read_wanted

ACTING = (*SPENDING, Step.REISSUE)
_LOOKS = 6  # at another run's intent, within the settle time
_WARN_AHEAD = dt.timedelta(days=14)  # of the day on which the vendor cancels an order by itself

ARGUMENT_SPEC: dict[str, t.Any] = {
    **CERTIFICATES_SPEC,
    **CONTACTS_SPEC,
    **_methods.METHODS_SPEC,
    "requests": {"type": "list", "elements": "dict", "default": []},
    **_spend.SPEND_SPEC,
    "max_price": {"type": "int"},
    "max_price_per_year": {"type": "int"},
    "max_price_per_run": {"type": "int"},
    "currency": {"type": "str"},
    "tax_percent": {"type": "float"},
    "check_balance": {"type": "bool", "default": True},
    "approved_plan": {"type": "list", "elements": "dict"},
    "settle_time": {"type": "int", "default": 60},
    "keep_going": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "cancelled"], "default": "present"},
    "reason": {"type": "str"},
    "order_ids": {"type": "list", "elements": "int", "default": []},
    "other_hosts": {"type": "list", "elements": "dict", "default": []},
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One certificate with all that is known of it, and the decision."""

    wanted: Wanted
    found: HostState
    vendor: VendorState
    decision: Decision
    request: _x509.Request | None


@dataclasses.dataclass(frozen=True)
class Desk:
    """What working on the certificates of one host shares."""

    context: Context
    api: Api
    finder: _purchase.Finder
    products: tuple[Product, ...]
    policy: Policy
    now: dt.datetime
    budget: Budget

    def save(self, name: str, journal: Journal, settled: bool) -> None:
        """Write the journal; with it goes the intent of a purchase that this has settled, but never another run's."""
        _journal.record(self.context.shell, self.context.params["directory"], name, journal, settled)


def run(context: Context) -> Result:
    """Assess all, then act, then report."""
    params = context.params
    if params["state"] == "cancelled":
        return _cancel.run(context)
    if params["order_ids"]:
        raise input_error("order_ids is for state=cancelled only.")
    wanted = read_wanted(params)
    csrs = {item.get("name"): item.get("csr") for item in params["requests"] if item.get("csr")}
    found = _journal.inspect(context.shell, params["directory"], wanted)
    api: Api = context.api()
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    budget = Budget(context.run_directory)
    desk = Desk(context, api, _purchase.Finder(api), api.products(), _policy(params), now, budget)

    stopped: list[dict[str, str]] = []
    cases = _each(wanted, lambda one: assess(desk, one, found[one.name], csrs.get(one.name)), stopped)
    for case in cases:
        _warn(context, case)
        if case.decision.step is Step.STOP:
            stopped.append({"name": case.wanted.name, "reason": f"{case.wanted.name}: {case.decision.reason}."})
            _note_refused(desk, case)
    going_on = [case for case in cases if case.decision.step is not Step.STOP]
    done = _each(going_on, lambda case: (case, *_take(desk, case)), stopped)
    return {**_report(context, done, stopped), **_purchase_order(desk, wanted, cases, stopped)}


def _policy(params: t.Mapping[str, t.Any]) -> Policy:
    ceilings = (params["max_price"], params["max_price_per_year"], params["max_price_per_run"])
    return Policy(
        frozenset(params["spend"]), *ceilings, params["currency"], params["tax_percent"], params["check_balance"]
    )


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
        _check_request(desk, wanted, request, found)
    return Case(wanted, found, vendor, decision, request)


def _only_once(desk: Desk, wanted: Wanted, decision: Decision) -> Decision:
    """No purchase that another host of the play might make as well."""
    if decision.step is not Step.BUY:
        return decision
    here = desk.context.params["host"] or "this host"
    others = _sharing.rivals(wanted, desk.context.params["other_hosts"])
    if not others:
        return decision
    return refuse(
        "no_order_host", decision, hosts=_sharing.listed([here, *others]), name=wanted.common_name, first=here
    )


def _reserve(desk: Desk, wanted: Wanted, decision: Decision) -> Decision:
    """Set the price aside for this purchase, or stop: no other host of the run can use it in between."""
    context, policy = desk.context, desk.policy
    purchase = "|".join((context.host, context.params["directory"], wanted.name, decision.step.value))
    with desk.budget.account(desk.api.url, context.params["api_user"]) as account:
        if policy.needs_account and not account.asked:
            account.balance, account.currency = desk.api.balance()
            account.asked = True
        purse = Purse(account.balance, account.currency, account.others(purchase))
        decision = _spend.affordable(decision, policy, purse)
        if decision.step is not Step.STOP:
            account.reserved[purchase] = decision.price or 0
    return decision


def _warn(context: Context, case: Case) -> None:
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
        found = _settle_intent(desk, wanted, found, found.intent)
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


def _settle_intent(desk: Desk, wanted: Wanted, found: HostState, intent: Intent) -> HostState:
    """Learn the outcome of a purchase that an earlier run began, or that another run is making now."""
    context, name = desk.context, wanted.name
    if intent.step == Step.ADD_NAMES.value:
        return _outwait(desk, wanted, intent)
    try:
        receipt = _purchase.settle(context, desk.finder, name, intent, "the run that placed it ended early")
    except GogetsslError:
        latest = _journal.inspect(context.shell, context.params["directory"], [wanted])[name]
        if latest.intent is None:  # the other run has finished meanwhile
            return latest
        if not wanted.abandon_intent:
            raise
        if not context.check_mode:
            _journal.forget(context.shell, context.params["directory"], name)
        return dataclasses.replace(found, intent=None)
    begun = dt.datetime.fromtimestamp(intent.created, dt.timezone.utc)
    bought = Purchase(begun.date().isoformat(), intent.step, receipt.order_id, intent.price, intent.currency)
    journal = Journal(
        desk.api.url,
        receipt.order_id,
        intent.product_id,
        intent.public_key,
        ordered=_iso(begun),
        keyed=_iso(begun),
        purchases=_spend.remembered(found.journal.purchases if found.journal else (), bought),
    )
    if not context.check_mode:
        desk.save(name, journal, settled=True)
    return dataclasses.replace(found, journal=journal, intent=None)


def _outwait(desk: Desk, wanted: Wanted, intent: Intent) -> HostState:
    """The order itself tells whether names were bought, once no request for them can be under way any more."""
    context, directory = desk.context, desk.context.params["directory"]
    for _look in range(_LOOKS):
        latest = _journal.inspect(context.shell, directory, [wanted])[wanted.name]
        if latest.intent is None:  # the other run has finished meanwhile
            return latest
        context.sleep(context.params["settle_time"] / _LOOKS)
    if not context.check_mode:
        _journal.forget(context.shell, directory, wanted.name, intent)
    return dataclasses.replace(latest, intent=None)


def _check_request(desk: Desk, wanted: Wanted, request: _x509.Request | None, found: HostState) -> None:
    """Refuse, before anything is paid, a CSR that is not the wish or not the staged one, or that the vendor rejects."""
    name = wanted.name
    if request is None:
        if desk.context.check_mode:
            return
        raise _no_request(name)
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


def _no_request(name: str) -> GogetsslError:
    return input_error(f"{name}: there is no CSR; run gogetssl_csr first and hand on its requests.")


def _release_key(desk: Desk, name: str, found: HostState) -> None:
    """A new request is due whatever became of the order, so its key need not wait any longer: gogetssl_csr goes on."""
    if found.journal is not None and found.intent is None and not desk.context.check_mode:
        desk.save(name, dataclasses.replace(found.journal, public_key=""), settled=False)


def _take(desk: Desk, case: Case) -> tuple[Order | None, Receipt | None]:
    """Take the decided step and read the order as it is then."""
    step, order = case.decision.step, case.vendor.order
    if desk.context.check_mode:
        return order, None
    if step not in ACTING:
        if order is not None:
            _note(desk, case, order)
        return order, None
    if case.request is None:
        raise _no_request(case.wanted.name)
    if step in (Step.BUY, Step.RENEW):
        bought = _buy(desk, case, case.request)
        journal = _journal_after(desk, case, case.found.journal, bought.order_id, bought)
        desk.save(case.wanted.name, journal, settled=True)
        return desk.api.order(bought.order_id), bought
    if order is None:
        raise AssertionError("only a purchase can do without an order")
    receipt: Receipt | None = None
    known = case.found.journal
    if step is Step.ADD_NAMES:
        receipt, known = _add_names(desk, case, case.request, order)
    # Before the request: a run killed after it would leave a healthy host, and nobody to fetch the certificate.
    journal = _journal_after(desk, case, known, order.order_id, receipt)
    desk.save(case.wanted.name, journal, settled=case.found.intent is not None)
    _reissue(desk, case, case.request, order)
    return desk.api.order(order.order_id), receipt


def _journal_after(desk: Desk, case: Case, known: Journal | None, order_id: int, receipt: Receipt | None) -> Journal:
    """The journal after a CSR was sent: with what was known of the order, if it is the same, and with the purchase."""
    now = dt.datetime.fromtimestamp(desk.context.now(), dt.timezone.utc)
    known = _known(desk, known)
    same = known if known is not None and known.order_id == order_id else None
    bought = case.decision.step in (Step.BUY, Step.RENEW)
    purchases = known.purchases if known else ()
    return Journal(
        desk.api.url,
        order_id,
        case.vendor.product.product_id if bought or same is None else same.product_id,
        case.request.public_key if case.request else "",
        end_date=same.end_date if same else None,
        ordered=_iso(now) if bought else same.ordered if same else None,
        keyed=_iso(now),
        purchases=_spend.remembered(purchases, _paid(case, now, order_id, receipt)) if bought else purchases,
    )


def _known(desk: Desk, journal: Journal | None) -> Journal | None:
    """The journal, unless it is of another API: what was bought in a sandbox is not money."""
    return journal if journal is not None and journal.api == desk.api.url else None


def _paid(case: Case, now: dt.datetime, order_id: int, receipt: Receipt | None) -> Purchase:
    currency = receipt.currency if receipt else None
    return Purchase(now.date().isoformat(), case.decision.step.value, order_id, case.decision.price, currency)


def _iso(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _note_refused(desk: Desk, case: Case) -> None:
    """A step that the policy refused does not keep the host from knowing its order: so certificates are adopted."""
    if case.decision.refused is not None and case.vendor.order is not None and not desk.context.check_mode:
        _note(desk, case, case.vendor.order)


def _note(desk: Desk, case: Case, order: Order) -> None:
    """Bring the journal up to date with what the vendor says, if it says anything new."""
    known = _known(desk, case.found.journal)
    same = known if known is not None and known.order_id == order.order_id else None
    issued = _purchase.certificate_of(order)
    key = case.vendor.order_key
    if same is not None and (key is None or order.in_progress):
        key = same.public_key  # while a reissue is under way the vendor may still show the previous CSR
    elif key is None and issued is not None and order.issued:
        key = issued.public_key
    elif key is None and case.found.staged is not None:
        key = case.found.staged.public_key
    journal = Journal(
        desk.api.url,
        order.order_id,
        order.product_id or case.vendor.product.product_id,
        key or "",
        order.end_date.isoformat() if order.end_date else None,
        ordered=same.ordered if same else None,
        keyed=same.keyed if same and same.public_key == key else None,
        purchases=known.purchases if known else (),
    )
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
    return _purchase.purchase(
        desk.context, desk.finder, wanted.name, intent, case.found.journal, lambda: send(purchase)
    )


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
    receipt, bought = Receipt(order.order_id, None, None), False
    _purchase.claim(context, name, intent, known)
    try:
        singles, wildcards = left()
        if singles or wildcards:
            bought = True
            receipt = desk.api.add_names(order.order_id, singles, wildcards)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            _journal.forget(context.shell, context.params["directory"], name, intent)
            raise
        if left() != (0, 0):
            raise  # the intent stays: the request may still be under way
    if bought and known is not None:
        now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
        paid = _paid(case, now, order.order_id, receipt)
        known = dataclasses.replace(known, purchases=_spend.remembered(known.purchases, paid))
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


_T = t.TypeVar("_T")
_R = t.TypeVar("_R")


def _each(items: t.Sequence[_T], work: t.Callable[[_T], _R], stopped: list[dict[str, str]]) -> list[_R]:
    """Work on every item; those that fail are written down as stopped."""
    done: list[_R] = []
    for item in items:
        try:
            done.append(work(item))
        except GogetsslError as error:
            wanted = item.wanted if isinstance(item, Case) else t.cast(Wanted, item)
            named = error.message.startswith(f"{wanted.name}: ")
            reason = error.message if named else f"{wanted.name}: {error.message}"
            stopped.append({"name": wanted.name, "reason": reason})
    return done


def _report(
    context: Context, done: t.Sequence[tuple[Case, Order | None, Receipt | None]], stopped: list[dict[str, str]]
) -> Result:
    result: Result = {
        "changed": any(case.decision.step in ACTING for case, _order, _receipt in done),
        "orders": [_entry(*one) for one in done],
        "stopped": stopped,
    }
    acted = [one for one in done if one[0].decision.step in ACTING]
    if acted:
        lines = [f"{c.wanted.name}: {c.decision.step.value}, {c.decision.reason}, {_price(c)}" for c, _o, _r in acted]
        result["diff"] = {"before": "", "after": "".join(f"{line}\n" for line in lines)}
    if stopped and not context.params["keep_going"]:
        result.update(failed=True, msg=" ".join(one["reason"] for one in stopped))
    return result


def _entry(case: Case, order: Order | None, receipt: Receipt | None) -> dict[str, t.Any]:
    decision = case.decision
    about = order_result(order) if order else {"order_id": decision.order_id, "pending": False, "issued": False}
    entry: dict[str, t.Any] = {"status": None, "certificate": None, "chain": None, "proofs": [], **about}
    return {
        **entry,
        "name": case.wanted.name,
        "names": list(case.wanted.names),
        "methods": dict(case.wanted.methods),
        "step": decision.step.value,
        "reason": decision.reason,
        "waiting_for": entry.get("reason", ""),
        "price": decision.price,
        "charged": receipt.amount if receipt else None,
        "currency": receipt.currency if receipt else None,
    }


def _price(case: Case) -> str:
    return "free" if case.decision.price == 0 else f"price {money(case.decision.price)} before tax"


def _purchase_order(
    desk: Desk, wanted: t.Sequence[Wanted], cases: t.Sequence[Case], stopped: t.Sequence[t.Mapping[str, str]]
) -> Result:
    """What would be done or was, with prices, as plain data; and what this run spends of what the account has."""
    by_name = {case.wanted.name: case for case in cases}
    reasons = {one["name"]: one["reason"] for one in stopped}
    plan = [_plan_entry(desk, one, by_name.get(one.name), reasons.get(one.name)) for one in wanted]
    with desk.budget.account(desk.api.url, desk.context.params["api_user"]) as account:
        budget = {
            "price": sum(entry["price"] or 0 for entry in plan if entry["step"] in _SPENDING_WORDS),
            "run_price": sum(account.reserved.values()),
            "balance": account.balance,
            "currency": account.currency or desk.policy.currency,
            "tax_percent": desk.policy.tax_percent,
        }
    for entry in plan:
        entry["currency"] = budget["currency"]
    return {"plan": plan, "budget": budget}


_SPENDING_WORDS = tuple(step.value for step in SPENDING)


def _plan_entry(desk: Desk, wanted: Wanted, case: Case | None, stopped: str | None) -> Result:
    """One certificate of the plan; one that could not even be judged is a stop with a reason."""
    decision = case.decision if case else Decision(Step.STOP, "", price=None)
    step = Step.STOP if stopped else decision.step
    due = decision.refused or decision.step
    return {
        "host": desk.context.host,
        "name": wanted.name,
        "names": list(wanted.names),
        "product": case.vendor.product.name if case else wanted.product,
        "period": wanted.period,
        "step": step.value,
        "due": None if due is Step.STOP else due.value,
        "reason": stopped or decision.reason,
        "order_id": decision.order_id,
        "price": decision.price,
        "deadline": decision.deadline.isoformat() if decision.deadline else None,
    }


TASK = api_task(ARGUMENT_SPEC, run)
