# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator inside this process, with a simulated clock that advances only while a thread sleeps.

Concurrent runs are threads of which only one continues at a time: the one whose sleep ends first. So a seed is the same
scenario on every machine, a timeout of an hour takes no time, and random numbers decide which of two runs is faster.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import heapq
import json
import random
import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import urllib3

from tests.emulator import api, app, catalogue, control, lifecycle
from tests.emulator.api import Dropped
from tests.emulator.backend import Backend
from tests.emulator.ca import CertificateAuthority
from tests.emulator.faults import Fault
from tests.emulator.network import Network
from tests.emulator.state import Store
from tests.emulator.testing import Emulator

START = dt.datetime(2026, 12, 1, 9, tzinfo=dt.timezone.utc).timestamp()
URL = "http://vendor.invalid/api"
CATALOGUE = (68,)  # the product of all seeds: parsing the whole catalogue would take most of the run time


def _locked() -> threading.Lock:
    """A lock as a signal: one thread acquires it to wait, another one releases it. Faster than a semaphore."""
    lock = threading.Lock()
    lock.acquire()
    return lock


class _Actor:
    """A thread that shares the clock with others."""

    def __init__(self) -> None:
        self.wakes = 0.0
        self.turn = _locked()


class Time:
    """A clock in seconds since the epoch. Sleeping lets other threads continue, or advances the clock."""

    def __init__(self) -> None:
        self.now = START
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._inside = False  # an event is being processed
        self._actors: list[_Actor] = []
        self._own = threading.local()
        self._all_ended = _locked()

    def restart(self) -> None:
        self.now = START
        self._events.clear()

    def at(self, moment: float, event: Callable[[], None]) -> None:
        """Schedule an event. The thread that sleeps at that time executes it."""
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, event))

    def forget(self, event: Callable[[], None]) -> None:
        """Remove an event from the schedule."""
        self._events = [one for one in self._events if one[2] != event]
        heapq.heapify(self._events)

    def sleep(self, seconds: float) -> None:
        if self._inside:  # no time passes during an event
            return
        if not self._actors:
            self._pass(self.now + seconds)
            return
        me: _Actor = self._own.actor
        me.wakes = self.now + seconds
        following = self._following()
        if following is not me:
            following.turn.release()
            me.turn.acquire()
        self._pass(me.wakes)

    @property
    def shared(self) -> bool:
        """Whether several threads share the clock."""
        return len(self._actors) > 1

    def together(self, works: list[Callable[[], None]]) -> None:
        """Run functions concurrently and return when all have ended. They must not raise."""
        if len(works) == 1:
            works[0]()
            return
        self._actors = [_Actor() for _work in works]
        threads = []
        for actor, work in zip(self._actors, works, strict=True):
            actor.wakes = self.now
            threads.append(threading.Thread(target=self._act, args=(actor, work)))
        for thread in threads:
            thread.start()
        self._following().turn.release()
        self._all_ended.acquire()
        for thread in threads:
            thread.join()

    def _act(self, me: _Actor, work: Callable[[], None]) -> None:
        self._own.actor = me
        me.turn.acquire()
        try:
            work()
        finally:
            self._actors.remove(me)
            (self._following().turn if self._actors else self._all_ended).release()

    def _following(self) -> _Actor:
        return min(self._actors, key=lambda actor: actor.wakes)

    def _pass(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            moment, _number, event = heapq.heappop(self._events)
            self.now = max(self.now, moment)
            self._inside = True
            try:
                event()
            finally:
                self._inside = False
        self.now = max(self.now, until)


@dataclass
class _SimulatedBackend(Backend):
    time: Time = field(default_factory=Time)

    def now(self) -> float:
        return self.time.now

    def advance(self, seconds: float) -> None:
        self.time.sleep(seconds)

    def reset(self) -> None:
        super().reset()
        self.time.restart()


class _ClientTimeout(BaseException):
    """The client timed out. A BaseException, so that the server does not turn it into an error response."""


class _ClientTimer(threading.Event):
    """Replaces the emulator's `stopping` event, on which slow responses wait: ends the wait at the client's timeout."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time
        self._until = threading.local()

    def begin(self, timeout: float) -> None:
        self._until.moment = self._time.now + timeout

    def wait(self, timeout: float | None = None) -> bool:
        remaining = getattr(self._until, "moment", self._time.now) - self._time.now
        self._time.sleep(min(remaining, timeout or 0.0))
        if timeout is not None and timeout > remaining:
            raise _ClientTimeout
        return False


class Vendor(Emulator):
    """The interface of `Emulator` without a separate process."""

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.dice = random.Random(0)  # for the duration of calls
        self.answer_with: int | None = None  # an order id that replaces the one in the next response to a purchase
        self.unreadable: dict[int, dict[str, Any]] = {}  # order id -> fields of its status that are replaced
        self.late: list[Fault] = []  # for calls that take effect after the client's timeout
        self.late_reissues = 0  # those that have taken effect

    def start(self) -> Vendor:
        self._directory = tempfile.TemporaryDirectory(prefix="vendor-")
        directory = Path(self._directory.name)
        store = Store(Path(":memory:"))
        self.client_timer = _ClientTimer(self.time)
        self.backend = _SimulatedBackend(
            store, CertificateAuthority(directory / "ca"), Network(), stopping=self.client_timer, time=self.time
        )
        self.client = app.create(self.backend).test_client()
        self.url, self.user, self.password = URL, self.backend.user, self.backend.password
        self.ca = self.backend.ca.root_path
        self._products = catalogue.products
        few = {number: self._products()[number] for number in CATALOGUE}
        catalogue.products = lambda: few  # type: ignore[assignment]
        return self

    def stop(self) -> int:
        catalogue.products = self._products
        self.backend.store.close()
        self._directory.cleanup()
        return 0

    def __enter__(self) -> Vendor:
        return self.start()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.client.open(f"/_emulator/{path}", method=method, data=data)
        if answer.status_code != 200:
            raise ValueError((answer.json or {}).get("error") or answer.json)
        return answer.json

    def reset(self, *, settings: bool = True) -> None:
        if settings:
            self.backend.reset_settings()
        self.backend.reset()  # not by the control API, which fails if an order of a broken seed cannot be settled
        self.late.clear()
        self.late_reissues = 0
        self.answer_with = None
        self.unreadable = {}

    # Shortcuts for the most frequent control calls

    def ledger(self) -> dict[str, Any]:
        with self.backend.store.transaction():
            lifecycle.settle(self.backend)
        return control.ledger(self.backend)

    def set(self, **settings: Any) -> None:
        self.backend.change_settings(settings)

    def fault(self, **fault: Any) -> None:
        self.backend.faults.add([fault])

    def faults(self) -> list[dict[str, Any]]:
        return self.backend.faults.report()

    def clear_faults(self) -> None:
        self.backend.faults.clear()

    def exchange(self, method: str, path: str, form: Mapping[str, str], timeout: float) -> api.Response:
        """Pass a call to the emulator like a network, including delays and failures."""
        time = self.time
        time.sleep(self.dice.uniform(0.02, 0.4))
        delayed = next((fault for fault in self.late if fault.matches(method, path) and fault.fires()), None)
        if delayed:
            time.at(time.now + delayed.seconds, lambda: self._deliver(method, path, form))
            time.sleep(timeout)
            raise requests.exceptions.ReadTimeout("Read timed out.")
        self.client_timer.begin(timeout)
        try:
            answer = api.respond(self.backend, api.Request(method, path, lambda: form))
        except _ClientTimeout:
            raise requests.exceptions.ReadTimeout("Read timed out.") from None
        except Dropped:
            cause = ConnectionResetError(104, "Connection reset by peer")
            broken = urllib3.exceptions.ProtocolError("Connection aborted.", cause)
            raise requests.exceptions.ConnectionError(broken) from None
        if self.answer_with is not None and path.startswith(("/orders/add_ssl_order", "/orders/add_ssl_renew")):
            body = re.sub(rb'("order_id": ?)"?\d+"?', rb"\g<1>%d" % self.answer_with, answer.body)
            answer = answer._replace(body=body)
            self.answer_with = None
        odd = self.unreadable and re.match(r"/orders/status/(\d+)", path)
        if odd and int(odd[1]) in self.unreadable and answer.body.startswith(b"{") and answer.body.endswith(b"}"):
            fields = {**json.loads(answer.body), **self.unreadable[int(odd[1])]}
            answer = answer._replace(body=json.dumps(fields).encode())
        time.sleep(self.dice.uniform(0.02, 0.4))
        return answer

    def _deliver(self, method: str, path: str, form: Mapping[str, str]) -> None:
        """Deliver a late call, whose response is discarded."""
        with contextlib.suppress(_ClientTimeout, Dropped):
            api.respond(self.backend, api.Request(method, path, lambda: form))
            self.late_reissues += "/ssl/reissue/" in path

    def session(self) -> Session:
        return Session(self)


class Session:
    """What the client uses of a `requests` session. Preparing a request there takes longer than the emulator does."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        timeout: float = 30.0,
        **_options: Any,
    ) -> _Response:
        form = {name: str(value) for name, value in (params or data or {}).items()}
        return _Response(self._vendor.exchange(method, url.removeprefix(URL), form, timeout))


class _Response(contextlib.AbstractContextManager["_Response"]):
    """What the client uses of a response."""

    headers: Mapping[str, str] = {}

    def __init__(self, answer: api.Response) -> None:
        self.content, self.status_code = answer.body, answer.status

    def __exit__(self, *_error: object) -> None:
        """Nothing is to be closed."""

    def iter_content(self, _size: int) -> list[bytes]:
        return [self.content]
