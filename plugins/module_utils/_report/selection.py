# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates of a fleet an emergency affects: `gogetssl_emergency`. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t

from .._api.models import Product
from .._core import names as _names
from .._core.dates import read_moment
from .._core.errors import GogetsslError, input_error
from .account import find_product
from .rows import Row

ALL = "all"
KEYS = ("certificates", "names", "issuer", "product", "serial", "issued_before")
UNREAD = ("unreachable", "unreadable")
_VARIABLE = "gogetssl_emergency"
_EXAMPLE = '{"issuer": "Sectigo", "issued_before": "2026-11-20"}'


@dataclasses.dataclass(frozen=True)
class Selection:
    """What a certificate must have. Empty: anything. One of the values of each key is sufficient."""

    certificates: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    issuer: tuple[str, ...] = ()  # parts of the issuer's name, in lower case
    product: tuple[str, ...] = ()  # IDs or names, in lower case
    serial: frozenset[str] = frozenset()
    issued_before: dt.datetime | None = None

    @property
    def named_products(self) -> bool:
        """True if the catalogue is needed to compare products."""
        return any(not one.isdecimal() for one in self.product)


def read_selection(value: t.Any) -> Selection:
    """Read the variable; an input error if it is empty or has an unknown key or value."""
    if value == ALL:
        return Selection()
    if not isinstance(value, t.Mapping) or not value:
        raise input_error(
            f"{_VARIABLE} selects the certificates to replace. Set it to `{ALL}` for all certificates of the hosts of"
            f" the run, or to a map such as {_EXAMPLE}."
        )
    unknown = sorted(set(map(str, value)) - set(KEYS))
    if unknown:
        raise input_error(f"{_VARIABLE}: unknown key {', '.join(unknown)}. Use {', '.join(KEYS)}.")
    given = {key: _texts(key, value[key]) for key in value}
    before = given.get("issued_before")
    return Selection(
        certificates=frozenset(given.get("certificates", ())),
        names=tuple(map(_names.canonical, given.get("names", ()))),
        issuer=tuple(one.casefold() for one in given.get("issuer", ())),
        product=tuple(one.casefold() for one in given.get("product", ())),
        serial=frozenset(_read_serial(one) for one in given.get("serial", ())),
        issued_before=read_time(f"{_VARIABLE}.issued_before", before[0]) if before else None,
    )


def _texts(key: str, value: t.Any) -> list[str]:
    """A text, a number, or a list of these."""
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    plain = all(isinstance(one, (str, int, dt.date)) and not isinstance(one, bool) for one in listed)
    texts = [str(one).strip() for one in listed] if plain else []
    if not texts or not all(texts) or (key == "issued_before" and len(texts) > 1):
        raise input_error(f"{_VARIABLE}.{key} must be {'a date' if key == 'issued_before' else 'a text or a list'}.")
    return texts


def read_time(variable: str, text: str) -> dt.datetime:
    """Read a date or time of the operator, or raise an error that names its variable."""
    try:
        return read_moment(text)
    except (ValueError, OverflowError):
        raise input_error(f"{variable} must be a date or time such as 2026-11-27T03:00:00Z, not {text!r}.") from None


def _read_serial(text: str) -> str:
    if not re.fullmatch(r"(0[xX])?[0-9a-fA-F: ]+", text):
        raise input_error(f"{_VARIABLE}.serial takes hexadecimal numbers such as 3f1c0b2a9d8e7f60, not {text!r}.")
    return serial(text)


def serial(text: str) -> str:
    """A serial number as CAs, OpenSSL and browsers print it, in one spelling."""
    return re.sub(r"[: ]", "", text.lower()).removeprefix("0x").lstrip("0")


def check_products(selection: Selection, products: t.Mapping[int, Product]) -> None:
    """Raise an error for a product name that the catalogue does not have, because it would select nothing."""
    known = {product.name.casefold() for product in products.values()}
    unknown = [one for one in selection.product if not one.isdecimal() and one not in known]
    if unknown:
        raise input_error(
            f"{_VARIABLE}.product: the account's catalogue has no product {', '.join(map(repr, unknown))}. Use the ID"
            " or the exact name; the playbook certops.gogetssl.products shows both."
        )


def matches(row: Row, selection: Selection, products: t.Mapping[int, Product]) -> bool | None:
    """True if a certificate is selected. None if that depends on an installed certificate that could not be read."""
    requested = (
        not selection.certificates or row.name in selection.certificates or (row.state in UNREAD and not row.name),
        not selection.names or any(_has(row, name) for name in selection.names),
        not selection.product or _is_of(row, selection.product, products),
    )
    installed = (
        not selection.issuer or any(part in row.issuer.casefold() for part in selection.issuer),
        not selection.serial or serial(row.serial) in selection.serial,
        not selection.issued_before or (row.not_before is not None and row.not_before < selection.issued_before),
    )
    if row.state not in UNREAD:
        return None if row.damaged and all(requested) and not all(installed) else all(requested) and all(installed)
    # The variables of an unreachable host have the names and the product of its certificates.
    excluded = (not requested[0], bool(row.names) and not requested[1], bool(row.product) and not requested[2])
    return False if any(excluded) else None


def _has(row: Row, name: str) -> bool:
    """True if one of the certificate's names is this one or a wildcard that covers it."""
    own = [_spelled(one) for one in row.names]
    return name in own or _names.covers(own, name)


def _spelled(name: str) -> str:
    try:
        return _names.canonical(name)
    except GogetsslError:
        return name


def _is_of(row: Row, wanted: t.Sequence[str], products: t.Mapping[int, Product]) -> bool:
    product = find_product(row, products)
    ids = {str(product.product_id), product.name.casefold()} if product else set()
    return bool({*ids, row.product.casefold(), str(row.product_id)} & set(wanted))
