# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _loose
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError

GOOD: list[tuple[Callable[[Any, str], Any], Any, Any]] = [
    (_loose.text, None, ""),
    (_loose.text, False, ""),
    (_loose.text, [], ""),
    (_loose.text, 7, "7"),
    (_loose.text, " a ", "a"),
    (_loose.obj, [], {}),
    (_loose.obj, None, {}),
    (_loose.obj, {"a": 1}, {"a": 1}),
    (_loose.items, {"3": {"id": 3}}, [{"id": 3}]),
    (_loose.items, None, []),
    (_loose.integer, "12", 12),
    (_loose.integer, 12.0, 12),
    (_loose.integer, " -1 ", -1),
    (_loose.integer_or_none, "", None),
    (_loose.integer_or_none, "0", 0),
    (_loose.flag, "1", True),
    (_loose.flag, "Yes", True),
    (_loose.flag, "false", False),
    (_loose.flag, None, False),
    (_loose.date, "0000-00-00", None),
    (_loose.date, "2026-03-15 10:11:12", dt.date(2026, 3, 15)),
    (_loose.money, "1,234.50", 123450),
    (_loose.money, 12.34, 1234),
    (_loose.money, "0.005", 1),
    (_loose.money, "", None),
    (_loose.pem, "", None),
    (_loose.pem, "-----BEGIN X-----\r\nA\r\n", "-----BEGIN X-----\nA\n"),
]
BAD: list[tuple[Callable[[Any, str], Any], Any]] = [
    (_loose.text, {"a": 1}),
    (_loose.obj, "a"),
    (_loose.obj, [1]),
    (_loose.items, ["a"]),
    (_loose.integer, True),
    (_loose.integer, "1.5"),
    (_loose.integer, "9" * 30),
    (_loose.integer, "\u0661"),
    (_loose.identifier, 0),
    (_loose.identifier, "-3"),
    (_loose.flag, "maybe"),
    (_loose.date, "15.03.2026"),
    (_loose.date, "2026-13-01"),
    (_loose.money, "free"),
    (_loose.money, "NaN"),
    (_loose.money, "1e30"),
    (_loose.pem, "<html>"),
]


@pytest.mark.parametrize(("reader", "value", "expected"), GOOD)
def test_every_form_that_was_seen_is_read(reader: Callable[[Any, str], Any], value: Any, expected: Any) -> None:
    assert reader(value, "field") == expected


@pytest.mark.parametrize(("reader", "value"), BAD)
def test_any_other_form_is_an_error_that_names_the_field(reader: Callable[[Any, str], Any], value: Any) -> None:
    with pytest.raises(GogetsslError, match="'field'"):
        reader(value, "field")
