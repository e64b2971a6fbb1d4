# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role hands to `gogetssl_certificate`: what was issued or copied, each as it is to lie there.

Pure; the role's filters are made of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

Item = t.Mapping[str, t.Any]
Items = t.Iterable[Item]
LAYOUT = ("forms", "alias", "owner", "group", "mode")


def deliveries(wishes: Items, completed: t.Container[str], orders: Items) -> list[dict[str, t.Any]]:
    """Certificates that are completed from what the host has, and those that an order of this run has come to."""
    wishes = list(wishes)
    layouts = {wish["name"]: _layout(wish) for wish in wishes}
    here = [
        {**layouts[wish["name"]], "name": wish["name"], "names": wish["names"]}
        for wish in wishes
        if wish["name"] in completed
    ]
    issued = [
        {
            **layouts[order["name"]],
            "name": order["name"],
            "names": order["names"],
            "certificate": order["certificate"],
            "chain": order["chain"] or "",
        }
        for order in orders
        if order["issued"] and order["certificate"] and order["step"] != "keep"
    ]
    return here + issued


def copies(answers: Items, wishes: Items) -> list[dict[str, t.Any]]:
    """What the ordering hosts have handed over, without the keys."""
    layouts = {wish["name"]: _layout(wish) for wish in wishes}
    return [{**layouts[part["name"]], **part} for answer in answers for part in answer.get("certificates", [])]


def private_keys(answers: Items) -> dict[str, str]:
    """The keys that came with them."""
    return {name: key for answer in answers for name, key in (answer.get("private_keys") or {}).items()}


def _layout(wish: Item) -> dict[str, t.Any]:
    """How it is to lie on the host, and whether services are to be seen to take it."""
    return {**{option: wish[option] for option in LAYOUT if option in wish}, "unproven": bool(wish.get("services"))}
