# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state that all parts of the emulator share: store, settings, clock, CA and faults."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .ca import CertificateAuthority
from .errors import ApiError
from .faults import Faults
from .network import Network
from .settings import Settings
from .state import Store

DAY = 86400
_LAST_MOMENT = 430 * 365.25 * DAY


@dataclass
class Backend:
    store: Store
    ca: CertificateAuthority
    network: Network
    faults: Faults = field(default_factory=Faults)
    requests: list[dict[str, Any]] = field(default_factory=list)
    wake: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    settings: Settings = field(init=False)
    user: str = field(init=False)
    password: str = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings().changed(self.store.meta("settings", {}))
        with self.store.transaction():
            if self.store.meta("user") is None:
                self.store.set_meta("user", "reseller@example.com")
                self.store.set_meta("password", secrets.token_urlsafe(18))
                self.store.set_meta("balance", self.start_balance)
                self.store.set_meta("offset", 0.0)
        self.user = self.store.meta("user")
        self.password = self.store.meta("password")
        self._offset = float(self.store.meta("offset"))

    @property
    def start_balance(self) -> int:
        return round(self.settings.initial_balance * 100)

    def now(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        if not 0 <= self.now() + seconds <= _LAST_MOMENT:
            raise ValueError("the clock must be between 1970 and 2400")
        with self.store.transaction():
            self._offset += seconds
            self.store.set_meta("offset", self._offset)

    def change_settings(self, values: dict[str, Any]) -> None:
        changed = self.settings.changed(values)
        with self.store.transaction():
            defaults = vars(Settings())
            differing = {k: v for k, v in vars(changed).items() if v != defaults[k]}
            self.store.set_meta("settings", differing)
        self.settings = changed

    def reset_settings(self) -> None:
        with self.store.transaction():
            self.store.set_meta("settings", {})
        self.settings = Settings()

    def reset(self) -> None:
        """Reset orders, money, keys, clock, requests and faults, but not the settings."""
        with self.store.transaction():
            self.store.clear()
            self.store.set_meta("balance", self.start_balance)
            self.store.set_meta("offset", 0.0)
            self._offset = 0.0
        self.requests.clear()
        self.faults.clear()


@dataclass(frozen=True)
class Call:
    """One API call with its merged query and body, like PHP's $_REQUEST."""

    backend: Backend
    form: Mapping[str, str]
    method: str = "GET"

    def text(self, name: str, default: str = "") -> str:
        return self.form.get(name, default).strip()

    def need(self, name: str) -> str:
        value = self.text(name)
        if not value:
            # Text not known (API reference 14).
            raise ApiError(f"Required parameter {name} is missing", f"The parameter {name} is required")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        value = self.text(name)
        if not value and default is not None:
            return default
        if not re.fullmatch(r"[+-]?[0-9]{1,12}", self.need(name)):
            raise ApiError(f"Wrong {name}", f"The parameter {name} must be a number")
        return int(value)


def row_id(text: str) -> int:
    """An ID from a path or a list; 0, which is never assigned, for invalid text."""
    text = text.strip()
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0


def date(backend: Backend, moment: float) -> str:
    if not moment:
        return backend.settings.empty_date
    return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%d")


def money(cents: int) -> str:
    return f"{cents / 100:.2f}"


def number(cents: int) -> float | int:
    """The amount as a number: in the sample `order_amount` is 0 while `tax` is "0.00" (API reference 1.6)."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def typed(value: int, kind: str) -> int | str:
    return str(value) if kind == "string" else value
