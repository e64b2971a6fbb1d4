# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_order`: for each certificate find out what the vendor has, decide the one step, take it.

All certificates are assessed (`_assess`) before the first one is acted on (`_act`) and costs money. One that cannot go
on does not stop the others.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from . import _act, _assess, _cancel, _journal, _methods, _purchase, _spend
from ._api import Api
from ._api_task import api_task
from ._budget import Budget
from ._decision import Step
from ._desk import Case, Desk
from ._errors import GogetsslError, input_error
from ._info import RAW, with_raw
from ._order_report import purchase_order, report
from ._spend import Policy
from ._task import Context, Result
from ._wanted import CERTIFICATES_SPEC, CONTACTS_SPEC, Wanted, read_wanted

ARGUMENT_SPEC: dict[str, t.Any] = {
    **RAW,
    **CERTIFICATES_SPEC,
    "certificates": {**CERTIFICATES_SPEC["certificates"], "required": False},  # orders can be cancelled by their ids
    **CONTACTS_SPEC,
    **_methods.METHODS_SPEC,
    "requests": {"type": "list", "elements": "dict", "default": []},
    **_spend.SPEND_SPEC,
    "max_price": {"type": "int"},
    "max_price_per_year": {"type": "int"},
    "max_price_per_run": {"type": "int"},
    "currency": {"type": "str"},
    "tax_percent": {"type": "float"},
    "check_balance": {"type": "bool", "default": True},
    "approved_plan": {"type": "list", "elements": "dict"},
    "settle_time": {"type": "int", "default": 60},
    "keep_going": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "cancelled"], "default": "present"},
    "reason": {"type": "str"},
    "order_ids": {"type": "list", "elements": "int", "default": []},
    "compare_hosts": {"type": "bool", "default": False},
    "other_hosts": {"type": "list", "elements": "dict", "default": []},
}


RULES = {"required_if": [("state", "present", ["certificates"])]}


def run(context: Context) -> Result:
    """What the wished state asks for."""
    return with_raw(context, _cancel.run if context.params["state"] == "cancelled" else step)


def step(context: Context, api: Api) -> Result:
    """Assess all, then act, then report."""
    params = context.params
    if params["order_ids"]:
        raise input_error("order_ids is for state=cancelled only.")
    wanted = read_wanted(params)
    csrs = {item.get("name"): item.get("csr") for item in params["requests"] if item.get("csr")}
    found = _journal.inspect(context.shell, params["directory"], wanted)
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    budget = Budget(context.run_directory)
    desk = Desk(context, api, _purchase.Finder(api), api.products(), _policy(params), now, budget)

    stopped: list[dict[str, str]] = []
    cases = _each(wanted, lambda one: _assess.assess(desk, one, found[one.name], csrs.get(one.name)), stopped)
    for case in cases:
        _assess.warn_in_time(context, case)
        if case.decision.step is Step.STOP:
            stopped.append({"name": case.wanted.name, "reason": f"{case.wanted.name}: {case.decision.reason}."})
            _act.note_refused(desk, case)
    going_on = [case for case in cases if case.decision.step is not Step.STOP]
    done = _each(going_on, lambda case: (case, *_act.take(desk, case)), stopped)
    return {**report(context, done, stopped), **purchase_order(desk, wanted, cases, stopped)}


def _policy(params: t.Mapping[str, t.Any]) -> Policy:
    ceilings = (params["max_price"], params["max_price_per_year"], params["max_price_per_run"])
    return Policy(
        frozenset(params["spend"]), *ceilings, params["currency"], params["tax_percent"], params["check_balance"]
    )


_T = t.TypeVar("_T")
_R = t.TypeVar("_R")


def _each(items: t.Sequence[_T], work: t.Callable[[_T], _R], stopped: list[dict[str, str]]) -> list[_R]:
    """Work on every item; those that fail are written down as stopped."""
    done: list[_R] = []
    for item in items:
        try:
            done.append(work(item))
        except GogetsslError as error:
            wanted = item.wanted if isinstance(item, Case) else t.cast(Wanted, item)
            named = error.message.startswith(f"{wanted.name}: ")
            reason = error.message if named else f"{wanted.name}: {error.message}"
            stopped.append({"name": wanted.name, "reason": reason})
    return done


TASK = api_task(ARGUMENT_SPEC, run, rules=RULES)
