# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of an adoption."""

from __future__ import annotations

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.adoption import adoption_report, unknown_orders

PLAN = [
    {"name": "a", "order_id": 1, "due": "keep", "step": "keep", "reason": "It is valid."},
    {"name": "b", "order_id": 2, "due": "", "step": "renew", "reason": "it ends soon"},
    {"name": "c", "order_id": None, "due": "stop", "step": "stop", "reason": "c: several orders fit."},
    {"name": "d", "order_id": 4, "due": "keep", "step": "keep", "reason": "It is valid."},
]


def test_one_sentence_for_each_certificate() -> None:
    assert adoption_report(PLAN, ["d"]) == [
        "a: order 1, nothing is due",
        "b: order 2, due: renew (it ends soon)",
        "c: no order: several orders fit.",
        "d: its files would be copied; its order is searched for after that",
    ]


def test_orders_that_no_host_has() -> None:
    known = [{"__gogetssl_adopt_found": {"plan": PLAN}}, {}, {"__gogetssl_adopt_found": {"plan": 7}}]
    orders = [{"order_id": number, "common_name": f"{number}.example.com"} for number in (1, 9)]
    assert unknown_orders(known, orders) == ["9 9.example.com"]
