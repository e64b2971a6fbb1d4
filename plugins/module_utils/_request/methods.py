# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The validation methods of names: possible methods, selection by `auto`, and reasons for a refusal. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.models import Family, Product
from .._core import names as _names
from .._core.errors import input_error
from .spec import AUTO, CertificateSpec

KINDS = ("http", "https", "dns", "email")
FILES = ("http", "https")
PUBLISHERS = ("http", "dns")  # in the order in which `auto` prefers them

METHODS_SPEC: dict[str, t.Any] = {
    "publishers": {"type": "list", "elements": "str", "choices": list(PUBLISHERS), "default": ["http"]},
}


def kind_of(method: str) -> str:
    """The kind of a method: `email` for the address of an approver."""
    return "email" if "@" in method else method


def possible_methods(name: str) -> tuple[str, ...]:
    """The methods that can validate a name with any product (API reference 8.4)."""
    if _names.is_address(name):
        return FILES
    return ("dns", "email") if _names.is_wildcard(name) else KINDS


def validated_names(spec: CertificateSpec, product: Product | None) -> tuple[str, ...]:
    """The names with their own validation. A single-name product validates its other names with the first one."""
    return spec.names if product is None or product.multi_domain else spec.names[:1]


def choose(spec: CertificateSpec, product: Product | None, publishers: t.Sequence[str]) -> CertificateSpec:
    """Replace every `auto` in the spec by a method; an input error with the alternatives if no method is possible.

    Files are preferred to DNS records, because they require no access to a zone. Without the product, only the names
    decide, because the restrictions of the product are not known.
    """
    if AUTO not in spec.methods.values():
        return spec
    names = validated_names(spec, product)
    offered = product.methods if product else frozenset(KINDS)
    able = [kind for kind in PUBLISHERS if kind in publishers and kind in offered]
    if product is not None and product.family is Family.DIGICERT:
        able = _one_for_all(spec, names, able)
        if len(names) > 1:  # all names would require the same file with different content (API reference 8.3)
            offered = frozenset(offered) - frozenset(FILES)
            able = [kind for kind in able if kind in offered or kind in map(kind_of, spec.methods.values())]
    methods = dict(spec.methods)
    for name in names:
        if methods[name] == AUTO:
            methods[name] = _choose_one(spec, name, able, offered)
    for name in spec.names:
        if methods[name] == AUTO:
            methods[name] = methods[names[0]]
    return dataclasses.replace(spec, methods=methods)


def _one_for_all(spec: CertificateSpec, names: t.Sequence[str], able: t.Sequence[str]) -> list[str]:
    """The methods that are possible for every name, for products that validate all names by one method.

    An explicit method has priority.
    """
    explicit = {kind_of(spec.methods[name]) for name in names} - {AUTO}
    candidates = explicit - {"email"} if explicit else able  # `auto` cannot select an approver
    return [kind for kind in candidates if len(explicit) < 2 and all(kind in possible_methods(name) for name in names)]


def _choose_one(spec: CertificateSpec, name: str, able: t.Sequence[str], offered: t.Collection[str]) -> str:
    for kind in able:
        if kind in possible_methods(name):
            return kind
    left = [kind for kind in possible_methods(name) if kind in offered]
    raise input_error(
        f"{spec.name}: dcv: auto finds no method to validate {_names.shown(name)}: {_why_none(name, able)}."
        f" {_alternatives(left)}"
    )


def _why_none(name: str, able: t.Sequence[str]) -> str:
    if _names.is_wildcard(name):
        return "a wildcard is validated by a DNS record or an e-mail, and no DNS provider is configured for it"
    if _names.is_address(name):
        return "an address is validated by a file, and no publisher of files is configured"
    return f"the configured methods ({', '.join(able) or 'none'}) cannot validate it"


def _alternatives(kinds: t.Sequence[str]) -> str:
    ways = {
        "http": "configure a publisher of files (gogetssl_http_publisher)",
        "https": "set dcv to https",
        "dns": "configure a DNS provider (gogetssl_dns_provider)",
        "email": "set dcv to the e-mail address of an approver",
    }
    listed = [ways[kind] for kind in kinds if kind != "https"]
    return f"Alternatives: {', or '.join(listed)}." if listed else "No other method can validate it."


def problem(spec: CertificateSpec, product: Product) -> str:
    """Why the product does not support the requested methods, with the alternatives; empty if it does."""
    names = validated_names(spec, product)
    used = {name: kind_of(spec.methods[name]) for name in names}
    refused = [name for name in names if used[name] not in product.methods]
    if refused:
        ways = _in_common(refused, product)
        named = ", ".join(map(_names.shown, refused))
        return f"{product.name} cannot be validated by {used[refused[0]]} ({named}); available: {ways}"
    if product.family is Family.DIGICERT and len(set(used.values())) > 1:
        return (
            f"{product.name} takes one validation method for all names, not {', '.join(sorted(set(used.values())))};"
            f" possible for all of them: {_in_common(names, product)}"
        )
    strays = [name for name in spec.names if name not in names and spec.methods[name] != spec.methods[names[0]]]
    if strays:
        return (
            f"{product.name} validates {', '.join(map(_names.shown, strays))} together with {_names.shown(names[0])};"
            f" set dcv to {spec.methods[names[0]]} for it too"
        )
    return ""


def _in_common(names: t.Sequence[str], product: Product) -> str:
    kinds = [
        kind for kind in KINDS if kind in product.methods and all(kind in possible_methods(name) for name in names)
    ]
    return ", ".join(kinds) or "none"
