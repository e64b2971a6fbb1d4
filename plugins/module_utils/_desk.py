# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What assessing and acting share: the desk at which one host's certificates are worked on, and the cases on it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from . import _journal, _x509
from ._api import Api
from ._budget import Budget
from ._decision import Decision
from ._journal import HostState, Journal
from ._models import Product
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
