# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: a Legal Entity Identifier: bought, renewed or confirmed, and never bought twice.

The API has no idempotency key and no list of LEI orders. Before buying, the register is asked for the entity; what is
not in the register yet is found by the account's invoices, whose lines name orders and products.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from ._api import Api
from ._api_task import api_task
from ._errors import GogetsslError, Kind, input_error
from ._task import Context, Params, Result

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
}
IN_WORK_DAYS = 90  # so far back invoices are looked through for orders that are not in the register yet
NEEDED = ("legal_name", "registration_id", "jurisdiction", "firstname", "lastname", "legal_address")
# Address option -> the vendor's word, after "legal" or "hq" (API reference 10).
_PLACE = {
    "addressline1": "firstAddressLine",
    "city": "City",
    "postalcode": "Postal",
    "country": "Country",
    "region": "State",
}


def run(context: Context) -> Result:
    """Do what `state` says."""
    api: Api = context.api()
    params = context.params
    if params["state"] == "present":
        return _present(context, api)
    if params["order_id"] is None:
        raise input_error(f"state={params['state']} needs order_id.")
    return _renewed(context, api) if params["state"] == "renewed" else _confirmed(context, api)


def _present(context: Context, api: Api) -> Result:
    """Buy the LEI, unless there is an order or the register has the entity."""
    params = context.params
    if params["order_id"] is not None:
        return _result(False, "There is an order.", api.lei_status(params["order_id"]))
    missing = [name for name in NEEDED if not params[name]]
    if missing:
        raise input_error(f"state=present needs {', '.join(missing)}, or the order_id of an earlier run.")
    known = find(api.lei_lookup(params["legal_name"]), params)
    if known is not None:
        return {**_result(False, f"The entity has the LEI {known['lei_number']}."), "lei": known}
    place = _place_of(params["legal_address"])
    open_order = next((one for one in _in_work(context, api) if _place_of(one["legal_address"]) == place), None)
    if open_order is not None:
        return _result(False, _OPEN.format(order=open_order["order_id"]), open_order)
    codes = {row["code"] for row in api.lei_jurisdictions()}
    if codes and params["jurisdiction"] not in codes:
        raise input_error(f"jurisdiction: GoGetSSL has no LEIs for {params['jurisdiction']!r}.")
    if context.check_mode:
        return _result(True, "An LEI would be bought.")
    return _bought(api, "An LEI was bought.", lambda: api.lei_create(fields_of(params)), params["legal_name"])


def find(rows: t.Sequence[Params], params: Params) -> Params | None:
    """The register's entry of this entity: the same jurisdiction, and the same registration or legal name."""
    jurisdiction = params["jurisdiction"].casefold()
    for row in rows:
        place = (row["jurisdiction"] or "").casefold()
        same_number = _plain(row["registration_id"]) == _plain(params["registration_id"]) != ""
        same_name = _plain(row["legal_name"]) == _plain(params["legal_name"]) != ""
        if row["lei_number"] and place == jurisdiction and (same_number or same_name):
            return row
    return None


_OPEN = (
    "Order {order} for an entity at this address is in work. If it is another entity's, name the order in other_orders."
)


def _in_work(context: Context, api: Api) -> t.Iterator[Params]:
    """The LEI orders of the last months that are not done, newest first; each costs a request when it is asked for."""
    params = context.params
    try:
        invoices = api.invoices_between(_day(context.now() - IN_WORK_DAYS * 86400), None)
    except GogetsslError as error:
        if error.kind is not Kind.REFUSED:
            raise
        context.warn(f"Whether an LEI order is in work cannot be seen in the account's invoices. {error.message}")
        return
    lines = [line for invoice in invoices for line in invoice["lines"]]
    ids = {line["order_id"] for line in lines if line["product_id"] == params["product_id"] and line["order_id"]}
    for order_id in sorted(ids - {params["order_id"], *params["other_orders"]}, reverse=True):
        order = api.lei_status(order_id)
        if order["pending"]:
            yield order


def _place_of(address: Params | None) -> tuple[str, ...]:
    """What an order's status tells of an address (API reference 10), for comparisons."""
    return tuple(_plain((address or {}).get(key)) for key in ("city", "postalcode", "country"))


def fields_of(params: Params) -> dict[str, str | int]:
    """The form of a purchase (API reference 10)."""
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
    """Buy the next term, unless the present one is long enough or a renewal shows in the register already."""
    params = context.params
    order = api.lei_status(params["order_id"])
    if order["status"] not in ("active", "expired"):
        return _result(False, f"The order is {order['status']}: it cannot be renewed.", order)
    end = _latest_end(api, order)
    limit = _day(context.now() + params["renew_within"] * 86400)
    if end is not None and end > limit:
        return _result(False, f"The LEI is good until {end}, more than {params['renew_within']} days.", order)
    number = order["lei_number"]
    open_order = next((one for one in _in_work(context, api) if number and one["lei_number"] == number), None)
    if open_order is not None:
        return _result(False, f"The renewal is in work as order {open_order['order_id']}.", open_order)
    if context.check_mode:
        return _result(True, "The LEI would be renewed.", order)
    fields: dict[str, str | int] = {
        "isLevel1DataSame": int(params["data_unchanged"]),
        "multiYearSupport": params["years"],
    }
    for key, option in (("firstName", "firstname"), ("lastName", "lastname")):
        if params[option]:
            fields[key] = params[option]
    what = number or f"order {params['order_id']}"
    return _bought(api, "The LEI was renewed.", lambda: api.lei_renew(params["order_id"], fields), what)


def _latest_end(api: Api, order: Params) -> str | None:
    """The last day of the LEI: a renewal is an order of its own, so that the register is asked too."""
    ends = [order["valid_till"]]
    if order["lei_number"]:
        rows = api.lei_lookup(order["lei_number"])
        ends += [row["next_renewal"] for row in rows if row["lei_number"] == order["lei_number"]]
    return max((end[:10] for end in ends if end), default=None)


def _confirmed(context: Context, api: Api) -> Result:
    """Answer the question whether the data is right, if it is asked."""
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


def _bought(api: Api, reason: str, send: t.Callable[[], Result], what: str) -> Result:
    """Send one purchase. If its outcome is unknown, that is reported and nothing is sent again."""
    try:
        receipt = send()
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN:
            raise
        raise GogetsslError(
            f"{what}: {error.message} Nothing was bought a second time. Look into the account's orders: if there is"
            " one, give its order_id; if there is none, run again.",
            Kind.UNCERTAIN,
        ) from None
    try:
        order = api.lei_status(receipt["order_id"])
    except GogetsslError:
        order = None  # the order exists: that it cannot be read yet must not hide its id
    charged = {"charged": receipt["charged"], "currency": receipt["currency"]}
    return {**_result(True, reason, order), **charged, "order_id": receipt["order_id"]}


def _result(changed: bool, reason: str, order: Params | None = None) -> Result:
    order_id = order["order_id"] if order else None
    number = {"lei": None, "charged": None, "currency": None}
    return {"changed": changed, "reason": reason, "order_id": order_id, "order": order, **number}


def _plain(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def _day(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).date().isoformat()


TASK = api_task(SPEC, run)
