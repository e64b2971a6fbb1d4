# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The background: looks for proofs as a CA that polls, and moves orders on as time passes."""

from __future__ import annotations

import functools
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from . import catalogue, lifecycle, proofs
from .model import Name, Order
from .network import Unproven
from .world import World

_TICK = 0.1
_PARALLEL = 8


def run(world: World) -> threading.Thread:
    thread = threading.Thread(target=_loop, args=(world,), name="ca", daemon=True)
    thread.start()
    return thread


def _loop(world: World) -> None:
    busy: set[int] = set()
    with ThreadPoolExecutor(_PARALLEL) as pool:
        while not world.stopping.is_set():
            world.wake.wait(_TICK)
            world.wake.clear()
            with world.store.transaction():
                lifecycle.settle(world)
                orders = _take_pending(world, busy)
            for order in orders:
                busy.add(order.id)
                look = pool.submit(_examine, world, order)
                look.add_done_callback(functools.partial(_finish, busy, order.id))


def _finish(busy: set[int], order_id: int, done: Future[None]) -> None:
    busy.discard(order_id)
    if not done.cancelled() and done.exception():
        logging.getLogger("emulator").error("the look at order %s failed: %r", order_id, done.exception())


def _take_pending(world: World, busy: set[int]) -> list[Order]:
    """Orders whose proofs are to be looked for now; the next look is noted at once."""
    now = world.now()
    taken = []
    for order in world.store.orders_to_look_at(now):
        # A CA blocked by CAA waits for recheck-caa (API reference 7.7).
        unfinished = not order.validated or (world.settings.caa and not order.caa_blocked)
        if order.id in busy:
            continue
        order.next_check = now + max(world.settings.dcv_interval, 0.01)
        world.store.save_order(order)
        if unfinished:
            taken.append(order)
    return taken


def _examine(world: World, order: Order) -> None:
    """The network is asked outside the transaction, so a slow web server never blocks the API."""
    results = {name.name: _look(world, order, name) for name in order.names if _wants_look(world, name)}
    proven = all(name.validated_at or results.get(name.name) == "" for name in order.names)
    caa = _look_caa(world, order) if world.settings.caa and proven else ""
    if world.stopping.is_set():
        return
    with world.store.transaction():
        current = world.store.order(order.id)
        if current and current.in_work:
            _apply(world, order, current, results, caa)
            lifecycle.consider(world, current, world.now())
            world.store.save_order(current)


def _wants_look(world: World, name: Name) -> bool:
    wanted = not name.validated_at and name.method != "email" and world.settings.dcv_mode == "real"
    return wanted and not world.stopping.is_set()


def _look(world: World, order: Order, name: Name) -> str:
    product = catalogue.products()[order.product_id]
    try:
        proofs.check(order, product, name, world.network, world.settings)
    except Unproven as reason:
        return str(reason)
    return ""


def _look_caa(world: World, order: Order) -> str:
    product = catalogue.products()[order.product_id]
    try:
        for name in order.names:
            proofs.check_caa(product, name.name, world.network, world.settings.dcv_timeout)
    except Unproven as reason:
        return str(reason)
    return "allowed"


def _apply(world: World, seen: Order, current: Order, results: dict[str, str], caa: str) -> None:
    """Only what is still asked for counts: a changed method or CSR makes an old look worthless."""
    if (current.csr, current.unique) != (seen.csr, seen.unique):
        return
    asked = {(name.name, name.method, name.token) for name in seen.names}
    for name in current.names:
        # A name proven in the meantime, by mail or by hand, stays proven.
        if not name.validated_at and (name.name, name.method, name.token) in asked and name.name in results:
            name.reason = results[name.name]
            name.validated_at = 0.0 if name.reason else world.now()
    if caa:
        current.caa_blocked = caa


def poke(world: World, order: Order) -> None:
    """A client asked for a new look."""
    order.next_check = 0.0
    world.wake.set()
