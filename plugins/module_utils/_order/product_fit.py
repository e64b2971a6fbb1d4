# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks a product against a certificate: names and methods; for purchases, period and contacts. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.models import Family, Order, Product, ValidationLevel
from .._core import names
from .._request import methods
from .._request.spec import CertificateSpec
from .included import included_names
from .purchase import certificate_of

_DIGICERT_BRANDS = ("digicert", "geotrust", "rapidssl", "thawte")
_Check = t.Callable[[CertificateSpec, Product], str]


def problem(spec: CertificateSpec, product: Product) -> str:
    """Why the product cannot be ordered for these names, methods, period and contacts; empty if it can."""
    return request_problem(spec, product) or purchase_problem(spec, product)


def request_problem(spec: CertificateSpec, product: Product) -> str:
    """Why the product does not fit these names and methods, whether it is bought or reissued; empty if it does."""
    return _first_problem(spec, product, (_names_problem, methods.problem))


def purchase_problem(spec: CertificateSpec, product: Product) -> str:
    """Why the product cannot be bought for this period and these contacts; empty if it can."""
    return _first_problem(spec, product, (_period_problem, _contacts_problem))


def _first_problem(spec: CertificateSpec, product: Product, checks: t.Iterable[_Check]) -> str:
    return next((problem for problem in (check(spec, product) for check in checks) if problem), "")


def former_product(spec: CertificateSpec, product_id: int) -> Product:
    """Return a placeholder for a discontinued product, with the fields that existing orders require."""
    return Product(
        product_id=product_id,
        name=spec.product,
        brand="",
        family=Family.SECTIGO,
        validation=ValidationLevel.DV,
        wildcard=names.is_wildcard(spec.common_name),
        multi_domain=len(spec.names) > 1,
        wildcard_sans=True,
        methods=frozenset(methods.KINDS),
        custom_random_value=False,
        prices={},
        san_prices={},
        wildcard_san_prices={},
    )


def as_ordered(product: Product, order: Order) -> Product:
    """Return a discontinued product with the family and multi-domain support inferred from one of its orders."""
    records = [(one.file_name, one.type) for one in order.validations]
    digicert = any(file_name == "fileauth.txt" or kind == "TXT" for file_name, kind in records)
    leaf = certificate_of(order)
    if leaf is not None:
        digicert = digicert or any(brand in leaf.issuer.casefold() for brand in _DIGICERT_BRANDS)
    bases = {names.base(name).removeprefix("www.") for name in order.names}
    return dataclasses.replace(
        product,
        product_id=order.product_id or product.product_id,
        family=Family.DIGICERT if digicert else Family.SECTIGO,
        multi_domain=bool(order.single_sans or order.wildcard_sans or len(bases) > 1),
    )


def _names_problem(spec: CertificateSpec, product: Product) -> str:
    first, *others = spec.names
    if len(first) > names.MAX_COMMON_NAME:
        return (
            f"{first} has {len(first)} characters, and the first name is the common name, which has at most"
            f" {names.MAX_COMMON_NAME}: put a shorter name first"
        )
    if names.is_wildcard(first) and not product.wildcard and not product.wildcard_sans:
        return f"{product.name} does not cover wildcards such as {first}"
    if product.wildcard and not product.multi_domain and not names.is_wildcard(first):
        return f"{product.name} is a wildcard product: the first name must start with '*.'"
    if not product.multi_domain:
        return _single_name_problem(product, first, others)
    wild = [name for name in others if names.is_wildcard(name)]
    if wild and not product.wildcard_sans:
        return f"{product.name} does not support wildcards as additional names: {', '.join(wild)}"
    if product.max_sans is not None and len(others) > product.max_sans:
        return f"{product.name} allows at most {product.max_sans} additional names, not {len(others)}"
    return ""


def _single_name_problem(product: Product, first: str, others: t.Sequence[str]) -> str:
    included = included_names(product, first)
    stray = names.missing({first, *included}, others)
    if not stray:
        return ""
    covered = " and ".join([first, *sorted(included)])
    return (
        f"{product.name} is for one name and covers {covered}, so {', '.join(stray)} does not fit: remove it from"
        " names, or use a multi-domain product"
    )


def _period_problem(spec: CertificateSpec, product: Product) -> str:
    if spec.period in product.prices:
        return ""
    offered = ", ".join(map(str, sorted(product.prices))) or "none"
    return f"{product.name} is not sold for {spec.period} months (available: {offered})"


_EVERYONE = ("firstname", "lastname", "phone", "title", "email")
_ADDRESS = ("organization", "addressline1", "city", "country", "postalcode", "region")
_ORGANIZATION = ("name", "division", "addressline1", "city", "country", "phone", "postalcode", "region")


_EXAMPLE = {
    "firstname": "Ada",
    "lastname": "Lovelace",
    "title": "Ms",
    "email": "ada@example.com",
    "phone": '"+37122222222"',
    "organization": "Example SIA",
    "name": "Example SIA",
    "division": "IT",
    "addressline1": "Brivibas iela 1",
    "city": "Riga",
    "region": "Riga",
    "postalcode": '"1010"',
    "country": '"LV"',
}


def _example(role: str, keys: t.Iterable[str]) -> str:
    """Return an example of the role variable with these keys."""
    return f"gogetssl_{role}: {{{', '.join(f'{key}: {_EXAMPLE[key]}' for key in keys)}}}"


def _contacts_problem(spec: CertificateSpec, product: Product) -> str:
    """Contacts as required by API reference 6.1. Its sources differ for OV and EV; the stricter one is used."""
    validated = product.validation.value != "dv"
    person = _EVERYONE + (_ADDRESS if validated else ())
    needed = [("admin", spec.admin, person), ("tech", spec.tech, person)]
    if validated:
        needed.append(("organization", spec.organization, _ORGANIZATION))
    left_out = {role: [key for key in keys if not given.get(key)] for role, given, keys in needed}
    # The technical contact is the administrative one where it is not set.
    left_out["tech"] = [key for key in left_out["tech"] if key not in left_out["admin"]]
    missing = [f"{role}.{key}" for role, keys in left_out.items() for key in keys]
    if missing:
        examples = " and ".join(_example(role, keys) for role, keys in left_out.items() if keys)
        return f"{product.name} ({product.validation.name}) needs {', '.join(missing)}; for example {examples}"
    lei = spec.organization.get("lei", "")
    return "organization.lei takes at most 20 characters" if len(lei) > 20 else ""
