# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that the hosts of a run share: how old they may be, who gets a failure, and that no secret is readable."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import run_cache
from ansible_collections.certops.gogetssl.plugins.module_utils._api.run_cache import MAX_AGE, RunCache
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind

KEY = "0123456789abcdef"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Vendor:
    """Counts its answers, each of which is different."""

    def __init__(self, failure: Kind | None = None) -> None:
        self.calls, self.failure = 0, failure

    def __call__(self) -> str:
        self.calls += 1
        if self.failure is not None:
            raise GogetsslError("the vendor failed.", self.failure)
        return f"{KEY}{self.calls}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def host(directory: Path, clock: Callable[[], float], user: str = "ada") -> RunCache:
    return RunCache(str(directory), ("https://api.example.com", user, None), clock)


def test_hosts_share_an_answer_up_to_its_age(tmp_path: Path, clock: Clock) -> None:
    vendor = Vendor()
    assert [host(tmp_path, clock).read("products", vendor) for _host in range(3)] == [f"{KEY}1"] * 3
    clock.now += MAX_AGE
    assert host(tmp_path, clock).read("products", vendor) == f"{KEY}1"
    clock.now += 1
    assert host(tmp_path, clock).read("products", vendor) == f"{KEY}2"
    clock.now += 11
    assert host(tmp_path, clock).read("products", vendor, 10) == f"{KEY}3"


def test_another_run_account_or_call_has_its_own_answer(tmp_path: Path, clock: Clock) -> None:
    vendor = Vendor()
    (tmp_path / "next").mkdir()
    caches = [host(tmp_path, clock), host(tmp_path / "next", clock), host(tmp_path, clock, "bob"), RunCache(None)]
    answers = [cache.read("products", vendor) for cache in caches] + [caches[0].read("details", vendor)]
    assert len(set(answers)) == 5


def test_a_discarded_answer_is_read_again(tmp_path: Path, clock: Clock) -> None:
    vendor, cache = Vendor(), host(tmp_path, clock)
    cache.read("products", vendor)
    cache.discard("products", "never read")
    assert cache.read("products", vendor) == f"{KEY}2"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_failure_is_not_kept(tmp_path: Path, clock: Clock, kind: Kind) -> None:
    with pytest.raises(GogetsslError, match="the vendor failed"):
        host(tmp_path, clock).read("products", Vendor(kind))
    clock.now += 1
    assert host(tmp_path, clock).read("products", Vendor()) == f"{KEY}1"


@pytest.mark.parametrize(("kind", "calls"), [(Kind.UNREACHABLE, 1), (Kind.ANSWER, 1), (Kind.REFUSED, 2)])
def test_hosts_that_wait_for_an_unreachable_vendor_get_one_failure(
    tmp_path: Path, clock: Clock, kind: Kind, calls: int
) -> None:
    """A second host begins to wait while the first one reads. A refusal may depend on the host's own password."""
    waiting, failures = threading.Event(), []

    def now() -> float:  # the second host has begun
        waiting.set()
        return clock.now

    class Slow(Vendor):
        def __call__(self) -> str:
            if not self.calls:
                second.start()
                assert waiting.wait(30)
            clock.now += 120
            return super().__call__()

    vendor = Slow(kind)

    def read(times: Callable[[], float]) -> None:
        try:
            host(tmp_path, times).read("products", vendor)
        except GogetsslError as error:
            failures.append(error.kind)

    second = threading.Thread(target=read, args=(now,))
    read(clock)
    second.join(30)
    assert failures == [kind, kind]
    assert vendor.calls == calls


def test_a_stored_secret_needs_the_password(tmp_path: Path, clock: Clock) -> None:
    vendor = Vendor()
    keys = [host(tmp_path, clock).read_secret("login", "right", vendor) for _host in range(2)]
    assert keys == [f"{KEY}1"] * 2
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert KEY.encode() not in stored
    assert KEY.encode().hex().encode() not in stored
    assert b"right" not in stored
    assert host(tmp_path, clock).read_secret("login", "wrong", vendor) == f"{KEY}2", "logs in itself"
    assert host(tmp_path, clock).read_secret("login", "right", vendor) == f"{KEY}1"


def test_a_damaged_answer_is_read_again(tmp_path: Path, clock: Clock) -> None:
    host(tmp_path, clock).read("products", Vendor())
    for path in tmp_path.glob("*.json"):
        path.write_text("{")
    assert host(tmp_path, clock).read("products", Vendor()) == f"{KEY}1"


def test_the_requests_of_a_run_are_counted(tmp_path: Path) -> None:
    assert run_cache.counted_calls(str(tmp_path)) == 0
    run_cache.count_call(str(tmp_path))
    run_cache.count_call(str(tmp_path))
    assert run_cache.counted_calls(str(tmp_path)) == 2
    run_cache.count_call(None)
    assert run_cache.counted_calls(None) == 0
