# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: domain control validation: what to publish for an order's names, and having the authority look at it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import concurrent.futures
import typing as t

from . import _names
from ._api import Api
from ._api_task import api_task
from ._dcv_poke import is_locked, open_proofs, recheck_caa, resend
from ._dns import Dns, read_nameservers
from ._errors import GogetsslError, Kind, input_error
from ._models import Order, Proof
from ._order_info import PASSING
from ._results import proof_result
from ._task import Context, Result
from ._wanted import DCV_METHODS
from ._world import Sighting, World, read_resolve

STATES = ("present", "validated", "resent", "caa_rechecked")
SPEC = {
    "order_ids": {"type": "list", "elements": "int", "required": True},
    "state": {"type": "str", "choices": list(STATES), "default": "present"},
    "methods": {"type": "dict"},
    "order_methods": {"type": "dict"},
    "change_by": {"type": "str", "choices": ["auto", "all", "each", "dcv"], "default": "auto"},
    "raw": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 60},
    "interval": {"type": "int", "default": 5},
    "resolve": {"type": "dict"},
    "nameservers": {"type": "list", "elements": "str"},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
}
LOOKERS = 8  # names looked at at a time: a dead address takes seconds to say so
Key = tuple[int, str]  # order id and name
Changes = dict[str, tuple[str, str]]  # name -> method now, wanted method


def run(context: Context) -> Result:
    """Make the methods the wanted ones, then do what `state` says."""
    params = context.params
    wanted = read_methods(params["methods"])
    by_order = read_order_methods(params["order_methods"])
    places = read_resolve(params["resolve"])
    dns = Dns(read_nameservers(params["nameservers"]), places)
    world = World(places, params["http_port"], params["https_port"], dns=dns)
    api: Api = context.api()
    if params["raw"]:
        api.listen()
    orders = {order_id: api.order(order_id) for order_id in dict.fromkeys(params["order_ids"])}
    changes = plan_changes(orders.values(), wanted, by_order)
    if not context.check_mode:
        for order_id, methods in tuple(changes.items()):
            orders[order_id], changes[order_id] = _change(context, api, orders[order_id], methods)
    result = _reach(params["state"], context, api, orders, world)
    result["changed"] = result["changed"] or any(changes.values())
    if any(changes.values()):
        result["diff"] = _diff(changes)
    if params["raw"]:
        result["raw"] = api.heard()
    return result


def _reach(state: str, context: Context, api: Api, orders: dict[int, Order], world: World) -> Result:
    """Do what `state` says."""
    if state == "resent":
        return resend(context, api, orders)
    if state == "caa_rechecked":
        return recheck_caa(context, api, orders)
    return _present(context, api, orders) if state == "present" else _validated(context, api, orders, world)


def read_methods(given: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """The option `methods`: canonical name -> http, https, dns or an e-mail address."""
    wanted = {_names.canonical(str(name)): str(method).strip().lower() for name, method in (given or {}).items()}
    for name, method in wanted.items():
        if method not in DCV_METHODS and ("@" not in method or "," in method):
            raise input_error(
                f"methods: {method!r} for {name} is none of {', '.join(DCV_METHODS)} or an e-mail address."
            )
        if _names.is_wildcard(name) and method in ("http", "https"):
            raise input_error(f"methods: {name} is a wildcard; {method} cannot validate it, use dns or e-mail.")
    return wanted


def read_order_methods(given: t.Mapping[t.Any, t.Any] | None) -> dict[int, dict[str, str]]:
    """The option `order_methods`: order id -> what `methods` is for all orders."""
    found: dict[int, dict[str, str]] = {}
    for order_id, methods in (given or {}).items():
        if not str(order_id).isdigit() or not isinstance(methods, dict):
            raise input_error(
                f"order_methods: {order_id!r} has to be the id of an order, with a map from name to method."
            )
        found[int(order_id)] = read_methods(methods)
    return found


def plan_changes(
    orders: t.Iterable[Order],
    wanted: t.Mapping[str, str],
    by_order: t.Mapping[int, t.Mapping[str, str]] | None = None,
) -> dict[int, Changes]:
    """Order id -> name -> (method now, wanted method), for open names whose method differs."""
    changes: dict[int, Changes] = {}
    known: set[str] = set()
    for order in orders:
        known.update(proof.name for proof in order.proofs)
        meant = {**wanted, **(by_order or {}).get(order.order_id, {})}
        for proof in open_proofs(order):
            now = _approval(proof)
            if meant.get(proof.name, now) != now:
                changes.setdefault(order.order_id, {})[proof.name] = (now, meant[proof.name])
    stray = sorted(set(wanted) - known)
    if stray:
        raise input_error(f"methods: {', '.join(stray)}: no name of these orders.")
    return changes


def _change(context: Context, api: Api, order: Order, methods: Changes) -> tuple[Order, Changes]:
    """The order with its methods changed, and the changes that came about. A lost answer is settled by looking."""
    trouble: GogetsslError | None = None
    try:
        _send_change(api, order, methods, context.params["change_by"])
    except GogetsslError as error:
        if error.kind is not Kind.UNCERTAIN and not is_locked(error):
            raise
        trouble = error
    order = api.order(order.order_id)
    if trouble is None:
        return order, methods
    now = {proof.name: _approval(proof) for proof in order.proofs}
    done = {name: pair for name, pair in methods.items() if now.get(name) == pair[1]}
    if len(done) < len(methods):
        if not is_locked(trouble):
            raise trouble
        context.warn(f"Order {order.order_id}: the methods could not be changed yet. {trouble.message}")
    return order, done


def _send_change(api: Api, order: Order, methods: Changes, change_by: str) -> None:
    """One call for all names of an order; another approver of the common name alone has a call of its own.

    The vendor has two more methods that do the same for one name, for the day on which the usual ones do not work.
    """
    if change_by in ("each", "dcv"):
        change = api.change_method if change_by == "each" else api.change_dcv
        for name, (_now, method) in methods.items():
            change(order.order_id, name, method)
        return
    (now, wanted), *others = methods.values()
    if change_by == "auto" and not others and order.common_name in methods and "@" in now and "@" in wanted:
        api.change_email(order.order_id, wanted)
    else:
        api.change_methods(order.order_id, {name: method for name, (_now, method) in methods.items()})


def _present(context: Context, api: Api, orders: dict[int, Order]) -> Result:
    """Wait until the vendor has said what to publish for every open name."""

    def look() -> bool:
        for order_id, order in orders.items():
            if any(not proof.ready for proof in open_proofs(order)):
                orders[order_id] = _again(api, order)
        return all(proof.ready for order in orders.values() for proof in open_proofs(order))

    ready = all(proof.ready for order in orders.values() for proof in open_proofs(order))
    ready = ready or context.check_mode or _wait(context, look)
    if not ready:
        context.warn("GoGetSSL has not said for every name what to publish; run again later.")
    proofs = [
        {"order_id": order.order_id, **proof_result(proof)} for order in orders.values() for proof in order.proofs
    ]
    return {"changed": False, "proofs": proofs}


def _validated(context: Context, api: Api, orders: t.Mapping[int, Order], world: World) -> Result:
    """Look until every open proof can be seen, and have the authority look at those that can."""
    pending = {(order.order_id, proof.name): proof for order in orders.values() for proof in open_proofs(order)}
    sightings: dict[Key, Sighting] = {}
    asked: list[str] = []

    def look() -> bool:
        unseen = {key: proof for key, proof in pending.items() if key not in sightings or not _done(sightings[key])}
        with concurrent.futures.ThreadPoolExecutor(LOOKERS) as lookers:
            found = dict(zip(unseen, lookers.map(world.look, unseen.values())))
        for key, sighting in found.items():
            worth_asking = sighting.visible or (sighting.visible is None and pending[key].method == "dns")
            if worth_asking and pending[key].ready:
                sighting = _ask(context, api, key, sighting, asked)
            sightings[key] = sighting
        return all(_done(sightings[key]) for key in pending)

    if not look() and not context.check_mode:
        _wait(context, look)
    nothing = Sighting(None)
    proofs = [
        {
            "order_id": order.order_id,
            **proof_result(proof),
            **sightings.get((order.order_id, proof.name), nothing)._asdict(),
        }
        for order in orders.values()
        for proof in order.proofs
    ]
    return {"changed": bool(asked), "proofs": proofs, "asked": asked}


def _ask(context: Context, api: Api, key: Key, sighting: Sighting, asked: list[str]) -> Sighting:
    """Have the authority look now; it looks by itself later too, so that a refusal is no failure."""
    order_id, name = key
    if not context.check_mode:
        try:
            api.revalidate(order_id, name)
        except GogetsslError as error:
            words = "GoGetSSL takes this call again later" if is_locked(error) else "Asking for validation failed"
            return sighting._replace(problem=f"{sighting.problem} {words}: {error.message}".strip())
    asked.append(name)
    return sighting


def _done(sighting: Sighting) -> bool:
    """True if looking again would not help: it is there, or nobody can see it from here."""
    return sighting.visible is not False


def _wait(context: Context, look: t.Callable[[], bool]) -> bool:
    """Look every interval until a look says that all is well (True) or the time is up (False)."""
    deadline = context.now() + context.params["wait"]
    while True:
        left = deadline - context.now()
        if left <= 0:
            return False
        context.sleep(min(max(1, context.params["interval"]), left))
        if look():
            return True


def _again(api: Api, order: Order) -> Order:
    """The order read again; as it was if that fails in a way that may pass."""
    try:
        return api.order(order.order_id)
    except GogetsslError as error:
        if error.kind not in PASSING:
            raise
        return order


def _approval(proof: Proof) -> str:
    return (proof.email or "email").lower() if proof.method == "email" else proof.method


def _diff(changes: t.Mapping[int, Changes]) -> dict[str, dict[str, str]]:
    """The methods before and after."""
    both = {name: pair for methods in changes.values() for name, pair in methods.items()}
    return {
        "before": {name: now for name, (now, _wanted) in both.items()},
        "after": {name: wanted for name, (_now, wanted) in both.items()},
    }


TASK = api_task(SPEC, run)
