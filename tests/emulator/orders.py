# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buying, renewing, extending, reissuing and cancelling orders (API reference 6)."""

from __future__ import annotations

from typing import Any

from . import billing, catalogue, errors, lifecycle, ordering, outbox, reading
from .account import tax_rate
from .backend import DAY, Backend, Call, money, number, row_id, typed
from .catalogue import Product
from .errors import ApiError
from .model import Invoice, Order
from .products import find_product


def add(call: Call) -> dict[str, Any]:
    return _place(call, kind="buy")


def renew(call: Call) -> dict[str, Any]:
    """A new order. No field refers to the original order, which remains unchanged (API reference 6.2)."""
    return _place(call, kind="renew")


def _place(call: Call, kind: str) -> dict[str, Any]:
    product = find_product(call.need("product_id"))
    order = _checked_order(call, product)
    original = _original(call, product, order) if kind == "renew" else None
    if call.text("only_validate").lower() in ("true", "1") or call.text("test").upper() == "Y":
        # Only the names are documented: assumed to be a dry run (API reference 6.1).
        return {"success": True, "message": "The request is valid"}
    if original:
        _renew(call, order, original)
    call.backend.store.use_code(order.unique)
    order.id = billing.next_order_id(call.backend)
    order.kind = kind
    bill = billing.Bill(order.id, product.id, product.name, order.period, order.net, kind)
    invoice, paid = billing.charge(call.backend, bill)
    if paid:
        begin(call.backend, order)
    else:
        order.status = "unpaid"
        order.deadline = call.backend.now() + call.backend.settings.unpaid_cancel_days * DAY
    call.backend.store.save_order(order)
    return _placed(call, order, product, invoice)


def begin(backend: Backend, order: Order) -> None:
    lifecycle.start(backend, order, backend.now())
    outbox.send_all(backend, order)
    backend.wake.set()


def _checked_order(call: Call, product: Product) -> Order:
    if product.code_signing:
        raise ApiError("Wrong product_id", "Code signing orders are not emulated")
    period = call.number("period")
    if period not in product.periods:
        raise ApiError(errors.INVALID_PERIOD)
    csr = ordering.checked_csr(call)
    ordering.check_server(call, product)
    names = ordering.names(call, product, csr)
    wildcards = sum(name.name.startswith("*.") for name in names[1:])
    singles = len(names) - 1 - wildcards
    order = Order(
        id=0,
        product_id=product.id,
        created=call.backend.now(),
        period=period,
        csr=call.text("csr"),
        names=names,
        unique="",
        fields=ordering.fields(call, product),
        net=product.order_price(period, singles, wildcards),
        single_slots=max(singles, product.san_in),
        wildcard_slots=max(wildcards, product.wsan_in),
    )
    order.unique = ordering.unique_code(call, product)
    return order


def _original(call: Call, product: Product, order: Order) -> Order:
    """The order to renew, found by its common name, since the form has no field for it."""
    now, window = call.backend.now(), call.backend.settings.renewal_window_days * DAY
    if product.code_signing or product.trial:
        raise ApiError("The product cannot be renewed")
    originals = [
        found
        for found in call.backend.store.orders_in(("active", "expired"))
        if found.common_name == order.common_name and catalogue.products()[found.product_id].brand == product.brand
    ]
    if not originals:
        raise ApiError("The order cannot be renewed", f"There is no order for {order.common_name} to renew")
    original = max(originals, key=lambda found: found.end)
    if original.end - now > window:
        days = call.backend.settings.renewal_window_days
        raise ApiError("The order cannot be renewed", f"Renewal is possible {days} days before expiration")
    return original


def _renew(call: Call, order: Order, original: Order) -> None:
    """Mark the original as renewed and add its remaining days to the new order."""
    now = call.backend.now()
    original.renewed = True
    call.backend.store.save_order(original)
    order.renewal_of = original.id
    if call.backend.settings.renewal_adds_days:
        order.extra_seconds = max(0, int((original.end - now) // DAY)) * DAY


def _money_fields(invoice: Invoice) -> dict[str, Any]:
    return {
        "order_amount": number(invoice.net),
        "currency": invoice.currency,
        "tax": money(invoice.tax),
        "tax_rate": tax_rate(invoice.tax_percent),
    }


def _placed(call: Call, order: Order, product: Product, invoice: Invoice) -> dict[str, Any]:
    settings = call.backend.settings
    body: dict[str, Any] = {"product_id": typed(product.id, settings.ids_in_writes)}
    if order.paid_at and not settings.instructions_delay:
        body["approver_method"] = reading.approver_method(call.backend, order, product)
    body |= {
        "order_id": typed(order.id, settings.ids_in_writes),
        "invoice_id": typed(invoice.id, settings.ids_in_writes),
        # "active" is the status of the purchase, not of the certificate (API reference 6.1).
        "order_status": settings.fresh_order_status if order.paid_at else "unpaid",
        "success": True,
    }
    if order.paid_at and product.multi:
        body["san"] = reading.san(call.backend, order, product, settings.san_status_in_writes)
    return body | _money_fields(invoice)


def find_order(call: Call, order_id: str) -> Order:
    found = call.backend.store.order(row_id(order_id))
    if found is None:
        # Text not known (API reference 14).
        raise ApiError("Order not found", f"The order {order_id} does not exist")
    return found


def add_sans(call: Call) -> dict[str, Any]:
    """Buy SAN slots, which a reissue fills (API reference 6.3). `count` is the old name of the single slots."""
    order = find_order(call, call.need("order_id"))
    product = catalogue.products()[order.product_id]
    if not product.multi:
        raise ApiError(errors.NO_SANS.format(product=product.name))
    wildcards = call.number("wildcard_san_count", 0)
    given = call.text("single_san_count")
    singles = call.number("single_san_count") if given else max(0, call.number("count", 0) - wildcards)
    if singles < 0 or wildcards < 0 or singles + wildcards == 0:
        raise ApiError("Wrong count", "The number of SAN`s must be greater than zero")
    if wildcards and not product.wildcard_sans:
        raise ApiError("Wrong wildcard_san_count", f"The product {product.name} does not support wildcard SAN`s")
    if order.single_slots + order.wildcard_slots + singles + wildcards > product.san_max:
        raise ApiError("Wrong count", f"The product {product.name} supports at most {product.san_max} SAN`s")
    if order.status not in ("active", "processing", "reissue"):
        raise ApiError("SAN`s cannot be added", f"The order is in status {order.status}")
    net = singles * product.san_price(order.period) + wildcards * product.wildcard_san_price(order.period)
    bill = billing.Bill(order.id, product.id, f"{product.name} SAN", order.period, net, "san")
    invoice, paid = billing.charge(call.backend, bill)
    if paid:
        order.single_slots += singles
        order.wildcard_slots += wildcards
        call.backend.store.save_order(order)
    kind = call.backend.settings.ids_in_writes
    return {
        "invoice_id": typed(invoice.id, kind),
        "order_id": typed(order.id, kind),
        "order_status": order.status if paid else "unpaid",
        "success": True,
        **_money_fields(invoice),
    }


def reissue(call: Call, order_id: str) -> dict[str, Any]:
    """A new certificate in the same order and term, only while the order is active (API reference 6.5)."""
    order = find_order(call, order_id)
    product = catalogue.products()[order.product_id]
    if order.status != "active":
        raise ApiError("Reissue is not possible", f"The order is in status {order.status}, only active can be reissued")
    csr = ordering.checked_csr(call)
    if call.text("webserver_type"):
        order.fields["webserver_type"] = call.text("webserver_type")
    names = ordering.names(call, product, csr)
    if names[0].name != order.common_name and not product.sectigo:
        raise ApiError("Common name cannot be changed", f"The Common Name must stay {order.common_name}")
    wildcards = sum(name.name.startswith("*.") for name in names[1:])
    singles = len(names) - 1 - wildcards
    extra = max(0, singles - order.single_slots) + max(0, wildcards - order.wildcard_slots)
    price = _pay_extra(call, order, product, singles, wildcards) if extra else 0
    unique = ordering.unique_code(call, product)
    now = call.backend.now()
    _reuse(call.backend, order, names, now)
    call.backend.store.use_code(unique)
    order.csr, order.names, order.unique = call.text("csr"), names, unique
    order.reissuing, order.reissue_from, order.status = True, now, call.backend.settings.reissue_status
    order.caa_blocked, order.next_check, order.ready_at = "", now, 0.0
    if not call.backend.settings.reissue_keeps_crt:
        order.crt = order.chain = ""
    outbox.send_all(call.backend, order)
    lifecycle.consider(call.backend, order, now)
    call.backend.store.save_order(order)
    call.backend.wake.set()
    return _reissued(call, order, product, extra, price)


def _pay_extra(call: Call, order: Order, product: Product, singles: int, wildcards: int) -> int:
    """Refuse more names than slots or, depending on a setting, charge them like a SAN order (API reference 6.5)."""
    single_slots, wildcard_slots = max(singles, order.single_slots), max(wildcards, order.wildcard_slots)
    net = product.order_price(order.period, single_slots, wildcard_slots)
    net -= product.order_price(order.period, order.single_slots, order.wildcard_slots)
    if call.backend.settings.reissue_extra_names == "refuse" or not product.multi:
        raise ApiError(
            "Wrong dns_names", f"The order has {order.single_slots} single and {order.wildcard_slots} wildcard SAN`s"
        )
    if int(call.backend.store.meta("balance")) < net + billing.tax(call.backend, net):
        raise ApiError("Insufficient balance", "You do not have enough balance to add SAN`s")
    billing.charge(call.backend, billing.Bill(order.id, product.id, f"{product.name} SAN", order.period, net, "san"))
    order.single_slots, order.wildcard_slots = single_slots, wildcard_slots
    return net


def _reuse(backend: Backend, order: Order, names: list[Any], now: float) -> None:
    """Keep validations that are younger than the setting `dcv_reuse_days` (API reference 9.3)."""
    oldest = now - backend.settings.dcv_reuse_days * DAY
    reusable = {name.name: name.validated_at for name in order.names if name.validated_at > oldest}
    for name in names:
        name.validated_at = reusable.get(name.name, 0.0) if backend.settings.dcv_reuse_days else 0.0


def _reissued(call: Call, order: Order, product: Product, extra: int, price: int) -> dict[str, Any]:
    settings = call.backend.settings
    validation = reading.approver_method(call.backend, order, product)
    return {
        "product_id": typed(product.id, settings.ids_in_writes),
        "order_id": typed(order.id, settings.ids_in_writes),
        "order_status": "reissue",
        "validation": [] if order.names[0].method == "email" else validation,
        "approvalEmails": [name.email for name in order.names if name.method == "email"],
        "additional_domains_count": extra,
        "additional_domains_price": number(price),
        "success": True,
    }


def cancel(call: Call) -> dict[str, Any]:
    """Request a cancellation. The order remains unchanged until the review (API reference 6.4)."""
    order = find_order(call, call.need("order_id"))
    if order.status == "cancelled" or order.cancel_at:
        raise ApiError("Order already in cancelled state", "This order is already in cancelled state")
    if order.status in ("expired", "rejected"):
        raise ApiError("Order cannot be cancelled", f"The order is in status {order.status}")
    order.cancel_reason = call.need("reason")
    order.cancel_at = call.backend.now() + max(call.backend.settings.cancel_review_hours * 3600, 0.001)
    call.backend.store.save_order(order)
    shape = call.backend.settings.cancel_shape
    body: dict[str, Any] = {}
    if shape in ("all", "order_id"):
        body["order_id"] = typed(order.id, call.backend.settings.ids_in_writes)
    if shape in ("all", "message"):
        body["message"] = "Cancellation request has been sent"
    return {**body, "success": True}


def claim_free_ev(call: Call, order_id: str) -> dict[str, Any]:
    """Always refused: the upgrade ended years ago, and no product has claim_ev_enabled."""
    find_order(call, order_id)
    raise ApiError("Free EV is not available", "The product does not support the free EV upgrade")


def activate(call: Call, order_id: str) -> dict[str, Any]:
    """Undocumented (API reference 2, no. 48): assumed to submit a paid order to the CA, which is automatic here."""
    order = find_order(call, order_id)
    if not order.paid_at:
        raise ApiError("Order is not paid", "The order must be paid before activation")
    return {
        "order_id": typed(order.id, call.backend.settings.ids_in_writes),
        "order_status": order.status,
        "success": True,
    }
