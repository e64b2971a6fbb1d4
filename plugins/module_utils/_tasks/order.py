# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_order`: reads each certificate's orders at the vendor, decides the next step and takes it.

All certificates are assessed (`_order/assess.py`) before the first step is performed (`_order/act.py`). A certificate
that cannot continue does not stop the others.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from .._api.api_task import api_task
from .._api.orders import Api
from .._api.raw import RAW, with_raw
from .._core.errors import GogetsslError, input_error
from .._core.task import Context, Result
from .._host import journal
from .._order import act, assess, cancel, policy, purchase, simultaneous
from .._order.budget import Budget
from .._order.decision import Step
from .._order.policy import Policy
from .._order.report import purchase_order, report, unread_orders
from .._order.session import Assessment, Session
from .._request import methods
from .._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC, CertificateSpec, read_specs

ARGUMENT_SPEC: dict[str, t.Any] = {
    **RAW,
    **CERTIFICATES_SPEC,
    "certificates": {**CERTIFICATES_SPEC["certificates"], "required": False},  # orders can be cancelled by their ids
    **CONTACTS_SPEC,
    **methods.METHODS_SPEC,
    "requests": {"type": "list", "elements": "dict", "default": []},
    **policy.SPEND_SPEC,
    "max_price": {"type": "int"},
    "max_price_per_year": {"type": "int"},
    "max_price_per_run": {"type": "int"},
    "max_price_per_day": {"type": "int"},
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
    "web_hosts": {"type": "list", "elements": "str", "default": []},
    "web_root": {"type": "str", "default": ""},
}


RULES = {"required_if": [("state", "present", ["certificates"])]}
PLAN_AGE = 60.0  # seconds; of the lists of orders that a plan uses


def run(context: Context) -> Result:
    """Run the operation that `state` selects."""
    return with_raw(context, cancel.run if context.params["state"] == "cancelled" else step)


def step(context: Context, api: Api) -> Result:
    """Assess all certificates, then act, then report."""
    params = context.params
    if params["order_ids"]:
        raise input_error("order_ids is for state=cancelled only.")
    spec = read_specs(params)
    csrs = {item.get("name"): item.get("csr") for item in params["requests"] if item.get("csr")}
    found = journal.inspect(context.shell, params["directory"], spec)
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    budget = Budget(context.run_directory)
    # A plan may use the lists that another host of the run has just read. A purchase never does.
    finder = purchase.Finder(api, PLAN_AGE if context.check_mode else 0)
    session = Session(context, api, finder, api.products(), _policy(params), now, budget, tuple(spec))

    stopped: list[dict[str, str]] = []
    cases = _each(spec, lambda one: assess.assess(session, one, found[one.name], csrs.get(one.name)), stopped)
    for assessment in cases:
        assess.warn_in_time(context, assessment)
        if assessment.decision.step is Step.STOP:
            stopped.append(
                {"name": assessment.spec.name, "reason": f"{assessment.spec.name}: {assessment.decision.reason}."}
            )
            act.note_refused(session, assessment)
    going_on = [assessment for assessment in cases if assessment.decision.step is not Step.STOP]
    done = _each(going_on, lambda assessment: (assessment, *act.take_step(session, assessment)), stopped)
    withdrawn = simultaneous.withdraw_later_orders(session)
    stopped += withdrawn
    done = [one for one in done if one[0].spec.name not in {entry["name"] for entry in withdrawn}]
    result = {**report(context, done, stopped), **purchase_order(session, spec, cases, stopped)}
    result["changed"] |= bool(withdrawn)
    for entry in result["orders"]:
        entry["currency"] = entry["currency"] or result["budget"]["currency"]
    result["unread_order_ids"] = unread_orders(found, cases, stopped)
    return result


def _policy(params: t.Mapping[str, t.Any]) -> Policy:
    kinds = ("max_price", "max_price_per_year", "max_price_per_run", "max_price_per_day")
    options = {kind: params[kind] for kind in (*kinds, "currency", "tax_percent", "check_balance")}
    tax = params["tax_percent"]
    if tax is not None and not 0 <= tax <= 100:  # a negative tax would lower prices below the limits
        raise input_error(f"tax_percent must be from 0 to 100, not {tax:g}.")
    return Policy(frozenset(params["spend"]), **options)


_T = t.TypeVar("_T")
_R = t.TypeVar("_R")


def _each(items: t.Sequence[_T], work: t.Callable[[_T], _R], stopped: list[dict[str, str]]) -> list[_R]:
    """Run the function for every item. Items that fail are recorded as stopped."""
    done: list[_R] = []
    for item in items:
        try:
            done.append(work(item))
        except GogetsslError as error:
            spec = item.spec if isinstance(item, Assessment) else t.cast(CertificateSpec, item)
            named = error.message.startswith(f"{spec.name}: ")
            reason = error.message if named else f"{spec.name}: {error.message}"
            stopped.append({"name": spec.name, "reason": reason})
    return done


TASK = api_task(ARGUMENT_SPEC, run, rules=RULES)
