# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts the vendor's loosely typed values (API reference 1.6). Only forms that are known to occur are accepted.

Each function takes the value and the field's name. A value of another form raises an error that names the field.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
import typing as t

from .._core.errors import GogetsslError, Kind

Json = t.Any
Object = t.Mapping[str, Json]


def bad(field: str, value: Json, expected: str) -> GogetsslError:
    """Return the error for a field with an unexpected value."""
    text = repr(value)
    shown = text[:60] + "..." if len(text) > 60 else text
    return GogetsslError(f"GoGetSSL's answer contains {shown} in {field!r} instead of {expected}.", Kind.ANSWER)


def obj(value: Json, field: str) -> Object:
    """Read an object. PHP sends an empty object as `[]`; a missing one is left out or null."""
    if value in (None, [], "", False):
        return {}
    if not isinstance(value, dict):
        raise bad(field, value, "an object")
    return value


def items(value: Json, field: str) -> list[Object]:
    """Read a list of objects, or an object keyed by id (API reference 4.2)."""
    if value in (None, "", False):
        return []
    entries = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise bad(field, value, "a list of objects")
    return entries


def text(value: Json, field: str) -> str:
    """Read a text. A number becomes its digits, and a missing value becomes an empty text."""
    if value is None or value is False or value == []:
        return ""
    if isinstance(value, (str, int, float)):
        return str(value).strip()
    raise bad(field, value, "text")


def integer(value: Json, field: str) -> int:
    """Read an integer, sent as a number or as text."""
    if isinstance(value, bool):
        raise bad(field, value, "a number")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    raise bad(field, value, "a number")


def integer_or_none(value: Json, field: str) -> int | None:
    """Read an integer or a missing value."""
    return None if value in (None, "", []) or value is False else integer(value, field)


def identifier(value: Json, field: str) -> int:
    """Read a positive id."""
    number = integer(value, field)
    if number <= 0:
        raise bad(field, value, "an id")
    return number


def flag(value: Json, field: str) -> bool:
    """Read a boolean, which the vendor sends in several forms. A missing value is false."""
    lowered = value.strip().lower() if isinstance(value, str) else value
    if lowered in (True, 1, "1", "true", "yes"):
        return True
    if lowered in (None, False, 0, "0", "false", "no", ""):
        return False
    raise bad(field, value, "a yes or no")


def date(value: Json, field: str) -> dt.date | None:
    """Read a date without its time. `0000-00-00` or a missing value means that the date is not known yet."""
    if value in (None, "", [], 0, "0") or value is False:
        return None
    if isinstance(value, str):
        day = value.strip()[:10]
        if day == "0000-00-00":
            return None
        try:
            return dt.date.fromisoformat(day)
        except ValueError:
            pass
    raise bad(field, value, "a date")


def iso(value: Json, field: str) -> str | None:
    """Read a date and return it in ISO form, or None."""
    day = date(value, field)
    return day.isoformat() if day else None


def moment(value: Json, field: str) -> str | None:
    """Read a date with an optional time and return it in ISO form, or None (API reference 10)."""
    day = date(value, field)
    if day is None:
        return None
    match = re.fullmatch(r"[0-9-]{10}[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:Z|\+00:00)?", str(value).strip())
    return f"{day.isoformat()}T{match.group(1)}Z" if match else day.isoformat()


def word(value: Json, field: str) -> str | None:
    """Read a text; None if it is missing or empty."""
    return text(value, field) or None


def flag_or_none(value: Json, field: str) -> bool | None:
    """Read a boolean; None if it is missing."""
    return None if value is None else flag(value, field)


def percent(value: Json, field: str) -> float | None:
    """Read a rate in percent, such as `21%`, `"21"` or `21`."""
    body = text(value, field).rstrip("%").strip()
    if not body:
        return None
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", body):
        raise bad(field, value, "a rate in percent")
    return float(body)


def texts(value: Json, field: str) -> list[str]:
    """Read a list of texts, or one comma-separated text."""
    if isinstance(value, str):
        value = value.split(",")
    if value in (None, False):
        return []
    if not isinstance(value, list):
        raise bad(field, value, "a list of texts")
    return [found for found in (text(entry, field) for entry in value) if found]


def money(value: Json, field: str) -> int | None:
    """Read an amount such as `12.34`, `"12.34"` or `"1,234.50"` in minor units of the currency."""
    if value in (None, "", []) or isinstance(value, bool):
        return None
    try:
        amount = decimal.Decimal(str(value).replace(",", ""))
        if not amount.is_finite() or abs(amount) > 10**9:
            raise bad(field, value, "an amount of money")
        return int((amount * 100).to_integral_value(decimal.ROUND_HALF_UP))
    except decimal.InvalidOperation:
        raise bad(field, value, "an amount of money") from None


def pem(value: Json, field: str) -> str | None:
    """Read a PEM text and normalise its line ends; None if it is missing."""
    body = text(value, field).replace("\r\n", "\n")
    if not body:
        return None
    if not body.startswith("-----BEGIN ") or len(body) > 200_000:
        raise bad(field, value, "a PEM text")
    return body + "\n"
