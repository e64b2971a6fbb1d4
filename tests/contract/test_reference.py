# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The statements of the API reference, checked against the emulator. Test names start with the section."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import requests

from tests.emulator.testing import Emulator

from .helpers import Api, contacts, make_csr
from .test_lei import _FORM as LEI_FORM
from .test_lei import make_lei
from .test_orders import active
from .test_samples import _SAMPLES

# One name for each JSON type or format, so that tests can describe fields.
INT, TEXT, BOOL, LIST, OBJECT, DATE = "int", "text", "bool", "list", "object", "date"
YES_NO, MONEY, MOMENT = "yes or no", "money", "moment"


def kind(value: Any) -> str:
    """The narrowest type or format of a value that the reference distinguishes."""
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int | float):
        return INT
    if not isinstance(value, str):
        return LIST if isinstance(value, list) else OBJECT
    for pattern, name in (
        (r"\d{4}-\d\d-\d\d", DATE),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", MOMENT),
        (r"-?\d+\.\d\d", MONEY),
        (r"yes|no", YES_NO),
    ):
        if re.fullmatch(pattern, value):
            return name
    return TEXT


def kinds(body: dict[str, Any]) -> dict[str, str]:
    return {name: kind(value) for name, value in body.items()}


def spread(text: str, what: str) -> dict[str, str]:
    return dict.fromkeys(text.split(), what)


# Section 1: transport


@pytest.mark.parametrize("path", ["/account//balance", "//account/balance/", "/account/balance//"])
def test_1_1_doubled_slashes_of_joined_addresses(api: Api, path: str) -> None:
    """Answered without a redirect, which would expose the key and turn a POST into a GET."""
    answer = api.call("POST", path, allow_redirects=False)
    assert (answer.status_code, answer.json()["success"]) == (200, True)


@pytest.mark.parametrize("path", ["/account/balance/", "/orders/status/1"])
def test_1_5_head_is_a_get_without_a_body(api: Api, path: str) -> None:
    answer = api.call("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert api.call("HEAD", "/orders/statuses/").status_code == 404


@pytest.mark.parametrize("path", ["/account/balance/", "/orders/add_ssl_order/"])
def test_1_4_the_key_is_checked_before_the_fields(emulator: Emulator, path: str) -> None:
    for form in ({}, {"auth_key": ""}, {"auth_key": "wrong", "product_id": "x"}):
        answer = requests.post(emulator.url + path, data=form, timeout=5)
        assert answer.status_code == 403
        text = "Auth key is not valid"
        assert answer.json() == {"error": True, "message": text, "description": text}


def test_1_4_the_verb_is_checked_before_the_key(emulator: Emulator) -> None:
    """Observed live: with an invalid key an existing path returns 403, and a GET on a POST-only path returns 404."""
    for path, code in (("/account/balance/", 403), ("/orders/statuses/", 404), ("/no/such/", 404)):
        assert requests.get(emulator.url + path, params={"auth_key": "bad"}, timeout=5).status_code == code


def test_1_3_keyless_tools_ignore_a_bad_key(emulator: Emulator) -> None:
    form = {"csr": make_csr("a.example.com"), "csr_commonname": "a.example.com", "auth_key": "bad"}
    for tool in ("decode", "validate", "generate"):
        assert requests.post(f"{emulator.url}/tools/csr/{tool}/", data=form, timeout=5).json()["success"] is True


def test_1_3_the_key_in_the_body_takes_precedence(api: Api) -> None:
    assert api.call("POST", "/account/balance", params={"auth_key": "bad"}, data={"auth_key": api.key}).json()[
        "balance"
    ]
    assert api.call("POST", "/account/balance", data={"auth_key": "bad"}).status_code == 403


def test_1_5_the_last_value_of_a_repeated_field_counts(api: Api) -> None:
    body = "order_id=1&domain=x&domain=shop.example.com"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    emails = api.call("POST", "/tools/domain/emails/", data=body, headers=headers).json()["ComodoApprovalEmails"]
    assert emails[0] == "admin@shop.example.com"


def test_1_5_unknown_fields_are_ignored(api: Api) -> None:
    fields = {"partner_order_id": "mine-7", "format": "json", "san_approval[0][name]": "x", "admin_fax": ""}
    assert api.order(66, "a.example.com", **fields)["success"] is True


@pytest.mark.parametrize(
    "form",
    [
        lambda pem: pem.replace("\n", "\r\n"),
        str.rstrip,
        lambda pem: pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
        lambda pem: "\r\n  " + pem,
        lambda pem: "Certificate Request:\n    Data: ...\n" + pem,
    ],
    ids=["CRLF", "no final newline", "NEW", "blanks before", "text before"],
)
def test_1_5_csr_formats(api: Api, form: Any) -> None:
    """The hash of a CSR must not depend on the formatting of its PEM."""
    pem = make_csr("a.example.com")
    plain, other = (api.order(66, "a.example.com", csr=text)["approver_method"]["http"] for text in (pem, form(pem)))
    assert plain["filename"] == other["filename"]


def test_1_5_a_csr_with_decoded_plus_signs_is_invalid(api: Api) -> None:
    """The CSR of a client that does not percent-encode the plus signs of base64."""
    pem = make_csr("a.example.com")
    assert "+" in pem
    assert api.order(66, "a.example.com", csr=pem.replace("+", " "))["error"] is True


@pytest.mark.parametrize("sans", ["b.example.com, c.example.com", " b.example.com ,c.example.com"])
def test_1_5_spaces_around_commas(api: Api, sans: str) -> None:
    order = api.order(68, "a.example.com", dns_names=sans, approver_emails=" http , DNS ")
    assert [(san["san_name"], san["validation_method"]) for san in order["san"]] == [
        ("b.example.com", "http"),
        ("c.example.com", "dns"),
    ]


def test_1_6_empty_objects_are_empty_arrays(api: Api, emulator: Emulator) -> None:
    emulator.set(balance=0)
    order = api.order(68, "a.example.com", dns_names="b.example.com", approver_emails="http")
    status = api.status(order["order_id"])
    assert (status["approver_method"], status["san"][0]["validation"]) == ([], [])


def test_1_7_locks_are_named_in_message_and_description(api: Api, emulator: Emulator) -> None:
    emulator.set(change_lock_seconds=60.0)
    order = api.order(66, "a.example.com")
    path = f"/orders/ssl/change_validation_method/{order['order_id']}"
    form = {"domain": "a.example.com", "new_method": "dns"}
    assert api.post(path, form)["success"] is True
    refused = api.post(path, form)
    assert refused["error"] is True
    for text in (refused["message"], refused["description"]):
        assert re.fullmatch(r"Function is locked for \d+ seconds[.]", text)


# Section 2: unknown methods


@pytest.mark.parametrize(
    "path",
    [
        "/orders/ssl/download/1",
        "/orders/ssl/revoke/",
        "/orders/ssl/revoke/1",
        "/orders/ssl/change_dcv_method/1",
        "/products/all/",
        "/products/webservers",
        "/orders/resendemail/1",
        "/orders/status/",
        "/v2/products/",
    ],
)
def test_2_paths_that_do_not_exist(api: Api, path: str) -> None:
    for verb in ("GET", "POST"):
        assert api.call(verb, path).status_code == 404


# Section 3: account


def test_3_account_fields(api: Api, emulator: Emulator) -> None:
    expected = spread(
        "first_name last_name company_name company_vat company_phone phone fax address city state postal_code country "
        "email reseller_plan currency",
        TEXT,
    )
    assert kinds(api.get("/account/")) == {**expected, "success": BOOL}
    assert kinds(api.get("/account/balance/")) == {"balance": MONEY, "currency": TEXT, "success": BOOL}
    active(api, emulator)
    api.order(66, "b.example.com")
    assert api.get("/account/total_orders/") == {"total_orders": 1, "success": True}


_INVOICE = {
    **spread("number status tax_rate currency payment_method", TEXT),
    **spread("subtotal tax total", MONEY),
    "date": DATE,
}


def test_3_invoice_fields(api: Api, emulator: Emulator) -> None:
    order = api.order(66, "a.example.com")
    assert kinds(api.get("/account/invoices/")["invoices"][0]) == {"order_id": INT, **_INVOICE}
    assert kinds(api.get(f"/orders/invoice/{order['order_id']}")) == {"order_id": INT, **_INVOICE, "success": BOOL}
    (long,) = api.get("/invoice/")["invoices"]
    assert kinds(long) == {"id": INT, **_INVOICE, "items": LIST}
    line = {**spread("order_id period product_id", INT), "order_number": TEXT, "date": DATE, "subtotal": MONEY}
    assert kinds(long["items"][0]) == {**line, "product_name": TEXT}
    emulator.set(balance=0)
    api.order(66, "b.example.com")
    (unpaid,) = api.get("/account/invoices/unpaid/")["invoices"]
    assert kinds(unpaid) == {"order_id": INT, **{k: v for k, v in _INVOICE.items() if k != "status"}}


@pytest.mark.parametrize(
    ("since", "till", "accepted"),
    [
        (365, 0, True),
        (366, 0, False),
        (400, 35, True),
        (400, 34, False),
        (0, 1, False),
        (365, None, True),
        (None, 400, True),
        (800, None, False),
    ],
)
def test_3_invoice_periods(api: Api, emulator: Emulator, since: int | None, till: int | None, accepted: bool) -> None:
    """At most 365 days; by default the last 365 days."""
    today = dt.datetime.fromtimestamp(emulator.now(), dt.timezone.utc).date()
    query = {"date_from": since, "date_till": till}
    dates = {k: str(today - dt.timedelta(days=days)) for k, days in query.items() if days is not None}
    assert ("success" in api.get("/invoice/", **dates)) is accepted


@pytest.mark.parametrize("text", ["01.02.2026", "2026-02-30", "tomorrow"])
def test_3_invoice_dates_of_another_format(api: Api, text: str) -> None:
    assert "date_from" in api.get("/invoice/", date_from=text)["message"]


# Section 4: products


def test_4_1_product_fields(api: Api) -> None:
    for item in api.get("/products/")["products"]:
        assert kinds(item) == {
            "id": INT,
            "name": TEXT,
            "periods": LIST,
            **spread(
                "organization wildcard unlimited_servers is_multidomain multi_domain wildcard_san_enabled", YES_NO
            ),
            **spread("multidomains_included single_san_included wildcard_san_included multidomains_maximum", INT),
            **spread("dcv_email dcv_dns dcv_http dcv_https recheck_caa", BOOL),
        }


def test_4_2_ssl_product_fields(api: Api) -> None:
    for item in api.get("/products/ssl/")["products"]:
        expected = {
            **spread("id max_period san_enabled wildcard_san_enabled unlimited_licencing wildcard_enabled", INT),
            **spread("claim_ev_enabled trust_logo org_required custom_dcv_random_value", INT),
            **spread("brand product product_type", TEXT),
            **spread("dcv_email dcv_dns dcv_http dcv_https recheck_caa", BOOL),
            "prices": OBJECT,
        }
        assert kinds(item) == {**expected, **({"san_max": INT} if item["san_enabled"] == 1 else {})}
        assert item["brand"] == item["brand"].lower()
        assert item["product_type"] in ("domain", "business", "extended")
        months = set(item["prices"]) - {"vendor", "san", "wildcard_san"}
        assert months == set(item["prices"]["vendor"])
        assert all(int(month) <= item["max_period"] for month in months)


def test_4_3_detail_fields(api: Api) -> None:
    names = "name type brand description agreement"
    yes_no = "organization wildcard unlimited_servers is_multidomain san_wildcard"
    counts = "multidomains_included single_san_included wildcard_san_included multidomains_maximum id"
    for product in (66, 68, 31, 134, 139):
        details = kinds(api.get(f"/products/details/{product}"))
        assert {name: details[f"product_{name}"] for name in names.split()} == spread(names, TEXT)
        assert {name: details[f"product_{name}"] for name in yes_no.split()} == spread(yes_no, YES_NO)
        assert {name: details[f"product_{name}"] for name in counts.split()} == spread(counts, INT)
        assert all(details[f"product_dcv_{method}"] == BOOL for method in ("email", "dns", "http", "https"))
        others = "recheck_caa refund_days terms terms_min site_seal change_main_domain ssl_warranty estimate ip_allowed"
        assert set(others.split()) | {"free_reissues", "product_prices", "success"} <= set(details)
        assert ("product_san_prices" in details) is (product in (68, 139))


def test_4_7_the_frozen_webserver_tables(api: Api) -> None:
    for supplier in (1, 2):
        (known,) = [s["response"]["id_to_software"] for s in _SAMPLES if s["path"] == f"/tools/webservers/{supplier}"]
        rows = api.get(f"/tools/webservers/{supplier}")["webservers"]
        assert {str(row["id"]): row["software"] for row in rows} == known
        assert all(set(row) == {"id", "software"} for row in rows)


@pytest.mark.parametrize("server", [-1, 18, 36, 33])
def test_4_7_any_webserver_type_is_accepted(api: Api, emulator: Emulator, server: int) -> None:
    """A value from the other supplier's table is accepted unless a setting forbids it."""
    assert api.order(31, "a.example.com", dcv_method="dns", webserver_type=server)["success"] is True
    emulator.set(foreign_webservers=False)
    answer = api.order(31, "b.example.com", dcv_method="dns", webserver_type=server)
    assert ("success" in answer) is (server in (18, 33))


# Section 5: tools


def test_5_decode_fields(api: Api) -> None:
    result = api.post("/tools/csr/decode/", {"csr": make_csr("a.example.com"), "brand": 1, "wildcard": 0})["csrResult"]
    texts = ("CN", "C", "OU", "O", "L", "S", "version", "Email", "Key Size", "md5", "sha1", "sha256")
    assert kinds(result) == {**dict.fromkeys(texts, TEXT), "dnsName(s)": LIST}
    assert re.fullmatch("[0-9A-F]{32}", result["md5"])


def test_5_a_bad_csr_is_an_error_message_in_the_result(api: Api) -> None:
    for path in ("/tools/csr/decode/", "/tools/csr/validate/"):
        for csr in ("nonsense", make_csr("a.example.com") + " " * 10 + "x" * 4000):
            answer = api.post(path, {"csr": csr})
            assert answer["success"] is True
            assert answer["csrResult"]["errorMessage"]


@pytest.mark.parametrize(("wildcard", "refused"), [("", True), ("0", True), ("1", False)])
def test_5_decode_of_a_wildcard(api: Api, wildcard: str, refused: bool) -> None:
    form = {"csr": make_csr("*.example.com"), "wildcard": wildcard}
    assert ("errorMessage" in api.post("/tools/csr/decode/", form)["csrResult"]) is refused


def test_5_an_order_accepts_a_csr_that_is_too_long_for_the_tools(api: Api) -> None:
    pem = "\n".join("comment" * 9 for _line in range(80)) + "\n" + make_csr("a.example.com")
    assert len(pem) > 4000
    assert api.order(66, "a.example.com", csr=pem)["success"] is True


@pytest.mark.parametrize(
    "changes",
    [
        {"csr_country": "Latvia"},
        {"csr_organization": "x" * 65},
        {"csr_commonname": "not a name"},
        {"csr_country": "éé"},
    ],
)
def test_5_generate_refuses_invalid_subjects(api: Api, changes: dict[str, str]) -> None:
    answer = api.post("/tools/csr/generate/", {"csr_commonname": "a.example.com", "csr_country": "LV", **changes})
    assert answer["error"] is True


def test_5_emails_of_a_name_and_its_parents(api: Api) -> None:
    answer = api.post("/tools/domain/emails/", {"domain": "*.Shop.Example.com"})
    assert answer["ComodoApprovalEmails"] == answer["GeotrustApprovalEmails"]
    boxes = ("admin", "administrator", "hostmaster", "postmaster", "webmaster")
    domains = ("shop.example.com", "example.com")
    assert answer["ComodoApprovalEmails"] == [f"{box}@{domain}" for domain in domains for box in boxes]


# Section 6: ordering


def test_6_1_response_fields_of_one_name(api: Api) -> None:
    order = api.order(66, "a.example.com")
    assert kinds(order) == {
        **spread("product_id order_id invoice_id order_amount", INT),
        **spread("order_status currency tax_rate", TEXT),
        "approver_method": OBJECT,
        "tax": MONEY,
        "success": BOOL,
    }


def test_6_1_response_fields_of_a_san(api: Api) -> None:
    order = api.order(68, "a.example.com", dns_names="b.example.com", approver_emails="admin@example.com")
    (san,) = order["san"]
    assert kinds(san) == {
        **spread("san_name validation_method status_description", TEXT),
        "status": INT,
        "validation": OBJECT,
    }
    assert san["validation"] == {"email": "admin@example.com"}


@pytest.mark.parametrize("field", ["product_id", "period", "csr", "server_count", "dcv_method", "webserver_type"])
def test_6_1_required_fields(api: Api, emulator: Emulator, field: str) -> None:
    for value in (None, "", "  "):
        answer = api.order(66, "a.example.com", **{field: value})
        assert (answer["error"], field in answer["message"]) == (True, True), answer
    assert emulator.ledger()["orders"] == []


@pytest.mark.parametrize("field", sorted(contacts()))
def test_6_1_required_contacts(api: Api, emulator: Emulator, field: str) -> None:
    assert field in api.order(66, "a.example.com", **{field: None})["message"]
    emulator.set(tech_contact="optional")
    assert ("success" in api.order(66, "a.example.com", **{field: None})) is field.startswith("tech")


def test_6_1_names_belong_to_multi_domain_products(api: Api) -> None:
    sans = {"dns_names": "b.example.com", "approver_emails": "http"}
    assert api.order(66, "a.example.com", **sans)["message"] == "The product GoGetSSL Domain SSL does not support SAN`s"
    assert api.order(66, "a.example.com", dns_names="", approver_emails="")["success"] is True


def test_6_1_approvers_have_the_order_of_the_names(api: Api) -> None:
    """In another order, a name has another name's approver, which is refused."""
    names = "b.example.com,c.example.org"
    mails = ["admin@b.example.com", "admin@c.example.org"]
    assert api.order(68, "a.example.com", dns_names=names, approver_emails=",".join(mails))["success"] is True
    wrong = api.order(68, "a.example.com", dns_names=names, approver_emails=",".join(mails[::-1]))
    assert wrong["message"] == "Wrong approver email(admin@c.example.org) for b.example.com"


def test_6_1_a_wildcard_requires_a_wildcard_product(api: Api) -> None:
    text = "The Common Name (Domain Name: *.example.com) may not contain a *. Please buy Wildcard SSL Certificate for"
    assert api.order(66, "*.example.com", dcv_method="dns")["message"] == f"{text} that CSR"
    assert api.order(67, "example.com", dcv_method="dns")["error"] is True
    assert api.order(67, "*.example.com", dcv_method="http")["error"] is True
    assert api.order(67, "*.example.com", dcv_method="dns")["success"] is True


def test_6_1_international_names(api: Api, emulator: Emulator) -> None:
    """U-labels and A-labels in a CSR are equivalent; responses contain A-labels only."""
    for name in ("bücher.example.com", "xn--bcher-kva.example.com"):
        order = api.order(66, name)
        assert api.status(order["order_id"])["domain"] == "xn--bcher-kva.example.com"


@pytest.mark.parametrize(
    ("code", "accepted"), [("a" * 15, True), ("a" * 20, True), ("a" * 14, False), ("a b" * 6, False)]
)
def test_6_1_unique_code(api: Api, code: str, accepted: bool) -> None:
    answer = api.order(66, "a.example.com", unique_code=code)
    assert ("success" in answer) is accepted
    if accepted:
        assert answer["approver_method"]["http"]["content"].endswith(f"\r\n{code}")


def test_6_1_a_long_organisation_is_truncated(api: Api, emulator: Emulator) -> None:
    """64 characters of two octets each: the certificate holds the part that fits."""
    order = api.order(134, "a.example.com", kind="ov", org_name="Я" * 64)
    emulator.force(order["order_id"], action="validate")
    emulator.force(order["order_id"], action="pass")
    emulator.wait_for(order["order_id"])
    assert api.order(134, "b.example.com", kind="ov", org_country="Latvia")["message"] == "Wrong org_country"


@pytest.mark.parametrize("flag", [{"only_validate": "true"}, {"test": "Y"}])
def test_6_2_a_dry_renewal_does_not_mark_the_original(api: Api, emulator: Emulator, flag: dict[str, str]) -> None:
    emulator.set(unique_code_reuse="refuse")
    order_id = active(api, emulator)
    emulator.advance(days=350)
    renewal = {"path": "/orders/add_ssl_renew_order/", "unique_code": "abcdefghij0123456789"}
    assert "order_id" not in api.order(66, "a.example.com", **renewal, **flag)
    assert api.status(order_id)["renew"] == 0
    assert "order_id" in api.order(66, "a.example.com", **renewal)
    assert api.status(order_id)["renew"] == 1


@pytest.mark.parametrize("product", [65, 39])
def test_6_2_products_that_cannot_be_renewed(api: Api, product: int) -> None:
    answer = api.order(product, "a.example.com", path="/orders/add_ssl_renew_order/", period=3 if product == 65 else 12)
    assert answer["error"] is True


def test_6_3_san_order_fields(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator, 68)
    answer = api.post("/orders/add_ssl_san_order/", {"order_id": order_id, "single_san_count": 2})
    assert kinds(answer) == {
        **spread("invoice_id order_id order_amount", INT),
        **spread("order_status currency tax_rate", TEXT),
        "tax": MONEY,
        "success": BOOL,
    }
    for wrong in ({}, {"count": 0}, {"count": -1}, {"count": "two"}, {"wildcard_san_count": 1}, {"count": 10**9}):
        assert api.post("/orders/add_ssl_san_order/", {"order_id": order_id, **wrong})["error"] is True


def test_6_4_a_cancellation_requires_order_and_reason(api: Api) -> None:
    order_id = api.order(66, "a.example.com")["order_id"]
    for form in ({"order_id": order_id}, {"reason": "x"}, {"order_id": 1, "reason": "x"}):
        assert api.post("/orders/cancel_ssl_order/", form)["error"] is True
    assert api.status(order_id)["status"] == "processing"


def test_6_5_reissue_fields(api: Api, emulator: Emulator) -> None:
    order_id = active(api, emulator)
    form = {"csr": make_csr("a.example.com"), "dcv_method": "dns", "webserver_type": -1, "signature_hash": "SHA2"}
    answer = api.post(f"/orders/ssl/reissue/{order_id}", form)
    assert kinds(answer) == {
        **spread("product_id order_id additional_domains_count additional_domains_price", INT),
        "order_status": TEXT,
        "validation": OBJECT,
        "approvalEmails": LIST,
        "success": BOOL,
    }
    assert api.post(f"/orders/ssl/reissue/{order_id}", form)["error"] is True, "only an active order is reissued"


@pytest.mark.parametrize("status", ["cancelled", "expired", "rejected", "unpaid"])
def test_6_5_only_active_orders_are_reissued(api: Api, emulator: Emulator, status: str) -> None:
    order_id = active(api, emulator)
    emulator.force(order_id, status=status)
    form = {"csr": make_csr("a.example.com"), "dcv_method": "dns"}
    answer = api.post(f"/orders/ssl/reissue/{order_id}", form)
    assert status in answer["description"]


# Section 7: reading orders

_STATUS = (
    "order_id partner_order_id internal_id status status_description dcv_status product_id domain total_domains "
    "base_domain_count single_san_count wildcard_san_count approver_method domains validity_period valid_from "
    "valid_till begin_date end_date csr_code crt_code ca_code server_count reissue reissue_now renew webserver_type "
    "upgrade approver_email approver_emails dcv_method ssl_price ssl_period manual_check pre_signing admin_msg "
    "free_ev_upgrade codesigning_inviteurl validation_description san success time_stamp "
)
_CONTACTS = (
    "admin: addressline1 addressline2 city country fax phone postalcode region email firstname lastname organization "
    "title|org: addressline3 city country fax phone postalcode region lei|tech: organization addressline1 addressline2 "
    "addressline3 city country fax phone postalcode region email firstname lastname title"
)


def test_7_1_status_fields(api: Api, emulator: Emulator) -> None:
    """Exactly the documented fields, so that no client can rely on others."""
    expected = set(_STATUS.split())
    for group in _CONTACTS.split("|"):
        prefix, names = group.split(": ")
        expected |= {f"{prefix}_{name}" for name in names.split()}
    order = api.order(68, "a.example.com", dns_names="b.example.com", approver_emails="http")
    before = api.status(order["order_id"])
    assert set(before) == expected
    whole = kinds(before)
    for name in ("reissue", "reissue_now", "renew", "manual_check", "pre_signing", "dcv_status", "time_stamp"):
        assert whole[name] == INT, name
    for name in ("valid_from", "valid_till", "begin_date", "end_date"):
        assert before[name] == "0000-00-00"
    emulator.force(order["order_id"], action="validate")
    emulator.wait_for(order["order_id"])
    after = api.status(order["order_id"])
    assert set(after) == expected
    assert (after["dcv_status"], after["san"][0]["status"]) == (2, "2")
    assert after["crt_code"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert after["csr_code"].startswith("-----BEGIN CERTIFICATE REQUEST-----")


def test_7_3_statuses_of_invalid_ids(api: Api, emulator: Emulator) -> None:
    """Unknown, foreign and invalid IDs are left out and repeated ones returned once, in the requested order."""
    first, second = (str(api.order(66, f"{name}.example.com")["order_id"]) for name in "ab")
    lei = make_lei(api)["order_id"]
    answer = api.post("/orders/statuses/", {"cids": f"{second}, 1,x,-1,{first},{second},{10**30},{lei},"})
    assert [row["order_id"] for row in answer["certificates"]] == [second, first]
    assert api.post("/orders/statuses/", {"cids": "1"})["certificates"] == []
    for nothing in ({}, {"cids": ""}):
        assert api.post("/orders/statuses/", nothing)["error"] is True


@pytest.mark.parametrize("status", ["ACTIVE", "Active"])
def test_7_4_filters_ignore_case(api: Api, emulator: Emulator, status: str) -> None:
    order_id = active(api, emulator)
    api.order(66, "b.example.com")
    (row,) = api.get("/orders/", status=status)
    assert kinds(row) == {"order_id": TEXT, "status": TEXT, "valid_from": DATE, "valid_till": DATE, "common_name": TEXT}
    assert row["order_id"] == str(order_id)
    assert len(api.get("/orders/", status="")) == 2


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [
        ({}, 100, 0),
        ({"limit": 2}, 2, 0),
        ({"limit": 0}, 100, 0),
        ({"limit": -5, "offset": -5}, 100, 0),
        ({"limit": "ten", "offset": "two"}, 100, 0),
        ({"limit": 5000, "offset": 5000}, 1000, 1000),
        ({"limit": "99999999999999999999"}, 100, 0),
    ],
)
def test_7_5_paging_with_invalid_numbers(api: Api, query: dict[str, Any], limit: int, offset: int) -> None:
    ids = [str(api.order(66, f"{name}.example.com")["order_id"]) for name in "abc"][::-1]
    answer = api.get("/orders/ssl/all/", **query)
    rows = ids[offset : offset + limit]
    assert answer == {
        "orders": [{"order_id": order_id, "status": "processing"} for order_id in rows],
        "limit": limit,
        "offset": offset,
        "count": len(rows),
        "success": True,
    }


def test_7_6_unpaid_fields(api: Api, emulator: Emulator) -> None:
    emulator.set(balance=0)
    api.order(66, "a.example.com")
    (row,) = api.get("/orders/list/unpaid/")["orders"]
    assert kinds(row) == {"id": TEXT, "total_price": MONEY, "currency": TEXT, "date": DATE}


def test_7_7_recheck_works_once_in_ten_minutes(api: Api, emulator: Emulator) -> None:
    path = f"/orders/ssl/recheck-caa/{api.order(66, 'a.example.com')['order_id']}"
    assert kinds(api.get(path)) == {"message": TEXT, "success": BOOL}
    assert "Function is locked for" in api.get(path)["description"]
    emulator.advance(seconds=599)
    assert api.get(path)["error"] is True
    emulator.advance(seconds=2)
    assert api.post(path)["success"] is True


# Section 8: validation


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("change_validation_method", {"domain": "a.example.com", "new_method": "dns"}),
        ("change_domains_validation_method", {"domains": "a.example.com", "new_methods": "dns"}),
        ("revalidate", {"domain": "a.example.com"}),
        ("revalidate", {}),
    ],
)
def test_8_5_responses_have_a_message(api: Api, path: str, form: dict[str, str]) -> None:
    order = api.order(66, "a.example.com")
    assert kinds(api.post(f"/orders/ssl/{path}/{order['order_id']}", form)) == {"message": TEXT, "success": BOOL}


def test_8_5_change_email_responses(api: Api) -> None:
    path = f"/orders/ssl/change_validation_email/{api.order(66, 'a.example.com')['order_id']}"
    email = api.post(path, {"approver_email": "admin@example.com"})
    assert (email["dcv_method"], email["approver_email"]) == ("email", "admin@example.com")
    for method in ("http", "https", "dns"):
        answer = api.post(path, {"approver_email": method.upper()})
        assert (set(answer), kind(answer[method])) == ({method, "success", "success_message"}, OBJECT)
    assert api.post(path, {"approver_email": "nobody@example.net"})["error"] is True


def test_8_5_change_dcv_responses(api: Api) -> None:
    path = f"/orders/ssl/change_dcv/{api.order(66, 'a.example.com')['order_id']}"
    answer = api.post(path, {"domain_name": "a.example.com", "new_method": "DNS"})
    assert kinds(answer) == {"product_id": INT, "validation": OBJECT, "success_message": TEXT, "success": BOOL}
    assert api.post(path, {"domain_name": "a.example.com", "new_method": "email"})["error"] is True
    assert api.post(path, {"domain_name": "a.example.com", "new_method": "https"})["error"] is True


def test_8_5_a_refused_change_sets_no_lock(api: Api, emulator: Emulator) -> None:
    emulator.set(change_lock_seconds=60.0)
    path = f"/orders/ssl/change_validation_method/{api.order(66, 'a.example.com')['order_id']}"
    assert api.post(path, {"domain": "a.example.com", "new_method": "pigeon"})["error"] is True
    assert api.post(path, {"domain": "b.example.com", "new_method": "dns"})["error"] is True
    assert api.post(path, {"domain": "a.example.com", "new_method": "dns"})["success"] is True


def test_8_6_mails_are_sent_for_pending_names_only(api: Api, emulator: Emulator) -> None:
    order = api.order(66, "a.example.com", dcv_method="email", approver_email="admin@example.com")
    other = api.order(66, "b.example.com")
    for order_id, accepted in ((order["order_id"], True), (other["order_id"], False)):
        name = api.status(order_id)["domain"]
        assert ("success" in api.post(f"/orders/ssl/resend/{order_id}", {"domain": name})) is accepted
        assert ("success" in api.get(f"/orders/ssl/resend_validation_email/{order_id}")) is accepted
        assert ("success" in api.post(f"/orders/ssl/resend_validation_email/{order_id}")) is accepted
    assert len(emulator.outbox()) == 4


# Section 10: LEI

_LOOKUP = (
    "leiNumber nextRenewalDate entityStatus leiStatus legalName registrationAuthorityEntityId entityLegalFormCode "
    "legalJurisdiction legalState legalCountry legalCity legalPostal legalfirstAddressLine hqState hqCountry hqCity "
    "hqPostal hqfirstAddressLine"
)


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"legalJurisdiction": "EE"}, True),
        ({"legalJurisdiction": "US-NY"}, True),
        ({"legalJurisdiction": "Estonia"}, False),
        ({"transfer": "maybe"}, False),
        ({"isLevel2DataAvailable": 2}, False),
        ({"multiYearSupport": 6}, False),
        ({"productId": 66}, False),
        ({"hqCity": "Tartu", "incorporationDate": "2001-01-01"}, True),
    ],
)
def test_10_create(api: Api, changes: dict[str, Any], accepted: bool) -> None:
    assert ("success" in api.post("/orders/lei/create/", {**LEI_FORM, **changes})) is accepted


def test_10_a_test_order_is_free(api: Api, emulator: Emulator) -> None:
    """`test` is a query parameter here."""
    answer = api.call("POST", "/orders/lei/create/", params={"auth_key": api.key, "test": 1}, data=LEI_FORM).json()
    assert answer["order_amount"] == 0
    assert emulator.ledger()["charges"] == [
        {"order_id": answer["order_id"], "kind": "buy", "amount": 0, "time": emulator.ledger()["charges"][0]["time"]}
    ]
    expected = {
        **spread("product_id order_id lie_id order_amount invoice_id", INT),
        **spread("order_number currency tax_rate invoice_num", TEXT),
        "tax": MONEY,
        "success": BOOL,
    }
    assert kinds(answer) == expected


def test_10_responses_have_all_documented_fields(api: Api, emulator: Emulator) -> None:
    order_id = make_lei(api, hqCity="Tartu", hqCountry="EE", hqPostal="1")["order_id"]
    emulator.advance(seconds=2)
    status = api.get(f"/lei/status/{order_id}")
    assert status["headquarters_address"] == {"City": "Tartu", "Country": "EE", "Postal": "1"}
    assert kinds(status)["valid_from"] == MOMENT
    assert all(isinstance(status[name], str) for name in ("lei_id", "product_id", "confidence_level", "lei_number"))
    (row,) = api.get("/lei/lookup/", query=status["lei_number"].lower())["result"]
    assert set(row) == set(_LOOKUP.split())
    assert {tuple(row) for row in api.get("/lei/jurisdictions/")["jurisdictions"]} == {("code", "group", "notes")}
