# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's responses against known responses of the vendor: structure, types and texts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.testing import Emulator

from .helpers import Api, Web, make_csr
from .test_lei import make_lei

_SAMPLES = json.loads((Path(__file__).parent / "samples.json").read_text(encoding="utf-8"))["samples"]
_VALUES = ("captured", "documented-sample", "fragment")


def sample(path: str, kind: str = "", source: str = "") -> Any:
    found = [s for s in _SAMPLES if s["path"] == path and kind in s["kind"] and source in s["source"]]
    assert found, f"no sample of {path}"
    return found[0]["response"]


def assert_shape(real: Any, ours: Any, where: str = "answer") -> None:
    """Check that all keys of the sample exist with the same JSON type. An empty text matches any type."""
    if isinstance(real, dict):
        assert isinstance(ours, dict), where
        for key, value in real.items():
            assert key in ours, f"{where} lacks {key}"
            assert_shape(value, ours[key], f"{where}.{key}")
    elif isinstance(real, list):
        assert isinstance(ours, list), where
        for item in ours if real else []:
            assert_shape(real[0], item, f"{where}[]")
    elif real != "":
        assert type(ours) is type(real), f"{where} is {ours!r}, the sample has {real!r}"


def test_every_value_sample_is_used() -> None:
    """A sample added to the file needs a test: this test counts the samples that have one."""
    assert sum(s["kind"] in _VALUES for s in _SAMPLES) == 13


def test_auth_refusal_is_the_captured_one(emulator: Emulator) -> None:
    answer = requests.post(f"{emulator.url}/auth/", timeout=5)
    assert answer.status_code == 200
    assert answer.json() == sample("/auth/", "captured")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "and\\/or" in answer.text


def test_add_ssl_order_sample(api: Api) -> None:
    """A new emulator returns the numbers of the sample. Only values derived from the CSR differ."""
    real = sample("/orders/add_ssl_order/", "documented-sample")
    raw = api.order(66, "demo.gogetssl.com", period=3)
    ours = {key: raw[key] for key in real}
    assert_shape(real, ours)
    validation, expected = ours.pop("approver_method")["http"], real["approver_method"]["http"]
    assert ours == {key: value for key, value in real.items() if key != "approver_method"}
    for part in validation:
        assert _skeleton(validation[part]) == _skeleton(expected[part])


def _skeleton(text: str) -> str:
    """A text without its hashes and its unique value."""
    text = re.sub(r"[0-9A-F]{64}|[0-9a-f]{32}|[0-9A-F]{32}", "HASH", text)
    return re.sub(r"\bt\d{18,19}", "UNIQUE", text).replace("demo.gogetssl.com", "domain.tld")


def test_slashes_are_escaped_as_php_does(api: Api) -> None:
    form = {"csr": make_csr("demo.gogetssl.com")}
    text = api.call("POST", "/tools/domain/alternative/", data=form).text
    assert '"link":"http:\\/\\/demo.gogetssl.com\\/.well-known\\/pki-validation\\/' in text


@pytest.mark.parametrize("product", [66, 68])
def test_documented_requests_are_accepted(api: Api, emulator: Emulator, product: int) -> None:
    """The two requests of the vendor's page, except the CSR, sent as multipart like PHP does."""
    request = next(s["request"] for s in _SAMPLES if s.get("request", {}).get("product_id") == product)
    form = {**request, "csr": make_csr("gogetssl.com")}
    files = {name: (None, str(value)) for name, value in form.items()}
    answer = api.call("POST", "/orders/add_ssl_order", files=files).json()
    assert answer["success"] is True, answer
    assert answer["approver_method"] == {"email": "admin@gogetssl.com"}
    if product == 68:
        assert [item["validation_method"] for item in answer["san"]] == ["email", "dns", "http"]


def test_statuses_sample(api: Api, emulator: Emulator) -> None:
    emulator.set(dcv_mode="pass")
    done = api.order(66, "a.example.com")
    emulator.wait_for(done["order_id"])
    emulator.set(dcv_mode="real")
    waiting = api.order(66, "b.example.com")
    real = sample("/orders/statuses/", "documented-sample")
    ours = api.post("/orders/statuses/", {"cids": f"{waiting['order_id']},{done['order_id']},1"})
    assert list(ours) == list(real)
    assert_shape(real["certificates"][0], ours["certificates"][0])
    assert_shape(real["certificates"][1], ours["certificates"][1])
    assert "expires" not in ours["certificates"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", ours["certificates"][1]["expires"])
    assert_shape(real["time_stamp"], ours["time_stamp"])


def test_invalid_email_is_the_captured_one(api: Api) -> None:
    assert api.order(66, "a.example.com", admin_email="nobody") == sample("/orders/add_ssl_order/", "captured")


@pytest.mark.parametrize("method", ["http", "dns"])
def test_change_validation_email_samples(api: Api, method: str) -> None:
    path = "/orders/ssl/change_validation_email/{order_id}"
    real = next(s["response"] for s in _SAMPLES if s["path"] == path and method in s["response"])
    order = api.order(66, "domain.tld", dcv_method="email", approver_email="admin@domain.tld")
    ours = api.post(f"/orders/ssl/change_validation_email/{order['order_id']}", {"approver_email": method})
    assert_shape(real, ours)
    for part, text in real[method].items():
        assert _skeleton(ours[method][part]) == _skeleton(text)


@pytest.mark.parametrize("shape", ["bare", "wrapped"])
def test_alternative_samples(api: Api, emulator: Emulator, shape: str) -> None:
    emulator.set(alternative_shape=shape)
    ours = api.post("/tools/domain/alternative/", {"csr": make_csr("domain.tld")})
    if shape == "wrapped":
        assert_shape(sample("/tools/domain/alternative/", "schema-only"), ours)
        ours = {method: validation[method] for method, validation in ours["validation"].items()}
    for method in ("http", "https"):
        path = "/tools/domain/alternative/"
        real = next(s["response"] for s in _SAMPLES if s["path"] == path and list(s["response"]) == [method])
        assert {k: _skeleton(v) for k, v in ours[method].items()} == {k: _skeleton(v) for k, v in real[method].items()}


def test_lei_status_sample(api: Api, emulator: Emulator) -> None:
    order = make_lei(api)
    emulator.advance(seconds=2)
    real = sample("/lei/status/{order_id}", "documented-sample")
    ours = api.get(f"/lei/status/{order['order_id']}")
    assert_shape(real, ours)
    assert {key: ours[key] for key in ("lei_id", "status", "product_id")} == {
        key: real[key] for key in ("lei_id", "status", "product_id")
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", ours["valid_from"])
    assert re.fullmatch(r"[0-9A-F]{18}\d\d", ours["lei_number"])


def test_digicert_record_fragment(api: Api) -> None:
    """The name with a trailing dot, three spaces around IN and TXT, and a quoted token of 32 characters."""
    real = sample("/orders/status/{order_id}", "fragment")["approver_method"]["dns"]["record"]
    order = api.order(31, "freecerts.site", dcv_method="dns", webserver_type=18)
    ours = api.status(order["order_id"])["approver_method"]["dns"]["record"]
    pattern = r'(\S+\.)   IN   TXT   "(_[a-z0-9]{31})"'
    assert re.fullmatch(pattern, real)
    assert re.fullmatch(pattern, ours)
    assert ours.split()[0] == real.split()[0]


def test_bad_key_fragment(emulator: Emulator) -> None:
    answer = requests.get(f"{emulator.url}/account/balance/", params={"auth_key": "wrong"}, timeout=5)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Auth key is not valid"


@pytest.mark.parametrize("path", ["/no/such/path/", "/orders/add_ssl_order/", "/orders/statuses/", "/auth"])
def test_unknown_method_fragment(api: Api, path: str) -> None:
    """Unknown with and without a key. A GET on a POST-only path is unknown too."""
    answer = api.call("GET", path)
    assert answer.status_code == 404
    assert answer.json()["message"].startswith("The requested method")


@pytest.mark.parametrize("status", ["cancelled", "incomplete", "new_order", "unpaid", "pending", "reissue"])
def test_unsupported_status_filter(api: Api, status: str) -> None:
    assert api.get("/orders/", status=status)["message"] == "Not supported status"


@pytest.mark.parametrize("status", ["active", "processing", "expired", "rejected", "revoked"])
def test_supported_status_filter(api: Api, status: str) -> None:
    assert api.get("/orders/", status=status) == []


def test_known_error_texts(api: Api) -> None:
    wifi = api.order(66, "kasihcyber.wifi")
    assert wifi["message"].startswith("Common name(kasihcyber.wifi) from your CSR is invalid. Please provide")
    assert api.order(66, "a.example.com", period=7)["message"] == (
        "Validity Period is not supported. Please specify correct validity period in months for current product"
    )
    empty = api.order(66, "a.example.com", dcv_method="email", path="/orders/add_ssl_renew_order/")
    assert empty["message"] == "Wrong approver email() for *"
    order = api.order(66, "a.example.com")
    sans = api.post(
        "/orders/add_ssl_san_order/",
        {
            "order_id": order["order_id"],
            "count": 2,
            "single_san_count": 1,
            "wildcard_san_count": 1,
        },
    )
    assert sans["message"] == "The product GoGetSSL Domain SSL does not support SAN`s"
    wildcard = api.post("/tools/csr/decode/", {"csr": make_csr("*.futuregame.com.tw")})
    assert wildcard["csrResult"]["errorMessage"] == (
        "The Common Name (Domain Name: *.futuregame.com.tw) may not contain a *. "
        "Please buy Wildcard SSL Certificate for that CSR"
    )


_SCHEMAS = [
    ("POST", "/tools/domain/emails/geotrust", {"domain": "example.com"}),
    ("POST", "/tools/domain/domain_get_from_whois", {"domain": "example.com"}),
    ("GET", "/products/", {}),
    ("GET", "/account/total_orders/", {}),
    ("POST", "/tools/csr/generate/", {"csr_commonname": "example.com", "csr_country": "LV"}),
]


@pytest.mark.parametrize(("method", "path", "form"), _SCHEMAS)
def test_schema_only_samples(api: Api, method: str, path: str, form: dict[str, str]) -> None:
    real = sample(path, "schema-only")
    assert_shape(real, api.post(path, form) if method == "POST" else api.get(path))


def test_csr_schema_without_its_error(api: Api) -> None:
    for path in ("/tools/csr/decode/", "/tools/csr/validate/"):
        real = sample(path, "schema-only")
        del real["csrResult"]["errorMessage"]
        ours = api.post(path, {"csr": make_csr("example.com")})
        assert_shape(real, ours)
        assert "errorMessage" not in ours["csrResult"]


def test_order_schemas(api: Api, web: Web, emulator: Emulator) -> None:
    """An order of two names is placed, read, listed and reissued."""
    sans = {"dns_names": "www.example.com", "approver_emails": "http"}
    order = api.order(68, "a.example.com", **sans)
    assert_shape(sample("/orders/add_ssl_order/", "schema-only"), order)
    assert_shape(sample("/orders/status/{order_id}", "schema-only"), api.status(order["order_id"]))
    assert_shape(sample("/orders/", "schema-only"), api.get("/orders/"))
    emulator.force(order["order_id"], action="validate")
    emulator.wait_for(order["order_id"])
    csr = make_csr("a.example.com")
    changed = {**sans, "csr": csr, "dcv_method": "dns", "approver_emails": "dns"}
    again = api.post(f"/orders/ssl/reissue/{order['order_id']}", changed)
    assert_shape(sample("/orders/ssl/reissue/{order_id}", "schema-only"), again)
    cancelled = api.post("/orders/cancel_ssl_order/", {"order_id": order["order_id"], "reason": "test"})
    assert_shape(sample("/orders/cancel_ssl_order/", "schema-only"), cancelled)
