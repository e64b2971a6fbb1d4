# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts the vendor's responses about orders to `Order`, `OrderSummary` or, if they cannot be read, `Unreadable`.

An account can have orders that this collection did not place. An order that cannot be read must not prevent the others
from being read. It is returned with its readable fields, and the caller decides whether it is relevant.
"""

from __future__ import annotations

import typing as t

from .._core.errors import GogetsslError
from .._core.text import printable
from . import validations, values
from .base import as_object
from .models import AnyOrder, Order, OrderSummary, Status, Unreadable, Validation

_T = t.TypeVar("_T")


def read_any_order(answer: values.Json, order_id: int) -> AnyOrder:
    """Read an order of `orders/status` (7.1), requested by its id."""
    try:
        return read_order(as_object(answer, f"/orders/status/{order_id}"))
    except GogetsslError as error:
        return _unreadable(answer if isinstance(answer, dict) else {}, order_id, error.message)


def _unreadable(answer: values.Object, order_id: int, reason: str) -> Unreadable:
    """Return the readable fields of an order."""
    common_name = _or(lambda: values.text(answer.get("domain"), "domain").lower(), "")
    return Unreadable(
        order_id=_or(lambda: values.identifier(answer.get("order_id"), "order_id"), order_id),
        reason=reason,
        common_name=common_name,
        names=_or(lambda: _read_names(answer, common_name), (common_name,) if common_name else ()),
        csr=_or(lambda: values.pem(answer.get("csr_code"), "csr_code"), None),
        certificate=_or(lambda: values.pem(answer.get("crt_code"), "crt_code"), None),
        product_id=_or(lambda: values.integer_or_none(answer.get("product_id"), "product_id"), None),
        validations=_or(lambda: _read_validations(answer, common_name), ()),
        ended=_or(lambda: read_status(answer.get("status")).ended, False),
    )


def read_list(listed: values.Json, field: str) -> list[OrderSummary]:
    """Read a list of orders. An order without a readable id gets the id 0."""
    entries = list(listed.values()) if isinstance(listed, dict) else listed or []
    if not isinstance(entries, list):
        raise values.bad(field, listed, "a list of objects")
    return [_read_summary(entry if isinstance(entry, dict) else {}) for entry in entries]


def _read_summary(item: values.Object) -> OrderSummary:
    """Read an entry of a list. Unreadable names and dates are left out: `orders/status` returns them too."""
    common_name = _or(lambda: values.text(item.get("common_name"), "common_name").lower(), "")
    return OrderSummary(
        order_id=_or(lambda: values.identifier(item.get("order_id"), "order_id"), 0),
        status=_or(lambda: values.text(item.get("status"), "status").lower(), ""),
        common_name=common_name or None,
        valid_from=_or(lambda: values.date(item.get("valid_from"), "valid_from"), None),
        valid_till=_or(lambda: values.date(item.get("valid_till") or item.get("expires"), "valid_till"), None),
    )


def _or(read: t.Callable[[], _T], otherwise: _T) -> _T:
    """Return the value, or a default if it cannot be read."""
    try:
        return read()
    except GogetsslError:
        return otherwise


def read_order(answer: values.Object) -> Order:
    """Read an order of `orders/status` (7.1)."""
    common_name = values.text(answer.get("domain"), "domain").lower()
    return Order(
        order_id=values.identifier(answer.get("order_id"), "order_id"),
        status=read_status(answer.get("status")),
        product_id=values.integer_or_none(answer.get("product_id"), "product_id"),
        common_name=common_name,
        names=_read_names(answer, common_name),
        csr=values.pem(answer.get("csr_code"), "csr_code"),
        certificate=values.pem(answer.get("crt_code"), "crt_code"),
        chain=values.pem(answer.get("ca_code"), "ca_code"),
        valid_from=values.date(answer.get("valid_from"), "valid_from"),
        valid_till=values.date(answer.get("valid_till"), "valid_till"),
        begin_date=values.date(answer.get("begin_date"), "begin_date"),
        end_date=values.date(answer.get("end_date"), "end_date"),
        reissuing=values.flag(answer.get("reissue_now"), "reissue_now"),
        single_sans=values.integer_or_none(answer.get("single_san_count"), "single_san_count") or 0,
        wildcard_sans=values.integer_or_none(answer.get("wildcard_san_count"), "wildcard_san_count") or 0,
        validations=_read_validations(answer, common_name),
        manual_check=values.flag(answer.get("manual_check"), "manual_check"),
        pre_signing=values.flag(answer.get("pre_signing"), "pre_signing"),
        description=_read_description(answer),
    )


def read_status(value: t.Any) -> Status:
    """Read a status. An unknown one raises an error; it must not count as pending (7.2)."""
    word = values.text(value, "status").lower()
    try:
        return Status(word)
    except ValueError:
        raise values.bad("status", word, "a known status") from None


def _read_names(answer: values.Object, common_name: str) -> tuple[str, ...]:
    """Return the common name, then the additional names from `san` or, without it, from `domains`."""
    listed = [values.text(san.get("san_name"), "san_name") for san in values.items(answer.get("san"), "san")]
    listed = listed or values.text(answer.get("domains"), "domains").split(",")
    names = [common_name, *(name.strip().lower() for name in listed)]
    return tuple(dict.fromkeys(name for name in names if name))


def _read_validations(answer: values.Object, common_name: str) -> tuple[Validation, ...]:
    """Return the validations of the common name and of each additional name."""
    if not common_name:
        return ()
    first = validations.read(
        common_name,
        answer.get("approver_method"),
        values.text(answer.get("dcv_method"), "dcv_method"),
        values.text(answer.get("approver_email"), "approver_email"),
        validations.state_of(answer.get("dcv_status"), "dcv_status"),
        values.text(answer.get("validation_description"), "validation_description"),
    )
    others = [
        validations.read(
            values.text(san.get("san_name"), "san_name").lower(),
            san.get("validation"),
            values.text(san.get("validation_method"), "validation_method"),
            "",
            validations.state_of(san.get("status"), "san.status"),
            values.text(san.get("status_description"), "san.status_description"),
        )
        for san in values.items(answer.get("san"), "san")
    ]
    return (first, *(validation for validation in others if validation.name != common_name))


def _read_description(answer: values.Object) -> str:
    fields = ("status_description", "validation_description", "admin_msg")
    texts = [printable(values.text(answer.get(field), field), 300) for field in fields]
    return "; ".join(dict.fromkeys(text for text in texts if text))
