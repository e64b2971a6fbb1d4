# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's methods for the account and its invoices (API reference 3).

What is only handed on to the user is read into a plain dictionary of the shape that tasks return.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from . import _loose
from ._api_base import Base

_DETAILS = (
    "first_name",
    "last_name",
    "company_name",
    "company_vat",
    "company_phone",
    "phone",
    "fax",
    "address",
    "city",
    "state",
    "postal_code",
    "country",
    "email",
    "reseller_plan",
    "currency",
)


class AccountApi(Base):
    """Details, balance, totals, invoices."""

    def account(self) -> dict[str, t.Any]:
        """Who the account belongs to (3)."""
        answer = self._read("GET", "/account/")
        return {field: _loose.word(answer.get(field), field) for field in _DETAILS}

    def balance(self) -> tuple[int | None, str]:
        """The account's balance in minor units, and its currency (3)."""
        answer = self._read("GET", "/account/balance/")
        return _loose.money(answer.get("balance"), "balance"), _loose.text(answer.get("currency"), "currency")

    def total_orders(self) -> int | None:
        """How many orders are active (3)."""
        answer = self._read("GET", "/account/total_orders/")
        return _loose.integer_or_none(answer.get("total_orders"), "total_orders")

    def total_transactions(self) -> int | None:
        """How many transactions there were; not documented (2)."""
        answer = self._read("GET", "/account/total_transactions/")
        return _loose.integer_or_none(answer.get("total_transactions"), "total_transactions")

    def invoices(self) -> list[dict[str, t.Any]]:
        """All invoices (3)."""
        return self._invoices("/account/invoices/")

    def unpaid_invoices(self) -> list[dict[str, t.Any]]:
        """The unpaid invoices; their list is documented without a status (3)."""
        found = self._invoices("/account/invoices/unpaid/")
        return [{**invoice, "status": invoice["status"] or "unpaid"} for invoice in found]

    def invoices_between(self, since: str | None, till: str | None) -> list[dict[str, t.Any]]:
        """The invoices of a period of at most 365 days, with their items (3)."""
        given: dict[str, str | int] = {}
        if since:
            given["date_from"] = since
        if till:
            given["date_till"] = till
        return self._invoices("/invoice/", given)

    def invoice(self, invoice_id: int) -> dict[str, t.Any]:
        """One invoice with its items (3)."""
        answer = self._read("GET", f"/invoice/{invoice_id}")
        return read_invoice(_loose.obj(answer.get("invoice"), "invoice") or answer)

    def _invoices(self, path: str, given: t.Mapping[str, str | int] | None = None) -> list[dict[str, t.Any]]:
        listed = self._read("GET", path, given).get("invoices")
        return [read_invoice(item) for item in _loose.items(listed, "invoices")]


def read_invoice(item: _loose.Object) -> dict[str, t.Any]:
    """An invoice of any of the lists (3)."""
    return {
        "invoice_id": _loose.integer_or_none(item.get("id"), "id"),
        "order_id": _loose.integer_or_none(item.get("order_id"), "order_id"),
        "number": _loose.word(item.get("number"), "number"),
        "date": _loose.iso(item.get("date"), "date"),
        "subtotal": _loose.money(item.get("subtotal"), "subtotal"),
        "tax": _loose.money(item.get("tax"), "tax"),
        "tax_percent": _loose.percent(item.get("tax_rate"), "tax_rate"),
        "total": _loose.money(item.get("total"), "total"),
        "currency": _loose.word(item.get("currency"), "currency"),
        "status": _loose.text(item.get("status"), "status").lower() or None,
        "payment_method": _loose.word(item.get("payment_method"), "payment_method"),
        "lines": [_read_item(line) for line in _loose.items(item.get("items"), "items")],
    }


def _read_item(line: _loose.Object) -> dict[str, t.Any]:
    return {
        "order_id": _loose.integer_or_none(line.get("order_id"), "order_id"),
        "order_number": _loose.word(line.get("order_number"), "order_number"),
        "date": _loose.iso(line.get("date"), "date"),
        "subtotal": _loose.money(line.get("subtotal"), "subtotal"),
        "period": _loose.integer_or_none(line.get("period"), "period"),
        "product_name": _loose.word(line.get("product_name"), "product_name"),
        "product_id": _loose.integer_or_none(line.get("product_id"), "product_id"),
    }
