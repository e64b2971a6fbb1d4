# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading orders: one, many, and the three lists (API reference 7)."""

from __future__ import annotations

from typing import Any

from . import catalogue, errors, validation
from .backend import Backend, Call, date, money, row_id, typed
from .catalogue import Product
from .errors import ApiError
from .model import Order
from .ordering import split

_FILTERS = ("active", "processing", "expired", "rejected", "revoked")
_CONTACT = (
    "addressline1",
    "addressline2",
    "city",
    "country",
    "fax",
    "phone",
    "postalcode",
    "region",
    "email",
    "firstname",
    "lastname",
    "organization",
    "title",
)
# The documented list omits org_name and org_addressline1 (API reference 7.1).
_ECHOED = (
    *(f"admin_{part}" for part in _CONTACT),
    *(f"org_{part}" for part in ("addressline3", "city", "country", "fax", "phone", "postalcode", "region", "lei")),
    *(f"tech_{part}" for part in (*_CONTACT, "addressline3")),
)


def approver_method(backend: Backend, order: Order, product: Product) -> Any:
    """The validation of the common name, `[]` before the CA has one (API reference 1.6)."""
    if not order.paid_at or not order.names:
        return []
    return validation.instructions(order, product, order.names[0], backend.settings)


def san(backend: Backend, order: Order, product: Product, kind: str) -> list[dict[str, Any]]:
    return [
        {
            "san_name": name.name,
            "validation_method": name.method,
            "status": typed(2 if name.validated_at else 1, kind),
            "status_description": name.reason,
            "validation": validation.instructions(order, product, name, backend.settings) if order.paid_at else [],
        }
        for name in order.names[1:]
    ]


def status(call: Call, order_id: str) -> dict[str, Any]:
    order = call.backend.store.order(row_id(order_id))
    if order is None:
        raise ApiError("Order not found", f"The order {order_id} does not exist")
    backend, product = call.backend, catalogue.products()[order.product_id]
    body = _identity(backend, order) | _counts(order, product) | _dates(backend, order) | _certificate(backend, order)
    body |= _validation_fields(backend, order, product) | _marks(order)
    for name in _ECHOED:
        body[name] = order.fields.get(name, "")
    body |= {"ssl_price": money(order.net), "ssl_period": order.period, "success": True}
    return body | {"time_stamp": int(backend.now())}


def _identity(backend: Backend, order: Order) -> dict[str, Any]:
    kind = backend.settings.ids_in_reads
    return {
        "order_id": typed(order.id, kind),
        "partner_order_id": str(2_000_000_000 + order.id) if order.paid_at else "",
        "internal_id": str(order.id),
        "status": order.status,
        "status_description": _description(order),
        "product_id": typed(order.product_id, kind),
        "domain": order.common_name,
        "domains": ",".join(name.name for name in order.names),
    }


def _description(order: Order) -> str:
    if not order.in_work:
        return order.description
    if order.caa_blocked not in ("", "allowed"):
        return f"PRE-SIGN FAILED!!! {order.caa_blocked}"
    return "; ".join(name.reason for name in order.names if name.reason and not name.validated_at)


def _counts(order: Order, product: Product) -> dict[str, Any]:
    return {
        "total_domains": len(order.names),
        "base_domain_count": 1,
        "single_san_count": order.single_slots if product.multi else 0,
        "wildcard_san_count": order.wildcard_slots if product.multi else 0,
    }


def _dates(backend: Backend, order: Order) -> dict[str, Any]:
    return {
        "validity_period": order.period,
        "valid_from": date(backend, order.not_before),
        "valid_till": date(backend, order.not_after),
        "begin_date": date(backend, order.begin),
        "end_date": date(backend, order.end),
    }


def _certificate(backend: Backend, order: Order) -> dict[str, Any]:
    shown = order.status == "active" or backend.settings.csr_in_status == "always"
    return {"csr_code": order.csr if shown else "", "crt_code": order.crt, "ca_code": order.chain}


def _validation_fields(backend: Backend, order: Order, product: Product) -> dict[str, Any]:
    settings, first = backend.settings, order.names[0]
    since = max(order.paid_at, order.reissue_from)
    body: dict[str, Any] = {}
    ready = order.paid_at and backend.now() >= since + settings.instructions_delay
    if ready:
        body["approver_method"] = approver_method(backend, order, product)
    elif settings.empty_approver_method == "array":
        body["approver_method"] = []
    reasons = [f"{name.name}: {name.reason}" for name in order.names if name.reason and not name.validated_at]
    body |= {
        "dcv_status": 2 if first.validated_at else 1,
        "dcv_method": first.method,
        "approver_email": first.email,
        "approver_emails": ",".join(name.email or name.method for name in order.names[1:]),
        "validation_description": "; ".join(reasons),
        "san": [],
    }
    if backend.now() >= since + settings.san_instructions_delay:
        body["san"] = san(backend, order, product, settings.san_status_in_reads)
    return body


def _marks(order: Order) -> dict[str, Any]:
    return {
        "server_count": order.fields.get("server_count", "-1"),
        "reissue": int(order.reissued > 0),
        "reissue_now": int(order.reissuing),
        "renew": int(order.renewed),
        "webserver_type": order.fields.get("webserver_type", ""),
        "upgrade": 0,
        "manual_check": int(order.manual),
        "pre_signing": int(order.caa_blocked not in ("", "allowed")),
        "admin_msg": order.admin_msg,
        "free_ev_upgrade": 0,
        "codesigning_inviteurl": "",
    }


def statuses(call: Call) -> Any:
    """Unknown and repeated IDs are left out; only active orders have `expires` (API reference 7.3)."""
    backend = call.backend
    cids = dict.fromkeys(row_id(cid) for cid in split(call.need("cids")))
    if backend.settings.statuses_max and len(cids) > backend.settings.statuses_max:
        raise ApiError("Wrong cids", f"At most {backend.settings.statuses_max} orders can be requested")
    rows = []
    for cid in cids:
        order = backend.store.order(cid)
        if order:
            row: dict[str, Any] = {"order_id": typed(order.id, backend.settings.ids_in_reads), "status": order.status}
            if order.status == "active":
                row["expires"] = date(backend, order.not_after)
            rows.append(row)
    if backend.settings.statuses_shape == "array":
        return rows
    return {"certificates": rows, "success": True, "time_stamp": int(backend.now())}


def _latest_listed(backend: Backend) -> float:
    """Creation time of the newest listed order: the setting `list_delay` keeps newer orders out of the lists."""
    return backend.now() - backend.settings.list_delay


def common_details(call: Call) -> Any:
    backend, status_filter = call.backend, call.text("status").lower()
    filters = _FILTERS if backend.settings.revoked_filter else _FILTERS[:-1]
    if status_filter and status_filter not in filters:
        raise ApiError(errors.UNSUPPORTED_STATUS)
    found = backend.store.orders_in((status_filter,)) if status_filter else backend.store.orders()
    rows = [_row(backend, order) for order in found if order.created <= _latest_listed(backend)]
    return {"orders": rows, "success": True} if backend.settings.orders_shape == "object" else rows


def _row(backend: Backend, order: Order) -> dict[str, Any]:
    return {
        "order_id": typed(order.id, backend.settings.ids_in_reads),
        "status": order.status,
        "valid_from": date(backend, order.not_before),
        "valid_till": date(backend, order.not_after),
        "common_name": order.common_name,
    }


def all_orders(call: Call) -> dict[str, Any]:
    """Limit and offset are capped (API reference 7.5). The sorting and the handling of invalid values are not known."""
    settings = call.backend.settings
    limit = min(row_id(call.text("limit")) or 100, settings.list_limit_max)
    offset = min(row_id(call.text("offset")), settings.list_offset_max)
    listed = call.backend.store.order_states(_latest_listed(call.backend))
    page = (listed if settings.list_newest_first else listed[::-1])[offset : offset + limit]
    rows = [{"order_id": typed(i, settings.ids_in_reads), "status": state} for i, state in page]
    return {"orders": rows, "limit": limit, "offset": offset, "count": len(rows), "success": True}


def unpaid(call: Call) -> dict[str, Any]:
    """The unpaid orders; the key is `id`, not `order_id` (API reference 7.6)."""
    backend, rows = call.backend, []
    for item in backend.store.invoices():
        if item.status == "unpaid" and item.created <= _latest_listed(backend):
            rows.append(
                {
                    "id": typed(item.order_id, backend.settings.ids_in_reads),
                    "total_price": money(item.net + item.tax),
                    "currency": item.currency,
                    "date": date(backend, item.created),
                }
            )
    return {"orders": rows, "success": True}
