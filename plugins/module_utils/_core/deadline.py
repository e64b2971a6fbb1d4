# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wall-clock deadlines for operations that a peer can delay.

A socket timeout limits the time between two bytes, so a peer that sends one byte a second can block a caller for any
time. Here a timer shuts down the socket at any stage: TLS handshake, headers or body. Operations without a socket, such
as name resolution, run in a separate thread, which is abandoned at the deadline.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
import typing as t

_Result = t.TypeVar("_Result")


class Exchange:
    """A limit for exchanges over a socket, one at a time. `expired`: the deadline ended the exchange."""

    def __init__(self) -> None:
        self.expired = False
        self._socket: socket.socket | None = None
        self._until: float | None = None  # None: no exchange is in progress
        self._closed: list[socket.socket] = []

    def connect(self, function: t.Callable[[], socket.socket]) -> socket.socket:
        """Return the socket that the function opens. The function may resolve a name and try several addresses."""
        if self._until is None:
            return function()
        try:
            return call(self._until - time.monotonic(), function, discard=socket.socket.close)
        except Expired:
            self.expired = True
            raise

    def use(self, handle: socket.socket | None) -> None:
        """Set the connection that the exchange uses."""
        self._socket = handle
        if self.expired:
            self._shut_down()

    def close(self, handle: socket.socket) -> None:
        """Close the handle when the exchange ends, because a response may still be read from it until then."""
        if self._until is None:
            handle.close()
        else:
            self._closed.append(handle)

    @contextlib.contextmanager
    def limited(self, seconds: float) -> t.Iterator[None]:
        """End the exchange in the body of the `with` statement after this number of seconds."""
        self.expired, self._socket, self._until = False, None, time.monotonic() + seconds
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._until = None
            while self._closed:
                self._closed.pop().close()

    def _expire(self) -> None:
        self.expired = True
        self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class Expired(TimeoutError):
    """A deadline has passed."""


def watched(kind: type, exchange: Exchange) -> type[t.Any]:
    """Return a `urllib3` connection class whose sockets the exchange can shut down, even during the TLS handshake."""

    class Watched(kind):  # type: ignore[misc]
        _handle: socket.socket | None = None  # a duplicate, valid while TLS wraps the original

        def _new_conn(self) -> socket.socket:
            new = exchange.connect(super()._new_conn)
            self._handle = new.dup()
            exchange.use(self._handle)
            return new

        def putrequest(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            exchange.use(self._handle)
            return super().putrequest(*arguments, **options)

        def close(self) -> None:
            super().close()
            if self._handle is not None:
                exchange.close(self._handle)
                self._handle = None

    return Watched


def call(
    seconds: float, function: t.Callable[[], _Result], discard: t.Callable[[_Result], None] | None = None
) -> _Result:
    """Return the result of a function without side effects, or raise `Expired`. `discard` receives a late result."""
    results: list[_Result] = []
    errors: list[BaseException] = []
    lock, late = threading.Lock(), False

    def run() -> None:
        try:
            result = function()
        except BaseException as error:  # pylint: disable=broad-exception-caught  # raised again below
            errors.append(error)
            return
        with lock:
            results.append(result)
            unclaimed = late
        if unclaimed and discard:
            discard(result)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    with lock:
        late = not results
    if errors:
        raise errors[0]
    if late:
        raise Expired
    return results[0]


@contextlib.contextmanager
def interrupted(seconds: float) -> t.Iterator[None]:
    """Raise `Expired` in the body of the `with` statement after this number of seconds, even during a system call.

    A timer that is already set, such as Ansible's for the task keyword `timeout`, takes precedence. Python handles
    signals only in the main thread, so other threads have no limit.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    over = False

    def ring(_signal: int, _frame: t.Any) -> None:
        if not over:
            raise _Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
        over = True
    except _Alarm:
        raise Expired from None
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Alarm(BaseException):
    """Not an `Exception`, so that libraries do not handle it as their own error."""
