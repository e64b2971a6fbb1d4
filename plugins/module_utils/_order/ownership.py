# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks whether an order belongs to a certificate, regardless of the source of the order id. Pure.

An order id can come from a host's disk, from `adopt` or from the vendor's response to a purchase. Names come from the
inventory, so they are checked first. Keys only distinguish orders that share a name, because a host can claim any key
by copying a public certificate.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._api.models import AnyOrder, Order, Product, Unreadable
from .._core import names
from .._host.journal import HostState
from .._request.spec import CertificateSpec
from .purchase import Trace, canonical, certificate_of, is_ours, key_of

_RENEWED_BEFORE_END = dt.timedelta(days=31)  # at the earliest (API reference 6.2), with a day for time zones


@dataclasses.dataclass(frozen=True)
class Claimant:
    """The names, keys and certificate that an order is compared with."""

    names: tuple[str, ...]
    keys: frozenset[str] = frozenset()  # SHA-256 of public keys: staged, installed, of the journal
    certificate: str | None = None  # SHA-256 of the installed one


def claimant(spec: CertificateSpec, state: HostState) -> Claimant:
    """Return the claimant for a spec and its host state."""
    certificate = state.certificate
    keys = (
        state.key,
        certificate.public_key if certificate else None,
        state.staged.public_key if state.staged else None,
        state.journal.public_key if state.journal else None,
    )
    known = frozenset(key for key in keys if key)
    return Claimant(spec.names, known, certificate.sha256 if certificate else None)


def foreign(order: AnyOrder, claimed: Claimant, adopted: bool = False) -> str:
    """Return why an order does not belong to the certificate, as one clause, or an empty string.

    `adopted`: the operator specified the order, so a matching common name is sufficient.
    """
    theirs = _stems(order.names or (order.common_name,))
    wanted = _stems(claimed.names)
    if not theirs & wanted:
        return f"it is for {', '.join(order.names) or order.common_name or 'no name'}"
    if theirs == wanted:
        return ""
    first, ours = _stem(order.common_name), _stem(claimed.names[0])
    same_first = first in wanted or ours in theirs
    if same_first and (adopted or has_key(order, claimed)):
        return ""
    if first == ours and (theirs < wanted or wanted < theirs):
        return ""  # names were changed, and the host has lost its keys
    return f"it is for {', '.join(order.names)}, and its key is not known on this host"


def bought(order: AnyOrder, trace: Trace, wanted: t.Sequence[str], known: t.Container[int]) -> str:
    """Return why an order is not the one just bought, as one clause, or an empty string.

    `known`: orders from before the purchase.
    """
    if is_ours(order, trace):
        return ""
    if key_of(order) is not None:
        return "its CSR has another key"
    if order.order_id in known:
        return "it existed before the purchase"
    if not _stems(order.names or (order.common_name,)) <= _stems(wanted):
        return f"it is for {', '.join(order.names) or order.common_name}"
    return ""


def same_names(order: AnyOrder, spec: CertificateSpec, product: Product) -> bool:
    """True if an order is for exactly the requested names; a single-name product includes `www` or the base name."""
    if product.multi_domain:
        return set(map(canonical, order.names)) == set(spec.names)
    first, ours = canonical(order.common_name), spec.common_name
    return first.removeprefix("www.") == ours.removeprefix("www.")


def more_or_fewer_names(order: AnyOrder, spec: CertificateSpec) -> bool:
    """True if an order has the same first name, and names were added to it or removed from it."""
    theirs, wanted = set(map(canonical, order.names)), set(spec.names)
    return canonical(order.common_name) == spec.common_name and (theirs < wanted or wanted < theirs)


def successors(
    orders: t.Iterable[Order], former: Order, spec: CertificateSpec, product: Product, held: t.Container[int]
) -> list[Order]:
    """Return live orders that may succeed `former`: newer, for this product, and for the same names, more or fewer.

    `held`: the orders of other certificates of the host.
    """
    opens = former.end_date - _RENEWED_BEFORE_END if former.end_date else None
    return [
        order
        for order in orders
        if not order.status.ended
        and order.order_id > former.order_id
        and order.order_id not in held
        and order.product_id in (None, product.product_id)
        and (same_names(order, spec, product) or more_or_fewer_names(order, spec))
        and (opens is None or order.begin_date is None or order.begin_date >= opens)
    ]


def concerning(
    unreadable: t.Iterable[Unreadable], spec: CertificateSpec, product: Product, claimed: Claimant
) -> Unreadable | None:
    """Return the first unreadable order that may be a live one of the certificate, by its key or names."""
    for order in unreadable:
        if order.ended:
            continue
        fits = order.product_id in (None, product.product_id) and _has_names(order, spec, product)
        if has_key(order, claimed) or fits:
            return order
    return None


def _has_names(order: Unreadable, spec: CertificateSpec, product: Product) -> bool:
    return canonical(order.common_name) == spec.common_name or same_names(order, spec, product)


def has_key(order: AnyOrder, claimed: Claimant) -> bool:
    """True if the order has a key of the host or the installed certificate."""
    issued = certificate_of(order)
    if issued is not None and (issued.sha256 == claimed.certificate or issued.public_key in claimed.keys):
        return True
    return key_of(order) in claimed.keys


def _stems(listed: t.Iterable[str]) -> frozenset[str]:
    return frozenset(map(_stem, listed))


def _stem(name: str) -> str:
    """Return the name without a prefix that products include for free."""
    return names.base(canonical(name)).removeprefix("www.")
