# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_certificate`: installs certificates, takes over those in use, and takes versions back.

Everything is checked for all certificates before anything is written for the first.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import typing as t

from . import _adopt, _files, _install, _names, _retire, _settle, _store, _x509
from ._errors import GogetsslError, Kind, host_error, input_error
from ._labels import Labels
from ._store import Paths
from ._task import Context, Params, Result, Task
from ._wanted import DEFAULT_DIRECTORY

SPEC: dict[str, t.Any] = {
    # Without sub-options: entries of other tasks' results are taken as they are, whatever else they hold.
    "certificates": {"type": "list", "elements": "dict", "required": True},
    "directory": {"type": "path", "default": DEFAULT_DIRECTORY},
    "keep_versions": {"type": "int", "default": 3},
    "trusted_roots": {"type": "str"},
    "store_password": {"type": "str", "no_log": True, "fallback_env": "GOGETSSL_STORE_PASSWORD"},
    "private_keys": {"type": "dict", "default": {}, "no_log": True},
    "state": {"type": "str", "choices": ["present", "previous", "adopted", "settled", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
}


@dataclasses.dataclass(frozen=True)
class Installation:
    """A delivery, what was found for it and what is to be done."""

    paths: Paths
    delivery: _install.Delivery
    found: _install.Found
    plan: _install.Plan
    labels: Labels

    @property
    def changed(self) -> bool:
        return self.plan.changed

    def execute(self) -> None:
        _install.execute(self.paths, self.delivery, self.found, self.plan, self.labels)

    def entry(self) -> dict[str, t.Any]:
        return {
            "name": self.delivery.name,
            "serial": self.plan.serial,
            "previous_serial": self.plan.before or "",
            "path": self.paths.current,
            "not_after": self.delivery.leaf.not_after.isoformat(),
            "forms": list(self.delivery.layout.forms),
            "changed": self.plan.served_changed,
            "moved": self.plan.link,
            "unproven": self.plan.mark or self.found.unproven,
        }

    def difference(self) -> dict[str, t.Any]:
        before = {**_facts(self.paths, self.found.current), "versions": sorted(self.found.versions)}
        versions = {*self.found.versions, self.plan.serial} - {*self.plan.prune}
        after = {**_leaf_facts(self.delivery.leaf), "versions": sorted(versions)}
        wanted = _install.rights(self.delivery)
        after["files"] = {file: _rights_in_words(right) for file, right in wanted.items()}
        if self.found.current is not None:
            before["files"] = self._files_before(self.found.current, wanted)
        return _difference(self.delivery.name, before, after)

    def _files_before(self, serial: str, wanted: t.Mapping[str, _files.Rights]) -> dict[str, str]:
        """Of the files that are there: their rights, as far as there are wishes for them, or that they are damaged."""
        found: dict[str, str] = {}
        for file, right in wanted.items():
            real = _files.rights_of(os.path.join(self.paths.version(serial), file))
            if real is None:
                continue
            if serial == self.plan.serial and file in self.found.damaged:
                found[file] = "damaged"
                continue
            ids = (-1 if wish == -1 else number for wish, number in zip(right[1:], real[1:]))
            found[file] = _rights_in_words(_files.Rights(real.mode, *ids))
        return found


@dataclasses.dataclass(frozen=True)
class Return:
    """A way back: from one version to an earlier one, or to none."""

    name: str
    paths: Paths
    current: str | None
    target: str  # empty: there was none
    restage: bool  # the key left behind waits for its certificate again

    @property
    def changed(self) -> bool:
        return (self.current or "") != self.target

    def execute(self) -> None:
        """First the key is staged again, so that the next run finds it under its order; then services go back."""
        if not self.changed:
            return
        _files.sweep(self.paths.root)
        if self.restage and self.current:
            _store.restage(self.paths, self.current)
        if self.target:
            _files.replace_link(self.paths.current, self.target)
        else:
            _files.remove_link(self.paths.current)
        _files.remove(self.paths.unproven)

    def entry(self) -> dict[str, t.Any]:
        leaf = _store.read_certificate(self.paths.version(self.target)) if self.target else None
        return {
            "name": self.name,
            "serial": self.target,
            "previous_serial": self.current or "",
            "path": self.paths.current,
            "not_after": leaf.not_after.isoformat() if leaf else "",
            "forms": _store.forms_of(self.paths.version(self.target)) if self.target else [],
            "changed": self.changed,
            "moved": self.changed,
            "unproven": False,
        }

    def difference(self) -> dict[str, t.Any]:
        return _difference(self.name, _facts(self.paths, self.current), _facts(self.paths, self.target))


Step = t.Union[Installation, Return, _retire.Removal, _settle.Settlement]


def run(context: Context) -> Result:
    """Look at everything, and only then touch anything."""
    names = [_names.check_certificate_name(str(item.get("name"))) for item in context.params["certificates"]]
    if len(set(names)) != len(names):
        raise input_error("certificates lists a name twice.")
    if context.params["keep_versions"] < 1:
        raise input_error("keep_versions must be at least 1.")
    with _files.os_errors_as_sentences():
        directory = _store.base_directory(context.params)
        steps = _look(context, directory)
        if not context.check_mode and any(step.changed for step in steps):
            _files.make_directory(directory)  # of a host that makes no key of its own
            with _files.locked(directory, context.sleep):
                steps = _look(context, directory)  # another run may have been faster
                result = _report(steps)
                for step in steps:
                    step.execute()
                return result
        return _report(steps)


def _look(context: Context, directory: str) -> list[Step]:
    """The steps of all certificates, or one error that holds a sentence for each that has none."""
    steps: list[Step] = []
    problems: list[GogetsslError] = []
    looks: dict[str, t.Callable[[Context, str, Params], Step]]
    looks = {
        "present": _look_install,
        "previous": _look_return,
        "adopted": _look_adopt,
        "settled": _look_settlement,
        "absent": _look_removal,
    }
    look = looks[context.params["state"]]
    for item in context.params["certificates"]:
        try:
            steps.append(look(context, directory, item))
        except GogetsslError as error:
            problems.append(error)
    if problems:
        kind = Kind.HOST if any(error.kind is Kind.HOST for error in problems) else Kind.INPUT
        raise GogetsslError(" ".join(error.message for error in problems), kind)
    return steps


def _look_install(context: Context, directory: str, item: Params) -> Installation:
    paths = _store.paths(directory, item["name"])
    key = context.params["private_keys"].get(item["name"])
    delivery = _install.read_delivery(item, paths, _terms(context), key)
    labels = Labels(context.shell)
    found = _install.look(paths, delivery, labels)
    plan = _install.plan(delivery.leaf.serial, found, context.params["keep_versions"], delivery.unproven)
    return Installation(paths, delivery, found, plan, labels)


def _look_adopt(context: Context, directory: str, item: Params) -> Step:
    """Files in use elsewhere on the host become the first version; where there is one already, nothing is read."""
    name = item["name"]
    paths = _store.paths(directory, name)
    current = _store.linked(paths.current)
    if current is not None:
        return Return(name, paths, current, current, restage=False)
    pair = _adopt.read_pair(name, item.get("adopt_files"))
    given = {**item, "names": list(pair.names), "certificate": pair.certificate, "chain": pair.chain}
    delivery = _install.read_delivery(given, paths, _terms(context), pair.key)
    labels = Labels(context.shell)
    found = _install.look(paths, delivery, labels)
    plan = _install.plan(delivery.leaf.serial, found, context.params["keep_versions"], delivery.unproven)
    return Installation(paths, delivery, found, plan, labels)


def _terms(context: Context) -> _install.Terms:
    roots = context.params["trusted_roots"]
    return _install.Terms(
        now=dt.datetime.fromtimestamp(context.now(), dt.timezone.utc),
        password=context.params["store_password"],
        roots=_x509.read_certificates(roots.replace("\r\n", "\n"), "trusted_roots") if roots else (),
    )


def _look_return(_context: Context, directory: str, item: Params) -> Return:
    name, left, target = item["name"], item.get("serial"), item.get("previous_serial")
    if not isinstance(target, str) or (target and not _store.SERIAL.fullmatch(target)):
        raise input_error(f"{name}: state=previous needs previous_serial as state=present has returned it.")
    paths = _store.paths(directory, name)
    current = _store.linked(paths.current)
    if not (item.get("changed", True) and item.get("moved", True)):  # nothing to go back from
        return Return(name, paths, current, current or "", restage=False)
    if left and current not in (left, target or None):
        raise host_error(f"{name}: {paths.current} has moved on to {current or 'nothing'} meanwhile; left as it is.")
    if target and not _store.is_whole(paths.version(target)):
        raise host_error(f"{name}: version {target} is not there as a whole, so there is no way back to it.")
    # The key of a copy waits on the host that orders: nothing is ever ordered with it here.
    restage = _store.read_key(paths.staged) is None and not (current and _store.is_copy(paths.version(current)))
    return Return(name, paths, current, target, restage)


def _look_settlement(context: Context, directory: str, item: Params) -> _settle.Settlement:
    return _settle.look(directory, item, context.now())


def _look_removal(context: Context, directory: str, item: Params) -> _retire.Removal:
    return _retire.look(_store.paths(directory, item["name"]), item, context.params["force"])


def _report(steps: t.Sequence[Step]) -> Result:
    return {
        "changed": any(step.changed for step in steps),
        "certificates": [step.entry() for step in steps],
        "diff": [step.difference() for step in steps if step.changed],
    }


def _difference(name: str, before: t.Any, after: t.Any) -> dict[str, t.Any]:
    return {"before_header": f"{name} (current)", "after_header": f"{name} (current)", "before": before, "after": after}


def _rights_in_words(rights: _files.Rights) -> str:
    ids = [f"{what} {number}" for what, number in (("owner", rights.uid), ("group", rights.gid)) if number != -1]
    return " ".join((f"{rights.mode:04o}", *ids))


def _facts(paths: Paths, serial: str | None) -> dict[str, t.Any]:
    leaf = _store.read_certificate(paths.version(serial)) if serial else None
    return _leaf_facts(leaf) if leaf else {"serial": serial or None}


def _leaf_facts(leaf: t.Any) -> dict[str, t.Any]:
    return {
        "serial": leaf.serial,
        "names": list(leaf.names),
        "issuer": leaf.issuer,
        "not_after": leaf.not_after.isoformat(),
        "sha256": leaf.sha256,
    }


TASK = Task(argument_spec=SPEC, run=run, needs=(_x509.CRYPTOGRAPHY,))
