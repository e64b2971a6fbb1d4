# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of the controller's purchases. They prevent separate runs from buying the same names twice.

Job slices, `--limit` and overlapping schedules are runs without access to each other's hosts, and GoGetSSL lists new
orders with a delay (API reference 12). One run at a time buys a set of names, and checks the records of other runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import typing as t

from .._core.errors import GogetsslError, Kind, host_error
from .._core.task import Context
from .._host import directory_lock, files
from .._request.spec import CertificateSpec

REMEMBERED_SECONDS = 3600.0  # GoGetSSL lists new orders by then
LOCK_SECONDS = 600.0  # covers a purchase with a slow response and its settle time


@dataclasses.dataclass(frozen=True)
class Purchase:
    """A purchase for one certificate of one host. It has no order id until GoGetSSL returns one."""

    order_id: int | None
    holder: str  # "/etc/gogetssl/shop on web1"
    created: float  # seconds since the epoch
    account: str | None = None  # the API user, if the run was given one


@contextlib.contextmanager
def exclusive(context: Context, api_url: str, spec: CertificateSpec) -> t.Iterator[Purchases | None]:
    """Lock purchases for these names, and yield the recent ones.

    Yield None if the task runs on the managed host, which has no records of other runs, or if order_host is set: then
    one host orders for all, or each host is to have an order of its own.
    """
    if context.state_directory is None or spec.order_host is not None:
        yield None
        return
    identity = "|".join((api_url, spec.product, *sorted(spec.names)))
    directory = os.path.join(context.state_directory, "purchases", hashlib.sha256(identity.encode()).hexdigest()[:20])
    with _errors_as_sentences(spec.name, directory):
        files.make_directory(directory, 0o700)
        with directory_lock.locked(directory, context.sleep, LOCK_SECONDS):
            path = os.path.join(directory, "orders.json")
            yield Purchases(spec.name, path, context.now(), context.params.get("api_user"))


@contextlib.contextmanager
def _errors_as_sentences(name: str, path: str) -> t.Iterator[None]:
    try:
        yield
    except OSError as error:
        raise host_error(
            f"{name}: the purchase cannot be recorded on the controller: {error.filename or path}:"
            f" {error.strerror or type(error).__name__}. Nothing is bought without this record. Free space there, or"
            " set ANSIBLE_HOME to a directory that can be written, and run again."
        ) from None


class Purchases:
    """The recent purchases for one set of names, held under a lock."""

    def __init__(self, name: str, path: str, now: float, account: str | None = None) -> None:
        self._name, self._path, self._now, self._account = name, path, now, account

    def of_others(self, *holders: str) -> list[Purchase]:
        """Return the purchases for all but these certificates within the last hour, except those of another account."""
        return [one for one in self._recent() if one.holder not in holders and not self._of_other_account(one)]

    def _of_other_account(self, purchase: Purchase) -> bool:
        """True if both accounts are known. With an auth_key alone, the account of a run is not known."""
        return bool(self._account and purchase.account and self._account != purchase.account)

    @contextlib.contextmanager
    def recorded(self, holder: str) -> t.Iterator[None]:
        """Record a purchase before it is made. The record is removed only if the purchase definitely failed."""
        others = self._recent()
        self._write([*others, Purchase(None, holder, self._now, self._account)])
        try:
            yield
        except GogetsslError as error:
            if error.kind is not Kind.UNCERTAIN:
                with contextlib.suppress(GogetsslError):  # an unused record blocks other hosts for an hour only
                    self._write(others)
            raise

    def complete(self, holder: str, order_id: int) -> None:
        """Add the order id to the record of a purchase."""
        others = [one for one in self._recent() if (one.holder, one.order_id) != (holder, None)]
        self._write([*others, Purchase(order_id, holder, self._now, self._account)])

    def _write(self, purchases: t.Sequence[Purchase]) -> None:
        text = json.dumps([dataclasses.asdict(one) for one in purchases]) + "\n"
        with _errors_as_sentences(self._name, self._path):
            files.replace_file(self._path, text.encode(), files.PRIVATE)

    def _recent(self) -> list[Purchase]:
        with _errors_as_sentences(self._name, self._path):
            contents = files.read(self._path)
        try:
            known = [Purchase(**fields) for fields in json.loads(contents or b"[]")]
            return [one for one in known if abs(self._now - one.created) < REMEMBERED_SECONDS]
        except (ValueError, TypeError):
            raise host_error(
                f"{self._path}: not a record of this collection. Look up the orders in the account, then remove it."
            ) from None
