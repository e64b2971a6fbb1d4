# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each name is proven: what is possible, what `auto` means, and why a wish cannot be granted. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import _names
from ._errors import input_error
from ._models import Family, Product
from ._wanted import AUTO, Wanted

KINDS = ("http", "https", "dns", "email")
FILES = ("http", "https")
PUBLISHERS = ("http", "dns")  # in the order of `auto`'s preference

METHODS_SPEC: dict[str, t.Any] = {
    "publishers": {"type": "list", "elements": "str", "choices": list(PUBLISHERS), "default": ["http"]},
}
_HOW = {
    "http": "a proof over http",
    "https": "a proof over https",
    "dns": "a DNS record",
    "email": "an approver's mail",
}


def kind_of(method: str) -> str:
    """The method without the approver."""
    return "email" if "@" in method else method


def possible(name: str) -> tuple[str, ...]:
    """What can prove control of a name at all (API reference 8.4)."""
    if _names.is_address(name):
        return FILES
    return ("dns", "email") if _names.is_wildcard(name) else KINDS


def proven(wanted: Wanted, product: Product | None) -> tuple[str, ...]:
    """The names that need a proof of their own: those a product for one name includes are proven with it."""
    return wanted.names if product is None or product.multi_domain else wanted.names[:1]


def choose(wanted: Wanted, product: Product | None, publishers: t.Sequence[str]) -> Wanted:
    """The wish with a method in place of every `auto`; an input error with the alternatives where there is none.

    Files come before records: they need no rights in a zone. Without the product only the names decide, as its
    restrictions are not known.
    """
    if AUTO not in wanted.methods.values():
        return wanted
    names = proven(wanted, product)
    offered = product.methods if product else frozenset(KINDS)
    able = [kind for kind in PUBLISHERS if kind in publishers and kind in offered]
    if product is not None and product.family is Family.DIGICERT:
        able = _one_for_all(wanted, names, able)
    methods = dict(wanted.methods)
    for name in names:
        if methods[name] == AUTO:
            methods[name] = _choose_one(wanted, name, able, offered)
    for name in wanted.names:
        if methods[name] == AUTO:
            methods[name] = methods[names[0]]
    return dataclasses.replace(wanted, methods=methods)


def _one_for_all(wanted: Wanted, names: t.Sequence[str], able: t.Sequence[str]) -> list[str]:
    """What every name can do, as this family wants one method for all; one that is asked for by name decides."""
    asked_for = {kind_of(wanted.methods[name]) for name in names} - {AUTO}
    candidates = asked_for - {"email"} if asked_for else able  # nobody can choose an approver
    return [kind for kind in candidates if len(asked_for) < 2 and all(kind in possible(name) for name in names)]


def _choose_one(wanted: Wanted, name: str, able: t.Sequence[str], offered: t.Collection[str]) -> str:
    for kind in able:
        if kind in possible(name):
            return kind
    left = [kind for kind in possible(name) if kind in offered]
    raise input_error(
        f"{wanted.name}: dcv: auto finds no way to prove {_names.shown(name)}: {_why_none(name, able)}."
        f" {_alternatives(left)}"
    )


def _why_none(name: str, able: t.Sequence[str]) -> str:
    if _names.is_wildcard(name):
        return "a wildcard is proven by a DNS record or a mail, and no DNS provider is configured that would do for it"
    if _names.is_address(name):
        return "an address is proven by a file, and nothing that publishes files is configured"
    return f"what is configured ({', '.join(able) or 'nothing'}) does not do for it"


def _alternatives(kinds: t.Sequence[str]) -> str:
    ways = {
        "http": "have something that publishes files (gogetssl_http_publisher)",
        "https": "write https",
        "dns": "configure a DNS provider (gogetssl_dns_provider)",
        "email": "write an approver's address",
    }
    listed = [ways[kind] for kind in kinds if kind != "https"]
    return f"Alternatives: {', or '.join(listed)} in dcv." if listed else "No other method can prove it."


def problem(wanted: Wanted, product: Product) -> str:
    """Why the product cannot be proven in the wished-for ways, with the alternatives; nothing if it can."""
    names = proven(wanted, product)
    used = {name: kind_of(wanted.methods[name]) for name in names}
    refused = [name for name in names if used[name] not in product.methods]
    if refused:
        ways = _in_common(refused, product)
        named = ", ".join(map(_names.shown, refused))
        return f"{product.name} cannot be validated by {used[refused[0]]} ({named}); offered for it: {ways}"
    if product.family is Family.DIGICERT and len(set(used.values())) > 1:
        return (
            f"{product.name} takes one validation method for all names, not {', '.join(sorted(set(used.values())))};"
            f" possible for all of them: {_in_common(names, product)}"
        )
    strays = [name for name in wanted.names if name not in names and wanted.methods[name] != wanted.methods[names[0]]]
    if strays:
        return (
            f"{product.name} proves {', '.join(map(_names.shown, strays))} along with {_names.shown(names[0])}, so"
            f" write {wanted.methods[names[0]]} for it too"
        )
    return ""


def _in_common(names: t.Sequence[str], product: Product) -> str:
    kinds = [kind for kind in KINDS if kind in product.methods and all(kind in possible(name) for name in names)]
    return ", ".join(kinds) or "none"
