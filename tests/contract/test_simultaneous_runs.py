# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs on different controllers buy the same names for two hosts at the same time.

Neither sees the other's order before its purchase. Of the two orders, exactly one stays: the earlier one. Time passes
only in the pauses of the tasks, by the emulator's clock.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from tests.emulator.testing import Emulator

from .test_exactly_once import Host, Killed, reasons, run_shell

CANCEL = "/orders/cancel_ssl_order/"


@pytest.fixture(scope="module")
def emulator():
    with Emulator(resolve={"*": "127.0.0.1:9"}) as running:
        yield running


@pytest.fixture
def first(tmp_path, emulator):
    emulator.reset()
    return Host(tmp_path / "web1", emulator)


@pytest.fixture
def second(tmp_path, emulator):
    return Host(tmp_path / "web2", emulator)


def order(host: Host, **options):
    """Run the order task. Its pauses advance the emulator's clock and take no time."""
    skipped = 0.0

    def sleep(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds
        host.emulator.advance(seconds=seconds)

    return host.order(**{"sleep": sleep, "now": lambda: time.time() + skipped, **options})


def writes_intent(script: str) -> bool:
    return "/.intent." in script and "ln " in script


def saves_journal(script: str) -> bool:
    return "/.order." in script and "mv -f" in script


def before(command: Callable[[str], bool], action: Callable[[], object]):
    """A host's shell that performs an action before the first such command."""
    pending = [action]

    def shell(script: str):
        if command(script) and pending:
            pending.pop()()
        return run_shell(script)

    return shell


def order_together(first: Host, second: Host, **options):
    """`first` buys while `second` has searched the account and has not bought yet. Return both results.

    Both purchases happen within a second: `first` does not wait until its order is listed.
    """
    results = []
    shell = before(writes_intent, lambda: results.append(order(first, **{**options, "settle_time": 0, "warn": print})))
    later = order(second, shell=shell, **options)
    return results[0], later


def live(host: Host) -> list[int]:
    """The orders that are neither cancelled nor about to be."""
    return [one["order_id"] for one in host.orders if one["status"] != "cancelled" and not one["cancel_requested"]]


def refunded(host: Host) -> int:
    host.emulator.advance(days=2)
    for one in host.orders:
        host.emulator.order(one["order_id"])
    return sum(charge["kind"] == "refund" for charge in host.emulator.ledger()["charges"])


def cancellations(host: Host) -> int:
    return sum(call["path"].rstrip("/").endswith("cancel_ssl_order") for call in host.emulator.requests())


@pytest.mark.parametrize("delay", [0, 10, 59])
def test_the_later_order_is_cancelled_and_refunded(first, second, delay):
    first.emulator.set(list_delay=delay)
    kept, withdrawn = order_together(first, second, settle_time=60)
    earlier, later = sorted(one["order_id"] for one in first.orders)
    assert (kept["stopped"], kept["orders"][0]["order_id"], live(first)) == ([], earlier, [earlier])
    assert f"another run bought shop.example.com at the same time, in order {earlier}" in reasons(withdrawn)
    assert f"cancellation of its own order {later} before validation. Set order_host" in reasons(withdrawn)
    assert (withdrawn["orders"], withdrawn["changed"], withdrawn["unread_order_ids"]) == ([], True, [])
    assert refunded(first) == 1
    assert order(first)["orders"][0]["step"] == "resume"


@pytest.mark.parametrize(("delay", "settle_time", "orders"), [(0, 60, 1), (90, 60, 2), (90, 120, 1), (600, 60, 2)])
def test_figures_of_the_documentation(first, second, delay, settle_time, orders):
    first.emulator.set(list_delay=delay)
    warnings: list[str] = []
    order_together(first, second, settle_time=settle_time, warn=warnings.append)
    assert (len(first.orders), len(live(first)), refunded(first)) == (2, orders, 2 - orders)
    assert any("is not known" in one for one in warnings) is (orders == 2)
    print(f"lists {delay} s late, settle_time {settle_time}: 2 orders, {2 - orders} cancelled and refunded")


def test_the_earlier_order_is_kept_by_its_run(first, second):
    first.emulator.set(list_delay=20)
    results = []
    shell = before(saves_journal, lambda: results.append(order(second, settle_time=0)))
    assert not order(first, shell=shell, settle_time=60)["stopped"]
    assert not results[0]["stopped"]  # its list was late
    assert (len(live(first)), cancellations(first)) == (2, 0)


def test_no_time_passes_while_lists_are_up_to_date(first):
    def no_pause(seconds: float) -> None:
        raise AssertionError("a pause")

    assert not order(first, settle_time=60, sleep=no_pause)["stopped"]


def test_of_three_orders_the_first_stays(first, second, tmp_path):
    third = Host(tmp_path / "web3", first.emulator)
    results = []
    shell = before(writes_intent, lambda: results.append(order_together(first, second)))
    results.append(order(third, shell=shell))
    assert live(first) == [min(one["order_id"] for one in first.orders)]
    assert (len(first.orders), refunded(first)) == (3, 2)


def test_a_withdrawn_order_is_never_completed_or_bought_again(first, second):
    order_together(first, second)
    earlier, later = sorted(one["order_id"] for one in first.orders)
    first.emulator.clear_requests()
    for _run in range(2):
        assert f"its own order {later} before validation; it is processing" in reasons(order(second))
    first.emulator.advance(days=2)
    assert f"its own order {later} before validation; it is cancelled" in reasons(order(second))
    assert (len(first.orders), cancellations(first)) == (2, 0)
    first.emulator.force(earlier, action="cancel")
    assert order(second)["orders"][0]["step"] == "buy"
    assert len(live(first)) == 1


def test_the_withdrawn_order_can_be_used_if_gogetssl_refuses_the_cancellation(first, second):
    first.emulator.set(cancel_review="refuse")
    order_together(first, second)
    later = max(one["order_id"] for one in first.orders)
    first.emulator.advance(days=2)
    assert "it is processing" in reasons(order(second))
    assert order(second, adopt=later)["orders"][0]["order_id"] == later
    assert order(second, adopt=later)["orders"][0]["step"] == "resume"
    assert order(second)["orders"][0]["step"] == "resume"


def test_abandon_intent_buys_another_order_after_a_withdrawal(first, second):
    order_together(first, second)
    assert order(second, abandon_intent=True)["orders"][0]["step"] == "buy"
    assert len(live(first)) == 2


# What is never cancelled.


@pytest.mark.parametrize("why", ["order_host", "abandon_intent"])
def test_an_order_of_its_own_is_kept(first, second, why):
    own = {"order_host": "web2"} if why == "order_host" else {"abandon_intent": True}
    results = []
    shell = before(writes_intent, lambda: results.append(order(first)))
    assert not order(second, shell=shell, **own)["stopped"]
    assert (len(live(first)), cancellations(first)) == (2, 0)


@pytest.mark.parametrize("names", [["shop.example.com"], ["shop.example.com", "a.shop.example.com"]])
def test_orders_for_other_names_are_kept(first, second, names):
    key = x509.new_key("ecdsa-p256")
    first.csr = x509.new_request(key, names)
    (first.file("staged") / "privkey.pem").write_bytes(key)
    (first.file("staged") / "request.csr").write_text(first.csr)
    results = []
    shell = before(writes_intent, lambda: results.append(order(first, names=names)))
    assert not order(second, shell=shell)["stopped"]
    assert not results[0]["stopped"]
    assert (len(live(first)), cancellations(first)) == (2, 0)


def test_an_order_with_an_ended_rival_is_kept(first, second):
    def buy_and_cancel() -> None:
        order_id = order(first)["orders"][0]["order_id"]
        first.emulator.force(order_id, action="cancel")

    assert not order(second, shell=before(writes_intent, buy_and_cancel))["stopped"]
    assert (len(live(first)), cancellations(first)) == (1, 0)


def test_an_issued_order_is_kept_and_reported(first, second):
    first.emulator.set(dcv_mode="pass", issuance_delay=0.0)
    warnings: list[str] = []

    def issue() -> None:
        first.emulator.wait_for(max(one["order_id"] for one in first.orders))

    results = []
    shells = [before(writes_intent, lambda: results.append(order(first))), before(saves_journal, issue)]

    def shell(script: str):
        return shells[saves_journal(script)](script)

    assert not order(second, shell=shell, warn=warnings.append)["stopped"]
    assert (len(live(first)), cancellations(first)) == (2, 0)
    assert any("both are paid" in one for one in warnings)


def test_an_order_of_an_earlier_run_is_kept(first, second):
    """A run that is killed before it reads the list again leaves both orders: a later run cancels nothing."""
    hooked = before(writes_intent, lambda: order(first))

    def shell(script: str):
        result = hooked(script)
        if saves_journal(script):
            raise Killed
        return result

    with pytest.raises(Killed):
        order(second, shell=shell)
    assert order(second)["orders"][0]["step"] == "resume"
    assert (len(live(first)), cancellations(first)) == (2, 0)


# Faults of the cancellation and of the second look.


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_response_to_the_cancellation_is_repeated(first, second, when):
    first.emulator.fault(path=CANCEL + "*", when=when, kind="reset", times=1)
    _kept, withdrawn = order_together(first, second)
    assert "before validation. Set order_host" in reasons(withdrawn)
    assert (len(live(first)), cancellations(first), refunded(first)) == (1, 2, 1)


def test_a_cancellation_that_never_arrives_is_reported_and_left_to_the_operator(first, second):
    first.emulator.fault(path=CANCEL + "*", when="before", kind="reset", times=9)
    _kept, withdrawn = order_together(first, second)
    assert "without success" in reasons(withdrawn)
    first.emulator.clear_faults()
    assert "it is processing" in reasons(order(second))
    assert (len(live(first)), cancellations(first)) == (2, 3)


def test_a_run_killed_during_the_cancellation_does_not_complete_the_order(first, second):
    hooked = before(writes_intent, lambda: order(first))

    def shell(script: str):
        result = hooked(script)
        if saves_journal(script) and '"withdrawn": null' not in script:
            raise Killed
        return result

    with pytest.raises(Killed):
        order(second, shell=shell)
    earlier = min(one["order_id"] for one in first.orders)
    assert json.loads(second.file("order.json").read_text())["withdrawn"] == earlier
    assert "it is processing" in reasons(order(second))
    assert len(first.orders) == 2


def test_a_list_that_cannot_be_read_is_reported(first, second):
    warnings: list[str] = []
    shells = before(writes_intent, lambda: order(first))

    def shell(script: str):
        if saves_journal(script):
            first.emulator.fault(path="/orders/ssl/all*", when="before", kind="status", status=500, times=99)
        return shells(script)

    assert not order(second, shell=shell, warn=warnings.append)["stopped"]
    assert any("whether another run bought the same names is not known" in one for one in warnings)
    assert cancellations(first) == 0
