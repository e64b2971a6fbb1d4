# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: the catalogue in one structure, filtered by features and sorted by price."""

from __future__ import annotations

import typing as t

from .._api.orders import Api
from .._api.raw import info_task
from .._core.errors import GogetsslError, Kind, input_error
from .._core.task import Context, Params, Result
from .._request.suggestions import unknown_product

USUAL_PERIOD = 12  # months: the term whose price is compared by default
OPTIONS = {
    "products": {"type": "list", "elements": "str"},
    "validation": {"type": "str", "choices": ["dv", "ov", "ev"]},
    "wildcard": {"type": "bool"},
    "multi_domain": {"type": "bool"},
    "wildcard_sans": {"type": "bool"},
    "period": {"type": "int"},
    "methods": {"type": "list", "elements": "str", "choices": ["email", "http", "https", "dns"], "default": []},
    "brand": {"type": "str"},
    "max_price": {"type": "int"},
    "limit": {"type": "int"},
    "details": {"type": "bool", "default": False},
    "agreement": {"type": "bool", "default": False},
}
_FEATURES = ("validation", "wildcard", "multi_domain", "wildcard_sans")


def read(context: Context, api: Api) -> Result:
    """Filter, sort and limit the products first. Details cost one request for each product."""
    params = context.params
    requested = [str(one).strip() for one in params["products"] or []]
    found = (
        _by_id(api, requested) if requested and all(map(str.isdigit, requested)) else choose(api.catalogue(), requested)
    )
    _complete_prices(api, found)
    for product in found:
        product["price"] = price_for(product, params["period"])
    found = [product for product in found if fits(product, params)]
    found.sort(key=lambda product: (product["price"] is None, product["price"] or 0, product["product_id"]))
    if params["limit"] is not None:
        found = found[: max(0, params["limit"])]
    if params["details"]:
        found = [_with_details(api, product) for product in found]
    if params["agreement"]:
        found = [{**product, "agreement": api.agreement(product["product_id"])} for product in found]
    return {"products": found}


def choose(catalogue: t.Sequence[Result], requested: t.Sequence[str]) -> list[Result]:
    """The products with these ids or names, ignoring case; all by default."""
    if not requested:
        return list(catalogue)
    found: dict[int, Result] = {}
    for term in requested:
        matching = [
            one
            for one in catalogue
            if term == str(one["product_id"]) or term.casefold() == (one["name"] or "").casefold()
        ]
        if not matching:
            raise input_error(unknown_product(term, [(one["product_id"], one["name"] or "") for one in catalogue]))
        found.update((one["product_id"], one) for one in matching)
    return list(found.values())


def price_for(product: Params, period: int | None) -> int | None:
    """The price for a term. By default the usual term, or else the shortest."""
    prices = {row["period"]: row["price"] for row in product["prices"] or []}
    if period is not None:
        return prices.get(period)
    return prices.get(USUAL_PERIOD, prices[min(prices)] if prices else None)


def fits(product: Params, params: Params) -> bool:
    """True if the product has all requested features. An unknown feature counts as missing."""
    if any(params[name] is not None and product[name] != params[name] for name in _FEATURES):
        return False
    if params["period"] is not None and product["price"] is None:
        return False
    if params["max_price"] is not None and (product["price"] is None or product["price"] > params["max_price"]):
        return False
    if not set(params["methods"]) <= set(product["methods"] or []):
        return False
    term = (params["brand"] or "").lower()
    return not term or term in (product["brand"] or "") or term == product["family"]


def _by_id(api: Api, ids: t.Sequence[str]) -> list[Result]:
    """Single products, with one request each."""
    found = []
    for one in dict.fromkeys(ids):
        try:
            found.append(api.one_product(int(one)))
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED:
                raise
            raise input_error(f"There is no product {one} in the account's catalogue. {error.message}") from None
    return found


def _complete_prices(api: Api, products: t.Sequence[Result]) -> None:
    """Add prices that the catalogue lacks, from the price lists."""
    lacking = [product for product in products if not product["prices"]]
    if not lacking:
        return
    lists = api.prices(lacking[0]["product_id"]) if len(lacking) == 1 else api.prices()
    for product in lacking:
        product["prices"] = sorted(lists.get(product["product_id"], []), key=lambda row: row["period"])
        product["periods"] = product["periods"] or [row["period"] for row in product["prices"]]


def _with_details(api: Api, product: Result) -> Result:
    """The product with the details that only its own API call returns."""
    more = api.product_details(product["product_id"])
    return {key: more.get(key) if value in (None, []) else value for key, value in product.items()}


TASK = info_task(OPTIONS, read)
