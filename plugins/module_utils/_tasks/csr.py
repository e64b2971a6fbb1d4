# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and CSRs, created on the host that uses them and staged there until the certificate is issued.

With `generator=gogetssl` the vendor creates the keys. `_host/key_transfer.py` and the action plugin transfer them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import os
import typing as t

from .._api.options import API_SPEC
from .._core import names as _names
from .._core.errors import GogetsslError, input_error
from .._core.task import Context, Params, Result, Task
from .._crypto import x509
from .._deploy.services import check_command
from .._host import directory_lock, install, key_transfer, store
from .._host import files as _files
from .._host.store import OrderOf
from .._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC, CertificateSpec
from . import dcv_file

CSR_LIMIT = 4000  # characters, the vendor's limit for a CSR (API reference 5)
# Options of gogetssl_certificate, checked before the certificate is ordered.
INSTALLATION_SPEC: dict[str, t.Any] = {
    "keep_going": {"type": "bool", "default": False},
    "keep_versions": {"type": "int", "default": 3},
    "trusted_roots": {"type": "str"},
    "store_password": {"type": "str", "no_log": True},
    "services": {"type": "dict", "default": {}},
}
# The probe of the preflight, published in the same visit.
PROBE_SPEC: dict[str, t.Any] = {
    "probe_files": {"type": "list", "elements": "dict", "default": []},
    "web_root": {"type": "path"},
}
# Sources of the CSR's subject fields.
_SUBJECT = {"C": "country", "ST": "region", "L": "city", "O": "name", "OU": "division"}


@dataclasses.dataclass(frozen=True)
class StagedState:
    """What is staged for a certificate."""

    key: store.Key | None = None
    request: x509.Request | None = None
    live_key: str | None = None  # the public key of the installed certificate
    order: OrderOf = OrderOf.NONE  # of the staged key
    outdated: bool = False  # the staged key is older than the time that `rekey` names


class Action(enum.Enum):
    KEEP = "keep the staged pair"
    HOLD = "keep the staged pair although it does not match"
    SIGN = "sign a new CSR with the staged key"
    MAKE = "make a key and a CSR"


class Plan(t.NamedTuple):
    """What to do for one certificate, with the reason."""

    action: Action
    reason: str

    @property
    def changed(self) -> bool:
        return self.action in (Action.SIGN, Action.MAKE)


class Pair(t.NamedTuple):
    """A key and its CSR."""

    key: store.Key
    request: x509.Request


def plan_key(spec: CertificateSpec, found: StagedState) -> Plan:
    """Keep a pair that may have a paid order. Another staged pair must match the spec and differ from the live one."""
    if found.key is None:
        return Plan(Action.MAKE, "no usable key is staged")
    if found.outdated and found.order is not OrderOf.OPEN:
        return Plan(Action.MAKE, "the staged key is older than requested")
    if found.request is None or found.request.public_key != found.key.public_key:
        if found.order is not OrderOf.NONE or _fits_key(spec, found.key):
            return Plan(Action.SIGN, "the staged key has no CSR of its own")
        return Plan(Action.MAKE, f"the staged key is not {spec.key_type}")
    if found.key.public_key == found.live_key and found.order is not OrderOf.OPEN:
        return Plan(Action.MAKE, "the staged key is the installed one")
    difference = differences(spec, found.key, found.request)
    if not difference:
        return Plan(Action.KEEP, "the staged pair is as requested")
    if found.order is OrderOf.OPEN:
        return Plan(Action.HOLD, f"the staged pair has another {difference}, but an order may be open for it")
    fits = _has_names(spec, found.key, found.request) or not _names.missing(found.request.names, spec.names)
    if found.order is OrderOf.DONE and fits:
        return Plan(Action.HOLD, f"the staged pair has another {difference}, but its certificate can be installed")
    return Plan(Action.MAKE, f"the staged pair has another {difference}")


def new_request(spec: CertificateSpec, key: store.Key) -> str:
    """A CSR with all names. If it would be too long, only the common name: the order carries all names."""
    csr = x509.new_request(key.pem, spec.names, subject(spec))
    return csr if len(csr) <= CSR_LIMIT else x509.new_request(key.pem, spec.names[:1], subject(spec))


def _has_names(spec: CertificateSpec, key: store.Key, request: x509.Request) -> bool:
    """True if the CSR has the names of the spec, or only the common name because all names would be too long."""
    if set(request.names) == set(spec.names):
        return True
    return request.names == spec.names[:1] and len(x509.new_request(key.pem, spec.names, subject(spec))) > CSR_LIMIT


def differences(spec: CertificateSpec, key: store.Key, request: x509.Request) -> str:
    """The differences between a pair and the spec; empty if there are none."""
    differs = {
        "common name": request.common_name != spec.common_name,
        "set of names": not _has_names(spec, key, request),
        "key type": not _fits_key(spec, key),
        "subject": x509.subject_of_request(request.pem) != subject(spec),
    }
    return " and ".join(part for part, different in differs.items() if different)


def subject(spec: CertificateSpec) -> dict[str, str]:
    """The subject of the CSR without the common name: the organisation, if one is given."""
    parts = {key: spec.organization.get(option, "") for key, option in _SUBJECT.items()}
    return {key: value for key, value in parts.items() if value}


def run(context: Context) -> Result:
    """Create the missing keys and CSRs. Every problem is found before the first write."""
    params = context.params
    specs = key_transfer.check(params)
    from_afar = params["generator"] != "local"
    install.read_roots(params["trusted_roots"])
    if params["keep_versions"] < 1:
        raise input_error("gogetssl_keep_versions must be at least 1.")
    with _files.os_errors_as_sentences():
        directory = store.base_directory(params)
    stopped = _stopped(params, specs, directory)
    specs = tuple(spec for spec in specs if spec.name not in stopped)
    probe = {"probe_problem": _publish_probe(context)}
    with _files.os_errors_as_sentences():
        if context.check_mode:
            return {**_report([_preview(spec, _read(directory, spec)) for spec in specs], stopped), **probe}
        _files.make_directory(directory)
        with directory_lock.locked(directory, context.sleep):
            done = [_apply(directory, spec, from_afar) for spec in specs]
            return {**_report(done, stopped), **(_lacking(done) if from_afar else {}), **probe}


def _publish_probe(context: Context) -> str:
    """Publish the probe. A failure stops only the certificates that are validated by files, so it is returned."""
    files, web_root = context.params["probe_files"], context.params["web_root"]
    if not files:
        return ""
    if not web_root:
        raise input_error("probe_files requires web_root.")
    params = {"files": files, "web_root": web_root, "state": "present"}
    try:
        dcv_file.run(dataclasses.replace(context, params=params))
    except GogetsslError as error:
        return error.message
    return ""


def _stopped(params: Params, specs: t.Iterable[CertificateSpec], directory: str) -> dict[str, str]:
    """Return the certificates that get no key, with the reasons. Without `keep_going`, the first reason is raised."""
    services = {one["name"]: one["services"] for one in params["certificates"]}
    reasons = {}
    for spec in specs:
        try:
            _check(params, spec, services[spec.name])
            with _files.os_errors_as_sentences():
                _read(directory, spec)
        except GogetsslError as error:
            if not params["keep_going"]:
                raise
            named = error.message.startswith(f"{spec.name}: ")
            reasons[spec.name] = error.message if named else f"{spec.name}: {error.message}"
    return reasons


def _check(params: Params, spec: CertificateSpec, services: t.Iterable[str]) -> None:
    """Refuse a spec that `gogetssl_certificate` could not install, before its certificate is paid for."""
    install.check_terms(spec.name, spec.layout, params["store_password"])
    x509.check_subject(spec.common_name, subject(spec))
    for service in services:
        given = params["services"].get(service)
        if isinstance(given, dict):
            for option in ("test", "reload"):
                check_command(service, option, str(given.get(option) or ""))


def _read(directory: str, spec: CertificateSpec) -> StagedState:
    paths = store.paths(directory, spec.name)
    key = store.read_key(paths.staged)
    if key is None:
        return StagedState()
    serial = store.linked(paths.current)
    live = store.read_key(paths.version(serial)) if serial else None
    return StagedState(
        key=key,
        request=store.read_request(paths.staged),
        live_key=live.public_key if live else None,
        order=store.order_of(paths, key.public_key),
        outdated=_is_outdated(spec, os.path.join(paths.staged, store.KEY)),
    )


def _is_outdated(spec: CertificateSpec, path: str) -> bool:
    """True for a key created before the time in `rekey`, once that time has passed, even if no order has used it."""
    if isinstance(spec.rekey, bool):
        return False
    made = dt.datetime.fromtimestamp(os.lstat(path).st_mtime, dt.timezone.utc)
    return made < spec.rekey <= dt.datetime.now(dt.timezone.utc)


def _preview(spec: CertificateSpec, found: StagedState) -> tuple[CertificateSpec, Plan, StagedState, Pair | None]:
    decided = plan_key(spec, found)
    kept = Pair(found.key, found.request) if found.key and found.request and not decided.changed else None
    return spec, decided, found, kept


def _apply(
    directory: str, spec: CertificateSpec, from_afar: bool
) -> tuple[CertificateSpec, Plan, StagedState, Pair | None]:
    """Carry out the plan; a key from the vendor that has not been transferred yet is left for the next call."""
    paths = store.paths(directory, spec.name)
    _files.make_directory(paths.root)
    found = _read(directory, spec)
    preview = _preview(spec, found)
    decided = preview[1]
    key = _key_for(spec, decided, found, paths, from_afar)
    if key is None:
        return preview
    csr = new_request(spec, key)
    _files.sweep(paths.root)
    if decided.action is Action.SIGN:
        _files.sweep(paths.staged)
        _files.replace_file(os.path.join(paths.staged, store.REQUEST), csr.encode("ascii"), _files.PUBLIC)
    else:
        files = {store.KEY: key.pem, store.REQUEST: csr.encode("ascii")}
        _files.discard(paths.staged)
        _files.write_directory(paths.staged, files, 0o700, {store.REQUEST: _files.PUBLIC})
        key_transfer.clear(paths)
    return spec, decided, found, Pair(key, x509.read_request(csr))


def _key_for(
    spec: CertificateSpec, decided: Plan, found: StagedState, paths: store.Paths, from_afar: bool
) -> store.Key | None:
    """The key to sign with; None if no CSR is needed or the vendor's key has not been transferred yet."""
    if decided.action is Action.MAKE and from_afar:
        return key_transfer.arrived(paths)
    key_transfer.clear(paths)
    if not decided.changed:
        return None
    if decided.action is Action.SIGN and found.key:
        return found.key
    return store.make_key(x509.new_key(spec.key_type))


def _lacking(done: t.Sequence[tuple[CertificateSpec, Plan, StagedState, Pair | None]]) -> Result:
    """The certificates whose key the controller must transfer. They are not changed yet."""
    names = [spec.name for spec, decided, _found, pair in done if decided.changed and pair is None]
    return {key_transfer.LACKING: names}


def _report(
    done: t.Sequence[tuple[CertificateSpec, Plan, StagedState, Pair | None]], stopped: t.Mapping[str, str]
) -> Result:
    return {
        "changed": any(decided.changed for _wanted, decided, _found, _pair in done),
        "requests": [_entry(spec, decided, pair) for spec, decided, _found, pair in done],
        "diff": [_difference(*one) for one in done if one[1].changed],
        "stopped": [{"name": name, "reason": reason} for name, reason in stopped.items()],
    }


def _entry(spec: CertificateSpec, decided: Plan, pair: Pair | None) -> dict[str, t.Any]:
    request = pair.request if pair else None
    return {
        "name": spec.name,
        "csr": request.pem if request else None,
        "common_name": request.common_name if request else spec.common_name,
        "names": list(request.names if request else spec.names),
        "key_type": request.key_type if request else spec.key_type,
        "public_key": request.public_key if request else None,
        "matches_spec": not (pair and differences(spec, *pair)),
        "reason": decided.reason,
        "changed": decided.changed,
    }


def _difference(spec: CertificateSpec, decided: Plan, found: StagedState, pair: Pair | None) -> dict[str, t.Any]:
    """Facts about the pairs before and after, without private keys."""
    after = _facts(pair.key, pair.request) if pair else _promised(spec, decided, found)
    return {
        "before_header": f"{spec.name} (staged)",
        "after_header": f"{spec.name} (staged)",
        "before": _facts(found.key, found.request),
        "after": after,
    }


def _facts(key: store.Key | None, request: x509.Request | None) -> dict[str, t.Any]:
    facts: dict[str, t.Any] = {"key_type": key.key_type, "public_key": key.public_key} if key else {}
    if request:
        facts.update(names=list(request.names), subject=x509.subject_of_request(request.pem))
    return facts


def _promised(spec: CertificateSpec, decided: Plan, found: StagedState) -> dict[str, t.Any]:
    """What check mode can report about a pair that is not created."""
    key = _facts(found.key, None) if decided.action is Action.SIGN else {"key_type": spec.key_type}
    return {**key, "names": list(spec.names), "subject": subject(spec)}


def _fits_key(spec: CertificateSpec, key: store.Key) -> bool:
    return key.key_type == spec.key_type


TASK = Task(
    argument_spec={
        **API_SPEC,
        **CERTIFICATES_SPEC,
        **CONTACTS_SPEC,
        **key_transfer.SPEC,
        **INSTALLATION_SPEC,
        **PROBE_SPEC,
    },
    run=run,
    needs=(x509.CRYPTOGRAPHY,),
)
