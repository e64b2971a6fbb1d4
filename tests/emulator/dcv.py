# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing and poking proofs of control (API reference 8.5 and 8.6)."""

from __future__ import annotations

import re
from typing import Any

from . import catalogue, csrs, lifecycle, ordering, outbox, proofs, worker
from .catalogue import Product
from .errors import ApiError
from .model import Name, Order
from .orders import wanted_order
from .world import Call

_NESTED = re.compile(r"san_approval\[([^\]]+)\]\[(name|method)\]")


def _order_in_work(call: Call, order_id: str) -> tuple[Order, Product]:
    order = wanted_order(call, order_id)
    if not order.in_work:
        raise ApiError("Action is not possible", f"The order is in status {order.status}")
    return order, catalogue.products()[order.product_id]


def _lock(call: Call, order: Order, what: str, seconds: float) -> None:
    """Exact wording not known beyond its beginning and one sign at its end (API reference 1.7)."""
    left = order.locks.get(what, 0.0) - call.world.now()
    if left > 0:
        raise ApiError(f"Function is locked for {int(left) + 1} seconds.")
    if seconds:
        order.locks[what] = call.world.now() + seconds


def _wanted_name(order: Order, text: str) -> Name:
    wish = csrs.ascii_name(text)
    for name in order.names:
        if name.name == wish:
            return name
    raise ApiError("Wrong domain", f"The domain {text} does not belong to the order {order.id}")


def _switch(call: Call, order: Order, product: Product, changes: list[tuple[Name, str]]) -> None:
    """All changes are checked before the first is made. A proof already accepted stays accepted."""
    wishes = [(name, ordering.proof_of(name.name, wish)) for name, wish in changes]
    for _unused, wish in wishes:
        ordering.check_proof(call, product, wish)
    after = {id(name): wish.method for name, wish in wishes}
    methods = {after.get(id(name), name.method) for name in order.names}
    if len(methods) > 1 and not product.sectigo and call.world.settings.digicert_mixed == "refuse":
        raise ApiError("Wrong new_method", "All domains of this product must use one validation method")
    for name, wish in wishes:
        name.method, name.email, name.reason = wish.method, wish.email, ""
        outbox.send(call.world, order, name)


def _done(call: Call, order: Order, message: str) -> dict[str, Any]:
    worker.poke(call.world, order)
    lifecycle.consider(call.world, order, call.world.now())
    call.world.store.save_order(order)
    return {"message": message, "success": True}


def change_method(call: Call, order_id: str) -> dict[str, Any]:
    order, product = _order_in_work(call, order_id)
    name = _wanted_name(order, call.need("domain"))
    _lock(call, order, f"change {name.name}", call.world.settings.change_lock_seconds)
    _switch(call, order, product, [(name, call.need("new_method"))])
    return _done(call, order, "Validation method has been changed")


def change_methods(call: Call, order_id: str) -> dict[str, Any]:
    order, product = _order_in_work(call, order_id)
    domains, methods = ordering.split(call.need("domains")), ordering.split(call.need("new_methods"))
    if len(domains) != len(methods):
        raise ApiError("Wrong new_methods", "The lists domains and new_methods must be of the same length")
    changes = [(_wanted_name(order, domain), method) for domain, method in zip(domains, methods, strict=True)]
    for name, _unused in changes:
        _lock(call, order, f"change {name.name}", call.world.settings.change_lock_seconds)
    _switch(call, order, product, changes)
    return _done(call, order, "Validation methods have been changed")


def change_email(call: Call, order_id: str) -> dict[str, Any]:
    """Despite its name it takes every method, for the common name and for Sectigo's SANs."""
    order, product = _order_in_work(call, order_id)
    first = order.names[0]
    changes = [(first, call.need("approver_email"))]
    if product.sectigo:
        changes += [(_wanted_name(order, name), method) for name, method in _nested(call)]
    _lock(call, order, f"change {first.name}", call.world.settings.change_lock_seconds)
    _switch(call, order, product, changes)
    done = {"success_message": "Validation email has been changed", "success": True}
    _done(call, order, "")
    if first.method == "email":
        return {"dcv_method": "email", "approver_email": first.email, **done}
    return proofs.instructions(order, product, first, call.world.settings) | done


def _nested(call: Call) -> list[tuple[str, str]]:
    """PHP's san_approval[0][name] and san_approval[0][method]; the key may be any word."""
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
    name = _wanted_name(order, call.need("domain_name"))
    method = call.need("new_method").lower()
    if method not in ("email", "http", "dns"):
        raise ApiError("Wrong new_method", f"The validation method {method} is not supported")
    wish = call.need("approver_email") if method == "email" else method
    _lock(call, order, f"change {name.name}", call.world.settings.change_lock_seconds)
    _switch(call, order, product, [(name, wish)])
    _done(call, order, "")
    return {
        "product_id": order.product_id,
        "validation": proofs.instructions(order, product, name, call.world.settings),
        "success_message": "Validation method has been changed",
        "success": True,
    }


def revalidate(call: Call, order_id: str) -> dict[str, Any]:
    """One domain, or all of them when none is named (API reference 8.6). The look itself happens at once, beside."""
    order, _unused = _order_in_work(call, order_id)
    domain = call.text("domain")
    if domain:
        _wanted_name(order, domain)
    _lock(call, order, f"revalidate {domain}", call.world.settings.revalidate_lock_seconds)
    return _done(call, order, "Revalidation has been started")


def resend(call: Call, order_id: str) -> dict[str, Any]:
    order, _unused = _order_in_work(call, order_id)
    name = _wanted_name(order, call.need("domain"))
    if not outbox.send(call.world, order, name):
        raise ApiError("Validation email cannot be sent", f"The domain {name.name} does not wait for an email")
    return {"message": "Validation email has been sent", "success": True}


def resend_all(call: Call, order_id: str) -> dict[str, Any]:
    order, _unused = _order_in_work(call, order_id)
    if not outbox.send_all(call.world, order):
        raise ApiError("Validation email cannot be sent", "The order does not wait for an email")
    return {"message": "Validation email has been sent", "success": True}


def recheck_caa(call: Call, order_id: str) -> dict[str, Any]:
    """Once in ten minutes (API reference 7.7)."""
    order, product = _order_in_work(call, order_id)
    if not product.sectigo:
        raise ApiError("CAA recheck is not possible", f"The product {product.name} does not support it")
    _lock(call, order, "caa", call.world.settings.caa_recheck_seconds)
    order.caa_blocked = ""
    return _done(call, order, "CAA recheck has been started")
