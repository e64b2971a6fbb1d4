# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator returns the API's JSON for arbitrary requests and never an internal error.

GOGETSSL_EMULATOR_FUZZ_EXAMPLES sets the number of examples for each fuzz test in this file. GOGETSSL_FUZZ_SEED repeats
a run.
"""

from __future__ import annotations

import concurrent.futures
import json
import logging
import os
import random
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from tests.emulator import app, routes
from tests.emulator.backend import Backend
from tests.emulator.ca import CertificateAuthority
from tests.emulator.network import Network
from tests.emulator.state import Store
from tests.emulator.testing import Emulator

from .helpers import Api, contacts, make_csr
from .test_lei import _FORM as LEI_FORM

EXAMPLES = int(os.environ.get("GOGETSSL_EMULATOR_FUZZ_EXAMPLES", "300"))
SEED = int(os.environ.get("GOGETSSL_FUZZ_SEED", "0")) or random.SystemRandom().getrandbits(32)
fuzz = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck)
)

CSR = make_csr("a.example.com")
ORDER = {
    "product_id": "134",
    "period": "12",
    "csr": CSR,
    "server_count": "-1",
    "webserver_type": "-1",
    "dcv_method": "http",
    "dns_names": "",
    "approver_emails": "",
    "approver_email": "admin@example.com",
    "unique_code": "abcdefghijklmnop",
    **contacts("ov"),
    "org_lei": "98450090FE38E6Q47A33",
}
FIELDS = sorted(
    {
        *ORDER,
        *LEI_FORM,
        *("user", "pass", "auth_key", "order_id", "reason", "cids", "status", "limit", "offset", "domain", "domains"),
        *("new_method", "new_methods", "domain_name", "san_approval[0][name]", "san_approval[0][method]", "count"),
        *("single_san_count", "wildcard_san_count", "date_from", "date_till", "query", "confirm", "wildcard", "brand"),
        *(
            "csr_commonname",
            "csr_country",
            "csr_organization",
            "csr_email",
            "isLevel1DataSame",
            "test",
            "only_validate",
        ),
    }
)
# Existing IDs, overflowing numbers, non-ASCII digits, dates at the calendar's limits, and all kinds of names.
SPECIMENS = (
    *(
        "783956",
        "0",
        "-1",
        "1",
        "68",
        "99999999999999999999",
        "9" * 5000,
        "٣",
        "²",
        "1e9",
        "1_000",
        "0x10",
        "+5",
        " 7 ",
    ),
    *("0001-01-01", "9999-12-31", "2026-13-45", "true", "Y", "email", "HTTP", "dns", "a.example.com", "*.example.com"),
    *("a.example.com,b.example.com", ",,,", "bücher.example.com", "xn--\u00fc", "a" * 64 + ".example.com", "Я" * 64),
    *("192.0.2.1", "2001:db8::1", "[::1]", "..", "\x00", "\r\n", "\ufeff", "%", "'; drop table orders; --", "é", "éé"),
    *("LV", "admin@example.com", "@", "x" * 70_000, CSR, CSR.replace("\n", "\r\n"), CSR[:200], "active", "comodo"),
)
VALUES = st.sampled_from(SPECIMENS) | st.text(max_size=40) | st.integers().map(str)
NAMES = st.sampled_from(FIELDS) | st.text(max_size=10)
FORMS = st.dictionaries(NAMES, VALUES, max_size=8)
IDS = st.sampled_from(("783956", "783957", "783958", "1", "68", "35", *SPECIMENS[:14])) | st.text(max_size=8)


class Vendor:
    """The emulator in this process, with orders of several kinds."""

    def __init__(self, directory: Path) -> None:
        store = Store(directory / "state.sqlite")
        self.backend = Backend(store, CertificateAuthority(directory / "ca"), Network(9, 9, "", {}))
        self.backend.change_settings({"dcv_mode": "pass", "issuance_delay": 0.0, "json_bodies": True})
        self.client = Client(app.create(self.backend))
        login = {"user": self.backend.user, "pass": self.backend.password}
        self.key = self.send("POST", "/auth/", login).get_json()["key"]
        self.start()

    def start(self) -> None:
        """Create an active order, a pending order and an LEI order."""
        self.backend.store.clear()
        with self.backend.store.transaction():
            self.backend.store.set_meta("balance", 100_000_00)
            self.backend.store.add_key(self.key, self.backend.now() + 10**8)
        for product, name in (("66", "a.example.com"), ("134", "b.example.com")):
            form = {**ORDER, "product_id": product, "csr": make_csr(name), "unique_code": ""}
            assert self.send("POST", "/orders/add_ssl_order/", form).get_json()["success"] is True
        assert self.send("POST", "/orders/lei/create/", LEI_FORM).get_json()["success"] is True

    def send(self, method: str, path: str, form: Any = None, **options: Any) -> TestResponse:
        options.setdefault("query_string", {"auth_key": getattr(self, "key", "")})
        return self.client.open("/api" + path, method=method, data=form, **options)


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    return Vendor(tmp_path_factory.mktemp("vendor"))


@pytest.fixture(autouse=True)
def no_bug_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.ERROR)
    yield
    assert [record.getMessage() for record in caplog.records] == []


@pytest.fixture(scope="module", autouse=True)
def print_seed(request: pytest.FixtureRequest) -> None:
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nfuzzing with GOGETSSL_FUZZ_SEED={SEED} GOGETSSL_EMULATOR_FUZZ_EXAMPLES={EXAMPLES}")


def assert_proper(answer: TestResponse) -> Any:
    """Check that a response has the API's format. Return its body."""
    assert answer.status_code in (200, 403, 404), answer.text
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    text = answer.get_data(as_text=True)
    assert text.isascii()
    assert not re.search(r"Traceback|sqlite|werkzeug|Internal error|(?<!\\)/", text)
    body = json.loads(text)
    if isinstance(body, dict) and body.get("error"):
        assert body["error"] is True
        assert body["message"]
        assert body["description"]
    else:
        assert answer.status_code == 200
    return body


def route_path(route: routes.Route, order_id: str) -> str:
    # Without characters that would change or end the path.
    return route.path.replace("<id>", re.sub(r"[/?#%]", "", order_id) or "1")


@pytest.mark.slow
@hypothesis.seed(SEED)
@fuzz
@given(route=st.sampled_from(routes.ROUTES), order_id=IDS, form=FORMS, in_query=st.booleans())
def test_any_form_to_any_method(vendor: Vendor, route: routes.Route, order_id: str, form: Any, in_query: bool) -> None:
    path = route_path(route, order_id)
    if in_query:
        answer = vendor.send("POST", path, query_string={"auth_key": vendor.key, **form})
    else:
        answer = vendor.send("POST", path, form)
    assert_proper(answer)
    if route.verbs == "GET" or route.verbs == "BOTH":
        assert_proper(vendor.send("GET", path, query_string={"auth_key": vendor.key, **form}))


@pytest.mark.slow
@hypothesis.seed(SEED)
@fuzz
@given(
    changes=st.dictionaries(st.sampled_from(sorted(ORDER)), VALUES, max_size=4),
    product=st.sampled_from(["31", "45", "66", "67", "68", "134", "139", "144", "42", "39", "65"]),
    path=st.sampled_from(["/orders/add_ssl_order/", "/orders/add_ssl_renew_order", "/orders/ssl/reissue/783956"]),
)
def test_an_order_with_changed_fields(vendor: Vendor, changes: dict[str, str], product: str, path: str) -> None:
    """An accepted order must also be issued, listed and read."""
    vendor.start()
    placed = assert_proper(vendor.send("POST", path, {**ORDER, "product_id": product, **changes}))
    vendor.backend.advance(1)
    order_id = placed.get("order_id", 783956)
    vendor.client.post(f"/_emulator/orders/{order_id}", json={"action": "pass"})
    vendor.backend.advance(1)
    status = assert_proper(vendor.send("GET", f"/orders/status/{order_id}"))
    if placed.get("success") and "order_id" in placed and placed["order_status"] != "unpaid":
        assert status["status"] == "active"
    for listing in ("/orders/", "/orders/ssl/all/", "/invoice/", "/account/total_orders"):
        assert_proper(vendor.send("GET", listing))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(SPECIMENS) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@hypothesis.seed(SEED)
@fuzz
@given(route=st.sampled_from(routes.ROUTES), order_id=IDS, body=JSON)
def test_any_json_to_any_method(vendor: Vendor, route: routes.Route, order_id: str, body: Any) -> None:
    assert_proper(vendor.send("POST", route_path(route, order_id), json.dumps(body), content_type="application/json"))


_MULTIPART = "multipart/form-data; boundary=x"
TYPES = (
    "application/x-www-form-urlencoded",
    _MULTIPART,
    "multipart/form-data",
    "application/json",
    "text/xml",
    "",
    "é/ü",
)


@pytest.mark.slow
@hypothesis.seed(SEED)
@fuzz
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]),
    path=st.text(max_size=30) | st.sampled_from([route.path for route in routes.ROUTES]),
    body=st.binary(max_size=300)
    | st.sampled_from([b"a=%", b"a=%zz&b=\xff", b"--x\r\nContent-Disposition: form-data; na"]),
    content_type=st.sampled_from(TYPES),
)
def test_arbitrary_requests(vendor: Vendor, method: str, path: str, body: bytes, content_type: str) -> None:
    path = "/" + path.replace("?", "").replace("#", "").lstrip("/")
    answer = vendor.send(method, path, body, content_type=content_type.encode("ascii", "ignore").decode())
    assert_proper(answer)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/account/balance/", "/orders/add_ssl_order/", "/no/such"])
def test_other_verbs_are_unknown_methods(vendor: Vendor, method: str, path: str) -> None:
    answer = vendor.send(method, path)
    assert (answer.status_code, assert_proper(answer)["message"][:20]) == (404, "The requested method")


def test_too_deeply_nested_json_is_an_empty_form(vendor: Vendor) -> None:
    body = '{"cids":' + "[" * 100_000 + "]" * 100_000 + "}"
    answer = assert_proper(vendor.send("POST", "/orders/statuses/", body, content_type="application/json"))
    assert "cids" in answer["message"]


# Over a socket


@pytest.mark.parametrize("megabytes", [2, 10, 30])
def test_a_large_form(api: Api, megabytes: int) -> None:
    """A form up to PHP's limit is read. A larger form is dropped, so a field is missing."""
    form = {"cids": "1", "rest": "x" * (megabytes << 20)}
    answer = api.call("POST", "/orders/statuses/", data=form)
    assert answer.status_code == 200
    assert ("success" in answer.json()) is (megabytes < 8)
    assert api.call("POST", "/no/such/path", data=form).status_code == 404
    parts = {name: (None, value) for name, value in form.items()}
    assert ("success" in api.call("POST", "/orders/statuses/", files=parts).json()) is (megabytes < 8)


@pytest.mark.parametrize(
    "request_text",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /api/auth/ HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/auth/ HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /api/auth/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /api/account/balance/?auth_key=%ff%fe HTTP/1.0\r\n\r\n",
        b"GET /api/" + b"a" * 60_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed_http(api: Api, emulator: Emulator, request_text: bytes) -> None:
    """A malformed request does not affect the next client."""
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port), 10) as wire:
        wire.sendall(request_text)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        while part := wire.recv(65536):
            answer += part
    assert b"Traceback" not in answer
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert api.get("/account/balance")["success"] is True


def test_a_hanging_client_does_not_block_others(api: Api, emulator: Emulator) -> None:
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port), 10) as wire:
        wire.sendall(b"POST /api/auth/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nuser=")
        started = time.monotonic()
        assert api.get("/account/balance")["success"] is True
        assert time.monotonic() - started < 5


def test_many_concurrent_clients(api: Api, emulator: Emulator) -> None:
    """25 parallel status calls, as one client sends them (API reference 1.8), while orders are placed and issued."""
    emulator.set(dcv_mode="pass")
    ids = [api.order(66, f"n{i}.example.com")["order_id"] for i in range(5)]

    def one(number: int) -> bool:
        if number % 10 == 0:
            return api.order(66, f"m{number}.example.com")["success"] is True
        return api.status(ids[number % 5])["order_id"] == str(ids[number % 5])

    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        assert all(pool.map(one, range(200)))
    assert len(emulator.ledger()["charges"]) == 25


def test_an_account_of_5000_orders(vendor: Vendor) -> None:
    """The orders are written to the store, as the API is too slow for that, and read through the API in pages."""
    vendor.start()
    backend = vendor.backend
    with backend.store.transaction():
        order = backend.store.order(783956)
        invoice = backend.store.invoices(783956)[0]
        assert order is not None
        for number in range(5000):
            order.id, invoice.id, invoice.order_id = 800_000 + number, 700_000 + number, 800_000 + number
            backend.store.save_order(order)
            backend.store.save_invoice(invoice)
    started = time.monotonic()
    assert len(assert_proper(vendor.send("GET", "/orders/"))) == 5002
    last = assert_proper(vendor.send("GET", "/orders/ssl/all/", query_string={"auth_key": vendor.key, "limit": 5000}))
    assert (last["limit"], last["count"]) == (1000, 1000)
    ids = ",".join(str(800_000 + number) for number in range(5000))
    assert len(assert_proper(vendor.send("POST", "/orders/statuses/", {"cids": ids}))["certificates"]) == 5000
    assert len(assert_proper(vendor.send("GET", "/invoice/"))["invoices"]) == 5003
    assert assert_proper(vendor.send("GET", "/account/total_orders/"))["total_orders"] >= 5000
    for number in range(100):
        assert assert_proper(vendor.send("GET", f"/orders/status/{800_000 + number}"))["success"] is True
    # This takes seconds on a busy machine. Reading the whole table for each order would take minutes.
    assert time.monotonic() - started < 60
