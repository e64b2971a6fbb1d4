# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that a host copies from their ordering hosts. Pure functions."""

from __future__ import annotations

import typing as t

from ...module_utils._core.text import printable
from .entries import Entries, Entry, by_name, entries_of
from .report import stop


def copied_certificates(
    fetched: Entries, certificates: Entries, installed: Entries, inventory: t.Container[str], check_mode: bool
) -> dict[str, t.Any]:
    """The `certificates` to deploy with their `private_keys`, those that are `waiting`, and those that are `stopped`.

    `fetched` are the results of gogetssl_certificate_fetch, one for each ordering host.
    """
    results = list(fetched)

    def all_of(key: str) -> list[t.Any]:
        return [one for result in results for one in entries_of(result.get(key))]

    uncopied = uncopied_certificates(certificates, installed, results, inventory)
    return {
        "certificates": [] if check_mode else all_of("certificates"),
        "private_keys": {name: key for result in results for name, key in (result.get("private_keys") or {}).items()},
        "waiting": all_of("waiting") + [one for one in uncopied if not one["urgent"]],
        "stopped": all_of("stopped") + [one for one in uncopied if one["urgent"]],
    }


def uncopied_certificates(
    certificates: Entries, installed: Entries, fetched: Entries, inventory: t.Container[str]
) -> list[dict[str, t.Any]]:
    """Certificates whose ordering host could not be queried. Installed ones are kept; urgent ones are failures."""
    known = by_name(installed)
    results = {result["__gogetssl_order_host"]: result for result in fetched}
    entries = []
    for certificate in certificates:
        name, host = certificate["name"], certificate["order_host"]
        problem = _fetch_problem(host, results.get(host, {}), inventory)
        if problem:
            urgent = bool(known[name]["urgent"])
            kept = "" if urgent else "; the installed certificate is kept"
            entries.append({**stop(name, f"the ordering host {host} {problem}{kept}."), "urgent": urgent})
    return entries


def _fetch_problem(host: str, result: Entry, inventory: t.Container[str]) -> str:
    """The reason for a failed fetch from the host; empty if it succeeded."""
    message = printable(str(result.get("msg", "no error message")))
    if host not in inventory:
        return "is not in the inventory"
    if result.get("unreachable"):
        return f"cannot be reached ({message})"
    if result.get("failed") or "certificates" not in result:
        return f"could not be read: {message}"
    return ""
