# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Account balance, reservations and claims of one Ansible run, shared by all its hosts, forks and plays.

A purchase is reserved before it is made, in a file of the run's own temporary directory, which is removed with the run.
The limit therefore holds under every strategy: the host that reserves first buys first. The reservation of a purchase
that definitely failed is released. One that may have succeeded is kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import typing as t
import uuid

from .._core import locks

_FILE = "gogetssl-spending.json"


@dataclasses.dataclass
class Account:
    """The account as first read by the run, and the reservations of the run by purchase."""

    queried: bool = False
    balance: int | None = None
    currency: str | None = None
    invoiced: int | None = None  # on the day of the run, before its first purchase
    reserved: dict[str, int] = dataclasses.field(default_factory=dict)
    orders: dict[str, str] = dataclasses.field(default_factory=dict)  # order id -> the certificate that uses it
    files: dict[str, str] = dataclasses.field(default_factory=dict)  # place -> the certificate that uses fileauth.txt

    def others(self, purchase: str) -> int:
        """Return the amount reserved for other purchases."""
        return sum(price for known, price in self.reserved.items() if known != purchase)

    def commit(self, purchase: str) -> str:
        """Make a reservation permanent, because it is being paid. Return the key to release it."""
        paid = f"{purchase}|{uuid.uuid4()}"
        self.reserved[paid] = self.reserved.pop(purchase, 0)
        return paid

    def release(self, purchase: str) -> None:
        """Release the reservation of a purchase that definitely failed."""
        self.reserved.pop(purchase, None)


class Budget:
    """The reservations of a run, or of one task if there is no directory."""

    def __init__(self, directory: str | None) -> None:
        self._path = os.path.join(directory, _FILE) if directory else None
        self._accounts: dict[str, Account] = {}

    @contextlib.contextmanager
    def account(self, url: str, user: str | None) -> t.Iterator[Account]:
        """Lock and yield the data of one account. Changes are saved."""
        name = hashlib.sha256(f"{url}|{user}".encode()).hexdigest()
        if self._path is None:
            yield self._accounts.setdefault(name, Account())
            return
        with locks.run_state(f"{self._path}.lock"):
            accounts = self._read(self._path)
            account = accounts.setdefault(name, Account())
            try:
                yield account
            finally:
                self._write(self._path, accounts)

    @staticmethod
    def _read(path: str) -> dict[str, Account]:
        if not os.path.exists(path):
            return {}
        with open(path, encoding="utf-8") as stream:
            return {name: Account(**fields) for name, fields in json.load(stream).items()}

    @staticmethod
    def _write(path: str, accounts: t.Mapping[str, Account]) -> None:
        with open(f"{path}.new", "w", encoding="utf-8") as stream:
            json.dump({name: dataclasses.asdict(account) for name, account in accounts.items()}, stream)
        os.replace(f"{path}.new", path)
