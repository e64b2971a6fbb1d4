# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_certificate_info`: one read of a host, one judgement per certificate, no API call.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from . import _journal, _plan, _x509
from ._decision import Decision, Step
from ._errors import input_error
from ._spend import SPEND_SPEC, Policy
from ._task import Context, Result, Task
from ._wanted import CERTIFICATES_SPEC, CONTACTS_SPEC, Wanted, read_wanted

PASSWORD_LIFE = dt.timedelta(days=365)  # API reference 1.2
PASSWORD_WARNING = dt.timedelta(days=30)
TERM_WARNING = dt.timedelta(days=60)


def run(context: Context) -> Result:
    """Inspect and judge all certificates of the host."""
    wanted = read_wanted(context.params)
    found = _journal.inspect(context.shell, context.params["directory"], wanted)
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    unseen = [one.name for one in wanted if len(found[one.name].served) < len(one.listeners)]
    if unseen:
        context.warn(
            f"What is served cannot be looked at on this host ({', '.join(unseen)}): that takes the commands openssl"
            " and timeout, and ss and ip for address: all."
        )
    blind = [name for name, one in found.items() if one.certificate and one.key is None and not one.damage]
    if blind:
        context.warn(
            f"Whether the key belongs to its certificate cannot be told here ({', '.join(blind)}): that takes the"
            " command openssl."
        )
    for warning in (_password_ends(context.params["api_password_date"], now), *_terms_end(context, found, now)):
        if warning:
            context.warn(warning)
    judged = [(one, found[one.name], _plan.judge(one, found[one.name], now)) for one in wanted]

    def named(step: Step) -> list[str]:
        return [one.name for one, _state, decision in judged if decision.step is step]

    obtain, copy, install = named(Step.OBTAIN), named(Step.COPY), named(Step.INSTALL)
    published = any(state.published for state in found.values())
    leftovers = any(state.leftovers for state in found.values())
    stopped = [
        {"name": one.name, "reason": f"{one.name}: {decision.reason}."}
        for one, _state, decision in judged
        if decision.step is Step.STOP
    ]
    return {
        "changed": False,
        "check_mode": context.check_mode,
        "certificates": [describe(*judgement, now) for judgement in judged],
        "obtain": obtain,
        "to_copy": copy,
        "install": install,
        "stopped": stopped,
        # What a run left behind, records or halves of files, has to go even where the certificates are sound.
        "due": bool(obtain or copy or install or stopped or published or leftovers),
        "published": published,
        "leftovers": leftovers,
    }


def _password_ends(made: str | None, now: dt.datetime) -> str:
    """A warning before the end of the API's password, which nothing tells: only people know when it was made."""
    if not made:
        return ""
    try:
        ends = dt.date.fromisoformat(made) + PASSWORD_LIFE
    except ValueError:
        raise input_error(f"api_password_date takes a day such as 2026-11-24, not {made!r}.") from None
    if now.date() < ends - PASSWORD_WARNING:
        return ""
    ended = "has ended" if now.date() >= ends else "ends"
    return f"The API password of {made} {ended} on {ends}: make a new one in GoGetSSL's client area."


def _terms_end(context: Context, found: t.Mapping[str, _journal.HostState], now: dt.datetime) -> t.Iterator[str]:
    """Warnings for paid terms that end soon and that this run may not renew, from the hosts' journals alone."""
    spend = frozenset(context.params["spend"])
    if Policy(spend).allows(Step.RENEW):
        return
    for name, state in found.items():
        ends = _plan.term_end(state)
        if ends is not None and now.date() >= ends - TERM_WARNING:
            yield (
                f"{name}: the paid term of order {state.journal.order_id if state.journal else '?'} ends on {ends}, and"
                f" this run may not renew it: it may only: {', '.join(sorted(spend))}."
            )


def describe(wanted: Wanted, found: _journal.HostState, decision: Decision, now: dt.datetime) -> dict[str, t.Any]:
    """What was found and judged, as a result."""
    leaf = found.certificate
    due = _plan.due_on(wanted.name, leaf, _plan.term_end(found)) if leaf else None
    return {
        "name": wanted.name,
        "step": decision.step.value,
        "reason": decision.reason,
        "order_id": _order_id(wanted, found),
        "order_host": wanted.order_host,
        "complete": _plan.complete(wanted, found, now),
        "usable": _plan.usable(wanted, found, now),
        "urgent": _plan.urgent(found, now),
        "names": list(leaf.names) if leaf else [],
        "serial": leaf.serial if leaf else None,
        "sha256": leaf.sha256 if leaf else None,
        "issuer": leaf.issuer if leaf else None,
        "not_before": leaf.not_before.isoformat() if leaf else None,
        "not_after": leaf.not_after.isoformat() if leaf else None,
        "replace_from": due.isoformat() if due else None,
        "term_end": _iso(_plan.term_end(found)),
        "key_matches": found.key == leaf.public_key if leaf and found.key else None,
        "served": [
            {
                "listener": one.listener,
                "matches": leaf is not None and one.sha256 == leaf.sha256,
                "answers": one.sha256 is not None,
            }
            for one in found.served
        ],
    }


def _order_id(wanted: Wanted, found: _journal.HostState) -> int | None:
    """The order behind the certificate: of the journal, or of the host it was copied from."""
    if wanted.source:
        return found.origin.order_id if found.origin else None
    return found.journal.order_id if found.journal else None


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


OPTIONS = {"api_password_date": {"type": "str", "no_log": False}}
TASK = Task(
    argument_spec={**CERTIFICATES_SPEC, **CONTACTS_SPEC, **SPEND_SPEC, **OPTIONS}, run=run, needs=(_x509.CRYPTOGRAPHY,)
)
