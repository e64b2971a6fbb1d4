# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts and controls an emulator in its own process, for the test suites, the demo and the benchmarks.

with Emulator(http_port=8080, resolve={"*": "127.0.0.1"}) as emulator:
    emulator.set(issuance_delay=0.0)
    emulator.fault(path="/orders/add_ssl_order", when="after", kind="reset")
    client = Client(emulator.url, emulator.user, emulator.password)
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30


class Emulator:
    """One running emulator. `resolve` maps names or patterns to ADDR[:PORT]."""

    def __init__(
        self,
        *,
        port: int = 0,
        state: Path | str | None = None,
        http_port: int | None = None,
        https_port: int | None = None,
        resolver: str | None = None,
        resolve: Mapping[str, str] | None = None,
        tls: bool = False,
        python: str = sys.executable,
        stderr: Any = None,
    ) -> None:
        options = {"port": port, "state": state, "http-port": http_port, "https-port": https_port, "resolver": resolver}
        self._command = [python, "-m", "tests.emulator"]
        for name, value in options.items():
            if value is not None:
                self._command += [f"--{name}", str(value)]
        for name, address in (resolve or {}).items():
            self._command += ["--resolve", f"{name}={address}"]
        if tls:
            self._command.append("--tls")
        self._stderr = stderr
        self._process: subprocess.Popen[str] | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self.url = self.user = self.password = ""
        self.ca = Path()

    # The process

    def start(self) -> Emulator:
        self._process = subprocess.Popen(
            self._command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=self._stderr, text=True
        )
        assert self._process.stdout is not None
        readable, _unused, _unused = select.select([self._process.stdout], [], [], _START_SECONDS)
        line = self._process.stdout.readline() if readable else ""
        if not line:
            self.kill()
            raise RuntimeError("the emulator did not start")
        ready = json.loads(line)
        self.url, self.user, self.password = ready["url"], ready["user"], ready["password"]
        self.ca = Path(ready["ca"])
        self._session.verify = str(self.ca)
        return self

    def stop(self) -> int:
        """Stop it with SIGTERM, as an operator does, and return its exit status."""
        return self._end(subprocess.Popen.terminate)

    def kill(self) -> int:
        """Kill it with SIGKILL, like a power loss."""
        return self._end(subprocess.Popen.kill)

    def _end(self, how: Callable[[subprocess.Popen[str]], None]) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        how(process)
        try:
            code = process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if process.stdout:
            process.stdout.close()
        self._session.close()
        return code

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the emulator is not running"
        return self._process.pid

    @property
    def root(self) -> str:
        """The base URL without /api."""
        return self.url.removesuffix("/api")

    # The control API

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API. An error response raises a ValueError with its message."""
        answer = self._session.request(method, f"{self.root}/_emulator/{path}", json=body, timeout=60)
        data = answer.json()
        if answer.status_code != 200:
            raise ValueError(data.get("error") or data)
        return data

    def ledger(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", "ledger")
        return found

    def requests(self) -> list[dict[str, Any]]:
        """All API calls since the start or the last `clear_requests`."""
        found: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return found

    def clear_requests(self) -> None:
        self.control("DELETE", "requests")

    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", "settings")
        return found

    def set(self, **settings: Any) -> None:
        self.control("POST", "settings", settings)

    def fault(self, **fault: Any) -> None:
        self.control("POST", "faults", [fault])

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def now(self) -> float:
        return float(self.control("GET", "clock")["now"])

    def advance(self, *, days: float = 0, seconds: float = 0) -> float:
        """Advance the clock and return the new time."""
        return float(self.control("POST", "clock", {"advance_days": days, "advance_seconds": seconds})["now"])

    def outbox(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "outbox")["mails"]
        return found

    def approve(self, what: int | str = "all") -> list[int]:
        """Approve mails, as clicking their links does: by mail ID, by domain, or all of them."""
        approved: list[int] = self.control("POST", "outbox", {"approve": what})["approved"]
        return approved

    def expire_keys(self) -> None:
        self.control("POST", "keys/expire")

    def order(self, order_id: int | str) -> dict[str, Any]:
        """The stored order, with more fields than the API returns."""
        found: dict[str, Any] = self.control("GET", f"orders/{order_id}")
        return found

    def force(self, order_id: int | str, **change: Any) -> dict[str, Any]:
        """`action="pass"` (the manual check), reject, pay, cancel, expire, validate, revoke, hold, or `status=...`."""
        found: dict[str, Any] = self.control("POST", f"orders/{order_id}", change)
        return found

    def reset(self, *, settings: bool = True) -> None:
        """Reset orders, money, keys, clock, requests and faults, and by default the settings."""
        self.control("POST", "reset", {"settings": settings})

    def wait_for(self, order_id: int | str, status: str = "active", seconds: float = 30.0) -> dict[str, Any]:
        """Wait until the order has this status."""
        deadline = time.monotonic() + seconds
        while (order := self.order(order_id))["status"] != status:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGUSR1)  # The emulator prints the stacks of its threads.
                raise TimeoutError(f"order {order_id} is {order['status']}, not {status}, at {self.now()}: {order}")
            time.sleep(0.05)
        return order
