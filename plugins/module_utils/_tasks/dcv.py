# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: domain control validation: what to publish for the names of an order, and requests to validate them."""

from __future__ import annotations

import concurrent.futures
import typing as t

from .._api.api_task import api_task
from .._api.models import Order, Unreadable
from .._api.orders import Api
from .._api.results import order_validations, validation_result
from .._core import names
from .._core.errors import GogetsslError, Kind, input_error
from .._core.task import Context, Params, Result
from .._dns.nameservers import read_nameservers, read_resolve
from .._dns.resolver import Dns
from .._request.spec import DCV_METHODS
from .._validation.probe import Prober, Visibility, make_prober
from .._validation.retry import Repetition, caa_repetitions, email_repetitions, is_locked, repeat
from .order_info import PASSING

STATES = ("present", "validated")
SPEC = {
    "order_ids": {"type": "list", "elements": "int", "required": True},
    "state": {"type": "str", "choices": list(STATES), "default": "present"},
    "methods": {"type": "dict"},
    "order_methods": {"type": "dict"},
    "resend_email": {"type": "bool", "default": False},
    "recheck_caa": {"type": "bool", "default": False},
    "change_by": {"type": "str", "choices": ["auto", "all", "each", "dcv"], "default": "auto"},
    "raw": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 60},
    "interval": {"type": "int", "default": 5},
    "resolve": {"type": "dict"},
    "nameservers": {"type": "list", "elements": "str"},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
}
WORKERS = 8  # names probed in parallel: an unreachable address takes seconds
Key = tuple[int, str]  # order id and name
Changes = dict[str, tuple[str, str]]  # name -> current method, requested method


def run(context: Context) -> Result:
    """Set the requested methods, repeat the selected requests, and reach the state."""
    params = context.params
    expected = read_methods(params["methods"])
    by_order = read_order_methods(params["order_methods"])
    places = read_resolve(params["resolve"])
    dns = Dns(read_nameservers(params["nameservers"]), places)
    prober = make_prober(params, places, dns)
    api: Api = context.api()
    if params["raw"]:
        api.record_answers()
    orders = _read_orders(context, api)
    changes = plan_changes(orders.values(), expected, by_order)
    if not context.check_mode:
        for order_id, methods in tuple(changes.items()):
            orders[order_id], changes[order_id] = _change(context, api, orders[order_id], methods)
    result = (
        _present(context, api, orders) if params["state"] == "present" else _validated(context, api, orders, prober)
    )
    repeated, result["deferred"] = repeat(context, _repetitions(params, api, orders.values()))
    result["requested"] += repeated
    result["changed"] = bool(result["requested"]) or any(changes.values())
    if any(changes.values()):
        result["diff"] = _diff(changes)
    if params["raw"]:
        result["raw"] = api.recorded_answers()
    return result


def _read_orders(context: Context, api: Api) -> dict[int, Order]:
    """The orders by id. An unreadable order is skipped with a warning, unless no order can be read."""
    found = {order_id: api.any_order(order_id) for order_id in dict.fromkeys(context.params["order_ids"])}
    readable = {order_id: order for order_id, order in found.items() if isinstance(order, Order)}
    problems = [f"Order {order.order_id}: {order.reason}" for order in found.values() if isinstance(order, Unreadable)]
    if problems and not readable:
        raise GogetsslError(" ".join(problems), Kind.ANSWER)
    for problem in problems:
        context.warn(f"{problem} Its validation is not continued. Contact GoGetSSL's support about the order.")
    return readable


def _repetitions(params: Params, api: Api, orders: t.Collection[Order]) -> list[Repetition]:
    emails = email_repetitions(api, orders) if params["resend_email"] else []
    checks = caa_repetitions(api, orders) if params["recheck_caa"] else []
    return emails + checks


def read_methods(given: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """The option `methods`: canonical name -> http, https, dns or an e-mail address."""
    expected = {names.canonical(str(name)): str(method).strip().lower() for name, method in (given or {}).items()}
    for name, method in expected.items():
        if method not in DCV_METHODS and ("@" not in method or "," in method):
            raise input_error(
                f"methods: {name} must have {', '.join(DCV_METHODS)} or an e-mail address, not {method!r}."
            )
        if names.is_wildcard(name) and method in ("http", "https"):
            raise input_error(
                f"methods: {name} is a wildcard; {method} cannot validate it. Use dns or an e-mail address."
            )
    return expected


def read_order_methods(given: t.Mapping[t.Any, t.Any] | None) -> dict[int, dict[str, str]]:
    """The option `order_methods`: `methods` for single orders, by order id."""
    found: dict[int, dict[str, str]] = {}
    for order_id, methods in (given or {}).items():
        if not str(order_id).isdigit() or not isinstance(methods, dict):
            raise input_error(
                f"order_methods: {order_id!r} must be the id of an order, with a map from name to method."
            )
        found[int(order_id)] = read_methods(methods)
    return found


def plan_changes(
    orders: t.Iterable[Order],
    expected: t.Mapping[str, str],
    by_order: t.Mapping[int, t.Mapping[str, str]] | None = None,
) -> dict[int, Changes]:
    """Order id -> name -> (current method, requested method), for open names whose method differs."""
    changes: dict[int, Changes] = {}
    known: set[str] = set()
    for order in orders:
        known.update(validation.name for validation in order.validations)
        requested = {**expected, **(by_order or {}).get(order.order_id, {})}
        for validation in order.open_validations:
            now = validation.approval
            if requested.get(validation.name, now) != now:
                changes.setdefault(order.order_id, {})[validation.name] = (now, requested[validation.name])
    stray = sorted(set(expected) - known)
    if stray:
        raise input_error(f"methods: {', '.join(stray)}: not a name of these orders.")
    return changes


def _change(context: Context, api: Api, order: Order, methods: Changes) -> tuple[Order, Changes]:
    """Change the methods. Returns the order afterwards and the changes. After a lost response the order is read."""
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
    now = {validation.name: validation.approval for validation in order.validations}
    done = {name: pair for name, pair in methods.items() if now.get(name) == pair[1]}
    if len(done) < len(methods):
        if not is_locked(trouble):
            raise trouble
        context.warn(f"Order {order.order_id}: the methods could not be changed yet. {trouble.message}")
    return order, done


def _send_change(api: Api, order: Order, methods: Changes, change_by: str) -> None:
    """Send one call for all names of an order. A new approver for only the common name has a separate call.

    The vendor has two more calls that change one name. `change_by` selects them if the usual ones fail.
    """
    if change_by in ("each", "dcv"):
        change = api.change_method if change_by == "each" else api.change_dcv
        for name, (_now, method) in methods.items():
            change(order.order_id, name, method)
        return
    (now, expected), *others = methods.values()
    if change_by == "auto" and not others and order.common_name in methods and "@" in now and "@" in expected:
        api.change_email(order.order_id, expected)
    else:
        api.change_methods(order.order_id, {name: method for name, (_now, method) in methods.items()})


def _present(context: Context, api: Api, orders: dict[int, Order]) -> Result:
    """Wait until the vendor has returned what to publish for every open name."""

    def refresh() -> bool:
        for order_id, order in orders.items():
            if any(not validation.ready for validation in order.open_validations):
                orders[order_id] = _again(api, order)
        return all(validation.ready for order in orders.values() for validation in order.open_validations)

    ready = all(validation.ready for order in orders.values() for validation in order.open_validations)
    ready = ready or context.check_mode or _wait(context, refresh)
    if not ready:
        context.warn("GoGetSSL has not returned what to publish for every name. Run again later.")
    validations = [validation for order in orders.values() for validation in order_validations(order)]
    return {"validations": validations, "requested": []}


def _validated(context: Context, api: Api, orders: t.Mapping[int, Order], prober: Prober) -> Result:
    """Probe until every open validation is visible, and request validation of the visible ones."""
    pending = {
        (order.order_id, validation.name): validation
        for order in orders.values()
        for validation in order.open_validations
    }
    results: dict[Key, Visibility] = {}
    requested: list[str] = []

    def probe() -> bool:
        not_visible = {
            key: validation for key, validation in pending.items() if key not in results or not _done(results[key])
        }
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
            found = dict(zip(not_visible, workers.map(prober.check, not_visible.values())))
        for key, result in found.items():
            # The CA may be able to validate what this host cannot check.
            if result.visible is not False and pending[key].method != "email" and pending[key].ready:
                result = _request_validation(context, api, key, result, requested)
            results[key] = result
        return all(_done(results[key]) for key in pending)

    if not probe() and not context.check_mode:
        _wait(context, probe)
    not_probed = Visibility(None)
    validations = [
        {
            "order_id": order.order_id,
            **validation_result(validation),
            **results.get((order.order_id, validation.name), not_probed)._asdict(),
        }
        for order in orders.values()
        for validation in order.validations
    ]
    return {"validations": validations, "requested": requested}


def _request_validation(context: Context, api: Api, key: Key, result: Visibility, requested: list[str]) -> Visibility:
    """Request validation from the CA. The CA also validates by itself later, so a refusal is not a failure."""
    order_id, name = key
    if not context.check_mode:
        try:
            api.revalidate(order_id, name)
        except GogetsslError as error:
            what = "GoGetSSL accepts this call again later" if is_locked(error) else "The request for validation failed"
            return result._replace(problem=f"{result.problem} {what}: {error.message}".strip())
    requested.append(name)
    return result


def _done(result: Visibility) -> bool:
    """True if another probe would not help: it is visible, or this host cannot check it."""
    return result.visible is not False


def _wait(context: Context, attempt: t.Callable[[], bool]) -> bool:
    """Repeat the attempt at every interval. True once it succeeds, False after the time limit."""
    deadline = context.now() + context.params["wait"]
    while True:
        left = deadline - context.now()
        if left <= 0:
            return False
        context.sleep(min(max(1, context.params["interval"]), left))
        if attempt():
            return True


def _again(api: Api, order: Order) -> Order:
    """The order, read again. Unchanged if reading fails with an error that may be temporary."""
    try:
        return api.order(order.order_id)
    except GogetsslError as error:
        if error.kind not in PASSING:
            raise
        return order


def _diff(changes: t.Mapping[int, Changes]) -> dict[str, dict[str, str]]:
    """The methods before and after."""
    both = {name: pair for methods in changes.values() for name, pair in methods.items()}
    return {
        "before": {name: now for name, (now, _requested) in both.items()},
        "after": {name: expected for name, (_now, expected) in both.items()},
    }


TASK = api_task(SPEC, run)
