# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON records from a host's disk. Every field is validated, because a hostile host can write any content."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import typing as t

FORMAT = 1
LARGEST = 1 << 20  # characters of a record
_LONGEST = 1000  # characters of a text, entries of a list
_DAYS, _TIMES = ("date", "end_date", "ordered"), ("keyed", "ends")
_YEARS = range(2000, 2200)

_Record = t.TypeVar("_Record")


def load(text: str) -> dict[str, t.Any]:
    """Return the fields of a record in this format, or raise a ValueError."""
    if len(text) > LARGEST:
        raise ValueError("length")
    try:
        fields = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nesting") from None
    if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
        raise ValueError("format")
    return fields


def build(kind: type[_Record], fields: t.Any) -> _Record:
    """Return the dataclass with these fields; a ValueError if a field is unknown, missing or of the wrong type."""
    try:
        record = kind(**fields)
    except TypeError:
        raise ValueError("fields") from None
    for field in dataclasses.fields(t.cast(t.Any, record)):
        value = getattr(record, field.name)
        if not any(_fits(part, value) for part in str(field.type).split(" | ")):
            raise ValueError(field.name)
        if isinstance(value, str):
            _check_time(field.name, value)
    return record


def _fits(annotation: str, value: t.Any) -> bool:
    """Whether the value has the annotated type and a plausible size."""
    if annotation.startswith("tuple["):
        item = annotation[len("tuple[") :].partition(",")[0]
        return isinstance(value, tuple) and len(value) <= _LONGEST and all(_fits(item, one) for one in value)
    if isinstance(value, str):
        return annotation == "str" and len(value) <= _LONGEST and value.isprintable()
    if type(value) in (int, float):
        return annotation in (type(value).__name__, "float") and abs(value) < (1e11 if annotation == "float" else 1e15)
    return type(value).__name__ == ("NoneType" if annotation == "None" else annotation)


def _check_time(name: str, value: str) -> None:
    """Raise a ValueError if a date or time field is not valid."""
    if name in _DAYS:
        day = dt.date.fromisoformat(value[:10])
    elif name in _TIMES:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(name)
        day = moment.date()
    else:
        return
    if day.year not in _YEARS or (name == "end_date" and len(value) > 10):
        raise ValueError(name)


def _refuse(constant: str) -> t.Any:
    raise ValueError(constant)
