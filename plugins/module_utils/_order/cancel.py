# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cancels orders: the vendor reviews each request later. Repeating a request is not a change."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._api.models import Order, Status
from .._api.orders import Api
from .._core.errors import GogetsslError, Kind, input_error
from .._core.task import Context, Result
from .._host import journal as _journal
from .._host.journal import HostState, Journal
from .._request.spec import CertificateSpec, read_specs
from . import journal_updates, ownership, repeats
from .decision import stop

_ATTEMPTS, _PAUSE = 3, 2.0
NOT_CANCELLED = (Status.EXPIRED, Status.REJECTED, Status.REVOKED)  # already ended


def run(context: Context, api: Api) -> Result:
    """Cancel the orders of the host's certificates and those given by their ids."""
    params = context.params
    if not params["reason"]:
        raise input_error("state=cancelled requires reason, which GoGetSSL records with the cancellation.")
    if params["certificates"] is None and not params["order_ids"]:
        raise input_error("state=cancelled requires certificates or order_ids.")
    targets, without_order = _targets(context, api)
    cancelled = [_cancel(context, api, name, order_id) for order_id, name in targets.items()]
    changed = [entry for entry in cancelled if entry["changed"]]
    result: Result = {"changed": bool(changed), "orders": [], "stopped": without_order, "cancelled": cancelled}
    if changed:
        lines = [f"order {entry['order_id']}: cancelled, {entry['refund']}\n" for entry in changed]
        result["diff"] = {"before": "", "after": "".join(lines)}
    return result


def _targets(context: Context, api: Api) -> tuple[dict[int, str | None], list[Result]]:
    """Return order id -> certificate from options and journals, and the certificates without an order."""
    params = context.params
    targets: dict[int, str | None] = dict.fromkeys(params["order_ids"])
    without_order = []
    spec = read_specs(params) if params["certificates"] else ()
    found = _journal.inspect(context.shell, params["directory"], spec) if spec else {}
    for one in spec:
        if one.source is not None:
            reason = f"{one.name}: {one.source} orders it, and only that host can cancel the order."
            without_order.append({"name": one.name, "reason": reason})
            continue
        state = found[one.name]
        journal, intent = journal_updates.of_api(state.journal, api.url), state.intent
        if intent is not None and intent.api == api.url:
            raise input_error(
                f"{one.name}: a purchase is under way or its outcome is unknown; settle it first by state=present."
            )
        order_id = journal.order_id if journal is not None else one.adopt
        if order_id is not None:
            _check_owner(api, one, state, order_id, journal is not None)
            _check_adopt(one, journal)
            targets[order_id] = one.name
        else:
            without_order.append(
                {"name": one.name, "reason": f"{one.name}: the host's journal names no order to cancel."}
            )
    return targets, without_order


def _check_owner(api: Api, spec: CertificateSpec, state: HostState, order_id: int, recorded: bool) -> None:
    """Fail if an order from the journal (`recorded`) or adopt belongs to another certificate.

    An order from adopt needs a key of the host, if there is one: the option may name a former order of the certificate.
    """
    order, claimed = api.order(order_id), ownership.claimant(spec, state)
    why = ownership.foreign(order, claimed, not recorded)
    if not why and not recorded and claimed.keys and not ownership.has_key(order, claimed):
        why = "its key is not known on this host"
    if why:
        reason = stop("foreign_order", order_id, why=why).reason
        raise GogetsslError(f"{spec.name}: {reason}. Nothing was cancelled.", Kind.REFUSED)


def _check_adopt(spec: CertificateSpec, journal: Journal | None) -> None:
    """Fail if adopt names another order than the journal: which of the two to cancel is not for a machine to decide."""
    if journal is not None and repeats.adopt_is_new(spec.adopt, journal):
        raise input_error(
            f"{spec.name}: the host's journal names order {journal.order_id}, and adopt names order {spec.adopt}."
            " Nothing was cancelled. Remove adopt, or give the order to cancel in order_ids."
        )


def _cancel(context: Context, api: Api, name: str | None, order_id: int) -> Result:
    """Cancel one order unless it has ended or is already cancelled."""
    order = api.order(order_id)
    entry: Result = {
        "name": name,
        "order_id": order_id,
        "common_name": order.common_name,
        "status": order.status.value,
        "changed": False,
        "refund_until": None,
        "within_refund": None,
        "refund": "",
    }
    if order.status is Status.CANCELLED:
        return {**entry, "reason": "It is cancelled."}
    if order.status in NOT_CANCELLED:
        return {**entry, "reason": f"It is {order.status.value}: there is nothing to cancel."}
    entry.update(_refund(context, api, order))
    if context.check_mode:
        return {**entry, "changed": True, "reason": "Its cancellation would be requested."}
    if not _request_cancellation(api, order_id, context.params["reason"]):
        return {**entry, "reason": "Its cancellation was requested before; GoGetSSL reviews it."}
    return {**entry, "changed": True, "reason": "Its cancellation is requested; GoGetSSL reviews it in 2 to 48 hours."}


def _request_cancellation(api: Api, order_id: int, reason: str) -> bool:
    """Send one request. After a lost response, the next run checks with GoGetSSL whether it had an effect."""
    try:
        return api.cancel(order_id, reason)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            raise
        message = f"order {order_id}: {error.message} Run again: GoGetSSL reports a cancellation that was requested."
        raise GogetsslError(message, Kind.UNCERTAIN) from None


def withdraw(context: Context, api: Api, order_id: int, reason: str) -> str:
    """Request the cancellation of an order of this run. Return why it may not be cancelled, or an empty string.

    A lost response is repeated: for the same order, a second request changes nothing.
    """
    failed = ""
    for _attempt in range(_ATTEMPTS):
        try:
            api.cancel(order_id, reason)
            return ""
        except GogetsslError as error:
            failed = error.message
            if error.kind is not Kind.UNCERTAIN:
                break
            context.sleep(_PAUSE)
    return failed


def _refund(context: Context, api: Api, order: Order) -> Result:
    """Return the end of the refund period from invoice and product. It is optional: cancelling does not need it."""
    unknown = {"refund": "whether it is refunded is not known"}
    if order.product_id is None:
        return unknown
    try:
        days = api.product_details(order.product_id)["refund_days"]
        paid = api.order_invoice(order.order_id)["date"]
    except GogetsslError as error:
        if error.kind not in (Kind.REFUSED, Kind.ANSWER):
            raise
        return unknown
    if days is None or paid is None:
        return unknown
    until = dt.date.fromisoformat(t.cast(str, paid)) + dt.timedelta(days=min(max(0, days), 10_000))
    within = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc).date() <= until
    period = f"within its refund period, until {until}" if within else f"its refund period ended on {until}"
    return {"refund_until": until.isoformat(), "within_refund": within, "refund": period}
