# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's own API under /_emulator: what a test reads and turns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import flask

from . import ca, catalogue, lifecycle, outbox
from .billing import pay
from .model import OPEN, Order
from .orders import begin
from .world import DAY, World, date, number

View = Callable[..., Any]


def create(world: World) -> flask.Blueprint:
    blueprint = flask.Blueprint("control", __name__)
    views: list[tuple[str, str, View]] = [
        ("GET", "/health", lambda: {"ok": True}),
        ("GET", "/ledger", lambda: ledger(world)),
        ("GET", "/requests", lambda: {"requests": list(world.requests)}),
        ("DELETE", "/requests", lambda: _clear_requests(world)),
        ("POST", "/requests/reset", lambda: _clear_requests(world)),
        ("GET", "/clock", lambda: _clock(world)),
        ("POST", "/clock", lambda: _advance(world)),
        ("GET", "/settings", lambda: _settings(world)),
        ("POST", "/settings", lambda: _change_settings(world)),
        ("GET", "/faults", lambda: {"faults": world.faults.report()}),
        ("POST", "/faults", lambda: _add_faults(world)),
        ("DELETE", "/faults", lambda: _clear_faults(world)),
        ("POST", "/reset", lambda: _reset(world)),
        ("GET", "/outbox", lambda: {"mails": [dataclasses.asdict(mail) for mail in world.store.mails()]}),
        ("POST", "/outbox", lambda: _approve(world)),
        ("POST", "/keys/expire", lambda: _expire_keys(world)),
        ("GET", "/orders/<int:order_id>", lambda order_id: _order(world, order_id)),
        ("POST", "/orders/<int:order_id>", lambda order_id: _force(world, order_id)),
    ]
    for verb, path, view in views:
        blueprint.add_url_rule(path, f"{verb} {path}", view, methods=[verb])
    blueprint.add_url_rule("/ca/<name>", "ca", lambda name: _certificate(world, name))
    blueprint.register_error_handler(ValueError, lambda error: ({"error": str(error)}, 400))
    blueprint.before_request(lambda: _settle(world))
    return blueprint


def _settle(world: World) -> None:
    with world.store.transaction():
        lifecycle.settle(world)


def _body() -> Any:
    body = flask.request.get_json(force=True, silent=True)
    if body is None:
        raise ValueError("the body must be JSON")
    return body


def _dict_body() -> dict[str, Any]:
    body = _body()
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def ledger(world: World) -> dict[str, Any]:
    """`amount` of an order is its net price, of a charge what left the balance, tax included."""
    with world.store.transaction():
        orders = [_ledger_row(world, order) for order in world.store.orders()]
        charges = [
            {"order_id": order_id, "kind": kind, "amount": number(cents), "time": created}
            for order_id, kind, cents, created in world.store.charges()
        ]
        return {"balance": number(int(world.store.meta("balance"))), "orders": orders, "charges": charges}


def _ledger_row(world: World, order: Order) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "product_id": order.product_id,
        "common_name": order.common_name,
        "names": [name.name for name in order.names],
        "status": order.status,
        "amount": number(order.net),
        "paid": bool(order.paid_at),
        "kind": order.kind,
        "created": order.created,
        "begin_date": date(world, order.begin),
        "end_date": date(world, order.end),
        "valid_till": date(world, order.not_after),
        "cancel_requested": bool(order.cancel_at),
        "serials": order.serials,
        "csr_code": order.csr,
        "unique_code": order.unique,
    }


def _clear_requests(world: World) -> dict[str, Any]:
    world.requests.clear()
    return {"requests": []}


def _clock(world: World) -> dict[str, Any]:
    return {"now": world.now(), "date": date(world, world.now())}


def _advance(world: World) -> dict[str, Any]:
    body = _dict_body()
    unknown = set(body) - {"advance_days", "advance_seconds"}
    if unknown or not all(isinstance(value, int | float) for value in body.values()):
        raise ValueError("the clock takes advance_days and advance_seconds, both numbers")
    world.advance(body.get("advance_days", 0) * DAY + body.get("advance_seconds", 0))
    _settle(world)
    world.wake.set()
    return _clock(world)


def _settings(world: World) -> dict[str, Any]:
    balance = number(int(world.store.meta("balance")))
    return {**dataclasses.asdict(world.settings), "balance": balance}


def _change_settings(world: World) -> dict[str, Any]:
    """`balance` is no setting but money; it is taken here because it is changed for the same reason."""
    values = _dict_body()
    balance = values.pop("balance", None)
    if balance is not None and (isinstance(balance, bool) or not isinstance(balance, int | float)):
        raise ValueError("the balance must be a number")
    world.change_settings(values)
    with world.store.transaction():
        if balance is not None:
            world.store.set_meta("balance", round(balance * 100))
        for order in world.store.orders_in(OPEN):
            lifecycle.consider(world, order, world.now())
            world.store.save_order(order)
    world.wake.set()
    return _settings(world)


def _add_faults(world: World) -> dict[str, Any]:
    body = _body()
    items = [body] if isinstance(body, dict) else body
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("the body must be a list of faults")
    world.faults.add(items)
    return {"faults": world.faults.report()}


def _clear_faults(world: World) -> dict[str, Any]:
    world.faults.clear()
    return {"faults": []}


def _reset(world: World) -> dict[str, Any]:
    """With {"settings": true} the settings go back to their defaults as well."""
    body = flask.request.get_json(force=True, silent=True) or {}
    if body.get("settings"):
        world.reset_settings()
    world.reset()
    return {"ok": True}


def _approve(world: World) -> dict[str, Any]:
    """By mail id, domain, order or all: {"approve": 3 | "www.example.com" | "all"} or {"order_id": 783956}."""
    body = _dict_body()
    wish, order_id = body.get("approve"), body.get("order_id")
    approved = []
    with world.store.transaction():
        for mail in world.store.mails():
            fits = wish in (mail.id, mail.domain, mail.code, "all") or order_id == mail.order_id
            if fits and not mail.approved:
                outbox.approve(world, mail)
                approved.append(mail.id)
    if not approved:
        raise ValueError("no waiting mail fits")
    return {"approved": approved}


def _expire_keys(world: World) -> dict[str, Any]:
    with world.store.transaction():
        return {"expired": world.store.expire_keys()}


def _wanted(world: World, order_id: int) -> Order:
    order = world.store.order(order_id)
    if order is None:
        raise ValueError(f"there is no order {order_id}")
    return order


def _order(world: World, order_id: int) -> dict[str, Any]:
    order = _wanted(world, order_id)
    product = catalogue.products()[order.product_id]
    return {**dataclasses.asdict(order), "product": product.name, "created_date": date(world, order.created)}


def _force(world: World, order_id: int) -> dict[str, Any]:
    """{"action": "pass" | "reject" | "pay" | "cancel" | "expire" | "validate" | "revoke" | "hold"} or
    {"status": "...", "description": "..."} to set any status at all."""
    body = _dict_body()
    with world.store.transaction():
        order = _wanted(world, order_id)
        action = body.get("action")
        if action:
            if action not in _ACTIONS:
                raise ValueError(f"the action is one of {', '.join(_ACTIONS)}")
            _ACTIONS[action](world, order)
        if "status" in body:
            order.status = str(body["status"])
        if "description" in body:
            order.description = order.admin_msg = str(body["description"])
        world.store.save_order(order)
    world.wake.set()
    return _order(world, order_id)


def _pass(world: World, order: Order) -> None:
    order.manual = False
    lifecycle.consider(world, order, world.now())


def _hold(world: World, order: Order) -> None:
    order.manual, order.ready_at = True, 0.0


def _validate(world: World, order: Order) -> None:
    for name in order.names:
        name.validated_at, name.reason = world.now(), ""
    lifecycle.consider(world, order, world.now())


def _reject(world: World, order: Order) -> None:
    lifecycle.cancel(world, order, "The order was rejected by the CA")
    order.status = "rejected"


def _pay(world: World, order: Order) -> None:
    """What the reseller does in the client area with an unpaid invoice."""
    if order.status != "unpaid":
        raise ValueError(f"order {order.id} is {order.status}")
    for invoice in world.store.invoices(order.id):
        if invoice.status == "unpaid":
            if int(world.store.meta("balance")) < invoice.net + invoice.tax:
                raise ValueError("the balance is not enough")
            pay(world, invoice)
    begin(world, order)


def _expire(world: World, order: Order) -> None:
    order.status = "expired"


def _revoke(world: World, order: Order) -> None:
    order.status = "revoked"


_ACTIONS: dict[str, Callable[[World, Order], None]] = {
    "pass": _pass,
    "hold": _hold,
    "validate": _validate,
    "reject": _reject,
    "pay": _pay,
    "expire": _expire,
    "revoke": _revoke,
    "cancel": lambda world, order: lifecycle.cancel(world, order, "Cancelled"),
}


def _certificate(world: World, name: str) -> flask.Response:
    """The CA's certificates, for the AIA pointer in what it issues."""
    found = {"root.pem": world.authority.root, "intermediate.pem": world.authority.intermediate}.get(name)
    if found is None:
        raise ValueError(f"there is no {name}")
    return flask.Response(ca.pem(found), content_type="application/x-pem-file")
