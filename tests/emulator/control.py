# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control API under /_emulator, with which tests inspect and steer the emulator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import flask

from . import ca, catalogue, lifecycle, outbox
from .backend import DAY, Backend, date, number
from .billing import pay
from .model import OPEN, Order
from .orders import begin

View = Callable[..., Any]


def create(backend: Backend) -> flask.Blueprint:
    blueprint = flask.Blueprint("control", __name__)
    views: list[tuple[str, str, View]] = [
        ("GET", "/health", lambda: {"ok": True}),
        ("GET", "/ledger", lambda: ledger(backend)),
        ("GET", "/requests", lambda: {"requests": list(backend.requests)}),
        ("DELETE", "/requests", lambda: _clear_requests(backend)),
        ("POST", "/requests/reset", lambda: _clear_requests(backend)),
        ("GET", "/clock", lambda: _clock(backend)),
        ("POST", "/clock", lambda: _advance(backend)),
        ("GET", "/settings", lambda: _settings(backend)),
        ("POST", "/settings", lambda: _change_settings(backend)),
        ("GET", "/faults", lambda: {"faults": backend.faults.report()}),
        ("POST", "/faults", lambda: _add_faults(backend)),
        ("DELETE", "/faults", lambda: _clear_faults(backend)),
        ("POST", "/reset", lambda: _reset(backend)),
        ("GET", "/outbox", lambda: {"mails": [dataclasses.asdict(mail) for mail in backend.store.mails()]}),
        ("POST", "/outbox", lambda: _approve(backend)),
        ("POST", "/keys/expire", lambda: _expire_keys(backend)),
        ("GET", "/orders/<int:order_id>", lambda order_id: _order(backend, order_id)),
        ("POST", "/orders/<int:order_id>", lambda order_id: _force(backend, order_id)),
    ]
    for verb, path, view in views:
        blueprint.add_url_rule(path, f"{verb} {path}", view, methods=[verb])
    blueprint.add_url_rule("/ca/<name>", "ca", lambda name: _certificate(backend, name))
    blueprint.register_error_handler(ValueError, lambda error: ({"error": str(error)}, 400))
    blueprint.before_request(lambda: _settle(backend))
    return blueprint


def _settle(backend: Backend) -> None:
    with backend.store.transaction():
        lifecycle.settle(backend)


def _body() -> Any:
    body = flask.request.get_json(force=True, silent=True)
    if body is None:
        raise ValueError("body must be JSON")
    return body


def _dict_body() -> dict[str, Any]:
    body = _body()
    if not isinstance(body, dict):
        raise ValueError("body must be a JSON object")
    return body


def ledger(backend: Backend) -> dict[str, Any]:
    """The balance, all orders and all charges. An order's `amount` is net, a charge's `amount` includes tax."""
    with backend.store.transaction():
        orders = [_ledger_row(backend, order) for order in backend.store.orders()]
        charges = [
            {"order_id": order_id, "kind": kind, "amount": number(cents), "time": created}
            for order_id, kind, cents, created in backend.store.charges()
        ]
        return {"balance": number(int(backend.store.meta("balance"))), "orders": orders, "charges": charges}


def _ledger_row(backend: Backend, order: Order) -> dict[str, Any]:
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
        "begin_date": date(backend, order.begin),
        "end_date": date(backend, order.end),
        "valid_till": date(backend, order.not_after),
        "cancel_requested": bool(order.cancel_at),
        "serials": order.serials,
        "csr_code": order.csr,
        "unique_code": order.unique,
    }


def _clear_requests(backend: Backend) -> dict[str, Any]:
    backend.requests.clear()
    return {"requests": []}


def _clock(backend: Backend) -> dict[str, Any]:
    return {"now": backend.now(), "date": date(backend, backend.now())}


def _advance(backend: Backend) -> dict[str, Any]:
    body = _dict_body()
    unknown = set(body) - {"advance_days", "advance_seconds"}
    if unknown or not all(isinstance(value, int | float) for value in body.values()):
        raise ValueError("advance_days and advance_seconds must be numbers")
    backend.advance(body.get("advance_days", 0) * DAY + body.get("advance_seconds", 0))
    _settle(backend)
    backend.wake.set()
    return _clock(backend)


def _settings(backend: Backend) -> dict[str, Any]:
    balance = number(int(backend.store.meta("balance")))
    return {**dataclasses.asdict(backend.settings), "balance": balance}


def _change_settings(backend: Backend) -> dict[str, Any]:
    """Change settings and, although it is no setting, the `balance`."""
    values = _dict_body()
    balance = values.pop("balance", None)
    if balance is not None and (isinstance(balance, bool) or not isinstance(balance, int | float)):
        raise ValueError("balance must be a number")
    backend.change_settings(values)
    with backend.store.transaction():
        if balance is not None:
            backend.store.set_meta("balance", round(balance * 100))
        for order in backend.store.orders_in(OPEN):
            lifecycle.consider(backend, order, backend.now())
            backend.store.save_order(order)
    backend.wake.set()
    return _settings(backend)


def _add_faults(backend: Backend) -> dict[str, Any]:
    body = _body()
    items = [body] if isinstance(body, dict) else body
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("body must be a list of faults")
    backend.faults.add(items)
    return {"faults": backend.faults.report()}


def _clear_faults(backend: Backend) -> dict[str, Any]:
    backend.faults.clear()
    return {"faults": []}


def _reset(backend: Backend) -> dict[str, Any]:
    """Reset the state; {"settings": true} resets the settings as well."""
    body = flask.request.get_json(force=True, silent=True) or {}
    if body.get("settings"):
        backend.reset_settings()
    backend.reset()
    return {"ok": True}


def _approve(backend: Backend) -> dict[str, Any]:
    """Approve mails: {"approve": MAIL_ID | "www.example.com" | "all"} or {"order_id": 783956}."""
    body = _dict_body()
    requested, order_id = body.get("approve"), body.get("order_id")
    approved = []
    with backend.store.transaction():
        for mail in backend.store.mails():
            matches = requested in (mail.id, mail.domain, mail.code, "all") or order_id == mail.order_id
            if matches and not mail.approved:
                outbox.approve(backend, mail)
                approved.append(mail.id)
    if not approved:
        raise ValueError("no pending mail matches")
    return {"approved": approved}


def _expire_keys(backend: Backend) -> dict[str, Any]:
    with backend.store.transaction():
        return {"expired": backend.store.expire_keys()}


def _find_order(backend: Backend, order_id: int) -> Order:
    order = backend.store.order(order_id)
    if order is None:
        raise ValueError(f"no order {order_id}")
    return order


def _order(backend: Backend, order_id: int) -> dict[str, Any]:
    order = _find_order(backend, order_id)
    product = catalogue.products()[order.product_id]
    return {**dataclasses.asdict(order), "product": product.name, "created_date": date(backend, order.created)}


def _force(backend: Backend, order_id: int) -> dict[str, Any]:
    """{"action": "pass" | "reject" | "pay" | "cancel" | "expire" | "validate" | "revoke" | "hold"} or
    {"status": "...", "description": "..."} to set an arbitrary status."""
    body = _dict_body()
    with backend.store.transaction():
        order = _find_order(backend, order_id)
        action = body.get("action")
        if action:
            if action not in _ACTIONS:
                raise ValueError(f"action must be one of {', '.join(_ACTIONS)}")
            _ACTIONS[action](backend, order)
        if "status" in body:
            order.status = str(body["status"])
        if "description" in body:
            order.description = order.admin_msg = str(body["description"])
        backend.store.save_order(order)
    backend.wake.set()
    return _order(backend, order_id)


def _pass(backend: Backend, order: Order) -> None:
    order.manual = False
    lifecycle.consider(backend, order, backend.now())


def _hold(backend: Backend, order: Order) -> None:
    order.manual, order.ready_at = True, 0.0


def _validate(backend: Backend, order: Order) -> None:
    for name in order.names:
        name.validated_at, name.reason = backend.now(), ""
    lifecycle.consider(backend, order, backend.now())


def _reject(backend: Backend, order: Order) -> None:
    lifecycle.cancel(backend, order, "The order was rejected by the CA")
    order.status = "rejected"


def _pay(backend: Backend, order: Order) -> None:
    """Pay the unpaid invoice, as the reseller does in the client area."""
    if order.status != "unpaid":
        raise ValueError(f"order {order.id} is {order.status}")
    for invoice in backend.store.invoices(order.id):
        if invoice.status == "unpaid":
            if int(backend.store.meta("balance")) < invoice.net + invoice.tax:
                raise ValueError("insufficient balance")
            pay(backend, invoice)
    begin(backend, order)


def _expire(backend: Backend, order: Order) -> None:
    order.status = "expired"


def _revoke(backend: Backend, order: Order) -> None:
    order.status = "revoked"


_ACTIONS: dict[str, Callable[[Backend, Order], None]] = {
    "pass": _pass,
    "hold": _hold,
    "validate": _validate,
    "reject": _reject,
    "pay": _pay,
    "expire": _expire,
    "revoke": _revoke,
    "cancel": lambda backend, order: lifecycle.cancel(backend, order, "Cancelled"),
}


def _certificate(backend: Backend, name: str) -> flask.Response:
    """A CA certificate, to which the AIA extension of issued certificates points."""
    found = {"root.pem": backend.ca.root, "intermediate.pem": backend.ca.intermediate}.get(name)
    if found is None:
        raise ValueError(f"no CA certificate {name}")
    return flask.Response(ca.pem(found), content_type="application/x-pem-file")
