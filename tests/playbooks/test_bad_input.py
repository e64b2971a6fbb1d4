# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid input fails with a clear message, without a purchase and without changes on the host."""

from __future__ import annotations

import os
from typing import Any

import pytest

from .conftest import Bench

INVALID_SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown option": ({"colour": "green"}, "colour"),
    "misspelt key type": ({"key_type": "rsa4096"}, "ecdsa-p384, not rsa4096."),
    "misspelt product": ({"product": "GoGetSSL Domian SSL"}, "Did you mean GoGetSSL Domain SSL (66)"),
    "malformed name": ({"names": ["shop..example.com"]}, "is not a name a certificate can be issued for"),
    "malformed certificate name": ({"name": "../shop"}, "is not a valid certificate name"),
    "unknown product": ({"product": "99999"}, "There is no product '99999'"),
    "product that does not fit": ({"product": "45", "names": ["a.example.com", "b.example.org"]}, "does not fit"),
    "wildcard by http": ({"names": ["*.example.com"]}, "which http cannot validate"),
    "name without a method": ({"dcv": {"shop.example.com": "http"}}, "dcv must have exactly the names"),
    "name without quotes": ({"name": 2026}, "name: YAML reads the value as the number 2026. Write it in quotes."),
    "country without quotes": ({"admin": {"country": False}}, "shop: admin.country: YAML reads the value as the bool"),
    "country with more letters": ({"admin": {"country": "Norway"}}, "shop: admin.country must be an ISO code"),
    "period that is not sold": ({"period": 7}, "is not sold for 7 months"),
}


def refused(bench: Bench, message: str, *arguments: str, **variables: Any) -> None:
    before = bench.snapshot()
    run = bench.run(*arguments, **variables)
    assert run.code != 0, run.output
    assert message in " ".join(run.output.split()), run.output
    assert "Traceback" not in run.output
    assert not bench.orders
    assert bench.snapshot() == before


# The same task checks all of these, so the matrix runs two of them only.
IN_THE_MATRIX = ("unknown option", "unknown product")


@pytest.mark.parametrize(
    "case", [case if case in IN_THE_MATRIX else pytest.param(case, marks=pytest.mark.slow) for case in INVALID_SPECS]
)
def test_invalid_specs(bench: Bench, case: str) -> None:
    change, message = INVALID_SPECS[case]
    refused(bench, message, gogetssl_certificates=[bench.shop(**change)])


def test_unknown_role_variable_type(bench: Bench) -> None:
    refused(bench, "gogetssl_max_price", gogetssl_max_price="cheap")


def test_misspelt_variable(bench: Bench) -> None:
    message = "Unknown variable gogetssl_max_prize; did you mean gogetssl_max_price?"
    refused(bench, message, gogetssl_max_prize=100, gogetssl_team="web", gogetssl_own_variables=["gogetssl_team"])


def test_unknown_publisher(bench: Bench) -> None:
    message = "Unknown gogetssl_http_publisher listener. Use none, validation_server, web_root, or add a task file"
    refused(bench, message, gogetssl_http_publisher="listener")


NOT_INSTALLABLE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "keystore without a password": ({"forms": ["pkcs12"]}, {}, "shop: pkcs12 needs store_password"),
    "short password": ({"forms": ["jks"]}, {"gogetssl_store_password": "short"}, "at least 6 printable ASCII"),
    "password with an umlaut": ({"forms": ["jks"]}, {"gogetssl_store_password": "geheimnüs"}, "printable ASCII"),
    "unknown group": ({"group": "ssl-certs-typo"}, {}, "There is no group ssl-certs-typo on this host."),
    "unknown owner": ({"owner": "tomcat99"}, {}, "There is no user tomcat99 on this host."),
    "path of roots": ({}, {"gogetssl_trusted_roots": "/etc/ssl/certs/ca.crt"}, "trusted_roots does not consist of PEM"),
    "no versions": ({}, {"gogetssl_keep_versions": 0}, "keep_versions must be at least 1."),
    "no time for the listeners": ({}, {"gogetssl_serve_timeout": 0}, "gogetssl_serve_timeout must be at least 1."),
    "no time for API calls": ({}, {"gogetssl_api_timeout": -1}, "api_timeout must be more than 0 seconds."),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", NOT_INSTALLABLE)
def test_what_cannot_be_installed_is_not_bought(bench: Bench, case: str) -> None:
    change, variables, message = NOT_INSTALLABLE[case]
    certificates = [bench.shop(**change)]
    refused(bench, message, "--check", gogetssl_certificates=certificates, **variables)
    refused(bench, message, gogetssl_certificates=certificates, **variables)


@pytest.mark.slow
def test_contact_without_quotes(bench: Bench) -> None:
    sentence = "gogetssl_organization.postalcode: YAML reads the value as the number 104. Write it in quotes."
    refused(bench, sentence, gogetssl_organization={"postalcode": 104})


@pytest.mark.slow
def test_no_contact(bench: Bench) -> None:
    refused(bench, "needs admin.firstname", gogetssl_admin={})


@pytest.mark.slow
def test_no_credentials(bench: Bench) -> None:
    refused(bench, "No usable credentials", env={"GOGETSSL_API_USER": "", "GOGETSSL_API_PASSWORD": ""})


@pytest.mark.slow
def test_wrong_password(bench: Bench) -> None:
    refused(bench, "refused", env={"GOGETSSL_API_PASSWORD": "wrong"})


@pytest.mark.slow
def test_unreachable_api(bench: Bench) -> None:
    refused(bench, "127.0.0.1", env={"GOGETSSL_API_URL": "http://127.0.0.1:9/api"}, gogetssl_api_deadline=2)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/version"), reason="needs /proc")
def test_unwritable_directory(bench: Bench) -> None:
    refused(bench, "/proc", gogetssl_directory="/proc/gogetssl")


@pytest.mark.slow
def test_price_above_the_limit(bench: Bench) -> None:
    refused(bench, "above the limit of 0.01", gogetssl_max_price=1)


@pytest.mark.slow
def test_spending_forbidden(bench: Bench) -> None:
    refused(bench, "may not order anything (spend: none)", gogetssl_spend=["none"])


@pytest.mark.slow
def test_file_name_outside_the_directory(bench: Bench) -> None:
    """The order exists at that time, but no file is written outside the directory."""
    bench.emulator.set(dcv_mode="real", dcv_interval=3600.0)
    unverified = bench.run(gogetssl_wait=False, gogetssl_http_port=9, gogetssl_dcv_timeout=1, gogetssl_preflight=False)
    assert unverified.code != 0, "the DCV files cannot be fetched"
    body = bench.raw_response(f"orders/status/{bench.orders[0]['order_id']}")
    text = body.replace(".txt", "/../../../evil.txt")
    assert text != body
    bench.emulator.fault(path="/orders/status/*", kind="body", when="before", body=text, times=None)
    run = bench.run(gogetssl_wait=False)
    bench.emulator.clear_faults()
    assert run.code != 0
    assert "not safe to publish" in run.output
    assert not list(bench.directory.rglob("evil.txt"))
    assert not list(bench.web_root.parent.rglob("evil.txt"))


def test_a_certificate_that_cannot_be_installed_does_not_hold_up_another(bench: Bench) -> None:
    names = {"a": {}, "b": {"owner": "tomcat99"}, "c": {"services": ["haproxy"]}}
    certificates = [bench.shop(name=name, names=[f"{name}.example.com"], **more) for name, more in names.items()]
    variables = {"gogetssl_certificates": certificates, "gogetssl_haproxy_test": "haproxy-typo -c"}
    resolve = {f"{name}.example.com": "127.0.0.1" for name in names}
    run = bench.run(**variables, gogetssl_resolve=resolve)
    assert run.code != 0
    assert "b: There is no user tomcat99 on this host." in run.output
    assert "c: haproxy: haproxy-typo, the program of its test command, is not on this host." in run.output
    assert (len(bench.orders), (bench.store / "a" / "current").exists()) == (1, True), run.output
