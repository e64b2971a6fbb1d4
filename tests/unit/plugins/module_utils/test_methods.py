# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Methods by name as tables: what `auto` comes to, and which wishes are refused with which alternatives."""

from __future__ import annotations

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _methods
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._models import Family, Product, Validation
from ansible_collections.certops.gogetssl.plugins.module_utils._wanted import Wanted

APEX, WILD, ADDRESS, IDN = "example.com", "*.example.com", "8.8.8.8", "xn--bcher-kva.example"
MAIL = "admin@example.com"
ALL = frozenset(_methods.KINDS)


def product(family: Family = Family.SECTIGO, methods: frozenset[str] = ALL, multi_domain: bool = True) -> Product:
    return Product(
        1, "A product", "brand", family, Validation.DV, False, multi_domain, True, methods, True, {12: 1}, {}, {}
    )


def wanted(**methods: str) -> Wanted:
    named = {"apex": APEX, "wild": WILD, "address": ADDRESS, "idn": IDN, "www": f"www.{APEX}"}
    by_name = {named[key]: method for key, method in methods.items()}
    return Wanted("shop", tuple(by_name), "1", 12, by_name)


@pytest.mark.parametrize(
    ("wish", "sold", "publishers", "chosen"),
    [
        (wanted(apex="auto"), product(), ["http"], ["http"]),
        (wanted(apex="auto"), product(), ["http", "dns"], ["http"]),
        (wanted(apex="auto"), product(), ["dns"], ["dns"]),
        (wanted(apex="auto"), None, ["dns", "http"], ["http"]),
        (wanted(apex="auto", wild="auto"), product(), ["http", "dns"], ["http", "dns"]),
        (wanted(apex="auto", address="auto"), product(), ["http", "dns"], ["http", "http"]),
        (wanted(apex="auto", wild=MAIL), product(), ["http"], ["http", MAIL]),
        (wanted(apex="dns", wild="auto"), product(), ["http", "dns"], ["dns", "dns"]),
        # What the product does not offer is left out.
        (wanted(apex="auto"), product(methods=frozenset({"dns", "email"})), ["http", "dns"], ["dns"]),
        # The DigiCert family takes one for all, so a wildcard or an explicit wish decides.
        (wanted(apex="auto", wild="auto"), product(Family.DIGICERT), ["http", "dns"], ["dns", "dns"]),
        (wanted(apex="auto", idn="auto"), product(Family.DIGICERT), ["http", "dns"], ["http", "http"]),
        (wanted(apex="https", idn="auto"), product(Family.DIGICERT), ["http", "dns"], ["https", "https"]),
        # A product for one name proves the included one along with it.
        (wanted(wild="auto", apex="auto"), product(multi_domain=False), ["http", "dns"], ["dns", "dns"]),
        (wanted(apex="http"), product(), [], ["http"]),
    ],
)
def test_auto(wish: Wanted, sold: Product | None, publishers: list[str], chosen: list[str]) -> None:
    assert list(_methods.choose(wish, sold, publishers).methods.values()) == chosen


@pytest.mark.parametrize(
    ("wish", "sold", "publishers", "said"),
    [
        (wanted(wild="auto"), product(), ["http"], "no DNS provider is configured"),
        (
            wanted(wild="auto"),
            product(),
            ["http"],
            "configure a DNS provider (gogetssl_dns_provider), or write an approver",
        ),
        (wanted(address="auto"), product(), ["dns"], "have something that publishes files"),
        (wanted(apex="auto"), product(), [], "what is configured (nothing) does not do for it"),
        (wanted(idn="auto"), product(), [], "prove bücher.example (xn--bcher-kva.example)"),
        (wanted(apex="auto", wild=MAIL), product(Family.DIGICERT), ["http", "dns"], "write an approver"),
        (wanted(address="auto"), product(methods=frozenset({"dns"})), ["http"], "No other method can prove it."),
    ],
)
def test_auto_is_refused_with_the_alternatives(
    wish: Wanted, sold: Product | None, publishers: list[str], said: str
) -> None:
    with pytest.raises(GogetsslError) as caught:
        _methods.choose(wish, sold, publishers)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("wish", "sold", "said"),
    [
        (wanted(apex="http", wild="dns", idn=MAIL), product(), ""),
        (wanted(apex="dns", wild="dns"), product(Family.DIGICERT), ""),
        (wanted(apex=MAIL, wild="admin@example.org"), product(Family.DIGICERT), ""),
        (wanted(apex="http", wild="dns"), product(Family.DIGICERT), "possible for all of them: dns, email"),
        (
            wanted(apex="http", idn="dns"),
            product(Family.DIGICERT),
            "not dns, http; possible for all of them: http, https",
        ),
        (wanted(apex="http"), product(methods=frozenset({"email", "dns"})), "offered for it: dns, email"),
        (
            wanted(apex="http", wild="dns"),
            product(methods=frozenset({"http"})),
            "by dns (*.example.com); offered for it: none",
        ),
        (wanted(apex="dns", www="dns"), product(multi_domain=False), ""),
        (wanted(apex="dns", www="http"), product(multi_domain=False), "so write dns for it too"),
    ],
)
def test_a_wish_and_a_product(wish: Wanted, sold: Product, said: str) -> None:
    problem = _methods.problem(wish, sold)
    assert said in problem if said else not problem
