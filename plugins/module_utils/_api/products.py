# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's methods for the catalogue. Its three forms of a product become one (API reference 4)."""

from __future__ import annotations

import re
import typing as t

from .._core.errors import GogetsslError
from . import values
from .base import Base, as_object
from .models import Family, Product, ValidationLevel
from .run_cache import MAX_AGE

CATALOGUE = "/products/ssl/"  # in the cache of a run
METHODS = ("email", "http", "https", "dns")

_VALIDATIONS = {
    "domain": ValidationLevel.DV,
    "dv": ValidationLevel.DV,
    "business": ValidationLevel.OV,
    "ov": ValidationLevel.OV,
    "extended": ValidationLevel.EV,
    "ev": ValidationLevel.EV,
}
# The common form of a product. Fields that a form of the vendor does not have are null.
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

    def products(self, max_age: float = MAX_AGE) -> tuple[Product, ...]:
        """Return the catalogue (4.2). A product that cannot be read is left out, so that the others can be used.

        The hosts of a run share it while it is not older than `max_age` seconds.
        """
        items = self.cache.read(CATALOGUE, self._ssl_items, max_age)
        return tuple(product for product in map(_product_or_none, items) if product is not None)

    def discard_catalogue(self) -> None:
        """Remove the catalogue that the hosts of the run share, after an order that the vendor refused."""
        self.cache.discard(CATALOGUE)

    def included_sans(self, product_id: int) -> int:
        """Return how many additional names the product's price includes (4.3). The hosts of a run share it."""
        path = f"/products/details/{product_id}"
        answer = self.cache.read(path, lambda: self._read("GET", path))
        return values.integer_or_none(answer.get("product_single_san_included"), "product_single_san_included") or 0

    def catalogue(self) -> list[dict[str, t.Any]]:
        """Return all products, from both of the vendor's lists (4.1, 4.2)."""
        found = {row["product_id"]: row for row in map(read_ssl_item, self._ssl_items())}
        answer = self._client.read("GET", "/products/")
        listed = answer if isinstance(answer, list) else as_object(answer, "products").get("products")
        for row in map(read_plain_item, values.items(listed, "products")):
            found[row["product_id"]] = merge(found.get(row["product_id"], _SHAPE), row)
        return list(found.values())

    def product_details(self, product_id: int) -> dict[str, t.Any]:
        """Return one product with all details (4.3)."""
        return read_details(self._read("GET", f"/products/details/{product_id}"))

    def one_product(self, product_id: int) -> dict[str, t.Any]:
        """Return one product with its prices (4.2)."""
        answer = self._read("GET", f"/products/ssl/{product_id}")
        return read_ssl_item(values.obj(answer.get("product"), "product") or answer)

    def prices(self, product_id: int | None = None) -> dict[int, list[dict[str, int]]]:
        """Return the prices of one product or of all, by product id (4.4)."""
        if product_id is None:
            listed = self._read("GET", "/products/all_prices/").get("product_prices")
        else:
            listed = self._read("GET", f"/products/price/{product_id}").get("product_price")
        found: dict[int, list[dict[str, int]]] = {}
        for row in values.items(listed, "product_prices"):
            owner = values.identifier(row.get("id") or product_id, "id")
            found.setdefault(owner, []).extend(_price_rows([row], "product_prices"))
        return found

    def agreement(self, product_id: int) -> str:
        """Return the subscriber agreement as HTML (4.5)."""
        answer = self._read("GET", f"/products/agreement/{product_id}")
        return values.text(answer.get("product_agreement"), "product_agreement")

    def _ssl_items(self) -> list[values.Object]:
        answer = self._client.read("GET", "/products/ssl/")
        listed = answer if isinstance(answer, list) else as_object(answer, "products").get("products")
        return values.items(listed, "products")


def merge(first: t.Mapping[str, t.Any], second: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Merge one product from both lists. The first one takes precedence."""
    return {key: second[key] if first[key] in (None, []) else first[key] for key in _SHAPE}


def _product_or_none(item: values.Object) -> Product | None:
    try:
        return read_product(item)
    except GogetsslError:
        return None


def read_product(item: values.Object) -> Product:
    """Read a product of `products/ssl` (4.2)."""
    name = values.text(item.get("product") or item.get("name"), "product")
    brand = values.text(item.get("brand"), "brand").lower()
    prices = _price_lists(item.get("prices"))
    return Product(
        product_id=values.identifier(item.get("id"), "id"),
        name=name,
        brand=brand,
        family=family_of(brand),
        validation=_validation(item.get("product_type")),
        wildcard=values.flag(item.get("wildcard_enabled"), "wildcard_enabled"),
        multi_domain=values.flag(item.get("san_enabled"), "san_enabled"),
        wildcard_sans=values.flag(item.get("wildcard_san_enabled"), "wildcard_san_enabled"),
        methods=frozenset(_methods(item, "dcv_")),
        custom_random_value=values.flag(item.get("custom_dcv_random_value"), "custom_dcv_random_value"),
        prices=prices[0],
        san_prices=prices[1],
        wildcard_san_prices=prices[2],
        max_sans=values.integer_or_none(item.get("san_max"), "san_max"),
    )


def read_ssl_item(item: values.Object) -> dict[str, t.Any]:
    """Read a product of `products/ssl` in the common form (4.2)."""
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
        "organization_required": values.flag_or_none(item.get("org_required"), "org_required"),
        "unlimited_servers": values.flag_or_none(item.get("unlimited_licencing"), "unlimited_licencing"),
        "caa_recheck": values.flag_or_none(item.get("recheck_caa"), "recheck_caa"),
        "custom_random_value": product.custom_random_value,
        "methods": sorted(product.methods),
        "periods": [row["period"] for row in base],
        "prices": base,
        "san_prices": san,
        "wildcard_san_prices": wildcard_san,
    }


def read_plain_item(item: values.Object) -> dict[str, t.Any]:
    """Read a product of `products` in the common form (4.1)."""
    multi = item.get("is_multidomain", item.get("multi_domain"))
    periods = item.get("periods")
    return {
        **_SHAPE,
        "product_id": values.identifier(item.get("id"), "id"),
        "name": values.word(item.get("name") or item.get("product"), "name"),
        "wildcard": values.flag(item.get("wildcard"), "wildcard"),
        "multi_domain": values.flag(multi, "is_multidomain"),
        "wildcard_sans": values.flag(item.get("wildcard_san_enabled"), "wildcard_san_enabled"),
        "max_sans": values.integer_or_none(item.get("multidomains_maximum"), "multidomains_maximum"),
        "included_sans": values.integer_or_none(item.get("single_san_included"), "single_san_included"),
        "included_wildcard_sans": values.integer_or_none(item.get("wildcard_san_included"), "wildcard_san_included"),
        "organization_required": values.flag_or_none(item.get("organization"), "organization"),
        "unlimited_servers": values.flag_or_none(item.get("unlimited_servers"), "unlimited_servers"),
        "caa_recheck": values.flag_or_none(item.get("recheck_caa"), "recheck_caa"),
        "methods": _methods(item, "dcv_"),
        "periods": sorted(values.integer(entry, "periods") for entry in (periods if isinstance(periods, list) else [])),
    }


def read_details(answer: values.Object) -> dict[str, t.Any]:
    """Read a product of `products/details` in the common form (4.3)."""

    def field(name: str, read: t.Callable[[t.Any, str], t.Any]) -> t.Any:
        return read(answer.get(name), name)

    brand = field("product_brand", values.text).lower()
    prices = _price_rows(answer.get("product_prices"), "product_prices")
    return {
        **_SHAPE,
        "product_id": field("product_id", values.identifier),
        "name": field("product_name", values.word),
        "brand": brand or None,
        "family": family_of(brand).value if brand else None,
        "validation": _validation(answer.get("product_type")).value,
        "wildcard": field("product_wildcard", values.flag),
        "multi_domain": field("product_is_multidomain", values.flag),
        "wildcard_sans": field("product_san_wildcard", values.flag),
        "max_sans": field("product_multidomains_maximum", values.integer_or_none),
        "included_sans": field("product_single_san_included", values.integer_or_none),
        "included_wildcard_sans": field("product_wildcard_san_included", values.integer_or_none),
        "organization_required": field("product_organization", values.flag_or_none),
        "unlimited_servers": field("product_unlimited_servers", values.flag_or_none),
        "caa_recheck": field("recheck_caa", values.flag_or_none),
        "methods": _methods(answer, "product_dcv_"),
        "periods": [row["period"] for row in prices],
        "prices": prices,
        "san_prices": _price_rows(answer.get("product_san_prices"), "product_san_prices"),
        "wildcard_san_prices": _price_rows(answer.get("product_wildcard_san_prices"), "product_wildcard_san_prices"),
        "description": field("product_description", values.word),
        "refund_days": field("refund_days", values.integer_or_none),
        "warranty": field("ssl_warranty", values.word),
        "site_seal": field("site_seal", values.word),
        "issuance_time": field("estimate", values.word),
        "free_reissues": field("free_reissues", values.word),
        "ip_allowed": field("ip_allowed", values.flag_or_none),
        "common_name_change": field("change_main_domain", values.flag_or_none),
    }


def family_of(brand: str) -> Family:
    """Return the family of a brand (4.2). An unknown brand counts as DigiCert, as in the vendor's own PHP module."""
    if any(word in brand for word in ("comodo", "sectigo", "ggssl", "gogetssl")):
        return Family.SECTIGO
    return Family.DIGICERT


def _validation(value: t.Any) -> ValidationLevel:
    kind = values.text(value, "product_type").lower()
    if kind not in _VALIDATIONS:
        raise values.bad("product_type", kind, f"one of {', '.join(_VALIDATIONS)}")
    return _VALIDATIONS[kind]


def _methods(item: values.Object, prefix: str) -> list[str]:
    return sorted(method for method in METHODS if values.flag(item.get(prefix + method), prefix + method))


def _price_lists(given: t.Any) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Read base, SAN and wildcard SAN prices: objects by months or, for automation products, a list of terms (4.2)."""
    if isinstance(given, list):
        terms = values.items(given, "prices")
        base = {row.get("term"): row.get("base") for row in terms}
        sans = [(row.get("term"), values.obj(row.get("san"), "san")) for row in terms]
        single, wildcard = (
            {term: values.obj(san.get(kind), kind).get("selling") for term, san in sans}
            for kind in ("single", "wildcard")
        )
        return _read_prices(base), _read_prices(single), _read_prices(wildcard)
    prices = values.obj(given, "prices")
    others = (values.obj(prices.get(kind), kind) for kind in ("san", "wildcard_san"))
    san, wildcard_san = (_read_prices(other) for other in others)
    return _read_prices(prices), san, wildcard_san


def _read_prices(prices: t.Mapping[t.Any, t.Any]) -> dict[int, int]:
    """Read prices by months. Sub-objects are other price lists and are skipped."""
    found: dict[int, int] = {}
    for months, price in prices.items():
        if re.fullmatch("[0-9]{1,3}", str(months)) and not isinstance(price, dict):
            amount = values.money(price, "prices")
            if amount is not None:
                found[int(months)] = amount
    return found


def _price_rows(listed: t.Any, field: str) -> list[dict[str, int]]:
    """Read rows of period and price (4.3, 4.4)."""
    rows = []
    for row in values.items(listed, field):
        price = values.money(row.get("price"), field)
        if price is not None:
            rows.append({"period": values.integer(row.get("period"), field), "price": price})
    return sorted(rows, key=lambda row: row["period"])
