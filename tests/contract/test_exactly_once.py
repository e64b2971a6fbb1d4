# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order task against the emulator over real sockets, with lost responses, killed runs and concurrent runs.

The emulator's ledger must never show two orders for one certificate.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._api import api_task
from ansible_collections.certops.gogetssl.plugins.module_utils._core import task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import files
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import order as _order
from tests.emulator.testing import Emulator

NAMES = ["shop.example.com", "www.shop.example.com"]
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}


class Killed(BaseException):
    """Simulates SIGKILL; no code under test may catch it."""


def run_shell(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


class Host:
    """A certificate directory with a staged key, and the order task for it."""

    def __init__(self, directory: Path, emulator: Emulator) -> None:
        self.directory, self.emulator = directory, emulator
        staged = directory / "shop" / "staged"
        staged.mkdir(parents=True)
        key = x509.new_key("ecdsa-p256")
        self.csr = x509.new_request(key, NAMES)
        (staged / "privkey.pem").write_bytes(key)
        (staged / "request.csr").write_text(self.csr)

    def order(
        self,
        shell=run_shell,
        check_mode=False,
        settle_time=0,
        now=None,
        spend=("buy",),
        warn=print,
        run_directory=None,
        state_directory=None,
        sleep=time.sleep,
        options=None,
        **certificate,
    ):
        item = {"name": "shop", "names": NAMES, "product": "68", "admin": PERSON, **certificate}
        api = {"api_url": self.emulator.url, "api_user": self.emulator.user, "api_password": self.emulator.password}
        given = {
            "certificates": [item],
            "directory": str(self.directory),
            "requests": [{"name": "shop", "csr": self.csr}],
            "settle_time": settle_time,
            "spend": list(spend),
            "keep_going": True,
            "api_timeout": 2.0,
            **api,
            **(options or {}),
        }
        checked = ArgumentSpecValidator(_order.TASK.argument_spec).validate(given)
        assert not checked.error_messages
        params = checked.validated_parameters
        clock = {"now": now} if now else {}
        api = functools.partial(api_task.open_api, params)
        context = task.Context(
            params,
            check_mode,
            shell,
            api,
            warn,
            **clock,
            sleep=sleep,
            host=self.directory.name,
            run_directory=run_directory,
            state_directory=state_directory,
        )
        return _order.TASK.run(context)

    @property
    def orders(self) -> list[dict]:
        return self.emulator.ledger()["orders"]

    def file(self, name: str) -> Path:
        return self.directory / "shop" / name


@pytest.fixture(scope="module")
def emulator():
    with Emulator(resolve={"*": "127.0.0.1:9"}) as running:
        yield running


@pytest.fixture
def host(tmp_path, emulator):
    emulator.reset()
    return Host(tmp_path, emulator)


def test_buys_once_and_resumes(host):
    first, second = host.order(), host.order()
    assert [one["step"] for one in first["orders"] + second["orders"]] == ["buy", "resume"]
    assert first["orders"][0]["order_id"] == second["orders"][0]["order_id"] == host.orders[0]["order_id"]
    assert (first["changed"], second["changed"], len(host.orders)) == (True, False, 1)
    assert first["orders"][0]["charged"] == first["orders"][0]["price"]
    assert not host.file("intent.json").exists()


def test_check_mode_buys_nothing_and_returns_the_price(host):
    result = host.order(check_mode=True)
    assert (result["orders"][0]["step"], result["changed"], host.orders) == ("buy", True, [])
    assert result["orders"][0]["price"] > 0
    assert sorted(path.name for path in host.file("").iterdir()) == ["staged"]


LOST = [
    {"kind": "reset"},
    {"kind": "timeout", "seconds": 3},
    {"kind": "status", "status": 502},
    {"kind": "body", "body": "<html>502 Bad Gateway</html>"},
    {"kind": "body", "body": '{"order_id": 78'},
    {"kind": "body", "body": ""},
    {"kind": "body", "body": "[]"},
    {"kind": "body", "body": '{"success": true}'},
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault['kind']} {fault.get('body', '')}".strip())
def test_an_order_with_a_lost_response_is_found(host, fault):
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", times=1, **fault)
    result = host.order()
    assert not result["stopped"]
    assert [one["order_id"] for one in result["orders"]] == [host.orders[0]["order_id"]]
    assert host.order()["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1


@pytest.mark.parametrize("fault", LOST[:4], ids=lambda fault: fault["kind"])
def test_a_purchase_that_may_have_happened_is_not_repeated(host, fault):
    host.emulator.fault(path="/orders/add_ssl_order*", when="before", times=1, **fault)
    first, second = host.order(), host.order()
    for result in (first, second):
        assert "is unknown" in result["stopped"][0]["reason"]
        assert "abandon_intent: true" in result["stopped"][0]["reason"]
    assert host.orders == []
    third = host.order(abandon_intent=True)
    assert (third["orders"][0]["step"], len(host.orders)) == ("buy", 1)


def test_settle_time_waits_for_a_delayed_list(host):
    host.emulator.set(list_delay=3)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=1)
    result = host.order(settle_time=20)
    assert [one["order_id"] for one in result["orders"]] == [host.orders[0]["order_id"]]
    assert len(host.orders) == 1


def test_a_refused_order_leaves_no_intent(host):
    body = json.dumps({"error": True, "message": "No", "description": "Not today"})
    host.emulator.fault(path="/orders/add_ssl_order*", when="before", kind="body", body=body, times=1)
    result = host.order()
    assert "GoGetSSL refused: No: Not today" in result["stopped"][0]["reason"]
    assert not host.file("intent.json").exists()
    assert host.order()["orders"][0]["step"] == "buy"
    assert len(host.orders) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before the command", "after it"])
@pytest.mark.parametrize("command", range(1, 4))
def test_the_next_run_recovers_from_a_kill_at_any_command(host, command, after):
    count = 0

    def shell(script):
        nonlocal count
        count += 1
        if count == command and not after:
            raise Killed
        result = run_shell(script)
        if count == command:
            raise Killed
        return result

    with pytest.raises(Killed):
        host.order(shell=shell)
    result = host.order()
    if "is unknown" in str(result["stopped"]):  # killed between the intent and the purchase
        assert host.orders == []
        result = host.order(abandon_intent=True)
    assert [one["order_id"] for one in result["orders"]] == [host.orders[0]["order_id"]]
    assert len(host.orders) == 1


def test_an_order_without_journal_is_found_by_its_key(host):
    host.order()
    host.file("order.json").unlink()
    assert host.order()["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1
    assert host.file("order.json").exists()


def test_an_active_order_with_another_key_stops_the_purchase(host, tmp_path):
    host.order()
    other = Host(tmp_path / "other", host.emulator)
    result = other.order()
    assert str(host.orders[0]["order_id"]) in result["stopped"][0]["reason"]
    assert len(host.orders) == 1


def test_concurrent_runs_buy_once(host):
    results = []
    start = threading.Barrier(4)

    def one():
        start.wait()
        results.append(host.order(settle_time=8))

    threads = [threading.Thread(target=one) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(host.orders) == 1
    assert len(results) == 4
    known = {order["order_id"] for result in results for order in result["orders"]}
    assert known == {host.orders[0]["order_id"]}
    assert not host.file("intent.json").exists()


def test_an_unreadable_journal_stops_the_run(host):
    host.file("order.json").write_text('{"format": 1, "order_')
    with pytest.raises(_order.GogetsslError, match=r"order\.json on the host cannot be read"):
        host.order()
    assert host.orders == []


def test_an_unknown_product_is_refused_with_a_hint(host):
    result = host.order(product="PositiveSL")
    assert "There is no product 'PositiveSL'" in result["stopped"][0]["reason"]
    assert host.orders == []


def test_a_request_for_other_names_is_refused(host):
    result = host.order(names=["shop.example.com", "other.example.com"])
    assert "the CSR is for shop.example.com, www.shop.example.com" in result["stopped"][0]["reason"]
    assert host.orders == []


MORE_NAMES = [*NAMES, "a.shop.example.com", "b.shop.example.com"]  # one more than the product includes


def issued_host(host) -> Host:
    """A host with an issued order and a new key staged for more names."""
    host.emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    host.emulator.wait_for(host.orders[0]["order_id"])
    key = x509.new_key("ecdsa-p256")
    host.csr = x509.new_request(key, MORE_NAMES)
    (host.file("staged") / "privkey.pem").write_bytes(key)
    (host.file("staged") / "request.csr").write_text(host.csr)
    return host


def paid_name_orders(host) -> int:
    return sum(charge["kind"] == "san" for charge in host.emulator.ledger()["charges"])


def test_concurrent_runs_pay_for_more_names_once(host):
    issued_host(host)
    start, results = threading.Barrier(3), []

    def one():
        start.wait()
        results.append(host.order(settle_time=3, names=MORE_NAMES, spend=["buy", "add_names"]))

    threads = [threading.Thread(target=one) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert (paid_name_orders(host), len(host.orders)) == (1, 1)
    assert not host.file("intent.json").exists()


@pytest.mark.parametrize("when", ["before", "after"])
def test_names_with_a_lost_response_are_paid_once(host, when):
    issued_host(host)
    host.emulator.fault(path="/orders/add_ssl_san_order*", when=when, kind="reset", times=1)
    results = [host.order(names=MORE_NAMES, spend=["buy", "add_names"]) for _number in range(2)]
    assert bool(results[0]["stopped"]) == (when == "before")
    assert not results[1]["stopped"]
    assert paid_name_orders(host) == 1


def test_a_csr_for_other_names_makes_the_staged_key_replaceable(host):
    host.order()
    host.emulator.force(host.orders[0]["order_id"], action="cancel")
    result = host.order(names=["shop.example.com"], abandon_intent=True)
    assert "run gogetssl_csr again" in result["stopped"][0]["reason"]
    assert json.loads(host.file("order.json").read_text())["public_key"] == ""


# An order belongs to a certificate by its names and its key, not by a reference to it.


def other_host(host, tmp_path, names=("two.example.net",)) -> Host:
    """Another host with another certificate, called `shop` on its disk as well."""
    other = Host(tmp_path / "other", host.emulator)
    key = x509.new_key("ecdsa-p256")
    other.csr = x509.new_request(key, list(names))
    (other.file("staged") / "privkey.pem").write_bytes(key)
    (other.file("staged") / "request.csr").write_text(other.csr)
    return other


def issued(host) -> int:
    """Buy, and have the order issued."""
    host.emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    host.emulator.wait_for(host.orders[0]["order_id"])
    return int(host.orders[0]["order_id"])


def after_the_term() -> float:
    return time.time() + 380 * 86400


def reasons(result) -> str:
    return " ".join(one["reason"] for one in result["stopped"])


@pytest.mark.parametrize("state", ["pending", "issued", "cancelled"])
@pytest.mark.parametrize("by", ["journal", "adopt"])
def test_an_order_for_other_names_is_never_touched(host, tmp_path, state, by):
    victim = issued(host) if state == "issued" else host.order()["orders"][0]["order_id"]
    if state == "cancelled":
        host.emulator.force(victim, status="cancelled")
    other, spec = other_host(host, tmp_path), {"names": ["two.example.net"]}
    if by == "journal":
        journal = json.loads(host.file("order.json").read_text())
        other.file("order.json").write_text(json.dumps({**journal, "public_key": "", "purchases": []}))
    else:
        spec["adopt"] = victim
    before = host.emulator.order(victim)
    results = [other.order(**spec) for _number in range(3)]
    assert all(f"order {victim} does not belong to this certificate" in reasons(result) for result in results)
    assert (host.emulator.order(victim), len(host.orders)) == (before, 1)


def test_without_a_foreign_journal_one_order_is_bought_and_no_more(host, tmp_path):
    host.order()
    other, names = other_host(host, tmp_path), ["two.example.net"]
    journal = host.file("order.json").read_text()
    other.file("order.json").write_text(journal)
    assert other.order(names=names, abandon_intent=True)["orders"][0]["step"] == "buy"
    other.file("order.json").write_text(journal)  # the host claims it again
    assert "does not belong" in reasons(other.order(names=names))
    assert other.order(names=names, abandon_intent=True)["orders"][0]["step"] == "resume"
    assert len(host.orders) == 2


def test_another_hosts_certificate_on_a_cloned_disk_does_not_stop_the_first_order(host, tmp_path):
    order_id = issued(host)
    delivered, theirs = host.order()["orders"][0], host.emulator.order(order_id)
    other, names = other_host(host, tmp_path), ["two.example.net"]
    version = other.file("1")
    version.mkdir()
    (version / "cert.pem").write_text(delivered["certificate"])
    (version / "chain.pem").write_text(delivered["chain"])
    other.file("current").symlink_to("1")
    assert other.order(names=names)["orders"][0]["step"] == "buy"
    assert host.emulator.order(order_id) == theirs


def answer_with(emulator, order_id) -> None:
    """The next purchase is answered with this order's id."""
    body = json.dumps({"order_id": order_id, "order_amount": "1.00", "currency": "EUR", "success": True})
    emulator.fault(path="/orders/add_ssl_order*", when="after", times=1, kind="body", body=body)


def test_a_purchase_that_is_answered_with_another_order_is_found_by_its_key(host, tmp_path):
    victim = issued(host)
    other, before = other_host(host, tmp_path), host.emulator.order(victim)
    answer_with(host.emulator, victim)
    result = other.order(names=["two.example.net"])
    assert [one["order_id"] for one in result["orders"]] == [host.orders[1]["order_id"]]
    assert other.order(names=["two.example.net"])["orders"][0]["step"] in ("resume", "install")
    assert (host.emulator.order(victim), len(host.orders)) == (before, 2)


def test_an_answer_that_names_no_readable_order_leaves_the_intent(host):
    answer_with(host.emulator, 4711)
    assert host.order()["stopped"]
    assert host.file("intent.json").exists()
    assert host.order()["orders"][0]["step"] == "resume"
    assert json.loads(host.file("order.json").read_text())["order_id"] == host.orders[0]["order_id"]
    assert (len(host.orders), host.file("intent.json").exists()) == (1, False)


def test_an_order_that_cannot_be_read_after_its_purchase_is_verified_by_the_next_run(host):
    host.emulator.set(list_delay=600)
    host.emulator.fault(path="/orders/status/*", when="before", kind="status", status=500, times=6)
    assert host.order()["stopped"]
    host.emulator.clear_faults()
    assert host.order()["orders"][0]["step"] == "resume"
    assert (len(host.orders), host.file("intent.json").exists()) == (1, False)


def test_two_certificates_of_a_run_do_not_share_an_order(host, tmp_path):
    order_id = host.order()["orders"][0]["order_id"]
    run = tmp_path / "run"
    run.mkdir()
    clone = Host(tmp_path / "clone", host.emulator)
    clone.file("order.json").write_text(host.file("order.json").read_text())
    assert not host.order(run_directory=str(run))["stopped"]
    assert not host.order(run_directory=str(run))["stopped"]
    assert f"order {order_id} is in use by" in reasons(clone.order(run_directory=str(run)))


# Runs that were started separately on one controller: GoGetSSL lists their orders late.


@pytest.fixture
def second(host, tmp_path):
    """Another host that requests the same names, in a run that does not know the first."""
    host.emulator.set(list_delay=600)
    return Host(tmp_path / "second", host.emulator)


def test_a_separate_run_does_not_buy_the_same_names(host, second, tmp_path):
    controller = {"state_directory": str(tmp_path / "home")}
    assert not host.order(**controller)["stopped"]
    assert "another run has bought shop.example.com for" in reasons(second.order(**controller))
    assert host.order(**controller)["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1


def test_a_separate_run_does_not_buy_while_an_outcome_is_unknown(host, second, tmp_path):
    controller = {"state_directory": str(tmp_path / "home")}
    host.emulator.fault(path="/orders/add_ssl_order", when="after", kind="reset")
    assert host.order(**controller)["stopped"]
    assert "its order is not known yet" in reasons(second.order(**controller))
    assert len(host.orders) == 1


@pytest.mark.parametrize("unreadable", ["/orders/status/*", "/orders/ssl/all/"])
def test_a_separate_run_does_not_buy_what_the_first_could_not_read_after_its_purchase(
    host, second, tmp_path, unreadable
):
    controller = {"state_directory": str(tmp_path / "home")}
    fault = {"path": unreadable, "when": "before", "kind": "status", "status": 500, "times": None}
    if unreadable == "/orders/ssl/all/":  # the lookup after a lost answer, which the warning announces, fails, too
        host.emulator.fault(path="/orders/add_ssl_order", when="after", kind="reset")
        assert host.order(**controller, warn=lambda _text: host.emulator.fault(**fault))["stopped"]
    else:
        host.emulator.fault(**fault)
        assert host.order(**controller)["stopped"]
    host.emulator.clear_faults()
    assert len(host.orders) == 1
    assert "its order is not known yet" in reasons(second.order(**controller))
    assert len(host.orders) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_full_disk_of_the_controller_loses_no_purchase(host, second, tmp_path, monkeypatch, when):
    controller = {"state_directory": str(tmp_path / "home")}
    writes, genuine = [], files.replace_file

    def replace_file(path, contents, rights):
        writes.append(path)
        if len(writes) > (when == "after"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        genuine(path, contents, rights)

    monkeypatch.setattr(files, "replace_file", replace_file)
    warnings = []
    result = host.order(**controller, warn=warnings.append)
    if when == "before":
        assert "cannot be recorded on the controller" in reasons(result)
        assert (host.orders, host.file("intent.json").exists()) == ([], False)
    else:  # the order is in the journal, and the record without an order still stops other runs
        assert result["orders"][0]["order_id"] == host.orders[0]["order_id"]
        assert any("is missing in the controller's record" in warning for warning in warnings)
        assert (host.file("order.json").exists(), host.file("intent.json").exists()) == (True, False)
    monkeypatch.undo()
    host.order(**controller)
    assert len(host.orders) == 1
    assert "another run has bought" in reasons(second.order(**controller))


def test_separate_runs_at_the_same_time_buy_once(host, second, tmp_path):
    controller = {"state_directory": str(tmp_path / "home")}
    host.emulator.fault(path="/orders/add_ssl_order", when="before", kind="delay", seconds=1)
    with ThreadPoolExecutor() as pool:
        results = [pool.submit(one.order, **controller) for one in (host, second)]
    assert sorted(bool(one.result()["stopped"]) for one in results) == [False, True]
    assert len(host.orders) == 1


@pytest.mark.parametrize("why", ["refused", "cancelled", "an hour ago", "order_host", "abandon_intent"])
def test_a_separate_run_may_buy(host, second, tmp_path, why):
    controller = {"state_directory": str(tmp_path / "home")}
    if why == "refused":
        host.emulator.set(balance=0, insufficient_balance="error")
    first = host.order(**controller, now=(lambda: time.time() - 3700) if why == "an hour ago" else None)
    assert bool(first["stopped"]) is (why == "refused")
    host.emulator.set(balance=1000)
    if why == "cancelled":
        host.emulator.force(host.orders[0]["order_id"], action="cancel")
    own = (
        {"order_host": "second"} if why == "order_host" else {"abandon_intent": True} if why == "abandon_intent" else {}
    )
    assert not second.order(**controller, **own)["stopped"]


# The account is searched before a purchase, independently of the journal.


@pytest.mark.parametrize("lost", ["the key too", "the journal alone"])
def test_an_order_with_the_names_in_another_order_stops_the_purchase(host, tmp_path, lost):
    host.order()
    other = other_host(host, tmp_path, NAMES[::-1]) if lost == "the key too" else host
    host.file("order.json").unlink()
    result = other.order(names=NAMES[::-1])
    assert len(host.orders) == 1
    assert str(host.orders[0]["order_id"]) in (reasons(result) or str(result["orders"]))


def stage(host, names) -> None:
    """Stage a new key and its CSR on the host."""
    key = x509.new_key("ecdsa-p256")
    host.csr = x509.new_request(key, names)
    (host.file("staged") / "privkey.pem").write_bytes(key)
    (host.file("staged") / "request.csr").write_text(host.csr)


@pytest.mark.parametrize("abandon_intent", [False, True], ids=["", "abandon_intent left"])
def test_a_restored_host_follows_the_order_that_was_bought_since(host, abandon_intent):
    """`abandon_intent` may be in the inventory since a stop, but the backup does not have that it was applied."""
    first = issued(host)
    backup = host.file("order.json").read_text()
    host.emulator.advance(days=380)
    assert host.order(now=after_the_term)["orders"][0]["step"] == "buy"
    second = host.orders[1]["order_id"]
    for _restored in range(2):
        host.file("order.json").write_text(backup)
        stage(host, NAMES)
        result = host.order(now=after_the_term, abandon_intent=abandon_intent)
        assert [one["order_id"] for one in result["orders"]] == [second], result["stopped"]
    assert (len(host.orders), first != second) == (2, True)


@pytest.mark.parametrize("names", [NAMES[:1], [*NAMES, "a.shop.example.com"]])
def test_a_restored_host_with_more_or_fewer_names_does_not_buy_again(host, names):
    issued(host)
    backup = host.file("order.json").read_text()
    host.emulator.advance(days=380)
    stage(host, NAMES)
    host.order(now=after_the_term)
    second = host.orders[1]["order_id"]
    host.file("order.json").write_text(backup)
    stage(host, names)
    assert f"placed with another key: {second}" in reasons(host.order(now=after_the_term, names=names))
    assert len(host.orders) == 2
    result = host.order(now=after_the_term, names=names, adopt=second)
    assert [one["order_id"] for one in result["orders"]] == [second] or "names" in reasons(result)
    assert len(host.orders) == 2


def test_an_order_of_another_host_for_more_names_does_not_stop_the_purchase(host):
    issued(host)
    backup = host.file("order.json").read_text()
    host.emulator.advance(days=380)
    stage(host, NAMES)
    host.order(now=after_the_term)
    host.file("order.json").write_text(backup)
    stage(host, NAMES[:1])
    other_hosts = [{"host": "web2", "common_name": NAMES[0], "product": "68"}]
    options = {"other_hosts": other_hosts}
    result = host.order(now=after_the_term, names=NAMES[:1], order_host="web1", options=options)
    assert result["orders"][0]["step"] == "buy"
    assert len(host.orders) == 3


def test_an_order_that_is_live_after_its_term_does_not_hide_its_successor(host):
    """A reissue that nobody validated stays as it is. The journal is lost, and adopt still names that order."""
    first = issued(host)
    host.emulator.advance(days=380)
    assert host.order(now=after_the_term)["orders"][0]["step"] == "buy"
    second = host.orders[1]["order_id"]
    host.emulator.force(first, status="reissue")
    host.file("order.json").unlink()
    result = host.order(now=after_the_term, adopt=first)
    assert [one["order_id"] for one in result["orders"]] == [second], result["stopped"]
    assert len(host.orders) == 2


@pytest.mark.parametrize(
    ("others", "step"),
    [
        ([], "stop"),
        ([{"host": "web2", "order_host": "web2"}], "buy"),
        ([{"host": "web2"}], "buy"),
        ([{"host": "web2", "order_host": "web1"}], "reissue"),
    ],
)
def test_an_order_that_another_host_may_own_is_not_taken(host, tmp_path, others, step):
    """Hosts with their own orders renew in the same weeks, and their orders are similar."""
    issued(host)
    host.emulator.advance(days=380)
    other = other_host(host, tmp_path, NAMES)
    assert other.order(now=after_the_term)["orders"][0]["step"] == "buy"
    host.emulator.wait_for(host.orders[1]["order_id"])
    other_hosts = [{"common_name": NAMES[0], "product": "68", **one} for one in others]
    result = host.order(now=after_the_term, order_host="web1", options={"other_hosts": other_hosts})
    assert result["plan"][0]["step"] == step
    assert len(host.orders) == (3 if step == "buy" else 2)


# Nothing that has just failed with money in it is repeated.


def test_adopt_that_stays_in_the_inventory_has_no_effect_later(host):
    first = issued(host)
    host.file("order.json").unlink()
    assert host.order(adopt=first)["orders"][0]["order_id"] == first
    host.emulator.set(issuance_delay=9e5)
    host.emulator.advance(days=380)
    results = [host.order(adopt=first, now=after_the_term) for _number in range(3)]
    assert [one["orders"][0]["step"] for one in results] == ["buy", "resume", "resume"]
    assert len(host.orders) == 2


def test_adopt_of_an_order_that_has_ended_stops(host):
    first = issued(host)
    host.file("order.json").unlink()
    host.emulator.force(first, status="cancelled")
    assert f"order {first}, named by adopt, is cancelled" in reasons(host.order(adopt=first))
    assert len(host.orders) == 1


def test_adopt_does_not_settle_the_purchase_of_another_order(host, tmp_path):
    """The answer to a renewal was lost, and adopt still names the order of the previous term."""
    first = issued(host)
    host.emulator.set(list_delay=600)
    host.emulator.advance(days=380)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=1)
    host.file("order.json").unlink()
    key = x509.new_key("ecdsa-p256")
    host.csr = x509.new_request(key, NAMES)
    (host.file("staged") / "privkey.pem").write_bytes(key)
    (host.file("staged") / "request.csr").write_text(host.csr)
    assert "is unknown" in reasons(host.order(now=after_the_term))
    assert "is unknown" in reasons(host.order(now=after_the_term, adopt=first))
    host.emulator.set(list_delay=0)
    assert host.order(now=after_the_term, adopt=first)["orders"][0]["order_id"] == host.orders[1]["order_id"]
    assert len(host.orders) == 2


def test_abandon_intent_that_stays_in_the_inventory_buys_once(host):
    host.emulator.set(list_delay=600)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=3)
    for _number in range(3):
        assert "is unknown" in reasons(host.order(abandon_intent=True))
    assert len(host.orders) == 1
    assert "is unknown" in reasons(host.order())
    host.order(abandon_intent=True)  # removed and set again
    assert len(host.orders) == 2


def test_abandon_intent_does_nothing_while_the_account_cannot_be_read(host):
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=1)
    host.emulator.set(list_delay=600)
    host.order()
    host.emulator.set(list_delay=0)
    host.emulator.fault(path="/orders/ssl/all*", when="before", kind="status", status=500, times=6)
    assert host.order(abandon_intent=True)["stopped"]
    host.emulator.clear_faults()
    assert host.order(abandon_intent=True)["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1


@pytest.mark.parametrize("status", ["cancelled", "rejected", "expired"])
def test_an_order_that_never_gave_a_certificate_is_not_bought_again(host, status):
    host.order()
    host.emulator.force(host.orders[0]["order_id"], status=status)
    for _number in range(2):
        assert f"is {status}: " in reasons(host.order())
    assert len(host.orders) == 1
    assert host.order(abandon_intent=True)["orders"][0]["step"] == "buy"
    host.emulator.force(host.orders[1]["order_id"], status=status)
    assert f"is {status}: " in reasons(host.order(abandon_intent=True))
    assert len(host.orders) == 2


# An unknown outcome is settled with what was made since.


@pytest.mark.parametrize("action", ["cancel", "reject"])
def test_an_older_order_of_the_same_key_does_not_settle_a_purchase(host, action):
    host.order()
    host.emulator.force(host.orders[0]["order_id"], action=action)
    host.order()
    host.emulator.set(list_delay=600)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=1)
    assert "is unknown" in reasons(host.order(abandon_intent=True))
    host.emulator.set(list_delay=0)
    second = host.orders[1]["order_id"]
    assert [one["order_id"] for one in host.order()["orders"]] == [second]
    assert len(host.orders) == 2


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_an_order_that_ended_before_it_was_found_settles_its_purchase(host, status):
    host.emulator.set(list_delay=600)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=1)
    assert "is unknown" in reasons(host.order())
    host.emulator.set(list_delay=0)
    host.emulator.force(host.orders[0]["order_id"], status=status)
    for _number in range(2):
        assert f"order {host.orders[0]['order_id']} is {status}: " in reasons(host.order())
    assert (len(host.orders), host.file("intent.json").exists()) == (1, False)
    assert host.order(abandon_intent=True)["orders"][0]["step"] == "buy"
    assert len(host.orders) == 2


# An intent for another API address.


def foreign_intent(host) -> None:
    host.emulator.fault(path="/orders/add_ssl_order*", when="before", kind="reset", times=1)
    host.order()
    intent = json.loads(host.file("intent.json").read_text())
    host.file("intent.json").write_text(json.dumps({**intent, "api": "https://sandbox.invalid/api"}))


def test_an_intent_of_another_api_stops_purchases_until_it_is_abandoned(host):
    foreign_intent(host)
    for _number in range(2):
        assert "a purchase at another API address, https://sandbox.invalid/api" in reasons(host.order())
    assert host.orders == []
    assert host.order(abandon_intent=True)["orders"][0]["step"] == "buy"
    assert (len(host.orders), host.file("intent.json").exists()) == (1, False)


def test_an_intent_of_another_api_does_not_stop_what_is_paid(host):
    host.order()
    text = json.dumps({**json.loads(host.file("order.json").read_text())})
    host.file("order.json").unlink()
    foreign_intent_text = {
        "api": "https://sandbox.invalid/api", "created": 1.0, "format": 1, "md5": "", "names": NAMES, "period": 12,
        "product_id": 68, "public_key": "k", "step": "buy", "unique_code": "",
    }  # fmt: skip
    host.file("order.json").write_text(text)
    host.file("intent.json").write_text(json.dumps(foreign_intent_text))
    assert host.order()["orders"][0]["step"] == "resume"
    assert host.file("intent.json").exists()


FRONT_ENDS = {
    "401 HTML": (401, "<html>Authorization Required</html>"),
    "403 HTML": (403, "<html>Access denied</html>"),
    "403 JSON": (403, '{"message": "Forbidden"}'),
    "407": (407, "<html>Proxy Authentication Required</html>"),
    "408": (408, ""),
    "413": (413, "<html>Request Entity Too Large</html>"),
    "520": (520, "<html>Unknown error</html>"),
    "522": (522, "error code: 522"),
    "524": (524, '{"status": 524, "title": "A timeout occurred", "cloudflare_error": true}'),
    "503 in the API's form": (503, '{"error": true, "message": "Maintenance"}'),
    "200 JSON": (200, '{"status": "ok"}'),
    "200 success false": (200, '{"success": false}'),
}


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_a_purchase_that_something_else_answers_is_sent_once(host, name):
    status, body = FRONT_ENDS[name]
    host.emulator.set(list_delay=600)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="status", status=status, body=body, times=1)
    for result in (host.order(), host.order()):
        assert "is unknown" in result["stopped"][0]["reason"]
    ledger = host.emulator.ledger()
    assert (len(ledger["orders"]), len(ledger["charges"])) == (1, 1)
    assert sum("add_ssl_order" in call["path"] for call in host.emulator.requests()) == 1
    assert host.file("intent.json").exists()
