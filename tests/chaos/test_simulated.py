# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated vendor is held to the real one, simulated time to what the runner relies on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.chaos.life import Run, Site
from tests.chaos.seeds import KINDS, live
from tests.chaos.simulated import START, Time, Vendor
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


def outcome(emulator: Emulator, session: requests.Session) -> str:
    """What a client sees of a log-in: an exception's name, or status and body, the key left out."""
    login = {"user": emulator.user, "pass": emulator.password}
    try:
        answer = session.post(emulator.url + LOGIN, login, timeout=0.3 if isinstance(emulator, Vendor) else 2)
        return f"{answer.status_code} {re.sub('[0-9a-f]{20,}', 'KEY', answer.text)}"
    except requests.RequestException as error:
        return f"{type(error).__name__} {type(error.args[0]).__name__}"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind["kind"] not in ("delay", "timeout", "late")], ids=str)
def test_every_fault_looks_as_it_does_on_a_network(
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


def test_silence_is_a_timeout_and_takes_no_time(real: Emulator, vendor: Vendor) -> None:
    for emulator, session in ((real, requests.Session()), (vendor, vendor.session())):
        emulator.fault(path=LOGIN, kind="timeout", seconds=4)
        assert outcome(emulator, session).startswith("ReadTimeout")


def test_a_late_call_takes_effect_after_the_client_gave_up(tmp_path: Path, vendor: Vendor) -> None:
    vendor.set(dcv_mode="pass")
    site = Site(tmp_path, vendor)
    vendor.late.append(Fault(path="/orders/add_ssl_order", kind="delay", seconds=45))
    before = vendor.time.now
    assert Run(site)() == "done"
    order = vendor.ledger()["orders"][0]
    assert order["created"] > before + 45
    assert [call["path"] for call in vendor.world.requests].count("/api/orders/add_ssl_order/") == 1


def test_who_waits_least_goes_on_first() -> None:
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


def test_a_seed_is_one_life(vendor: Vendor) -> None:
    seeds = (3, 5, 8, 11)
    first = [str(live(vendor, seed)) for seed in seeds]
    assert [str(live(vendor, seed)) for seed in seeds] == first
