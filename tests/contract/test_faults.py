# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults fire for the chosen calls, before or after the server has committed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from tests.emulator.testing import Emulator

from .helpers import Api

PATH = "/orders/add_ssl_order"


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("kind", ["reset", "timeout"])
def test_lost_connection(api: Api, emulator: Emulator, when: str, orders: int, kind: str) -> None:
    emulator.fault(path=PATH, when=when, kind=kind, seconds=0.05)
    with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
        api.order(66, "a.example.com")
    ledger = emulator.ledger()
    assert (len(ledger["orders"]), len(ledger["charges"])) == (orders, orders)
    assert emulator.faults()[0]["fired"] == 1
    assert emulator.requests()[-1]["status"] == 0
    assert api.order(66, "a.example.com")["success"] is True


def test_timeout_sends_no_response(api: Api, emulator: Emulator) -> None:
    emulator.fault(path="/account/balance", kind="timeout", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{emulator.url}/account/balance", params={"auth_key": api.key}, timeout=0.3)


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_status(api: Api, emulator: Emulator, when: str, orders: int) -> None:
    emulator.fault(path=PATH, when=when, kind="status", status=502, body="<h1>Bad gateway</h1>")
    answer = _order(api)
    assert (answer.status_code, answer.text) == (502, "<h1>Bad gateway</h1>")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert len(emulator.ledger()["orders"]) == orders


def _order(api: Api) -> requests.Response:
    """The raw response to an order."""
    kept: list[requests.Response] = []
    call = api.call

    def keep(method: str, path: str, **options: Any) -> requests.Response:
        kept.append(call(method, path, **options))
        return kept[-1]

    api.call = keep  # type: ignore[method-assign]
    try:
        api.order(66, "a.example.com")
    except requests.JSONDecodeError:
        pass
    finally:
        api.call = call  # type: ignore[method-assign]
    return kept[-1]


def test_body_and_truncation(api: Api, emulator: Emulator) -> None:
    emulator.fault(path=PATH, when="after", kind="body", body='{"order_id": 78')
    assert _order(api).text == '{"order_id": 78'
    emulator.fault(path=PATH, when="after", kind="truncate")
    answer = _order(api)
    assert answer.text.startswith('{"product_id":66')
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    assert len(emulator.ledger()["orders"]) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_delay(api: Api, emulator: Emulator, when: str) -> None:
    emulator.fault(path="/account/balance", when=when, kind="delay", seconds=0.2)
    start = time.monotonic()
    assert api.get("/account/balance")["success"] is True
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("/orders/status", True),
        ("/orders/*/7", True),
        ("/orders/status/7/", True),
        ("/", True),
        ("/orders/ssl", False),
        ("/orders/status/8", False),
        ("*/auth*", False),
    ],
)
def test_patterns(api: Api, emulator: Emulator, pattern: str, matched: bool) -> None:
    emulator.fault(path=pattern, kind="status", status=500)
    for path in ("/orders/status/7", "/orders/status/7/"):
        emulator.clear_faults()
        emulator.fault(path=pattern, kind="status", status=500)
        assert (api.call("GET", path).status_code == 500) is matched


def test_times_skip_and_method(api: Api, emulator: Emulator) -> None:
    emulator.fault(path="/account", kind="status", status=500, times=2, skip=1, method="get")
    assert api.call("POST", "/account/balance").status_code == 200
    assert [api.call("GET", "/account/balance").status_code for _unused in range(5)] == [200, 500, 500, 200, 200]
    assert emulator.faults()[0]["left"] == 0


def test_probability_is_reproducible(api: Api, emulator: Emulator) -> None:
    def draw(seed: int) -> list[int]:
        emulator.clear_faults()
        emulator.fault(path="/", kind="status", status=500, times=None, probability=0.5, seed=seed)
        return [api.call("GET", "/account/balance").status_code for _unused in range(30)]

    first = draw(7)
    assert {200, 500} == set(first)
    assert draw(7) == first
    assert draw(8) != first


@pytest.mark.parametrize("fault", [{"kind": "magic"}, {"when": "during"}, {"colour": "red"}])
def test_wrong_faults_are_refused(emulator: Emulator, fault: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"kind|before|colour"):
        emulator.fault(**fault)


def test_request_log_holds_no_secrets(api: Api, emulator: Emulator) -> None:
    api.get("/account/balance")
    log = emulator.requests()
    assert [(row["method"], row["path"], row["status"]) for row in log] == [
        ("POST", "/api/auth/", 200),
        ("GET", "/api/account/balance", 200),
    ]
    assert api.key not in json.dumps(log)
    emulator.clear_requests()
    assert emulator.requests() == []
