# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's methods for the catalogue, which it words in three ways (API reference 4): here they become one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from . import _loose
from ._api_base import Base, as_object
from ._errors import GogetsslError
from ._models import Family, Product, Validation

METHODS = ("email", "http", "https", "dns")

_VALIDATIONS = {
    "domain": Validation.DV,
    "dv": Validation.DV,
    "business": Validation.OV,
    "ov": Validation.OV,
    "extended": Validation.EV,
    "ev": Validation.EV,
}
# The one shape; a vocabulary that does not know a field leaves it null.
_SHAPE: dict[str, t.Any] = dict.fromkeys(
    (
        *("product_id", "name", "brand", "family", "validation", "wildcard", "multi_domain", "wildcard_sans"),
        *("max_sans", "included_sans", "included_wildcard_sans", "organization_required", "unlimited_servers"),
        *("caa_recheck", "custom_random_value", "methods", "periods", "prices", "san_prices", "wildcard_san_prices"),
        *("description", "refund_days", "warranty", "site_seal", "issuance_time", "free_reissues", "ip_allowed"),
        *("common_name_change", "agreement"),
    )
)


class ProductsApi(Base):
    """Products, prices, agreements."""

    def products(self) -> tuple[Product, ...]:
        """The catalogue (4.2). A product that cannot be read is left out: it must not keep the others from use."""
        return tuple(product for product in map(_product_or_none, self._ssl_items()) if product is not None)

    def included_sans(self, product_id: int) -> int:
        """How many additional names the product's price includes (4.3)."""
        answer = self._read("GET", f"/products/details/{product_id}")
        return _loose.integer_or_none(answer.get("product_single_san_included"), "product_single_san_included") or 0

    def catalogue(self) -> list[dict[str, t.Any]]:
        """All products, from both lists that know them (4.1, 4.2)."""
        found = {row["product_id"]: row for row in map(read_ssl_item, self._ssl_items())}
        answer = self._client.read("GET", "/products/")
        listed = answer if isinstance(answer, list) else as_object(answer, "products").get("products")
        for row in map(read_plain_item, _loose.items(listed, "products")):
            found[row["product_id"]] = merge(found.get(row["product_id"], _SHAPE), row)
        return list(found.values())

    def product_details(self, product_id: int) -> dict[str, t.Any]:
        """One product whole (4.3)."""
        return read_details(self._read("GET", f"/products/details/{product_id}"))

    def one_product(self, product_id: int) -> dict[str, t.Any]:
        """One product with its prices (4.2)."""
        answer = self._read("GET", f"/products/ssl/{product_id}")
        return read_ssl_item(_loose.obj(answer.get("product"), "product") or answer)

    def prices(self, product_id: int | None = None) -> dict[int, list[dict[str, int]]]:
        """Prices by product: of one, or of all (4.4)."""
        if product_id is None:
            listed = self._read("GET", "/products/all_prices/").get("product_prices")
        else:
            listed = self._read("GET", f"/products/price/{product_id}").get("product_price")
        found: dict[int, list[dict[str, int]]] = {}
        for row in _loose.items(listed, "product_prices"):
            owner = _loose.identifier(row.get("id") or product_id, "id")
            found.setdefault(owner, []).extend(_price_rows([row], "product_prices"))
        return found

    def agreement(self, product_id: int) -> str:
        """What the buyer agrees to, HTML (4.5)."""
        answer = self._read("GET", f"/products/agreement/{product_id}")
        return _loose.text(answer.get("product_agreement"), "product_agreement")

    def _ssl_items(self) -> list[_loose.Object]:
        answer = self._client.read("GET", "/products/ssl/")
        listed = answer if isinstance(answer, list) else as_object(answer, "products").get("products")
        return _loose.items(listed, "products")


def merge(first: t.Mapping[str, t.Any], second: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Both vocabularies' knowledge of one product; the first one has the say."""
    return {key: second[key] if first[key] in (None, []) else first[key] for key in _SHAPE}


def _product_or_none(item: _loose.Object) -> Product | None:
    try:
        return read_product(item)
    except GogetsslError:
        return None


def read_product(item: _loose.Object) -> Product:
    """A product of `products/ssl` (4.2)."""
    name = _loose.text(item.get("product") or item.get("name"), "product")
    brand = _loose.text(item.get("brand"), "brand").lower()
    prices = _price_lists(item.get("prices"))
    return Product(
        product_id=_loose.identifier(item.get("id"), "id"),
        name=name,
        brand=brand,
        family=family_of(brand),
        validation=_validation(item.get("product_type")),
        wildcard=_loose.flag(item.get("wildcard_enabled"), "wildcard_enabled"),
        multi_domain=_loose.flag(item.get("san_enabled"), "san_enabled"),
        wildcard_sans=_loose.flag(item.get("wildcard_san_enabled"), "wildcard_san_enabled"),
        methods=frozenset(_methods(item, "dcv_")),
        custom_random_value=_loose.flag(item.get("custom_dcv_random_value"), "custom_dcv_random_value"),
        prices=prices[0],
        san_prices=prices[1],
        wildcard_san_prices=prices[2],
        max_sans=_loose.integer_or_none(item.get("san_max"), "san_max"),
    )


def read_ssl_item(item: _loose.Object) -> dict[str, t.Any]:
    """The one shape from `products/ssl` (4.2)."""
    product = read_product(item)
    lists = (product.prices, product.san_prices, product.wildcard_san_prices)
    base, san, wildcard_san = ([{"period": m, "price": p} for m, p in sorted(one.items())] for one in lists)
    return {
        **_SHAPE,
        "product_id": product.product_id,
        "name": product.name,
        "brand": product.brand,
        "family": product.family.value,
        "validation": product.validation.value,
        "wildcard": product.wildcard,
        "multi_domain": product.multi_domain,
        "wildcard_sans": product.wildcard_sans,
        "max_sans": product.max_sans,
        "organization_required": _loose.flag_or_none(item.get("org_required"), "org_required"),
        "unlimited_servers": _loose.flag_or_none(item.get("unlimited_licencing"), "unlimited_licencing"),
        "caa_recheck": _loose.flag_or_none(item.get("recheck_caa"), "recheck_caa"),
        "custom_random_value": product.custom_random_value,
        "methods": sorted(product.methods),
        "periods": [row["period"] for row in base],
        "prices": base,
        "san_prices": san,
        "wildcard_san_prices": wildcard_san,
    }


def read_plain_item(item: _loose.Object) -> dict[str, t.Any]:
    """The one shape from `products` (4.1)."""
    multi = item.get("is_multidomain", item.get("multi_domain"))
    periods = item.get("periods")
    return {
        **_SHAPE,
        "product_id": _loose.identifier(item.get("id"), "id"),
        "name": _loose.word(item.get("name") or item.get("product"), "name"),
        "wildcard": _loose.flag(item.get("wildcard"), "wildcard"),
        "multi_domain": _loose.flag(multi, "is_multidomain"),
        "wildcard_sans": _loose.flag(item.get("wildcard_san_enabled"), "wildcard_san_enabled"),
        "max_sans": _loose.integer_or_none(item.get("multidomains_maximum"), "multidomains_maximum"),
        "included_sans": _loose.integer_or_none(item.get("single_san_included"), "single_san_included"),
        "included_wildcard_sans": _loose.integer_or_none(item.get("wildcard_san_included"), "wildcard_san_included"),
        "organization_required": _loose.flag_or_none(item.get("organization"), "organization"),
        "unlimited_servers": _loose.flag_or_none(item.get("unlimited_servers"), "unlimited_servers"),
        "caa_recheck": _loose.flag_or_none(item.get("recheck_caa"), "recheck_caa"),
        "methods": _methods(item, "dcv_"),
        "periods": sorted(_loose.integer(entry, "periods") for entry in (periods if isinstance(periods, list) else [])),
    }


def read_details(answer: _loose.Object) -> dict[str, t.Any]:
    """The one shape from `products/details` (4.3)."""

    def field(name: str, read: t.Callable[[t.Any, str], t.Any]) -> t.Any:
        return read(answer.get(name), name)

    brand = field("product_brand", _loose.text).lower()
    prices = _price_rows(answer.get("product_prices"), "product_prices")
    return {
        **_SHAPE,
        "product_id": field("product_id", _loose.identifier),
        "name": field("product_name", _loose.word),
        "brand": brand or None,
        "family": family_of(brand).value if brand else None,
        "validation": _validation(answer.get("product_type")).value,
        "wildcard": field("product_wildcard", _loose.flag),
        "multi_domain": field("product_is_multidomain", _loose.flag),
        "wildcard_sans": field("product_san_wildcard", _loose.flag),
        "max_sans": field("product_multidomains_maximum", _loose.integer_or_none),
        "included_sans": field("product_single_san_included", _loose.integer_or_none),
        "included_wildcard_sans": field("product_wildcard_san_included", _loose.integer_or_none),
        "organization_required": field("product_organization", _loose.flag_or_none),
        "unlimited_servers": field("product_unlimited_servers", _loose.flag_or_none),
        "caa_recheck": field("recheck_caa", _loose.flag_or_none),
        "methods": _methods(answer, "product_dcv_"),
        "periods": [row["period"] for row in prices],
        "prices": prices,
        "san_prices": _price_rows(answer.get("product_san_prices"), "product_san_prices"),
        "wildcard_san_prices": _price_rows(answer.get("product_wildcard_san_prices"), "product_wildcard_san_prices"),
        "description": field("product_description", _loose.word),
        "refund_days": field("refund_days", _loose.integer_or_none),
        "warranty": field("ssl_warranty", _loose.word),
        "site_seal": field("site_seal", _loose.word),
        "issuance_time": field("estimate", _loose.word),
        "free_reissues": field("free_reissues", _loose.word),
        "ip_allowed": field("ip_allowed", _loose.flag_or_none),
        "common_name_change": field("change_main_domain", _loose.flag_or_none),
    }


def family_of(brand: str) -> Family:
    """The family of a brand (4.2); an unknown brand counts as the DigiCert family, as at the vendor's own module."""
    if any(word in brand for word in ("comodo", "sectigo", "ggssl", "gogetssl")):
        return Family.SECTIGO
    return Family.DIGICERT


def _validation(value: t.Any) -> Validation:
    kind = _loose.text(value, "product_type").lower()
    if kind not in _VALIDATIONS:
        raise _loose.bad("product_type", kind, f"one of {', '.join(_VALIDATIONS)}")
    return _VALIDATIONS[kind]


def _methods(item: _loose.Object, prefix: str) -> list[str]:
    return sorted(method for method in METHODS if _loose.flag(item.get(prefix + method), prefix + method))


def _price_lists(given: t.Any) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Base, SAN and wildcard SAN prices: objects by months or, for automation products, a list of terms (4.2)."""
    if isinstance(given, list):
        terms = _loose.items(given, "prices")
        base = {row.get("term"): row.get("base") for row in terms}
        sans = [(row.get("term"), _loose.obj(row.get("san"), "san")) for row in terms]
        single, wildcard = (
            {term: _loose.obj(san.get(kind), kind).get("selling") for term, san in sans}
            for kind in ("single", "wildcard")
        )
        return _read_prices(base), _read_prices(single), _read_prices(wildcard)
    prices = _loose.obj(given, "prices")
    others = (_loose.obj(prices.get(kind), kind) for kind in ("san", "wildcard_san"))
    san, wildcard_san = (_read_prices(other) for other in others)
    return _read_prices(prices), san, wildcard_san


def _read_prices(prices: t.Mapping[t.Any, t.Any]) -> dict[int, int]:
    """Prices by months; the sub-objects beside them are other price lists."""
    found: dict[int, int] = {}
    for months, price in prices.items():
        if re.fullmatch("[0-9]{1,3}", str(months)) and not isinstance(price, dict):
            amount = _loose.money(price, "prices")
            if amount is not None:
                found[int(months)] = amount
    return found


def _price_rows(listed: t.Any, field: str) -> list[dict[str, int]]:
    """Rows of period and price (4.3, 4.4)."""
    rows = []
    for row in _loose.items(listed, field):
        price = _loose.money(row.get("price"), field)
        if price is not None:
            rows.append({"period": _loose.integer(row.get("period"), field), "price": price})
    return sorted(rows, key=lambda row: row["period"])
