# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's data as dataclasses: orders, products, validations, prices.

Money is in minor units of the account's currency (cents), periods are in months, dates are UTC days.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing as t


class Status(enum.Enum):
    """The vendor's statuses of an order (API reference 7.2)."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    INCOMPLETE = "incomplete"
    NEW_ORDER = "new_order"
    UNPAID = "unpaid"
    PENDING = "pending"
    PROCESSING = "processing"
    REISSUE = "reissue"
    REJECTED = "rejected"
    REVOKED = "revoked"

    @property
    def ended(self) -> bool:
        """True if the order is in a final state."""
        return self in (Status.CANCELLED, Status.EXPIRED, Status.REJECTED, Status.REVOKED)


class Family(enum.Enum):
    """The CA family of a brand. Rules for validations and web servers depend on it (API reference 4.7, 8)."""

    SECTIGO = "sectigo"
    DIGICERT = "digicert"

    @property
    def supplier(self) -> int:
        """The id under which the vendor lists the family's web servers (API reference 4.7)."""
        return 1 if self is Family.SECTIGO else 2

    @property
    def other_webserver(self) -> int:
        """The web server id that means "other"."""
        return -1 if self is Family.SECTIGO else 18


class ValidationLevel(enum.Enum):
    """The validation level of a product."""

    DV = "dv"
    OV = "ov"
    EV = "ev"


class ValidationState(enum.Enum):
    """The state of a name's validation (API reference 7.1, `san[].status` and `dcv_status`)."""

    UNSET = "unset"
    PROCESSING = "processing"
    VALIDATED = "validated"


@dataclasses.dataclass(frozen=True)
class Validation:
    """The validation of one name, in one form for all brands and methods.

    The fields of the method are set: `url`, `path`, `file_name` and `content` (exact, including CRLF) for http, https;
    `type`, `record` and `value` for dns; `email` for email. None of them is set until the vendor has generated them.
    """

    name: str
    method: str  # http | https | dns | email
    state: ValidationState = ValidationState.UNSET
    reason: str = ""
    url: str | None = None
    path: str | None = None
    file_name: str | None = None
    content: str | None = None
    type: str | None = None  # CNAME | TXT
    record: str | None = None
    value: str | None = None
    email: str | None = None

    @property
    def ready(self) -> bool:
        """True once the vendor has returned what to publish."""
        return bool(self.file_name or self.record or self.email)

    @property
    def approval(self) -> str:
        """The method as it is requested: http, https, dns or an e-mail address."""
        return (self.email or "email").lower() if self.method == "email" else self.method


@dataclasses.dataclass(frozen=True)
class Order:
    """An order, as returned by `orders/status`."""

    order_id: int
    status: Status
    product_id: int | None
    common_name: str
    names: tuple[str, ...]
    csr: str | None
    certificate: str | None
    chain: str | None
    valid_from: dt.date | None
    valid_till: dt.date | None  # of the current certificate
    begin_date: dt.date | None
    end_date: dt.date | None  # of the paid term
    reissuing: bool
    single_sans: int
    wildcard_sans: int
    validations: tuple[Validation, ...]
    manual_check: bool
    pre_signing: bool
    description: str  # the vendor's description of the order's state

    @property
    def in_progress(self) -> bool:
        """True while the issuance of a certificate is in progress."""
        return not self.status.ended and (self.status is not Status.ACTIVE or self.reissuing)

    @property
    def open_validations(self) -> list[Validation]:
        """The validations that are still open; a finished order has none."""
        if not self.in_progress:
            return []
        return [validation for validation in self.validations if validation.state is not ValidationState.VALIDATED]

    @property
    def issued(self) -> bool:
        """True if the order's newest certificate can be fetched."""
        return self.status is Status.ACTIVE and not self.reissuing and self.certificate is not None


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """An order that cannot be read completely, such as one with an unknown status: the reason and readable fields."""

    order_id: int
    reason: str  # one sentence
    common_name: str = ""
    names: tuple[str, ...] = ()
    csr: str | None = None
    certificate: str | None = None
    product_id: int | None = None
    validations: tuple[Validation, ...] = ()
    ended: bool = False  # its status can be read, and the order has ended


AnyOrder = t.Union[Order, Unreadable]


@dataclasses.dataclass(frozen=True)
class OrderSummary:
    """An order, as returned by the lists. Some lists contain no names."""

    order_id: int  # 0 if it cannot be read
    status: str  # the vendor's text in lower case: an unknown status must not make a list unreadable
    common_name: str | None = None
    valid_from: dt.date | None = None
    valid_till: dt.date | None = None


@dataclasses.dataclass(frozen=True)
class Receipt:
    """The vendor's response to a purchase."""

    order_id: int
    amount: int | None  # minor units, including tax as the vendor calculates it
    currency: str | None
    answered: bool = True  # False: the order was found by a search, because the response was lost or wrong


@dataclasses.dataclass(frozen=True)
class Product:
    """A product of the catalogue."""

    product_id: int
    name: str
    brand: str
    family: Family
    validation: ValidationLevel
    wildcard: bool
    multi_domain: bool
    wildcard_sans: bool
    methods: frozenset[str]  # of email, http, https, dns
    custom_random_value: bool
    prices: t.Mapping[int, int]  # months -> minor units
    san_prices: t.Mapping[int, int]
    wildcard_san_prices: t.Mapping[int, int]
    max_sans: int | None = None
    included_sans: int = 0


@dataclasses.dataclass(frozen=True)
class OrderRequest:
    """The request for a purchase, a renewal or a reissue. The first approval is that of the common name."""

    csr: str
    approvals: tuple[tuple[str, str], ...]  # (name, http | https | dns | e-mail address)
    webserver: int
    signature_hash: str
    unique_code: str | None
    product_id: int | None = None
    period: int | None = None
    server_count: int = -1
    multi_domain: bool = False
    admin: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    tech: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    organization: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
