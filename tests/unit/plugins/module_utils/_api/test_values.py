# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import values
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError

GOOD: list[tuple[Callable[[Any, str], Any], Any, Any]] = [
    (values.text, None, ""),
    (values.text, False, ""),
    (values.text, [], ""),
    (values.text, 7, "7"),
    (values.text, " a ", "a"),
    (values.obj, [], {}),
    (values.obj, None, {}),
    (values.obj, {"a": 1}, {"a": 1}),
    (values.items, {"3": {"id": 3}}, [{"id": 3}]),
    (values.items, None, []),
    (values.integer, "12", 12),
    (values.integer, 12.0, 12),
    (values.integer, " -1 ", -1),
    (values.integer_or_none, "", None),
    (values.integer_or_none, "0", 0),
    (values.flag, "1", True),
    (values.flag, "Yes", True),
    (values.flag, "false", False),
    (values.flag, None, False),
    (values.date, "0000-00-00", None),
    (values.date, "2026-03-15 10:11:12", dt.date(2026, 3, 15)),
    (values.money, "1,234.50", 123450),
    (values.money, 12.34, 1234),
    (values.money, "0.005", 1),
    (values.money, "", None),
    (values.pem, "", None),
    (values.pem, "-----BEGIN X-----\r\nA\r\n", "-----BEGIN X-----\nA\n"),
]
BAD: list[tuple[Callable[[Any, str], Any], Any]] = [
    (values.text, {"a": 1}),
    (values.obj, "a"),
    (values.obj, [1]),
    (values.items, ["a"]),
    (values.integer, True),
    (values.integer, "1.5"),
    (values.integer, "9" * 30),
    (values.integer, "\u0661"),
    (values.identifier, 0),
    (values.identifier, "-3"),
    (values.flag, "maybe"),
    (values.date, "15.03.2026"),
    (values.date, "2026-13-01"),
    (values.money, "free"),
    (values.money, "NaN"),
    (values.money, "1e30"),
    (values.pem, "<html>"),
]


@pytest.mark.parametrize(("reader", "value", "expected"), GOOD)
def test_all_observed_formats_are_read(reader: Callable[[Any, str], Any], value: Any, expected: Any) -> None:
    assert reader(value, "field") == expected


@pytest.mark.parametrize(("reader", "value"), BAD)
def test_other_formats_are_errors_that_name_the_field(reader: Callable[[Any, str], Any], value: Any) -> None:
    with pytest.raises(GogetsslError, match="'field'"):
        reader(value, "field")
