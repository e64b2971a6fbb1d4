# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders and validations as the plain dictionaries that tasks return."""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.dates import iso
from .models import Order, Status, Validation, ValidationState

NAMES_SHOWN = 5  # maximum number of names in a reason; an order can have hundreds
REASON_SHOWN = 160  # maximum length of the vendor's message for each name


def order_result(order: Order) -> dict[str, t.Any]:
    """Return an order in the form that tasks return."""
    return {
        "order_id": order.order_id,
        "status": order.status.value,
        "product_id": order.product_id,
        "common_name": order.common_name,
        "names": list(order.names),
        "pending": is_pending(order),
        "issued": order.issued,
        "reason": reason_of(order),
        "valid_from": iso(order.valid_from),
        "valid_till": iso(order.valid_till),
        "begin_date": iso(order.begin_date),
        "end_date": iso(order.end_date),
        "certificate": order.certificate,
        "chain": order.chain,
        "validations": order_validations(order),
    }


def validation_result(validation: Validation) -> dict[str, t.Any]:
    """Return a validation in the form that tasks return. Fields of other methods are null."""
    return {**dataclasses.asdict(validation), "state": validation.state.value, "ready": validation.ready}


def order_validations(order: Order) -> list[dict[str, t.Any]]:
    """The validations of an order as entries of a list for several orders."""
    return [{"order_id": order.order_id, **validation_result(validation)} for validation in order.validations]


def is_pending(order: Order) -> bool:
    """True while a certificate can still be expected. An active order can lack its certificate for a short time."""
    return not order.issued and not order.status.ended


def reason_of(order: Order) -> str:
    """Return the reason why no certificate is issued; empty if one is."""
    if order.issued:
        return ""
    parts = [_what_is_awaited(order)]
    explained = any(
        validation.reason for validation in order.validations if validation.state is not ValidationState.VALIDATED
    )
    if order.description and not explained:
        parts.append(f"GoGetSSL reports: {order.description}")
    return " ".join(part if part.endswith((".", "!", "?")) else part + "." for part in parts)


def _what_is_awaited(order: Order) -> str:
    """Return the first of the known causes that applies."""
    if order.status.ended:
        return f"The order is {order.status.value}: no certificate will be issued"
    if order.status is Status.UNPAID:
        return "The order is not paid: add funds to the account or pay the invoice"
    if order.manual_check:
        return "The brand checks the order manually, which can take days; contact its support"
    open_validations = [
        validation for validation in order.validations if validation.state is not ValidationState.VALIDATED
    ]
    if order.pre_signing and not open_validations:
        return "The CA has validated the order and queued it for signing"
    if open_validations:
        return f"Not validated yet: {_list_validations(open_validations)}"
    if order.status is Status.INCOMPLETE:
        return "The order is incomplete: the vendor waits for its request"
    if order.status is Status.ACTIVE:
        return "The certificate is issued but cannot be fetched yet"
    return f"The order is {order.status.value} and all names are validated; the CA is processing it"


def _list_validations(validations: t.Sequence[Validation]) -> str:
    shown = []
    for validation in validations[:NAMES_SHOWN]:
        reason = f" ({validation.reason[:REASON_SHOWN]})" if validation.reason else ""
        shown.append(f"{validation.name} by {validation.method}{reason}")
    more = len(validations) - NAMES_SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
