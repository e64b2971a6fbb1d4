# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lifecycle of orders: money, terms, reissue, renewal, SAN slots, cancellation, lists (API reference 6, 7, 9)."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
from typing import Any

import pytest
from cryptography import x509

from tests.emulator.testing import Emulator

from .helpers import Api, contacts, make_csr
from .test_validation import names_of


def active(api: Api, emulator: Emulator, product: int = 66, name: str = "a.example.com", **fields: Any) -> int:
    order = api.order(product, name, **fields)
    assert order.get("success") is True, order
    emulator.force(order["order_id"], action="validate")
    emulator.wait_for(order["order_id"])
    return int(order["order_id"])


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# Money


def test_ledger_keeps_every_cent(api: Api, emulator: Emulator) -> None:
    before = emulator.ledger()["balance"]
    order = api.order(
        68, "a.example.com", dns_names="b.example.com,c.example.com,d.example.com", approver_emails="http,http,http"
    )
    # Two SANs are included; the third costs 6.50.
    assert order["order_amount"] == 25.45
    assert (order["tax"], order["tax_rate"]) == ("5.34", "21%")
    ledger = emulator.ledger()
    assert [(c["order_id"], c["kind"], c["amount"]) for c in ledger["charges"]] == [(order["order_id"], "buy", 30.79)]
    assert round(before - ledger["balance"], 2) == 30.79
    assert api.get("/account/balance")["balance"] == f"{ledger['balance']:.2f}"


def test_refused_orders_are_not_charged(api: Api, emulator: Emulator) -> None:
    for fields in (
        {"csr": "x"},
        {"period": 5},
        {"webserver_type": 999},
        {"server_count": 0},
        {"tech_phone": None},
        {"dns_names": "b.example.com", "approver_emails": "http"},
        {"dcv_method": "carrier-pigeon"},
    ):
        assert api.order(66, "a.example.com", **fields)["error"] is True, fields
    assert emulator.ledger()["charges"] == []
    assert emulator.ledger()["orders"] == []


@pytest.mark.parametrize(
    ("sans", "methods"),
    [
        ("b.example.com", ""),
        ("b.example.com,c.example.com", "http"),
        ("b.example.com", "http,http"),
        ("a.example.com", "http"),
        ("b.example.com,b.example.com", "http,http"),
        ("*.example.com", "dns"),
        ("not a name", "http"),
    ],
)
def test_wrong_lists_of_names(api: Api, sans: str, methods: str) -> None:
    assert api.order(68, "a.example.com", dns_names=sans, approver_emails=methods)["error"] is True


def test_too_many_names(api: Api) -> None:
    names = ",".join(f"n{i}.example.com" for i in range(5))
    answer = api.order(12, "a.example.com", webserver_type=18, dns_names=names, approver_emails=",".join(["http"] * 5))
    assert "at most 4" in answer["description"]


@pytest.mark.parametrize("setting", ["unpaid", "error"])
def test_insufficient_balance(api: Api, emulator: Emulator, setting: str) -> None:
    emulator.set(balance=1, insufficient_balance=setting)
    order = api.order(66, "a.example.com")
    assert emulator.ledger()["charges"] == []
    assert emulator.ledger()["balance"] == 1
    if setting == "error":
        assert "balance" in order["message"]
        assert emulator.ledger()["orders"] == []
        return
    assert order["order_status"] == "unpaid"
    assert "approver_method" not in order
    status = api.status(order["order_id"])
    assert (status["status"], status["approver_method"]) == ("unpaid", [])
    assert [item["id"] for item in api.get("/orders/list/unpaid/")["orders"]] == [str(order["order_id"])]
    assert len(api.get("/account/invoices/unpaid/")["invoices"]) == 1
    emulator.set(balance=100)
    emulator.force(order["order_id"], action="pay")
    assert api.status(order["order_id"])["status"] == "processing"
    assert api.get("/orders/list/unpaid/")["orders"] == []
    assert len(emulator.ledger()["charges"]) == 1


def test_invoices(api: Api) -> None:
    order = api.order(66, "a.example.com")
    short = api.get(f"/orders/invoice/{order['order_id']}")
    assert (short["subtotal"], short["tax"], short["total"]) == ("4.95", "1.04", "5.99")
    assert (short["status"], short["tax_rate"], short["payment_method"]) == ("paid", "21%", "balance")
    long = api.get(f"/invoice/{order['invoice_id']}")["invoice"]
    assert long["items"][0]["order_id"] == order["order_id"]
    assert api.get("/invoice/")["invoices"] == [long]
    assert api.get("/invoice/", date_from="2020-01-01", date_till="2020-02-01")["invoices"] == []
    assert api.get("/invoice/", date_from="2020-01-01", date_till="2021-02-01")["error"] is True
    assert api.get("/account/invoices/")["invoices"][0]["number"] == long["number"]


@pytest.mark.parametrize("flag", [{"only_validate": "true"}, {"test": "Y"}])
def test_dry_runs_place_no_order(api: Api, emulator: Emulator, flag: dict[str, str]) -> None:
    answer = api.order(66, "a.example.com", **flag)
    assert answer["success"] is True
    assert "order_id" not in answer
    assert emulator.ledger()["orders"] == []


# Organisations


def test_organisation_requires_its_fields_and_a_contact(api: Api, emulator: Emulator) -> None:
    for field in contacts("ov"):
        assert field in api.order(134, "a.example.com", kind="ov", **{field: None})["description"]
    order = api.order(134, "a.example.com", kind="ov")
    emulator.force(order["order_id"], action="validate")
    status = api.status(order["order_id"])
    assert (status["status"], status["manual_check"]) == ("processing", 1)
    assert "org_name" not in status
    emulator.force(order["order_id"], action="pass")
    emulator.wait_for(order["order_id"])
    certificate = x509.load_pem_x509_certificate(api.status(order["order_id"])["crt_code"].encode())
    assert "O=Example SIA" in certificate.subject.rfc4514_string()


def test_brand_check(api: Api, emulator: Emulator) -> None:
    emulator.set(brand_check_words="paypal")
    order = api.order(66, "paypal.example.com")
    assert api.status(order["order_id"])["manual_check"] == 1
    emulator.force(order["order_id"], action="reject")
    assert api.status(order["order_id"])["status"] == "rejected"


# Terms


@pytest.mark.parametrize("limit", [397, 199, 99, 46])
def test_certificate_is_shorter_than_its_term(api: Api, emulator: Emulator, limit: int) -> None:
    emulator.set(max_days=limit)
    status = api.status(active(api, emulator))
    assert (day(status["valid_till"]) - day(status["valid_from"])).days == min(limit - 1, 365)
    assert (day(status["end_date"]) - day(status["begin_date"])).days in (365, 366)
    certificate = x509.load_pem_x509_certificate(status["crt_code"].encode())
    assert str(certificate.not_valid_after_utc.date()) == status["valid_till"]


def test_the_schedule_limits_the_lifetime(api: Api, emulator: Emulator) -> None:
    emulator.set(validity_schedule=True)
    lives = []
    for year in (2027, 2029):
        target = dt.datetime(year, 4, 1, tzinfo=dt.timezone.utc).timestamp()
        emulator.advance(seconds=max(0.0, target - emulator.now()))
        api = Api(emulator)
        status = api.status(active(api, emulator, name=f"y{year}.example.com"))
        lives.append((day(status["valid_till"]) - day(status["valid_from"])).days + 1)
    assert lives == [99, 46]


def test_dates_are_empty_before_issuance(api: Api, emulator: Emulator) -> None:
    order = api.order(66, "a.example.com")
    status = api.status(order["order_id"])
    dates = ("valid_from", "valid_till", "begin_date", "end_date")
    assert [status[name] for name in dates] == ["0000-00-00"] * 4
    assert (status["crt_code"], status["ca_code"]) == ("", "")
    emulator.set(empty_date="", csr_in_status="active")
    status = api.status(order["order_id"])
    assert [status[name] for name in dates] == [""] * 4
    assert status["csr_code"] == ""


@pytest.mark.parametrize(("product", "kind", "days"), [(65, "dv", 30), (66, "dv", 45), (134, "ov", 60)])
def test_unvalidated_orders_are_cancelled(api: Api, emulator: Emulator, product: int, kind: str, days: int) -> None:
    order = api.order(product, "a.example.com", kind=kind, period=3 if product == 65 else 12)
    emulator.advance(days=days - 1)
    assert api.status(order["order_id"])["status"] == "processing"
    emulator.advance(days=2)
    assert api.status(order["order_id"])["status"] == "cancelled"


def test_unpaid_orders_are_cancelled(api: Api, emulator: Emulator) -> None:
    emulator.set(balance=0)
    order = api.order(66, "a.example.com")
    emulator.advance(days=21)
    assert api.status(order["order_id"])["status"] == "cancelled"
    assert api.get("/account/invoices/")["invoices"][0]["status"] == "cancelled"


def test_orders_expire(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator)
    emulator.advance(days=364)
    assert api.status(order_id)["status"] == "active"
    emulator.advance(days=3)
    api = Api(emulator)
    assert api.status(order_id)["status"] == "expired"


def test_first_statuses(api: Api, emulator: Emulator) -> None:
    emulator.set(initial_status="new_order", initial_status_seconds=60.0)
    order = api.order(66, "a.example.com")
    assert order["order_status"] == "active"
    assert api.status(order["order_id"])["status"] == "new_order"
    emulator.advance(seconds=61)
    assert api.status(order["order_id"])["status"] == "processing"


def test_instructions_may_be_delayed(api: Api, emulator: Emulator) -> None:
    emulator.set(instructions_delay=5.0, san_instructions_delay=9.0)
    order = api.order(68, "a.example.com", dns_names="b.example.com", approver_emails="dns")
    assert "approver_method" not in order
    status = api.status(order["order_id"])
    assert (status["approver_method"], status["san"]) == ([], [])
    emulator.advance(seconds=6)
    assert "http" in api.status(order["order_id"])["approver_method"]
    emulator.advance(seconds=6)
    assert api.status(order["order_id"])["san"][0]["san_name"] == "b.example.com"


@pytest.mark.parametrize(
    ("product", "name", "expected"),
    [
        (66, "example.com", {"example.com", "www.example.com"}),
        (66, "www.example.com", {"example.com", "www.example.com"}),
        (31, "example.com", {"example.com", "www.example.com"}),
        (31, "a.example.com", {"a.example.com"}),
        (68, "example.com", {"example.com"}),
    ],
)
def test_names_added_by_the_ca(api: Api, emulator: Emulator, product: int, name: str, expected: set[str]) -> None:
    server = 18 if product == 31 else -1
    order_id = active(api, emulator, product, name, webserver_type=server)
    assert names_of(api.status(order_id)["crt_code"]) == expected


def test_no_www_by_setting(api: Api, emulator: Emulator) -> None:
    emulator.set(auto_www=False)
    assert names_of(api.status(active(api, emulator, name="example.com"))["crt_code"]) == {"example.com"}


def test_international_names(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator, 68, "a.example.com", dns_names="bücher.example.com", approver_emails="dns")
    assert "xn--bcher-kva.example.com" in names_of(api.status(order_id)["crt_code"])


# Reissue


def test_reissue_keeps_term_and_order(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator)
    before = api.status(order_id)
    emulator.advance(days=100)
    answer = api.post(f"/orders/ssl/reissue/{order_id}", {"csr": make_csr("a.example.com"), "dcv_method": "dns"})
    assert (answer["order_id"], answer["order_status"]) == (order_id, "reissue")
    assert list(answer["validation"]) == ["dns"]
    assert answer["approvalEmails"] == []
    between = api.status(order_id)
    assert (between["status"], between["reissue_now"], between["reissue"]) == ("reissue", 1, 0)
    assert between["crt_code"] == before["crt_code"]
    emulator.force(order_id, action="validate")
    emulator.wait_for(order_id)
    after = api.status(order_id)
    assert (after["reissue_now"], after["reissue"]) == (0, 1)
    assert after["crt_code"] != before["crt_code"]
    assert [after[k] for k in ("begin_date", "end_date")] == [before[k] for k in ("begin_date", "end_date")]
    assert day(after["valid_till"]) == day(before["valid_till"]) + dt.timedelta(days=100)
    assert len(emulator.ledger()["charges"]) == 1


def test_a_reissue_ends_within_the_term(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator)
    emulator.advance(days=300)
    api.post(f"/orders/ssl/reissue/{order_id}", {"csr": make_csr("a.example.com"), "dcv_method": "http"})
    emulator.force(order_id, action="validate")
    emulator.wait_for(order_id)
    status = api.status(order_id)
    assert status["valid_till"] == status["end_date"]


def test_the_old_certificate_may_be_missing_during_a_reissue(api: Api, emulator: Emulator) -> None:
    emulator.set(reissue_keeps_crt=False, reissue_status="processing")
    order_id = active(api, emulator)
    api.post(f"/orders/ssl/reissue/{order_id}", {"csr": make_csr("a.example.com"), "dcv_method": "http"})
    status = api.status(order_id)
    assert (status["status"], status["crt_code"]) == ("processing", "")


def test_reissue_only_while_active(api: Api) -> None:
    order = api.order(66, "a.example.com")
    form = {"csr": make_csr("a.example.com"), "dcv_method": "http"}
    assert api.post(f"/orders/ssl/reissue/{order['order_id']}", form)["error"] is True


@pytest.mark.parametrize(("product", "allowed"), [(66, True), (31, False)])
def test_other_common_name(api: Api, emulator: Emulator, product: int, allowed: bool) -> None:
    order_id = active(api, emulator, product, webserver_type=18)
    form = {"csr": make_csr("b.example.com"), "dcv_method": "http"}
    assert ("error" not in api.post(f"/orders/ssl/reissue/{order_id}", form)) is allowed


def test_reused_validations(api: Api, emulator: Emulator) -> None:
    emulator.set(dcv_reuse_days=30)
    order_id = active(api, emulator)
    for days, status in ((29, "active"), (31, "reissue")):
        emulator.advance(days=days)
        api.post(f"/orders/ssl/reissue/{order_id}", {"csr": make_csr("a.example.com"), "dcv_method": "http"})
        emulator.advance(seconds=1)
        assert api.status(order_id)["status"] == status


def test_slots_are_bought_and_then_filled(api: Api, emulator: Emulator) -> None:
    fields = {"dns_names": "b.example.com,c.example.com", "approver_emails": "http,http"}
    order_id = active(api, emulator, 68, **fields)
    more = {
        "csr": make_csr("a.example.com"),
        "dcv_method": "http",
        "approver_emails": "http,http,http",
        "dns_names": "b.example.com,c.example.com,d.example.com",
    }
    assert api.post(f"/orders/ssl/reissue/{order_id}", more)["error"] is True
    bought = api.post("/orders/add_ssl_san_order/", {"order_id": order_id, "count": 1})
    assert (bought["order_id"], bought["order_amount"]) == (order_id, 6.5)
    assert api.status(order_id)["single_san_count"] == 3
    assert api.post(f"/orders/ssl/reissue/{order_id}", more)["success"] is True
    assert [charge["kind"] for charge in emulator.ledger()["charges"]] == ["buy", "san"]


def test_whmcs_san_request(api: Api, emulator: Emulator) -> None:
    """`count` is the sum if the other two fields are sent too."""
    order_id = active(api, emulator, 139)
    form = {"order_id": order_id, "count": 2, "single_san_count": 1, "wildcard_san_count": 1}
    assert api.post("/orders/add_ssl_san_order/", form)["order_amount"] == 62.5
    status = api.status(order_id)
    assert (status["single_san_count"], status["wildcard_san_count"]) == (1, 1)


def test_extra_names_charged_by_setting(api: Api, emulator: Emulator) -> None:
    emulator.set(reissue_extra_names="charge")
    order_id = active(api, emulator, 68)
    names = [f"n{i}.example.com" for i in range(4)]
    answer = api.post(
        f"/orders/ssl/reissue/{order_id}",
        {
            "csr": make_csr("a.example.com"),
            "dcv_method": "http",
            "dns_names": ",".join(names),
            "approver_emails": ",".join(["http"] * 4),
        },
    )
    assert (answer["additional_domains_count"], answer["additional_domains_price"]) == (2, 13)
    assert [charge["amount"] for charge in emulator.ledger()["charges"]] == [22.93, 15.73]


# Renewal


def test_renewal_window_and_remaining_days(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator)
    renew = "/orders/add_ssl_renew_order/"
    assert "30 days before" in api.order(66, "a.example.com", path=renew)["description"]
    emulator.advance(days=350)
    answer = api.order(66, "a.example.com", path=renew)
    assert answer["order_id"] != order_id
    assert api.status(order_id)["renew"] == 1
    assert api.status(order_id)["status"] == "active"
    emulator.force(answer["order_id"], action="validate")
    emulator.wait_for(answer["order_id"])
    status = api.status(answer["order_id"])
    old_end = day(api.status(order_id)["end_date"])
    assert day(status["end_date"]) - old_end >= dt.timedelta(days=365 - 1)
    assert [charge["kind"] for charge in emulator.ledger()["charges"]] == ["buy", "renew"]


def test_wide_renewal_window(api: Api, emulator: Emulator) -> None:
    emulator.set(renewal_window_days=90)
    active(api, emulator)
    emulator.advance(days=280)
    assert api.order(66, "a.example.com", path="/orders/add_ssl_renew_order/")["success"] is True


def test_renewal_without_an_original(api: Api) -> None:
    assert api.order(66, "a.example.com", path="/orders/add_ssl_renew_order/")["error"] is True


# Cancelling


def test_cancel_is_reviewed_and_refunded(api: Api, emulator: Emulator) -> None:
    before = emulator.ledger()["balance"]
    order_id = active(api, emulator)
    form = {"order_id": order_id, "reason": "not needed"}
    answer = api.post("/orders/cancel_ssl_order/", form)
    assert set(answer) == {"order_id", "message", "success"}
    assert api.status(order_id)["status"] == "active"
    assert "already in cancelled" in api.post("/orders/cancel_ssl_order/", form)["message"]
    emulator.advance(days=2)
    assert api.status(order_id)["status"] == "cancelled"
    assert "already in cancelled" in api.post("/orders/cancel_ssl_order/", form)["message"]
    ledger = emulator.ledger()
    assert [charge["kind"] for charge in ledger["charges"]] == ["buy", "refund"]
    assert ledger["balance"] == before


def test_late_cancel_is_not_refunded(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator)
    emulator.advance(days=31)
    api.post("/orders/cancel_ssl_order/", {"order_id": order_id, "reason": "x"})
    emulator.advance(days=2)
    assert api.status(order_id)["status"] == "cancelled"
    assert [charge["kind"] for charge in emulator.ledger()["charges"]] == ["buy"]


def test_cancel_may_be_refused(api: Api, emulator: Emulator) -> None:
    emulator.set(cancel_review="refuse")
    order_id = active(api, emulator)
    api.post("/orders/cancel_ssl_order/", {"order_id": order_id, "reason": "x"})
    emulator.advance(days=2)
    assert api.status(order_id)["status"] == "active"


@pytest.mark.parametrize("shape", ["order_id", "message"])
def test_cancel_shapes(api: Api, emulator: Emulator, shape: str) -> None:
    emulator.set(cancel_shape=shape)
    order = api.order(66, "a.example.com")
    answer = api.post("/orders/cancel_ssl_order/", {"order_id": order["order_id"], "reason": "x"})
    assert set(answer) == {shape, "success"}


# Lists


def test_new_orders_appear_late_in_lists(api: Api, emulator: Emulator) -> None:
    emulator.set(list_delay=30.0)
    order_id = str(api.order(66, "a.example.com")["order_id"])
    assert api.get("/orders/") == []
    assert api.get("/orders/ssl/all/")["orders"] == []
    assert api.status(order_id)["status"] == "processing"
    emulator.advance(seconds=31)
    assert [row["order_id"] for row in api.get("/orders/")] == [order_id]
    assert [row["order_id"] for row in api.get("/orders/ssl/all/")["orders"]] == [order_id]


def test_paging_is_capped(api: Api, emulator: Emulator) -> None:
    emulator.set(list_limit_max=2, list_offset_max=3)
    ids = [str(api.order(66, f"n{i}.example.com")["order_id"]) for i in range(7)][::-1]
    first = api.get("/orders/ssl/all/", limit=99)
    assert [row["order_id"] for row in first["orders"]] == ids[:2]
    assert (first["limit"], first["offset"], first["count"]) == (2, 0, 2)
    last = api.get("/orders/ssl/all/", limit=2, offset=50)
    assert [row["order_id"] for row in last["orders"]] == ids[3:5]
    assert last["offset"] == 3


def test_oldest_first_by_setting(api: Api, emulator: Emulator) -> None:
    ids = [str(api.order(66, f"n{i}.example.com")["order_id"]) for i in range(3)]
    assert [row["order_id"] for row in api.get("/orders/ssl/all/")["orders"]] == ids[::-1]
    emulator.set(list_newest_first=False)
    assert [row["order_id"] for row in api.get("/orders/ssl/all/")["orders"]] == ids


def test_concurrent_orders(api: Api, emulator: Emulator) -> None:
    """Of twenty parallel orders with a balance for seven, exactly seven are paid."""
    emulator.set(balance=42.0)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: api.order(66, f"n{i}.example.com"), range(20)))
    assert len({answer["order_id"] for answer in answers}) == 20
    assert sorted(answer["order_status"] for answer in answers) == ["active"] * 7 + ["unpaid"] * 13
    ledger = emulator.ledger()
    assert [charge["amount"] for charge in ledger["charges"]] == [5.99] * 7
    assert ledger["balance"] == 0.07


def test_id_types_by_setting(api: Api, emulator: Emulator) -> None:
    emulator.set(ids_in_writes="string", ids_in_reads="int", san_status_in_writes="string", san_status_in_reads="int")
    order = api.order(68, "a.example.com", dns_names="b.example.com", approver_emails="http")
    assert (type(order["order_id"]), order["san"][0]["status"]) == (str, "1")
    status = api.status(order["order_id"])
    assert (type(status["order_id"]), status["san"][0]["status"]) == (int, 1)


def test_statuses_limit(api: Api, emulator: Emulator) -> None:
    emulator.set(statuses_max=2)
    assert api.post("/orders/statuses/", {"cids": "1,2"})["success"] is True
    assert api.post("/orders/statuses/", {"cids": "1,2,3"})["error"] is True


@pytest.mark.parametrize("path", ["/orders/status/1", "/orders/status/abc", "/orders/invoice/1", "/lei/status/1"])
def test_unknown_order(api: Api, path: str) -> None:
    answer = api.call("GET", path)
    assert answer.status_code == 200
    assert answer.json()["error"] is True
