# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that a test can set, each before or after the server has committed."""

from __future__ import annotations

import fnmatch
import random
import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = ("reset", "timeout", "status", "body", "truncate", "delay")


@dataclass
class Fault:
    """A fault for calls to `path`: a prefix of the API path without /api, or a pattern with *, ? or [."""

    path: str = "/"
    method: str = ""
    when: str = "before"
    kind: str = "reset"
    status: int = 503
    body: str | None = None
    content_type: str = "text/html; charset=utf-8"
    seconds: float = 60.0
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int | None = None
    fired: int = 0
    matched: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.when not in ("before", "after"):
            raise ValueError(f"when must be 'before' or 'after', not {self.when!r}")
        self.dice = random.Random(self.seed)

    def matches(self, method: str, path: str) -> bool:
        if self.method and self.method.upper() != method:
            return False
        if any(character in self.path for character in "*?["):
            return fnmatch.fnmatchcase(path, self.path) or fnmatch.fnmatchcase(path + "/", self.path)
        return (path + "/").startswith(self.path)

    def fires(self) -> bool:
        if self.times is not None and self.fired >= self.times:
            return False
        self.matched += 1
        if self.matched <= self.skip or self.dice.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def report(self) -> dict[str, Any]:
        remaining = None if self.times is None else self.times - self.fired
        names = ("path", "method", "when", "kind", "status", "seconds", "skip", "probability", "seed", "fired")
        return {**{name: getattr(self, name) for name in names}, "left": remaining}


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, items: list[dict[str, Any]]) -> None:
        try:
            faults = [Fault(**item) for item in items]
        except TypeError as error:
            raise ValueError(str(error)) from error
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, when: str, method: str, path: str) -> Fault | None:
        """The first fault that fires for this call. A call has at most one fault before and one after its commit."""
        with self._lock:
            for fault in self._faults:
                if fault.when == when and fault.matches(method, path) and fault.fires():
                    return fault
        return None

    def report(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.report() for fault in self._faults]
