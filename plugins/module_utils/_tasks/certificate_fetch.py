# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_certificate_fetch`: fetches certificates from the ordering host for a host that uses them.

It runs on the ordering host. The first read contains only public parts. A second one reads keys, and only those of
certificates to copy.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import shlex
import typing as t

from .._core.errors import GogetsslError, input_error
from .._core.shell import output
from .._core.task import Context, Result, Task
from .._crypto import x509
from .._host import journal as _journal
from .._host.journal import HostState, Origin
from .._order import installed, plan
from .._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC, CertificateSpec, read_specs

ARGUMENT_SPEC: dict[str, t.Any] = {
    **CERTIFICATES_SPEC,
    **CONTACTS_SPEC,
    # Without suboptions: the entries of gogetssl_certificate_info are accepted as they are.
    "installed": {"type": "list", "elements": "dict", "default": []},
    "in_progress": {"type": "list", "elements": "str", "default": []},
}


@dataclasses.dataclass(frozen=True)
class Have:
    """The certificate installed on the using host, as inspected there."""

    sha256: str | None = None
    not_before: dt.datetime | None = None
    usable: bool = False  # it matches the spec, however soon it expires
    urgent: bool = True  # it is missing, broken or about to expire


class Verdict(enum.Enum):
    """What to do for one certificate."""

    COPY = "copy"
    WAIT = "wait"
    STOP = "stop"


class Decision(t.NamedTuple):
    """A verdict with its reason."""

    verdict: Verdict
    reason: str


def decide(spec: CertificateSpec, have: Have, theirs: HostState, in_progress: bool, now: dt.datetime) -> Decision:
    """Copy a better certificate. Otherwise wait, or stop if none would be issued in time."""
    owner = spec.source
    problem = installed.copy_problem(spec, theirs, now)
    if not problem and theirs.certificate is not None:
        newer = _is_newer(theirs.certificate, have)
        # An unverified certificate never replaces a usable one. Without a usable one it can do no harm.
        if not have.usable or (newer and not theirs.unverified):
            return Decision(Verdict.COPY, f"{owner} has a certificate for it")
        problem = "its services have not been seen to take its newest one yet" if newer else "it has nothing newer yet"
    if in_progress or plan.under_way(theirs) or (have.usable and not have.urgent):
        return Decision(Verdict.WAIT, f"waits for {owner}, which orders it: {problem}")
    return Decision(
        Verdict.STOP,
        f"{owner} orders it, but {problem}, and no order of its own is under way; run the play for {owner}",
    )


def _is_newer(leaf: x509.Certificate, have: Have) -> bool:
    """True for another certificate that was not issued earlier: a rollback on the ordering host must not spread."""
    return leaf.sha256 != have.sha256 and (have.not_before is None or leaf.not_before >= have.not_before)


def run(context: Context) -> Result:
    """Read the host state, decide, and fetch the keys of the certificates to copy."""
    spec = [dataclasses.replace(one, listeners=()) for one in read_specs(context.params)]
    _check_source(spec)
    have = {str(entry.get("name")): _read_have(entry) for entry in context.params["installed"]}
    found = _journal.inspect(context.shell, context.params["directory"], spec)
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    in_progress = context.params["in_progress"]
    decided = [
        (one, decide(one, have.get(one.name, Have()), found[one.name], one.name in in_progress, now)) for one in spec
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


def _check_source(spec: t.Sequence[CertificateSpec]) -> None:
    strays = [one.name for one in spec if one.source is None]
    if strays:
        raise input_error(f"{', '.join(strays)}: host and order_host must name two hosts; there is nothing to fetch.")
    if len({one.source for one in spec}) > 1:
        raise input_error("The certificates are ordered by different hosts; fetch those of one host at a time.")


def _read_have(entry: t.Mapping[str, t.Any]) -> Have:
    try:
        start = entry.get("not_before")
        return Have(
            entry.get("sha256"),
            dt.datetime.fromisoformat(start).astimezone(dt.timezone.utc) if start else None,
            bool(entry["usable"]),
            bool(entry["urgent"]),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        raise input_error(
            "installed must hold entries of gogetssl_certificate_info, as it has returned them."
        ) from None


def _fetch_keys(
    context: Context, copied: t.Sequence[CertificateSpec], found: t.Mapping[str, HostState]
) -> tuple[dict[str, str], dict[str, str]]:
    """The keys by certificate, read from the version that was inspected, and the reasons for missing keys."""
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
        return certificate is not None and x509.public_key_of_key(key.encode("ascii")) == certificate.public_key
    except (GogetsslError, UnicodeEncodeError):
        return False


def _serial(theirs: HostState) -> str:
    return theirs.certificate.serial if theirs.certificate else ""


def _delivery(spec: CertificateSpec, theirs: HostState) -> dict[str, t.Any]:
    """The input of gogetssl_certificate."""
    journal, leaf = theirs.journal, theirs.certificate
    own = journal if journal is not None and leaf is not None and journal.public_key == leaf.public_key else None
    known = own or theirs.origin
    origin = Origin(spec.source or "", *((known.order_id, known.end_date, known.keyed) if known else ()))
    return {
        "name": spec.name,
        "names": list(spec.names),
        "certificate": leaf.pem if leaf else "",
        "chain": "".join(one.pem for one in theirs.chain),
        "origin": dataclasses.asdict(origin),
    }


def _reasons(decided: t.Iterable[tuple[CertificateSpec, Decision]], verdict: Verdict) -> list[dict[str, str]]:
    return [
        {"name": one.name, "reason": f"{one.name}: {decision.reason}."}
        for one, decision in decided
        if decision.verdict is verdict
    ]


TASK = Task(argument_spec=ARGUMENT_SPEC, run=run, needs=(x509.CRYPTOGRAPHY,), secret_result=True)
