# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The purchases, limits and records of the order task, checked against the emulator's ledger."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal as _journal
from tests.emulator.testing import Emulator

from .test_exactly_once import NAMES, Host

DAY = 86400


@pytest.fixture(scope="module")
def emulator():
    with Emulator(resolve={"*": "127.0.0.1:9"}) as running:
        yield running


@pytest.fixture
def host(tmp_path, emulator):
    emulator.reset(settings=True)
    return Host(tmp_path / "web1", emulator)


def price(host):
    return host.order(check_mode=True)["plan"][0]["price"]


def reasons(result):
    return " ".join(one["reason"] for one in result["stopped"])


def calls(emulator, path):
    return [call for call in emulator.requests() if path in call["path"]]


def test_the_plan_describes_the_purchase(host):
    result = host.order(check_mode=True)
    entry = json.loads(json.dumps(result["plan"]))[0]
    assert entry == {
        "host": "web1",
        "name": "shop",
        "names": ["shop.example.com", "www.shop.example.com"],
        "product": entry["product"],
        "period": 12,
        "step": "buy",
        "due": "buy",
        "reason": "there is no order for it",
        "order_id": None,
        "price": entry["price"],
        "extra_price": 0,
        "currency": "EUR",
        "deadline": None,
    }
    budget = {"price": entry["price"], "run_price": entry["price"], "balance": 1000000, "currency": "EUR"}
    assert result["budget"] == {**budget, "tax_percent": None}
    assert host.orders == []


def test_the_plan_has_the_price_of_additional_names(host):
    """The difference to the same product with only the names that it includes, also if the purchase is refused."""
    names = [f"n{number}.example.com" for number in range(7)]
    included = price(host)
    for limit in ({}, {"max_price": 1}):
        (entry,) = host.order(check_mode=True, names=names, dcv="http", options={"requests": [], **limit})["plan"]
        assert entry["due"] == "buy"
        assert entry["extra_price"] == entry["price"] - included > 0
    assert host.orders == []


def test_the_plan_includes_orders_that_cannot_be_planned(host):
    result = host.order(check_mode=True, product="no such thing")
    (entry,) = result["plan"]
    assert (entry["step"], entry["due"], entry["price"], entry["product"]) == ("stop", None, None, "no such thing")
    assert "no such thing" in entry["reason"]


def test_the_balance_is_read_before_a_purchase_only(host):
    host.order()
    assert len(calls(host.emulator, "/account/balance")) == 1
    host.order()
    assert len(calls(host.emulator, "/account/balance")) == 1


def test_an_insufficient_balance_stops_before_the_purchase(host):
    costs = price(host)
    host.emulator.set(balance=(costs - 1) / 100)
    result = host.order()
    assert "more than the balance" in reasons(result)
    assert (host.orders, host.file("intent.json").exists()) == ([], False)
    (entry,) = result["plan"]
    assert (entry["step"], entry["due"], entry["price"]) == ("stop", "buy", costs)
    host.emulator.set(balance=costs / 100)  # covers the price without tax
    assert "with 21 % tax" in reasons(host.order(options={"tax_percent": 21}))
    assert host.orders == []


def test_an_unpaid_order_is_reported_until_it_is_paid(host):
    host.emulator.set(balance=0)
    assert host.order(options={"check_balance": False})["orders"][0]["step"] == "buy"
    second = host.order()
    assert "is not paid. Pay its invoice or add funds" in reasons(second)
    host.emulator.set(balance=1000)
    host.emulator.force(host.orders[0]["order_id"], action="pay")
    assert host.order()["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1


def test_an_account_with_another_currency_buys_nothing(host):
    result = host.order(options={"currency": "USD", "max_price": 100000})
    assert "currency is EUR and gogetssl_currency is USD" in reasons(result)
    assert host.orders == []
    assert not host.order(options={"currency": "EUR", "check_balance": False})["stopped"]


def test_max_price_per_run_limits_the_sum_of_all_hosts(tmp_path, host, emulator):
    other = Host(tmp_path / "web2", emulator)
    run = tmp_path / "run"
    run.mkdir()
    shared = {"run_directory": str(run), "options": {"max_price_per_run": price(host)}}
    assert not host.order(check_mode=True, **shared)["stopped"]
    planned = other.order(check_mode=True, abandon_intent=True, **shared)
    assert "for one run" in reasons(planned)
    assert not host.order(**shared)["stopped"]  # the host's own reservation does not count against it
    assert "for one run" in reasons(other.order(abandon_intent=True, **shared))
    assert len(host.orders) == 1
    following = {**shared, "run_directory": str(tmp_path)}
    assert not other.order(abandon_intent=True, **following)["stopped"]
    assert len(host.orders) == 2


def test_max_price_per_day_limits_what_separate_runs_buy(tmp_path, host, emulator):
    """Two job slices, each a run of its own. The limit looks at the account, not at the run."""
    costs = price(host)
    other = Host(tmp_path / "web2", emulator)
    limit = {"max_price_per_day": 2 * costs - 1}
    assert not host.order(run_directory=str(tmp_path), options=limit)["stopped"]
    stopped = other.order(abandon_intent=True, options=limit)
    assert "for one day" in reasons(stopped)
    assert len(host.orders) == 1
    emulator.advance(days=1)
    tomorrow = other.order(abandon_intent=True, options=limit, now=emulator.now)
    assert not tomorrow["stopped"], reasons(tomorrow)
    assert len(host.orders) == 2


def test_max_price_per_day_counts_what_the_run_has_reserved(tmp_path, host, emulator):
    """An invoice may be listed later than its purchase."""
    emulator.set(invoice_delay=3600)
    other = Host(tmp_path / "web2", emulator)
    shared = {"run_directory": str(tmp_path), "options": {"max_price_per_day": 2 * price(host) - 1}}
    assert not host.order(**shared)["stopped"]
    assert "for one day" in reasons(other.order(abandon_intent=True, **shared))
    assert len(host.orders) == 1


REFUSED = {"kind": "body", "body": '{"error": true, "message": "Error", "description": "No more orders today"}'}


@pytest.mark.parametrize(
    ("fault", "released"),
    [
        ({"when": "before", **REFUSED}, True),
        ({"when": "before", "kind": "reset"}, False),
        ({"when": "after", "kind": "body", "body": ""}, False),
    ],
    ids=["refused", "lost before it took effect", "lost after it took effect"],
)
def test_a_refused_purchase_releases_its_reservation(tmp_path, host, emulator, fault, released):
    """A refusal releases the reservation. An unknown outcome keeps it."""
    other = Host(tmp_path / "web2", emulator)
    emulator.set(list_delay=30)
    emulator.fault(path="/orders/add_ssl_order*", times=1, **fault)
    costs = price(host)
    shared = {"run_directory": str(tmp_path), "options": {"max_price_per_run": costs}}
    first = host.order(**shared)
    assert ("No more orders today" if released else "is unknown") in reasons(first)
    assert first["budget"]["run_price"] == (0 if released else costs)
    assert ("for one run" in reasons(other.order(check_mode=True, abandon_intent=True, **shared))) is not released


def test_a_refusal_before_the_purchase_makes_no_reservation(tmp_path, host, emulator):
    other = Host(tmp_path / "web2", emulator)
    shared = {"run_directory": str(tmp_path), "options": {"max_price_per_run": price(host)}}
    host.csr = other.csr  # does not match this host's staged key
    assert "does not belong to the key staged" in reasons(host.order(**shared))
    assert not other.order(**shared)["stopped"]


def test_a_refused_second_purchase_keeps_the_first_reservation(tmp_path, host, emulator):
    """Two purchases of one certificate in one run: the refusal of the second does not release the first."""
    costs = price(host)
    shared = {"run_directory": str(tmp_path), "options": {"max_price_per_run": 2 * costs}}
    assert not host.order(**shared)["stopped"]
    emulator.force(host.orders[0]["order_id"], status="cancelled")
    emulator.fault(path="/orders/add_ssl_order*", times=1, when="before", **REFUSED)
    second = host.order(**shared, abandon_intent=True)
    assert "No more orders today" in reasons(second)
    assert second["budget"]["run_price"] == costs
    assert not host.order(**shared, abandon_intent=True)["stopped"]
    emulator.force(host.orders[1]["order_id"], status="cancelled")
    assert "is cancelled: " in reasons(host.order(**shared))  # from now on the flag counts again
    assert "for one run" in reasons(host.order(**shared, abandon_intent=True))
    assert len(host.orders) == 2


def test_a_refused_san_order_releases_its_reservation(tmp_path, host, emulator):
    emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    more = ["shop.example.com", "www.shop.example.com", *(f"n{number}.shop.example.com" for number in range(9))]
    host.csr = x509.new_request((host.file("staged") / "privkey.pem").read_bytes(), more)
    (host.file("staged") / "request.csr").write_text(host.csr)
    emulator.fault(path="/orders/add_ssl_san_order*", times=1, when="before", **REFUSED)
    shared = {"run_directory": str(tmp_path), "names": more, "spend": ("buy", "add_names")}
    refused = host.order(**shared)
    assert "No more orders today" in reasons(refused)
    assert refused["plan"][0]["price"] > 0
    assert refused["budget"]["run_price"] == 0


def test_the_hosts_of_a_run_share_the_balance(tmp_path, host, emulator):
    other = Host(tmp_path / "web2", emulator)
    host.emulator.set(balance=price(host) * 1.5 / 100)
    shared = {"run_directory": str(tmp_path)}
    assert not host.order(check_mode=True, **shared)["stopped"]
    assert "more than the balance" in reasons(other.order(check_mode=True, abandon_intent=True, **shared))
    assert len(calls(host.emulator, "/account/balance")) == 2  # once in price(), once in the run


def test_max_price_per_year_counts_purchases_in_the_journal(host):
    costs = price(host)
    host.order()
    journal = json.loads(host.file("order.json").read_text())
    assert [(one["step"], one["price"], one["order_id"]) for one in journal["purchases"]] == [
        ("buy", costs, host.orders[0]["order_id"])
    ]
    host.emulator.force(host.orders[0]["order_id"], status="cancelled")
    result = host.order(options={"max_price_per_year": 2 * costs - 1}, abandon_intent=True)
    assert "bought before, that is above the limit" in reasons(result)
    assert len(host.orders) == 1
    assert not host.order(options={"max_price_per_year": 2 * costs}, abandon_intent=True)["stopped"]
    assert len(json.loads(host.file("order.json").read_text())["purchases"]) == 2


def test_a_purchase_with_a_lost_response_is_recorded(host):
    costs = price(host)
    host.emulator.set(list_delay=30)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", times=1, kind="reset")
    assert host.order()["stopped"]
    host.emulator.advance(seconds=31)
    assert not host.order()["stopped"]
    journal = json.loads(host.file("order.json").read_text())
    assert [one["price"] for one in journal["purchases"]] == [costs]
    assert journal["ordered"] == journal["keyed"]


def test_only_the_approved_plan_is_bought(host):
    plan = json.loads(json.dumps(host.order(check_mode=True)["plan"]))
    cheaper = [{**plan[0], "price": plan[0]["price"] - 1}]
    changed = [
        [{**plan[0], key: value}] for key, value in (("product", "x"), ("names", ["x.example.com"]), ("period", 24))
    ]
    for other in ([], cheaper, *changed):
        assert "the approved plan does not contain it" in reasons(host.order(options={"approved_plan": other}))
    assert host.orders == []
    assert not host.order(options={"approved_plan": plan})["stopped"]
    assert len(host.orders) == 1
    assert not host.order(options={"approved_plan": []})["stopped"]  # a pending order continues


def test_a_journal_of_an_earlier_release_is_read(host):
    host.order()
    path = host.file("order.json")
    journal = json.loads(path.read_text())
    for key in ("ordered", "keyed", "purchases"):
        del journal[key]
    path.write_text(json.dumps(journal))
    assert host.order()["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1


def test_a_journal_order_missing_in_the_account_is_not_replaced(host):
    host.order()
    path = host.file("order.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "order_id": 1}))
    result = host.order()
    assert "GoGetSSL does not return order 1 of the host's journal" in reasons(result)
    assert len(host.orders) == 1
    found = host.order(abandon_intent=True)["orders"][0]  # found by its key
    assert (found["step"], found["order_id"]) == ("resume", host.orders[0]["order_id"])
    assert len(host.orders) == 1


def test_a_warning_precedes_the_vendors_cancellation(host):
    host.order()
    warnings = []
    host.order(now=lambda: time.time() + 30 * DAY, warn=warnings.append)
    assert warnings == []
    host.order(now=lambda: time.time() + 32 * DAY, warn=warnings.append)
    assert len(warnings) == 1
    assert f"order {host.orders[0]['order_id']} is not validated yet. GoGetSSL will cancel it on" in warnings[0]


def test_an_order_stopped_by_the_policy_is_still_recorded(host):
    """This allows certificates to be adopted with spend: none."""
    host.emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    host.emulator.wait_for(host.orders[0]["order_id"])
    host.file("order.json").unlink()
    refused = host.order(spend=["none"], names=["shop.example.com", "new.example.com"])
    assert "may not order anything (spend: none)" in reasons(refused)
    state = _journal._read_record(_journal.Journal, host.file("order.json").read_text(), "order.json")
    assert state is not None
    assert (state.order_id, state.end_date is None) == (host.orders[0]["order_id"], False)


def test_names_that_are_not_paid_are_bought_once(host, emulator):
    """The balance covers the price of the names and not their tax: GoGetSSL writes an invoice and gives no names."""
    emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    order_id = host.orders[0]["order_id"]
    emulator.wait_for(order_id)
    names = [*NAMES, "a.shop.example.com", "b.shop.example.com"]
    key = x509.new_key("ecdsa-p256")
    host.csr = x509.new_request(key, names)
    (host.file("staged") / "privkey.pem").write_bytes(key)
    (host.file("staged") / "request.csr").write_text(host.csr)
    emulator.set(balance=7)  # 6.50 before tax, 7.87 with it
    for _number in range(3):
        result = host.order(names=names, spend=["buy", "add_names"])
        assert f"names were bought for order {order_id} and are not paid. Pay invoice" in reasons(result)
    requests = [call for call in calls(emulator, "add_ssl_san_order") if call["method"] == "POST"]
    assert (len(requests), len(host.orders), host.file("intent.json").exists()) == (1, 1, False)
