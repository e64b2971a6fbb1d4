# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cancelling orders: a request that the vendor reviews later. Asked for a second time, it is not a change.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from . import _journal
from ._api import Api
from ._errors import GogetsslError, Kind, input_error
from ._models import Order, Status
from ._task import Context, Result
from ._wanted import read_wanted

NOT_CANCELLED = (Status.EXPIRED, Status.REJECTED, Status.REVOKED)  # ended in another way: nothing is left to cancel


def run(context: Context, api: Api) -> Result:
    """Cancel the orders of the host's certificates and those given by their ids."""
    params = context.params
    if not params["reason"]:
        raise input_error("state=cancelled needs a reason: GoGetSSL wants to be told.")
    if params["certificates"] is None and not params["order_ids"]:
        raise input_error("state=cancelled needs certificates or order_ids: whose orders, or which ones.")
    targets, orderless = _targets(context, api)
    cancelled = [_cancel(context, api, name, order_id) for order_id, name in targets.items()]
    changed = [entry for entry in cancelled if entry["changed"]]
    result: Result = {"changed": bool(changed), "orders": [], "stopped": orderless, "cancelled": cancelled}
    if changed:
        lines = [f"order {entry['order_id']}: cancelled, {entry['refund']}\n" for entry in changed]
        result["diff"] = {"before": "", "after": "".join(lines)}
    return result


def _targets(context: Context, api: Api) -> tuple[dict[int, str | None], list[Result]]:
    """Order id -> certificate, from the options and the journals; and the certificates that have no order."""
    params = context.params
    targets: dict[int, str | None] = dict.fromkeys(params["order_ids"])
    orderless = []
    wanted = read_wanted(params) if params["certificates"] else ()
    found = _journal.inspect(context.shell, params["directory"], wanted) if wanted else {}
    for one in wanted:
        journal, intent = found[one.name].journal, found[one.name].intent
        if intent is not None:
            raise input_error(
                f"{one.name}: a purchase is under way or its outcome is unknown; settle it first by state=present."
            )
        if one.adopt is not None:
            targets[one.adopt] = one.name
        elif journal is not None and journal.api == api.url:
            targets[journal.order_id] = one.name
        else:
            orderless.append({"name": one.name, "reason": f"{one.name}: the host's journal names no order to cancel."})
    return targets, orderless


def _cancel(context: Context, api: Api, name: str | None, order_id: int) -> Result:
    """Cancel one order, unless it has ended or been cancelled before."""
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
        return {**entry, "changed": True, "reason": "Its cancellation would be asked for."}
    if not _ask(api, order_id, context.params["reason"]):
        return {**entry, "reason": "Its cancellation had been asked for before; GoGetSSL reviews it."}
    return {**entry, "changed": True, "reason": "Its cancellation is asked for; GoGetSSL reviews it in 2 to 48 hours."}


def _ask(api: Api, order_id: int, reason: str) -> bool:
    """Ask once. After a lost answer once more: a request that got through makes the second one say "already"."""
    try:
        return api.cancel(order_id, reason)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            raise
    api.cancel(order_id, reason)
    return True


def _refund(context: Context, api: Api, order: Order) -> Result:
    """Until when the order is refunded, as far as invoice and product tell. That they do not is no obstacle."""
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
    words = f"within its refund period, until {until}" if within else f"its refund period ended on {until}"
    return {"refund_until": until.isoformat(), "within_refund": within, "refund": words}
