# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue as a text table. Pure functions."""

from __future__ import annotations

import typing as t

from ...module_utils._core.money import money
from .entries import Entries, Entry

_HEADER = ("id", "name", "level", "names", "months", "price before tax")


def product_table(products: Entries, limit: int = 30) -> list[str]:
    """A header, a line for each product, and a note if there are more than `limit`. Prices are before tax."""
    products = list(products)
    rows = [_HEADER, *map(_row, products[:limit])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    more = len(products) - limit
    return lines + ([f"{more} more. Narrow the search, or set gogetssl_product_limit."] if more > 0 else [])


def _row(product: Entry) -> tuple[str, ...]:
    return (
        str(product["product_id"]),
        str(product["name"]),
        str(product["validation"] or "").upper(),
        ", ".join(_names(product)),
        ", ".join(str(period) for period in product["periods"] or ()),
        money(product["price"]),
    )


def _names(product: Entry) -> t.Iterator[str]:
    """The names that the price includes, and the maximum of the product."""
    yield "1 wildcard" if product["wildcard"] else "1"
    for key, word in (("included_sans", "more"), ("included_wildcard_sans", "more wildcard")):
        if product.get(key):
            yield f"{product[key]} {word} included"
    if product["multi_domain"]:
        yield f"up to {product['max_sans']}" if product.get("max_sans") else "several"
