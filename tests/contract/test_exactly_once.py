# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order task against the emulator over real sockets, with answers lost, runs killed and two runs at once.

Whatever happens, the emulator's ledger must never show two orders for one certificate.
"""

from __future__ import annotations

import functools
import json
import subprocess
import threading
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import _api_task, _order, _task, _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._shell import CommandResult
from tests.emulator.testing import Emulator

NAMES = ["shop.example.com", "www.shop.example.com"]
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


def run_shell(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


class Host:
    """A host's certificate directory with a staged key, and the order task working on it."""

    def __init__(self, directory: Path, emulator: Emulator) -> None:
        self.directory, self.emulator = directory, emulator
        staged = directory / "shop" / "staged"
        staged.mkdir(parents=True)
        key = _x509.new_key("ecdsa-p256")
        self.csr = _x509.new_request(key, NAMES)
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
        checked = ArgumentSpecValidator(_task.ansible_spec(_order.TASK.argument_spec)).validate(given)
        assert not checked.error_messages
        params = checked.validated_parameters
        clock = {"now": now} if now else {}
        api = functools.partial(_api_task.open_api, params)
        context = _task.Context(
            params, check_mode, shell, api, warn, **clock, host=self.directory.name, run_directory=run_directory
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


def test_check_mode_buys_nothing_and_says_the_price(host):
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
def test_an_order_whose_answer_is_lost_is_found(host, fault):
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


def test_a_list_that_lags_is_waited_for(host):
    host.emulator.set(list_delay=3)
    host.emulator.fault(path="/orders/add_ssl_order*", when="after", kind="reset", times=1)
    result = host.order(settle_time=20)
    assert [one["order_id"] for one in result["orders"]] == [host.orders[0]["order_id"]]
    assert len(host.orders) == 1


def test_a_refusal_leaves_nothing_behind(host):
    body = json.dumps({"error": True, "message": "No", "description": "Not today"})
    host.emulator.fault(path="/orders/add_ssl_order*", when="before", kind="body", body=body, times=1)
    result = host.order()
    assert "GoGetSSL refused: No: Not today" in result["stopped"][0]["reason"]
    assert not host.file("intent.json").exists()
    assert host.order()["orders"][0]["step"] == "buy"
    assert len(host.orders) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before the command", "after it"])
@pytest.mark.parametrize("command", range(1, 4))
def test_a_run_killed_at_any_command_on_the_host_is_cured_by_the_next(host, command, after):
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


def test_a_lost_journal_is_found_again_by_the_key(host):
    host.order()
    host.file("order.json").unlink()
    assert host.order()["orders"][0]["step"] == "resume"
    assert len(host.orders) == 1
    assert host.file("order.json").exists()


def test_a_live_order_made_with_another_key_stops_the_purchase(host, tmp_path):
    host.order()
    other = Host(tmp_path / "other", host.emulator)
    result = other.order()
    assert str(host.orders[0]["order_id"]) in result["stopped"][0]["reason"]
    assert len(host.orders) == 1


def test_runs_at_once_buy_once(host):
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


def test_a_journal_that_cannot_be_read_stops_everything(host):
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
    """The host with its first order issued, and a new key staged for more names."""
    host.emulator.set(dcv_mode="pass", issuance_delay=0.0)
    host.order()
    host.emulator.wait_for(host.orders[0]["order_id"])
    key = _x509.new_key("ecdsa-p256")
    host.csr = _x509.new_request(key, MORE_NAMES)
    (host.file("staged") / "privkey.pem").write_bytes(key)
    (host.file("staged") / "request.csr").write_text(host.csr)
    return host


def rooms_paid(host) -> int:
    return sum(charge["kind"] == "san" for charge in host.emulator.ledger()["charges"])


def test_runs_at_once_pay_for_more_names_once(host):
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
    assert (rooms_paid(host), len(host.orders)) == (1, 1)
    assert not host.file("intent.json").exists()


@pytest.mark.parametrize("when", ["before", "after"])
def test_more_names_whose_answer_is_lost_are_paid_for_once(host, when):
    issued_host(host)
    host.emulator.fault(path="/orders/add_ssl_san_order*", when=when, kind="reset", times=1)
    results = [host.order(names=MORE_NAMES, spend=["buy", "add_names"]) for _number in range(2)]
    assert bool(results[0]["stopped"]) == (when == "before")
    assert not results[1]["stopped"]
    assert rooms_paid(host) == 1


def test_a_request_for_other_names_frees_the_key_of_an_order_that_needs_a_new_one(host):
    host.order()
    host.emulator.force(host.orders[0]["order_id"], action="cancel")
    result = host.order(names=["shop.example.com"])
    assert "run gogetssl_csr again" in result["stopped"][0]["reason"]
    assert json.loads(host.file("order.json").read_text())["public_key"] == ""
