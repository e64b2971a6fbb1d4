# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The known variables of the role. Their only source is the role's `meta/argument_specs.yml`."""

from __future__ import annotations

import difflib
import fnmatch
import os
import re
import typing as t

PREFIX = "gogetssl_"
ROLE = "certops.gogetssl.gogetssl"
OWN = "gogetssl_own_variables"
_COLLECTION = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SPEC = os.path.join(_COLLECTION, "roles", "gogetssl", "meta", "argument_specs.yml")
_PLAYBOOKS = os.path.join(_COLLECTION, "playbooks", "")
_OPTION = re.compile(r"^      (gogetssl_\w+):", re.MULTILINE)
# Variables that the role sets for its task files and for later tasks, or that playbooks of this collection read or set.
# AWX passes what set_stats sets to the later jobs of a workflow.
_OTHERS = frozenset({
    "gogetssl_adopt", "gogetssl_awx_credentials", "gogetssl_awx_daily_spend", "gogetssl_awx_execution_environment",
    "gogetssl_awx_image", "gogetssl_awx_inventory", "gogetssl_awx_organization", "gogetssl_awx_project",
    "gogetssl_awx_project_url", "gogetssl_awx_rrule", "gogetssl_batches", "gogetssl_canary", "gogetssl_dns_records",
    "gogetssl_dns_state", "gogetssl_dns_verify_only", "gogetssl_emergency", "gogetssl_emergency_deadline",
    "gogetssl_emergency_drill", "gogetssl_emergency_issuance_minutes", "gogetssl_emergency_result",
    "gogetssl_emergency_since", "gogetssl_hosts", "gogetssl_http_files", "gogetssl_http_state", "gogetssl_once",
    "gogetssl_plan", "gogetssl_plan_summary", "gogetssl_product_brand", "gogetssl_product_limit",
    "gogetssl_product_max_price", "gogetssl_product_multi_domain", "gogetssl_product_period",
    "gogetssl_product_validation", "gogetssl_product_wildcard", "gogetssl_product_wildcard_sans", "gogetssl_reconcile",
    "gogetssl_reconcile_details", "gogetssl_reconcile_pending_days", "gogetssl_reconcile_window_days",
    "gogetssl_report", "gogetssl_report_csv", "gogetssl_report_fail_below_days", "gogetssl_report_html",
    "gogetssl_report_json", "gogetssl_report_mode", "gogetssl_report_offline", "gogetssl_report_prometheus",
    "gogetssl_report_title", "gogetssl_web_host",
})  # fmt: skip


def refusal(task: t.Any, task_vars: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> str:
    """The reason to refuse a task of the role or of a playbook of this collection with these variables, or empty text.

    Tasks of other roles and playbooks are not checked.
    """
    if not (_in_role(task) or os.path.realpath(task.get_path() or os.sep).startswith(_PLAYBOOKS)):
        return ""
    known = known_names(SPEC)
    unknown = sorted(name for name in task_vars if name.startswith(PREFIX) and name not in known)
    if unknown:
        unknown = without_own(unknown, template(task_vars.get(OWN)))
    return describe(unknown, known) if unknown else ""


def _in_role(task: t.Any) -> bool:
    role = getattr(task, "_role", None)
    return role is not None and role.get_name() == ROLE


def prefix(task: t.Any) -> str:
    """What precedes the name of an option of a task in the role's variable."""
    return PREFIX if _in_role(task) else ""


def known_names(path: str) -> frozenset[str]:
    """Read the names with a pattern. Parsing YAML would take longer than all other work for a healthy host."""
    with open(path, encoding="utf-8") as file:
        return frozenset(_OPTION.findall(file.read())) | _OTHERS


def without_own(names: t.Iterable[str], own: t.Any) -> list[str]:
    """Exclude the names that the user declares as own variables, in a list or a comma-separated text."""
    given = own.split(",") if isinstance(own, str) else own or ()
    patterns = [str(pattern).strip() for pattern in given]
    return [name for name in names if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def describe(unknown: t.Sequence[str], known: t.Iterable[str]) -> str:
    """The message for unknown names, each with the most similar known name."""
    parts = []
    for name in unknown:
        similar = difflib.get_close_matches(name, sorted(known), 1, 0.8)
        parts.append(f"{name}; did you mean {similar[0]}?" if similar else f"{name}.")
    word = "variables" if len(parts) > 1 else "variable"
    return f"Unknown {word} {' '.join(parts)} If a variable is your own, add its name to {OWN}."
