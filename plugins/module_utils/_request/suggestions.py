# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Suggestions for misspelt products. Pure."""

from __future__ import annotations

import difflib
import typing as t

_MOST = 3


def unknown_product(product: str, products: t.Iterable[tuple[int, str]]) -> str:
    """The message for an id or name that is not in the catalogue, with similar products."""
    listed = [f"{name} ({number})" for number, name in similar_products(product, products)]
    hint = f"Did you mean {' or '.join(listed)}?" if listed else "The playbook certops.gogetssl.products lists them."
    return f"There is no product {product!r} in the account's catalogue. {hint}"


def similar_products(product: str, products: t.Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The most similar products: by id for a number, otherwise first names that contain the text, then by spelling."""
    products = list(products)
    if product.isdigit():
        keys = [str(number) for number, _name in products]
    else:
        keys = [name.casefold() for _number, name in products]
    text = product.casefold()
    close = [key for key in keys if len(text) > 2 and text in key and not product.isdigit()]
    close += difflib.get_close_matches(text, keys, _MOST, 0.6)
    by_key = dict(zip(keys, products))
    return [by_key[key] for key in dict.fromkeys(close)][:_MOST]
