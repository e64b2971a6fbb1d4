# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import order_answers, orders, results
from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import OrderRequest, Status
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from tests.unit.scripted import FILE_DATA, call, client, order_answer, scripted

REQUEST = OrderRequest(
    csr="CSR",
    approvals=(("a.example.com", "http"),),
    webserver=-1,
    signature_hash="SHA2",
    unique_code=None,
    product_id=45,
    period=12,
    admin={"firstname": "Ada"},
    tech={"firstname": "Tim"},
    organization={"name": "ACME"},
)
BASIC = {"csr": "CSR", "webserver_type": -1, "signature_hash": "SHA2", "dcv_method": "http"}


def changed(**changes: Any) -> OrderRequest:
    return dataclasses.replace(REQUEST, **changes)


def test_one_name() -> None:
    assert orders.certificate_fields(REQUEST) == BASIC


def test_an_approver_address() -> None:
    fields = orders.certificate_fields(changed(approvals=(("a.example.com", "admin@example.com"),)))
    assert fields == {**BASIC, "dcv_method": "email", "approver_email": "admin@example.com"}


def test_names_and_approvers_have_the_same_order() -> None:
    approvals = (("a.example.com", "http"), ("*.b.example.com", "dns"), ("c.example.com", "admin@example.com"))
    fields = orders.certificate_fields(changed(approvals=approvals, multi_domain=True, unique_code="x" * 20))
    assert fields == {
        **BASIC,
        "dns_names": "*.b.example.com,c.example.com",
        "approver_emails": "dns,admin@example.com",
        "unique_code": "x" * 20,
    }


def test_the_free_second_name_of_a_single_domain_product_is_not_sent() -> None:
    approvals = (("a.example.com", "http"), ("www.a.example.com", "http"))
    assert orders.certificate_fields(changed(approvals=approvals)) == BASIC


def test_a_purchase() -> None:
    assert orders.purchase_fields(REQUEST) == {
        **BASIC,
        "product_id": 45,
        "period": 12,
        "server_count": -1,
        "admin_firstname": "Ada",
        "tech_firstname": "Tim",
        "org_name": "ACME",
    }


def test_a_purchase_without_an_order_id_is_uncertain() -> None:
    with scripted(call("POST", "/orders/add_ssl_order/", {"success": True})), pytest.raises(GogetsslError) as raised:
        orders.Api(client()).place(REQUEST)
    assert raised.value.kind is Kind.UNCERTAIN


def test_an_order() -> None:
    san = {"san_name": "WWW.example.com", "validation_method": "http", "validation": {"http": FILE_DATA}, "status": 2}
    order = order_answers.read_order(order_answer(san={"0": san}))
    assert order.status is Status.PROCESSING
    assert order.names == ("shop.example.com", "www.example.com")
    assert [validation.state.value for validation in order.validations] == ["processing", "validated"]


def test_validations_in_a_result_name_their_order() -> None:
    order = order_answers.read_order(order_answer(7))
    assert {one["order_id"] for one in results.order_result(order)["validations"]} == {7}


def test_an_unknown_status_is_not_pending() -> None:
    with pytest.raises(GogetsslError, match="a known status"):
        order_answers.read_order(order_answer(status="limbo"))


@pytest.mark.parametrize("wrapped", [True, False])
def test_many_statuses_need_few_calls(wrapped: bool) -> None:
    ids = list(range(1, 251))
    calls = []
    for start in range(0, 250, 100):
        part = ids[start : start + 100]
        listed = [{"order_id": str(order_id), "status": "Active"} for order_id in part]
        answer = {"certificates": listed} if wrapped else listed
        calls.append(call("POST", "/orders/statuses/", answer, fields={"cids": ",".join(map(str, part))}))
    with scripted(*calls):
        assert orders.Api(client()).statuses(ids) == dict.fromkeys(ids, "active")


def test_methods_are_changed_in_one_call() -> None:
    path = "/orders/ssl/change_domains_validation_method/7"
    fields = {"domains": "a.example.com,b.example.com", "new_methods": "dns,http"}
    with scripted(call("POST", path, {"success": True}, fields=fields)):
        orders.Api(client()).change_methods(7, {"a.example.com": "dns", "b.example.com": "http"})


def test_an_unreadable_product_does_not_hide_others() -> None:
    good = {
        "id": "66",
        "product": "Domain SSL",
        "brand": "comodo_ggssl",
        "product_type": "domain",
        "prices": {"12": "9"},
    }
    odd = {"id": "39", "product": "Code signing", "brand": "digicert", "product_type": "of another kind"}
    with scripted(call("GET", "/products/ssl/", {"products": [odd, good], "success": True})):
        products = orders.Api(client()).products()
    assert [(product.product_id, product.prices) for product in products] == [(66, {12: 900})]


def test_an_answer_about_another_order_is_an_error() -> None:
    other = call("GET", "/orders/status/7", order_answer(8))
    with scripted(other), pytest.raises(GogetsslError, match="order 7: GoGetSSL returned order 8") as raised:
        orders.Api(client()).order(7)
    assert raised.value.kind is Kind.ANSWER


def test_control_characters_of_the_vendor_are_escaped() -> None:
    answer = order_answer(7, admin_msg="\x1b[31mred\r\nok: [web1]\u202e\x9b31m", approver_method={"http": FILE_DATA})
    with scripted(call("GET", "/orders/status/7", answer)):
        order = orders.Api(client()).order(7)
    assert order.description == r"\x1b[31mred ok: [web1]\u202e\x9b31m"
    assert order.validations[0].content == FILE_DATA["content"], "its line ends are part of it"
