# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The versions to keep after a failed installation, and the report of the rollback. Pure functions.

`changed` are the entries of `gogetssl_certificate` that this run has changed.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.text import escaped_lines
from .entries import Entries, Entry, entries_of

MAX_ERROR = 1000  # characters of a service's error message
JOURNAL_LINES = 5
TIMEOUT_CODES = (124, 137)  # exit codes of timeout(1) after SIGTERM and after SIGKILL
TIMEOUT_ARGUMENTS = 4  # timeout -k 5 SECONDS, before the command of a service


def first_versions_to_keep(
    changed: Entries, certificates: Entries, reloaded: bool, deferred: t.Collection[str]
) -> list[str]:
    """The certificates whose first version is kept, because a service might not start without its files.

    A first version is removed only if it is the cause of the failure: its services accepted their configuration without
    it (they are not `deferred`), and reject the configuration now.
    """
    services = {certificate["name"]: certificate.get("services", []) for certificate in certificates}
    return [
        one["name"]
        for one in changed
        if one["moved"]
        and not one["previous_serial"]
        and (reloaded or any(service in deferred for service in services[one["name"]]))
    ]


def rollback_report(
    changed: Entries,
    *,
    names: t.Sequence[str],
    kept: t.Collection[str],
    failure: str,
    listeners: Entries,
    reloaded: bool,
    cause: str,
    journals: Entries,
) -> str:
    """The message of a failed installation of the certificates in `names`.

    `kept` are certificates whose first version is kept. `cause` is the error that started the rollback, `failure` an
    error of the rollback itself. `listeners` were queried after the rollback.
    """
    changed = list(changed)
    moved = [one for one in changed if one["moved"] and one["name"] not in kept]
    restored = [one["name"] for one in moved if one["previous_serial"]]
    removed = [one["name"] for one in moved if not one["previous_serial"]]
    completed = [one["name"] for one in changed if not one["moved"]]
    parts = [
        *_rollback(restored, removed, failure, _served(listeners) if reloaded else ""),
        (kept, "the first version was kept, because services that use it might not start without it"),
        (completed, "the certificate is unchanged, and files that were added or repaired are kept"),
    ]
    results = [f"{', '.join(part)}: {text}" if len(names) > 1 else text for part, text in parts if part]
    not_reloaded = "no service was reloaded, and " if changed and not reloaded else ""
    result = f"not served; {not_reloaded}{'; '.join(results) or 'this run changed no files'}."
    return " ".join(filter(None, [f"{', '.join(names)}: {result}", cause, _journal_excerpts(journals)]))


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


def _served(listeners: Entries) -> str:
    listeners = list(listeners)
    unserved = _addresses(one for one in listeners if not one["matches"])
    if unserved:
        return f", but {unserved} does not serve it: check the service now"
    return " and is served" if listeners else ""


def service_error(result: Entry, seconds: int) -> str:
    """The reason why a service does not use a certificate: its listeners, or the error message of its command."""
    served = [one for entry in entries_of(result.get("certificates")) for one in entries_of(entry.get("served"))]
    unserved = [one for one in served if not one.get("matches", True)]
    return _listener_error(unserved) if unserved else _command_error(result, seconds)


def _listener_error(unserved: Entries) -> str:
    unserved = list(unserved)
    silent = _addresses(one for one in unserved if not one.get("answers"))
    others = _addresses(one for one in unserved if one.get("answers"))
    sentences = [
        f"{others} did not serve the new certificate after the reload." if others else "",
        f"{silent} did not serve any certificate after the reload." if silent else "",
    ]
    return " ".join(filter(None, sentences))


def _command_error(result: Entry, seconds: int) -> str:
    if result.get("rc", 0) in TIMEOUT_CODES:
        given = result.get("cmd")
        command = _shortened(" ".join(map(str, given[TIMEOUT_ARGUMENTS:] if isinstance(given, list) else [])))
        return f"{command} did not finish within {seconds} seconds and was stopped."
    output = (str(result.get(key, "")).strip() for key in ("stderr", "stdout", "msg"))
    error = _shortened(next(filter(None, output), "no error message"))
    return error if error.endswith(".") else f"{error}."


def _journal_excerpts(journals: Entries) -> str:
    """The last lines of the services in the system journal."""
    return " ".join(
        f"Journal of {one['__gogetssl_service']}: {_excerpt(one['stdout_lines'])}"
        for one in journals
        if one.get("stdout") and isinstance(one.get("stdout_lines"), list)
    )


def _excerpt(lines: t.Sequence[t.Any]) -> str:
    return _shortened(" | ".join(map(str, lines[-JOURNAL_LINES:])))


def _addresses(listeners: Entries) -> str:
    return ", ".join(_shortened(str(one["listener"])) for one in listeners if one.get("listener"))


def _shortened(text: str) -> str:
    """Escape and shorten text from a host for a message."""
    text = escaped_lines(text[: 4 * MAX_ERROR])
    if len(text) <= MAX_ERROR:
        return text
    return re.sub(r"\s+\S*$", "", text[: MAX_ERROR - 4]) + " ..."
