# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's note of DCV files that could not be removed is input from a host."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._host import file_notes, interrupted_files

NAMES = ["shop.example.com", "*.example.net"]
FILE = {
    "order_id": 7,
    "name": "shop.example.com",
    "method": "http",
    "file_name": "fileauth.txt",
    "content": "_0123456789abcdef0123",
}
PROBE = {
    "file_name": f"{interrupted_files.probe_prefix('web1')}{'c' * 20}.txt",
    "content": f"gogetssl-probe-{'b' * 32}",
}


def test_files_and_probes_are_read() -> None:
    validation, probe = file_notes.read(json.dumps([FILE, PROBE]), NAMES, "web1")
    assert validation["url"] == "http://shop.example.com/.well-known/pki-validation/fileauth.txt"
    assert (validation["order_id"], probe["order_id"], probe["content"]) == (7, 0, PROBE["content"])


@pytest.mark.parametrize(
    "change",
    [
        {"name": "bank.example.org"},
        {"name": ["shop.example.com"]},
        {"file_name": "index.html"},
        {"file_name": "../fileauth.txt"},
        {"content": "hello"},
        {"content": None},
        {"order_id": "7"},
        {"order_id": True},
        {"method": "dns"},
    ],
)
def test_anything_else_is_left_out(change: dict[str, Any]) -> None:
    assert file_notes.read(json.dumps([{**FILE, **change}]), NAMES, "web1") == []


@pytest.mark.parametrize("text", ["", "[", "7", "{}", "[7]", "null", "[" * 50_000])
def test_a_damaged_note_is_empty(text: str) -> None:
    assert file_notes.read(text, NAMES, "web1") == []


@pytest.mark.parametrize("host", ["web2", ""])
def test_probes_of_other_hosts_are_left_out(host: str) -> None:
    assert file_notes.read(json.dumps([PROBE]), NAMES, host) == []


def test_very_many_files_do_not_hold_the_run() -> None:
    noted = [{**FILE, "order_id": number} for number in range(5000)]
    assert len(file_notes.read(json.dumps(noted), NAMES, "web1")) == file_notes.MAX_OF_NAME * 3
