# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LEI orders (API reference 10). They share IDs, invoices and balance with the other orders."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from typing import Any

from . import billing
from .backend import DAY, Backend, Call, money, number
from .errors import ApiError

PRODUCT = 161
# Price of one year; invented.
_PRICE = 6900
_REQUIRED = (
    "productId",
    "legalName",
    "registrationAuthorityEntityId",
    "legalJurisdiction",
    "firstName",
    "lastName",
    "isLevel2DataAvailable",
    "legalPostal",
    "legalfirstAddressLine",
    "legalCountry",
    "legalCity",
    "multiYearSupport",
    "transfer",
)
# The shape is documented; the selection of codes is not.
_JURISDICTIONS = (
    ("GB", "A", ""),
    ("LV", "A", ""),
    ("DE", "A", ""),
    ("US-DE", "B", "1-36 hours"),
    ("US-CA", "B", "1-36 hours"),
    ("CN", "C", "manual processing"),
)


def price_rows() -> list[dict[str, Any]]:
    return [{"period": 12 * years, "price": money(_PRICE * years), "id": PRODUCT} for years in range(1, 6)]


def jurisdictions(call: Call) -> dict[str, Any]:
    rows = [{"code": code, "group": group, "notes": notes} for code, group, notes in _JURISDICTIONS]
    return {"success": True, "jurisdictions": rows}


def create(call: Call) -> dict[str, Any]:
    for name in _REQUIRED:
        call.need(name)
    if call.number("productId") != PRODUCT:
        raise ApiError("Wrong product_id", f"The product {call.text('productId')} is not an LEI product")
    for name in ("isLevel2DataAvailable", "transfer"):
        _flag(call, name)
    if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", call.text("legalJurisdiction")):
        raise ApiError("Wrong legalJurisdiction", "The jurisdiction is not supported")
    return _order(call, {name: call.text(name) for name in call.form if name != "auth_key"}, "buy", "")


def renew(call: Call, order_id: str) -> dict[str, Any]:
    lei = _find_order(call, order_id)
    _flag(call, "isLevel1DataSame")
    body = _order(
        call, {**lei["data"], **_given(call, "firstName", "lastName", "multiYearSupport")}, "renew", lei["lei_number"]
    )
    return {**body, "lei_number": lei["lei_number"]}


def _flag(call: Call, name: str) -> bool:
    if call.need(name) not in ("0", "1"):
        raise ApiError(f"Wrong {name}", f"The parameter {name} must be 0 or 1")
    return call.need(name) == "1"


def _given(call: Call, *names: str) -> dict[str, str]:
    return {name: call.text(name) for name in names if call.text(name)}


def _order(call: Call, data: dict[str, str], kind: str, lei_number: str) -> dict[str, Any]:
    backend = call.backend
    years = data.get("multiYearSupport", "1")
    if years not in ("1", "2", "3", "4", "5"):
        raise ApiError("Wrong multiYearSupport", "The parameter multiYearSupport must be from 1 to 5")
    test = call.text("test") == "1"
    net = 0 if test else _PRICE * int(years)
    order_id = billing.next_order_id(backend)
    bill = billing.Bill(order_id, PRODUCT, "LEI", 12 * int(years), net, kind)
    invoice, paid = billing.charge(backend, bill)
    lei = {
        "id": order_id,
        "lei_id": backend.store.next_id("lei", 35),
        "lei_number": lei_number,
        "data": data,
        "status": "processing" if paid else "unpaid",
        "created": backend.now(),
        "years": int(years),
        "net": net,
        "ready_at": backend.now() + backend.settings.lei_seconds,
        "valid_from": 0.0,
        "valid_till": 0.0,
    }
    backend.store.save_lei(lei)
    return {
        "product_id": PRODUCT,
        "order_number": str(order_id),
        "order_id": order_id,
        "lie_id": lei["lei_id"],
        "order_amount": number(net),
        "currency": invoice.currency,
        "tax": money(invoice.tax),
        "tax_rate": f"{invoice.tax_percent:g}%",
        "success": True,
        "invoice_num": invoice.number,
        "invoice_id": invoice.id,
    }


def _find_order(call: Call, order_id: str) -> dict[str, Any]:
    for lei in call.backend.store.leis():
        if str(lei["id"]) == order_id:
            return _updated(call.backend, lei)
    raise ApiError("Order not found", f"There is no LEI order {order_id}")


def _updated(backend: Backend, lei: dict[str, Any]) -> dict[str, Any]:
    """The LEI order at the current time. Only time changes it, so its status is updated when it is read."""
    now = backend.now()
    if lei["status"] == "processing" and now >= lei["ready_at"]:
        if backend.settings.lei_need_action and not lei.get("confirmed"):
            lei["status"] = "need_action"
        else:
            lei["status"] = "active"
            lei["lei_number"] = lei["lei_number"] or _new_number()
            lei["valid_from"], lei["valid_till"] = lei["ready_at"], lei["ready_at"] + 365 * DAY * lei["years"]
    if lei["status"] == "active" and now >= lei["valid_till"]:
        lei["status"] = "expired"
    backend.store.save_lei(lei)
    return lei


def _new_number() -> str:
    """20 characters, the last two of which are the check digits of ISO 17442."""
    body = "984500" + "".join(secrets.choice("0123456789ABCDEF") for _unused in range(12))
    digits = int("".join(str(int(character, 36)) for character in body + "00"))
    return f"{body}{98 - digits % 97:02d}"


def confirm(call: Call, order_id: str) -> dict[str, Any]:
    lei = _find_order(call, order_id)
    if lei["status"] not in ("need_action", "processing"):
        raise ApiError("Confirmation is not possible", f"The order is in status {lei['status']}")
    lei["confirmed"] = _flag(call, "confirm")
    lei["status"] = "processing" if lei["confirmed"] else "rejected"
    lei["ready_at"] = call.backend.now() + call.backend.settings.lei_seconds
    call.backend.store.save_lei(lei)
    return {"order_status": lei["status"], "success": True}


def status(call: Call, order_id: str) -> dict[str, Any]:
    lei = _find_order(call, order_id)
    data = lei["data"]
    body = {
        "lei_id": str(lei["lei_id"]),
        "status": lei["status"],
        "product_id": str(PRODUCT),
        "confidence_level": "10",
        "lei_number": lei["lei_number"],
        "valid_from": _moment(lei["valid_from"]),
        "valid_till": _moment(lei["valid_till"]),
        "legal_address": _address(data, "legal"),
    }
    if data.get("hqCity"):
        body["headquarters_address"] = _address(data, "hq")
    return {**body, "success": True}


def _address(data: dict[str, str], kind: str) -> dict[str, str]:
    return {part: data.get(f"{kind}{part}", "") for part in ("City", "Country", "Postal")}


def _moment(seconds: float) -> str:
    if not seconds:
        return "0000-00-00 00:00:00"
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


_LOOKUP = (
    "legalName",
    "registrationAuthorityEntityId",
    "entityLegalFormCode",
    "legalJurisdiction",
    "legalState",
    "legalCountry",
    "legalCity",
    "legalPostal",
    "legalfirstAddressLine",
    "hqState",
    "hqCountry",
    "hqCity",
    "hqPostal",
    "hqfirstAddressLine",
)


def lookup(call: Call) -> dict[str, Any]:
    """Search the emulator's LEIs by number or by part of the name."""
    query = call.need("query").lower()
    rows = []
    for lei in call.backend.store.leis():
        _updated(call.backend, lei)
        if not lei["valid_from"] or call.backend.now() < lei["valid_from"] + call.backend.settings.lei_register_delay:
            continue  # the register does not have this term yet
        name = lei["data"].get("legalName", "").lower()
        if lei["lei_number"] and (query == lei["lei_number"].lower() or query in name):
            known = {
                "leiNumber": lei["lei_number"],
                "nextRenewalDate": _moment(lei["valid_till"]),
                "entityStatus": "ACTIVE",
                "leiStatus": "ISSUED" if lei["status"] == "active" else "LAPSED",
            }
            rows.append(known | {field: lei["data"].get(field, "") for field in _LOOKUP})
    return {"result": rows, "success": True}
