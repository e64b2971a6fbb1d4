# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The read-only tasks against the emulator, with both variants of what the reference leaves open."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import (
    account_info,
    csr_info,
    domain_info,
    product_info,
    webserver_info,
)
from tests.emulator.testing import Emulator

from .helpers import Api, make_csr
from .tasks import run


def test_the_account(emulator: Emulator, api: Api) -> None:
    order_id = api.order(68, "a.example.com")["order_id"]
    everything = ["details", "balance", "totals", "invoices", "unpaid"]
    found = run(emulator, account_info.TASK, gather=everything, raw=True)
    assert found["account"]["email"] == emulator.user
    assert found["balance"] == round(emulator.ledger()["balance"] * 100)
    assert (found["active_orders"], found["transactions"], found["unpaid_invoices"]) == (0, 1, [])
    assert [(one["order_id"], one["status"]) for one in found["invoices"]] == [(order_id, "paid")]
    assert found["invoices"][0]["total"] == found["invoices"][0]["subtotal"] + found["invoices"][0]["tax"]
    assert [one["call"] for one in found["raw"]][:2] == ["GET /account/", "GET /account/balance/"]


def test_invoices_of_two_years_and_one_invoice(emulator: Emulator, api: Api) -> None:
    order_id = api.order(66, "a.example.com")["order_id"]
    today = dt.date.today()
    days = {"date_from": str(today - dt.timedelta(days=700)), "date_till": str(today + dt.timedelta(days=1))}
    (listed,) = run(emulator, account_info.TASK, gather=[], **days)["invoices"]
    found = run(emulator, account_info.TASK, gather=[], invoice_id=listed["invoice_id"])["invoice"]
    assert found == listed
    assert found["lines"][0]["order_id"] == order_id


@pytest.mark.parametrize("shape", ["list", "object", "array"])
@pytest.mark.parametrize("acme", [False, True])
def test_the_cheapest_dv_wildcard_for_12_months(emulator: Emulator, shape: str, acme: bool) -> None:
    emulator.set(products_shape=shape, acme_products=acme)
    try:
        found = run(emulator, product_info.TASK, validation="dv", wildcard=True, period=12)["products"]
    finally:
        emulator.set(products_shape="list", acme_products=False)
    prices = [one["price"] for one in found]
    assert prices == sorted(prices)
    assert {32, 46, 67, 112} <= {one["product_id"] for one in found}
    assert all(one["validation"] == "dv" and one["wildcard"] for one in found)


def test_all_product_lists_return_the_same_product(emulator: Emulator, api: Api) -> None:
    (one,) = run(emulator, product_info.TASK, products=["68"], details=True, agreement=True)["products"]
    (other,) = run(emulator, product_info.TASK, products=[one["name"].upper()], details=True)["products"]
    assert {**other, "agreement": one["agreement"]} == one
    assert [key for key, value in one.items() if value is None] == []
    prices = api.get("/products/price/68")["product_price"]
    assert one["prices"] == [{"period": row["period"], "price": round(float(row["price"]) * 100)} for row in prices]


def test_prices_that_the_catalogue_lacks(emulator: Emulator) -> None:
    body = '{"product": {"id": 66, "brand": "comodo_ggssl", "product": "Bare", "product_type": "domain"}}'
    emulator.fault(path="/products/ssl", when="before", kind="body", body=body)
    found = run(emulator, product_info.TASK, products=["66"])["products"]
    assert found[0]["price"]
    body = body.replace('"product": {', '"products": [{').replace("}}", '}, {"id": 67, "product_type": "domain"}]}')
    emulator.fault(path="/products/ssl/", when="before", kind="body", body=body)
    found = run(emulator, product_info.TASK, validation="dv")["products"]
    assert {one["product_id"] for one in found if one["price"]} >= {66, 67}


def test_web_servers(emulator: Emulator) -> None:
    found = run(emulator, webserver_info.TASK)["webservers"]
    assert {(one["family"], one["id"]) for one in found if one["other"]} == {("sectigo", -1), ("digicert", 18)}


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("standard", {}),
        ("geotrust", {"geotrust_emails_key": "GeotrustApprovalEmails"}),
        ("geotrust", {"geotrust_emails_key": "getDomainEmailsForGeotrust"}),
        ("whois", {"whois_path": "domain"}),
        ("whois", {"whois_path": "plain"}),
    ],
)
def test_approvers(emulator: Emulator, source: str, settings: dict[str, Any]) -> None:
    before = emulator.settings()
    emulator.set(**settings)
    try:
        (found,) = run(emulator, domain_info.TASK, domains=["*.example.com"], source=source)["domains"]
    finally:
        emulator.set(**{name: before[name] for name in settings})
    assert ("admin@example.com" in found["approver_emails"]) == (source != "whois")


@pytest.mark.parametrize("shape", ["wrapped", "bare"])
def test_alternatives(emulator: Emulator, shape: str) -> None:
    emulator.set(alternative_shape=shape)
    try:
        found = run(emulator, domain_info.TASK, csr=make_csr("a.example.com"))["validations"]
    finally:
        emulator.set(alternative_shape="wrapped")
    assert [one["method"] for one in found] == ["http", "https", "dns"]
    assert all(one["ready"] for one in found)


def test_the_vendor_decodes_a_csr_like_the_collection(emulator: Emulator) -> None:
    pem = make_csr("*.example.com")
    here = run(emulator, csr_info.TASK, csr=pem, local=True)["csr"]
    for options in ({}, {"validate": True}):
        there = run(emulator, csr_info.TASK, csr=pem, **options)["csr"]
        assert {**there, "sha1": None, "problem": "", "valid": True} == here
    assert not run(emulator, csr_info.TASK, csr=pem, wildcard=False)["csr"]["valid"]
