# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and requests, made on the host they are for and staged there until their certificate comes.

With `generator=gogetssl` the vendor makes the keys, which `_keys_from_afar.py` and the action plugin bring here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import os
import typing as t

from . import _files, _keys_from_afar, _names, _store, _x509
from ._api_options import API_SPEC
from ._store import OrderOf
from ._task import Context, Result, Task
from ._wanted import CERTIFICATES_SPEC, CONTACTS_SPEC, Wanted

# Where the parts of a CSR's subject come from.
_SUBJECT = {"C": "country", "ST": "region", "L": "city", "O": "name", "OU": "division"}


@dataclasses.dataclass(frozen=True)
class Found:
    """What is staged for a certificate."""

    key: _store.Key | None = None
    request: _x509.Request | None = None
    live_key: str | None = None  # the public half of the installed key
    order: OrderOf = OrderOf.NONE  # of the staged key
    outdated: bool = False  # the staged key was written before the moment that `rekey` names


class Action(enum.Enum):
    KEEP = "keep the staged pair"
    HOLD = "keep the staged pair although it does not match"
    SIGN = "sign a new CSR with the staged key"
    MAKE = "make a key and a CSR"


class Plan(t.NamedTuple):
    """What to do for one certificate, and why."""

    action: Action
    reason: str

    @property
    def changed(self) -> bool:
        return self.action in (Action.SIGN, Action.MAKE)


class Pair(t.NamedTuple):
    """A key and its CSR."""

    key: _store.Key
    request: _x509.Request


def plan(wanted: Wanted, found: Found) -> Plan:
    """Keep what may be paid for; otherwise a staged pair has to fit the wish and must not be the live one."""
    if found.key is None:
        return Plan(Action.MAKE, "no usable key is staged")
    if found.outdated and found.order is not OrderOf.OPEN:
        return Plan(Action.MAKE, "the staged key is older than wished for")
    if found.request is None or found.request.public_key != found.key.public_key:
        if found.order is not OrderOf.NONE or _fits_key(wanted, found.key):
            return Plan(Action.SIGN, "the staged key has no CSR of its own")
        return Plan(Action.MAKE, f"the staged key is not {wanted.key_type}")
    if found.key.public_key == found.live_key and found.order is not OrderOf.OPEN:
        return Plan(Action.MAKE, "the staged key is the installed one")
    difference = differences(wanted, found.key, found.request)
    if not difference:
        return Plan(Action.KEEP, "the staged pair matches the wish")
    if found.order is OrderOf.OPEN:
        return Plan(Action.HOLD, f"the staged pair has another {difference}, but an order may be open for it")
    if found.order is OrderOf.DONE and not _names.missing(found.request.names, wanted.names):
        return Plan(Action.HOLD, f"the staged pair has another {difference}, but its certificate can be installed")
    return Plan(Action.MAKE, f"the staged pair has another {difference}")


def differences(wanted: Wanted, key: _store.Key, request: _x509.Request) -> str:
    """In what a pair differs from the wish; empty when in nothing."""
    differs = {
        "common name": request.common_name != wanted.common_name,
        "set of names": set(request.names) != set(wanted.names),
        "key type": not _fits_key(wanted, key),
        "subject": _x509.subject_of_request(request.pem) != subject(wanted),
    }
    return " and ".join(part for part, different in differs.items() if different)


def subject(wanted: Wanted) -> dict[str, str]:
    """The subject of the CSR beside the common name: the organisation, where one is given."""
    parts = {key: wanted.organization.get(option, "") for key, option in _SUBJECT.items()}
    return {key: value for key, value in parts.items() if value}


def run(context: Context) -> Result:
    """Make what is missing, for all certificates or for none."""
    wishes = _keys_from_afar.check(context.params)
    from_afar = context.params["generator"] != "local"
    for wanted in wishes:
        _x509.check_subject(wanted.common_name, subject(wanted))
    with _files.os_errors_as_sentences():
        directory = _store.base_directory(context.params)
        if context.check_mode:
            return _report([_preview(wanted, _read(directory, wanted)) for wanted in wishes])
        _read_all(directory, wishes)  # every objection before the first write
        _files.make_directory(directory)
        with _files.locked(directory, context.sleep):
            done = [_apply(directory, wanted, from_afar) for wanted in wishes]
            return {**_report(done), **(_lacking(done) if from_afar else {})}


def _read_all(directory: str, wishes: t.Iterable[Wanted]) -> None:
    for wanted in wishes:
        _read(directory, wanted)


def _read(directory: str, wanted: Wanted) -> Found:
    paths = _store.paths(directory, wanted.name)
    key = _store.read_key(paths.staged)
    if key is None:
        return Found()
    serial = _store.linked(paths.current)
    live = _store.read_key(paths.version(serial)) if serial else None
    return Found(
        key=key,
        request=_store.read_request(paths.staged),
        live_key=live.public_key if live else None,
        order=_store.order_of(paths, key.public_key),
        outdated=_is_outdated(wanted, os.path.join(paths.staged, _store.KEY)),
    )


def _is_outdated(wanted: Wanted, path: str) -> bool:
    """True for a key that lay on the host when a wish for newer ones was made, even if no order has used it."""
    if isinstance(wanted.rekey, bool):
        return False
    made = dt.datetime.fromtimestamp(os.lstat(path).st_mtime, dt.timezone.utc)
    return made < wanted.rekey <= dt.datetime.now(dt.timezone.utc)


def _preview(wanted: Wanted, found: Found) -> tuple[Wanted, Plan, Found, Pair | None]:
    decided = plan(wanted, found)
    kept = Pair(found.key, found.request) if found.key and found.request and not decided.changed else None
    return wanted, decided, found, kept


def _apply(directory: str, wanted: Wanted, from_afar: bool) -> tuple[Wanted, Plan, Found, Pair | None]:
    """Carry out the plan; a key from afar that has not arrived yet is left for the next call."""
    paths = _store.paths(directory, wanted.name)
    _files.make_directory(paths.root)
    found = _read(directory, wanted)
    preview = _preview(wanted, found)
    decided = preview[1]
    key = _key_for(wanted, decided, found, paths, from_afar)
    if key is None:
        return preview
    csr = _x509.new_request(key.pem, wanted.names, subject(wanted))
    _files.sweep(paths.root)
    if decided.action is Action.SIGN:
        _files.sweep(paths.staged)
        _files.replace_file(os.path.join(paths.staged, _store.REQUEST), csr.encode("ascii"), _files.PUBLIC)
    else:
        files = {_store.KEY: key.pem, _store.REQUEST: csr.encode("ascii")}
        _files.discard(paths.staged)
        _files.write_directory(paths.staged, files, 0o700, {_store.REQUEST: _files.PUBLIC})
        _keys_from_afar.clear(paths)
    return wanted, decided, found, Pair(key, _x509.read_request(csr))


def _key_for(wanted: Wanted, decided: Plan, found: Found, paths: _store.Paths, from_afar: bool) -> _store.Key | None:
    """The key to sign with; None if nothing is to be signed, or if a key from afar is still to come."""
    if decided.action is Action.MAKE and from_afar:
        return _keys_from_afar.arrived(paths)
    _keys_from_afar.clear(paths)
    if not decided.changed:
        return None
    if decided.action is Action.SIGN and found.key:
        return found.key
    return _store.make_key(_x509.new_key(wanted.key_type))


def _lacking(done: t.Sequence[tuple[Wanted, Plan, Found, Pair | None]]) -> Result:
    """The certificates whose key the controller has to bring, which have not changed yet."""
    names = [wanted.name for wanted, decided, _found, pair in done if decided.changed and pair is None]
    return {_keys_from_afar.LACKING: names}


def _report(done: t.Sequence[tuple[Wanted, Plan, Found, Pair | None]]) -> Result:
    return {
        "changed": any(decided.changed for _wanted, decided, _found, _pair in done),
        "requests": [_entry(wanted, decided, pair) for wanted, decided, _found, pair in done],
        "diff": [_difference(*one) for one in done if one[1].changed],
    }


def _entry(wanted: Wanted, decided: Plan, pair: Pair | None) -> dict[str, t.Any]:
    request = pair.request if pair else None
    return {
        "name": wanted.name,
        "csr": request.pem if request else None,
        "common_name": request.common_name if request else wanted.common_name,
        "names": list(request.names if request else wanted.names),
        "key_type": request.key_type if request else wanted.key_type,
        "public_key": request.public_key if request else None,
        "matches_wish": not (pair and differences(wanted, *pair)),
        "reason": decided.reason,
        "changed": decided.changed,
    }


def _difference(wanted: Wanted, decided: Plan, found: Found, pair: Pair | None) -> dict[str, t.Any]:
    """Facts about the pairs before and after; keys have no place here."""
    after = _facts(pair.key, pair.request) if pair else _promised(wanted, decided, found)
    return {
        "before_header": f"{wanted.name} (staged)",
        "after_header": f"{wanted.name} (staged)",
        "before": _facts(found.key, found.request),
        "after": after,
    }


def _facts(key: _store.Key | None, request: _x509.Request | None) -> dict[str, t.Any]:
    facts: dict[str, t.Any] = {"key_type": key.key_type, "public_key": key.public_key} if key else {}
    if request:
        facts.update(names=list(request.names), subject=_x509.subject_of_request(request.pem))
    return facts


def _promised(wanted: Wanted, decided: Plan, found: Found) -> dict[str, t.Any]:
    """What check mode can say of a pair that is not made."""
    key = _facts(found.key, None) if decided.action is Action.SIGN else {"key_type": wanted.key_type}
    return {**key, "names": list(wanted.names), "subject": subject(wanted)}


def _fits_key(wanted: Wanted, key: _store.Key) -> bool:
    return key.key_type == wanted.key_type


TASK = Task(
    argument_spec={**API_SPEC, **CERTIFICATES_SPEC, **CONTACTS_SPEC, **_keys_from_afar.SPEC},
    run=run,
    needs=(_x509.CRYPTOGRAPHY,),
)
