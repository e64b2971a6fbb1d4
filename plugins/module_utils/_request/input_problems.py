# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that cannot be what the user meant: misread by YAML, of another type, empty, or with an unknown key. Pure.

Ansible converts values without a word: `country: NO` to the text `False`, `postalcode: 0150` to `104`, `period: yes`
to 1, and a list to Python's notation of it. Its messages about the keys of a certificate name neither the certificate
nor the key. The options are therefore checked before Ansible converts them.
"""

from __future__ import annotations

import datetime as dt
import difflib
import itertools
import math
import re
import typing as t

from ansible.module_utils.common import validation

from .spec import CONTACTS_SPEC

Options = t.Mapping[str, t.Any]
_PRICES = ("max_price", "max_price_per_year", "max_price_per_run", "max_price_per_day")
# Texts that can be numbers, and texts that can be dates.
_NUMBERS = frozenset({"product", "products", "owner", "group", "mode", "batches"})
_DATES = frozenset({
    "api_password_date", "date_from", "date_till", "deadline", "incorporation_date", "since",
})  # fmt: skip
_CONVERTERS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "bool": validation.check_type_bool,
    "float": validation.check_type_float,
    "int": validation.check_type_int,
}
_EXPECTED = {
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number",
    "int": "a whole number",
    "path": "text",
    "str": "text",
}
_NAMED: Options = {"name": {}, "alias": {}}  # of certificates whose keys the host checks


def first_problem(options: Options, spec: Options, prefix: str = "") -> str:
    """A message about the first value that cannot be meant; empty if there is none.

    The message names options with the prefix, for variables of the role.
    """
    required = _required(options, spec, "", prefix) if prefix else iter(())
    return next(itertools.chain(required, _in_options(options, spec, "", prefix)), "")


def _in_options(options: Options, spec: Options, where: str, prefix: str) -> t.Iterator[str]:
    for name, value in options.items():
        option = spec.get(name)
        if option is None or value is None or value == "":
            continue
        if name in CONTACTS_SPEC:  # the role documents the keys once
            option = {**option, "options": CONTACTS_SPEC[name]["options"]}
        label = f"{prefix}{name}"
        if name in _PRICES:
            yield from _in_price(label, value)
        if option.get("type") == "list":
            yield from _in_list(value, option, where, label)
        else:
            yield from _in_value(value, option.get("type", "str"), option, where, label)


def _in_list(value: t.Any, option: Options, where: str, label: str) -> t.Iterator[str]:
    if isinstance(value, t.Mapping):
        yield f"{where}{label} must be a list, not a dictionary."
        return
    for number, item in enumerate(value if isinstance(value, (list, tuple)) else [value], 1):
        if item is None or item == "":
            yield f"{where}{label}: item {number} is empty. Remove it, or the comma before it."
        elif label.endswith("certificates") and (found := _dictionary(item)) is not None:
            name = found.get("name")
            certificate = name if isinstance(name, str) and name else f"Certificate {number} of the list"
            yield from _in_dictionary(found, option.get("options"), f"{certificate}: ", "")
        else:
            yield from _in_value(item, option.get("elements", "str"), option, where, label, "each item of ")


def _in_value(value: t.Any, kind: str, option: Options, where: str, label: str, each: str = "") -> t.Iterator[str]:
    wrong = f"{where}{each}{label} must be {_EXPECTED.get(kind)}, not {_kind(value)}."
    if kind == "dict":
        found = _dictionary(value)
        yield from [wrong] if found is None else _in_dictionary(found, option.get("options"), where, f"{label}.")
    elif isinstance(value, (list, tuple, t.Mapping)):
        yield from [wrong] if kind != "raw" else []
    elif option.get("choices"):
        choices = list(map(str, option["choices"]))
        if str(value) not in choices:
            yield f"{where}{label} must be one of {', '.join(choices)}, not {value}."
    elif kind in ("str", "path"):
        yield from _in_text(value, option, where, label)
    elif kind in _CONVERTERS and not _convertible(value, kind):
        yield wrong


def _in_dictionary(found: Options, spec: Options | None, where: str, prefix: str) -> t.Iterator[str]:
    if not spec:
        spec = _NAMED
    else:
        place = f"{where}{prefix[:-1]}: " if prefix else where
        yield from (f"{place}unknown key {key}{_hint(str(key), spec)}" for key in found if key not in spec)
    yield from _required(found, spec, where, prefix)
    yield from _in_options(found, spec, where, prefix)


def _required(found: Options, spec: Options, where: str, prefix: str) -> t.Iterator[str]:
    for key, option in spec.items():
        if option.get("required") and found.get(key) in (None, ""):
            yield f"{where}{prefix}{key} is missing."


def _in_text(value: t.Any, option: Options, where: str, label: str) -> t.Iterator[str]:
    """YAML reads `NO` as a boolean, `0150` and `1:30` as numbers, and `2026-11-24` as a date."""
    name = label.rpartition(".")[2]
    if isinstance(value, bool):
        kind = "the boolean"
    elif isinstance(value, dt.date):  # also a datetime
        kind = "" if name.removeprefix("gogetssl_") in _DATES else "the date"
    elif isinstance(value, float) or (isinstance(value, int) and name not in _NUMBERS):
        kind = "the number"
    else:
        return
    if kind:
        shown = kind.replace("the", "a") if option.get("no_log") else f"{kind} {value}"
        yield f"{where}{label}: YAML reads the value as {shown}. Write it in quotes."


def _in_price(label: str, value: t.Any) -> t.Iterator[str]:
    """Ansible would convert the price `10.00` to 10, which is 0.10."""
    if isinstance(value, (str, float)) and re.fullmatch(r"\d+[.,]\d+", str(value).strip()):
        yield (
            f"{label}: {value} is not a whole number. The unit is the minor unit of the currency (cents): for a"
            " price of 10.00 set 1000."
        )


def _convertible(value: t.Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    try:
        return math.isfinite(_CONVERTERS[kind](value))
    except (TypeError, ValueError, OverflowError):
        return False


def _dictionary(value: t.Any) -> Options | None:
    """The dictionary, which Ansible also accepts as JSON or `key=value` text; None for another value."""
    try:
        found = validation.check_type_dict(value)
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, t.Mapping) else None


def _hint(key: str, known: Options) -> str:
    similar = difflib.get_close_matches(key, list(known), 1, 0.6)
    return f"; did you mean {similar[0]}?" if similar else f". Known keys: {', '.join(known)}."


def _kind(value: t.Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return f"{value}"
    if isinstance(value, t.Mapping):
        return "a dictionary"
    if isinstance(value, dt.date):
        return "a date"
    return "text" if isinstance(value, str) else "a list"
