# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of Ansible's validator, made by the validator itself, so that a new wording of Ansible is found."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._request import validator_messages

ITEM = {"kind": {"choices": ["a", "b"]}, "names": {"type": "list", "elements": "str"}, "size": {"type": "int"}}
SPEC = {
    **ITEM,
    "wait": {"type": "bool"},
    "sizes": {"type": "list", "elements": "int"},
    "certificates": {"type": "list", "elements": "dict", "options": {**ITEM, "product": {"required": True}}},
}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "c"}, "kind must be one of a, b, not c."),
        ({"certificates": [{"product": 1, "kind": "c"}]}, "kind must be one of a, b, not c."),
        ({"size": "many"}, "size must be a whole number, not text."),
        ({"wait": "maybe"}, "wait must be true or false, not text."),
        ({"certificates": [{"product": 1, "size": "many"}]}, "size must be a whole number, not text."),
        ({"sizes": ["many"]}, "each item of sizes must be a whole number, not text."),
        ({"certificates": [{}]}, "missing required arguments: product."),
    ],
)
def test_messages(options: dict[str, Any], message: str) -> None:
    found = ArgumentSpecValidator(SPEC).validate(options).error_messages
    assert [validator_messages.plain(text) for text in found] == [message]
