# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.products import product_table

ONE: dict[str, Any] = {
    "product_id": 66,
    "name": "Domain SSL",
    "validation": "dv",
    "wildcard": False,
    "multi_domain": False,
    "periods": [12, 24],
    "price": 495,
}
MANY = {**ONE, "product_id": 100, "name": "Multi", "multi_domain": True, "included_sans": 3, "max_sans": 250}


def test_products_are_shown_as_a_table() -> None:
    lines = product_table([ONE, MANY])
    assert [line.split()[0] for line in lines] == ["id", "66", "100"]
    assert "1, 3 more included, up to 250  12, 24  4.95" in lines[2]


def test_unknown_values_and_more_products_than_shown() -> None:
    unknown = {**ONE, "validation": None, "periods": None, "price": None, "wildcard": True}
    lines = product_table([unknown] * 32, 30)
    assert len(lines) == 32
    assert "1 wildcard" in lines[1]
    assert lines[1].endswith("an unknown price")
    assert lines[-1].startswith("2 more. Narrow the search")
