# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pending orders a run waits for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.waiting import orders_to_wait_for

ORDER = {"order_id": 7, "name": "shop", "waiting_for": "Not validated yet.", "requires": ""}
RECORD = {"order_id": 7, "record": "_md5.example.com", "visible": False}


@pytest.mark.parametrize(
    ("order", "unvalidated", "provider", "requires"),
    [
        ({}, [], "", ""),
        ({"requires": "a payment"}, [], "", "a payment"),
        ({}, [RECORD], "", "the DNS record _md5.example.com"),
        ({}, [RECORD], "manual", "the DNS record _md5.example.com"),
        ({}, [RECORD], "nsupdate", ""),  # published, and only some servers lack it
        ({}, [{**RECORD, "visible": True}], "manual", ""),
        ({}, [{**RECORD, "order_id": 8}], "manual", ""),
        ({}, [{"order_id": 7, "record": None, "file_name": "x.txt", "visible": False}], "", ""),
    ],
)
def test_orders_that_require_something(
    order: dict[str, Any], unvalidated: list[dict[str, Any]], provider: str, requires: str
) -> None:
    (entry,) = orders_to_wait_for([{**ORDER, **order}], unvalidated, order_ids=[7], host="web1", dns_provider=provider)
    assert entry == {"order_id": 7, "name": "shop", "text": "shop on web1: Not validated yet.", "requires": requires}


def test_other_orders_are_left_out() -> None:
    assert orders_to_wait_for([ORDER], [], order_ids=[8], host="web1", dns_provider="") == []
