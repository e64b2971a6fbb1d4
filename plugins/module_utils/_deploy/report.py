# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is reported about certificates that could not be deployed. Pure functions.

`Entry` is an entry of `gogetssl_certificate`, and `changed` are those that this run has changed.
"""

from __future__ import annotations

import re
import typing as t

from .._core.text import escaped_lines

Entry = t.Mapping[str, t.Any]

MAX_ERROR = 1000  # characters of a service's error message
JOURNAL_LINES = 5


class RolledBack(t.NamedTuple):
    """What became of the certificates that one failure concerns."""

    names: t.Sequence[str]
    cause: str  # the error that started the rollback
    changed: t.Sequence[Entry]
    kept: t.Collection[str] = ()  # certificates whose first version is kept
    failure: str = ""  # an error of the rollback itself
    reloaded: bool = False  # services may have read the new version
    listeners: t.Sequence[Entry] = ()  # after the rollback
    journals: t.Mapping[str, t.Sequence[str]] = {}


def not_installed(names: t.Sequence[str], service: str, missing: bool, error: str) -> str:
    """The message of certificates whose service was in no condition to take them."""
    why = "is not installed on this host" if missing else "rejects its current configuration"
    return (
        f"{', '.join(names)}: nothing was installed because {service} {why}: {error} Fix this and run again. The next"
        " run continues without another order."
    )


def rollback_report(one: RolledBack) -> str:
    """The message of a failed deployment."""
    moved = [entry for entry in one.changed if entry["moved"] and entry["name"] not in one.kept]
    restored = [entry["name"] for entry in moved if entry["previous_serial"]]
    removed = [entry["name"] for entry in moved if not entry["previous_serial"]]
    completed = [entry["name"] for entry in one.changed if not entry["moved"]]
    parts = [
        *_rollback(restored, removed, one.failure, _served(one.listeners) if one.reloaded else ""),
        (one.kept, "the first version was kept, because services that use it might not start without it"),
        (completed, "the certificate is unchanged, and files that were added or repaired are kept"),
    ]
    results = [f"{', '.join(part)}: {text}" if len(one.names) > 1 else text for part, text in parts if part]
    not_reloaded = "no service was reloaded, and " if one.changed and not one.reloaded else ""
    result = f"not served; {not_reloaded}{'; '.join(results) or 'this run changed no files'}."
    return " ".join(filter(None, [f"{', '.join(one.names)}: {result}", one.cause, _excerpts(one.journals)]))


def _rollback(
    restored: t.Sequence[str], removed: t.Sequence[str], failure: str, served: str
) -> list[tuple[t.Collection[str], str]]:
    """Names of certificates, each group with the result of its rollback."""
    if failure:
        lost = f"could NOT be restored ({failure.removesuffix('.')}): check current and previous in its directory now"
        return [([*restored, *removed], f"the previous version {lost}")]
    return [
        (restored, f"the previous version was restored{served}"),
        (removed, "the first version was removed, because the services accepted their configuration without it"),
    ]


def _served(listeners: t.Sequence[Entry]) -> str:
    unserved = _addresses(one for one in listeners if not one["matches"])
    if unserved:
        return f", but {unserved} does not serve it: check the service now"
    return " and is served" if listeners else ""


_ADVICE = "Configure the service to listen there, or set listeners to where it serves the certificate."


def listener_error(unserved: t.Sequence[Entry]) -> str:
    """What is wrong with the listeners that do not serve the new certificate."""
    silent = _addresses(one for one in unserved if not one["answers"])
    others = _addresses(one for one in unserved if one["answers"])
    sentences = [
        f"{others} did not serve the new certificate after the reload." if others else "",
        f"{silent} did not serve any certificate after the reload. {_ADVICE}" if silent else "",
    ]
    return " ".join(filter(None, sentences))


def _excerpts(journals: t.Mapping[str, t.Sequence[str]]) -> str:
    """The last lines of the services in the system journal."""
    return " ".join(
        f"Journal of {service}: {shortened(' | '.join(lines[-JOURNAL_LINES:]))}"
        for service, lines in journals.items()
        if lines
    )


def _addresses(listeners: t.Iterable[Entry]) -> str:
    return ", ".join(shortened(str(one["listener"])) for one in listeners if one.get("listener"))


def sentence(error: str) -> str:
    """An error message of a host as a sentence."""
    error = shortened(error.strip())
    return error if error.endswith(".") else f"{error}."


def shortened(text: str) -> str:
    """Escape and shorten text from a host for a message."""
    text = escaped_lines(text[: 4 * MAX_ERROR])
    if len(text) <= MAX_ERROR:
        return text
    return re.sub(r"\s+\S*$", "", text[: MAX_ERROR - 4]) + " ..."
