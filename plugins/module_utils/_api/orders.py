# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Python method for each API method. This file has those for orders; the other files of this package have the rest.

Endpoint paths, field names and forms of responses occur in this package only. Section numbers refer to the API
reference in `docs/`.
"""

from __future__ import annotations

import typing as t

from .._core.errors import GogetsslError, Kind
from . import order_answers, values
from .account import AccountApi, read_invoice
from .base import as_object
from .lei import LeiApi
from .models import AnyOrder, Order, OrderRequest, OrderSummary, Receipt, Unreadable
from .products import ProductsApi
from .tools import ToolsApi

LIST_LIMIT = 1000  # maximum page size, and maximum offset, of `orders/ssl/all` (7.5)
STATUSES_LIMIT = 100  # the largest bulk call known from other clients (7.3)
LISTED_STATUSES = ("active", "processing")  # the filters of `orders/` for orders that can still be used (7.4)
FILTERS = ("active", "processing", "expired", "rejected", "revoked")  # all filters of `orders/` (7.4)


def readable(order: AnyOrder) -> Order:
    """Return a complete order; raise an error if it could not be read."""
    if isinstance(order, Unreadable):
        raise GogetsslError(f"order {order.order_id}: {order.reason}", Kind.ANSWER)
    return order


class Api(AccountApi, ProductsApi, ToolsApi, LeiApi):
    """The vendor's methods. Reads are retried, writes are sent once."""

    # Reads of orders

    def order(self, order_id: int) -> Order:
        """Return one complete order (7.1); raise an error if it cannot be read."""
        return readable(self.any_order(order_id))

    def any_order(self, order_id: int) -> AnyOrder:
        """Return one order, readable or not (7.1). A response about another order raises an error."""
        order = order_answers.read_any_order(self._client.read("GET", f"/orders/status/{order_id}"), order_id)
        if order.order_id != order_id:
            raise GogetsslError(
                f"order {order_id}: GoGetSSL returned order {order.order_id} instead. Run again later.", Kind.ANSWER
            )
        return order

    def statuses(self, order_ids: t.Sequence[int]) -> dict[int, str]:
        """Return the statuses of many orders, with one call for each `STATUSES_LIMIT` orders (7.3)."""
        found: dict[int, str] = {}
        for start in range(0, len(order_ids), STATUSES_LIMIT):
            cids = ",".join(str(order_id) for order_id in order_ids[start : start + STATUSES_LIMIT])
            answer = self._client.read("POST", "/orders/statuses/", {"cids": cids})
            listed = answer if isinstance(answer, list) else as_object(answer, "certificates").get("certificates")
            found.update((one.order_id, one.status) for one in order_answers.read_list(listed, "certificates"))
        return found

    def orders_with_status(self, status: str, max_age: float = 0) -> tuple[OrderSummary, ...]:
        """Return the orders of one status, or all listed ones, with names and dates (7.4): an array or an object.

        With `max_age`, the hosts of a run share a list of at most this age in seconds.
        """

        def read() -> t.Any:
            return self._client.read("GET", "/orders/", {"status": status} if status else {})

        answer = self.cache.read(f"/orders/{status}", read, max_age) if max_age else read()
        listed = answer if isinstance(answer, list) else as_object(answer, "orders").get("orders")
        return tuple(order_answers.read_list(listed, "orders"))

    def all_orders(self, max_age: float = 0) -> tuple[OrderSummary, ...]:
        """Return the orders of all statuses, without names, as far as the vendor's paging allows (7.5)."""
        found: dict[int, OrderSummary] = {}
        for offset in range(0, LIST_LIMIT + 1, LIST_LIMIT):
            answer = self._page(offset, max_age)
            page = order_answers.read_list(answer.get("orders"), "orders")
            found.update((summary.order_id or -offset - place, summary) for place, summary in enumerate(page, 1))
            if len(page) < LIST_LIMIT:
                break
        return tuple(found.values())

    def _page(self, offset: int, max_age: float) -> values.Object:
        def read() -> values.Object:
            return self._read("GET", "/orders/ssl/all/", {"limit": LIST_LIMIT, "offset": offset})

        return self.cache.read(f"/orders/ssl/all/{offset}", read, max_age) if max_age else read()

    def discard_lists(self) -> None:
        """Remove the lists that the hosts of the run share, because a purchase changes them."""
        pages = (f"/orders/ssl/all/{offset}" for offset in (0, LIST_LIMIT))
        self.cache.discard(*(f"/orders/{status}" for status in LISTED_STATUSES), *pages)

    def unpaid_orders(self) -> list[dict[str, t.Any]]:
        """Return the unpaid orders (7.6)."""
        listed = self._read("GET", "/orders/list/unpaid/").get("orders")
        return [
            {
                "order_id": values.identifier(item.get("id") or item.get("order_id"), "id"),
                "total": values.money(item.get("total_price"), "total_price"),
                "currency": values.text(item.get("currency"), "currency") or None,
                "date": values.iso(item.get("date"), "date"),
            }
            for item in values.items(listed, "orders")
        ]

    def order_invoice(self, order_id: int) -> dict[str, t.Any]:
        """Return the invoice of an order (3)."""
        return read_invoice(self._read("GET", f"/orders/invoice/{order_id}"))

    # Writes to orders

    def place(self, request: OrderRequest) -> Receipt:
        """Buy a certificate (6.1)."""
        return _read_receipt(self._write("/orders/add_ssl_order/", purchase_fields(request)))

    def renew(self, request: OrderRequest) -> Receipt:
        """Buy the next term of a certificate, which is a new order (6.2)."""
        return _read_receipt(self._write("/orders/add_ssl_renew_order/", purchase_fields(request)))

    def add_names(self, order_id: int, singles: int, wildcards: int) -> Receipt:
        """Buy more name slots for an order (6.3). `count` is the sum, as the vendor's own client sends it."""
        counts = {"single_san_count": singles, "wildcard_san_count": wildcards, "count": singles + wildcards}
        return _read_receipt(self._write("/orders/add_ssl_san_order/", {"order_id": order_id, **counts}))

    def reissue(self, order_id: int, request: OrderRequest) -> None:
        """Reissue the certificate within the paid term (6.5)."""
        self._write(f"/orders/ssl/reissue/{order_id}", certificate_fields(request))

    def cancel(self, order_id: int, reason: str) -> bool:
        """Request the cancellation of an order (6.4). Return False if it was already requested."""
        try:
            self._write("/orders/cancel_ssl_order/", {"order_id": order_id, "reason": reason})
        except GogetsslError as error:
            if error.kind is Kind.REFUSED and "already" in error.message.lower():
                return False
            raise
        return True

    def change_methods(self, order_id: int, methods: t.Mapping[str, str]) -> None:
        """Change the validation methods of several names in one call (8.5)."""
        fields = {"domains": ",".join(methods), "new_methods": ",".join(methods.values())}
        self._write(f"/orders/ssl/change_domains_validation_method/{order_id}", fields)

    def change_method(self, order_id: int, name: str, method: str) -> None:
        """Change the validation method of one name (8.5)."""
        self._write(f"/orders/ssl/change_validation_method/{order_id}", {"domain": name, "new_method": method})

    def change_dcv(self, order_id: int, name: str, method: str) -> None:
        """Change the validation method of one name by an older API method, which does not support https (8.5)."""
        fields = {"domain_name": name, "new_method": _method_of(method)}
        approver = {"approver_email": method} if "@" in method else {}
        self._write(f"/orders/ssl/change_dcv/{order_id}", {**fields, **approver})

    def revalidate(self, order_id: int, name: str) -> None:
        """Request the validation of a name from the CA (8.6)."""
        self._write(f"/orders/ssl/revalidate/{order_id}", {"domain": name})

    def change_email(self, order_id: int, address: str) -> None:
        """Change the approver email address of the common name (8.5)."""
        self._write(f"/orders/ssl/change_validation_email/{order_id}", {"approver_email": address})

    def resend(self, order_id: int, name: str) -> None:
        """Send the validation email of one name again (8.6)."""
        self._write(f"/orders/ssl/resend/{order_id}", {"domain": name})

    def resend_all(self, order_id: int) -> None:
        """Send all validation emails of an order again (8.6). A GET that writes, or a POST."""
        self._act(f"/orders/ssl/resend_validation_email/{order_id}")

    def recheck_caa(self, order_id: int) -> None:
        """Request another CAA check, at most every ten minutes (7.7). A GET that writes, or a POST."""
        self._act(f"/orders/ssl/recheck-caa/{order_id}")


def certificate_fields(request: OrderRequest) -> dict[str, str | int]:
    """Return the common fields of purchases and reissues. `approver_emails` has one entry for each DNS name (6.1)."""
    (_common_name, method), *others = request.approvals
    fields: dict[str, str | int] = {
        "csr": request.csr,
        "webserver_type": request.webserver,
        "signature_hash": request.signature_hash,
        "dcv_method": _method_of(method),
    }
    if "@" in method:
        fields["approver_email"] = method
    if request.multi_domain and others:
        fields["dns_names"] = ",".join(name for name, _method in others)
        fields["approver_emails"] = ",".join(approval for _name, approval in others)
    if request.unique_code:
        fields["unique_code"] = request.unique_code
    return fields


def purchase_fields(request: OrderRequest) -> dict[str, str | int]:
    """Return the fields of a purchase or renewal (6.1)."""
    if request.product_id is None or request.period is None:
        raise AssertionError("a purchase names a product and a period")
    fields: dict[str, str | int] = {
        "product_id": request.product_id,
        "period": request.period,
        "server_count": request.server_count,
        **certificate_fields(request),
    }
    contacts = (("admin", request.admin), ("tech", request.tech), ("org", request.organization))
    for prefix, contact in contacts:
        fields.update({f"{prefix}_{key}": value for key, value in contact.items()})
    return fields


def _read_receipt(answer: values.Object) -> Receipt:
    """Read the response to a purchase. Without an order id, it is unknown whether an order exists."""
    try:
        order_id = values.identifier(answer.get("order_id"), "order_id")
    except GogetsslError:
        raise GogetsslError(
            "GoGetSSL accepted the purchase but returned no order id; whether an order exists is unknown.",
            Kind.UNCERTAIN,
        ) from None
    try:
        amount = values.money(answer.get("order_amount"), "order_amount")
    except GogetsslError:
        amount = None  # the order exists: an unreadable price must not hide its id
    currency = answer.get("currency")
    return Receipt(order_id, amount, currency if isinstance(currency, str) else None)


def _method_of(approval: str) -> str:
    return "email" if "@" in approval else approval
