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


def of_names(names: list[str], *noted: dict[str, Any]) -> list[str]:
    found = [records.Record(**{**RECORD, **one}) for one in noted]
    return [record.name for record in records.of_names(found, names, {"a.example.com": "dcv.example.com"})]


def test_only_records_of_the_names_are_removed() -> None:
    text = {"type": "TXT", "value": "a" * 32}
    own = [{}, {**text, "name": "shop.example.com"}]
    foreign = [
        {"name": f"_{'a' * 32}.example.com"},
        {"name": f"_{'a' * 32}.mail.shop.example.com"},
        {"name": "www.shop.example.com"},
        {"name": "dcv.example.com"},
        {**text, "name": "_acme-challenge.shop.example.com"},
    ]
    for names in (["shop.example.com"], ["*.Shop.example.com"]):
        assert of_names(names, *own, *foreign) == [RECORD["name"], "shop.example.com"]
    assert of_names(["a.example.com"], *own, *foreign) == ["dcv.example.com"]
    assert of_names([], *own, *foreign) == []


def test_very_many_records_of_a_name_do_not_hold_the_run() -> None:
    noted = [{"name": f"_{number:032x}.shop.example.com"} for number in range(5000)]
    assert of_names(["shop.example.com"], *noted) == [one["name"] for one in noted[-records.MAX_NOTED :]]
