# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transport of the API: verbs, bodies, keys and slashes (API reference 1)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.testing import Emulator

from .helpers import Api, contacts, make_csr

# The endpoint table of API reference 2: number, verb, path.
_TABLE = """
1 POST /auth/ | 2 GET /account/ | 3 GET /account/balance/ | 4 GET /account/total_orders/
5 GET /account/total_transactions/ | 6 GET /account/invoices/ | 7 GET /account/invoices/unpaid/
8 GET /orders/invoice/1 | 9 GET /invoice/ | 10 GET /invoice/1 | 11 POST /accounts/sandbox/add/ | 12 GET /products/
13 GET /products/all_prices/ | 14 GET /products/details/66 | 15 GET /products/price/66 | 16 GET /products/agreement/66
17 GET /products/ssl/ | 18 GET /products/ssl/66 | 19 GET /tools/webservers/1 | 20 POST /tools/csr/decode/
21 POST /tools/csr/validate/ | 22 POST /tools/csr/generate/ | 23 POST /tools/csr/get/ | 24 POST /tools/domain/emails/
25 POST /tools/domain/emails/geotrust | 26 POST /tools/domain/domain_get_from_whois
26 POST /tools/domain_get_from_whois/ | 27 POST /tools/domain/alternative/ | 28 POST /orders/add_ssl_order/
29 POST /orders/add_ssl_order1/ | 30 POST /orders/add_ssl_renew_order/ | 31 POST /orders/add_ssl_san_order/
32 POST /orders/ssl/reissue/1 | 33 POST /orders/cancel_ssl_order/ | 34 GET /orders/status/1
35 POST /orders/statuses/ | 36 GET /orders/ | 37 GET /orders/ssl/all/ | 38 GET /orders/list/unpaid/
39 BOTH /orders/ssl/recheck-caa/1 | 40 POST /orders/ssl/comodo_claim_free_ev/1
41 POST /orders/ssl/change_validation_method/1 | 42 POST /orders/ssl/change_domains_validation_method/1
43 POST /orders/ssl/change_validation_email/1 | 44 POST /orders/ssl/change_dcv/1
45 BOTH /orders/ssl/resend_validation_email/1 | 46 POST /orders/ssl/resend/1 | 47 POST /orders/ssl/revalidate/1
48 GET /orders/ssl/activate/1 | 49 POST /orders/lei/create/ | 50 POST /orders/lei/renew/1 | 51 GET /lei/jurisdictions/
52 POST /lei/confirm/1 | 53 GET /lei/status/1 | 54 GET /lei/lookup/
"""
METHODS = [tuple(entry.split()) for entry in re.split(r"[|\n]", _TABLE) if entry.strip()]
_KEYLESS = {"1", "20", "21", "22"}


def test_table_has_all_54() -> None:
    assert {int(number) for number, _unused, _unused in METHODS} == set(range(1, 55))


@pytest.mark.parametrize(("number", "verb", "path"), METHODS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_path_by_every_verb(api: Api, number: str, verb: str, path: str, slash: str) -> None:
    """All methods return JSON for POST, which one known client always uses. POST-only methods refuse GET with 404."""
    path = path.rstrip("/") + slash
    answer = api.call("POST", path)
    assert answer.status_code == 200
    assert "The requested method" not in answer.text
    refused = api.call("GET", path).status_code == 404
    assert refused == (verb == "POST")


@pytest.mark.parametrize(("number", "verb", "path"), METHODS)
def test_keys_are_required(emulator: Emulator, number: str, verb: str, path: str) -> None:
    answer = requests.post(f"{emulator.url}{path}", timeout=5)
    assert answer.status_code == (200 if number in _KEYLESS else 403)


def test_post_for_read_methods_can_be_forbidden(api: Api, emulator: Emulator) -> None:
    emulator.set(post_reads=False)
    assert api.call("POST", "/products/").status_code == 404
    assert api.call("GET", "/products/").status_code == 200
    assert api.call("POST", "/orders/statuses/").status_code == 200


@pytest.mark.parametrize(("setting", "get", "post"), [("both", 200, 200), ("get", 200, 404), ("post", 404, 200)])
def test_verbs_of_acting_gets(api: Api, emulator: Emulator, setting: str, get: int, post: int) -> None:
    emulator.set(acting_gets=setting)
    path = "/orders/ssl/resend_validation_email/1"
    assert (api.call("GET", path).status_code, api.call("POST", path).status_code) == (get, post)


def test_put_for_reissue_by_setting(api: Api, emulator: Emulator) -> None:
    assert api.call("PUT", "/orders/ssl/reissue/1").status_code == 404
    emulator.set(reissue_put=True)
    assert api.call("PUT", "/orders/ssl/reissue/1").status_code == 200


@pytest.mark.parametrize("where", ["query", "form", "multipart"])
def test_key_in_query_or_body(api: Api, where: str) -> None:
    form = {"cids": "1"}
    if where == "query":
        answer = api.call("POST", "/orders/statuses", data=form)
    elif where == "form":
        answer = api.call("POST", "/orders/statuses", params={}, data={**form, "auth_key": api.key})
    else:
        parts = {name: (None, value) for name, value in {**form, "auth_key": api.key}.items()}
        answer = api.call("POST", "/orders/statuses", params={}, files=parts)
    assert answer.json()["success"] is True


def test_json_body_by_setting(api: Api, emulator: Emulator) -> None:
    """Nested values have PHP's names, and true is 1."""
    names = {"dns_names": "b.example.com", "approver_emails": "http"}
    path = f"/orders/ssl/change_validation_email/{api.order(68, 'a.example.com', **names)['order_id']}"
    form = {"approver_email": "dns", "san_approval": [{"name": "b.example.com", "method": "dns"}], "auth_key": api.key}
    assert api.call("POST", path, params={}, json=form).json()["success"] is True
    assert api.call("POST", "/orders/statuses", json={"cids": 1}).json()["success"] is True
    emulator.set(json_bodies=False)
    assert api.call("POST", path, params={}, json=form).status_code == 403
    assert api.call("POST", "/orders/statuses", json={"cids": "1"}).json()["error"] is True


def test_key_expires(api: Api, emulator: Emulator) -> None:
    emulator.advance(days=364)
    assert api.call("GET", "/account/balance").status_code == 200
    emulator.advance(days=2)
    assert api.call("GET", "/account/balance").status_code == 403
    emulator.set(bad_key_status=401)
    assert api.call("GET", "/account/balance").status_code == 401


def test_keys_can_be_expired_by_the_control_api(api: Api, emulator: Emulator) -> None:
    emulator.expire_keys()
    assert api.call("GET", "/account/balance").status_code == 403
    assert Api(emulator).get("/account/balance")["success"] is True


def test_wrong_password_is_refused_with_status_200(emulator: Emulator) -> None:
    form = {"user": emulator.user, "pass": "wrong"}
    answer = requests.post(f"{emulator.url}/auth/", data=form, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["error"] is True
    assert "key" not in answer.json()


def test_non_ascii_text_is_escaped(api: Api) -> None:
    text = api.call("GET", "/tools/webservers/2").text
    assert "WebLogic \\u2013 all versions" in text
    assert "Netscape Enterprise\\/FastTrack" in text


def test_nested_php_keys(api: Api, emulator: Emulator) -> None:
    """san_approval[0][name] in the body of an HTML form."""
    names = {"dns_names": "b.example.com,c.example.com", "approver_emails": "http,http"}
    order = api.order(68, "a.example.com", **names)
    api.post(
        f"/orders/ssl/change_validation_email/{order['order_id']}",
        {
            "approver_email": "dns",
            "san_approval[0][name]": "b.example.com",
            "san_approval[0][method]": "DNS",
            "san_approval[1][name]": "c.example.com",
            "san_approval[1][method]": "admin@example.com",
        },
    )
    status = api.status(order["order_id"])
    assert list(status["approver_method"]) == ["dns"]
    assert [item["validation_method"] for item in status["san"]] == ["dns", "email"]
    assert status["san"][1]["validation"] == {"email": "admin@example.com"}
    assert [mail["to"] for mail in emulator.outbox()] == ["admin@example.com"]


@pytest.mark.parametrize("method", ["DNS", "Dns", "dns"])
def test_validation_methods_ignore_case(api: Api, method: str) -> None:
    order = api.order(66, "a.example.com")
    api.post(
        f"/orders/ssl/change_validation_method/{order['order_id']}", {"domain": "a.example.com", "new_method": method}
    )
    assert list(api.status(order["order_id"])["approver_method"]) == ["dns"]


def test_order_with_key_and_fields_in_the_body(api: Api) -> None:
    form = {
        "product_id": 66,
        "period": 12,
        "csr": make_csr("a.example.com"),
        "server_count": -1,
        "webserver_type": -1,
        "dcv_method": "HTTP",
        "auth_key": api.key,
        **contacts(),
    }
    answer = api.call("POST", "/orders/add_ssl_order", params={}, data=form).json()
    assert answer["success"] is True


_SHAPES: list[tuple[dict[str, Any], str, Any]] = [
    ({"orders_shape": "object"}, "/orders/", {"orders": [], "success": True}),
    ({"statuses_shape": "array"}, "/orders/statuses/?cids=1", []),
    (
        {"revoked_filter": False},
        "/orders/?status=revoked",
        {"error": True, "message": "Not supported status", "description": "Not supported status"},
    ),
]


@pytest.mark.parametrize(("settings", "path", "expected"), _SHAPES)
def test_shapes_by_setting(api: Api, emulator: Emulator, settings: dict[str, Any], path: str, expected: Any) -> None:
    path, _unused, query = path.partition("?")
    form = dict(pair.split("=") for pair in query.split("&") if pair)
    assert api.post(path, form) != expected
    emulator.set(**settings)
    assert api.post(path, form) == expected


def test_geotrust_key_by_setting(api: Api, emulator: Emulator) -> None:
    form = {"domain": "shop.example.com"}
    emails = api.post("/tools/domain/emails/geotrust", form)["GeotrustApprovalEmails"]
    assert emails[:5] == [
        f"{box}@shop.example.com" for box in ("admin", "administrator", "hostmaster", "postmaster", "webmaster")
    ]
    assert "admin@example.com" in emails
    emulator.set(geotrust_emails_key="getDomainEmailsForGeotrust")
    assert api.post("/tools/domain/emails/geotrust", form)["getDomainEmailsForGeotrust"] == emails


@pytest.mark.parametrize(
    ("setting", "open_path", "closed_path"),
    [
        ("domain", "/tools/domain/domain_get_from_whois", "/tools/domain_get_from_whois"),
        ("plain", "/tools/domain_get_from_whois", "/tools/domain/domain_get_from_whois"),
    ],
)
def test_whois_paths(api: Api, emulator: Emulator, setting: str, open_path: str, closed_path: str) -> None:
    emulator.set(whois_path=setting)
    assert api.call("POST", open_path, data={"domain": "example.com"}).status_code == 200
    assert api.call("POST", closed_path, data={"domain": "example.com"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"no_such": 1}, "unknown setting"),
        ({"max_days": "many"}, "must be int"),
        ({"dcv_mode": "maybe"}, "must be one of"),
        ({"balance": "all"}, "balance must be a number"),
    ],
)
def test_wrong_settings_are_refused(emulator: Emulator, body: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        emulator.set(**body)


def test_readme_lists_every_setting(emulator: Emulator) -> None:
    readme = (Path(__file__).parents[1] / "emulator" / "README.md").read_text(encoding="utf-8")
    emulator.reset()
    for name, default in emulator.settings().items():
        if name != "balance":
            assert f"| `{name}` | `{json.dumps(default)}` |" in readme, name
