# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's methods for the account and its invoices (API reference 3).

Data that is only passed on to the user becomes a plain dictionary in the form that tasks return.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from .._core.errors import GogetsslError, Kind
from . import values
from .base import Base

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
        """Return the details of the account holder (3)."""
        answer = self._read("GET", "/account/")
        return {field: values.word(answer.get(field), field) for field in _DETAILS}

    def balance(self) -> tuple[int | None, str]:
        """Return the account's balance in minor units and its currency (3)."""
        answer = self._read("GET", "/account/balance/")
        return values.money(answer.get("balance"), "balance"), values.text(answer.get("currency"), "currency")

    def total_orders(self) -> int | None:
        """Return the number of active orders (3)."""
        answer = self._read("GET", "/account/total_orders/")
        return values.integer_or_none(answer.get("total_orders"), "total_orders")

    def total_transactions(self) -> int | None:
        """Return the number of transactions; not documented (2)."""
        answer = self._read("GET", "/account/total_transactions/")
        return values.integer_or_none(answer.get("total_transactions"), "total_transactions")

    def invoices(self) -> list[dict[str, t.Any]]:
        """Return all invoices (3)."""
        return self._invoices("/account/invoices/")

    def unpaid_invoices(self) -> list[dict[str, t.Any]]:
        """Return the unpaid invoices. Their list is documented without a status (3)."""
        found = self._invoices("/account/invoices/unpaid/")
        return [{**invoice, "status": invoice["status"] or "unpaid"} for invoice in found]

    def invoices_between(self, since: str | None, till: str | None) -> list[dict[str, t.Any]]:
        """Return the invoices of a period of at most 365 days, with their items (3)."""
        given: dict[str, str | int] = {}
        if since:
            given["date_from"] = since
        if till:
            given["date_till"] = till
        return self._invoices("/invoice/", given)

    def orders_of_unpaid_invoices(self) -> list[tuple[str, set[int]]]:
        """Return the number and the orders of each unpaid invoice. Its other fields may be unreadable (3)."""
        listed = self._read("GET", "/account/invoices/unpaid/").get("invoices")
        return [(_number(item), _order_ids(item)) for item in values.items(listed, "invoices")]

    def ordered_since(self, date: str, product_id: int) -> tuple[list[int], int]:
        """Return the orders of a product in the invoices since a date, and the newest order of any product (3).

        Only the product of each line and the orders of this product must be readable.
        """
        listed = self._read("GET", "/invoice/", {"date_from": date}).get("invoices")
        lines = [line for item in values.items(listed, "invoices") for line in values.items(item.get("items"), "items")]
        orders, newest = [], 0
        for line in lines:
            same = values.integer_or_none(line.get("product_id"), "product_id") == product_id
            try:
                order_id = values.integer_or_none(line.get("order_id"), "order_id")
            except GogetsslError:
                if same:
                    raise
                continue
            newest = max(newest, order_id or 0)
            orders += [order_id] if same and order_id else []
        return orders, newest

    def invoiced_since(self, day: dt.date) -> int:
        """Return the amount before tax, in minor units, of the invoices dated `day` or later that are not void (3).

        The vendor refuses a period that begins in the future, and its clock may be behind, so the day before is
        requested too. An invoice without a date counts, and one without an amount is an error: the sum is a limit's.
        """
        found = self.invoices_between((day - dt.timedelta(days=1)).isoformat(), None)
        counted = [one for one in found if one["status"] not in ("cancelled", "refunded")]
        return sum(_net(one) for one in counted if (one["date"] or "9999") >= day.isoformat())

    def invoice(self, invoice_id: int) -> dict[str, t.Any]:
        """Return one invoice with its items (3)."""
        answer = self._read("GET", f"/invoice/{invoice_id}")
        return read_invoice(values.obj(answer.get("invoice"), "invoice") or answer)

    def _invoices(self, path: str, given: t.Mapping[str, str | int] | None = None) -> list[dict[str, t.Any]]:
        listed = self._read("GET", path, given).get("invoices")
        return [read_invoice(item) for item in values.items(listed, "invoices")]


def read_invoice(item: values.Object) -> dict[str, t.Any]:
    """Read an invoice of any of the lists (3)."""
    return {
        "invoice_id": values.integer_or_none(item.get("id"), "id"),
        "order_id": values.integer_or_none(item.get("order_id"), "order_id"),
        "number": values.word(item.get("number"), "number"),
        "date": values.iso(item.get("date"), "date"),
        "subtotal": values.money(item.get("subtotal"), "subtotal"),
        "tax": values.money(item.get("tax"), "tax"),
        "tax_percent": values.percent(item.get("tax_rate"), "tax_rate"),
        "total": values.money(item.get("total"), "total"),
        "currency": values.word(item.get("currency"), "currency"),
        "status": values.text(item.get("status"), "status").lower() or None,
        "payment_method": values.word(item.get("payment_method"), "payment_method"),
        "lines": [_read_item(line) for line in values.items(item.get("items"), "items")],
    }


def _net(invoice: t.Mapping[str, t.Any]) -> int:
    amount = invoice["total"] if invoice["subtotal"] is None else invoice["subtotal"]
    if not isinstance(amount, int):
        raise GogetsslError(
            f"GET /invoice/: invoice {invoice['number']} has no amount, so max_price_per_day cannot be checked.",
            Kind.ANSWER,
        )
    return amount


def _number(item: values.Object) -> str:
    """Return the number of an invoice, or its id."""
    for field in ("number", "id"):
        try:
            found = values.text(item.get(field), field)
        except GogetsslError:
            continue
        if found:
            return found
    return "without a number"


def _order_ids(item: values.Object) -> set[int]:
    """Return the orders of an invoice. An unreadable one is an error, because it may be any order."""
    rows = [item, *values.items(item.get("items"), "items")]
    return {order_id for row in rows if (order_id := values.integer_or_none(row.get("order_id"), "order_id"))}


def _read_item(line: values.Object) -> dict[str, t.Any]:
    return {
        "order_id": values.integer_or_none(line.get("order_id"), "order_id"),
        "order_number": values.word(line.get("order_number"), "order_number"),
        "date": values.iso(line.get("date"), "date"),
        "subtotal": values.money(line.get("subtotal"), "subtotal"),
        "period": values.integer_or_none(line.get("period"), "period"),
        "product_name": values.word(line.get("product_name"), "product_name"),
        "product_id": values.integer_or_none(line.get("product_id"), "product_id"),
    }
