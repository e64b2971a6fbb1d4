# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What assessing and acting share: the desk at which one host's certificates are worked on, and the cases on it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import typing as t

from . import _journal, _x509
from ._api import Api
from ._budget import Account, Budget
from ._decision import Decision, Step
from ._errors import GogetsslError, Kind
from ._journal import HostState, Journal
from ._models import Product, Receipt
from ._plan import VendorState
from ._purchase import Finder
from ._spend import Policy
from ._task import Context
from ._wanted import Wanted


@dataclasses.dataclass(frozen=True)
class Case:
    """One certificate with all that is known of it, and the decision."""

    wanted: Wanted
    found: HostState
    vendor: VendorState
    decision: Decision
    request: _x509.Request | None


@dataclasses.dataclass(frozen=True)
class Desk:
    """What working on the certificates of one host shares."""

    context: Context
    api: Api
    finder: Finder
    products: tuple[Product, ...]
    policy: Policy
    now: dt.datetime
    budget: Budget

    def save(self, name: str, journal: Journal, settled: bool) -> None:
        """Write the journal; with it goes the intent of a purchase that this has settled, but never another run's."""
        _journal.record(self.context.shell, self.context.params["directory"], name, journal, settled)

    def time(self) -> dt.datetime:
        """Now, while `now` is when the work began."""
        return dt.datetime.fromtimestamp(self.context.now(), dt.timezone.utc)

    def account(self) -> contextlib.AbstractContextManager[Account]:
        """What this run has set aside of the account, held by nobody else meanwhile."""
        return self.budget.account(self.api.url, self.context.params["api_user"])

    def reservation(self, name: str, step: Step) -> str:
        """What a price is set aside for, the same in every task of the run."""
        return "|".join((self.context.host, self.context.params["directory"], name, step.value))

    def release(self, reservation: str) -> None:
        """Give back what was set aside for something that was certainly not bought."""
        with self.account() as account:
            account.release(reservation)

    def pay(self, reservation: str, send: t.Callable[[], Receipt]) -> Receipt:
        """Send what costs money. Its price stays set aside unless it was refused, or never reached the vendor."""
        with self.account() as account:
            paid = account.commit(reservation)
        try:
            return send()
        except GogetsslError as error:
            if error.kind is not Kind.UNCERTAIN:
                self.release(paid)
            raise
