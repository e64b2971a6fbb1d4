# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page about products: certificates fit their products, filters find them, and the sum is that of the role."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Family, Product, ValidationLevel
from ansible_collections.certops.gogetssl.plugins.module_utils._order import prices, product_fit
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CertificateSpec
from tests.emulator import catalogue

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "products.md").read_text()
FEATURES = {"multi_domain": "multi", "wildcard": "wildcard", "wildcard_sans": "wildcard_sans"}
ROWS = re.findall(r"^\| .* \| `(-e .*)` \| (\d+), (.*) \|$", PAGE, re.MULTILINE)
(BLOCK,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
CERTIFICATES: list[dict[str, Any]] = yaml.safe_load(BLOCK)["gogetssl_certificates"]


def product(product_id: int) -> Product:
    """A product of the emulator as the role reads it."""
    sold = catalogue.products()[product_id]
    return Product(
        product_id=sold.id,
        name=sold.name,
        brand=sold.brand,
        family=Family.SECTIGO if sold.sectigo else Family.DIGICERT,
        validation=ValidationLevel(sold.kind),
        wildcard=sold.wildcard,
        multi_domain=sold.multi,
        wildcard_sans=sold.wildcard_sans,
        methods=frozenset({"http", "https", "dns", "email"}),
        custom_random_value=sold.sectigo,
        prices={12: sold.base_price(12)},
        san_prices={12: sold.san_price(12)},
        wildcard_san_prices={12: sold.wildcard_san_price(12)},
        max_sans=sold.san_max,
        included_sans=sold.san_in,
    )


def spec(given: dict[str, Any]) -> CertificateSpec:
    methods = dict.fromkeys(given["names"], given["dcv"])
    return CertificateSpec(given["name"], tuple(given["names"]), given["product"], 12, methods)


@pytest.mark.parametrize("given", CERTIFICATES, ids=lambda given: given["name"])
def test_the_certificates_fit_their_products(given: dict[str, Any]) -> None:
    assert product_fit.request_problem(spec(given), product(int(given["product"]))) == ""


def test_the_table_has_the_products_of_the_certificates() -> None:
    assert [product_id for _filter, product_id, _name in ROWS] == [one["product"] for one in CERTIFICATES]


@pytest.mark.parametrize(("options", "product_id", "name"), ROWS)
def test_the_filters_find_the_products(options: str, product_id: str, name: str) -> None:
    sold = catalogue.products()[int(product_id)]
    assert sold.name == name
    filters = re.findall(r"-e gogetssl_product_(\w+)=(true|false)", options)
    assert len(filters) == options.count("-e ")
    for feature, value in filters:
        assert getattr(sold, FEATURES[feature]) is (value == "true")


def test_the_filters_are_those_of_the_playbook() -> None:
    playbook = (ROOT / "playbooks" / "products.yml").read_text()
    listed = re.findall(r"^\| `(gogetssl_product_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(set(re.findall(r"gogetssl_product_\w+(?= \|)", playbook)))


def test_five_names_cost_the_product_and_two_names() -> None:
    sold = product(68)
    assert sold.included_sans == 2
    five = tuple(f"{name}.example.com" for name in "abcde")
    given = CertificateSpec("shop", five, "68", 12, dict.fromkeys(five, "http"))
    assert prices.price_of(given, sold) == sold.prices[12] + 2 * sold.san_prices[12]
