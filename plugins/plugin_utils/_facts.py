# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a managed host that override the operator's variables.

Ansible adds `ansible_facts` of module results and of the fact cache to the variables of a host, with precedence over
inventory variables. A hostile host could thus replace the API address, the limits of a run, or the certificates.
"""

from __future__ import annotations

import re
import typing as t

from ..module_utils._core.text import printable

PREFIXES = ("gogetssl_", "__gogetssl_")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Variables = t.Mapping[str, t.Any]


def refusal(task_vars: Variables) -> str:
    """The reason to refuse a task with these variables; empty if there is none."""
    names = overriding_facts(task_vars)
    if not names:
        return ""
    host = task_vars.get("inventory_hostname", "the host")
    return (
        f"{host}: facts of the host would replace variables of the operator: {printable(', '.join(names))}. A host must"
        " not set these variables. Find the module that returned the facts, clear the fact cache, and do not use"
        " set_fact with cacheable for them."
    )


def of_host(hostvars: t.Any, host: str) -> tuple[Variables, str]:
    """The variables of a host for a task of another host, and the reason not to use them, or an empty text."""
    known = hostvars[host]
    if not known.get("ansible_facts"):  # the usual case; to collect the variables again takes a millisecond
        return known, ""
    raw = getattr(hostvars, "raw_get", hostvars.get)(host)
    return known, refusal({**raw, "hostvars": hostvars})


def overriding_facts(task_vars: Variables) -> list[str]:
    """The names of facts that override variables of this collection, or variables that their templates use."""
    facts = task_vars.get("ansible_facts")
    if not isinstance(facts, t.Mapping):
        return []
    own = [str(name) for name in facts if str(name).startswith(PREFIXES)]
    foreign = [name for name in _injected(task_vars, facts) if name in task_vars and name not in own]
    if foreign:
        operator = operator_variables(task_vars)
        # The settings of the play are not among the operator's variables of the host.
        settings = {name: task_vars[name] for name in task_vars if str(name).startswith(PREFIXES[0])}
        used = used_by({**settings, **operator})
        own += [name for name in foreign if name in operator and name in used]
    return sorted(own)


def _injected(task_vars: Variables, facts: Variables) -> list[str]:
    """The names of facts that are also variables. Ansible's own facts are variables as ansible_NAME only.

    The names come from the fact cache, because `ansible_facts` has ansible_NAME and NAME under one name.
    """
    manager = getattr(task_vars.get("hostvars"), "_variable_manager", None)
    cached: t.Any = facts
    if manager is not None:
        try:
            cached = manager._fact_cache.get(task_vars.get("inventory_hostname"))
        except KeyError:  # of cache plugins, for a host without facts
            cached = None
    return [str(name) for name in cached or () if not str(name).startswith("ansible_")]


def used_by(variables: Variables) -> set[str]:
    """The names that the templates of this collection's variables use, directly or through other variables."""
    found: set[str] = set()
    to_read = [name for name in variables if name.startswith(PREFIXES)]
    while to_read:
        names = set(_WORD.findall(str(variables[to_read.pop()]))) & set(variables)
        to_read += names - found
        found |= names
    return found


def operator_variables(task_vars: Variables) -> Variables:
    """The variables of a host as they are without facts, not templated."""
    hostvars = task_vars.get("hostvars")
    manager = getattr(hostvars, "_variable_manager", None)
    inventory = getattr(hostvars, "_inventory", None)
    if manager is None or inventory is None:  # outside a play
        return {}
    cache, manager._fact_cache = manager._fact_cache, _NoFacts()
    try:
        host = inventory.get_host(task_vars.get("inventory_hostname"))
        found: Variables = manager.get_vars(host=host, include_hostvars=False)
        return found
    finally:
        manager._fact_cache = cache


class _NoFacts(dict[str, t.Any]):
    """An empty fact cache. Other tasks are not affected, because each runs in its own process."""

    def get(self, key: str, default: t.Any = None) -> t.Any:
        return {}
