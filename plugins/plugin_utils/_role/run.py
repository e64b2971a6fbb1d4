# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a host's run, from the results of the role's tasks: what each phase takes from those before. Pure.

Results of tasks that did not run, or were skipped, have no entries.
"""

from __future__ import annotations

import typing as t

from .entries import Entries, Entry, list_of, names_of
from .preflight import preflight_state
from .publishing import calls, failures, hook_failures
from .report import stopped_orders
from .waiting import orders_to_wait_for

# The results by name, and the variables that the role registers.
RESULTS = {
    "inspected": "__gogetssl_host_state",
    **{
        name: f"__gogetssl_{name}"
        for name in (
            *("planned", "preflight", "requested", "ordered", "dcv", "dcv_checked", "refreshed", "deployed"),
            *("probe", "probe_published", "files_published", "files_removed", "publisher_failed"),
            *("dns_checked", "dns_published"),
        )
    },
    "incomplete": "__gogetssl_polled",
}
_Found = dict[str, t.Any]


def run_state(results: Entry, settings: Entry, host: str, check_mode: bool = False) -> _Found:
    """Everything that the role derives from its results, by name."""
    found = preflight_state(results, settings, host, check_mode)
    found.update(_orders(results, settings, found))
    found.update(_validation(results, settings, found, host))
    found.update(_removal(results, settings, found))
    found["warnings"] = [*found["preflight_problems"], *found["unremoved_warnings"]]
    # Certificates that the plan stops need a decision of an operator. Nothing was changed for them.
    invalid = [{"name": one["name"], "reason": one["reason"]} for one in settings.get("invalid", ())]
    inspected = [one for one in list_of(results, "inspected", "stopped") if one["name"] not in names_of(invalid)]
    by_plan = [*list_of(results, "planned", "stopped"), *inspected, *invalid]
    later = [
        *found["preflight_stopped"],
        *list_of(results, "requested", "stopped"),
        *list_of(results, "ordered", "stopped"),
        *list_of(results, "refreshed", "stopped"),
        *found["dns_stopped"],
        *found["dcv_stopped"],
        *list_of(results, "copied", "stopped"),
        *list_of(results, "deployed", "stopped"),
    ]
    completed = _completed(results)
    found["deployment_steps"] = _deployment_steps(results)
    kind = ("run" if later else "plan" if by_plan else "") if completed else ""
    return {**found, "stopped": [*by_plan, *later], "completed": completed, "failure_kind": kind}


def play_state(known_hosts: t.Iterable[Entry]) -> _Found:
    """What the hosts of a play wait for together: their `awaited` orders, and `negative_ttl`.

    Resolvers may have cached that a new record does not exist. The longest of these times is waited for, unless it
    exceeds the host's time limit.
    """
    awaited: list[_Found] = []
    seconds = [0]
    for known in known_hosts:
        settings = (known.get("__gogetssl_variables") or {}).get("settings") or {}
        results = {name: known.get(variable) or {} for name, variable in RESULTS.items()}
        if settings and results["ordered"]:
            found = run_state(results, settings, str(known["inventory_hostname"]))
            awaited += found["awaited"]
            waiting = {one["order_id"] for one in found["awaited"]}
            seconds += [one["seconds"] for one in found["short_cached"] if one["order_id"] in waiting]
    brief = {one["order_id"] for one in awaited if one["requires"]}
    return {
        "order_ids": _unique(one["order_id"] for one in awaited if one["order_id"] not in brief),
        "brief_order_ids": sorted(brief),
        "texts": {one["order_id"]: one["text"] for one in awaited},
        "negative_ttl": max(seconds),
    }


def _methods(order: Entry) -> list[t.Any]:
    return list((order.get("methods") or {}).values())


def _problem(results: Entry, name: str) -> str:
    """The message of a task that failed as a whole. `failed_when: false` keeps this from ending the run."""
    result = results.get(name) or {}
    return str(result.get("msg") or "") if result and "stopped" not in result and not result.get("skipped") else ""


def _unique(values: t.Iterable[t.Any]) -> list[t.Any]:
    return list(dict.fromkeys(values))


def _orders(results: Entry, settings: Entry, found: Entry) -> _Found:
    """The orders, each in its most recent state, and the certificates that may be ordered."""
    hooks = hook_failures(results, "verified")
    by_dns = [one["name"] for one in list_of(results, "planned", "orders") if "dns" in _methods(one)]
    dns_stopped = [
        *list_of(results, "dns_checked", "stopped"),
        *(
            {"name": name, "reason": f"{name}: {reason}"}
            for name in by_dns
            if (reason := _problem(results, "dns_checked"))
        ),
        *({"name": one["name"], "reason": f"{one['name']}: {one['reason']}"} for one in hooks),
    ]
    unusable = [*list_of(results, "planned", "stopped"), *found["preflight_stopped"], *dns_stopped]
    held = names_of([*unusable, *list_of(results, "requested", "stopped")])
    refreshed = list_of(results, "refreshed", "orders")
    ordered = list_of(results, "ordered", "orders")
    pending = [one for one in ordered if one["pending"] and one["order_id"]]
    return {
        "to_order": [one for one in found["due"] if one["name"] not in held],
        "dns_stopped": dns_stopped,
        "orders": [one for one in ordered if one["name"] not in names_of(refreshed)] + refreshed,
        "pending": pending,
        "pending_ids": _unique(one["order_id"] for one in pending),
        "order_methods": {one["order_id"]: one["methods"] for one in pending},
        "auto": [one["name"] for one in settings.get("certificates", ()) if "auto" in str(one.get("dcv", "")).lower()],
        "refresh": [one for one in settings.get("certificates", ()) if one["name"] in names_of(pending)],
    }


def _validation(results: Entry, settings: Entry, found: Entry, host: str) -> _Found:
    """What is published for the pending orders, and which of them can be validated and waited for."""
    validations = list_of(results, "ordered", "validations") + list_of(results, "dcv", "validations")
    due = [one for one in validations if one.get("state") != "validated"]
    files = [one for one in due if one.get("file_name")]
    records = [one for one in due if one.get("record")]
    provider = settings.get("dns_provider") or ""
    unpublished = _unpublished(results, files, records)
    checked = [one for one in list_of(results, "dcv_checked", "validations") if one.get("state") != "validated"]
    invisible = [one for one in checked if one.get("file_name") and one.get("visible") is False]
    missing = {one["order_id"] for one in unpublished}
    to_validate = [one for one in found["pending_ids"] if one not in missing]
    usable = set(to_validate) - {one["order_id"] for one in invisible}
    finished = {one["order_id"] for one in list_of(results, "refreshed", "orders") if not one["pending"]}
    awaited = orders_to_wait_for(
        found["pending"], checked, host=host, dns_provider=provider, order_ids=usable - finished
    )
    return {
        "validations": validations,
        "files": files,
        "file_hooks": calls(files, settings, "files_published", "present"),
        "unpublished_urls": [str(one.get("url")) for one in files] if settings.get("http_publisher") == "none" else [],
        "records": records if provider else [],
        "dcv_wait": max(settings["dcv_timeout"], settings["dns_timeout"] if provider and records else 0),
        "ids_to_validate": to_validate,
        "unvalidated": checked,
        "dcv_stopped": stopped_orders(found["orders"], unpublished, invisible),
        "usable_ids": usable,
        "awaited": awaited if results.get("dcv_checked") else [],
        "unfinished": _unfinished(results, settings, awaited),
        **_cached(results, settings, awaited),
    }


def _unfinished(results: Entry, settings: Entry, awaited: Entries) -> bool:
    """Whether the host waits longer, for its own orders or for those of the hosts whose certificates it copies."""
    pending = set(list_of(results, "incomplete", "pending"))
    seconds = (results.get("incomplete") or {}).get("seconds_left") or 0
    own = pending & {one["order_id"] for one in awaited if not one["requires"]}
    copies = pending and list_of(results, "copied", "waiting")
    return bool(settings["wait"] and seconds > 0 and (own or copies))


def _unpublished(results: Entry, files: Entries, records: Entries) -> list[_Found]:
    """The orders whose records or files could not be published."""
    return [
        *list_of(results, "dns_published", "stopped"),
        *(
            {"order_id": order_id, "reason": reason}
            for order_id in _unique(one["order_id"] for one in records)
            if (reason := _problem(results, "dns_published"))
        ),
        *hook_failures(results, "present"),
        *(
            {**one, "reason": f"the DCV files could not be published: {one['reason']}"}
            for one in failures(files, results, "files_published")
        ),
    ]


def _cached(results: Entry, settings: Entry, awaited: Entries) -> _Found:
    """Negative DNS responses that the CA's resolver may have cached: within the time limit of the run, and longer."""
    limit = int(settings.get("wait_timeout") or 0)
    cached = list_of(results, "dns_published", "cached")
    short = [one for one in cached if one["seconds"] <= limit]
    still = {one["order_id"] for one in awaited} & set(list_of(results, "incomplete", "pending"))
    return {
        "short_cached": short,
        "long_cached": _unique(one["reason"] for one in cached if one["seconds"] > limit and settings["wait"]),
        "recheck_ids": [one for one in _unique(one["order_id"] for one in short) if one in still],
    }


def _removal(results: Entry, settings: Entry, found: Entry) -> _Found:
    """The files to remove, and the orders whose records stay. A run that failed leaves no files."""
    refreshed = results.get("refreshed") or {}
    waited = bool(refreshed) and not refreshed.get("failed")
    pending = [one["order_id"] for one in found["orders"] if one["pending"]]
    still = [one for one in pending if one in found["usable_ids"]] if waited else []
    # Orders whose state this run does not know.
    unread = [one for name in ("planned", "ordered", "refreshed") for one in list_of(results, name, "unread_order_ids")]
    of_finished = [
        one for order in found["orders"] if not order["pending"] for one in order.get("validations") or () if one
    ]
    obsolete = [
        *(one for one in found["validations"] if one["order_id"] not in still),
        *of_finished,
        *(one for one in list_of(results, "inspected", "unremoved_files") if one["order_id"] not in [*still, *unread]),
    ]
    files = [
        *list_of(results, "inspected", "probes"),
        *found["probes_to_remove"],
        *([] if settings["keep_dcv"] else {_file(one): one for one in obsolete if one.get("file_name")}.values()),
    ]
    hooks = calls(files, settings, "files_removed", "absent")
    published = (results.get("inspected") or {}).get("published")
    return {
        "obsolete_files": files,
        "removal_hooks": hooks,
        **_unremoved(files, results),
        "needed_ids": [*still, *unread],
        # The second look at the orders may fail after a deployment.
        "after_failure": bool(refreshed.get("failed")) or "stopped" not in (results.get("deployed") or {}),
        "cleanup": bool((files and not found["own_web_root"]) or hooks or published or found["records"]),
    }


def _unremoved(files: list[t.Any], results: Entry) -> _Found:
    """The files that could not be removed, and whether the host's note of them changes."""
    reasons = {one["order_id"]: one["reason"] for one in failures(files, results, "files_removed")}
    kept = [one for one in files if (one.get("order_id") or 0) in reasons]
    noted = {_file(one): one for one in list_of(results, "inspected", "unremoved_files")}
    tried = {_file(one) for one in files}
    unremoved = [
        *(files if (results.get("deployed") or {}).get("dcv_files_left") else kept),
        *(one for key, one in noted.items() if key not in tried),  # may still be needed
    ]
    names = ", ".join(_unique(one["file_name"] for one in kept))
    warning = (
        f"WARNING: DCV files not removed: {names}. The next run tries again. {' '.join(_unique(reasons.values()))}"
    )
    return {
        "unremoved": unremoved,
        "note_changes": {_file(one) for one in unremoved} != noted.keys(),
        "unremoved_warnings": [warning] if kept else [],
    }


def _file(entry: Entry) -> tuple[t.Any, ...]:
    return entry.get("order_id") or 0, entry["file_name"], entry.get("content")


def _deployment_steps(results: Entry) -> list[str]:
    """The names of the role's task files that come after the installation of the host's own certificates."""
    hook = (results.get("deployed") or {}).get("hook")
    return [*(["deploy_hook"] if hook else []), *(["copy"] if list_of(results, "inspected", "to_copy") else [])]


def _completed(results: Entry) -> bool:
    """The deployment reached its end, so that the report has the result of each certificate."""
    deployed = results.get("deployed") or {}
    ended = "stopped" in deployed and not deployed.get("hook")
    return ended and bool(results.get("copied") or not list_of(results, "inspected", "to_copy"))
