# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_deploy`: installs certificates and makes their services serve them, in one visit.

What happens when is decided in `_deploy/machine.py`. This file holds the effects on the host.
"""

from __future__ import annotations

import dataclasses
import os
import select
import typing as t

from .._core.dates import iso
from .._core.errors import GogetsslError, host_error, input_error
from .._core.task import Context, Params, Result, Task
from .._crypto import x509
from .._deploy import commands, deliveries
from .._deploy.machine import Deployment, Machine
from .._deploy.progress import Entry, Progress, read_progress
from .._deploy.services import SLOW, Failure, Service, read_services
from .._host import journal
from .._order import lifetime
from .._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC, CertificateSpec, read_specs
from . import certificate, dcv_file, haproxy

SPEC: dict[str, t.Any] = {
    **CERTIFICATES_SPEC,
    **CONTACTS_SPEC,
    # Without suboptions: entries of other tasks' results are accepted with all their keys.
    "deliveries": {"type": "list", "elements": "dict", "default": []},
    "complete": {"type": "list", "elements": "str", "default": []},
    "dcv_files": {"type": "list", "elements": "dict", "default": []},
    "web_root": {"type": "path"},
    "incomplete": {"type": "list", "elements": "str", "default": []},
    "services": {"type": "dict", "default": {}},
    "hooks": {"type": "list", "elements": "str", "default": []},
    "hook_failure": {"type": "dict", "default": {}},
    "earlier": {"type": "dict", "default": {}},
    "haproxy_socket": {"type": "path"},
    "service_timeout": {"type": "int", "default": 60},
    "serve_timeout": {"type": "int", "default": 10},
    **{name: certificate.SPEC[name] for name in ("keep_versions", "trusted_roots", "store_password", "private_keys")},
    "keep_going": {"type": "bool", "default": False},
}
SLOW_SECONDS = 60  # for services that take long until they serve again
PAUSE_SECONDS = 1  # between two queries
_NO_HAPROXY = {"updated": [], "reload": False, "reason": "", "pid": 0}
# The result if nothing is due.
EMPTY: dict[str, t.Any] = {
    **{key: [] for key in ("certificates", "served", "stopped")},
    "dcv_files_left": False,
    **dict.fromkeys(("hook", "hook_run", "progress"), ""),
    "haproxy": _NO_HAPROXY,
}


class Host:
    """The effects of a deployment, on the host of this process."""

    def __init__(self, context: Context, specs: t.Mapping[str, CertificateSpec]) -> None:
        self.context, self.specs = context, specs
        self.changed = False
        self.differences: list[t.Any] = []
        self.haproxy: dict[str, t.Any] = dict(_NO_HAPROXY)
        self.dcv_files_left = False
        self._warned: set[str] = set()

    def proceed(self) -> None:
        """Stop if the output of this process is not read any more: its run has ended, and another may have begun."""
        ended = select.poll()
        ended.register(1, 0)  # the events are those that are always reported: errors, and the end of the reader
        if ended.poll(0):
            raise host_error("The run that started this task has ended. Nothing more is done.")

    def remove_dcv_files(self) -> None:
        """Remove the DCV files. A failure is a warning, because an issued certificate must be installed."""
        files, web_root = self.context.params["dcv_files"], self.context.params["web_root"]
        if not files:
            return
        if not web_root:
            raise input_error("dcv_files requires web_root.")
        params = {"files": files, "web_root": web_root, "state": "absent"}
        try:
            result = dcv_file.run(dataclasses.replace(self.context, params=params))
        except GogetsslError as error:
            self.dcv_files_left = True
            names = ", ".join(dict.fromkeys(str(one.get("file_name")) for one in files))
            self.warn(f"DCV files not removed: {names}. The next run tries again. {error}")
        else:
            self.changed = result["changed"]
            self.differences += result["diff"]

    def install(self, names: t.Sequence[str]) -> tuple[list[Entry], dict[str, str]]:
        problems: dict[str, str] = {}
        result = self._certificates(deliveries.to_install(self.context.params, names), "present", problems)
        self.changed = self.changed or result["changed"]
        self.differences += result["diff"]
        entries = [entry for entry in result["certificates"] if entry["name"] not in problems]
        return entries, {name: f"{name}: {why.removeprefix(f'{name}: ')}" for name, why in problems.items()}

    def restore(self, entries: t.Sequence[Entry]) -> None:
        self._certificates(entries, "previous")

    def confirm(self, entries: t.Sequence[Entry]) -> None:
        self._certificates(entries, "verified")

    def test(self, service: Service) -> Failure | None:
        return commands.test(self.context.shell, service, self.context.params["service_timeout"])

    def reload(self, service: Service, names: t.Sequence[str]) -> Failure | None:
        if service.name == "haproxy" and self.context.params["haproxy_socket"] and self._replaced(names):
            return None
        return commands.reload(self.context.shell, service, self.context.params["service_timeout"])

    def query(self, names: t.Sequence[str]) -> dict[str, Entry]:
        params = self.context.params
        found = journal.inspect(self.context.shell, params["directory"], [self.specs[name] for name in names])
        return {name: _describe(name, found[name]) for name in names}

    def pause(self) -> None:
        self.context.sleep(PAUSE_SECONDS)

    def journal(self, service: Service) -> list[str]:
        return commands.journal(self.context.shell, service)

    def _replaced(self, names: t.Sequence[str]) -> bool:
        """Whether the running HAProxy has taken the certificates. If not, a reload has the same effect."""
        params = {"certificates": names, "directory": self.context.params["directory"], "timeout": 10}
        given = {**params, "socket": self.context.params["haproxy_socket"]}
        result = haproxy.run(dataclasses.replace(self.context, params=given, warn=self.warn))
        self.haproxy = {key: result[key] for key in _NO_HAPROXY}
        return not result["reload"]

    def _certificates(
        self, entries: t.Sequence[Params], state: str, problems: dict[str, str] | None = None
    ) -> dict[str, t.Any]:
        """Run `gogetssl_certificate` in this process."""
        own = ("directory", "keep_versions", "trusted_roots", "store_password", "private_keys")
        params = {**{name: self.context.params[name] for name in own}, "certificates": entries, "state": state}
        return certificate.run(dataclasses.replace(self.context, params=params, warn=self.warn), problems)

    def warn(self, text: str) -> None:
        """Pass on each warning once."""
        if text not in self._warned:
            self._warned.add(text)
            self.context.warn(text)


def _describe(name: str, found: journal.HostState) -> Entry:
    """What is installed of a certificate, until when, and what its listeners serve."""
    leaf = found.certificate
    return {
        "not_after": iso(leaf.not_after) if leaf else "",
        "replace_from": iso(lifetime.due_on(name, leaf, lifetime.term_end(found))) if leaf else "",
        "listeners": [one.compared(leaf.sha256 if leaf else None) for one in found.served],
    }


def run(context: Context) -> Result:
    """Deploy, or continue a deployment after a task file of the user."""
    params = context.params
    for option in ("service_timeout", "serve_timeout"):
        if params[option] < 1:
            raise input_error(f"{option} must be at least 1.")
    specs = {one.name: one for one in read_specs(params)}
    earlier = read_progress(str(params["earlier"].get("progress") or ""))
    host = Host(context, specs)
    host.remove_dcv_files()
    if earlier.hook:
        machine = Machine(_wanted(params, earlier.entries), host, earlier)
        failure = params["hook_failure"]
        machine.proceed_after(str(failure.get("error")) if failure.get("run") == earlier.hook_run else "")
    else:
        names = deliveries.names_to_deploy(params, earlier.settled, earlier.retry)
        machine = Machine(_wanted(params, names), host, earlier.next_round())
        (machine.preview if context.check_mode else machine.start)()
    return _result(host, machine.progress, params["keep_going"])


def _wanted(params: Params, names: t.Collection[str]) -> Deployment:
    used_by = {one["name"]: one["services"] for one in params["certificates"]}
    used = dict.fromkeys(service for services in used_by.values() for service in services)
    slow = any(SLOW.intersection(used_by[name]) for name in names)
    return Deployment(
        names=tuple(name for name in used_by if name in names),
        used_by=used_by,
        services=read_services(used, params["services"], params["hooks"]),
        incomplete=params["incomplete"],
        attempts=max(params["serve_timeout"], SLOW_SECONDS if slow else 1) + 1,
        new_run=lambda: os.urandom(8).hex(),
    )


def _result(host: Host, progress: Progress, keep_going: bool) -> Result:
    reasons = list(dict.fromkeys(progress.stopped.values()))
    if reasons and not keep_going and not progress.hook:
        raise host_error(" ".join(reasons))
    return {
        "changed": host.changed or bool(progress.reloads or progress.confirmed),
        "certificates": list(progress.entries.values()),
        "served": [{"name": name, **found} for name, found in progress.served.items()],
        "stopped": [{"name": name, "reason": why} for name, why in progress.stopped.items()],
        "dcv_files_left": host.dcv_files_left,
        "hook": progress.hook,
        "hook_run": progress.hook_run,
        "haproxy": host.haproxy,
        "progress": progress.dump(),
        "diff": host.differences,
    }


TASK = Task(argument_spec=SPEC, run=run, needs=(x509.CRYPTOGRAPHY,))
