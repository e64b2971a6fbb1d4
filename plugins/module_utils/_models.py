# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's world in our words: orders, products, proofs of control, money.

Money is in minor units of the account's currency (cents), periods are in months, dates are UTC days.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing as t


class Status(enum.Enum):
    """The vendor's vocabulary for the state of an order (API reference 7.2)."""

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
        """True if nothing more will come of the order."""
        return self in (Status.CANCELLED, Status.EXPIRED, Status.REJECTED, Status.REVOKED)


class Family(enum.Enum):
    """Who stands behind a brand; rules for proofs and web servers differ by it (API reference 4.7, 8)."""

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


class Validation(enum.Enum):
    """How much of the applicant is checked."""

    DV = "dv"
    OV = "ov"
    EV = "ev"


class ProofState(enum.Enum):
    """How far a name's validation is (API reference 7.1, `san[].status` and `dcv_status`)."""

    UNSET = "unset"
    PROCESSING = "processing"
    VALIDATED = "validated"


@dataclasses.dataclass(frozen=True)
class Proof:
    """What proves control of one name, in one shape for every brand and method.

    Of the optional fields those of the method are set: http and https `url`, `path`, `file_name`, `content` (exact,
    CRLF line ends included); dns `type`, `record`, `value`; e-mail `email`. None of them is set while the vendor has
    not made them up yet.
    """

    name: str
    method: str  # http | https | dns | email
    state: ProofState = ProofState.UNSET
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
        """True once the vendor has said what to publish."""
        return bool(self.file_name or self.record or self.email)


@dataclasses.dataclass(frozen=True)
class Order:
    """An order as `orders/status` describes it."""

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
    proofs: tuple[Proof, ...]
    manual_check: bool
    pre_signing: bool
    description: str  # the vendor's words on how the order is doing

    @property
    def in_progress(self) -> bool:
        """True while a certificate is on its way."""
        return not self.status.ended and (self.status is not Status.ACTIVE or self.reissuing)

    @property
    def issued(self) -> bool:
        """True if the order's newest certificate can be fetched."""
        return self.status is Status.ACTIVE and not self.reissuing and self.certificate is not None


@dataclasses.dataclass(frozen=True)
class OrderSummary:
    """An order as the lists describe it; the lists of ids alone know no name."""

    order_id: int
    status: str  # as the vendor wrote it, in lower case: one odd order must not spoil a list
    common_name: str | None = None
    valid_from: dt.date | None = None
    valid_till: dt.date | None = None


@dataclasses.dataclass(frozen=True)
class Receipt:
    """The vendor's answer to a purchase."""

    order_id: int
    amount: int | None  # minor units, tax included as the vendor counts it
    currency: str | None


@dataclasses.dataclass(frozen=True)
class Product:
    """A product of the catalogue."""

    product_id: int
    name: str
    brand: str
    family: Family
    validation: Validation
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
    """A purchase, a renewal or a reissue in our words. The first of the approvals is the common name's."""

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
