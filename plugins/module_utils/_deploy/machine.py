# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The deployment of certificates on a host, as a state machine. All effects are passed in.

    check services -> install -> test services -> reload -> query listeners -> confirm
                                  |                |           |
                                  roll back        journal, roll back, test and reload again, query again

Only the certificates of a failing service or listener are rolled back. A run that ends anywhere leaves complete files,
and marks by which the next run detects what is left to do: it starts from the beginning.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.errors import GogetsslError
from . import report
from .progress import Entry, Group, Progress
from .services import Failure, Service


class Effects(t.Protocol):
    """What a deployment does on its host. Names are those of certificates."""

    def proceed(self) -> None:
        """Raise an error if the run that started this deployment has ended. Not called during a rollback."""

    def install(self, names: t.Sequence[str]) -> tuple[list[Entry], dict[str, str]]:
        """Install certificates, with marks that they are unverified; the entries, and why others were not installed."""

    def test(self, service: Service) -> Failure | None:
        """Test the configuration of a service, which changes nothing."""

    def reload(self, service: Service, names: t.Sequence[str]) -> Failure | None:
        """Make a service read its files again, those of these certificates."""

    def query(self, names: t.Sequence[str]) -> dict[str, Entry]:
        """Read what the listeners of the certificates serve."""

    def pause(self) -> None:
        """Wait for a second, between two queries."""

    def journal(self, service: Service) -> list[str]:
        """The last lines of a service in the system journal."""

    def restore(self, entries: t.Sequence[Entry]) -> None:
        """Make the previous versions the current ones; an error if that fails."""

    def confirm(self, entries: t.Sequence[Entry]) -> None:
        """Remove the marks of versions that their services have taken."""


@dataclasses.dataclass(frozen=True)
class Deployment:
    """What to deploy, in the order of the host's certificates."""

    names: tuple[str, ...]
    used_by: t.Mapping[str, t.Sequence[str]]  # certificate -> services, of all certificates of the host
    services: t.Mapping[str, Service]
    incomplete: t.Container[str] = ()  # certificates of the host with missing or damaged files before the deployment
    attempts: int = 11  # queries of the listeners, until they serve what they should
    new_run: t.Callable[[], str] = str  # an identifier of a run of a task file


class Machine:
    """One deployment. `start` begins it, and `proceed_after` continues it after a task file of the user."""

    def __init__(self, wanted: Deployment, effects: Effects, progress: Progress) -> None:
        self.wanted, self.effects, self.progress = wanted, effects, progress

    def start(self) -> None:
        """Deploy until the end, or until a task file of the user is due."""
        names = self._check(self.wanted.names)
        if names:
            self.effects.proceed()
        self._install(names)
        self._test()
        self._advance()

    def preview(self) -> None:
        """What would be installed. Services are left alone."""
        self._install(self.wanted.names)

    def proceed_after(self, error: str) -> None:
        """Continue after the task file of a service has ended, with an error or with an empty text."""
        service, self.progress.hook = self.progress.hook, ""
        self._reloaded(self.wanted.services[service], Failure(report.sentence(error)) if error else None)
        self._advance()

    # The stages

    def _check(self, names: t.Sequence[str]) -> list[str]:
        """The certificates whose services are in a condition to take them. Nothing has changed so far.

        The configuration may name certificate files that do not exist yet or are damaged. Then only a missing program
        is an error, and the test after the installation decides.
        """
        left = list(names)
        for service in self._services(names):
            failure = None if service.hook else self._tried(service)
            if failure is None:
                continue
            users = [name for name, services in self.wanted.used_by.items() if service.name in services]
            if not failure.missing and any(name in self.wanted.incomplete for name in users):
                self.progress.deferred.append(service.name)
                continue
            refused = [name for name in left if name in users]
            left = [name for name in left if name not in users]
            if refused:
                why = report.not_installed(refused, service.name, failure.missing, failure.error)
                self.progress.stopped.update(dict.fromkeys(refused, why))
        return left

    def _install(self, names: t.Sequence[str]) -> None:
        if not names:
            return
        entries, problems = self.effects.install(names)
        self.progress.entries.update({entry["name"]: entry for entry in entries})
        self.progress.live = [entry["name"] for entry in entries]
        self.progress.stopped.update(problems)

    def _test(self) -> None:
        """Test all services with the new files, before any service has read them. What is rejected is rolled back."""
        progress = self.progress
        while True:
            groups = []
            for service in self._services(progress.live):
                failure = None if service.hook else self._tried(service)
                names = self._users(service, progress.live)
                if failure is None or not names:
                    continue
                groups.append(Group(names, f"Test the configuration of {service.name}: {failure.error}", False))
                self._drop(names)
                if self._lacks_others(service):
                    progress.retry += names
            if not groups:
                return
            for group in groups:
                self._restore(group)
                self._report(group, ())

    def _advance(self) -> None:
        """Reload what is left to reload, then verify. Returns early if a task file of the user comes next."""
        progress = self.progress
        while True:
            service = self._next()
            if service is None:
                break
            if service.hook:
                progress.hook, progress.hook_run = service.name, self.wanted.new_run()
                return
            self._reload(service)
        if progress.restoring:
            self._settle()
            return
        self._verify()
        if progress.groups:
            self._roll_back()
            self._advance()

    def _reload(self, service: Service) -> None:
        if self.progress.restoring:
            failure = self.effects.test(service) or self.effects.reload(service, self._restored())
        else:
            self.effects.proceed()
            failure = self.effects.reload(service, self._users(service, self.progress.live))
        self._reloaded(service, failure)

    def _reloaded(self, service: Service, failure: Failure | None) -> None:
        progress = self.progress
        progress.done.append(service.name)
        progress.reloads += service.reloads
        if failure is None:
            return
        if not progress.restoring:
            names = self._users(service, progress.live)
            progress.groups.append(Group(names, f"Reload {service.name}: {failure.error}", True))
            self._drop(names)
            return
        # A service that cannot be reloaded does not keep the others from their previous version.
        cause = f"{service.name} could not be reloaded with the previous version: {failure.error}"
        for group in progress.groups:
            if any(service.name in self.wanted.used_by[name] for name in group.names):
                group.cause += f" {cause}"

    def _verify(self) -> None:
        """Compare what is served, and confirm what is right."""
        progress = self.progress
        found = self._query(progress.live, self.effects.proceed)
        progress.served.update(found)
        unserved = [name for name in progress.live if any(not one["matches"] for one in found[name]["listeners"])]
        if unserved:
            wrong = [one for name in unserved for one in found[name]["listeners"] if not one["matches"]]
            progress.groups.append(Group(unserved, report.listener_error(wrong), True))
            self._drop(unserved)
        marked = [progress.entries[name] for name in progress.live if progress.entries[name]["unverified"]]
        if marked:
            self.effects.confirm(marked)
            progress.confirmed += len(marked)

    def _roll_back(self) -> None:
        """Read the journals first: what is written next to them is about the rollback."""
        progress = self.progress
        for group in progress.groups:
            group.journals = {one.name: self.effects.journal(one) for one in self._services(group.names)}
        for group in progress.groups:
            self._restore(group)
        progress.restoring, progress.done = True, []

    def _settle(self) -> None:
        """Verify that the previous versions are served, and report."""
        restored = self._restored()
        found = self._query(restored, lambda: None)
        for group in self.progress.groups:
            names = [name for name in group.names if name in restored]
            self._report(group, [one for name in names for one in found[name]["listeners"]])

    # Their parts

    def _tried(self, service: Service) -> Failure | None:
        self.effects.proceed()
        return self.effects.test(service)

    def _query(self, names: t.Sequence[str], before: t.Callable[[], None]) -> dict[str, Entry]:
        """What the listeners serve, queried until it is right or the attempts are used up."""
        if not names:
            return {}
        for left in range(self.wanted.attempts - 1, -1, -1):
            before()
            found = self.effects.query(names)
            if not left or all(one["matches"] for entry in found.values() for one in entry["listeners"]):
                break
            self.effects.pause()
        return found

    def _restore(self, group: Group) -> None:
        """Restore the previous versions of a group, except first versions that services may need to start."""
        entries = [self.progress.entries[name] for name in group.names]
        moved = [entry for entry in entries if entry["changed"] and entry["moved"]]
        group.kept = [entry["name"] for entry in moved if self._is_kept(entry, group.reloaded)]
        back = [entry for entry in moved if entry["name"] not in group.kept]
        if not back:
            return
        try:
            self.effects.restore(back)
        except GogetsslError as error:  # reported beside the service's error
            group.failure = error.message

    def _is_kept(self, entry: Entry, reloaded: bool) -> bool:
        """A first version is removed only if it is the cause: its services accepted their configuration without it."""
        services = self.wanted.used_by[entry["name"]]
        return not entry["previous_serial"] and (reloaded or any(one in self.progress.deferred for one in services))

    def _report(self, group: Group, listeners: t.Sequence[Entry]) -> None:
        why = report.rollback_report(group.rolled_back(self.progress.entries, listeners))
        self.progress.stopped.update(dict.fromkeys(group.names, why))

    def _restored(self) -> list[str]:
        """The certificates whose previous version is to be served again."""
        entries = self.progress.entries
        return [
            name
            for group in self.progress.groups
            if not group.failure
            for name in group.names
            if entries[name]["changed"] and entries[name]["moved"] and entries[name]["previous_serial"]
        ]

    def _next(self) -> Service | None:
        """The next service to reload in this stage."""
        names = self._restored() if self.progress.restoring else self.progress.live
        return next((one for one in self._services(names) if one.name not in self.progress.done), None)

    def _services(self, names: t.Collection[str]) -> list[Service]:
        """The services of certificates, each once."""
        used = dict.fromkeys(one for name, services in self.wanted.used_by.items() if name in names for one in services)
        return [self.wanted.services[name] for name in used]

    def _users(self, service: Service, names: t.Collection[str]) -> list[str]:
        return [name for name in names if service.name in self.wanted.used_by[name]]

    def _drop(self, names: t.Container[str]) -> None:
        self.progress.live = [name for name in self.progress.live if name not in names]

    def _lacks_others(self, service: Service) -> bool:
        """Whether the service also uses a certificate without its files that this deployment does not bring."""
        return any(
            service.name in services and name in self.wanted.incomplete and name not in self.progress.entries
            for name, services in self.wanted.used_by.items()
        )
