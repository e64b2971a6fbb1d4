# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._request.suggestions import unknown_product

CATALOGUE = [(66, "GoGetSSL Domain SSL"), (67, "GoGetSSL Wildcard SSL"), (45, "RapidSSL"), (134, "GoGetSSL Business")]


@pytest.mark.parametrize(
    ("requested", "hint"),
    [
        ("GoGetSSL Domian SSL", "Did you mean GoGetSSL Domain SSL (66)"),
        ("wildcard", "Did you mean GoGetSSL Wildcard SSL (67)?"),
        ("rapidsl", "Did you mean RapidSSL (45)?"),
        ("166", "Did you mean GoGetSSL Domain SSL (66)"),
        ("nothing like it", "The playbook certops.gogetssl.products lists them."),
    ],
)
def test_similar_products_are_suggested(requested: str, hint: str) -> None:
    assert hint in unknown_product(requested, CATALOGUE)
