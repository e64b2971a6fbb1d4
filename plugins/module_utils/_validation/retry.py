# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repeated requests: approver e-mails and CAA checks. A request that GoGetSSL locks is deferred, not a failure."""

from __future__ import annotations

import typing as t

from .._api.models import Order
from .._api.orders import Api
from .._core.errors import GogetsslError, Kind
from .._core.task import Context, Result

CAA_PAUSE = "GoGetSSL checks CAA records once in ten minutes."


class Repetition(t.NamedTuple):
    """A request to repeat, and its names."""

    order_id: int
    names: tuple[str, ...]
    send: t.Callable[[], None]
    hint: str = ""


def is_locked(error: GogetsslError) -> bool:
    """True if the vendor has temporarily locked the API call: "Function is locked for ..."."""
    return error.kind is Kind.REFUSED and "locked" in error.message.lower()


def email_repetitions(api: Api, orders: t.Iterable[Order]) -> list[Repetition]:
    """Requests to resend the approver e-mails of all open names, one request for each order."""
    repetitions = []
    for order in orders:
        names = tuple(validation.name for validation in order.open_validations if validation.method == "email")
        if names:
            repetitions.append(Repetition(order.order_id, names, _email(api, order.order_id, names)))
    return repetitions


def caa_repetitions(api: Api, orders: t.Iterable[Order]) -> list[Repetition]:
    """Requests for another CAA check of the orders in progress."""
    return [
        Repetition(order.order_id, order.names, _caa(api, order.order_id), CAA_PAUSE)
        for order in orders
        if order.in_progress
    ]


def _email(api: Api, order_id: int, names: tuple[str, ...]) -> t.Callable[[], None]:
    return (lambda: api.resend(order_id, names[0])) if len(names) == 1 else (lambda: api.resend_all(order_id))


def _caa(api: Api, order_id: int) -> t.Callable[[], None]:
    return lambda: api.recheck_caa(order_id)


def repeat(context: Context, repetitions: t.Iterable[Repetition]) -> tuple[list[str], list[Result]]:
    """Send the requests. Return the requested names, and the requests that GoGetSSL locks, each with a warning."""
    requested: list[str] = []
    deferred: list[Result] = []
    for one in repetitions:
        try:
            if not context.check_mode:
                one.send()
        except GogetsslError as error:
            if not is_locked(error):
                raise
            reason = " ".join(part for part in (error.message, one.hint, "Run again later.") if part)
            deferred.append({"order_id": one.order_id, "names": list(one.names), "reason": reason})
            context.warn(f"Order {one.order_id}: {reason}")
            continue
        requested += one.names
    return requested, deferred
