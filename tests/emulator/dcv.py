# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing and repeating domain control validation (API reference 8.5 and 8.6)."""

from __future__ import annotations

import re
from typing import Any

from . import catalogue, csrs, lifecycle, ordering, outbox, validation, worker
from .backend import Call
from .catalogue import Product
from .errors import ApiError
from .model import Name, Order
from .orders import find_order

_NESTED = re.compile(r"san_approval\[([^\]]+)\]\[(name|method)\]")


def _order_in_work(call: Call, order_id: str) -> tuple[Order, Product]:
    order = find_order(call, order_id)
    if not order.in_work:
        raise ApiError("Action is not possible", f"The order is in status {order.status}")
    return order, catalogue.products()[order.product_id]


def _lock(call: Call, order: Order, what: str, seconds: float) -> None:
    """Refuse a call within the lock time. Only the beginning and the end of the text are known (API reference 1.7)."""
    left = order.locks.get(what, 0.0) - call.backend.now()
    if left > 0:
        raise ApiError(f"Function is locked for {int(left) + 1} seconds.")
    if seconds:
        order.locks[what] = call.backend.now() + seconds


def _find_name(order: Order, text: str) -> Name:
    wanted = csrs.ascii_name(text)
    for name in order.names:
        if name.name == wanted:
            return name
    raise ApiError("Wrong domain", f"The domain {text} does not belong to the order {order.id}")


def _switch(call: Call, order: Order, product: Product, changes: list[tuple[Name, str]]) -> None:
    """Check all changes, then apply them. A name that is validated remains validated."""
    requested = [(name, ordering.requested_validation(name.name, choice)) for name, choice in changes]
    for _unused, new in requested:
        ordering.check_method(call, product, new)
    after = {id(name): new.method for name, new in requested}
    methods = {after.get(id(name), name.method) for name in order.names}
    if len(methods) > 1 and not product.sectigo and call.backend.settings.digicert_mixed == "refuse":
        raise ApiError("Wrong new_method", "All domains of this product must use one validation method")
    for name, new in requested:
        name.method, name.email, name.reason = new.method, new.email, ""
        outbox.send(call.backend, order, name)


def _done(call: Call, order: Order, message: str) -> dict[str, Any]:
    worker.validate_now(call.backend, order)
    lifecycle.consider(call.backend, order, call.backend.now())
    call.backend.store.save_order(order)
    return {"message": message, "success": True}


def change_method(call: Call, order_id: str) -> dict[str, Any]:
    order, product = _order_in_work(call, order_id)
    name = _find_name(order, call.need("domain"))
    _lock(call, order, f"change {name.name}", call.backend.settings.change_lock_seconds)
    _switch(call, order, product, [(name, call.need("new_method"))])
    return _done(call, order, "Validation method has been changed")


def change_methods(call: Call, order_id: str) -> dict[str, Any]:
    order, product = _order_in_work(call, order_id)
    domains, methods = ordering.split(call.need("domains")), ordering.split(call.need("new_methods"))
    if len(domains) != len(methods):
        raise ApiError("Wrong new_methods", "The lists domains and new_methods must be of the same length")
    changes = [(_find_name(order, domain), method) for domain, method in zip(domains, methods, strict=True)]
    for name, _unused in changes:
        _lock(call, order, f"change {name.name}", call.backend.settings.change_lock_seconds)
    _switch(call, order, product, changes)
    return _done(call, order, "Validation methods have been changed")


def change_email(call: Call, order_id: str) -> dict[str, Any]:
    """Despite its name it accepts every method, for the common name and for Sectigo's SANs."""
    order, product = _order_in_work(call, order_id)
    first = order.names[0]
    changes = [(first, call.need("approver_email"))]
    if product.sectigo:
        changes += [(_find_name(order, name), method) for name, method in _nested(call)]
    _lock(call, order, f"change {first.name}", call.backend.settings.change_lock_seconds)
    _switch(call, order, product, changes)
    done = {"success_message": "Validation email has been changed", "success": True}
    _done(call, order, "")
    if first.method == "email":
        return {"dcv_method": "email", "approver_email": first.email, **done}
    return validation.instructions(order, product, first, call.backend.settings) | done


def _nested(call: Call) -> list[tuple[str, str]]:
    """The pairs in PHP's san_approval[KEY][name] and san_approval[KEY][method]; KEY is arbitrary."""
    groups: dict[str, dict[str, str]] = {}
    for key, value in call.form.items():
        match = _NESTED.fullmatch(key)
        if match:
            groups.setdefault(match[1], {})[match[2]] = value.strip()
    for group in groups.values():
        if set(group) != {"name", "method"}:
            raise ApiError("Wrong san_approval", "Each san_approval needs a name and a method")
    return [(group["name"], group["method"]) for group in groups.values()]


def change_dcv(call: Call, order_id: str) -> dict[str, Any]:
    order, product = _order_in_work(call, order_id)
    name = _find_name(order, call.need("domain_name"))
    method = call.need("new_method").lower()
    if method not in ("email", "http", "dns"):
        raise ApiError("Wrong new_method", f"The validation method {method} is not supported")
    choice = call.need("approver_email") if method == "email" else method
    _lock(call, order, f"change {name.name}", call.backend.settings.change_lock_seconds)
    _switch(call, order, product, [(name, choice)])
    _done(call, order, "")
    return {
        "product_id": order.product_id,
        "validation": validation.instructions(order, product, name, call.backend.settings),
        "success_message": "Validation method has been changed",
        "success": True,
    }


def revalidate(call: Call, order_id: str) -> dict[str, Any]:
    """Validate one domain, or all if none is given (API reference 8.6), at once and in the background."""
    order, _unused = _order_in_work(call, order_id)
    domain = call.text("domain")
    if domain:
        _find_name(order, domain)
    _lock(call, order, f"revalidate {domain}", call.backend.settings.revalidate_lock_seconds)
    return _done(call, order, "Revalidation has been started")


def resend(call: Call, order_id: str) -> dict[str, Any]:
    order, _unused = _order_in_work(call, order_id)
    name = _find_name(order, call.need("domain"))
    if not outbox.send(call.backend, order, name):
        raise ApiError("Validation email cannot be sent", f"The domain {name.name} does not wait for an email")
    return {"message": "Validation email has been sent", "success": True}


def resend_all(call: Call, order_id: str) -> dict[str, Any]:
    order, _unused = _order_in_work(call, order_id)
    if not outbox.send_all(call.backend, order):
        raise ApiError("Validation email cannot be sent", "The order does not wait for an email")
    return {"message": "Validation email has been sent", "success": True}


def recheck_caa(call: Call, order_id: str) -> dict[str, Any]:
    """Check CAA again, at most once in ten minutes (API reference 7.7)."""
    order, product = _order_in_work(call, order_id)
    if not product.sectigo:
        raise ApiError("CAA recheck is not possible", f"The product {product.name} does not support it")
    _lock(call, order, "caa", call.backend.settings.caa_recheck_seconds)
    order.caa_blocked = ""
    return _done(call, order, "CAA recheck has been started")
