# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's methods, one each: this file has those of orders, its neighbours `_api_*.py` the others.

Only these files know paths, field names and the shapes of answers. Section numbers are those
of the API reference in `docs/`.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from . import _loose, _proofs
from ._api_account import AccountApi, read_invoice
from ._api_base import as_object
from ._api_lei import LeiApi
from ._api_products import ProductsApi
from ._api_tools import ToolsApi
from ._errors import GogetsslError, Kind
from ._models import Order, OrderRequest, OrderSummary, Proof, Receipt, Status

LIST_LIMIT = 1000  # `orders/ssl/all` gives at most so many at once, from an offset of at most so many (7.5)
STATUSES_LIMIT = 100  # the largest bulk call seen in use (7.3)
LISTED_STATUSES = ("active", "processing")  # the filters of `orders/` that may hold an order worth finding (7.4)
FILTERS = ("active", "processing", "expired", "rejected", "revoked")  # all filters of `orders/` (7.4)


class Api(AccountApi, ProductsApi, ToolsApi, LeiApi):
    """The vendor's methods. Reading ones are retried, acting ones are sent once."""

    # Orders, read

    def order(self, order_id: int) -> Order:
        """One order whole (7.1)."""
        return read_order(self._read("GET", f"/orders/status/{order_id}"))

    def statuses(self, order_ids: t.Sequence[int]) -> dict[int, str]:
        """The status of many orders, in one call per `STATUSES_LIMIT` (7.3)."""
        found: dict[int, str] = {}
        for start in range(0, len(order_ids), STATUSES_LIMIT):
            cids = ",".join(str(order_id) for order_id in order_ids[start : start + STATUSES_LIMIT])
            answer = self._client.read("POST", "/orders/statuses/", {"cids": cids})
            listed = answer if isinstance(answer, list) else as_object(answer, "certificates").get("certificates")
            for summary in map(_read_summary, _loose.items(listed, "certificates")):
                found[summary.order_id] = summary.status
        return found

    def orders_with_status(self, status: str) -> tuple[OrderSummary, ...]:
        """Orders of one status, or of all that are listed, with names and dates (7.4): a bare array, also wrapped."""
        answer = self._client.read("GET", "/orders/", {"status": status} if status else {})
        listed = answer if isinstance(answer, list) else as_object(answer, "orders").get("orders")
        return tuple(map(_read_summary, _loose.items(listed, "orders")))

    def all_orders(self) -> tuple[OrderSummary, ...]:
        """Every order of every status that the vendor's paging reaches, without names (7.5)."""
        found: dict[int, OrderSummary] = {}
        for offset in range(0, LIST_LIMIT + 1, LIST_LIMIT):
            answer = self._read("GET", "/orders/ssl/all/", {"limit": LIST_LIMIT, "offset": offset})
            page = [_read_summary(item) for item in _loose.items(answer.get("orders"), "orders")]
            found.update((summary.order_id, summary) for summary in page)
            if len(page) < LIST_LIMIT:
                break
        return tuple(found.values())

    def unpaid_orders(self) -> list[dict[str, t.Any]]:
        """What has to be paid (7.6)."""
        listed = self._read("GET", "/orders/list/unpaid/").get("orders")
        return [
            {
                "order_id": _loose.identifier(item.get("id") or item.get("order_id"), "id"),
                "total": _loose.money(item.get("total_price"), "total_price"),
                "currency": _loose.text(item.get("currency"), "currency") or None,
                "date": _loose.iso(item.get("date"), "date"),
            }
            for item in _loose.items(listed, "orders")
        ]

    def order_invoice(self, order_id: int) -> dict[str, t.Any]:
        """The invoice of an order (3)."""
        return read_invoice(self._read("GET", f"/orders/invoice/{order_id}"))

    # Orders, acted on

    def place(self, request: OrderRequest) -> Receipt:
        """Buy (6.1)."""
        return _read_receipt(self._write("/orders/add_ssl_order/", purchase_fields(request)))

    def renew(self, request: OrderRequest) -> Receipt:
        """Buy the next term: a new order (6.2)."""
        return _read_receipt(self._write("/orders/add_ssl_renew_order/", purchase_fields(request)))

    def add_names(self, order_id: int, singles: int, wildcards: int) -> Receipt:
        """Buy room for more names in an order (6.3). `count` is the sum, as the vendor's own client sends it."""
        counts = {"single_san_count": singles, "wildcard_san_count": wildcards, "count": singles + wildcards}
        return _read_receipt(self._write("/orders/add_ssl_san_order/", {"order_id": order_id, **counts}))

    def reissue(self, order_id: int, request: OrderRequest) -> None:
        """Have a new certificate made within the paid term (6.5)."""
        self._write(f"/orders/ssl/reissue/{order_id}", certificate_fields(request))

    def cancel(self, order_id: int, reason: str) -> bool:
        """Ask for an order's cancellation (6.4); False if it had been asked for before."""
        try:
            self._write("/orders/cancel_ssl_order/", {"order_id": order_id, "reason": reason})
        except GogetsslError as error:
            if error.kind is Kind.REFUSED and "already" in error.message.lower():
                return False
            raise
        return True

    def change_methods(self, order_id: int, methods: t.Mapping[str, str]) -> None:
        """Change how names are validated, all of them in one call (8.5)."""
        fields = {"domains": ",".join(methods), "new_methods": ",".join(methods.values())}
        self._write(f"/orders/ssl/change_domains_validation_method/{order_id}", fields)

    def change_method(self, order_id: int, name: str, method: str) -> None:
        """Change how one name is validated (8.5)."""
        self._write(f"/orders/ssl/change_validation_method/{order_id}", {"domain": name, "new_method": method})

    def change_dcv(self, order_id: int, name: str, method: str) -> None:
        """The same by an older method, which knows no https (8.5)."""
        fields = {"domain_name": name, "new_method": _method_of(method)}
        approver = {"approver_email": method} if "@" in method else {}
        self._write(f"/orders/ssl/change_dcv/{order_id}", {**fields, **approver})

    def revalidate(self, order_id: int, name: str) -> None:
        """Have the CA look at a name's proof now (8.6)."""
        self._write(f"/orders/ssl/revalidate/{order_id}", {"domain": name})

    def change_email(self, order_id: int, address: str) -> None:
        """Have another approver asked about the common name (8.5)."""
        self._write(f"/orders/ssl/change_validation_email/{order_id}", {"approver_email": address})

    def resend(self, order_id: int, name: str) -> None:
        """Send the approver of one name the mail again (8.6)."""
        self._write(f"/orders/ssl/resend/{order_id}", {"domain": name})

    def resend_all(self, order_id: int) -> None:
        """Send all approvers of an order the mail again (8.6). Documented as a GET that acts, used by POST too."""
        self._act(f"/orders/ssl/resend_validation_email/{order_id}")

    def recheck_caa(self, order_id: int) -> None:
        """Have the authority look at the CAA records again, once in ten minutes (7.7). A GET that acts, or a POST."""
        self._act(f"/orders/ssl/recheck-caa/{order_id}")


def certificate_fields(request: OrderRequest) -> dict[str, str | int]:
    """The fields a purchase and a reissue share. `approver_emails` follows `dns_names` in count and order (6.1)."""
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
    """The fields of a purchase or renewal (6.1)."""
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


def read_order(answer: _loose.Object) -> Order:
    """An order of `orders/status` (7.1)."""
    common_name = _loose.text(answer.get("domain"), "domain").lower()
    return Order(
        order_id=_loose.identifier(answer.get("order_id"), "order_id"),
        status=read_status(answer.get("status")),
        product_id=_loose.integer_or_none(answer.get("product_id"), "product_id"),
        common_name=common_name,
        names=_read_names(answer, common_name),
        csr=_loose.pem(answer.get("csr_code"), "csr_code"),
        certificate=_loose.pem(answer.get("crt_code"), "crt_code"),
        chain=_loose.pem(answer.get("ca_code"), "ca_code"),
        valid_from=_loose.date(answer.get("valid_from"), "valid_from"),
        valid_till=_loose.date(answer.get("valid_till"), "valid_till"),
        begin_date=_loose.date(answer.get("begin_date"), "begin_date"),
        end_date=_loose.date(answer.get("end_date"), "end_date"),
        reissuing=_loose.flag(answer.get("reissue_now"), "reissue_now"),
        single_sans=_loose.integer_or_none(answer.get("single_san_count"), "single_san_count") or 0,
        wildcard_sans=_loose.integer_or_none(answer.get("wildcard_san_count"), "wildcard_san_count") or 0,
        proofs=_read_proofs(answer, common_name),
        manual_check=_loose.flag(answer.get("manual_check"), "manual_check"),
        pre_signing=_loose.flag(answer.get("pre_signing"), "pre_signing"),
        description=_read_description(answer),
    )


def read_status(value: t.Any) -> Status:
    """A known status; an unknown one is an error and never taken for a pending one (7.2)."""
    word = _loose.text(value, "status").lower()
    try:
        return Status(word)
    except ValueError:
        raise _loose.bad("status", word, "a known status") from None


def _read_names(answer: _loose.Object, common_name: str) -> tuple[str, ...]:
    """Common name first, then the additional names from `san` or, without it, from `domains`."""
    listed = [_loose.text(san.get("san_name"), "san_name") for san in _loose.items(answer.get("san"), "san")]
    listed = listed or _loose.text(answer.get("domains"), "domains").split(",")
    names = [common_name, *(name.strip().lower() for name in listed)]
    return tuple(dict.fromkeys(name for name in names if name))


def _read_proofs(answer: _loose.Object, common_name: str) -> tuple[Proof, ...]:
    """The proof of the common name and of each additional one."""
    if not common_name:
        return ()
    first = _proofs.read(
        common_name,
        answer.get("approver_method"),
        _loose.text(answer.get("dcv_method"), "dcv_method"),
        _loose.text(answer.get("approver_email"), "approver_email"),
        _proofs.state_of(answer.get("dcv_status"), "dcv_status"),
        _loose.text(answer.get("validation_description"), "validation_description"),
    )
    others = [
        _proofs.read(
            _loose.text(san.get("san_name"), "san_name").lower(),
            san.get("validation"),
            _loose.text(san.get("validation_method"), "validation_method"),
            "",
            _proofs.state_of(san.get("status"), "san.status"),
            _loose.text(san.get("status_description"), "san.status_description"),
        )
        for san in _loose.items(answer.get("san"), "san")
    ]
    return (first, *(proof for proof in others if proof.name != common_name))


def _read_description(answer: _loose.Object) -> str:
    fields = ("status_description", "validation_description", "admin_msg")
    words = [_loose.text(answer.get(field), field) for field in fields]
    return "; ".join(dict.fromkeys(word[:300] for word in words if word))


def _read_summary(item: _loose.Object) -> OrderSummary:
    common_name = _loose.text(item.get("common_name"), "common_name").lower()
    status = _loose.text(item.get("status"), "status").lower()
    return OrderSummary(
        order_id=_loose.identifier(item.get("order_id"), "order_id"),
        status=status,
        common_name=common_name or None,
        valid_from=_loose.date(item.get("valid_from"), "valid_from"),
        valid_till=_loose.date(item.get("valid_till") or item.get("expires"), "valid_till"),
    )


def _read_receipt(answer: _loose.Object) -> Receipt:
    """What a purchase's answer says; an answer without an order id leaves open whether there is an order."""
    try:
        order_id = _loose.identifier(answer.get("order_id"), "order_id")
    except GogetsslError:
        raise GogetsslError(
            "GoGetSSL accepted the purchase but gave no order id; whether an order exists is unknown.", Kind.UNCERTAIN
        ) from None
    try:
        amount = _loose.money(answer.get("order_amount"), "order_amount")
    except GogetsslError:
        amount = None  # the order exists: an odd price must not hide its id
    currency = answer.get("currency")
    return Receipt(order_id, amount, currency if isinstance(currency, str) else None)


def _method_of(approval: str) -> str:
    return "email" if "@" in approval else approval
