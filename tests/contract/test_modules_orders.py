# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing, validating and cancelling orders with the collection's tasks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._api import api_task
from ansible_collections.certops.gogetssl.plugins.module_utils._core import task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv, order, order_info
from tests.emulator.model import Name, Order
from tests.emulator.state import Store
from tests.emulator.testing import Emulator

from .helpers import Api
from .tasks import run
from .test_exactly_once import run_shell

ORDERS = 2000
MOST_REQUESTS = 25
_STATUSES = ("active", "active", "active", "expired", "cancelled", "processing")


def _fill(folder: Path) -> None:
    """Write two thousand orders to the state of a stopped emulator."""
    store = Store(folder / "state.sqlite")
    now = time.time()
    with store.transaction():
        for number in range(ORDERS):
            status = _STATUSES[number % len(_STATUSES)]
            issued = status in ("active", "expired")
            store.save_order(
                Order(
                    id=700_000 + number,
                    product_id=66,
                    created=now - 1000,
                    period=12,
                    csr="",
                    unique="",
                    fields={},
                    names=[Name(f"n{number}.example.com", "http")],
                    net=100,
                    single_slots=0,
                    wildcard_slots=0,
                    status=status,
                    paid_at=now - 1000,
                    next_check=now + 86400,
                    not_before=now - 1000 if issued else 0.0,
                    not_after=now + 86400 * 100 if issued else 0.0,
                    end=now + 86400 * 300 if issued else 0.0,
                )
            )
    store.close()


@pytest.mark.parametrize("shape", ["array", "object"])
def test_two_thousand_orders_need_few_requests(tmp_path: Path, shape: str) -> None:
    with Emulator(state=tmp_path):
        pass
    _fill(tmp_path)
    with Emulator(state=tmp_path) as emulator:
        emulator.set(orders_shape=shape)
        emulator.clear_requests()
        start = time.monotonic()
        result = run(emulator, order_info.TASK, all=True)
        seconds = time.monotonic() - start
        requests = emulator.requests()
    print(f"{len(result['orders'])} orders: {len(requests)} requests with the login, {seconds:.2f} s")
    assert len(requests) <= MOST_REQUESTS
    assert len(result["orders"]) == ORDERS
    assert all(one["common_name"] and one["status"] for one in result["orders"])
    valid = [one for one in result["orders"] if one["valid_till"]]
    assert result["complete"] is False  # the maximum of the list of all orders, so there may be more
    assert len(valid) == sum(one["status"] in ("active", "expired") for one in result["orders"])


def test_unpaid_orders_and_an_invoice(emulator: Emulator, api: Api) -> None:
    paid = api.order(66, "a.example.com")["order_id"]
    emulator.set(balance=0)
    unpaid = api.order(66, "b.example.com")["order_id"]
    result = run(emulator, order_info.TASK, order_ids=[paid], unpaid=True, include_invoice=True, raw=True)
    assert [one["order_id"] for one in result["unpaid"]] == [unpaid]
    assert result["orders"][0]["invoice"]["status"] == "paid"
    assert result["raw"][0]["call"] == "POST /orders/statuses/"


@pytest.mark.parametrize("revoked", [True, False])
def test_filters_by_name_and_product(emulator: Emulator, api: Api, revoked: bool) -> None:
    emulator.set(revoked_filter=revoked)
    try:
        first = api.order(66, "a.example.com")["order_id"]
        api.order(45, "b.example.com")
        found = run(emulator, order_info.TASK, all=True, name="*.example.com")["orders"]
        assert found == []
        found = run(emulator, order_info.TASK, all=True, name="?.example.com", product_id=66)["orders"]
        assert [one["order_id"] for one in found] == [first]
    finally:
        emulator.set(revoked_filter=True)


@pytest.mark.parametrize("verbs", ["both", "get", "post"])
def test_mails_and_caa_records(emulator: Emulator, api: Api, verbs: str) -> None:
    emulator.set(acting_gets=verbs)
    try:
        fields = {"dcv_method": "email", "approver_email": "admin@example.com", "approver_emails": "admin@example.com"}
        order_id = api.order(68, "a.example.com", dns_names="b.example.com", **fields)["order_id"]
        mails = len(emulator.control("GET", "outbox")["mails"])
        result = run(emulator, dcv.TASK, order_ids=[order_id], resend_email=True)
        assert result["requested"] == ["a.example.com", "b.example.com"]
        assert len(emulator.control("GET", "outbox")["mails"]) == mails + 2
        first = run(emulator, dcv.TASK, order_ids=[order_id], recheck_caa=True)
        second = run(emulator, dcv.TASK, order_ids=[order_id], recheck_caa=True)
        assert (first["changed"], second["changed"], len(second["deferred"])) == (True, False, 1)
        emulator.advance(seconds=601)
        assert run(emulator, dcv.TASK, order_ids=[order_id], recheck_caa=True)["changed"]
    finally:
        emulator.set(acting_gets="both")


@pytest.mark.parametrize("shape", ["string", "object"])
def test_one_mail_and_another_approver(emulator: Emulator, api: Api, shape: str) -> None:
    emulator.set(email_shape=shape)
    try:
        order_id = api.order(66, "a.example.com", dcv_method="email", approver_email="admin@example.com")["order_id"]
        options = {"order_ids": [order_id], "methods": {"a.example.com": "webmaster@example.com"}}
        result = run(emulator, dcv.TASK, **options)
        assert result["validations"][0]["email"] == "webmaster@example.com"
        assert run(emulator, dcv.TASK, resend_email=True, **options)["requested"] == ["a.example.com"]
        assert not run(emulator, dcv.TASK, **options)["changed"]
    finally:
        emulator.set(email_shape="string")


@pytest.mark.parametrize("shape", ["all", "order_id", "message"])
def test_cancelling_twice(emulator: Emulator, api: Api, shape: str) -> None:
    emulator.set(cancel_shape=shape)
    try:
        order_id = api.order(66, "a.example.com")["order_id"]
        options = {"certificates": [], "order_ids": [order_id], "state": "cancelled", "reason": "a test"}
        first = run(emulator, order.TASK, **options)
        assert (first["changed"], first["cancelled"][0]["within_refund"]) == (True, True)
        assert run(emulator, order.TASK, **options)["changed"] is False
        emulator.advance(days=2)
        third = run(emulator, order.TASK, **options)
        assert (third["changed"], third["cancelled"][0]["status"]) == (False, "cancelled")
    finally:
        emulator.set(cancel_shape="all")


def test_a_cancellation_with_a_lost_response(emulator: Emulator, api: Api) -> None:
    order_id = api.order(66, "a.example.com")["order_id"]
    emulator.fault(path="/orders/cancel_ssl_order", when="after", kind="reset")
    options = {"certificates": [], "order_ids": [order_id], "state": "cancelled", "reason": "a test"}
    emulator.clear_requests()
    with pytest.raises(GogetsslError, match="Run again") as caught:
        run(emulator, order.TASK, **options)
    assert caught.value.kind is Kind.UNCERTAIN
    assert sum("cancel_ssl_order" in call["path"] for call in emulator.requests()) == 1
    assert run(emulator, order.TASK, **options)["changed"] is False


def _active(emulator: Emulator, order_id: int) -> None:
    deadline = time.monotonic() + 20
    while run(emulator, order_info.TASK, order_ids=[order_id])["pending"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_reissue_more_names_and_renewal(emulator: Emulator, tmp_path: Path) -> None:
    """The paid steps after the first purchase, each with the order task in a new directory."""
    emulator.set(dcv_mode="pass", max_days=398)
    try:
        names = ["a.example.com", "b.example.com"]
        first = _step(emulator, tmp_path, names)
        assert first["step"] == "buy"
        more = [*names, "c.example.com"]
        assert _step(emulator, tmp_path, more)["step"] == "reissue"
        many = [f"{letter}.example.com" for letter in "abcdefg"]
        added = _step(emulator, tmp_path, many, spend=["buy", "add_names"])
        assert (added["step"], added["order_id"]) == ("add_names", first["order_id"])
        emulator.advance(days=355)
        renewed = _step(emulator, tmp_path, many, days=355)
        assert (renewed["step"], renewed["order_id"] != first["order_id"]) == ("renew", True)
        assert [one["kind"] for one in emulator.ledger()["charges"]] == ["buy", "san", "renew"]
    finally:
        emulator.set(dcv_mode="real", max_days=199)


def _step(emulator: Emulator, folder: Path, names: list[str], days: int = 0, **options: Any) -> dict[str, Any]:
    """Stage a new key for the names, run the order task and wait for the certificate."""
    staged = folder / "shop" / "staged"
    staged.mkdir(parents=True, exist_ok=True)
    key = x509.new_key("ecdsa-p256")
    csr = x509.new_request(key, names)
    (staged / "privkey.pem").write_bytes(key)
    (staged / "request.csr").write_text(csr)
    person = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}
    given = {
        "certificates": [{"name": "shop", "names": names, "product": "68"}],
        "directory": str(folder),
        "requests": [{"name": "shop", "csr": csr}],
        "admin": person,
        **options,
        "api_url": emulator.url,
        "api_user": emulator.user,
        "api_password": emulator.password,
    }
    checked = ArgumentSpecValidator(order.TASK.argument_spec).validate(given)
    assert not checked.error_messages
    params = checked.validated_parameters
    context = task.Context(
        params, False, run_shell, lambda: api_task.open_api(params), print, now=lambda: time.time() + days * 86400
    )
    result = order.TASK.run(context)
    (entry,) = result["orders"]
    _active(emulator, entry["order_id"])
    found: dict[str, Any] = entry
    return found


@pytest.mark.parametrize(
    ("change_by", "method", "paths"),
    [
        ("auto", "dns", ["change_domains_validation_method"]),
        ("all", "dns", ["change_domains_validation_method"]),
        ("each", "https", ["change_validation_method"] * 2),
        ("dcv", "dns", ["change_dcv"] * 2),
        ("dcv", "admin@example.com", ["change_dcv"] * 2),
    ],
)
def test_changing_by_each_of_the_vendors_methods(
    emulator: Emulator, api: Api, change_by: str, method: str, paths: list[str]
) -> None:
    names = ["a.example.com", "b.example.com"]
    order_id = api.order(68, names[0], dns_names=names[1], approver_emails="http")["order_id"]
    emulator.clear_requests()
    options = {"order_ids": [order_id], "methods": dict.fromkeys(names, method), "wait": 0, "change_by": change_by}
    result = run(emulator, dcv.TASK, raw=True, **options)
    assert result["changed"] is True
    assert {validation["email"] or validation["method"] for validation in result["validations"]} == {method}
    assert [one["path"].split("/")[-2] for one in emulator.requests() if "change" in one["path"]] == paths
    assert result["raw"][-1]["body"]["dcv_method"] == ("email" if "@" in method else method)
    assert run(emulator, dcv.TASK, **options)["changed"] is False
