# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's answers that all hosts of an Ansible run share: catalogue, product details, lists of a plan, login.

They are in files of the run's temporary directory, which Ansible removes at the end. One fork reads from the vendor,
the others wait for its answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import time
import typing as t

from .._core import locks
from .._core.errors import GogetsslError, Kind

MAX_AGE = 300.0  # the age up to which an answer is used
_SALT_BYTES = 16
_CALLS = "gogetssl-calls"


class RunCache:
    """Answers for one account. Without a directory, every read is sent."""

    def __init__(
        self, directory: str | None, identity: t.Iterable[str | None] = (), now: t.Callable[[], float] = time.time
    ) -> None:
        self._directory, self._now = directory, now
        self._account = _digest("|".join(one or "" for one in identity))

    def read(self, name: str, read: t.Callable[[], t.Any], max_age: float = MAX_AGE) -> t.Any:
        """The answer that this run has, if it is not older than `max_age` seconds, or that of `read`."""
        if self._directory is None:
            return read()
        begun, path = self._now(), self._path(name)
        found = self._known(path, begun, max_age)
        if found is None:
            with locks.run_state(f"{path}.lock"):
                found = self._known(path, begun, max_age) or self._stored(path, read)
        if "failure" in found:
            raise GogetsslError(found["failure"], Kind(found["kind"]))
        return found["answer"]

    def read_secret(self, name: str, password: str, read: t.Callable[[], str]) -> str:
        """Like `read`, for a secret. It is stored encrypted, readable for those who know the password only."""
        stored = str(self.read(name, lambda: _encrypted(read(), password)))
        return _decrypted(stored, password) or read()

    def discard(self, *names: str) -> None:
        """Remove answers that a write may have changed."""
        for name in names if self._directory else ():
            with contextlib.suppress(OSError):
                os.unlink(self._path(name))

    def _known(self, path: str, begun: float, max_age: float) -> dict[str, t.Any] | None:
        """The stored answer. A failure counts only for those who were waiting for it."""
        try:
            with open(path, encoding="utf-8") as stream:
                found: dict[str, t.Any] = json.load(stream)
        except (OSError, ValueError):
            return None
        usable = found["at"] >= begun if "failure" in found else abs(self._now() - found["at"]) <= max_age
        return found if usable else None

    def _stored(self, path: str, read: t.Callable[[], t.Any]) -> dict[str, t.Any]:
        """Read and store the answer, or a failure that the others would have to wait for, too."""
        found: dict[str, t.Any]
        try:
            found = {"answer": read()}
        except GogetsslError as error:
            if error.kind not in (Kind.UNREACHABLE, Kind.ANSWER):
                raise
            found = {"failure": error.message, "kind": error.kind.value}
        found["at"] = self._now()
        with open(f"{path}.new", "w", encoding="utf-8") as stream:
            json.dump(found, stream)
        os.replace(f"{path}.new", path)
        return found

    def _path(self, name: str) -> str:
        return os.path.join(self._directory or "", f"gogetssl-answer-{_digest(self._account + name)}.json")


def count_call(directory: str | None) -> None:
    """Count a request of the run: one byte more in a file, which the forks append to at the same time."""
    if directory is not None:
        with open(os.path.join(directory, _CALLS), "ab", buffering=0) as file:
            file.write(b".")


def counted_calls(directory: str | None) -> int:
    """The number of requests that the run has sent."""
    try:
        return os.path.getsize(os.path.join(directory or "", _CALLS)) if directory else 0
    except FileNotFoundError:
        return 0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _pads(password: str, salt: bytes, size: int) -> tuple[bytes, bytes]:
    """A pad of this size, and a key for the check value. Both need the password."""
    both = hashlib.shake_256(b"gogetssl" + salt + password.encode()).digest(size + 32)
    return both[:size], both[size:]


def _encrypted(secret: str, password: str) -> str:
    plain, salt = secret.encode(), secrets.token_bytes(_SALT_BYTES)  # a pad is used once, because each salt is new
    pad, key = _pads(password, salt, len(plain))
    cipher = bytes(one ^ other for one, other in zip(plain, pad))
    return (salt + cipher + hmac.digest(key, cipher, "sha256")).hex()


def _decrypted(stored: str, password: str) -> str:
    """The secret; empty if it was stored with another password."""
    found = bytes.fromhex(stored)
    salt, cipher, check = found[:_SALT_BYTES], found[_SALT_BYTES:-32], found[-32:]
    pad, key = _pads(password, salt, len(cipher))
    if not hmac.compare_digest(hmac.digest(key, cipher, "sha256"), check):
        return ""
    return bytes(one ^ other for one, other in zip(cipher, pad)).decode()
