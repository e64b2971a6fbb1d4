# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates of a host need a key, which are checked by the preflight, and where its probe is published.

Pure functions.
"""

from __future__ import annotations

import typing as t

from .entries import Entries, Entry, list_of, names_of
from .publishing import built_in, calls, failures, reached

_PREFLIGHT_STEPS = ("buy", "renew", "reissue", "add_names")
_Found = dict[str, t.Any]


def preflight_state(results: Entry, settings: Entry, host: str, check_mode: bool) -> _Found:
    """The certificates that need an API call, those that the preflight checks and stops, and its probe."""
    obtain = list_of(results, "inspected", "obtain")
    due = [one for one in settings.get("certificates", ()) if one["name"] in obtain]
    unplanned = names_of(list_of(results, "planned", "stopped"))
    checked = _checked(results, settings, due)
    web_hosts = settings["web_hosts"] if built_in(settings) else []
    own_web_root = web_hosts == [host] and settings["http_publisher"] == "web_root"
    found = _probe(results, settings, probed_names(checked), web_hosts, own_web_root, check_mode)
    mode = str(settings.get("preflight", True)).lower() if results.get("planned") else "true"
    return {
        "phases": _phases(results.get("inspected") or {}, settings, due),
        "due": due,
        # The inspection does not know which services are unknown.
        "install": [
            name
            for name in list_of(results, "inspected", "install")
            if name not in names_of(settings.get("invalid", ()))
        ],
        "to_request": [one for one in due if one["name"] not in unplanned],
        "preflight": checked,
        "web_hosts": web_hosts,
        "own_web_root": own_web_root,
        "preflight_problems": list_of(results, "preflight", "problems"),
        "preflight_stopped": found["probe_stopped"]
        + (list_of(results, "preflight", "stopped") if mode == "true" else []),
        "publishers": [
            *(["http"] if settings.get("http_publisher") != "none" else []),
            *(["dns"] if settings.get("dns_provider") else []),
        ],
        **found,
    }


def _phases(inspected: Entry, settings: Entry, due: list[t.Any]) -> list[str]:
    """The names of the role's task files that come before the installation."""
    work = due or inspected.get("to_copy") or inspected.get("install")
    housekeeping = (
        (settings.get("install_packages") and work)
        or inspected.get("interrupted_files")
        or inspected.get("flag_removed")
    )
    return [*(["housekeeping"] if housekeeping else []), *(["obtain"] if due else [])]


def _checked(results: Entry, settings: Entry, due: list[t.Any]) -> list[t.Any]:
    """The certificates that the preflight checks. Without a plan, for playbooks/preflight.yml: all, whatever is due."""
    if not results.get("planned"):
        return list(settings.get("certificates", ()))
    if str(settings.get("preflight", True)).lower() == "false":
        return []
    acting = {one["name"] for one in list_of(results, "planned", "orders") if one["step"] in _PREFLIGHT_STEPS}
    return [one for one in due if one["name"] in acting]


def _probe(
    results: Entry, settings: Entry, probed: list[str], web_hosts: list[str], own_web_root: bool, check_mode: bool
) -> _Found:
    """Where the probe is published and removed, and the certificates that stop because it could not be published.

    The visit for the keys publishes it in the host's own web root.
    """
    planned = bool(results.get("planned"))
    files = [results["probe"]] if probed and results.get("probe") and settings.get("http_publisher") != "none" else []
    with_keys = files if planned and own_web_root else []
    results = _with_visit(results) if with_keys else results
    reason = next((one["reason"] for one in failures(files, results, "probe_published")), "")
    tried = files if results.get("probe_published") and not check_mode else []
    to_remove = tried if not reason or reached(results, "probe_published") else []
    visits = web_hosts if files and not with_keys else []
    hooks = calls(files, settings, "probe_published", "present")
    return {
        "probe_files": files,
        "probe_with_keys": with_keys,
        "probe_hosts": visits,
        "probe_hooks": hooks,
        "check_publishers": bool(visits or hooks or (planned and settings.get("dns_provider"))),
        "probes": tried if not reason else [],
        "probes_to_remove": to_remove,
        "probe_removal_hooks": calls(to_remove, settings, "probe_removed", "absent"),
        "probe_stopped": [{"name": name, "reason": f"{name}: {reason}"} for name in probed if reason],
    }


def _with_visit(results: Entry) -> Entry:
    """The results with the visit for the keys, which publishes the probe, as one of the visits to web hosts."""
    visit = results.get("requested") or {}
    if not visit or visit.get("skipped"):
        return results
    problem = visit.get("probe_problem")
    stopped = [{"order_id": 0, "reason": problem}] if problem else []
    return {**results, "probe_published": {"results": [{"stopped": stopped}]}}


def probed_names(certificates: Entries) -> list[str]:
    """The certificates that may be validated by a file."""
    names = []
    for one in certificates:
        dcv = one.get("dcv", "http")
        methods = " ".join(map(str, dcv.values() if isinstance(dcv, t.Mapping) else [dcv])).lower()
        if "http" in methods or "auto" in methods:
            names.append(one["name"])
    return names
