# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts without quotes, as YAML reads them."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._request import quotes


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("admin: {country: NO}", "admin.country: YAML reads the value as the boolean False. Write it in quotes."),
        ("admin: {postalcode: 0150}", "admin.postalcode: YAML reads the value as the number 104. Write it in quotes."),
        ("tech: {phone: +4722000000}", "tech.phone: YAML reads the value as the number 4722000000."),
        ("organization: {duns: 1_0}", "organization.duns: YAML reads the value as the number 10."),
        ("certificates: [{name: 2026}]", "Certificate 1 of the list: name: YAML reads the value as the number 2026."),
        ("certificates: [{name: a}, {name: 1.0}]", "Certificate 2 of the list: name: YAML reads"),
        ("certificates: [{name: 2026-11-26}]", "name: YAML reads the value as a date, 2026-11-26."),
        ("certificates: [{name: shop, alias: 0123}]", "shop: alias: YAML reads the value as the number 83."),
        (
            "certificates: [{name: shop, names: [a.example.com, 1.5]}]",
            "shop: names: YAML reads the value as the number",
        ),
        ("certificates: [{name: shop, admin: {country: no}}]", "shop: admin.country: YAML reads the value as the bool"),
    ],
)
def test_unquoted(written: str, sentence: str) -> None:
    assert sentence in quotes.unquoted(yaml.safe_load(written))


@pytest.mark.parametrize(
    "written",
    [
        "admin: {country: 'NO', postalcode: '0150', phone: '+4722000000', fax: }",
        "certificates: [{name: '2026', names: shop.example.com, product: 66, owner: 0, period: 12, rekey: 2026-11-24}]",
        "certificates: [nonsense]",
        "certificates: nonsense",
        "{}",
    ],
)
def test_quoted(written: str) -> None:
    assert quotes.unquoted(yaml.safe_load(written)) == ""
