# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared data of assessment and action: the session of one host and the assessments of its certificates."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import typing as t

from .._api.models import Product, Receipt
from .._api.orders import Api
from .._core.errors import GogetsslError, Kind, input_error
from .._core.task import Context
from .._crypto import x509
from .._host import journal as _journal
from .._host.journal import HostState, Intent, Journal
from .._request import duplicates
from .._request.spec import CertificateSpec
from .budget import Account, Budget
from .decision import Decision, Step
from .plan import VendorState
from .policy import Policy
from .purchase import Finder


@dataclasses.dataclass(frozen=True)
class Assessment:
    """A certificate with its spec, host state, vendor state and decision."""

    spec: CertificateSpec
    state: HostState
    vendor: VendorState
    decision: Decision
    request: x509.Request | None


@dataclasses.dataclass(frozen=True)
class Placed:
    """A new order that the vendor returned to a purchase of this run, with the records of that purchase."""

    spec: CertificateSpec
    product: Product
    intent: Intent
    journal: Journal


@dataclasses.dataclass(frozen=True)
class Session:
    """The data shared by all certificates of one host."""

    context: Context
    api: Api
    finder: Finder
    products: tuple[Product, ...]
    policy: Policy
    now: dt.datetime
    budget: Budget
    specs: tuple[CertificateSpec, ...] = ()
    placed: list[Placed] = dataclasses.field(default_factory=list)

    def save(self, name: str, journal: Journal, settled: bool) -> None:
        """Write the journal. If settled, remove the intent of the purchase, but never another run's."""
        _journal.record(self.context.shell, self.context.params["directory"], name, journal, settled)

    def time(self) -> dt.datetime:
        """Return the current time. `now` is the start of the session."""
        return dt.datetime.fromtimestamp(self.context.now(), dt.timezone.utc)

    def account(self) -> contextlib.AbstractContextManager[Account]:
        """Lock and return this run's reservations on the account."""
        return self.budget.account(self.api.url, self.context.params["api_user"])

    def reservation(self, name: str, step: Step) -> str:
        """Return the key of a reservation. It is the same in every task of the run."""
        return "|".join((self.context.host, self.context.params["directory"], name, step.value))

    def release(self, reservation: str) -> None:
        """Release the reservation of a purchase that definitely failed."""
        with self.account() as account:
            account.release(reservation)

    def holder(self, name: str) -> str:
        """Return the name of this host's certificate for other hosts and runs."""
        return f"{self.context.params['directory']}/{name} on {self.context.host or 'this host'}"

    def claim(self, order_id: int, name: str) -> str:
        """Claim an order for a certificate. Return the other certificate of this run that uses it, if any."""
        mine = self.holder(name)
        with self.account() as account:
            holder = account.orders.setdefault(str(order_id), mine)
        return "" if holder == mine else holder

    def claim_file(self, name: str) -> tuple[str, str] | None:
        """Claim the file `fileauth.txt` of all web hosts for a certificate.

        Return a web host where another certificate of this run uses it, and that certificate.
        """
        mine, web_root = self.holder(name), self.context.params["web_root"]
        places = {f"{host}:{web_root}": host for host in self.context.params["web_hosts"]}
        with self.account() as account:
            for place, host in places.items():
                if account.files.get(place, mine) != mine:
                    return host, account.files[place]
            account.files.update(dict.fromkeys(places, mine))
        return None

    def other_requests(self, spec: CertificateSpec) -> list[t.Mapping[str, t.Any]]:
        """Return the requests of other hosts from the task's options and the play's variables."""
        context = self.context
        requests: list[t.Mapping[str, t.Any]] = list(context.params["other_hosts"])
        if not context.params["compare_hosts"]:
            return requests
        if context.shared is None:
            raise input_error("compare_hosts runs on the controller only, and not with async.")
        return [*requests, *duplicates.others(context.shared(), spec, context.host)]

    def siblings(self, spec: CertificateSpec) -> list[str]:
        """Return this host's other certificates for the same names, whose keys have the other algorithm.

        They come from the task's options and the play's variables, and not from the host's disk.
        """
        context, host = self.context, self.context.host
        requests = [duplicates.of_spec(one, host) for one in self.specs]
        if context.params["compare_hosts"] and context.shared is not None:
            requests += [one for one in context.shared().requests(spec.common_name) if one.host == host]
        return duplicates.siblings(spec, requests)

    def pay(self, reservation: str, send: t.Callable[[], Receipt]) -> Receipt:
        """Send a paid request. Its price stays reserved unless it was refused or never reached the vendor."""
        with self.account() as account:
            paid = account.commit(reservation)
        try:
            return send()
        except GogetsslError as error:
            self.api.discard_catalogue()  # a product may have been withdrawn
            if error.kind is not Kind.UNCERTAIN:
                self.release(paid)
            raise
        finally:
            self.api.discard_lists()
