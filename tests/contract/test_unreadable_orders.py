# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders that cannot be read: those of others stop nothing, and one that may be the certificate's stops a purchase."""

from __future__ import annotations

import json

import pytest

from tests.emulator.testing import Emulator

from .helpers import Api
from .test_exactly_once import NAMES, Host, Killed, answer_with, run_shell


@pytest.fixture(scope="module")
def emulator():
    with Emulator(resolve={"*": "127.0.0.1:9"}) as running:
        yield running


@pytest.fixture
def host(tmp_path, emulator):
    emulator.reset()
    return Host(tmp_path / "web1", emulator)


@pytest.fixture
def api(host):
    return Api(host.emulator)


LIST = "/order?/"  # of one status: a pattern, which does not match what is below it
ODD = {
    "unknown status": {"status": "on_hold"},
    "odd date": {"end_date": "26/11/2027"},
    "odd number": {"single_san_count": "one"},
    "unsafe validation": {"approver_method": {"http": {"filename": "../x.php", "content": "x", "link": ""}}},
}


def spoil(host, api, order_id, **fields):
    """Let GoGetSSL describe one order in an odd way from now on."""
    answer = {**api.status(order_id), **fields}
    host.emulator.fault(
        path=f"/orders/status/{order_id}", when="after", kind="body", body=json.dumps(answer), times=None
    )


def reasons(result):
    return " ".join(one["reason"] for one in result["stopped"])


def only_ids(host, api):
    """All lists without names, so that every order is read."""
    listed = [{"order_id": order["order_id"], "status": "odd"} for order in host.orders]
    host.emulator.fault(path=LIST, when="after", kind="body", body="[]", times=None)
    body = json.dumps({"orders": listed, "success": True})
    host.emulator.fault(path="/orders/ssl/all/", when="after", kind="body", body=body, times=None)


@pytest.mark.parametrize("odd", ODD)
def test_an_order_for_other_names_stops_nothing(host, api, odd):
    order_id = api.order(68, "elsewhere.example.net")["order_id"]
    spoil(host, api, order_id, **ODD[odd])
    only_ids(host, api)
    assert host.order()["orders"][0]["step"] == "buy"
    assert len(host.orders) == 2


@pytest.mark.parametrize("odd", ODD)
def test_an_order_for_the_same_names_stops_the_purchase(host, api, odd):
    order_id = api.order(68, NAMES[0])["order_id"]
    spoil(host, api, order_id, **ODD[odd])
    only_ids(host, api)
    for _number in range(2):
        assert f"order {order_id} is or may be this certificate's" in reasons(host.order())
    assert len(host.orders) == 1
    assert host.order(abandon_intent=True)["orders"][0]["step"] == "buy"


ANSWERS = {
    "refused": '{"error": true, "message": "Order not found", "description": "Order not found"}',
    "an empty list": "[]",
    "an empty object": "{}",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_listed_order_that_the_api_does_not_return_stops_nothing(host, api, answer):
    order_id = api.order(68, "elsewhere.example.net")["order_id"]
    only_ids(host, api)
    path = f"/orders/status/{order_id}"
    host.emulator.fault(path=path, when="after", kind="body", body=ANSWERS[answer], times=None)
    result = host.order()
    assert not result["stopped"]
    assert result["orders"][0]["step"] == "buy"


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_order_listed_for_the_same_name_that_the_api_does_not_return_stops_the_purchase(host, api, answer):
    order_id = api.order(68, NAMES[0])["order_id"]
    path = f"/orders/status/{order_id}"
    host.emulator.fault(path=path, when="after", kind="body", body=ANSWERS[answer], times=None)
    assert f"order {order_id} is or may be this certificate's" in reasons(host.order())
    assert len(host.orders) == 1


def test_an_order_for_the_same_names_that_has_ended_stops_nothing(host, api):
    order_id = api.order(68, NAMES[0])["order_id"]
    spoil(host, api, order_id, status="cancelled", end_date="soon")
    only_ids(host, api)
    assert host.order()["orders"][0]["step"] == "buy"


def test_an_order_with_the_key_stops_the_purchase_whatever_its_names(host, api):
    order_id = api.order(68, NAMES[0], csr=host.csr)["order_id"]
    spoil(host, api, order_id, status="on_hold", domain=["?"], san=7)
    only_ids(host, api)
    assert f"order {order_id} is or may be" in reasons(host.order())
    assert len(host.orders) == 1


@pytest.mark.parametrize("odd", ODD)
def test_a_purchase_answered_with_an_order_for_other_names_is_found_by_its_key(host, api, odd):
    other_id = api.order(68, "elsewhere.example.net")["order_id"]
    spoil(host, api, other_id, **ODD[odd])
    answer_with(host.emulator, other_id)
    result = host.order()
    assert [one["order_id"] for one in result["orders"]] == [host.orders[1]["order_id"]]
    assert (len(host.orders), host.file("intent.json").exists()) == (2, False)


LISTS = {
    "date": {"valid_from": "26/11/2026"},
    "status": {"status": {"name": "active"}},
    "id": {"order_id": None},
    "name": {"common_name": ["elsewhere.example.net"]},
}


@pytest.mark.parametrize("path", [LIST, "/orders/ssl/all/"])
@pytest.mark.parametrize("odd", LISTS)
def test_an_odd_entry_of_a_list_stops_nothing(host, api, path, odd):
    order_id = api.order(68, "elsewhere.example.net")["order_id"]
    entry = {"order_id": order_id, "status": "active", "common_name": "elsewhere.example.net", **LISTS[odd]}
    listed = [entry, None] if path == LIST else {"orders": [entry, None], "success": True}
    host.emulator.fault(path=path, when="after", kind="body", body=json.dumps(listed), times=None)
    assert host.order()["orders"][0]["step"] == "buy"


def test_a_list_entry_without_an_id_for_the_same_name_stops_the_purchase(host):
    body = json.dumps([{"status": "active", "common_name": NAMES[0]}])
    host.emulator.fault(path=LIST, when="after", kind="body", body=body, times=None)
    assert "without a readable id" in reasons(host.order())
    assert host.orders == []


def test_the_own_order_with_an_unknown_status_is_reported_and_never_bought_again(host, api):
    order_id = host.order()["orders"][0]["order_id"]
    spoil(host, api, order_id, status="on_hold")
    for _number in range(2):
        result = host.order()
        assert f"order {order_id} is or may be this certificate's" in reasons(result)
        assert "'on_hold'" in reasons(result)
        assert result["unread_order_ids"] == [order_id]
    assert len(host.orders) == 1


@pytest.mark.parametrize("lost", [True, False])
def test_a_purchase_whose_order_cannot_be_read_is_known_to_have_happened(host, api, lost):
    """From the answer or, if that is lost, by the key."""
    known = {"status": "on_hold", "csr_code": host.csr, "domain": NAMES[0], "order_id": "?"}
    host.emulator.fault(path="/orders/status/*", when="after", kind="body", body=json.dumps(known), times=None)
    if lost:
        host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=1)
    results = [host.order() for _number in range(3)]
    order_id = host.orders[0]["order_id"]
    assert all("GoGetSSL's answer contains" in reasons(result) for result in results)
    assert f"order {order_id} is or may be" in reasons(results[-1])
    assert (len(host.orders), host.file("intent.json").exists()) == (1, False)


def test_a_lost_answer_names_an_order_that_cannot_be_read_and_may_be_it(host, api):
    old = api.order(68, "old.example.net")["order_id"]
    host.order(check_mode=True)
    host.emulator.fault(path="/orders/add_ssl_order*", when="before", kind="reset", times=1)
    host.order()
    new = api.order(68, "new.example.net")["order_id"]
    for order_id in (old, new):
        spoil(host, api, order_id, status="on_hold", domain=None, domains=None, san=None, csr_code=None)
    only_ids(host, api)
    result = host.order()
    assert f"Order {new}: " in reasons(result)
    assert f"Order {old}: " not in reasons(result)
    assert len(host.orders) == 2


@pytest.mark.parametrize("newest", ["listed before", "not listed before"])
def test_a_run_killed_while_it_writes_an_intent_after_another_run_bought(host, newest):
    def shell(script):
        if "intent.json" in script and "ln " in script:
            host.order()
            run_shell(script)
            raise Killed
        return run_shell(script)

    with pytest.raises(Killed):
        host.order(shell=shell)
    order_id = host.orders[0]["order_id"]
    intent = json.loads(host.file("intent.json").read_text())
    if newest == "listed before":
        host.file("intent.json").write_text(json.dumps({**intent, "newest": order_id}, sort_keys=True) + "\n")
    journal = host.file("order.json").read_text()
    assert host.order()["orders"][0]["step"] == "resume"
    assert not host.file("intent.json").exists()
    assert json.loads(host.file("order.json").read_text())["purchases"] == json.loads(journal)["purchases"]
    assert len(host.orders) == 1
