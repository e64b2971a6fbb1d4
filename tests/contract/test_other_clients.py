# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients like those of other integrations against the emulator, which must support them (API reference 12)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509

from tests.emulator.testing import Emulator

from .clients import agent, classic, dashboard, posting, service, watch, whmcs
from .helpers import FOLDER, Names, Web, contacts, make_csr
from .test_validation import names_of


def account(emulator: Emulator) -> tuple[str, str, str]:
    return emulator.url, emulator.user, emulator.password


# The vendor's billing module


@pytest.fixture
def billing(emulator: Emulator) -> whmcs.SSLCenterApi:
    api = whmcs.SSLCenterApi(*account(emulator))
    api.auth()
    return api


def test_whmcs_reads_products_strictly(billing: whmcs.SSLCenterApi) -> None:
    plain, multi, wild, business = (whmcs.Product(billing, number) for number in (66, 68, 139, 134))
    assert (plain.sans, plain.organisation, plain.wildcard_sans) == (False, False, False)
    assert (multi.sans, multi.wildcard_sans, wild.wildcard_sans, business.organisation) == (True, False, True, True)
    assert (plain.webserver, whmcs.Product(billing, 31).webserver) == (-1, 18)
    assert plain.periods[0] in (3, 12)
    assert plain.methods == ["email", "dns", "http", "https"]
    assert whmcs.Product(billing, 67).methods == ["email", "dns"]


def test_whmcs_orders_extends_and_reissues(
    billing: whmcs.SSLCenterApi, emulator: Emulator, web: Web, names: Names
) -> None:
    """An order by multipart with three validation methods, which is validated, extended and reissued."""
    emulator.set(dcv_interval=0.1)
    product = whmcs.Product(billing, 68)
    sans = {"dns_names": "b.example.com,c.example.com", "approver_emails": "dns,admin@example.com"}
    csr = make_csr("a.example.com")
    added = whmcs.order(billing, product, csr, contacts(), dcv_method="http", **sans)
    status = billing.call(f"/orders/status/{added['order_id']}", {})
    shown = whmcs.instructions(status)
    assert shown["a.example.com"].startswith("http://a.example.com/.well-known/pki-validation/")
    assert shown["c.example.com"] == "admin@example.com"
    name, target = shown["b.example.com"].split(" cname ".upper())
    web.publish("a.example.com", status["approver_method"]["http"])
    names.records[name, "CNAME"] = [f"{target}."]
    emulator.approve("c.example.com")
    emulator.wait_for(added["order_id"])

    assert whmcs.buy_sans(billing, added["order_id"], 1, 0)["order_id"] == added["order_id"]
    sans = {"dns_names": "b.example.com,c.example.com,d.example.com", "approver_emails": "http,http,http"}
    again = whmcs.reissue(billing, added["order_id"], csr=csr, dcv_method="http", webserver_type=-1, **sans)
    assert again["order_status"] == "reissue"
    with pytest.raises(whmcs.ApiException, match="Only active orders"):
        whmcs.reissue(billing, added["order_id"], csr=csr, dcv_method="http", webserver_type=-1, **sans)
    emulator.force(added["order_id"], action="validate")
    emulator.wait_for(added["order_id"])
    final = billing.call(f"/orders/status/{added['order_id']}", {})
    assert whmcs.identical(final["reissue"], 1)
    assert names_of(final["crt_code"]) == {f"{letter}.example.com" for letter in "abcd"}
    assert [charge["kind"] for charge in emulator.ledger()["charges"]] == ["buy", "san"]


def test_whmcs_changes_and_locks(billing: whmcs.SSLCenterApi, emulator: Emulator) -> None:
    emulator.set(change_lock_seconds=60.0)
    rapid, multi = whmcs.Product(billing, 31), whmcs.Product(billing, 139)
    added = whmcs.order(billing, rapid, make_csr("a.example.com"), contacts(), dcv_method="http")
    assert "changed" in whmcs.change_methods(billing, added["order_id"], "dns")
    assert whmcs.change_methods(billing, added["order_id"], "http").endswith("seconds")
    shown = whmcs.instructions(billing.call(f"/orders/status/{added['order_id']}", {}))
    assert shown["a.example.com"].startswith("a.example.com. IN   TXT ")
    sans = {"dns_names": "*.example.com", "approver_emails": "dns"}
    added = whmcs.order(billing, multi, make_csr("b.example.com"), contacts(), dcv_method="http", **sans)
    changed = whmcs.changed_email(billing, added["order_id"], "dns", {"*.example.com": "admin@example.com"})
    assert "changed" in changed
    shown = whmcs.instructions(billing.call(f"/orders/status/{added['order_id']}", {}))
    assert shown["*.example.com"] == "admin@example.com"


def test_whmcs_logs_in_again_after_its_key_expired(billing: whmcs.SSLCenterApi, emulator: Emulator) -> None:
    emulator.expire_keys()
    with pytest.raises(whmcs.ApiException, match="Auth key is not valid"):
        billing.call("/account/balance/", {})
    assert billing.key is None
    billing.auth()
    assert billing.call("/account/balance/", {})["success"] is True


def test_whmcs_shows_errors(billing: whmcs.SSLCenterApi, emulator: Emulator) -> None:
    added = whmcs.order(billing, whmcs.Product(billing, 66), make_csr("a.example.com"), contacts(), dcv_method="http")
    with pytest.raises(whmcs.ApiException, match="The product GoGetSSL Domain SSL does not support SAN`s"):
        whmcs.buy_sans(billing, added["order_id"], 1, 1)
    emulator.set(email_shape="object")
    with pytest.raises(whmcs.ApiException, match="object Object"):
        whmcs.validation_text({"email": {"email": "admin@example.com"}}, "email")


# An inventory


def test_watch_lists_all_orders(emulator: Emulator, billing: whmcs.SSLCenterApi) -> None:
    emulator.set(dcv_mode="pass")
    product = whmcs.Product(billing, 66)
    ids = []
    for number in range(203):
        csr = make_csr(f"n{number}.example.com")
        ids.append(str(whmcs.order(billing, product, csr, contacts(), dcv_method="http", period=3)["order_id"]))
    watcher = watch.Account(*account(emulator))
    for order_id in ids[-3:]:
        emulator.wait_for(order_id)
    assert sorted(watcher.every_order()) == sorted(ids)
    emulator.clear_requests()
    ends = watcher.ends(ids)
    assert set(ends) == set(ids)
    assert None not in ends.values()
    assert [entry["path"] for entry in emulator.requests()] == ["/api/orders/statuses/"] * 3
    emulator.expire_keys()
    assert len(watcher.names("active")) == 203
    assert watcher.logins == 2


def test_watch_probes_paths(emulator: Emulator) -> None:
    """The paths that were found live with an invalid key, with the verb used."""
    watcher = watch.Account(*account(emulator))
    for method, path in (
        ("GET", "/account/balance/"),
        ("POST", "/orders/ssl/reissue/1"),
        ("POST", "/orders/cancel_ssl_order/"),
        ("GET", "/orders/status/1"),
        ("POST", "/orders/statuses/"),
        ("GET", "/orders/"),
        ("GET", "/orders/ssl/all/"),
        ("POST", "/orders/ssl/change_validation_method/1"),
        ("POST", "/orders/ssl/change_validation_email/1"),
        ("POST", "/orders/ssl/resend_validation_email/1"),
        ("POST", "/orders/ssl/revalidate/1"),
    ):
        assert watcher.exists(method, path), path
    for method, path in (("GET", "/orders/statuses/"), ("POST", "/orders/ssl/download/1"), ("GET", "/nothing")):
        assert not watcher.exists(method, path), path


def test_watch_filters_cancels_and_repeats_validation(emulator: Emulator, billing: whmcs.SSLCenterApi) -> None:
    mail = {"dcv_method": "email", "approver_email": "admin@example.com"}
    order_id = str(
        whmcs.order(billing, whmcs.Product(billing, 66), make_csr("a.example.com"), contacts(), **mail)["order_id"]
    )
    watcher = watch.Account(*account(emulator))
    with pytest.raises(watch.Refused, match="Not supported status"):
        watcher.names("pending")
    for shape in ("array", "object"):
        emulator.set(orders_shape=shape)
        assert watcher.names("processing") == {order_id: "a.example.com"}
    watcher.repeat_validation(order_id)
    assert len(emulator.outbox()) == 2
    assert watcher.cancel(order_id) is True
    assert watcher.cancel(order_id) is False
    emulator.advance(days=3)
    assert watcher.cancel(order_id) is False
    assert watcher.every_order() == {order_id: "cancelled"}


# Other clients


@pytest.mark.parametrize("shape", ["list", "object", "array"])
def test_agent_issues_by_dns(emulator: Emulator, names: Names, shape: str) -> None:
    emulator.set(products_shape=shape)
    key = agent.key(*account(emulator))

    def publish(name: str, token: str) -> None:
        names.records[name, "TXT"] = [f'"{token}"']

    csr = make_csr("freecerts.site")
    leaf, chain = agent.issue(emulator.url, key, "freecerts.site", csr, publish, contacts())
    certificate = x509.load_pem_x509_certificate(leaf.encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificates(chain.encode())[0])
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 198


def test_panel_uses_post_only(emulator: Emulator) -> None:
    panel = posting.Panel(*account(emulator))
    for product, kind in ((66, "dv"), (31, "dv"), (134, "ov")):
        status = panel.sell(product, make_csr("shop.example.com"), contacts(kind))
        assert (status["status"], status["approver_method"]) == ("processing", {"email": "admin@shop.example.com"})
    assert len(emulator.outbox()) == 6
    balance, orders, invoices = panel.totals()
    assert (balance, orders, invoices) == (round(emulator.ledger()["balance"], 2), 0, 3)
    with pytest.raises(RuntimeError, match="Order not found - The order 1 does not exist"):
        panel.post("orders/status/1")
    assert {entry["method"] for entry in emulator.requests()} == {"POST"}


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("shape", ["wrapped", "bare"])
def test_service_with_its_key_in_the_body(emulator: Emulator, as_json: bool, shape: str) -> None:
    emulator.set(alternative_shape=shape)
    client = service.Service(*account(emulator), as_json=as_json)
    csr = make_csr("a.example.com")
    fields: dict[str, Any] = {"product_id": 66, "period": 12, "csr": csr, "server_count": -1, "webserver_type": -1}
    order_id = client.order(**fields, dcv_method="dns", **contacts())
    assert client.alternatives(csr)["http"]["link"].startswith("http://a.example.com" + FOLDER)
    assert list(client.change(order_id, "a.example.com", "http")) == ["http"]
    assert client.change(order_id, "a.example.com", "email", "admin@example.com") == {"email": "admin@example.com"}
    assert client.statuses(order_id, 1) == {order_id: "processing"}
    emulator.expire_keys()
    assert client.recheck(order_id) is True
    emulator.set(bad_key_status=401)
    emulator.expire_keys()
    assert client.recheck(order_id) is False, "once in ten minutes"


def test_dashboard_reads_25_at_a_time(emulator: Emulator, billing: whmcs.SSLCenterApi) -> None:
    emulator.set(dcv_mode="pass")
    product = whmcs.Product(billing, 66)
    ids = []
    for number in range(60):
        csr = make_csr(f"n{number}.example.com")
        ids.append(whmcs.order(billing, product, csr, contacts(), dcv_method="http", period=12)["order_id"])
    emulator.wait_for(ids[0])
    emulator.set(dcv_mode="real")
    whmcs.reissue(billing, ids[0], csr=make_csr("n0.example.com"), dcv_method="http")
    emulator.wait_for(ids[-1])
    summaries = dashboard.summaries(*account(emulator))
    assert set(summaries) == {str(order_id) for order_id in ids}
    first, last = summaries[str(ids[0])], summaries[str(ids[-1])]
    assert (first["status"], first["flags"], last["flags"], last["next"]) == ("reissue", ["reissue_now"], [], "reissue")


def test_dashboard_before_issuance(emulator: Emulator, billing: whmcs.SSLCenterApi) -> None:
    whmcs.order(billing, whmcs.Product(billing, 66), make_csr("a.example.com"), contacts(), dcv_method="http")
    (summary,) = dashboard.summaries(*account(emulator)).values()
    assert summary == {"domain": "a.example.com", "status": "processing", "flags": [], "till": None, "next": None}


def test_classic_orders_renews_and_extends(emulator: Emulator) -> None:
    module = classic.Module(*account(emulator))
    csr = make_csr("a.example.com")
    approver = module.approvers("a.example.com")[0]
    order_id = module.order(68, csr, approver, contacts())
    assert module.certificate(order_id) is None
    emulator.approve()
    emulator.wait_for(order_id)
    assert module.add_sans(order_id, 2) == "13 EUR"
    with pytest.raises(RuntimeError, match="cannot be renewed"):
        module.renew(68, csr, approver, contacts())
    emulator.advance(days=350)
    renewal = module.renew(68, csr, approver, contacts())
    assert renewal != order_id
    with pytest.raises(RuntimeError, match=r"^Wrong approver email\(\) for \*$"):
        module.renew(68, csr, "", contacts())
    emulator.expire_keys()
    with pytest.raises(PermissionError):
        module.certificate(order_id)
