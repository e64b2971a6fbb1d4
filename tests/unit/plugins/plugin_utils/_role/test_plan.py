# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of all hosts, as an operator approves it."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.plan import fleet_plan

BUY: dict[str, Any] = {
    "host": "web1",
    "name": "shop",
    "names": ["a.example", "b.example"],
    "product": "GoGetSSL Domain SSL",
    "period": 12,
    "step": "buy",
    "due": "buy",
    "reason": "there is no order for it",
    "order_id": None,
    "price": 1695,
    "currency": "EUR",
    "deadline": None,
}
REISSUE = {
    **BUY,
    "name": "mail",
    "step": "reissue",
    "price": 0,
    "reason": "it ends",
    "deadline": "2026-12-01T10:00:00Z",
}
STOP = {**BUY, "name": "old", "step": "stop", "reason": "old: renew is not allowed."}
EXTRA = {**BUY, "name": "extra", "extra_price": 600}
UNPRICED = {**BUY, "name": "new", "price": None}
BUDGET = {"balance": 100000, "currency": "EUR"}


def planned(*entries: dict[str, Any], error: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"__gogetssl_planned": {"plan": list(entries), "budget": BUDGET}} if entries else {}
    return {**found, **({"__gogetssl_plan_error": error} if error else {})}


def test_only_priced_purchases_can_be_approved() -> None:
    found = fleet_plan({"web1": planned(BUY, REISSUE, STOP, UNPRICED)}, ["web1"])
    assert found["plan"] == [BUY, REISSUE, STOP, UNPRICED]
    assert found["approved_plan"] == [BUY]
    assert found["failure"] == ""


def test_the_summary_has_the_total_the_problems_and_each_step() -> None:
    hosts = {"web1": planned(REISSUE, BUY, UNPRICED), "web2": planned(STOP, error="old: renew is not\x1b allowed.")}
    assert fleet_plan(hosts, hosts)["summary"] == [
        "2 purchases for 16.95 EUR before tax, without purchases of unknown price; the balance is 1000.00 EUR.",
        "web2: old: renew is not\\x1b allowed.",
        "web1: shop: buy GoGetSSL Domain SSL, 12 months, a.example, b.example, 16.95 EUR (there is no order for it)",
        "web1: new: buy GoGetSSL Domain SSL, 12 months, a.example, b.example, an unknown price, so it cannot be"
        " approved (there is no order for it)",
        "web1: mail: reissue (it ends, needed before 2026-12-01)",
    ]


def test_the_summary_has_the_price_of_additional_names() -> None:
    assert fleet_plan({"web1": planned(EXTRA)}, ["web1"])["summary"][1] == (
        "web1: extra: buy GoGetSSL Domain SSL, 12 months, a.example, b.example, 16.95 EUR (10.95 and 6.00 for"
        " additional names) (there is no order for it)"
    )


def test_facts_of_a_host_are_no_plan_to_approve() -> None:
    facts = {"inventory_hostname": "web2", "ansible_facts": {"__gogetssl_planned": 1, "__gogetssl_plan_error": 1}}
    found = fleet_plan({"web1": planned(BUY), "web2": {**planned(BUY, error="approve it"), **facts}}, ["web2", "web1"])
    assert found["approved_plan"] == [BUY]
    assert [line[:43] for line in found["summary"][1:2]] == ["web2: facts of the host would replace variab"[:43]]
    assert "approve it" not in str(found)


def test_healthy_hosts_have_an_empty_plan() -> None:
    found = fleet_plan({"web1": {}, "web2": {"__gogetssl_planned": {}}}, ["web1", "web2"])
    assert found == {"plan": [], "approved_plan": [], "summary": ["Nothing would be bought."], "failure": ""}


def test_a_run_without_any_plan_is_a_failure() -> None:
    hosts = {"web1": planned(error="The login to GoGetSSL failed."), "web2": {}}
    found = fleet_plan(hosts, hosts)
    assert found["failure"] == "web1: The login to GoGetSSL failed."
    assert fleet_plan({**hosts, "web2": planned(BUY)}, hosts)["failure"] == ""
