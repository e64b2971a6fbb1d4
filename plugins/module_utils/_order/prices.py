# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prices of steps, before tax and in minor units of the account's currency. Pure."""

from __future__ import annotations

from .._api.models import Order, Product
from .._core import names
from .._request.spec import CertificateSpec


def extra_slots(spec: CertificateSpec, order: Order) -> tuple[int, int]:
    """Return the numbers of single and wildcard names that exceed the paid slots of the order."""
    others = spec.names[1:]
    wildcards = sum(map(names.is_wildcard, others))
    return max(0, len(others) - wildcards - order.single_sans), max(0, wildcards - order.wildcard_sans)


def price_of(spec: CertificateSpec, product: Product) -> int | None:
    """Return the price of a new term: the product plus the names it does not include."""
    base = product.prices.get(spec.period)
    others = spec.names[1:] if product.multi_domain else ()
    wildcards = sum(map(names.is_wildcard, others))
    singles = len(others) - wildcards
    singles, wildcards = (
        max(0, singles - product.included_sans),
        max(0, wildcards - max(0, product.included_sans - singles)),
    )
    extra = slots_price(spec, product, singles, wildcards)
    return None if base is None or extra is None else base + extra


def slots_price(spec: CertificateSpec, product: Product, singles: int, wildcards: int) -> int | None:
    total = 0
    for count, prices in ((singles, product.san_prices), (wildcards, product.wildcard_san_prices)):
        if count and spec.period not in prices:
            return None
        total += count * prices.get(spec.period, 0)
    return total
