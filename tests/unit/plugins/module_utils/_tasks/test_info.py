# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The read-only tasks: account, products, web servers, domains, CSRs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import (
    account_info,
    csr_info,
    domain_info,
    order_info,
    product_info,
    webserver_info,
)
from tests.unit.scripted import KEY, Call, call, run, scripted

INVOICE = {
    "order_id": "7",
    "number": "GGS-1",
    "date": "2026-11-23",
    "subtotal": "42.00",
    "tax": "8.82",
    "tax_rate": "21%",
    "total": "50.82",
    "status": "Paid",
    "currency": "EUR",
    "payment_method": "balance",
}
UNKNOWN = {"error": True, "message": "The requested method is unknown"}


def invoices(path: str, *listed: dict[str, Any], **fields: str) -> Call:
    return call("GET", path, {"invoices": list(listed), "success": True}, fields=fields or None)


def test_details_and_balance() -> None:
    details = call("GET", "/account/", {"first_name": "Ada", "fax": "", "success": True})
    with scripted(details, call("GET", "/account/balance/", {"balance": "1,234.50", "currency": "EUR"})):
        result = run(account_info.TASK)
    assert (result["account"]["first_name"], result["account"]["fax"]) == ("Ada", None)
    assert (result["balance"], result["currency"], result["changed"]) == (123450, "EUR", False)
    assert "raw" not in result


def test_an_invoice_is_typed() -> None:
    with scripted(invoices("/account/invoices/", INVOICE), invoices("/account/invoices/unpaid/", {"id": 3})):
        result = run(account_info.TASK, gather=["invoices", "unpaid"])
    (invoice,) = result["invoices"]
    expected: dict[str, Any] = {
        **INVOICE,
        "invoice_id": None,
        "order_id": 7,
        "subtotal": 4200,
        "tax": 882,
        "total": 5082,
        "lines": [],
    }
    del expected["tax_rate"]
    assert invoice == {**expected, "status": "paid", "tax_percent": 21.0}
    assert result["unpaid_invoices"][0]["status"] == "unpaid"


def test_an_undocumented_count_may_be_missing() -> None:
    totals = call("GET", "/account/total_orders/", {"total_orders": "17", "success": True})
    with scripted(totals, call("GET", "/account/total_transactions/", UNKNOWN, 404)):
        result = run(account_info.TASK, gather=["totals"])
    assert (result["active_orders"], result["transactions"]) == (17, None)


def test_a_long_period_is_read_in_parts() -> None:
    pieces = account_info.split_period("2025-01-01", "2026-06-01", dt.date(2027, 1, 1))
    assert pieces == [("2025-01-01", "2026-01-01"), ("2026-01-02", "2026-06-01")]
    assert account_info.split_period("2026-12-31", None, dt.date(2027, 1, 1)) == [("2026-12-31", "2027-01-01")]
    with scripted(
        invoices("/invoice/", {**INVOICE, "id": 1}, date_from="2025-01-01", date_till="2026-01-01"),
        invoices("/invoice/", {**INVOICE, "id": 2, "items": [{"period": "12"}]}),
    ):
        result = run(account_info.TASK, gather=[], date_from="2025-01-01", date_till="2026-06-01")
    assert [one["invoice_id"] for one in result["invoices"]] == [1, 2]
    assert result["invoices"][1]["lines"][0]["period"] == 12


@pytest.mark.parametrize("period", [("2026-02-30", None), ("2026-02-02", "2026-02-01"), (None, "yesterday")])
def test_an_invalid_period(period: tuple[str | None, str | None]) -> None:
    with pytest.raises(GogetsslError) as caught:
        account_info.split_period(*period, dt.date(2027, 1, 1))
    assert caught.value.kind is Kind.INPUT


def test_one_invoice_bare_or_wrapped() -> None:
    with scripted(call("GET", "/invoice/5", {"invoice": {**INVOICE, "id": "5"}, "success": True})):
        assert run(account_info.TASK, gather=[], invoice_id=5)["invoice"]["invoice_id"] == 5


def test_raw_is_the_response_without_the_key() -> None:
    echo = {"first_name": f"it is {KEY}", "odd": [{KEY: 1}], "success": True}
    with scripted(call("GET", "/account/", echo)):
        result = run(account_info.TASK, gather=["details"], raw=True)
    hidden = {"first_name": "it is ********", "odd": [{"********": 1}], "success": True}
    assert result["raw"] == [{"call": "GET /account/", "body": hidden}]
    assert KEY not in str(result)


def ssl_item(number: int, name: str, price: str | None, **changes: Any) -> dict[str, Any]:
    item = {
        "id": number,
        "brand": "comodo",
        "product": name,
        "product_type": "domain",
        "wildcard_enabled": 0,
        "san_enabled": 0,
        "dcv_dns": True,
        "dcv_http": True,
        "prices": {"12": price, "24": "99.00", "vendor": {"12": "1000"}} if price else [],
    }
    return {**item, **changes}


CATALOGUE = (
    call(
        "GET",
        "/products/ssl/",
        {
            "products": [
                ssl_item(1, "Plain", "5.00"),
                ssl_item(2, "Dear Wildcard", "80.00", wildcard_enabled=1),
                ssl_item(3, "Cheap Wildcard", "40.00", wildcard_enabled=1),
                ssl_item(4, "Company Wildcard", "20.00", wildcard_enabled=1, product_type="business"),
                ssl_item(5, "Short Wildcard", "1.00", wildcard_enabled=1, prices={"3": "0.00"}, brand="rapidssl"),
            ]
        },
    ),
    call("GET", "/products/", [{"id": "3", "name": "Cheap Wildcard", "unlimited_servers": "yes", "periods": [12]}]),
)


def products(**options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run(product_info.TASK, **options)["products"]
    return found


def test_the_cheapest_dv_wildcard_for_12_months() -> None:
    with scripted(*CATALOGUE):
        (found,) = products(validation="dv", wildcard=True, period=12, limit=1)
    assert (found["product_id"], found["price"], found["unlimited_servers"]) == (3, 4000, True)
    assert found["prices"] == [{"period": 12, "price": 4000}, {"period": 24, "price": 9900}]


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ({}, [5, 1, 4, 3, 2]),
        ({"wildcard": True, "max_price": 4000}, [5, 4, 3]),
        ({"brand": "digicert"}, [5]),
        ({"brand": "Comodo", "validation": "ov"}, [4]),
        ({"methods": ["email"]}, []),
        ({"products": ["cheap wildcard", "1"]}, [1, 3]),
        ({"multi_domain": True}, []),
    ],
)
def test_searching(search: dict[str, Any], ids: list[int]) -> None:
    with scripted(*CATALOGUE):
        assert [one["product_id"] for one in products(**search)] == ids


def test_an_unknown_product_name_returns_a_suggestion() -> None:
    with scripted(*CATALOGUE), pytest.raises(GogetsslError, match="Did you mean Dear Wildcard"):
        products(products=["wildcard"])


def test_single_products_need_one_request_and_details_another() -> None:
    details = {
        "product_id": 3,
        "product_name": "Cheap Wildcard",
        "product_type": "DV",
        "product_brand": "comodo",
        "refund_days": "30",
        "product_prices": [{"period": 12, "price": "40"}],
    }
    with scripted(
        call("GET", "/products/ssl/3", {"product": ssl_item(3, "Cheap Wildcard", None)}),
        call("GET", "/products/price/3", {"product_price": [{"period": "12", "price": "40.00", "id": "3"}]}),
        call("GET", "/products/details/3", details),
        call("GET", "/products/agreement/3", {"product_id": 3, "product_agreement": "<p>I do</p>"}),
    ):
        (found,) = products(products=["3"], details=True, agreement=True)
    assert (found["price"], found["refund_days"], found["agreement"], found["periods"]) == (
        4000,
        30,
        "<p>I do</p>",
        [12],
    )


def test_an_unknown_product_id() -> None:
    with scripted(call("GET", "/products/ssl/9", UNKNOWN)), pytest.raises(GogetsslError, match="no product 9"):
        products(products=["9"])


def test_automation_products_do_not_break_the_catalogue() -> None:
    terms = [{"term": 12, "base": "9.00", "san": {"single": {"selling": "5.00"}, "wildcard": {"selling": "45.00"}}}]
    listed = call("GET", "/products/ssl/", [ssl_item(300, "ACME", None, prices=terms)])
    with scripted(listed, call("GET", "/products/", {"products": []})):
        (found,) = products()
    assert (found["price"], found["san_prices"][0]["price"], found["wildcard_san_prices"][0]["price"]) == (
        900,
        500,
        4500,
    )


def test_web_servers() -> None:
    first = call(
        "GET",
        "/tools/webservers/1",
        {"webservers": [{"id": "36", "software": "Nginx"}, {"id": -1, "software": "OTHER"}]},
    )
    second = call("GET", "/tools/webservers/2", {"webservers": [{"id": 18, "software": "OTHER"}]})
    with scripted(first, second):
        found = run(webserver_info.TASK)["webservers"]
    assert found[0] == {"id": 36, "name": "Nginx", "family": "sectigo", "other": False}
    assert [one["other"] for one in found] == [False, True, True]
    with scripted(first):
        assert [one["id"] for one in run(webserver_info.TASK, family="sectigo", name="NGINX")["webservers"]] == [36]


def test_approvers_of_a_wildcard_are_those_of_its_base() -> None:
    answer = {"ComodoApprovalEmails": ["Admin@example.com"], "GeotrustApprovalEmails": []}
    with scripted(call("POST", "/tools/domain/emails/", answer, fields={"domain": "example.com"})):
        found = run(domain_info.TASK, domains=["*.example.com"])["domains"]
    assert found == [{"name": "*.example.com", "approver_emails": ["admin@example.com"]}]


def test_both_spellings_of_the_whois_path() -> None:
    with scripted(
        call("POST", "/tools/domain/domain_get_from_whois", UNKNOWN, 404),
        call("POST", "/tools/domain_get_from_whois/", {"ComodoApprovalEmails": []}),
    ):
        found = run(domain_info.TASK, domains=["example.com"], source="whois")["domains"]
    assert found[0]["approver_emails"] == []


def make_csr() -> str:
    return x509.new_request(x509.new_key("ecdsa-p256"), ["example.com", "www.example.com"], {"O": "ACME", "C": "LV"})


@pytest.mark.parametrize("wrapped", [True, False])
def test_alternatives(wrapped: bool) -> None:
    bare = {"dns": {"record": f"_{'A' * 32}.example.com CNAME {'b' * 32}.{'c' * 32}.comodoca.com"}}
    answer = {"validation": {"dns": {"dns": bare["dns"]}}, "success": True} if wrapped else bare
    with scripted(call("POST", "/tools/domain/alternative/", answer)):
        (validation,) = run(domain_info.TASK, csr=make_csr())["validations"]
    assert (validation["type"], validation["record"]) == ("CNAME", f"_{'a' * 32}.example.com")
    assert validation["value"] == f"{'b' * 32}.{'c' * 32}.comodoca.com"


def test_a_csr_is_read_without_an_api_call() -> None:
    with scripted():
        found = run(csr_info.TASK, csr=make_csr(), local=True)["csr"]
    assert (found["common_name"], found["names"]) == ("example.com", ["example.com", "www.example.com"])
    assert (found["valid"], found["organization"], found["key_size"]) == (True, "ACME", 256)


def test_an_invalid_csr() -> None:
    with scripted():
        found = run(csr_info.TASK, csr="nonsense", local=True)["csr"]
    assert (found["valid"], found["names"]) == (False, [])
    assert "cannot be read" in found["problem"]


def test_a_csr_read_by_the_vendor_has_the_same_shape() -> None:
    pem = make_csr()
    answer = {
        "csrResult": {"CN": "example.com", "dnsName(s)": ["www.example.com"], "Key Size": "256 bit", "sha1": "AB"}
    }
    with scripted(call("POST", "/tools/csr/decode/", answer, fields={"csr": pem, "wildcard": "0"})):
        found = run(csr_info.TASK, csr=pem)["csr"]
    with scripted():
        here = run(csr_info.TASK, csr=pem, local=True)["csr"]
    assert list(found) == list(here)
    assert {**found, "sha1": None} == here
    assert found["sha1"] == "ab"


def test_the_vendors_error_message_is_returned() -> None:
    answer = {"csrResult": {"errorMessage": "Too short"}, "success": True}
    with scripted(call("POST", "/tools/csr/validate/", answer)):
        found = run(csr_info.TASK, csr=make_csr(), validate=True)["csr"]
    assert (found["valid"], found["problem"], found["common_name"]) == (False, "Too short", "example.com")


@pytest.mark.parametrize(
    ("task", "options", "fits"),
    [
        (order_info.TASK, {"order_ids": [7]}, True),
        (order_info.TASK, {"all": True, "unpaid": True}, True),
        (order_info.TASK, {"name": "example.com"}, False),
        (order_info.TASK, {"all": True, "order_ids": [7]}, False),
        (domain_info.TASK, {"csr": "x"}, True),
        (domain_info.TASK, {}, False),
        (csr_info.TASK, {"csr": "x", "local": True}, True),
        (csr_info.TASK, {"csr": "x", "local": True, "validate": True}, False),
    ],
)
def test_options_that_belong_together(task: _task.Task, options: dict[str, Any], fits: bool) -> None:
    validated = ArgumentSpecValidator(task.argument_spec, **task.rules).validate(options)
    assert (validated.error_messages == []) == fits
