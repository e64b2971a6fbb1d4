# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment has done so far. It survives the task files of the user, and is the result in the end."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from .._core.errors import input_error
from .report import RolledBack

Entry = dict[str, t.Any]


@dataclasses.dataclass
class Group:
    """Certificates that are rolled back because of one failure."""

    names: list[str]
    cause: str
    reloaded: bool  # services may have read the new version
    kept: list[str] = dataclasses.field(default_factory=list)  # certificates whose first version is kept
    failure: str = ""  # an error of the rollback
    journals: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def rolled_back(self, entries: t.Mapping[str, Entry], listeners: t.Sequence[Entry]) -> RolledBack:
        """What to report about the group."""
        changed = [entries[name] for name in self.names if entries[name]["changed"]]
        return RolledBack(
            self.names, self.cause, changed, self.kept, self.failure, self.reloaded, listeners, self.journals
        )


@dataclasses.dataclass
class Progress:
    """The state of one deployment. Names are those of certificates, unless they are called services."""

    entries: dict[str, Entry] = dataclasses.field(default_factory=dict)  # as gogetssl_certificate returns them
    live: list[str] = dataclasses.field(default_factory=list)  # installed, and nothing speaks against them so far
    deferred: list[str] = dataclasses.field(default_factory=list)  # services whose test waits for files
    done: list[str] = dataclasses.field(default_factory=list)  # services that were reloaded in this stage
    groups: list[Group] = dataclasses.field(default_factory=list)  # rolled back after reloads
    restoring: bool = False  # services get the previous versions again
    served: dict[str, Entry] = dataclasses.field(default_factory=dict)
    stopped: dict[str, str] = dataclasses.field(default_factory=dict)  # name -> why
    retry: list[str] = dataclasses.field(default_factory=list)  # stopped, but files that are copied later may help
    hook: str = ""  # the service whose task file comes next
    hook_run: str = ""  # distinguishes the runs of task files
    reloads: int = 0
    confirmed: int = 0

    @property
    def settled(self) -> set[str]:
        """The certificates for which nothing is left to do in this run."""
        return {*self.entries, *self.stopped}.difference(self.retry)

    def dump(self) -> str:
        """The progress as text, which a task of the role passes to the next one."""
        return json.dumps(dataclasses.asdict(self))

    def next_round(self) -> Progress:
        """The start of another deployment in the same run, which tries again what more files may help."""
        stopped = {name: why for name, why in self.stopped.items() if name not in self.retry}
        return Progress(
            entries=self.entries,
            served=self.served,
            stopped=stopped,
            reloads=self.reloads,
            confirmed=self.confirmed,
        )


def read_progress(text: str) -> Progress:
    """Read what `dump` has written; an input error if it is something else."""
    if not text:
        return Progress()
    try:
        fields = json.loads(text)
        groups = [Group(**one) for one in fields.pop("groups")]
        return Progress(groups=groups, **fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise input_error("earlier must be the result of gogetssl_deploy on this host, as it was returned.") from None
