# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three product list formats show the same catalogue (API reference 4)."""

from __future__ import annotations

import pytest

from tests.emulator.testing import Emulator

from .helpers import Api

# The IDs of API reference 4.6 that version 1 of the API sells.
_IDS = [
    31,
    32,
    12,
    26,
    112,
    27,
    28,
    29,
    30,
    25,
    71,
    24,
    35,
    36,
    111,
    37,
    38,
    41,
    42,
    43,
    44,
    84,
    113,
    173,
    174,
    175,
    180,
    182,
    39,
    89,
    45,
    46,
    77,
    63,
    99,
    100,
    47,
    48,
    49,
    50,
    53,
    54,
    55,
    57,
    75,
    76,
    82,
    105,
    85,
    120,
    128,
    86,
    118,
    119,
    125,
    126,
    127,
    129,
    130,
    131,
    65,
    66,
    67,
    68,
    139,
    144,
    132,
    133,
    134,
    135,
    136,
    138,
    185,
]


def test_all_known_ids_are_sold(api: Api) -> None:
    assert sorted(item["id"] for item in api.get("/products/")["products"]) == sorted(_IDS)
    assert sorted(item["id"] for item in api.get("/products/ssl/")["products"]) == sorted(_IDS)


@pytest.mark.parametrize("product", _IDS)
def test_the_three_formats_agree(api: Api, product: int) -> None:
    plain = next(item for item in api.get("/products/")["products"] if item["id"] == product)
    ssl = api.get(f"/products/ssl/{product}")["product"]
    details = api.get(f"/products/details/{product}")
    assert plain["name"] == ssl["product"] == details["product_name"]
    assert (plain["wildcard"] == "yes") == (ssl["wildcard_enabled"] == 1) == (details["product_wildcard"] == "yes")
    assert (plain["is_multidomain"] == "yes") == (ssl["san_enabled"] == 1)
    assert (plain["organization"] == "yes") == (ssl["org_required"] == 1) == (details["product_type"] != "DV")
    assert max(plain["periods"]) == ssl["max_period"] == details["terms"]
    for method in ("email", "dns", "http", "https"):
        assert plain[f"dcv_{method}"] is ssl[f"dcv_{method}"] is details[f"product_dcv_{method}"]
    listed = {row["period"]: row["price"] for row in api.get(f"/products/price/{product}")["product_price"]}
    assert listed == {row["period"]: row["price"] for row in details["product_prices"]}
    assert listed == {int(k): v for k, v in ssl["prices"].items() if k.isdecimal()}


def test_flags_are_integers_in_the_ssl_list(api: Api) -> None:
    item = api.get("/products/ssl/68")["product"]
    flags = ("san_enabled", "wildcard_san_enabled", "org_required", "wildcard_enabled", "custom_dcv_random_value")
    assert [type(item[flag]) for flag in flags] == [int] * len(flags)
    assert item["brand"] == "comodo_ggssl"
    assert item["san_max"] == 250
    assert "san_max" not in api.get("/products/ssl/66")["product"]


def test_wildcard_products_have_no_file_methods(api: Api) -> None:
    item = api.get("/products/ssl/67")["product"]
    assert (item["dcv_http"], item["dcv_https"], item["dcv_dns"], item["dcv_email"]) == (False, False, True, True)


def test_digicert_family_with_email_only(api: Api, emulator: Emulator) -> None:
    emulator.set(digicert_methods="email")
    item = api.get("/products/ssl/31")["product"]
    assert (item["dcv_http"], item["dcv_dns"], item["dcv_email"]) == (False, False, True)
    answer = api.order(31, "a.example.com", dcv_method="dns", webserver_type=18)
    assert answer["error"] is True


@pytest.mark.parametrize(("shape", "kind"), [("list", list), ("object", dict)])
def test_product_list_shapes(api: Api, emulator: Emulator, shape: str, kind: type) -> None:
    emulator.set(products_shape=shape)
    assert isinstance(api.get("/products/ssl/")["products"], kind)
    emulator.set(products_shape="array")
    assert isinstance(api.get("/products/ssl/"), list)


def test_acme_products_have_another_shape(api: Api, emulator: Emulator) -> None:
    assert api.get("/products/ssl/300")["error"] is True
    emulator.set(acme_products=True)
    item = api.get("/products/ssl/300")["product"]
    assert item["prices"][0]["san"]["wildcard"]["selling"]
    assert item["san"]["included"]["single"] == 1


def test_unknown_product(api: Api) -> None:
    assert api.get("/products/details/99999")["error"] is True
    assert api.order(99999, "a.example.com")["error"] is True


def test_all_prices_combines_the_prices_of_each_product(api: Api) -> None:
    rows = api.get("/products/all_prices/")["product_prices"]
    mine = [row for row in rows if row["id"] == 68]
    assert mine == api.get("/products/price/68")["product_price"]
    assert all(set(row) == {"id", "price", "period"} for row in rows)


def test_webserver_tables_include_the_other_entries(api: Api) -> None:
    lists = {supplier: api.get(f"/tools/webservers/{supplier}")["webservers"] for supplier in (1, 2)}
    tables = {supplier: {row["id"]: row["software"] for row in rows} for supplier, rows in lists.items()}
    assert tables[1][-1] == "OTHER"
    assert tables[2][18] == "OTHER"
    assert tables[1][36] == "Nginx"
    assert api.get("/tools/webservers/3")["error"] is True
