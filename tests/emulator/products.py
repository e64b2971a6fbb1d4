# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product lists in the API's three formats, built from one catalogue (API reference 4.1 to 4.5)."""

from __future__ import annotations

from typing import Any

from . import catalogue, lei
from .backend import Call, money, row_id
from .catalogue import Product
from .errors import ApiError
from .validation import METHODS

_KINDS = {"dv": "domain", "ov": "business", "ev": "extended"}


def find_product(product_id: str) -> Product:
    names_with_methods = catalogue.products().get(row_id(product_id))
    if names_with_methods is None:
        # Text not known (API reference 14).
        raise ApiError("Wrong product_id", f"The product {product_id} does not exist")
    return names_with_methods


def supported_methods(product: Product, call: Call) -> list[str]:
    """The validation methods of a product. Wildcards cannot use files (API reference 8.4)."""
    if product.code_signing:
        return []
    if not product.sectigo and call.backend.settings.digicert_methods == "email":
        return ["email"]
    if product.wildcard:
        return ["email", "dns"]
    return ["http", "https"] if product.ip else list(METHODS)


def _dcv(product: Product, call: Call, prefix: str = "dcv_") -> dict[str, bool]:
    supported = supported_methods(product, call)
    return {f"{prefix}{method}": method in supported for method in ("email", "dns", "http", "https")}


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def all_products(call: Call) -> dict[str, Any]:
    return {"products": [_item(product, call) for product in catalogue.products().values()], "success": True}


def _item(product: Product, call: Call) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": product.name,
        "periods": product.periods,
        "organization": _yes(product.organisation),
        "wildcard": _yes(product.wildcard),
        "unlimited_servers": "yes",
        "is_multidomain": _yes(product.multi),
        "multi_domain": _yes(product.multi),
        "wildcard_san_enabled": _yes(product.wildcard_sans),
        "multidomains_included": product.san_in + product.wsan_in,
        "single_san_included": product.san_in,
        "wildcard_san_included": product.wsan_in,
        "multidomains_maximum": product.san_max,
        **_dcv(product, call),
        "recheck_caa": product.sectigo,
    }


def ssl_products(call: Call) -> Any:
    items = [_ssl_item(product, call) for product in catalogue.products().values()]
    if call.backend.settings.acme_products:
        items += _acme_items()
    shape = call.backend.settings.products_shape
    if shape == "array":
        return items
    return {"products": {str(i["id"]): i for i in items} if shape == "object" else items, "success": True}


def ssl_product(call: Call, product_id: str) -> dict[str, Any]:
    if call.backend.settings.acme_products:
        for item in _acme_items():
            if str(item["id"]) == product_id:
                return {"product": item, "success": True}
    return {"product": _ssl_item(find_product(product_id), call), "success": True}


def _ssl_item(product: Product, call: Call) -> dict[str, Any]:
    """A product of products/ssl, where flags are JSON integers (API reference 4.2)."""
    item = {
        "id": product.id,
        "brand": product.brand,
        "product": product.name,
        "max_period": max(product.periods),
        "san_enabled": int(product.multi),
        "wildcard_san_enabled": int(product.wildcard_sans),
        "product_type": _KINDS[product.kind],
        "unlimited_licencing": 1,
        "wildcard_enabled": int(product.wildcard),
        "claim_ev_enabled": 0,
        "trust_logo": 1,
        "org_required": int(product.organisation),
        **_dcv(product, call),
        "recheck_caa": product.sectigo,
        "custom_dcv_random_value": int(product.sectigo),
        "prices": _keyed_prices(product),
    }
    if product.multi:
        item["san_max"] = product.san_max
    return item


def _keyed_prices(product: Product) -> dict[str, Any]:
    prices: dict[str, Any] = {str(period): money(product.base_price(period)) for period in product.periods}
    # The retail price; the factor is invented.
    prices["vendor"] = {str(period): money(product.base_price(period) * 3) for period in product.periods}
    if product.multi:
        prices["san"] = {str(period): money(product.san_price(period)) for period in product.periods}
    if product.wildcard_sans:
        prices["wildcard_san"] = {str(period): money(product.wildcard_san_price(period)) for period in product.periods}
    return prices


def _acme_items() -> list[dict[str, Any]]:
    """The automation products in the shape that newer WHMCS code expects (API reference 4.2)."""
    names = {
        300: ("comodo", "Sectigo ACME CaaS"),
        400: ("rapidssl", "RapidSSL Plan"),
        401: ("geotrust", "GeoTrust Plan"),
        402: ("rapidssl", "RapidSSL Automate"),
        403: ("geotrust", "GeoTrust Automate"),
    }
    san = {
        "included": {"single": 1, "wildcard": 0},
        "single_allowed": True,
        "wildcard_allowed": True,
        "min": 1,
        "max": 250,
    }
    extra = {"single": {"selling": "5.00", "retail": "15.00"}, "wildcard": {"selling": "45.00", "retail": "135.00"}}
    price = [{"term": 12, "base": "9.00", "san": extra}]
    return [
        {
            "id": i,
            "brand": brand,
            "product": name,
            "max_period": 12,
            "product_type": "domain",
            "org_required": 0,
            "san_enabled": 1,
            "wildcard_san_enabled": 1,
            "san": san,
            "prices": price,
        }
        for i, (brand, name) in names.items()
    ]


def details(call: Call, product_id: str) -> dict[str, Any]:
    product = find_product(product_id)
    body = {
        "product_name": product.name,
        "product_type": product.kind.upper(),
        "product_id": product.id,
        "product_brand": product.brand,
        "product_description": f"<p>{product.name}</p>",
        "product_agreement": _agreement(product),
        "product_organization": _yes(product.organisation),
        "product_wildcard": _yes(product.wildcard),
        "product_unlimited_servers": "yes",
        "product_is_multidomain": _yes(product.multi),
        "product_multidomains_included": product.san_in + product.wsan_in,
        "product_single_san_included": product.san_in,
        "product_wildcard_san_included": product.wsan_in,
        "product_multidomains_maximum": product.san_max,
        "product_san_wildcard": _yes(product.wildcard_sans),
        **_dcv(product, call, "product_dcv_"),
        "recheck_caa": product.sectigo,
        "refund_days": 30,
        "terms": max(product.periods),
        "terms_min": min(product.periods),
        "site_seal": "static",
        "change_main_domain": _yes(product.sectigo),
        "ssl_warranty": 10000,
        "estimate": "5 minutes" if product.kind == "dv" else "1-3 days",
        "ip_allowed": _yes(product.ip),
        "free_reissues": "yes",
        "product_prices": _price_rows(product),
    }
    if product.multi:
        body["product_san_prices"] = _san_rows(product)
    body["product_wildcard_san_prices"] = _wildcard_rows(product)
    return {**body, "success": True}


def _price_rows(product: Product) -> list[dict[str, Any]]:
    return [{"period": p, "price": money(product.base_price(p)), "id": product.id} for p in product.periods]


def _san_rows(product: Product) -> list[dict[str, Any]]:
    rows = product.periods if product.multi else []
    return [{"period": p, "price": money(product.san_price(p)), "id": product.id} for p in rows]


def _wildcard_rows(product: Product) -> list[dict[str, Any]]:
    rows = product.periods if product.wildcard_sans else []
    return [{"period": p, "price": money(product.wildcard_san_price(p)), "id": product.id} for p in rows]


def all_prices(call: Call) -> dict[str, Any]:
    table = catalogue.products().values()
    return {
        "product_prices": [row for product in table for row in _price_rows(product)],
        "product_san_prices": [row for product in table for row in _san_rows(product)],
        "product_wildcard_san_prices": [row for product in table for row in _wildcard_rows(product)],
        "success": True,
    }


def price(call: Call, product_id: str) -> dict[str, Any]:
    if row_id(product_id) == lei.PRODUCT and call.backend.settings.lei_price == "listed":
        return {"product_price": lei.price_rows(), "success": True}
    return {"product_price": _price_rows(find_product(product_id)), "success": True}


def agreement(call: Call, product_id: str) -> dict[str, Any]:
    product = find_product(product_id)
    return {"product_id": product.id, "product_agreement": _agreement(product), "success": True}


def _agreement(product: Product) -> str:
    return f"<h1>Subscriber agreement</h1><p>{product.name}: an emulated agreement without legal effect.</p>"
