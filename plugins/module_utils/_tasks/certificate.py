# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_certificate`: installs certificates, adopts existing ones, and rolls versions back.

All certificates are checked before the first file is written.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import os
import typing as t

from .._core import names as _names
from .._core.errors import GogetsslError, Kind, host_error, input_error
from .._core.task import Context, Params, Result, Task
from .._crypto import x509
from .._host import adopt, confirm, directory_lock, files, install, purge, retire, store
from .._host.labels import Labels
from .._host.store import Paths
from .._request.spec import DEFAULT_DIRECTORY

SPEC: dict[str, t.Any] = {
    # Without suboptions: entries of other tasks' results are accepted with all their keys.
    "certificates": {"type": "list", "elements": "dict", "required": True},
    "directory": {"type": "path", "default": DEFAULT_DIRECTORY},
    "keep_versions": {"type": "int", "default": 3},
    "trusted_roots": {"type": "str"},
    "store_password": {"type": "str", "no_log": True},
    "private_keys": {"type": "dict", "default": {}, "no_log": True},
    "state": {
        "type": "str",
        "choices": ["present", "previous", "adopted", "verified", "purged", "absent"],
        "default": "present",
    },
    "force": {"type": "bool", "default": False},
}


@dataclasses.dataclass(frozen=True)
class Installation:
    """A delivery, the current state for it, and the plan."""

    paths: Paths
    delivery: install.Delivery
    found: install.InstallationState
    plan: install.Plan
    labels: Labels

    @property
    def changed(self) -> bool:
        return self.plan.changed

    def execute(self) -> list[str]:
        return install.execute(self.paths, self.delivery, self.found, self.plan, self.labels)

    @property
    def warnings(self) -> list[str]:
        """Certificates omitted from the chain, if the version is written."""
        name, written = self.delivery.name, self.plan.write or self.plan.repair
        return [f"{name}: left out of the chain: {one}." for one in self.delivery.left_out] if written else []

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
            "unverified": self.plan.mark or self.found.unverified,
        }

    def difference(self) -> dict[str, t.Any]:
        before = {**_facts(self.paths, self.found.current), "versions": sorted(self.found.versions)}
        versions = {*self.found.versions, self.plan.serial} - {*self.plan.prune}
        after = {**_leaf_facts(self.delivery.leaf), "versions": sorted(versions)}
        expected = install.rights(self.delivery)
        after["files"] = {file: _describe_rights(right) for file, right in expected.items()}
        if self.found.current is not None:
            before["files"] = self._files_before(self.found.current, expected)
        return _difference(self.delivery.name, before, after)

    def _files_before(self, serial: str, expected: t.Mapping[str, files.Rights]) -> dict[str, str]:
        """For each existing file: `damaged`, or its mode and those of owner and group that the spec sets."""
        found: dict[str, str] = {}
        for file, right in expected.items():
            real = files.rights_of(os.path.join(self.paths.version(serial), file))
            if real is None:
                continue
            if serial == self.plan.serial and file in self.found.damaged:
                found[file] = "damaged"
                continue
            ids = (-1 if desired == -1 else number for desired, number in zip(right[1:], real[1:]))
            found[file] = _describe_rights(files.Rights(real.mode, *ids))
        return found


@dataclasses.dataclass(frozen=True)
class Return:
    """A rollback from one version to an earlier one, or to none."""

    name: str
    paths: Paths
    current: str | None
    target: str  # empty: no version was installed
    restage: bool  # stage the key again, as its order may still use it

    @property
    def changed(self) -> bool:
        return (self.current or "") != self.target

    def execute(self) -> list[str]:
        """Stage the key first, so that the next run finds it with its order. Then roll back the link."""
        if not self.changed:
            return []
        files.sweep(self.paths.root)
        if self.restage and self.current:
            store.restage(self.paths, self.current)
        if self.target:
            files.replace_link(self.paths.current, self.target)
        else:
            files.remove_link(self.paths.current)
        files.remove(self.paths.unverified)
        return []

    def entry(self) -> dict[str, t.Any]:
        leaf = store.read_certificate(self.paths.version(self.target)) if self.target else None
        return {
            "name": self.name,
            "serial": self.target,
            "previous_serial": self.current or "",
            "path": self.paths.current,
            "not_after": leaf.not_after.isoformat() if leaf else "",
            "forms": store.forms_of(self.paths.version(self.target)) if self.target else [],
            "changed": self.changed,
            "moved": self.changed,
            "unverified": False,
        }

    def difference(self) -> dict[str, t.Any]:
        return _difference(self.name, _facts(self.paths, self.current), _facts(self.paths, self.target))


Step = t.Union[Installation, Return, retire.Removal, confirm.Settlement, purge.Purge]


def run(context: Context, problems: dict[str, str] | None = None) -> Result:
    """Check all certificates before the first change; one error if any of them fails.

    With `problems`, each certificate is on its own: the error of one that fails is added there, by its name.
    """
    names = [_names.check_certificate_name(str(item.get("name"))) for item in context.params["certificates"]]
    if len(set(names)) != len(names):
        raise input_error("certificates lists a name twice.")
    if context.params["keep_versions"] < 1:
        raise input_error("gogetssl_keep_versions must be at least 1.")
    with files.os_errors_as_sentences():
        directory = store.base_directory(context.params)
        steps = _plan_steps(context, directory, problems)
        if not context.check_mode and any(step.changed for step in steps):
            files.make_directory(directory)  # missing on a host that creates no keys
            with directory_lock.locked(directory, context.sleep):
                # Another run may have changed the state before the lock.
                steps = _plan_steps(context, directory, problems)
                result = _report(context, steps)
                for entry, step in zip(result["certificates"], steps):
                    _execute(context, step, entry["name"], problems)
                return result
        return _report(context, steps)


def _execute(context: Context, step: Step, name: str, problems: dict[str, str] | None) -> None:
    try:
        with files.os_errors_as_sentences():
            for warning in step.execute():
                context.warn(warning)
    except GogetsslError as error:
        if problems is None:
            raise
        problems[name] = error.message


def _plan_steps(context: Context, directory: str, apart: dict[str, str] | None) -> list[Step]:
    """The steps of all certificates, or one error with a sentence for each certificate that failed."""
    steps: list[Step] = []
    problems: list[GogetsslError] = []
    planners: dict[str, t.Callable[[Context, str, Params], Step]]
    planners = {
        "present": _plan_install,
        "previous": _plan_rollback,
        "adopted": _plan_adoption,
        "verified": _plan_confirmation,
        "purged": _plan_purge,
        "absent": _plan_removal,
    }
    plan_step = planners[context.params["state"]]
    if apart is not None:
        apart.clear()
    for item in context.params["certificates"]:
        try:
            steps.append(plan_step(context, directory, item))
        except GogetsslError as error:
            problems.append(error)
            if apart is not None:
                apart[item["name"]] = error.message
    if problems and apart is None:
        kind = Kind.HOST if any(error.kind is Kind.HOST for error in problems) else Kind.INPUT
        raise GogetsslError(" ".join(error.message for error in problems), kind)
    return steps


def _plan_install(context: Context, directory: str, item: Params) -> Installation:
    paths = store.paths(directory, item["name"])
    key = context.params["private_keys"].get(item["name"])
    delivery = install.read_delivery(item, paths, _terms(context), key)
    labels = Labels(context.shell)
    found = install.read_installation(paths, delivery, labels)
    plan = install.plan_installation(delivery.leaf.serial, found, context.params["keep_versions"], delivery.unverified)
    return Installation(paths, delivery, found, plan, labels)


def _plan_adoption(context: Context, directory: str, item: Params) -> Step:
    """Files in use elsewhere on the host become the first version. If a version exists, nothing is read."""
    name = item["name"]
    paths = store.paths(directory, name)
    current = store.linked(paths.current)
    if current is not None:
        return Return(name, paths, current, current, restage=False)
    pair = adopt.read_pair(name, item.get("adopt_files"))
    given = {**item, "names": list(pair.names), "certificate": pair.certificate, "chain": pair.chain}
    delivery = install.read_delivery(given, paths, _terms(context), pair.key)
    labels = Labels(context.shell)
    found = install.read_installation(paths, delivery, labels)
    plan = install.plan_installation(delivery.leaf.serial, found, context.params["keep_versions"], delivery.unverified)
    return Installation(paths, delivery, found, plan, labels)


def _terms(context: Context) -> install.Terms:
    return install.Terms(
        now=dt.datetime.fromtimestamp(context.now(), dt.timezone.utc),
        password=context.params["store_password"],
        roots=install.read_roots(context.params["trusted_roots"]).certificates,
    )


def _plan_rollback(_context: Context, directory: str, item: Params) -> Return:
    name, left, target = item["name"], item.get("serial"), item.get("previous_serial")
    if not isinstance(target, str) or (target and not store.SERIAL.fullmatch(target)):
        raise input_error(f"{name}: state=previous needs previous_serial as state=present has returned it.")
    paths = store.paths(directory, name)
    current = store.linked(paths.current)
    if not (item.get("changed", True) and item.get("moved", True)):  # nothing to roll back
        return Return(name, paths, current, current or "", restage=False)
    if left and current not in (left, target or None):
        raise host_error(f"{name}: {paths.current} now points to {current or 'nothing'} and was not changed.")
    if target and not store.is_whole(paths.version(target)):
        raise host_error(f"{name}: version {target} is incomplete, so it cannot be restored.")
    # The key of a copy is staged on the ordering host: this host never orders with it.
    restage = store.read_key(paths.staged) is None and not (current and store.is_copy(paths.version(current)))
    return Return(name, paths, current, target, restage)


def _plan_confirmation(context: Context, directory: str, item: Params) -> confirm.Settlement:
    return confirm.read_settlement(directory, item, context.now())


def _plan_purge(_context: Context, directory: str, item: Params) -> purge.Purge:
    return purge.plan_purge(store.paths(directory, item["name"]), item)


def _plan_removal(context: Context, directory: str, item: Params) -> retire.Removal:
    return retire.plan_removal(store.paths(directory, item["name"]), item, context.params["force"])


def _report(context: Context, steps: t.Sequence[Step]) -> Result:
    for text in itertools.chain.from_iterable(step.warnings for step in steps if isinstance(step, Installation)):
        context.warn(text)
    unreadable = install.read_roots(context.params["trusted_roots"]).unreadable
    if unreadable:
        context.warn(f"gogetssl_trusted_roots: left out {unreadable} blocks that cannot be read as certificates.")
    return {
        "changed": any(step.changed for step in steps),
        "certificates": [step.entry() for step in steps],
        "diff": [step.difference() for step in steps if step.changed],
    }


def _difference(name: str, before: t.Any, after: t.Any) -> dict[str, t.Any]:
    return {"before_header": f"{name} (current)", "after_header": f"{name} (current)", "before": before, "after": after}


def _describe_rights(rights: files.Rights) -> str:
    ids = [f"{what} {number}" for what, number in (("owner", rights.uid), ("group", rights.gid)) if number != -1]
    return " ".join((f"{rights.mode:04o}", *ids))


def _facts(paths: Paths, serial: str | None) -> dict[str, t.Any]:
    leaf = store.read_certificate(paths.version(serial)) if serial else None
    return _leaf_facts(leaf) if leaf else {"serial": serial or None}


def _leaf_facts(leaf: t.Any) -> dict[str, t.Any]:
    return {
        "serial": leaf.serial,
        "names": list(leaf.names),
        "issuer": leaf.issuer,
        "not_after": leaf.not_after.isoformat(),
        "sha256": leaf.sha256,
    }


TASK = Task(argument_spec=SPEC, run=run, needs=(x509.CRYPTOGRAPHY,))
