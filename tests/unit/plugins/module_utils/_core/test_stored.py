# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core import stored

pytestmark = pytest.mark.host


@dataclasses.dataclass(frozen=True)
class Record:
    order_id: int
    waited: float = 0.0
    flagged: bool = False
    note: str = ""
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"order_id": 7}, ""),
        ({"order_id": 7, "waited": 5, "flagged": True, "note": "a", "names": ("b",)}, ""),
        ({"order_id": True}, "order_id"),  # a bool is an int for Python
        ({"order_id": False}, "order_id"),
        ({"order_id": 7.0}, "order_id"),
        ({"order_id": 10**15}, "order_id"),
        ({"order_id": 7, "waited": True}, "waited"),
        ({"order_id": 7, "flagged": 1}, "flagged"),
        ({"order_id": 7, "note": "a\x1b"}, "note"),
        ({"order_id": 7, "names": (True,)}, "names"),
        ({"order_id": 7, "other": 1}, "fields"),
    ],
)
def test_each_field_has_its_type(fields: dict[str, Any], wrong: str) -> None:
    if not wrong:
        assert stored.build(Record, fields) == Record(**fields)
        return
    with pytest.raises(ValueError, match=wrong):
        stored.build(Record, fields)
