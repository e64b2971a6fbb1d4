# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: publishes DCV records with a DNS provider, verifies before an order that it can, and removes the records.

All orders are handled at once and, if that fails, each by itself, so that only the failing one stops. Records are noted
on the host before they are published, and the note is removed after they are.
"""

from __future__ import annotations

import typing as t

from .._core import apart, libraries, locks
from .._core.errors import LONGEST_MESSAGE, GogetsslError, host_error, input_error
from .._core.task import Context, Result, Task
from .._core.text import LIMIT, printable, shortened
from .._dns import providers
from .._dns import records as _records
from .._dns.places import PLACES_SPEC, read_places
from .._dns.records import Record
from .._dns.resolver import DNSPYTHON
from .._host import dns_notes
from .._request.spec import DEFAULT_DIRECTORY
from . import dcv_dns, dcv_dns_info

SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["verified", "present", "absent"], "default": "present"},
    # Without suboptions: entries of other tasks' results are accepted with all their keys.
    "certificates": {"type": "list", "elements": "dict", "default": []},
    "validations": {"type": "list", "elements": "dict", "default": []},
    "pending_order_ids": {"type": "list", "elements": "int", "default": []},
    "managed_certificates": {"type": "list", "elements": "str"},
    "keep_records": {"type": "bool", "default": False},
    "provider": {"type": "str", "default": ""},
    "hooks": {"type": "list", "elements": "str", "default": []},
    "hooked": {"type": "list", "elements": "dict"},
    "hook_failures": {"type": "list", "elements": "dict", "default": []},
    "directory": {"type": "path", "default": DEFAULT_DIRECTORY},
    **PLACES_SPEC,
}
Batches = t.Mapping[t.Any, t.Sequence[Record]]  # by order, or by certificate before the order


def run(context: Context) -> Result:
    """Verify, publish or remove. With `hooked`, complete a removal by the user's task files."""
    publication = _Publication(context)
    state = context.params["state"]
    if state == "verified":
        return publication.verify()
    if state == "present" and context.params["hooked"] is None:
        return publication.publish()
    try:
        return publication.remove() if context.params["hooked"] is None else publication.complete()
    except GogetsslError as error:  # delays nothing: the notes stay
        return publication.not_removed(error.message)


class _Publication:
    """The steps of one task, and what they have changed."""

    def __init__(self, context: Context) -> None:
        if context.publish is None or context.variable is None:
            raise input_error("gogetssl_publish_dns runs on the controller, and not with async.")
        self.context, self.params = context, context.params
        self.send, self.variable = context.publish, context.variable
        self.changed = False
        self.differences: list[t.Any] = []

    def verify(self) -> Result:
        """Whether the records of the certificates could be published. Nothing is changed."""
        names = dcv_dns_info.dns_names(self.params["certificates"])
        provider = self.params["provider"]
        try:
            _check_dnspython(names)
            if names and provider not in self.params["hooks"]:
                providers.check(provider, self.variable)
            batches, stops = dcv_dns_info.probe_records(read_places(self.params), names, self.params["ttl"])
        except GogetsslError as error:
            batches, stops = {}, dict.fromkeys(names, error.message)
        if provider in self.params["hooks"]:
            hooks = [self._call("name", name, records, verify_only=True) for name, records in batches.items()]
            return self._result("name", stops, hooks)
        stops.update(apart.failures(batches, lambda keys: self._send(_of(batches, keys), verify_only=True)))
        return self._result("name", stops)

    def publish(self) -> Result:
        """Publish the missing records, after the removal of old ones of the same names."""
        order_ids = dict.fromkeys(int(one.get("order_id") or 0) for one in self.params["validations"])
        try:
            _check_dnspython(order_ids)
            plan = dcv_dns.plan_records(self.context, read_places(self.params))
        except GogetsslError as error:
            return self._result("order_id", dict.fromkeys(order_ids, error.message))
        stops = {one["order_id"]: one["reason"] for one in reversed(plan.stopped)}
        missing, replaced = _by_order(plan.missing), _by_order(plan.replaced)
        due: dict[int, None] = dict.fromkeys([*missing, *replaced])
        hooks: list[Result] = []
        if self.context.check_mode:
            pass
        elif self.params["provider"] in self.params["hooks"]:
            for order_id in due:
                hooks += self._calls(order_id, replaced, "absent") + self._calls(order_id, missing, "present")
        else:

            def act(order_ids: t.Sequence[int]) -> None:
                self._send(_of(replaced, order_ids), "absent")
                self._send(_of(missing, order_ids))

            stops.update(apart.failures(due, act))
        return {**self._result("order_id", stops, hooks), "cached": plan.cached}

    def remove(self) -> Result:
        """Remove the noted records of orders that no longer need them. A failure delays nothing: the note stays.

        A host can note any records, so only those of the certificates' names are removed.
        """
        noted = dcv_dns_info.stale_records(self.context)
        names = [name for one in self.params["certificates"] for name in one.get("names") or ()]
        ours = _records.of_names(noted, names, _records.read_alias(self.params["alias"]))
        stale: Batches = {**dict.fromkeys(_by_order(noted), ()), **_by_order(ours)}
        self._report_foreign([record for record in noted if record not in ours])
        if self.context.check_mode or self.params["keep_records"]:
            self._delete_notes(stale)
            return self._result("order_id", {})
        own = {key: [one for one in found if one.provider not in self.params["hooks"]] for key, found in stale.items()}
        users = {key: [one for one in found if one.provider in self.params["hooks"]] for key, found in stale.items()}
        stops = apart.failures(own, lambda order_ids: self._send(_of(own, order_ids), "absent"))
        self._report(stale, stops)
        self._delete_notes([key for key in stale if key not in stops and not users[key]])
        hooks = [call for key in stale if key not in stops for call in self._calls(key, users, "absent")]
        return self._result("order_id", stops, hooks)

    def complete(self) -> Result:
        """Delete the notes of the records that the user's task files have removed."""
        noted = _by_order(dns_notes.read(self.context.shell, self.params["directory"]))
        order_ids = list(dict.fromkeys(int(one["order_id"]) for one in self.params["hooked"]))
        failed = {one.get("order_id"): str(one.get("reason")) for one in self.params["hook_failures"]}
        stops = {key: failed[key] for key in order_ids if key in failed}
        self._report(noted, stops)
        self._delete_notes([key for key in order_ids if key in noted and key not in stops])
        return self._result("order_id", stops)

    def not_removed(self, reason: str) -> Result:
        """The result of a removal that was not possible at all."""
        if self.context.show:
            self.context.show(f"DCV records not removed. The next run tries again. {reason}")
        return self._result("order_id", {})

    def _send(self, records: t.Sequence[Record], state: str = "present", verify_only: bool = False) -> None:
        """Run the module of each record's provider. Hosts of a run take turns: they may change the same set."""
        for name in dict.fromkeys(record.provider or self.params["provider"] for record in records):
            provider = providers.known(name)
            found = _records.grouped(one for one in records if (one.provider or self.params["provider"]) == name)
            if not provider.module:
                if not verify_only and self.context.show:
                    self.context.show(providers.instructions(found, state))
                continue
            given = {**providers.options(name, self.variable), "records": found, "state": state}
            with locks.provider(self.context.run_directory):
                answer = self.send(provider.module, {**given, "verify_only": verify_only})
            if answer.get("failed"):
                raise host_error(printable(str(answer.get("msg") or "The provider gave no reason."), LONGEST_MESSAGE))
            self.changed = self.changed or bool(answer.get("changed") and not verify_only)
            self.differences += [answer["diff"]] if answer.get("diff") else []

    def _calls(self, key: t.Any, batches: Batches, state: str) -> list[Result]:
        """The calls of the user's task files for one order: one for each provider."""
        records = batches.get(key, ())
        by_provider = {one.provider: [two for two in records if two.provider == one.provider] for one in records}
        return [self._call("order_id", key, found, state) for found in by_provider.values()]

    def _call(
        self, what: str, key: t.Any, records: t.Sequence[Record], state: str = "present", verify_only: bool = False
    ) -> Result:
        provider = records[0].provider or self.params["provider"]
        call = {what: key, "state": state, "verify_only": verify_only, "records": _records.grouped(records)}
        return {**call, "provider": provider, "phase": self.params["state"]}

    def _report(self, noted: Batches, stops: t.Mapping[int, str]) -> None:
        for order_id, reason in stops.items() if self.context.show else ():
            names = _shown(noted.get(order_id, ()))
            t.cast("t.Any", self.context.show)(f"Not removed: {names}. The next run tries again. {reason}")

    def _report_foreign(self, records: t.Sequence[Record]) -> None:
        if records and self.context.show and not self.params["keep_records"]:
            self.context.show(
                f"Not removed: {_shown(records)}. The host has noted these DNS records, but no certificate of it has"
                " these names. If they are left from a removed name, delete them at your DNS provider."
            )

    def _delete_notes(self, order_ids: t.Collection[int]) -> None:
        if order_ids and not self.context.check_mode:
            dns_notes.remove(self.context.shell, self.params["directory"], order_ids)
        self.changed = self.changed or bool(order_ids)

    def _result(self, what: str, stops: t.Mapping[t.Any, str], hooks: t.Sequence[Result] = ()) -> Result:
        return {
            "changed": self.changed,
            "stopped": [
                {what: key, "reason": f"{key}: {reason}" if what == "name" else reason} for key, reason in stops.items()
            ],
            "hooks": list(hooks),
            "cached": [],
            "diff": self.differences,
        }


def _check_dnspython(needed: t.Collection[t.Any]) -> None:
    """Raise an error if the library is missing. Without it, certificates with other methods go on."""
    if needed and not DNSPYTHON.present:
        raise input_error(libraries.missing(DNSPYTHON))


def _by_order(records: t.Iterable[Record]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    for record in records:
        found.setdefault(record.order_id, []).append(record)
    return found


def _shown(records: t.Iterable[Record]) -> str:
    """The names of the records, as far as they fit in a line."""
    return shortened(", ".join(dict.fromkeys(record.name for record in records)), LIMIT)


def _of(batches: Batches, keys: t.Iterable[t.Any]) -> list[Record]:
    """The records of several orders, each once: certificates may have names in common."""
    records = [record for key in keys for record in batches.get(key, ())]
    return list({(record.key, record.provider): record for record in records}.values())


TASK = Task(argument_spec=SPEC, run=run)
