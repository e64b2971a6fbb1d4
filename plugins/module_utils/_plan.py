# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judgement: what to do about a certificate, why, and what it costs. Pure functions over facts, no effects.

`judge` sees the host alone and decides whether anybody has to be asked at all. `plan` sees the vendor's side as well
and decides the one next step.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import typing as t

from . import _methods, _names, _x509
from ._journal import HostState
from ._models import Family, Order, Product, Status
from ._wanted import Wanted

DAY = dt.timedelta(days=1)
# Before the end of the paid term. The vendor's window is 30 days (API reference 6.2), but the term's last day counts
# whole there: a renewal asked for at the very start of the thirtieth day is refused.
RENEWAL_WINDOW = 29 * DAY
LIFETIME_FRACTION = 3  # replaced when a third of the lifetime is left ...
FLOOR = 7 * DAY  # ... or a week, whichever is earlier
SPREAD_FRACTION = 20  # a twentieth of the lifetime, by name, so that a fleet does not move as one
TERM_END_SLACK = 2 * DAY  # a certificate that ends this close to the paid term is the term's last


class Step(enum.Enum):
    """The one next thing to do about a certificate."""

    KEEP = "keep"
    OBTAIN = "obtain"  # of `judge` only: the vendor has to be asked
    INSTALL = "install"
    RESUME = "resume"
    REISSUE = "reissue"
    RENEW = "renew"
    BUY = "buy"
    ADD_NAMES = "add_names"
    STOP = "stop"


@dataclasses.dataclass(frozen=True)
class Policy:
    """What a run may do with money. Prices are in minor units."""

    spend: frozenset[str] = frozenset({"buy"})
    max_price: int | None = None

    def allows(self, step: Step) -> bool:
        """Buying includes renewing, renewing includes reissuing; more names are bought only when asked for by name."""
        if step is Step.ADD_NAMES:
            return "add_names" in self.spend
        ladder = ("reissue", "renew", "buy")
        return step.value not in ladder or any(rung in self.spend for rung in ladder[ladder.index(step.value) :])


@dataclasses.dataclass(frozen=True)
class VendorState:
    """What the vendor has for one certificate. `key_of` gives the public key an order's CSR was made for, if told."""

    product: Product
    price: int | None  # of the product for the wanted period and names, in minor units
    order: Order | None = None  # the certificate's own
    order_key: str | None = None
    same_key: tuple[int, ...] = ()  # orders found by the staged or installed key, besides `order`
    same_name: tuple[int, ...] = ()  # live orders for the same name and product made with another key


@dataclasses.dataclass(frozen=True)
class Decision:
    """A step with its reason, the order it is about, and its price in minor units (0: free)."""

    step: Step
    reason: str
    order_id: int | None = None
    price: int | None = 0


def judge(wanted: Wanted, found: HostState, now: dt.datetime) -> Decision:
    """What the host alone tells: keep, install what is there, or ask the vendor."""
    certificate = found.certificate
    if found.intent is not None:
        return Decision(Step.OBTAIN, "a purchase was begun and its outcome is not known yet")
    journal = found.journal
    if journal is not None and (certificate is None or journal.public_key != certificate.public_key):
        return Decision(Step.OBTAIN, f"the newest certificate of order {journal.order_id} is not installed yet")
    if certificate is None:
        return Decision(Step.OBTAIN, found.damage or "no certificate is installed")
    reason = _host_reason(wanted, found, certificate, now)
    if reason:
        return Decision(Step.OBTAIN, reason)
    not_served = [one.listener for one in found.served if one.sha256 != certificate.sha256]
    if not_served:
        return Decision(Step.INSTALL, f"{', '.join(not_served)} does not serve the installed certificate")
    shortfall = _shortfall(wanted, found)
    if shortfall:
        return Decision(Step.INSTALL, shortfall)
    due = due_on(wanted.name, certificate, term_end(found))
    return Decision(Step.KEEP, f"valid until {certificate.not_after:%Y-%m-%d}, to be replaced from {due:%Y-%m-%d}")


def due_on(name: str, certificate: _x509.Certificate, term_end: dt.date | None) -> dt.datetime:
    """When a certificate is to be replaced.

    A third of its lifetime before it ends, at least a week, and up to a twentieth of the lifetime earlier still, by its
    name. The last certificate of a paid term has to wait for the renewal window.
    """
    lifetime = certificate.not_after - certificate.not_before
    spread = lifetime / SPREAD_FRACTION * (int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32)
    due = certificate.not_after - max(lifetime / LIFETIME_FRACTION, min(FLOOR, lifetime / 2)) - spread
    if term_end is not None and certificate.not_after >= _midnight(term_end) - TERM_END_SLACK:
        return max(due, _midnight(term_end) - RENEWAL_WINDOW + min(spread, 3 * DAY))
    return due


def plan(wanted: Wanted, found: HostState, vendor: VendorState, policy: Policy, now: dt.datetime) -> Decision:
    """The one next step, within what the policy allows."""
    decision = _next_step(wanted, found, vendor, now)
    if not policy.allows(decision.step):
        spend = ", ".join(sorted(policy.spend))
        return dataclasses.replace(
            decision,
            step=Step.STOP,
            reason=f"{decision.step.value} is due ({decision.reason}), but this run may only: {spend}",
        )
    if policy.max_price is not None and decision.price is None:
        return dataclasses.replace(
            decision, step=Step.STOP, reason="the price is not known, so the ceiling cannot be kept"
        )
    if policy.max_price is not None and (decision.price or 0) > policy.max_price:
        reason = (
            f"{decision.step.value} costs {money(decision.price)}, above the ceiling of {money(policy.max_price)}"
            f" ({decision.reason})"
        )
        return dataclasses.replace(decision, step=Step.STOP, reason=reason)
    return decision


def money(minor_units: int | None) -> str:
    """An amount for people."""
    return "an unknown price" if minor_units is None else f"{minor_units // 100}.{minor_units % 100:02d}"


def _next_step(wanted: Wanted, found: HostState, vendor: VendorState, now: dt.datetime) -> Decision:
    if vendor.order is None:
        return _without_order(wanted, vendor)
    order = vendor.order
    if order.status is Status.REJECTED and not wanted.abandon_intent:
        why = order.description or "no reason given"
        return Decision(
            Step.STOP,
            f"order {order.order_id} was rejected ({why}); set abandon_intent to buy again once that is mended",
            order.order_id,
        )
    if order.status.ended:
        return _purchase(vendor, Step.BUY, f"order {order.order_id} is {order.status.value}")
    if order.in_progress:
        return _in_progress(wanted, order)
    return _with_active_order(wanted, found, vendor, order, now)


def _without_order(wanted: Wanted, vendor: VendorState) -> Decision:
    if len(vendor.same_key) > 1:
        listed = ", ".join(map(str, vendor.same_key))
        return Decision(Step.STOP, f"orders {listed} were all placed with this key; say which to use with adopt")
    if vendor.same_name and not wanted.abandon_intent:
        listed = ", ".join(map(str, vendor.same_name))
        return Decision(
            Step.STOP,
            f"the account has a live order for {wanted.common_name} and this product, made with another key: {listed};"
            " use it with adopt, or set abandon_intent to buy another",
        )
    return _purchase(vendor, Step.BUY, "there is no order for it")


def _in_progress(wanted: Wanted, order: Order) -> Decision:
    left_out = _names.missing(order.names, wanted.names)
    if left_out and order.names:
        return Decision(
            Step.STOP,
            f"order {order.order_id} is still being validated without {', '.join(left_out)}; names can be changed once"
            " it is issued, or cancel it",
            order.order_id,
        )
    return Decision(Step.RESUME, f"order {order.order_id} is under way", order.order_id)


def _with_active_order(
    wanted: Wanted, found: HostState, vendor: VendorState, order: Order, now: dt.datetime
) -> Decision:
    if order.certificate is None:
        return Decision(
            Step.RESUME, f"order {order.order_id} is active, its certificate is not there yet", order.order_id
        )
    leaf = _x509.read_certificate(order.certificate, f"the certificate of order {order.order_id}")
    reason = _shortcoming(wanted, found, order, leaf, now)
    if reason:
        return _replace(wanted, vendor, order, leaf, reason, now)
    if found.certificate is None or found.certificate.sha256 != leaf.sha256:
        return Decision(Step.INSTALL, f"order {order.order_id} is issued and not installed", order.order_id)
    damage = _damage(found, found.certificate, now) or _shortfall(wanted, found)
    if damage:
        return Decision(Step.INSTALL, damage, order.order_id)
    due = due_on(wanted.name, leaf, order.end_date)
    return Decision(
        Step.KEEP,
        f"order {order.order_id}'s certificate is installed, to be replaced from {due:%Y-%m-%d}",
        order.order_id,
    )


def _shortcoming(wanted: Wanted, found: HostState, order: Order, leaf: _x509.Certificate, now: dt.datetime) -> str:
    """Why the order's newest certificate will not do, or nothing."""
    left_out = _names.missing(leaf.names, wanted.names)
    if left_out:
        return f"{', '.join(left_out)} is not in the certificate"
    if wanted.rekey and leaf.public_key == found.key:
        return "a new key is asked for"
    if due_on(wanted.name, leaf, order.end_date) <= now:
        return f"the certificate ends on {leaf.not_after:%Y-%m-%d}"
    installed = found.certificate is not None and found.certificate.sha256 == leaf.sha256
    keys = {found.staged.public_key if found.staged else None, found.key}
    key_untold = installed and found.key is None and not found.damage  # a host without openssl
    if leaf.public_key not in keys and not key_untold:
        return f"the key of order {order.order_id}'s certificate is not on the host"
    return ""


def _replace(
    wanted: Wanted,
    vendor: VendorState,
    order: Order,
    leaf: _x509.Certificate,
    reason: str,
    now: dt.datetime,
) -> Decision:
    """Another certificate is needed: free within the paid term, paid for at its end."""
    term_end = _midnight(order.end_date) if order.end_date else None
    last_of_term = term_end is not None and leaf.not_after >= term_end - TERM_END_SLACK
    if last_of_term and term_end is not None and now >= term_end - RENEWAL_WINDOW:
        if order.product_id not in (None, vendor.product.product_id):
            return _purchase(vendor, Step.BUY, f"the paid term of order {order.order_id} ends and the product changed")
        return _purchase(vendor, Step.RENEW, f"the paid term ends on {term_end:%Y-%m-%d} ({reason})", order.order_id)
    if wanted.common_name != order.common_name and vendor.product.family is Family.DIGICERT:
        return Decision(
            Step.STOP,
            f"the common name of order {order.order_id} is {order.common_name}; this brand cannot change it, so"
            f" {wanted.common_name} needs an order of its own",
            order.order_id,
        )
    if vendor.product.multi_domain and _names.missing(leaf.names, wanted.names):
        singles, wildcards = extra_slots(wanted, order)
        if singles or wildcards:
            price = _slots_price(wanted, vendor.product, singles, wildcards)
            return Decision(Step.ADD_NAMES, f"{singles + wildcards} more paid names are needed", order.order_id, price)
    return Decision(Step.REISSUE, reason, order.order_id)


def extra_slots(wanted: Wanted, order: Order) -> tuple[int, int]:
    """How many single and wildcard names are wished for beyond those paid for."""
    others = wanted.names[1:]
    wildcards = sum(map(_names.is_wildcard, others))
    return max(0, len(others) - wildcards - order.single_sans), max(0, wildcards - order.wildcard_sans)


def price_of(wanted: Wanted, product: Product) -> int | None:
    """The price of a new term in minor units: the product and the names beyond those it includes."""
    base = product.prices.get(wanted.period)
    others = wanted.names[1:] if product.multi_domain else ()
    wildcards = sum(map(_names.is_wildcard, others))
    singles = len(others) - wildcards
    singles, wildcards = (
        max(0, singles - product.included_sans),
        max(0, wildcards - max(0, product.included_sans - singles)),
    )
    extra = _slots_price(wanted, product, singles, wildcards)
    return None if base is None or extra is None else base + extra


def _slots_price(wanted: Wanted, product: Product, singles: int, wildcards: int) -> int | None:
    total = 0
    for count, prices in ((singles, product.san_prices), (wildcards, product.wildcard_san_prices)):
        if count and wanted.period not in prices:
            return None
        total += count * prices.get(wanted.period, 0)
    return total


def _purchase(vendor: VendorState, step: Step, reason: str, order_id: int | None = None) -> Decision:
    return Decision(step, reason, order_id, vendor.price)


def _host_reason(wanted: Wanted, found: HostState, certificate: _x509.Certificate, now: dt.datetime) -> str:
    """Why the installed certificate will not do, or nothing."""
    damage = _damage(found, certificate, now)
    if damage:
        return damage
    left_out = _names.missing(certificate.names, wanted.names)
    if left_out:
        return f"{', '.join(left_out)} is not in the installed certificate"
    if wanted.rekey:
        return "a new key is asked for"
    if due_on(wanted.name, certificate, term_end(found)) <= now:
        return f"the installed certificate ends on {certificate.not_after:%Y-%m-%d}"
    return ""


def _damage(found: HostState, certificate: _x509.Certificate, now: dt.datetime) -> str:
    """What is wrong with the installed files themselves, or nothing."""
    if found.damage:
        return found.damage
    if found.key is not None and found.key != certificate.public_key:
        return "the installed key does not belong to the installed certificate"
    return _x509.chain_problem(certificate, found.chain, now)


def _shortfall(wanted: Wanted, found: HostState) -> str:
    """A file that is not there, or not with the rights wished for; nothing where the host has not told."""
    if found.files is None:
        return ""
    layout = wanted.layout
    missing = [file for file in layout.files if file not in found.files]
    if missing:
        return f"{', '.join(missing)}: not there"
    for file in layout.files:
        facts = found.files[file]
        if facts.mode is not None and facts.mode != layout.mode_of(file):
            return f"{file} has mode {facts.mode:04o} instead of {layout.mode_of(file):04o}"
        for what, has, wish in (("owner", facts.owner, layout.owner), ("group", facts.group, layout.group)):
            if wish and has and wish not in has:
                return f"{file} has the {what} {has[-1]} instead of {wish}"
    return ""


def term_end(found: HostState) -> dt.date | None:
    """The end of the paid term, as the journal knows it."""
    end = found.journal.end_date if found.journal else None
    return dt.date.fromisoformat(end) if end else None


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.timezone.utc)


def product_problem(wanted: Wanted, product: Product) -> str:
    """Why the product cannot be ordered for these names, period, methods and contacts, in one sentence, or nothing."""
    checks: tuple[t.Callable[[Wanted, Product], str], ...] = (
        _names_problem,
        _period_problem,
        _methods.problem,
        _contacts_problem,
    )
    return next((problem for problem in (check(wanted, product) for check in checks) if problem), "")


def _names_problem(wanted: Wanted, product: Product) -> str:
    first, *others = wanted.names
    if _names.is_wildcard(first) and not product.wildcard and not product.wildcard_sans:
        return f"{product.name} is no wildcard product, so {first} does not fit"
    if product.wildcard and not product.multi_domain and not _names.is_wildcard(first):
        return f"{product.name} is a wildcard product, so the first name must start with '*.'"
    if not product.multi_domain:
        included = {_names.base(first), f"www.{first}"}
        stray = [name for name in others if name not in included]
        return f"{product.name} is for one name, so {', '.join(stray)} does not fit" if stray else ""
    wild = [name for name in others if _names.is_wildcard(name)]
    if wild and not product.wildcard_sans:
        return f"{product.name} takes no wildcards among its additional names, so {', '.join(wild)} does not fit"
    if product.max_sans is not None and len(others) > product.max_sans:
        return f"{product.name} takes at most {product.max_sans} additional names, not {len(others)}"
    return ""


def _period_problem(wanted: Wanted, product: Product) -> str:
    if wanted.period in product.prices:
        return ""
    offered = ", ".join(map(str, sorted(product.prices))) or "none"
    return f"{product.name} is not sold for {wanted.period} months (offered: {offered})"


_EVERYONE = ("firstname", "lastname", "phone", "title", "email")
_ADDRESS = ("organization", "addressline1", "city", "country", "postalcode", "region")
_ORGANIZATION = ("name", "division", "addressline1", "city", "country", "phone", "postalcode", "region")


def _contacts_problem(wanted: Wanted, product: Product) -> str:
    """Contacts as required by API reference 6.1; the sources are uneven for OV and EV, the stricter reading is used."""
    validated = product.validation.value != "dv"
    person = _EVERYONE + (_ADDRESS if validated else ())
    needed = [("admin", wanted.admin, person), ("tech", wanted.tech, person)]
    if validated:
        needed.append(("organization", wanted.organization, _ORGANIZATION))
    left_out = [f"{role}.{key}" for role, given, keys in needed for key in keys if not given.get(key)]
    if left_out:
        return f"{product.name} ({product.validation.name}) needs {', '.join(left_out)}"
    lei = wanted.organization.get("lei", "")
    return "organization.lei takes at most 20 characters" if len(lei) > 20 else ""
