# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_certificate_fetch`: what the host that orders a certificate has for one that only uses it.

It runs against the ordering host. The first read is of public parts only; keys follow in a second one, and only those
of certificates that are to be copied.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import shlex
import typing as t

from . import _journal, _plan, _x509
from ._errors import GogetsslError, input_error
from ._journal import HostState, Origin
from ._shell import output
from ._task import Context, Result, Task
from ._wanted import CERTIFICATES_SPEC, CONTACTS_SPEC, Wanted, read_wanted

ARGUMENT_SPEC: dict[str, t.Any] = {
    **CERTIFICATES_SPEC,
    **CONTACTS_SPEC,
    # Without sub-options: the entries of gogetssl_certificate_info are taken as they are.
    "installed": {"type": "list", "elements": "dict", "default": []},
    "at_work": {"type": "list", "elements": "str", "default": []},
}


@dataclasses.dataclass(frozen=True)
class Have:
    """What the using host has installed, as its inspection found it."""

    sha256: str | None = None
    not_before: dt.datetime | None = None
    usable: bool = False  # it can be served as wished for, however soon it ends
    urgent: bool = True  # it is missing, broken or about to end


class Verdict(enum.Enum):
    """What becomes of one certificate."""

    COPY = "copy"
    WAIT = "wait"
    STOP = "stop"


class Decision(t.NamedTuple):
    """A verdict with its reason."""

    verdict: Verdict
    reason: str


def decide(wanted: Wanted, have: Have, theirs: HostState, at_work: bool, now: dt.datetime) -> Decision:
    """Copy what is better than what is there; otherwise wait, unless nothing would come of it in time."""
    owner = wanted.source
    problem = _plan.copy_problem(wanted, theirs, now)
    if not problem and theirs.certificate is not None:
        newer = _is_newer(theirs.certificate, have)
        # What nobody has seen services take does not replace anything good; where there is nothing, it can harm nobody.
        if not have.usable or (newer and not theirs.unproven):
            return Decision(Verdict.COPY, f"{owner} has a certificate for it")
        problem = "its services have not been seen to take its newest one yet" if newer else "it has nothing newer yet"
    if at_work or _plan.under_way(theirs) or (have.usable and not have.urgent):
        return Decision(Verdict.WAIT, f"waits for {owner}, which orders it: {problem}")
    return Decision(
        Verdict.STOP,
        f"{owner} orders it, but {problem}, and no order of its own is under way; run the play for {owner}",
    )


def _is_newer(leaf: _x509.Certificate, have: Have) -> bool:
    """True for another certificate that was not issued earlier: one that was taken back over there must not spread."""
    return leaf.sha256 != have.sha256 and (have.not_before is None or leaf.not_before >= have.not_before)


def run(context: Context) -> Result:
    """Look, decide, and fetch the keys of what is to be copied."""
    wanted = [dataclasses.replace(one, listeners=()) for one in read_wanted(context.params)]
    _check_source(wanted)
    have = {str(entry.get("name")): _read_have(entry) for entry in context.params["installed"]}
    found = _journal.inspect(context.shell, context.params["directory"], wanted)
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    at_work = context.params["at_work"]
    decided = [
        (one, decide(one, have.get(one.name, Have()), found[one.name], one.name in at_work, now)) for one in wanted
    ]
    copied = [one for one, decision in decided if decision.verdict is Verdict.COPY]
    keys, lost = ({}, {}) if context.check_mode else _fetch_keys(context, copied, found)
    return {
        "changed": False,
        "certificates": [_delivery(one, found[one.name]) for one in copied if one.name not in lost],
        "private_keys": keys,
        "waiting": _reasons(decided, Verdict.WAIT),
        "stopped": _reasons(decided, Verdict.STOP) + [{"name": name, "reason": lost[name]} for name in lost],
    }


def _check_source(wanted: t.Sequence[Wanted]) -> None:
    strays = [one.name for one in wanted if one.source is None]
    if strays:
        raise input_error(f"{', '.join(strays)}: host and order_host must name two hosts; there is nothing to fetch.")
    if len({one.source for one in wanted}) > 1:
        raise input_error("The certificates are ordered by different hosts; fetch those of one host at a time.")


def _read_have(entry: t.Mapping[str, t.Any]) -> Have:
    try:
        start = entry.get("not_before")
        return Have(
            entry.get("sha256"),
            dt.datetime.fromisoformat(start) if start else None,
            bool(entry["usable"]),
            bool(entry["urgent"]),
        )
    except (KeyError, ValueError, TypeError):
        raise input_error(
            "installed must hold entries of gogetssl_certificate_info, as it has returned them."
        ) from None


def _fetch_keys(
    context: Context, copied: t.Sequence[Wanted], found: t.Mapping[str, HostState]
) -> tuple[dict[str, str], dict[str, str]]:
    """The keys by certificate, read beside the very version that was looked at, and why some cannot be had."""
    if not copied:
        return {}, {}
    directory = context.params["directory"]
    paths = [f"{directory}/{one.name}/{_serial(found[one.name])}/privkey.pem" for one in copied]
    script = "\n".join(
        f"echo {shlex.quote(_journal.MARK + one.name)}; cat {shlex.quote(path)} || exit 13; echo"
        for one, path in zip(copied, paths)
    )
    parts = _journal.split_parts(output(context.shell(script), "Reading the private keys"))
    keys: dict[str, str] = {}
    lost: dict[str, str] = {}
    for one in copied:
        key = parts.get(one.name, "") + "\n"
        if _belongs(key, found[one.name]):
            keys[one.name] = key
        else:
            lost[one.name] = f"{one.name}: the private key of {one.source} does not belong to its certificate."
    return keys, lost


def _belongs(key: str, theirs: HostState) -> bool:
    certificate = theirs.certificate
    try:
        return certificate is not None and _x509.public_key_of_key(key.encode("ascii")) == certificate.public_key
    except (GogetsslError, UnicodeEncodeError):
        return False


def _serial(theirs: HostState) -> str:
    return theirs.certificate.serial if theirs.certificate else ""


def _delivery(wanted: Wanted, theirs: HostState) -> dict[str, t.Any]:
    """What gogetssl_certificate takes."""
    journal, leaf = theirs.journal, theirs.certificate
    own = journal if journal is not None and leaf is not None and journal.public_key == leaf.public_key else None
    known = own or theirs.origin
    origin = Origin(wanted.source or "", *((known.order_id, known.end_date, known.keyed) if known else ()))
    return {
        "name": wanted.name,
        "names": list(wanted.names),
        "certificate": leaf.pem if leaf else "",
        "chain": "".join(one.pem for one in theirs.chain),
        "origin": dataclasses.asdict(origin),
    }


def _reasons(decided: t.Iterable[tuple[Wanted, Decision]], verdict: Verdict) -> list[dict[str, str]]:
    return [
        {"name": one.name, "reason": f"{one.name}: {decision.reason}."}
        for one, decision in decided
        if decision.verdict is verdict
    ]


TASK = Task(argument_spec=ARGUMENT_SPEC, run=run, needs=(_x509.CRYPTOGRAPHY,), secret_result=True)
