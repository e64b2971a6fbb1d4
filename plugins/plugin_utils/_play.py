# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of the other hosts of a play, from their Ansible variables."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError

from ..module_utils._core import names as _names
from ..module_utils._core.errors import GogetsslError
from ..module_utils._request import texts
from ..module_utils._request.duplicates import HostRequest, SharedRunState
from ..module_utils._request.spec import DEFAULT_KEY_TYPE
from . import _facts

# The role sets this variable (role_variables). Its certificates include those of the play, the inventory's do not.
_CONVERTED = "__gogetssl_variables"


def shared(directory: str, task: t.Any, task_vars: t.Mapping[str, t.Any]) -> SharedRunState:
    """The shared state of the run, with the requests of this play."""
    found = SharedRunState(
        os.path.join(directory, f"gogetssl-requests-{_play_id(task)}"), lambda hosts: read(task_vars, hosts)
    )
    hosts = task_vars.get("ansible_play_hosts_all") or []
    found.fill([str(host) for host in hosts], [str(host) for host in task_vars.get("ansible_play_batch") or []])
    return found


def read(task_vars: t.Mapping[str, t.Any], hosts: t.Iterable[str]) -> t.Iterator[HostRequest]:
    """Read the requests of these hosts."""
    for host in hosts:
        known, refusal = _facts.of_host(task_vars["hostvars"], host)
        if refusal:  # that host stops itself, and must not stop other hosts
            continue
        try:
            converted = (known.get(_CONVERTED) or {}).get("settings") or {}
            # A certificate with a mistake is still one of the host, whose names and orders it keeps.
            invalid = [one["certificate"] for one in converted.get("invalid") or ()]
            listed = [*(converted.get("certificates") or ()), *invalid]
            requests = texts.as_list(listed or known.get("gogetssl_certificates"))
        except AnsibleError:  # the variable uses a value that is not set yet, so the host cannot buy yet
            continue
        for request in requests if isinstance(requests, list) else []:
            names = request.get("names") if isinstance(request, dict) else None
            if names and isinstance(names, list):
                order_host = str(request.get("order_host") or "")
                named, key_type = str(request.get("name") or ""), str(request.get("key_type") or DEFAULT_KEY_TYPE)
                yield HostRequest(host, str(names[0]), str(request.get("product") or ""), order_host, named, key_type)


def not_shared(task_vars: t.Mapping[str, t.Any], certificates: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The names of certificates whose ordering host does not share them, although this host requests a copy.

    The entry of the ordering host must set `order_host` to that host and cover all names. If the play defines the list,
    no inventory has it, and all hosts share it.
    """
    hostvars = task_vars["hostvars"]
    refused = []
    for requested in certificates:
        owner = str(requested.get("order_host") or "")
        inventories = [
            texts.as_list(hostvars[host].get("gogetssl_certificates"))
            for host in (task_vars["inventory_hostname"], owner)
        ]
        entries = texts.as_list(task_vars["gogetssl_certificates"]) if inventories == [None, None] else inventories[1]
        if not any(_agrees(entry, owner, requested) for entry in entries or ()):
            refused.append(str(requested.get("name")))
    return refused


def _agrees(entry: t.Any, owner: str, requested: t.Mapping[str, t.Any]) -> bool:
    """Whether the ordering host's entry shares the requested certificate."""
    try:
        same = entry["name"] == requested["name"] and entry.get("order_host") == owner
        return same and not _names.missing(_canonical(entry["names"]), _canonical(requested["names"]))
    except (AttributeError, KeyError, TypeError, GogetsslError):
        return False


def _canonical(given: t.Iterable[t.Any]) -> tuple[str, ...]:
    return tuple(_names.canonical(str(name)) for name in given)


def _play_id(task: t.Any) -> str:
    """The id of the play, which distinguishes it from other plays of the run. A task refers to it by its blocks."""
    place = task
    while place is not None:
        play = getattr(place, "_play", None)
        if play is not None:
            return str(play._uuid)
        place = getattr(place, "_parent", None)
    raise TypeError("a task without a play")
