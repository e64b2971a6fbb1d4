# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_certificate_info`: reads a host once, decides for each certificate, makes no API call."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._core.dates import iso
from .._core.errors import input_error
from .._core.task import Context, Result, Task
from .._crypto import x509
from .._host import file_notes, interrupted_files, journal
from .._order import installed, lifetime, plan, repeats
from .._order.decision import Decision, Step
from .._order.policy import SPEND_SPEC, Policy
from .._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC, CertificateSpec, read_specs

PASSWORD_LIFE = dt.timedelta(days=365)  # API reference 1.2
PASSWORD_WARNING = dt.timedelta(days=30)
TERM_WARNING = dt.timedelta(days=60)
INVALID = "invalid"  # the step of a certificate whose options are invalid


def run(context: Context) -> Result:
    """Inspect and evaluate all certificates of the host."""
    spec = read_specs(context.params)
    web_root, host = context.params["web_root"], context.params["host"] or ""
    probes = interrupted_files.probes_script(web_root, host) if web_root and host else ""
    found = _inspect(context, spec, probes)
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    for warning in _warnings(context, spec, found, now):
        context.warn(warning)
    evaluated = [(one, found[one.name], plan.evaluate_host(one, found[one.name], now)) for one in spec]

    def named(step: Step) -> list[str]:
        return [one.name for one, _state, decision in evaluated if decision.step is step]

    obtain, copy, install = named(Step.OBTAIN), named(Step.COPY), named(Step.INSTALL)
    flag_removed = [one.name for one in spec if one.name in obtain and repeats.flag_removed(one, found[one.name])]
    published = any(state.published for state in found.values())
    interrupted = any(state.interrupted_files for state in found.values())
    probe_files = interrupted_files.own_probes((name for state in found.values() for name in state.probes), host)
    unremoved = file_notes.read(
        next((state.unremoved for state in found.values()), ""), {name for one in spec for name in one.names}, host
    )
    stopped = _stops((one, decision) for one, _state, decision in evaluated)
    return {
        "changed": False,
        "check_mode": context.check_mode,
        "summary": [_summary(describe(*one, now)) for one in evaluated],
        "certificates": [describe(*one, now) for one in evaluated],
        "obtain": obtain,
        "to_copy": copy,
        "install": install,
        "stopped": stopped,
        # Files or records left by an interrupted run must be removed even if all certificates are valid.
        "due": bool(obtain or copy or install or stopped or published or unremoved or interrupted or probe_files),
        "published": published,
        "unremoved_files": unremoved,
        "flag_removed": flag_removed,
        "interrupted_files": interrupted,
        "probes": [{"file_name": name} for name in probe_files],
    }


def _inspect(context: Context, spec: t.Sequence[CertificateSpec], probes: str) -> dict[str, journal.HostState]:
    """Return the states, where one with an unreadable record applies to other certificates of the same name, too.

    An order of that name may belong to any of them.
    """
    directory, apart = context.params["directory"], context.params["keep_going"]
    found = journal.inspect(context.shell, directory, spec, probes, apart)
    unreadable = {one.common_name: found[one.name].unreadable for one in spec if found[one.name].unreadable}
    return {
        one.name: dataclasses.replace(found[one.name], unreadable=unreadable.get(one.common_name, "")) for one in spec
    }


def with_invalid(
    result: Result, given: t.Sequence[t.Mapping[str, t.Any]], invalid: t.Sequence[t.Mapping[str, t.Any]]
) -> Result:
    """Add the certificates with invalid options, which are not read, to a result of this task, in the order given."""
    order = [one["name"] for one in given]
    unread = [
        {**_UNREAD, "name": one["name"], "reason": one["reason"].removeprefix(f"{one['name']}: ").rstrip(".")}
        for one in invalid
    ]
    certificates = sorted([*result["certificates"], *unread], key=lambda one: order.index(one["name"]))
    stops = [{"name": one["name"], "reason": one["reason"]} for one in invalid]
    return {
        **result,
        "certificates": certificates,
        "summary": [_summary(one) for one in certificates],
        "stopped": [*result["stopped"], *stops],
        "due": True,
    }


def _summary(one: t.Mapping[str, t.Any]) -> str:
    """One line for a certificate, which `-v` shows even if nothing is due."""
    if one["not_after"] is None:
        return f"{one['name']}: {one['reason']}"
    ends = [f"valid until {one['not_after'][:10]}", f"to be replaced from {one['replace_from'][:10]}"]
    if one["term_end"]:
        ends.append(f"paid until {one['term_end'][:10]}")
    return f"{one['name']}: {', '.join(ends)}" + ("" if one["step"] == "keep" else f"; {one['step']}: {one['reason']}")


def _stops(decisions: t.Iterable[tuple[CertificateSpec, Decision]]) -> list[dict[str, str]]:
    """The stopped certificates, with their messages."""
    return [
        {"name": one.name, "reason": f"{one.name}: {decision.reason}."}
        for one, decision in decisions
        if decision.step is Step.STOP
    ]


def _warnings(
    context: Context, spec: t.Sequence[CertificateSpec], found: t.Mapping[str, journal.HostState], now: dt.datetime
) -> t.Iterator[str]:
    """What this host cannot check, and what ends soon."""
    unchecked = [one.name for one in spec if len(found[one.name].served) < len(one.listeners)]
    if unchecked:
        yield (
            f"{', '.join(unchecked)}: what is served cannot be checked on this host. Install openssl and timeout, and"
            " ss and ip for address: all."
        )
    without_key = [name for name, one in found.items() if one.certificate and one.key is None and not one.damage]
    if without_key:
        yield (
            f"{', '.join(without_key)}: whether the key belongs to the certificate cannot be checked on this host."
            " Install openssl."
        )
    yield from filter(
        None, (_password_ends(context.params["api_password_date"], now), *_terms_end(context, found, now))
    )


def _password_ends(made: str | None, now: dt.datetime) -> str:
    """A warning before the API password expires. Only the operator knows its creation date."""
    if not made:
        return ""
    try:
        ends = dt.date.fromisoformat(made) + PASSWORD_LIFE
    except ValueError:
        raise input_error(f"api_password_date takes a day such as 2026-11-24, not {made!r}.") from None
    if now.date() < ends - PASSWORD_WARNING:
        return ""
    ended = "has ended" if now.date() >= ends else "ends"
    return f"The API password of {made} {ended} on {ends}: generate a new one in GoGetSSL's client area."


def _terms_end(context: Context, found: t.Mapping[str, journal.HostState], now: dt.datetime) -> t.Iterator[str]:
    """Warnings for paid terms that end soon and that this run may not renew. Read only from the hosts' journals."""
    spend = frozenset(context.params["spend"])
    if Policy(spend).allows(Step.RENEW):
        return
    for name, state in found.items():
        ends = lifetime.term_end(state)
        if ends is not None and now.date() >= ends - TERM_WARNING:
            yield (
                f"{name}: the paid term of order {state.journal.order_id if state.journal else '?'} ends on {ends}, and"
                f" gogetssl_spend allows only: {', '.join(sorted(spend))}."
            )


def describe(spec: CertificateSpec, found: journal.HostState, decision: Decision, now: dt.datetime) -> dict[str, t.Any]:
    """The host state and the decision, as a result."""
    leaf = found.certificate
    due = lifetime.due_on(spec.name, leaf, lifetime.term_end(found)) if leaf else None
    return {
        "name": spec.name,
        "step": decision.step.value,
        "reason": decision.reason,
        "order_id": _order_id(spec, found),
        "product_id": found.journal.product_id if found.journal and not spec.source else None,
        "in_progress": not spec.source and bool(plan.unfinished(found)),
        "order_host": spec.order_host,
        "complete": installed.complete(spec, found, now),
        "usable": installed.usable(spec, found, now),
        "urgent": installed.urgent(found, now),
        "names": list(leaf.names) if leaf else [],
        "serial": leaf.serial if leaf else None,
        "sha256": leaf.sha256 if leaf else None,
        "issuer": leaf.issuer if leaf else None,
        "not_before": iso(leaf.not_before if leaf else None),
        "not_after": iso(leaf.not_after if leaf else None),
        "replace_from": iso(due),
        "term_end": iso(lifetime.term_end(found)),
        "key_type": leaf.key_type if leaf else None,
        "key_sent": iso(lifetime.key_sent(spec, found, leaf) if leaf else None),
        "damaged": leaf is None and bool(found.damage or found.key),
        "key_matches": found.key == leaf.public_key if leaf and found.key else None,
        "served": [
            {**one.compared(leaf.sha256 if leaf else None), "not_after": iso(one.not_after), "sha256": one.sha256}
            for one in found.served
        ],
        "unchecked_listeners": max(0, len(spec.listeners) - len(found.served)),
    }


# The same keys for a certificate that was not read.
_UNREAD: dict[str, t.Any] = {
    **dict.fromkeys(("order_id", "product_id", "order_host", "serial", "sha256", "issuer", "not_before", "not_after")),
    **dict.fromkeys(("replace_from", "term_end", "key_type", "key_sent", "key_matches")),
    **dict.fromkeys(("in_progress", "complete", "usable", "urgent", "damaged"), False),
    "step": INVALID,
    "names": [],
    "served": [],
    "unchecked_listeners": 0,
}


def _order_id(spec: CertificateSpec, found: journal.HostState) -> int | None:
    """The order of the certificate: from the journal, or from the host that it was copied from."""
    if spec.source:
        return found.origin.order_id if found.origin else None
    return found.journal.order_id if found.journal else None


OPTIONS = {
    "keep_going": {"type": "bool", "default": False},  # also has an effect in the action
    "api_password_date": {"type": "str", "no_log": False},
    "web_root": {"type": "path"},
}
TASK = Task(
    argument_spec={**CERTIFICATES_SPEC, **CONTACTS_SPEC, **SPEND_SPEC, **OPTIONS}, run=run, needs=(x509.CRYPTOGRAPHY,)
)
