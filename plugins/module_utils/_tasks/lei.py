# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: buy, renew or confirm a Legal Entity Identifier, and never buy it twice.

Before a purchase, the task searches the register, the journal on the controller and the account's orders.
"""

from __future__ import annotations

import datetime as dt

from .._api.api_task import api_task
from .._api.orders import Api
from .._core.errors import GogetsslError, Kind, input_error
from .._core.task import Context, Params, Result
from .._order import lei_orders
from .._order.lei import LeiPurchase
from .._order.lei_journal import Entity

ADDRESS = {
    "addressline1": {"type": "str", "required": True},
    "city": {"type": "str", "required": True},
    "postalcode": {"type": "str", "required": True},
    "country": {"type": "str", "required": True},
    "region": {"type": "str"},
}
SPEC = {
    "state": {"type": "str", "choices": ["present", "renewed", "confirmed", "rejected"], "default": "present"},
    "order_id": {"type": "int"},
    "legal_name": {"type": "str"},
    "registration_id": {"type": "str"},
    "jurisdiction": {"type": "str"},
    "firstname": {"type": "str"},
    "lastname": {"type": "str"},
    "legal_address": {"type": "dict", "options": ADDRESS},
    "headquarters_address": {"type": "dict", "options": ADDRESS},
    "years": {"type": "int", "choices": [1, 2, 3, 4, 5], "default": 1},
    "product_id": {"type": "int", "default": 161},
    "level2_data": {"type": "bool", "default": False},
    "data_unchanged": {"type": "bool", "default": True},
    "transfer": {"type": "bool", "default": False},
    "incorporation_date": {"type": "str"},
    "renew_within": {"type": "int", "default": 60},
    "other_orders": {"type": "list", "elements": "int", "default": []},
    "abandon_intent": {"type": "bool", "default": False},
    "settle_time": {"type": "int", "default": 60},
    "max_price": {"type": "int"},
}
NEEDED = ("legal_name", "registration_id", "jurisdiction", "firstname", "lastname", "legal_address")
# Address option -> the vendor's field name, after "legal" or "hq" (API reference 10).
_PLACE = {
    "addressline1": "firstAddressLine",
    "city": "City",
    "postalcode": "Postal",
    "country": "Country",
    "region": "State",
}


def run(context: Context) -> Result:
    """Run the operation that `state` selects."""
    api: Api = context.api()
    params = context.params
    if params["state"] == "present":
        return _present(context, api)
    if params["order_id"] is None:
        raise input_error(f"state={params['state']} needs order_id.")
    return _renewed(context, api) if params["state"] == "renewed" else _confirmed(context, api)


def _present(context: Context, api: Api) -> Result:
    """Buy the LEI, unless an order exists or the register contains the entity."""
    params = context.params
    missing = [name for name in NEEDED if not params[name]]
    if missing and params["order_id"] is None:
        raise input_error(f"state=present needs {', '.join(missing)}, or the order_id of an earlier run.")
    purchase = LeiPurchase(context, api, lei_orders.company(api.url, params))
    if params["order_id"] is not None:
        order = api.lei_status(params["order_id"])
        if not missing:
            purchase.settle_with(params["order_id"])
        return _result(False, "There is an order.", order)
    registered = _registered(context, api, purchase)
    if registered is not None:
        purchase.drop_intent()
        return registered
    with purchase.locked():
        return _purchased(context, api, purchase)


def _registered(context: Context, api: Api, purchase: LeiPurchase) -> Result | None:
    """Return the result for an entity with an LEI in the register, or None."""
    known = lei_orders.find(api.lei_lookup(context.params["legal_name"]), purchase.entity)
    return {**_result(False, f"The entity has the LEI {known['lei_number']}."), "lei": known} if known else None


def _purchased(context: Context, api: Api, purchase: LeiPurchase) -> Result:
    """Buy the LEI, unless the register or the account has it by now."""
    params = context.params
    # While this run waited for the lock, the LEI may have been registered, and another run may have removed the intent.
    registered = None if context.check_mode else _registered(context, api, purchase)
    if registered is not None:
        return registered
    order = purchase.order()
    if order is not None:
        return _result(False, (_OPEN if order["pending"] else _HAS).format(**order), order)
    codes = {row["code"] for row in api.lei_jurisdictions()}
    if codes and params["jurisdiction"] not in codes:
        raise input_error(f"jurisdiction: GoGetSSL has no LEIs for {params['jurisdiction']!r}.")
    purchase.check_price(params["product_id"])
    if context.check_mode:
        return _result(True, "An LEI would be bought.")
    return _bought(api, "An LEI was bought.", purchase.buy(fields_of(params)))


_OPEN = (
    "Order {order_id} for this entity or its address is {status}. If it is for another entity, add it to other_orders."
)
_HAS = (
    "This entity or another one at its address has the LEI {lei_number} by order {order_id}, which the register does"
    " not contain yet. If it is for another entity, add it to other_orders."
)


def fields_of(params: Params) -> dict[str, str | int]:
    """The form fields of a purchase (API reference 10)."""
    fields: dict[str, str | int] = {
        "productId": params["product_id"],
        "legalName": params["legal_name"],
        "registrationAuthorityEntityId": params["registration_id"],
        "legalJurisdiction": params["jurisdiction"],
        "firstName": params["firstname"],
        "lastName": params["lastname"],
        "isLevel2DataAvailable": int(params["level2_data"]),
        "multiYearSupport": params["years"],
        "transfer": int(params["transfer"]),
    }
    if params["incorporation_date"]:
        fields["incorporationDate"] = params["incorporation_date"]
    for prefix, option in (("legal", "legal_address"), ("hq", "headquarters_address")):
        for key, word in _PLACE.items():
            value = (params[option] or {}).get(key)
            if value:
                fields[prefix + word] = value
    return fields


def _renewed(context: Context, api: Api) -> Result:
    """Buy the next term, unless the current one is long enough or a renewal is in progress."""
    params = context.params
    order = api.lei_status(params["order_id"])
    number = order["lei_number"] or f"order {params['order_id']}"
    purchase = LeiPurchase(context, api, Entity(api.url, number, lei_number=number))
    purchase.settle_with(params["order_id"])
    if order["status"] not in ("active", "expired"):
        return _result(False, f"The order is {order['status']}: it cannot be renewed.", order)
    end = _latest_end(api, order)
    if not _is_due(context, end):
        purchase.drop_intent(older_than=86400)
        return _result(False, _LONG_ENOUGH.format(end=end, days=params["renew_within"]), order)
    with purchase.locked():
        newer = purchase.order()
        if newer is not None and newer["pending"]:
            return _result(False, f"The renewal is {newer['status']} as order {newer['order_id']}.", newer)
        end = (newer["valid_till"] or "")[:10] if newer else ""
        if end and not _is_due(context, end):
            return _result(False, _LONG_ENOUGH.format(end=end, days=params["renew_within"]), newer)
        purchase.check_price(order["product_id"] or params["product_id"])
        if context.check_mode:
            return _result(True, "The LEI would be renewed.", order)
        return _bought(api, "The LEI was renewed.", purchase.renew(params["order_id"], _renewal_fields(params)))


_LONG_ENOUGH = "The LEI is good until {end}, more than {days} days."


def _renewal_fields(params: Params) -> dict[str, str | int]:
    fields: dict[str, str | int] = {
        "isLevel1DataSame": int(params["data_unchanged"]),
        "multiYearSupport": params["years"],
    }
    for key, option in (("firstName", "firstname"), ("lastName", "lastname")):
        if params[option]:
            fields[key] = params[option]
    return fields


def _is_due(context: Context, end: str | None) -> bool:
    return end is None or end <= _day(context.now() + context.params["renew_within"] * 86400)


def _latest_end(api: Api, order: Params) -> str | None:
    """The last day of the LEI. A renewal is a separate order, so the register is queried, too."""
    ends = [order["valid_till"]]
    if order["lei_number"]:
        rows = api.lei_lookup(order["lei_number"])
        ends += [row["next_renewal"] for row in rows if row["lei_number"] == order["lei_number"]]
    return max((end[:10] for end in ends if end), default=None)


def _confirmed(context: Context, api: Api) -> Result:
    """Confirm or reject the data if the vendor requests it."""
    params = context.params
    correct = params["state"] == "confirmed"
    order = api.lei_status(params["order_id"])
    if order["status"] != "need_action":
        return _result(False, f"The order is {order['status']}: nothing is to be confirmed.", order)
    if context.check_mode:
        return _result(True, "The data would be " + ("confirmed." if correct else "rejected."), order)
    try:
        api.lei_confirm(params["order_id"], correct)
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            raise
        order = api.lei_status(params["order_id"])
        if order["status"] == "need_action":
            raise
    return _result(
        True, "The data was " + ("confirmed." if correct else "rejected."), api.lei_status(order["order_id"])
    )


def _bought(api: Api, reason: str, receipt: Result) -> Result:
    """The result of a purchase. `charged` is None if the response was lost and the order was found in the account."""
    try:
        order = api.lei_status(receipt["order_id"])
    except GogetsslError:
        order = None  # the order exists: a failed read must not hide its id
    charged = {"charged": receipt["charged"], "currency": receipt["currency"]}
    return {**_result(True, reason, order), **charged, "order_id": receipt["order_id"]}


def _result(changed: bool, reason: str, order: Params | None = None) -> Result:
    order_id = order["order_id"] if order else None
    number = {"lei": None, "charged": None, "currency": None}
    return {"changed": changed, "reason": reason, "order_id": order_id, "order": order, **number}


def _day(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).date().isoformat()


TASK = api_task(SPEC, run)
