# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_emergency_info`: which certificates get new keys, in which waves, and what remains."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._api import run_cache
from .._api.api_task import api_task
from .._api.models import Product
from .._core.dates import iso
from .._core.errors import input_error
from .._core.task import Context, Params, Result
from .._report import emergency, rows, selection
from .._report.rows import Row

OPTIONS = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "select": {"type": "raw"},
    "since": {"type": "str"},
    "deadline": {"type": "str"},
    "canary": {"type": "list", "elements": "str", "default": []},
    "batches": {"type": "list", "elements": "str", "default": ["1", "10%", "100%"]},
    "issuance_minutes": {"type": "float", "default": 5.0},
    "selected": {"type": "dict"},
}


class Times(t.NamedTuple):
    """The times of an emergency."""

    now: dt.datetime
    since: dt.datetime  # keys that are older are compromised
    deadline: dt.datetime | None


def run(context: Context) -> Result:
    """Select certificates, or report what became of the ones selected earlier. Changes nothing."""
    params = context.params
    times = _read_times(params, context)
    order = {str(one.get("host")): number for number, one in enumerate(params["hosts"])}
    found = sorted(rows.read_rows(params["hosts"], times.now), key=lambda row: order.get(row.host, 0))
    if params["selected"] is None:
        return _selected(context, found, times)
    return _outcome(context, found, times)


def _read_times(params: Params, context: Context) -> Times:
    """Check mode needs no time, because nothing has been replaced yet."""
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    if not params["since"] and not context.check_mode:
        raise input_error(
            "Set gogetssl_emergency_since to the time from which a key counts as new, which is now:"
            f" {now:%Y-%m-%dT%H:%M:%SZ}. Use the same time if you run the playbook again."
        )
    since = selection.read_time("gogetssl_emergency_since", params["since"]) if params["since"] else now
    if since > now:
        raise input_error(
            f"gogetssl_emergency_since: {params['since']} is in the future, and every key would be too old."
            f" It is {now:%Y-%m-%dT%H:%M:%SZ} now."
        )
    deadline = selection.read_time("gogetssl_emergency_deadline", params["deadline"]) if params["deadline"] else None
    return Times(now, since, deadline)


def _selected(context: Context, found: t.Sequence[Row], times: Times) -> Result:
    chosen = selection.read_selection(context.params["select"])
    products: t.Mapping[int, Product] = {}
    if chosen.named_products:
        products = {product.product_id: product for product in context.api().products()}
        selection.check_products(chosen, products)
    affected = emergency.find_affected(found, chosen, products)
    due = [row for row in affected.targets if not emergency.replaced(row, times.since)]
    to_do = [row for row in due if not emergency.blocked(row, affected.targets)]
    if not affected.targets:
        silent = sorted({row.host for row in affected.unknown})
        without = f" {len(silent)} hosts could not be read: {', '.join(silent[:20])}." if silent else ""
        raise input_error(f"gogetssl_emergency selects none of the {len(found)} certificates of these hosts.{without}")
    hosts, canaries = emergency.order_hosts(affected.targets, context.params["canary"])
    sizes = emergency.waves(len(hosts), canaries, context.params["batches"])
    left = emergency.obstacles(affected, times.since, emergency.Outcome())
    once: dict[str, dict[str, Result]] = {host: {} for host in hosts}
    for row in to_do:
        once[row.host][row.name] = {"rekey": times.since.isoformat()}
    return {
        "changed": False,
        "targets": [_target(row, row in to_do) for row in affected.targets],
        "unknown": [{"host": row.host, "name": row.name, "reason": row.reason} for row in affected.unknown],
        "hosts": hosts,
        "waves": sizes,
        "once": once,
        "validated_hosts": emergency.still_valid(to_do, times.now.date()),
        "since": times.since.isoformat(),
        "started": times.now.timestamp(),
        "remaining": [_entry(one) for one in left],
        "revoke": [],
        "figures": {},
        "lines": [*_headline(affected, to_do, sizes), *map(_line, to_do), *(one.sentence() for one in left)],
    }


def _target(row: Row, due: bool) -> Result:
    return {
        "host": row.host,
        "name": row.name,
        "names": list(row.names),
        "order_id": row.order_id,
        "serial": row.serial,
        "issuer": row.issuer,
        "not_after": iso(row.not_after),
        "due": due,
    }


def _headline(affected: emergency.Affected, to_do: t.Sequence[Row], sizes: t.Sequence[int]) -> list[str]:
    total, due = len(affected.targets), len(to_do)
    hosts = len({row.host for row in affected.targets})
    return [
        f"{total} certificates on {hosts} hosts are selected, and {due} of them get new keys, free of charge."
        f" Waves: {', '.join(map(str, sizes))} hosts."
    ]


def _line(row: Row) -> str:
    order = f"order {row.order_id}" if row.order_id else "no order"
    serial = f"serial {row.serial}" if row.serial else "not issued yet"
    return f"{row.name} on {row.host}: {', '.join(row.names)}; {order}, {serial}, {row.issuer or 'no issuer'}"


def _entry(one: emergency.Remaining) -> Result:
    return {"host": one.host, "name": one.name, "reason": one.reason, "not_after": iso(one.not_after)}


def _outcome(context: Context, found: t.Sequence[Row], times: Times) -> Result:
    earlier = context.params["selected"]
    targets = {(one["host"], one["name"]): one for one in earlier["targets"]}
    unknown = [Row(one["host"], one["name"], "unreadable", reason=one["reason"]) for one in earlier["unknown"]]
    affected = emergency.Affected([row for row in found if (row.host, row.name) in targets], unknown)
    outcome = emergency.read_outcome(context.params["hosts"])
    figures = _figures(context, targets.values(), times)
    obstacles = emergency.obstacles(affected, times.since, outcome)
    left = obstacles if context.check_mode else emergency.remaining(affected, times.since, outcome)
    due = sum(1 for one in targets.values() if one["due"]) if context.check_mode else len(left)
    done = [row for row in affected.targets if emergency.replaced(row, times.since)]
    return {
        **earlier,
        "changed": False,
        "remaining": [_entry(one) for one in left],
        "revoke": emergency.to_revoke(done, targets),
        "figures": figures.record(),
        "lines": [
            *(one.sentence() for one in left),
            *emergency.purchases_sentence(context.params["hosts"], figures.currency),
            *filter(None, [emergency.deadline_sentence(due, times.deadline, times.now, figures.minutes)]),
            figures.sentence(),
        ],
    }


def _figures(context: Context, targets: t.Collection[t.Mapping[str, t.Any]], times: Times) -> emergency.Figures:
    earlier = context.params["selected"]
    cost, currency = emergency.cost_of(context.params["hosts"])
    due = [one for one in targets if one["due"]]
    measured = emergency.Figures(
        certificates=len(due),
        hosts=len({one["host"] for one in due}),
        waves=len(earlier["waves"]),
        minutes=(times.now.timestamp() - float(earlier["started"])) / 60,
        api_calls=run_cache.counted_calls(context.run_directory),
        cost=cost,
        currency=currency,
    )
    return emergency.estimate(measured, context.params["issuance_minutes"]) if context.check_mode else measured


TASK = api_task(OPTIONS, run)
