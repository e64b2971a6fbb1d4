# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run of Ansible has read of the account and means to spend, shared by all its hosts, forks and plays.

A purchase is reserved before it is made, in a file of the run's own temporary directory, which goes with the run. So a
ceiling holds whatever the strategy: who reserves first buys first, and nothing is reserved beyond the ceiling. What was
certainly not bought is released for others; what may have been bought is not.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import typing as t
import uuid

from ._errors import host_error

_FILE = "gogetssl-spending.json"


@dataclasses.dataclass
class Account:
    """The account as it was when the run first looked, and what the run has reserved since, by purchase."""

    asked: bool = False
    balance: int | None = None
    currency: str | None = None
    reserved: dict[str, int] = dataclasses.field(default_factory=dict)

    def others(self, purchase: str) -> int:
        """What is reserved for anything else."""
        return sum(price for known, price in self.reserved.items() if known != purchase)

    def commit(self, purchase: str) -> str:
        """Keep a reservation whatever comes later, as it is being paid for; the name to release it by."""
        paid = f"{purchase}|{uuid.uuid4()}"
        self.reserved[paid] = self.reserved.pop(purchase, 0)
        return paid

    def release(self, purchase: str) -> None:
        """Give back what was reserved for something that was certainly not bought."""
        self.reserved.pop(purchase, None)


class Budget:
    """The reservations of a run. Without a directory they are those of one task."""

    def __init__(self, directory: str | None) -> None:
        self._path = os.path.join(directory, _FILE) if directory else None
        self._accounts: dict[str, Account] = {}

    @contextlib.contextmanager
    def account(self, url: str, user: str | None) -> t.Iterator[Account]:
        """One account's share, held by nobody else meanwhile; what was changed is kept."""
        name = hashlib.sha256(f"{url}|{user}".encode()).hexdigest()
        if self._path is None:
            yield self._accounts.setdefault(name, Account())
            return
        try:
            lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise host_error(f"{self._path}: {error.strerror}; the ceilings of a run cannot be kept.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            accounts = self._read(self._path)
            account = accounts.setdefault(name, Account())
            try:
                yield account
            finally:
                self._write(self._path, accounts)
        finally:
            os.close(lock)

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
