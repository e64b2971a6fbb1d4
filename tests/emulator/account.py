# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Account and invoices (API reference 3)."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from .backend import DAY, Call, date, money, row_id
from .errors import ApiError
from .model import Invoice


def details(call: Call) -> dict[str, Any]:
    return {
        "first_name": "John",
        "last_name": "Smith",
        "company_name": "Example Reseller",
        "company_vat": "LV00000000000",
        "company_phone": "+37100000000",
        "phone": "+37100000000",
        "fax": "",
        "address": "Example street 1",
        "city": "Riga",
        "state": "Riga",
        "postal_code": "LV-1001",
        "country": "LV",
        "email": call.backend.user,
        "reseller_plan": "Standard",
        "currency": call.backend.settings.currency,
        "success": True,
    }


def balance(call: Call) -> dict[str, Any]:
    cents = int(call.backend.store.meta("balance"))
    return {"balance": money(cents), "currency": call.backend.settings.currency, "success": True}


def total_orders(call: Call) -> dict[str, Any]:
    """Only active orders count."""
    return {"total_orders": call.backend.store.count_orders("active"), "success": True}


def total_transactions(call: Call) -> dict[str, Any]:
    """Undocumented: assumed to have the shape of total_orders."""
    return {"total_transactions": len(call.backend.store.charges()), "success": True}


def invoices(call: Call) -> dict[str, Any]:
    return {"invoices": [_short(call, item) for item in call.backend.store.invoices()], "success": True}


def unpaid_invoices(call: Call) -> dict[str, Any]:
    unpaid = [_short(call, item) for item in call.backend.store.invoices() if item.status == "unpaid"]
    for item in unpaid:
        del item["status"]
    return {"invoices": unpaid, "success": True}


def order_invoice(call: Call, order_id: str) -> dict[str, Any]:
    found = call.backend.store.invoices(row_id(order_id))
    if not found:
        raise ApiError("Invoice not found", f"There is no invoice of order {order_id}")
    return {**_short(call, found[0]), "success": True}


def _amounts(call: Call, item: Invoice) -> dict[str, Any]:
    return {
        "number": item.number,
        "date": date(call.backend, item.created),
        "subtotal": money(item.net),
        "tax": money(item.tax),
        "total": money(item.net + item.tax),
        "status": item.status,
        "tax_rate": tax_rate(item.tax_percent),
        "currency": item.currency,
        "payment_method": item.payment_method,
    }


def _short(call: Call, item: Invoice) -> dict[str, Any]:
    return {"order_id": item.order_id, **_amounts(call, item)}


def _long(call: Call, item: Invoice) -> dict[str, Any]:
    line = {
        "order_id": item.order_id,
        "order_number": str(item.order_id),
        "date": date(call.backend, item.created),
        "subtotal": money(item.net),
        "period": item.period,
        "product_name": item.product_name,
        "product_id": item.product_id,
    }
    return {"id": item.id, **_amounts(call, item), "items": [line]}


def invoices_by_period(call: Call) -> dict[str, Any]:
    """Invoices of a period of at most 365 days; the default is the last 365 days."""
    now = call.backend.now()
    today = now - now % DAY
    till = _day(call, "date_till", today)
    since = _day(call, "date_from", till - 365 * DAY)
    if since > till or till - since > 365 * DAY:
        raise ApiError("Wrong period", "The period must not be longer than 365 days")
    newest = min(till + DAY, now - call.backend.settings.invoice_delay)
    found = [i for i in call.backend.store.invoices() if since <= i.created <= newest]
    return {"invoices": [_long(call, item) for item in found], "success": True}


def _day(call: Call, name: str, default: float) -> float:
    text = call.text(name)
    if not text:
        return default
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.timezone.utc).timestamp()
    except ValueError:
        raise ApiError(f"Wrong {name}", f"The parameter {name} must be of the form Y-m-d") from None


def invoice(call: Call, invoice_id: str) -> dict[str, Any]:
    found = call.backend.store.invoice(row_id(invoice_id))
    if found:
        return {"invoice": _long(call, found), "success": True}
    raise ApiError("Invoice not found", f"There is no invoice {invoice_id}")


def add_sandbox(call: Call) -> dict[str, Any]:
    """Undocumented (API reference 2, no. 11): returns a login that is accepted nowhere."""
    return {"login": call.text("email", "sandbox@example.com"), "password": secrets.token_urlsafe(12), "success": True}


def tax_rate(percent: float) -> str:
    """ "21%", as in the sample (API reference 6.1)."""
    return f"{percent:g}%"
