# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stored data of orders, invoices and mails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Statuses in which a certificate is pending at the CA (API reference 7.2).
OPEN = ("new_order", "pending", "incomplete", "processing", "reissue")


@dataclass
class Name:
    """One name of an order and the state of its validation."""

    name: str
    method: str
    email: str = ""
    token: str = ""
    validated_at: float = 0.0
    reason: str = ""

    @property
    def base(self) -> str:
        """The name that is validated, without a wildcard label (API reference 8.4)."""
        return self.name.removeprefix("*.")


@dataclass
class Order:
    """An order. Times are seconds since 1970 on the emulator's clock, 0 for never; amounts are in cents."""

    id: int
    product_id: int
    created: float
    period: int
    csr: str
    names: list[Name]
    unique: str
    fields: dict[str, str]
    status: str = "processing"
    kind: str = "buy"
    net: int = 0
    single_slots: int = 0
    wildcard_slots: int = 0
    paid_at: float = 0.0
    status_from: float = 0.0
    begin: float = 0.0
    end: float = 0.0
    not_before: float = 0.0
    not_after: float = 0.0
    crt: str = ""
    chain: str = ""
    reissued: int = 0
    reissuing: bool = False
    reissue_from: float = 0.0
    renewed: bool = False
    renewal_of: int = 0
    extra_seconds: float = 0.0
    cancel_at: float = 0.0
    cancel_reason: str = ""
    deadline: float = 0.0
    manual: bool = False
    ready_at: float = 0.0
    next_check: float = 0.0
    caa_blocked: str = ""
    description: str = ""
    admin_msg: str = ""
    locks: dict[str, float] = field(default_factory=dict)
    serials: list[str] = field(default_factory=list)

    @property
    def common_name(self) -> str:
        return self.names[0].name if self.names else ""

    @property
    def validated(self) -> bool:
        return all(name.validated_at for name in self.names)

    @property
    def in_work(self) -> bool:
        return bool(self.paid_at) and self.status in OPEN

    def due(self) -> float:
        """Time of the next change that needs no call and no validation; 0 for none."""
        times = [self.cancel_at]
        if self.status == "unpaid" or (self.in_work and not self.reissuing):
            times.append(self.deadline)
        if self.in_work:
            times += [self.status_from, self.ready_at]
        if self.status == "active":
            times.append(self.end)
        return min((moment for moment in times if moment), default=0.0)

    def validation_due(self) -> float:
        """Time of the next validation attempt; 0 for none."""
        waiting = self.in_work and not self.ready_at and not self.status_from
        return max(self.next_check, 1.0) if waiting and not (self.validated and self.caa_blocked) else 0.0


def order_from(data: dict[str, Any]) -> Order:
    return Order(**{**data, "names": [Name(**name) for name in data["names"]]})


@dataclass
class Invoice:
    id: int
    order_id: int
    number: str
    created: float
    net: int
    tax: int
    status: str
    currency: str
    tax_percent: float
    product_id: int
    product_name: str
    period: int
    kind: str
    payment_method: str = "balance"


@dataclass
class Mail:
    """A validation mail in the outbox."""

    id: int
    order_id: int
    domain: str
    to: str
    code: str
    created: float
    approved: bool = False


def to_dict(thing: Order | Invoice | Mail) -> dict[str, Any]:
    """The fields for JSON; unlike `asdict`, without copies of lists and texts."""
    if isinstance(thing, Order):
        return {**vars(thing), "names": [vars(name) for name in thing.names]}
    return vars(thing)
