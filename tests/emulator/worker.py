# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The background thread: validates names at intervals, as a CA does, and applies changes that are due."""

from __future__ import annotations

import logging
import threading
import time

from . import catalogue, lifecycle, validation
from .backend import Backend
from .model import Name, Order
from .network import ValidationFailed

_TICK = 0.1
_PARALLEL = 8
# Seconds beyond `dcv_timeout` after which an examination is given up: a web server may answer byte by byte for ever.
_GIVEN_UP = 5.0
_Key = tuple[int, float]
# The orders under examination, and when each examination began, on the monotonic clock.
_Busy = dict[_Key, float]


def run(backend: Backend) -> threading.Thread:
    thread = threading.Thread(target=_loop, args=(backend,), name="ca", daemon=True)
    thread.start()
    return thread


def _loop(backend: Backend) -> None:
    busy: _Busy = {}
    while not backend.stopping.is_set():
        backend.wake.wait(_TICK)
        backend.wake.clear()
        try:
            _start_examinations(backend, busy)
        except Exception:
            # Without this thread no order is ever validated or issued again.
            logging.getLogger("emulator").exception("a round of validations failed")


def _start_examinations(backend: Backend, busy: _Busy) -> None:
    now = time.monotonic()
    for key, began in list(busy.items()):
        if now - began > _GIVEN_UP + backend.settings.dcv_timeout:
            logging.getLogger("emulator").error("the validation of order %s was given up", key[0])
            busy.pop(key, None)
    with backend.store.transaction():
        lifecycle.settle(backend)
        orders = _take_pending(backend, busy)
    for order in orders:
        busy[_key(order)] = now
        threading.Thread(target=_examine_and_finish, args=(backend, order, busy), daemon=True).start()


def _key(order: Order) -> _Key:
    """After a reset, IDs begin anew: an order must not wait for the examination of a former order with its ID."""
    return order.id, order.created


def _examine_and_finish(backend: Backend, order: Order, busy: _Busy) -> None:
    try:
        _examine(backend, order)
    except Exception:
        if not backend.stopping.is_set():
            logging.getLogger("emulator").exception("validation of order %s failed", order.id)
    finally:
        busy.pop(_key(order), None)


def _take_pending(backend: Backend, busy: _Busy) -> list[Order]:
    """Orders to validate now, as many as may be examined at once. Their next validation is scheduled at once."""
    now = backend.now()
    taken: list[Order] = []
    for order in backend.store.orders_to_validate(now):
        # An order blocked by CAA waits for recheck-caa (API reference 7.7).
        unfinished = not order.validated or (backend.settings.caa and not order.caa_blocked)
        if _key(order) in busy:
            continue
        if len(busy) + len(taken) >= _PARALLEL:
            break
        order.next_check = now + max(backend.settings.dcv_interval, 0.01)
        backend.store.save_order(order)
        if unfinished:
            taken.append(order)
    return taken


def _examine(backend: Backend, order: Order) -> None:
    """Validate an order. The network is queried outside the transaction, so a slow web server cannot block the API."""
    results = {name.name: _check_name(backend, order, name) for name in order.names if _needs_check(backend, name)}
    validated = all(name.validated_at or results.get(name.name) == "" for name in order.names)
    caa = _check_caa(backend, order) if backend.settings.caa and validated else ""
    if backend.stopping.is_set():
        return
    with backend.store.transaction():
        current = backend.store.order(order.id)
        if current and current.in_work:
            _apply(backend, order, current, results, caa)
            lifecycle.consider(backend, current, backend.now())
            backend.store.save_order(current)


def _needs_check(backend: Backend, name: Name) -> bool:
    pending = not name.validated_at and name.method != "email" and backend.settings.dcv_mode == "real"
    return pending and not backend.stopping.is_set()


def _check_name(backend: Backend, order: Order, name: Name) -> str:
    product = catalogue.products()[order.product_id]
    try:
        validation.check(order, product, name, backend.network, backend.settings)
    except ValidationFailed as reason:
        return str(reason)
    return ""


def _check_caa(backend: Backend, order: Order) -> str:
    product = catalogue.products()[order.product_id]
    try:
        for name in order.names:
            validation.check_caa(product, name.name, backend.network, backend.settings.dcv_timeout)
    except ValidationFailed as reason:
        return str(reason)
    return "allowed"


def _apply(backend: Backend, examined: Order, current: Order, results: dict[str, str], caa: str) -> None:
    """Store the results unless the order, its CSR or the method has changed since the examination began."""
    if (_key(current), current.csr, current.unique) != (_key(examined), examined.csr, examined.unique):
        return
    unchanged = {(name.name, name.method, name.token) for name in examined.names}
    for name in current.names:
        # A name validated in the meantime, by mail or by the control API, remains validated.
        if not name.validated_at and (name.name, name.method, name.token) in unchanged and name.name in results:
            name.reason = results[name.name]
            name.validated_at = 0.0 if name.reason else backend.now()
    if caa:
        current.caa_blocked = caa


def validate_now(backend: Backend, order: Order) -> None:
    """Schedule a validation that a client has requested."""
    order.next_check = 0.0
    backend.wake.set()
