# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation methods as tables: the methods chosen by `auto`, and refused specs with their alternatives."""

from __future__ import annotations

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Family, Product, ValidationLevel
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._request import methods as _methods
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CertificateSpec

APEX, WILD, ADDRESS, IDN = "example.com", "*.example.com", "8.8.8.8", "xn--bcher-kva.example"
MAIL = "admin@example.com"
ALL = frozenset(_methods.KINDS)


def product(family: Family = Family.SECTIGO, methods: frozenset[str] = ALL, multi_domain: bool = True) -> Product:
    return Product(
        1, "A product", "brand", family, ValidationLevel.DV, False, multi_domain, True, methods, True, {12: 1}, {}, {}
    )


def spec(**methods: str) -> CertificateSpec:
    named = {"apex": APEX, "wild": WILD, "address": ADDRESS, "idn": IDN, "www": f"www.{APEX}"}
    by_name = {named[key]: method for key, method in methods.items()}
    return CertificateSpec("shop", tuple(by_name), "1", 12, by_name)


@pytest.mark.parametrize(
    ("requested", "supported", "publishers", "chosen"),
    [
        (spec(apex="auto"), product(), ["http"], ["http"]),
        (spec(apex="auto"), product(), ["http", "dns"], ["http"]),
        (spec(apex="auto"), product(), ["dns"], ["dns"]),
        (spec(apex="auto"), None, ["dns", "http"], ["http"]),
        (spec(apex="auto", wild="auto"), product(), ["http", "dns"], ["http", "dns"]),
        (spec(apex="auto", address="auto"), product(), ["http", "dns"], ["http", "http"]),
        (spec(apex="auto", wild=MAIL), product(), ["http"], ["http", MAIL]),
        (spec(apex="dns", wild="auto"), product(), ["http", "dns"], ["dns", "dns"]),
        # Methods that the product does not support are left out.
        (spec(apex="auto"), product(methods=frozenset({"dns", "email"})), ["http", "dns"], ["dns"]),
        # The DigiCert family requires one method for all names, so a wildcard or an explicit method decides.
        (spec(apex="auto", wild="auto"), product(Family.DIGICERT), ["http", "dns"], ["dns", "dns"]),
        # Its one file name cannot validate several names.
        (spec(apex="auto", idn="auto"), product(Family.DIGICERT), ["http", "dns"], ["dns", "dns"]),
        (spec(apex="auto"), product(Family.DIGICERT), ["http", "dns"], ["http"]),
        (spec(apex="https", idn="auto"), product(Family.DIGICERT), ["http", "dns"], ["https", "https"]),
        # A single-name product validates the included name together with it.
        (spec(wild="auto", apex="auto"), product(multi_domain=False), ["http", "dns"], ["dns", "dns"]),
        (spec(apex="http"), product(), [], ["http"]),
    ],
)
def test_auto(requested: CertificateSpec, supported: Product | None, publishers: list[str], chosen: list[str]) -> None:
    assert list(_methods.choose(requested, supported, publishers).methods.values()) == chosen


@pytest.mark.parametrize(
    ("requested", "supported", "publishers", "message"),
    [
        (spec(wild="auto"), product(), ["http"], "no DNS provider is configured"),
        (
            spec(wild="auto"),
            product(),
            ["http"],
            "configure a DNS provider (gogetssl_dns_provider), or set dcv to the e-mail",
        ),
        (spec(address="auto"), product(), ["dns"], "configure a publisher of files"),
        (spec(apex="auto"), product(), [], "the configured methods (none) cannot validate it"),
        (spec(idn="auto"), product(), [], "validate bücher.example (xn--bcher-kva.example)"),
        (
            spec(apex="auto", wild=MAIL),
            product(Family.DIGICERT),
            ["http", "dns"],
            "set dcv to the e-mail address of an approver",
        ),
        (spec(address="auto"), product(methods=frozenset({"dns"})), ["http"], "No other method can validate it."),
    ],
)
def test_auto_is_refused_with_alternatives(
    requested: CertificateSpec, supported: Product | None, publishers: list[str], message: str
) -> None:
    with pytest.raises(GogetsslError) as caught:
        _methods.choose(requested, supported, publishers)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("requested", "supported", "message"),
    [
        (spec(apex="http", wild="dns", idn=MAIL), product(), ""),
        (spec(apex="dns", wild="dns"), product(Family.DIGICERT), ""),
        (spec(apex=MAIL, wild="admin@example.org"), product(Family.DIGICERT), ""),
        (spec(apex="http", wild="dns"), product(Family.DIGICERT), "possible for all of them: dns, email"),
        (
            spec(apex="http", idn="dns"),
            product(Family.DIGICERT),
            "not dns, http; possible for all of them: http, https",
        ),
        (spec(apex="http"), product(methods=frozenset({"email", "dns"})), "available: dns, email"),
        (
            spec(apex="http", wild="dns"),
            product(methods=frozenset({"http"})),
            "by dns (*.example.com); available: none",
        ),
        (spec(apex="dns", www="dns"), product(multi_domain=False), ""),
        (spec(apex="dns", www="http"), product(multi_domain=False), "set dcv to dns for it too"),
    ],
)
def test_methods_and_product_are_compared(requested: CertificateSpec, supported: Product, message: str) -> None:
    problem = _methods.problem(requested, supported)
    assert message in problem if message else not problem
