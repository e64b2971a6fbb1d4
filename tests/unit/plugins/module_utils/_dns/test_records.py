# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notes of published records on a host: only records that a run can have published are read from them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import records

RECORD: dict[str, Any] = {
    **{"zone": "example.com", "name": f"_{'a' * 32}.shop.example.com", "type": "CNAME", "ttl": 60, "order_id": 7},
    **{"value": f"{'a' * 32}.{'b' * 32}.comodoca.com", "provider": "nsupdate"},
}


def load(**changes: Any) -> list[records.Record]:
    text = records.dump([records.Record(**RECORD)])
    for key, value in changes.items():
        text = text.replace(f'"{RECORD[key]}"', f'"{value}"')
    return records.load(text, "/etc/gogetssl")


def test_a_note_is_read_as_it_was_written() -> None:
    assert load() == [records.Record(**RECORD)]


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "example.com"},
        {"value": "comodoca.com.example.org"},
        {"value": "x.sect\u0131go.com"},
        {"type": "TXT", "value": "v=spf1 -all"},
        {"provider": "../retire"},
        {"zone": "example.org"},
    ],
)
def test_a_note_of_other_records_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(GogetsslError, match="cannot be read as a note"):
        load(**changes)
