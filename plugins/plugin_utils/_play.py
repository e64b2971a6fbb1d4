# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The other hosts of a play, as Ansible's variables tell of them: what each of them wishes for.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError

from ..module_utils._sharing import Board, Wish

# The role sets the first one, so it has wishes from the play itself too; without it only the inventory's are known.
_VARIABLES = ("__gogetssl_wishes", "gogetssl_certificates")


def board(directory: str, task: t.Any, task_vars: t.Mapping[str, t.Any]) -> Board:
    """The play's board, filled."""
    found = Board(os.path.join(directory, f"gogetssl-wishes-{_play_id(task)}"), lambda hosts: read(task_vars, hosts))
    everybody = task_vars.get("ansible_play_hosts_all") or []
    found.fill([str(host) for host in everybody], [str(host) for host in task_vars.get("ansible_play_batch") or []])
    return found


def read(task_vars: t.Mapping[str, t.Any], hosts: t.Iterable[str]) -> t.Iterator[Wish]:
    """The wishes of these hosts."""
    for host in hosts:
        known = task_vars["hostvars"][host]
        try:
            wishes = next((found for name in _VARIABLES if (found := known.get(name))), None)
        except AnsibleError:  # they hang on something that the host has not got yet; before that it buys nothing either
            continue
        for wish in wishes if isinstance(wishes, list) else []:
            names = wish.get("names") if isinstance(wish, dict) else None
            if names and isinstance(names, list):
                yield Wish(host, str(names[0]), str(wish.get("product") or ""))


def _play_id(task: t.Any) -> str:
    """What tells this play from others of the run. A task knows its play through the blocks it is in."""
    place = task
    while place is not None:
        play = getattr(place, "_play", None)
        if play is not None:
            return str(play._uuid)
        place = getattr(place, "_parent", None)
    raise TypeError("a task without a play")
