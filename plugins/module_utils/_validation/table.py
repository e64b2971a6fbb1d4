# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight table: facts, rows and formatting. Pure."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from .._api.models import Family, Product
from .._core import names as _names
from .._dns.resolver import Answer, CaaSet, DnsTrouble, Zone
from .._dns.suffixes import Suffix
from .._request import methods
from .._request.spec import CertificateSpec
from .probe import ProbeResult

_NO_DNSPYTHON = "not queried: the Python library dnspython is not installed on the controller"


class Result(enum.Enum):
    """The result of a check."""

    PASS = "pass"
    WARN = "warn"
    STOP = "stop"


class Row(t.NamedTuple):
    """A row of the table. `name` is empty for rows about the whole certificate."""

    certificate: str
    name: str
    check: str
    result: Result
    details: str
    advice: str = ""


@dataclasses.dataclass(frozen=True)
class NameFacts:
    """The facts about a name. None: the fact could not be queried; `reason` states why."""

    name: str
    method: str  # empty for a name that is validated together with another one
    written: str = ""  # as configured by the user
    suffix: Suffix = Suffix.NO
    place: str = ""  # the address of the name in `resolve`
    lookups: tuple[Answer, ...] | None = None  # A and AAAA, by the controller's resolvers or by `nameservers`
    by_nameservers: bool = False  # the option `nameservers` is set
    signed: bool = False  # the parent zone has a DS record
    zone: Zone | DnsTrouble | None = None
    serials: tuple[Answer, ...] = ()  # SOA at each server of the zone
    presence: tuple[Answer, ...] = ()  # A and AAAA at each server of the zone
    caa: CaaSet | DnsTrouble | None = None
    probed: tuple[ProbeResult, ...] | None = None  # one for each address, for http and https
    approvers: tuple[str, ...] | None = None
    occupied: str = ""  # the URL of another file with the name of the DCV file
    reason: str = _NO_DNSPYTHON

    @property
    def shown(self) -> str:
        return _names.shown(self.name)

    @property
    def by_file(self) -> bool:
        return self.method in methods.FILES


@dataclasses.dataclass(frozen=True)
class CertificateFacts:
    """The facts about a certificate: its names, and its product in the account's catalogue."""

    spec: CertificateSpec
    names: tuple[NameFacts, ...]
    family: Family | None = None
    product: Product | None = None
    problem: str = ""  # why the product does not fit the spec
    price: int | None = None

    @property
    def one_file(self) -> tuple[NameFacts, ...]:
        """The names that are validated by a file with a fixed name (API reference 8.3)."""
        return tuple(name for name in self.names if name.by_file) if self.family is Family.DIGICERT else ()


@dataclasses.dataclass(frozen=True)
class Facts:
    """The facts of all certificates and of the account."""

    certificates: tuple[CertificateFacts, ...]
    probe: bool  # a probe file is published in the directory of the DCV files
    account: bool  # the account was queried
    account_reason: str = "not queried: no credentials"
    balance: int | None = None
    currency: str = ""
    check_balance: bool = True
    together: bool = False  # one run orders the certificates, and one publisher publishes their DCV files


Evaluation = tuple[Result, str, str]


def passed(details: str) -> Evaluation:
    return Result.PASS, details, ""


def warned(details: str, advice: str) -> Evaluation:
    return Result.WARN, details, advice


def stopped(details: str, advice: str) -> Evaluation:
    return Result.STOP, details, advice


def render(rows: t.Sequence[Row]) -> list[str]:
    """Format the rows as aligned lines, each followed by its advice."""
    cells = [(row.certificate, _names.shown(row.name) or "-", row.check, row.result.value) for row in rows]
    widths = [max((len(cell[column]) for cell in cells), default=0) for column in range(4)]
    lines = []
    for row, cell in zip(rows, cells):
        lines.append("  ".join(text.ljust(width) for text, width in zip(cell, widths)) + "  " + row.details)
        if row.advice:
            lines.append(" " * (sum(widths) + 8) + "-> " + row.advice)
    return lines


def reasons(rows: t.Iterable[Row], result: Result) -> dict[str, str]:
    """Map each certificate to the reasons of its rows with this result."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.result is result:
            about = f"{_names.shown(row.name)}, {row.check}: " if row.name else f"{row.check}: "
            found.setdefault(row.certificate, []).append(f"{about}{row.details}. {row.advice}".strip())
    return {certificate: " ".join(sentences) for certificate, sentences in found.items()}
