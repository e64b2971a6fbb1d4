# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arbitrary responses lead to a result or a `GogetsslError`, both without secrets.

GOGETSSL_FUZZ_EXAMPLES sets the number of examples of each test. GOGETSSL_FUZZ_SEED repeats a run.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client as _client
from ansible_collections.certops.gogetssl.plugins.module_utils._api import (
    models,
    orders,
    results,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import order_info
from tests.unit.scripted import FILE_DATA, KEY, PASSWORD, PEM, client, order_answer

EXAMPLES = int(os.environ.get("GOGETSSL_FUZZ_EXAMPLES", "300"))
SEED = int(os.environ.get("GOGETSSL_FUZZ_SEED", "0")) or random.SystemRandom().getrandbits(32)
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
REQUEST = models.OrderRequest(CSR, (("a.example.com", "http"),), -1, "SHA2", None, product_id=45, period=12)
STATUSES = {status.value for status in models.Status}

CALLS: dict[str, Callable[[orders.Api], Any]] = {
    "account": lambda api: api.account(),
    "ordered_since": lambda api: api.ordered_since("2026-11-01", 66),
    "orders_of_unpaid_invoices": lambda api: api.orders_of_unpaid_invoices(),
    "balance": lambda api: api.balance(),
    "total_orders": lambda api: api.total_orders(),
    "total_transactions": lambda api: api.total_transactions(),
    "invoices": lambda api: api.invoices(),
    "unpaid_invoices": lambda api: api.unpaid_invoices(),
    "invoices_between": lambda api: api.invoices_between("2026-01-01", None),
    "invoiced_since": lambda api: api.invoiced_since(dt.date(2026, 1, 2)),
    "invoice": lambda api: api.invoice(5),
    "products": lambda api: api.products(),
    "included_sans": lambda api: api.included_sans(68),
    "catalogue": lambda api: api.catalogue(),
    "product_details": lambda api: api.product_details(68),
    "one_product": lambda api: api.one_product(68),
    "prices": lambda api: api.prices(),
    "price": lambda api: api.prices(68),
    "agreement": lambda api: api.agreement(68),
    "webservers": lambda api: api.webservers(models.Family.SECTIGO),
    "csr_problem": lambda api: api.csr_problem(CSR, False),
    "generate_key": lambda api: api.generate_key({"csr_commonname": "a.example.com"}),
    "decode_csr": lambda api: api.decode_csr(CSR, True),
    "validate_csr": lambda api: api.validate_csr(CSR),
    "approver_emails": lambda api: api.approver_emails("example.com"),
    "geotrust_emails": lambda api: api.geotrust_emails("example.com"),
    "whois_emails": lambda api: api.whois_emails("example.com"),
    "alternative_validations": lambda api: api.alternative_validations(CSR, "shop.example.com"),
    "order": lambda api: api.order(7),
    "any_order": lambda api: api.any_order(7),
    "statuses": lambda api: api.statuses([7]),
    "orders_with_status": lambda api: api.orders_with_status("active"),
    "all_orders": lambda api: api.all_orders(),
    "unpaid_orders": lambda api: api.unpaid_orders(),
    "order_invoice": lambda api: api.order_invoice(7),
    "place": lambda api: api.place(REQUEST),
    "renew": lambda api: api.renew(REQUEST),
    "add_names": lambda api: api.add_names(7, 1, 0),
    "reissue": lambda api: api.reissue(7, REQUEST),
    "cancel": lambda api: api.cancel(7, "why"),
    "change_methods": lambda api: api.change_methods(7, {"a.example.com": "dns"}),
    "change_method": lambda api: api.change_method(7, "a.example.com", "dns"),
    "change_dcv": lambda api: api.change_dcv(7, "a.example.com", "admin@example.com"),
    "change_email": lambda api: api.change_email(7, "admin@example.com"),
    "revalidate": lambda api: api.revalidate(7, "a.example.com"),
    "resend": lambda api: api.resend(7, "a.example.com"),
    "resend_all": lambda api: api.resend_all(7),
    "recheck_caa": lambda api: api.recheck_caa(7),
    "lei_create": lambda api: api.lei_create({"legalName": "x"}),
    "lei_renew": lambda api: api.lei_renew(7, {"isLevel1DataSame": 1}),
    "lei_confirm": lambda api: api.lei_confirm(7, True),
    "lei_status": lambda api: api.lei_status(7),
    "lei_jurisdictions": lambda api: api.lei_jurisdictions(),
    "lei_lookup": lambda api: api.lei_lookup("x"),
}

# Values of the vendor, so that responses pass the first checks, and values that may break number and date parsers.
SPECIMENS: tuple[Any, ...] = (
    *("0000-00-00", "2026-13-45", "2026-01-01", "1e999999", "-1", "NaN", "٣", "²", "1,234.50", "21%", "yes", "active"),
    *("domain", "DV", "http", "dns", "../../etc/passwd", "a\r\nb", "\ud800", PEM, KEY, f"x {PASSWORD} y", "limbo"),
    *(0, 1, 2, -1, 10**30, 1.5, float("inf"), float("nan"), True, False, None, "", 7, "7"),
    *([], {}, [[]], {"http": FILE_DATA}, {"dns": {"record": "x.shop.example.com CNAME y.example.com"}}),
)
KEYS = sorted(
    {
        *order_answer(),
        *("orders", "certificates", "products", "product", "invoices", "invoice", "items", "id", "brand", "name"),
        *("prices", "product_prices", "product_price", "product_type", "wildcard_san", "12", "term", "base", "price"),
        *("period", "periods", "csrResult", "CN", "dnsName(s)", "Key Size", "errorMessage", "webservers", "software"),
        *("ComodoApprovalEmails", "validation", "http", "dns", "email", "san_name", "validation_method", "common_name"),
        *("balance", "currency", "tax_rate", "date", "total", "result", "jurisdictions", "legal_address", "lei_id"),
        *("product_id", "product_name", "dcv_dns", "san_enabled", "order_amount", "success", "error", "message"),
    }
)
LEAVES = st.sampled_from(SPECIMENS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


def nested(leaves: int) -> st.SearchStrategy[Any]:
    """JSON with at most this number of leaves, with keys of the vendor."""
    keys = st.sampled_from(KEYS) | st.text(max_size=5)
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=leaves,
    )


ANSWERS = nested(12)
# A real response with some changed fields passes most checks.
ORDERS = st.dictionaries(st.sampled_from(sorted(order_answer())), LEAVES | nested(4), max_size=3).map(
    lambda changes: {**order_answer(status="active"), **changes}
)
fuzz = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module", autouse=True)
def print_seed(request: pytest.FixtureRequest) -> None:
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nfuzzing with GOGETSSL_FUZZ_SEED={SEED} GOGETSSL_FUZZ_EXAMPLES={EXAMPLES}")


def call_api(how: Callable[[orders.Api], Any], body: bytes, status: int = 200) -> Any:
    """The result or the error. Any other exception fails the test."""
    limits = _client.Limits(attempts=1)
    vendor = client(limits=limits)
    answer = _client._Answer(status, None, "https://elsewhere.test/", body)
    with mock.patch.object(_client.Client, "_send", return_value=answer):
        try:
            found = how(orders.Api(vendor))
        except GogetsslError as error:
            found = error.message
    shown = repr(found)
    assert KEY not in shown
    assert PASSWORD not in shown
    return found


def methods_of_the_api() -> set[str]:
    """All public methods of `Api` that call the vendor."""
    public = {
        name for name, _function in inspect.getmembers(orders.Api, inspect.isfunction) if not name.startswith("_")
    }
    return public - {"login", "record_answers", "recorded_answers", "discard_catalogue", "discard_lists"}


def test_every_method_is_fuzzed() -> None:
    """A method added to `_api/` must be called above, so that its responses are fuzzed."""
    called = set()
    for how in CALLS.values():
        recorder = mock.create_autospec(orders.Api, instance=True)
        how(recorder)
        called |= {name for name, _given, _named in recorder.method_calls}
    assert called == methods_of_the_api()


def test_every_reader_is_used_by_a_method() -> None:
    """A reader that no method uses would not be fuzzed."""
    methods = ("account", "base", "lei", "order_answers", "orders", "products", "tools")
    files = [Path(orders.__file__).parent / f"{topic}.py" for topic in methods]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    readers = {node.name for node in nodes if isinstance(node, ast.FunctionDef) and re.match("_?read", node.name)}
    used = {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }
    assert len(readers) > 20
    assert readers <= used


@hypothesis.seed(SEED)
@fuzz
@given(answer=ANSWERS, name=st.sampled_from(sorted(CALLS)))
def test_any_json_to_any_method(answer: Any, name: str) -> None:
    call_api(CALLS[name], json.dumps(answer).encode())


@pytest.mark.parametrize("name", sorted(CALLS))
@hypothesis.seed(SEED)
@settings(fuzz, max_examples=max(20, EXAMPLES // 50))
@given(answer=ANSWERS)
def test_each_method(name: str, answer: Any) -> None:
    body = {"success": True, **answer} if isinstance(answer, dict) else answer
    call_api(CALLS[name], json.dumps(body).encode())


@hypothesis.seed(SEED)
@fuzz
@given(answer=ORDERS)
def test_an_order_with_changed_fields(answer: dict[str, Any]) -> None:
    found = call_api(CALLS["order"], json.dumps(answer).encode())
    if isinstance(found, str):
        return
    result = results.order_result(found)
    assert result["status"] in STATUSES
    assert result["status"] == str(answer["status"]).strip().lower()
    for validation in found.validations:
        assert "/" not in (validation.file_name or "")
        assert "\n" not in (validation.record or "") + (validation.value or "")


@hypothesis.seed(SEED)
@fuzz
@given(
    body=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    name=st.sampled_from(sorted(CALLS)),
    status=st.sampled_from([200, 302, 400, 403, 404, 429, 500, 503]),
)
def test_any_bytes(body: bytes, name: str, status: int) -> None:
    call_api(CALLS[name], body, status)


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_truncated_json(status: str) -> None:
    body = json.dumps(order_answer(status=status)).encode()
    for cut in range(len(body)):
        assert isinstance(call_api(CALLS["order"], body[:cut]), str)


@hypothesis.seed(SEED)
@fuzz
@given(text=st.text(max_size=30) | st.sampled_from([f"{KEY}", "Active ", "PENDING", "pendingx", "payment needed"]))
def test_an_unknown_status_is_never_pending(text: str) -> None:
    brief = order_info.brief_result(7, text)
    assert not brief["pending"] or text in STATUSES
    order = call_api(CALLS["order"], json.dumps(order_answer(status=text)).encode())
    assert isinstance(order, str) or text.strip().lower() in STATUSES
    lei = call_api(CALLS["lei_status"], json.dumps({"status": text, "success": True}).encode())
    assert isinstance(lei, str) or not lei["pending"] or lei["status"] == text.strip().lower()


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("depth", [60, 900, 100_000])
def test_deep_nesting(name: str, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"orders":', "}")):
        body = opening * depth + "1" + closing * depth
        assert isinstance(call_api(CALLS[name], body.encode()), str)
