# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names that a product includes, as a table, and the same names in the certificates of the emulator."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Family, Product, ValidationLevel
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import suffixes
from ansible_collections.certops.gogetssl.plugins.module_utils._order import included, product_fit
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CertificateSpec
from tests.emulator import catalogue, lifecycle

SECTIGO, DIGICERT = Family.SECTIGO, Family.DIGICERT


def product(
    family: Family = SECTIGO, validation: ValidationLevel = ValidationLevel.DV, multi: bool = False, wild: bool = False
) -> Product:
    methods = frozenset({"http", "dns"})
    return Product(1, "A product", "brand", family, validation, wild, multi, False, methods, True, {12: 1}, {}, {}, 9)


@pytest.mark.parametrize(
    ("sold", "first", "names"),
    [
        (product(), "example.com", {"www.example.com"}),
        (product(), "www.example.com", {"example.com"}),
        (product(), "shop.example.com", {"www.shop.example.com"}),
        (product(), "www.shop.example.com", {"shop.example.com"}),
        (product(), "www.www.example.com", {"www.example.com"}),
        (product(), "www.github.io", set()),
        (product(), "www.com", set()),
        (product(), "192.0.2.1", set()),
        (product(validation=ValidationLevel.OV), "example.com", set()),
        (product(DIGICERT), "example.com", {"www.example.com"}),
        (product(DIGICERT), "www.example.com", {"example.com"}),
        (product(DIGICERT), "shop.example.com", set()),
        (product(DIGICERT), "www.shop.example.com", set()),
        (product(DIGICERT), "example.co.uk", {"www.example.co.uk"}),
        (product(DIGICERT), "customer.github.io", {"www.customer.github.io"}),
        (product(DIGICERT), "www.github.io", set()),
        (product(wild=True), "*.example.com", {"example.com"}),
        (product(DIGICERT, wild=True), "*.shop.example.com", {"shop.example.com"}),
        (product(multi=True), "example.com", set()),
        (product(multi=True, wild=True), "*.example.com", set()),
    ],
)
def test_included_names(sold: Product, first: str, names: set[str]) -> None:
    pytest.importorskip("publicsuffixlist")
    assert included.included_names(sold, first) == names


@pytest.mark.parametrize(
    ("first", "names"),
    [("example.com", {"www.example.com"}), ("example.co.uk", set()), ("shop.example.com", set())],
)
def test_without_the_list_two_labels_are_a_registered_domain(
    monkeypatch: pytest.MonkeyPatch, first: str, names: set[str]
) -> None:
    monkeypatch.setattr(suffixes, "HAS_PUBLICSUFFIXLIST", False)
    assert included.included_names(product(DIGICERT), first) == names


@pytest.mark.parametrize(
    ("sold", "names", "sentence"),
    [
        (product(), ("www.example.com", "example.com"), ""),
        (product(), ("example.com", "www.example.com"), ""),
        (
            product(DIGICERT),
            ("shop.example.com", "www.shop.example.com"),
            "A product is for one name and covers shop.example.com, so www.shop.example.com does not fit: remove it"
            " from names, or use a multi-domain product",
        ),
        (product(), ("example.com", "b.example.com"), "covers example.com and www.example.com, so b.example.com does"),
        (product(validation=ValidationLevel.OV), ("example.com", "www.example.com"), "so www.example.com does not fit"),
    ],
)
def test_names_beyond_the_included_ones_are_refused(sold: Product, names: tuple[str, ...], sentence: str) -> None:
    spec = CertificateSpec("shop", names, "1", 12, dict.fromkeys(names, "http"))
    problem = product_fit.request_problem(spec, sold)
    assert sentence in problem if sentence else problem == ""


@pytest.mark.parametrize("first", ["example.com", "www.example.com", "shop.example.com", "www.shop.example.com"])
@pytest.mark.parametrize("product_id", [66, 31])
def test_the_emulator_issues_the_included_names(product_id: int, first: str) -> None:
    sold = catalogue.products()[product_id]
    backend = types.SimpleNamespace(settings=types.SimpleNamespace(auto_www=True))
    order = types.SimpleNamespace(product_id=product_id, names=[types.SimpleNamespace(name=first)])
    issued = lifecycle.certificate_names(t.cast(t.Any, backend), t.cast(t.Any, order))
    family = SECTIGO if sold.sectigo else DIGICERT
    assert set(issued) == {first} | included.included_names(product(family), first)
