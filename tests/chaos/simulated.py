# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator inside this process, and a time that passes only when somebody waits.

What runs at once are threads of which one at a time goes on: the one whose waiting ends first. So a seed is the same
life on every machine, a silence of an hour costs nothing, and which of two runs is faster is a matter of dice.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import heapq
import io
import json
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from werkzeug.test import run_wsgi_app

from tests.emulator import app, catalogue, control, lifecycle
from tests.emulator.app import Dropped
from tests.emulator.ca import Authority
from tests.emulator.faults import Fault
from tests.emulator.network import Network
from tests.emulator.state import Store
from tests.emulator.testing import Emulator
from tests.emulator.world import World

START = dt.datetime(2026, 12, 1, 9, tzinfo=dt.timezone.utc).timestamp()
URL = "http://vendor.invalid/api"
CATALOGUE = (66, 68, 71)  # a few products: to read them all would be half of a life's work


class _Actor:
    """A thread that shares the time with others."""

    def __init__(self) -> None:
        self.wakes = 0.0
        self.turn = threading.Semaphore(0)


class Time:
    """Seconds since the epoch. To sleep is to let others go on, or to leap if there are none."""

    def __init__(self) -> None:
        self.now = START
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._inside = False  # an event happens
        self._actors: list[_Actor] = []
        self._own = threading.local()
        self._all_ended = threading.Semaphore(0)

    def restart(self) -> None:
        self.now = START
        self._events.clear()

    def at(self, moment: float, event: Callable[[], None]) -> None:
        """Have something happen when its time has come, whoever sleeps then."""
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, event))

    def sleep(self, seconds: float) -> None:
        if self._inside:  # nobody waits for an event
            return
        me: _Actor | None = getattr(self._own, "actor", None)
        if me is None:
            self._pass(self.now + seconds)
            return
        me.wakes = self.now + seconds
        following = self._following()
        if following is not me:
            following.turn.release()
            me.turn.acquire()
        self._pass(me.wakes)

    @property
    def shared(self) -> bool:
        """Whether others may go on while somebody sleeps."""
        return len(self._actors) > 1

    def together(self, works: list[Callable[[], None]]) -> None:
        """Do them at once; returns when all have ended. They must not raise."""
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
class _World(World):
    time: Time = field(default_factory=Time)

    def now(self) -> float:
        return self.time.now

    def advance(self, seconds: float) -> None:
        self.time.sleep(seconds)

    def reset(self) -> None:
        super().reset()
        self.time.restart()


class _GaveUp(BaseException):
    """The client will not wait for so long. No error of the server, which shall not answer it with one."""


class _Patience(threading.Event):
    """Stands for the emulator's `stopping`, on which it waits when it is slow: up to what the client puts up with."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time
        self._until = threading.local()

    def begin(self, timeout: float) -> None:
        self._until.moment = self._time.now + timeout

    def wait(self, timeout: float | None = None) -> bool:
        left = getattr(self._until, "moment", self._time.now) - self._time.now
        self._time.sleep(min(left, timeout or 0.0))
        if timeout is not None and timeout > left:
            raise _GaveUp
        return False


class _Socket:
    """What the emulator needs of a connection to cut it."""

    def setsockopt(self, *_arguments: Any) -> None:
        """Nothing lingers here."""

    def detach(self) -> int:
        return -1


class Vendor(Emulator):
    """The emulator's knobs, without its process."""

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.dice = random.Random(0)  # how long calls take
        self.late: list[Fault] = []  # calls that take effect only after the client has given up

    def start(self) -> Vendor:
        self._directory = tempfile.TemporaryDirectory(prefix="vendor-")
        directory = Path(self._directory.name)
        store = Store(Path(":memory:"))
        self.patience = _Patience(self.time)
        self.world = _World(store, Authority(directory / "ca"), Network(), stopping=self.patience, time=self.time)
        self.app = app.create(self.world)
        self.url, self.user, self.password = URL, self.world.user, self.world.password
        self.ca = self.world.authority.root_path
        self._products = catalogue.products
        few = {number: self._products()[number] for number in CATALOGUE}
        catalogue.products = lambda: few  # type: ignore[assignment]
        return self

    def stop(self) -> int:
        catalogue.products = self._products
        self.world.store.close()
        self._directory.cleanup()
        return 0

    def __enter__(self) -> Vendor:
        return self.start()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        answer, status, _headers = self.call(method, f"{self.root}/_emulator/{path}", data)
        found = json.loads(answer)
        if not status.startswith("200"):
            raise ValueError(found.get("error") or found)
        return found

    def reset(self, *, settings: bool = True) -> None:
        super().reset(settings=settings)
        self.late.clear()

    # What is asked for most often takes a short way.

    def ledger(self) -> dict[str, Any]:
        with self.world.store.transaction():
            lifecycle.settle(self.world)
        return control.ledger(self.world)

    def set(self, **settings: Any) -> None:
        self.world.change_settings(settings)

    def fault(self, **fault: Any) -> None:
        self.world.faults.add([fault])

    def faults(self) -> list[dict[str, Any]]:
        return self.world.faults.report()

    def clear_faults(self) -> None:
        self.world.faults.clear()

    def call(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> tuple[bytes, str, list[tuple[str, str]]]:
        parts = urlsplit(url)
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "SERVER_NAME": parts.hostname,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": (headers or {}).get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "werkzeug.socket": _Socket(),
        }
        pieces, status, answered = run_wsgi_app(self.app, environ)
        return b"".join(pieces), status, list(answered)

    def session(self) -> requests.Session:
        """Of `requests`, whose connections end here."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", _Wire(self))
        return session


class _Wire(HTTPAdapter):
    """Carries calls to the emulator as a network would, its troubles included."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__()
        self._vendor = vendor

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, timeout: float = 30.0, **_options: Any
    ) -> requests.Response:
        vendor, time = self._vendor, self._vendor.time
        url, method = str(request.url), str(request.method)
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else body
        headers = {key: str(value) for key, value in request.headers.items()}
        time.sleep(vendor.dice.uniform(0.02, 0.4))
        path = urlsplit(url).path.removeprefix("/api")
        delayed = next((fault for fault in vendor.late if fault.matches(method, path) and fault.fires()), None)
        if delayed:
            time.at(time.now + delayed.seconds, lambda: self._deliver(method, url, data, headers))
            time.sleep(timeout)
            raise requests.exceptions.ReadTimeout("Read timed out.", request=request)
        vendor.patience.begin(timeout)
        try:
            answer, status, answered = vendor.call(method, url, data, headers)
        except _GaveUp:
            raise requests.exceptions.ReadTimeout("Read timed out.", request=request) from None
        except Dropped:
            cause = ConnectionResetError(104, "Connection reset by peer")
            broken = urllib3.exceptions.ProtocolError("Connection aborted.", cause)
            raise requests.exceptions.ConnectionError(broken, request=request) from None
        time.sleep(vendor.dice.uniform(0.02, 0.4))
        raw = urllib3.HTTPResponse(
            io.BytesIO(answer), dict(answered), int(status.split()[0]), preload_content=False, request_url=url
        )
        return self.build_response(request, raw)

    def _deliver(self, method: str, url: str, data: bytes, headers: dict[str, str]) -> None:
        """Nobody waits for the answer, whatever it is."""
        with contextlib.suppress(_GaveUp, Dropped):
            self._vendor.call(method, url, data, headers)
