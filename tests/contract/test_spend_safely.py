# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the order task spends, of what, and what it remembers; the emulator's ledger has the last word."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _journal, _x509
from tests.emulator.testing import Emulator

from .test_exactly_once import Host

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


def test_a_plan_is_data_and_a_purchase_order(host):
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
        "currency": "EUR",
        "deadline": None,
    }
    budget = {"price": entry["price"], "run_price": entry["price"], "balance": 1000000, "currency": "EUR"}
    assert result["budget"] == {**budget, "tax_percent": None}
    assert host.orders == []


def test_a_plan_tells_what_cannot_even_be_judged(host):
    result = host.order(check_mode=True, product="no such thing")
    (entry,) = result["plan"]
    assert (entry["step"], entry["due"], entry["price"], entry["product"]) == ("stop", None, None, "no such thing")
    assert "no such thing" in entry["reason"]


def test_the_balance_is_asked_for_before_a_purchase_and_only_then(host):
    host.order()
    assert len(calls(host.emulator, "/account/balance")) == 1
    host.order()
    assert len(calls(host.emulator, "/account/balance")) == 1


def test_a_balance_that_is_too_low_stops_before_the_purchase(host):
    costs = price(host)
    host.emulator.set(balance=(costs - 1) / 100)
    result = host.order()
    assert "more than the balance" in reasons(result)
    assert (host.orders, host.file("intent.json").exists()) == ([], False)
    (entry,) = result["plan"]
    assert (entry["step"], entry["due"], entry["price"]) == ("stop", "buy", costs)
    host.emulator.set(balance=costs / 100)  # enough for the price, but not for the tax
    assert "with 21 % tax" in reasons(host.order(options={"tax_percent": 21}))
    assert host.orders == []


def test_an_order_that_is_not_paid_says_so_until_it_is(host):
    host.emulator.set(balance=0)
    assert host.order(options={"check_balance": False})["orders"][0]["step"] == "buy"
    second = host.order()
    assert "is not paid: pay its invoice or add funds" in reasons(second)
    host.emulator.set(balance=1000)
    host.emulator.force(host.orders[0]["order_id"], action="pay")
    assert host.order()["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1


def test_an_account_of_another_currency_buys_nothing(host):
    result = host.order(options={"currency": "USD", "max_price": 100000})
    assert "kept in EUR, not in USD" in reasons(result)
    assert host.orders == []
    assert not host.order(options={"currency": "EUR", "check_balance": False})["stopped"]


def test_the_ceiling_of_a_run_holds_for_all_its_hosts(tmp_path, host, emulator):
    other = Host(tmp_path / "web2", emulator)
    run = tmp_path / "run"
    run.mkdir()
    shared = {"run_directory": str(run), "options": {"max_price_per_run": price(host)}}
    assert not host.order(check_mode=True, **shared)["stopped"]
    weighed = other.order(check_mode=True, abandon_intent=True, **shared)
    assert "for one run" in reasons(weighed)
    assert not host.order(**shared)["stopped"]  # its own reservation is no obstacle
    assert "for one run" in reasons(other.order(abandon_intent=True, **shared))
    assert len(host.orders) == 1
    following = {**shared, "run_directory": str(tmp_path)}
    assert not other.order(abandon_intent=True, **following)["stopped"]
    assert len(host.orders) == 2


REFUSED = {"kind": "body", "body": '{"error": true, "message": "Error", "description": "No more orders today"}'}


@pytest.mark.parametrize(
    ("fault", "free"),
    [
        ({"when": "before", **REFUSED}, True),
        ({"when": "before", "kind": "reset"}, False),
        ({"when": "after", "kind": "body", "body": ""}, False),
    ],
    ids=["refused", "lost before it took effect", "lost after it took effect"],
)
def test_what_was_certainly_not_bought_is_free_for_others(tmp_path, host, emulator, fault, free):
    """A refusal releases what was set aside for it. An unknown outcome keeps it, whatever it may have been."""
    other = Host(tmp_path / "web2", emulator)
    emulator.set(list_delay=30)
    emulator.fault(path="/orders/add_ssl_order*", times=1, **fault)
    costs = price(host)
    shared = {"run_directory": str(tmp_path), "options": {"max_price_per_run": costs}}
    first = host.order(**shared)
    assert ("No more orders today" if free else "is unknown") in reasons(first)
    assert first["budget"]["run_price"] == (0 if free else costs)
    assert ("for one run" in reasons(other.order(check_mode=True, abandon_intent=True, **shared))) is not free


def test_a_request_that_is_refused_before_the_purchase_sets_nothing_aside(tmp_path, host, emulator):
    other = Host(tmp_path / "web2", emulator)
    shared = {"run_directory": str(tmp_path), "options": {"max_price_per_run": price(host)}}
    host.csr = other.csr  # not of the key that is staged here
    assert "does not belong to the key staged" in reasons(host.order(**shared))
    assert not other.order(**shared)["stopped"]


def test_what_was_bought_stays_set_aside_when_the_next_purchase_is_refused(tmp_path, host, emulator):
    """Two purchases of one certificate in one run: the refusal of the second does not give back the first."""
    costs = price(host)
    shared = {"run_directory": str(tmp_path), "options": {"max_price_per_run": 2 * costs}}
    assert not host.order(**shared)["stopped"]
    emulator.force(host.orders[0]["order_id"], status="cancelled")
    emulator.fault(path="/orders/add_ssl_order*", times=1, when="before", **REFUSED)
    second = host.order(**shared)
    assert "No more orders today" in reasons(second)
    assert second["budget"]["run_price"] == costs
    assert not host.order(**shared)["stopped"]
    emulator.force(host.orders[1]["order_id"], status="cancelled")
    assert "for one run" in reasons(host.order(**shared))
    assert len(host.orders) == 2


def test_room_for_names_that_is_refused_is_free_for_others(tmp_path, host, emulator):
    emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    more = ["shop.example.com", "www.shop.example.com", *(f"n{number}.shop.example.com" for number in range(9))]
    host.csr = _x509.new_request((host.file("staged") / "privkey.pem").read_bytes(), more)
    (host.file("staged") / "request.csr").write_text(host.csr)
    emulator.fault(path="/orders/add_ssl_san_order*", times=1, when="before", **REFUSED)
    shared = {"run_directory": str(tmp_path), "names": more, "spend": ("buy", "add_names")}
    refused = host.order(**shared)
    assert "No more orders today" in reasons(refused)
    assert refused["plan"][0]["price"] > 0
    assert refused["budget"]["run_price"] == 0


def test_the_balance_of_a_run_is_shared_by_its_hosts(tmp_path, host, emulator):
    other = Host(tmp_path / "web2", emulator)
    host.emulator.set(balance=price(host) * 1.5 / 100)
    shared = {"run_directory": str(tmp_path)}
    assert not host.order(check_mode=True, **shared)["stopped"]
    assert "more than the balance" in reasons(other.order(check_mode=True, abandon_intent=True, **shared))
    assert len(calls(host.emulator, "/account/balance")) == 2  # price() asked, and the run once


def test_the_ceiling_of_a_year_counts_what_the_journal_remembers(host):
    costs = price(host)
    host.order()
    journal = json.loads(host.file("order.json").read_text())
    assert [(one["step"], one["price"], one["order_id"]) for one in journal["purchases"]] == [
        ("buy", costs, host.orders[0]["order_id"])
    ]
    host.emulator.force(host.orders[0]["order_id"], status="cancelled")
    result = host.order(options={"max_price_per_year": 2 * costs - 1})
    assert "bought before that is above the ceiling" in reasons(result)
    assert len(host.orders) == 1
    assert not host.order(options={"max_price_per_year": 2 * costs})["stopped"]
    assert len(json.loads(host.file("order.json").read_text())["purchases"]) == 2


def test_a_purchase_whose_answer_was_lost_is_remembered_too(host):
    costs = price(host)
    host.emulator.set(list_delay=30)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", times=1, kind="reset")
    assert host.order()["stopped"]
    host.emulator.advance(seconds=31)
    assert not host.order()["stopped"]
    journal = json.loads(host.file("order.json").read_text())
    assert [one["price"] for one in journal["purchases"]] == [costs]
    assert journal["ordered"] == journal["keyed"]


def test_an_approved_plan_is_kept_to(host):
    plan = json.loads(json.dumps(host.order(check_mode=True)["plan"]))
    cheaper = [{**plan[0], "price": plan[0]["price"] - 1}]
    for other in ([], cheaper):
        assert "the approved plan does not hold it" in reasons(host.order(options={"approved_plan": other}))
    assert host.orders == []
    assert not host.order(options={"approved_plan": plan})["stopped"]
    assert len(host.orders) == 1
    assert not host.order(options={"approved_plan": []})["stopped"]  # what is under way goes on


def test_a_journal_of_an_earlier_release_is_read(host):
    host.order()
    path = host.file("order.json")
    journal = json.loads(path.read_text())
    for key in ("ordered", "keyed", "purchases"):
        del journal[key]
    path.write_text(json.dumps(journal))
    assert host.order()["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1


def test_an_order_that_the_account_does_not_have_is_not_replaced_unasked(host):
    host.order()
    path = host.file("order.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "order_id": 1}))
    result = host.order()
    assert "GoGetSSL does not give order 1 of the host's journal" in reasons(result)
    assert len(host.orders) == 1
    found = host.order(abandon_intent=True)["orders"][0]  # searched for, and found by its key
    assert (found["step"], found["order_id"]) == ("resume", host.orders[0]["order_id"])
    assert len(host.orders) == 1


def test_people_are_warned_before_the_vendor_cancels(host):
    host.order()
    told = []
    host.order(now=lambda: time.time() + 30 * DAY, warn=told.append)
    assert told == []
    host.order(now=lambda: time.time() + 32 * DAY, warn=told.append)
    assert len(told) == 1
    assert f"order {host.orders[0]['order_id']} is not validated yet; GoGetSSL cancels it by itself on" in told[0]


def test_a_stop_of_the_policy_still_writes_whose_order_it_is(host):
    """So certificates are adopted with spend none, whatever is due."""
    host.emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    host.emulator.wait_for(host.orders[0]["order_id"])
    host.file("order.json").unlink()
    refused = host.order(spend=["none"], names=["shop.example.com", "new.example.com"])
    assert "may only: none" in reasons(refused)
    state = _journal._read_record(_journal.Journal, host.file("order.json").read_text(), "order.json")
    assert state is not None
    assert (state.order_id, state.end_date is None) == (host.orders[0]["order_id"], False)
