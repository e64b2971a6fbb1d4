# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated vendor behaves like the emulator process, and simulated time as the runner needs it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.chaos.more import FRONT_ENDS
from tests.chaos.runs import Run, Site
from tests.chaos.seeds import KINDS, run_seed
from tests.chaos.simulated import START, Session, Time, Vendor
from tests.emulator import lifecycle
from tests.emulator.faults import Fault
from tests.emulator.testing import Emulator

LOGIN = "/auth/"


@pytest.fixture(scope="module")
def real() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


def outcome(emulator: Emulator, session: requests.Session | Session) -> str:
    """The outcome of a login for a client: exception names, or status and body without the key."""
    login = {"user": emulator.user, "pass": emulator.password}
    timeout = 0.3 if isinstance(emulator, Vendor) else 2
    try:
        with session.request("POST", emulator.url + LOGIN, data=login, timeout=timeout, stream=True) as answer:
            text = b"".join(answer.iter_content(1000)).decode()
        return f"{answer.status_code} {re.sub('[0-9a-f]{20,}', 'KEY', text)}"
    except requests.RequestException as error:
        return f"{type(error).__name__} {type(error.args[0]).__name__}"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "kind", [kind for kind in (*KINDS, *FRONT_ENDS) if kind["kind"] not in ("delay", "timeout", "late")], ids=str
)
def test_simulated_faults_match_those_of_a_network(
    real: Emulator, vendor: Vendor, kind: dict[str, Any], when: str
) -> None:
    seen = []
    for emulator, session in ((real, requests.Session()), (vendor, vendor.session())):
        emulator.clear_faults()
        emulator.fault(path=LOGIN, when=when, **kind)
        seen.append(outcome(emulator, session))
        seen.append(outcome(emulator, session))
    assert seen[0] == seen[2]
    assert seen[1] == seen[3]
    assert seen[1].startswith("200 ")


def test_a_missing_response_is_a_timeout(real: Emulator, vendor: Vendor) -> None:
    for emulator, session in ((real, requests.Session()), (vendor, vendor.session())):
        emulator.fault(path=LOGIN, kind="timeout", seconds=4)
        assert outcome(emulator, session).startswith("ReadTimeout")


def test_a_late_call_takes_effect_after_the_client_timeout(tmp_path: Path, vendor: Vendor) -> None:
    vendor.set(dcv_mode="pass")
    site = Site(tmp_path, vendor)
    vendor.late.append(Fault(path="/orders/add_ssl_order", kind="delay", seconds=45))
    before = vendor.time.now
    assert Run(site)() == "done"
    order = vendor.ledger()["orders"][0]
    assert order["created"] > before + 45
    assert [call["path"] for call in vendor.backend.requests].count("/api/orders/add_ssl_order/") == 1


def test_the_thread_with_the_shortest_sleep_continues_first() -> None:
    time, seen = Time(), []

    def work(name: str, *pauses: float) -> None:
        for pause in pauses:
            time.sleep(pause)
            seen.append((name, time.now - START))

    time.at(START + 6, lambda: seen.append(("event", time.now - START)))
    time.together([lambda: work("a", 5, 5), lambda: work("b", 1, 8, 3)])
    assert seen == [("b", 1), ("a", 5), ("event", 6), ("b", 9), ("a", 10), ("b", 12)]
    assert dt.datetime.fromtimestamp(time.now, dt.timezone.utc) == dt.datetime(
        2026, 12, 1, 9, 0, 12, tzinfo=dt.timezone.utc
    )


def test_a_seed_is_reproducible(vendor: Vendor) -> None:
    seeds = (3, 5, 8, 11)
    first = [str(run_seed(vendor, seed)) for seed in seeds]
    assert [str(run_seed(vendor, seed)) for seed in seeds] == first


def test_a_reissue_that_is_ready_after_the_paid_term_ends_the_order(tmp_path: Path, vendor: Vendor) -> None:
    vendor.set(dcv_mode="pass", issuance_delay=0.0)
    site = Site(tmp_path, vendor)
    assert Run(site)() == "done"
    vendor.set(issuance_delay=600 * 86400.0)
    Run(site)(rekey=True)
    order = vendor.backend.store.order(vendor.ledger()["orders"][0]["order_id"])
    assert order
    assert (order.status, order.reissuing) == ("reissue", True)
    vendor.time.sleep(700 * 86400.0)
    assert [row["status"] for row in vendor.ledger()["orders"]] == ["expired"]


def test_a_reset_needs_no_order_that_can_be_settled(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(*_arguments: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(lifecycle, "settle", failed)
    with pytest.raises(ValueError, match="broken"):
        vendor.now()
    vendor.reset()
