# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between the orders of an account and the hosts, and their remedies."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Order, OrderSummary, Status
from ansible_collections.certops.gogetssl.plugins.module_utils._report import reconcile
from ansible_collections.certops.gogetssl.plugins.module_utils._report.account import Account

from .fleet import NOW, account, certificate, host, rows_of, unreachable

TODAY = NOW.date()
NONE = dict.fromkeys(("not_before", "not_after", "replace_from", "order_id", "term_end"))


def compared(of: Account, *hosts: dict[str, Any]) -> list[reconcile.Difference]:
    return reconcile.reconcile(rows_of(*hosts, of=of), of, reconcile.Limits(), NOW)


def issued(of: Account, order_id: int, days: int) -> Account:
    """The account in which this order was issued so many days ago."""
    order = dataclasses.replace(of.orders[order_id], valid_from=TODAY - dt.timedelta(days=days))
    return dataclasses.replace(of, orders={**of.orders, order_id: order})


def detail(order_id: int, name: str, status: Status = Status.ACTIVE) -> Order:
    ends = TODAY + dt.timedelta(days=100)
    return Order(
        order_id=order_id, status=status, product_id=68, common_name=name, names=(name, f"www.{name}"), csr=None,
        certificate=None, chain=None, valid_from=None, valid_till=None, begin_date=ends - dt.timedelta(days=365),
        end_date=ends, reissuing=False, single_sans=0, wildcard_sans=0, validations=(), manual_check=False,
        pre_signing=False, description="",
    )  # fmt: skip


def test_an_account_that_fits_has_no_findings() -> None:
    of = account((7, "active", "shop.example.com"), (8, "cancelled", "old"), (9, "expired", "old"))
    assert compared(of, host("web1", certificate()), host("web2", certificate(order_host="web1"))) == []
    assert compared(account()) == []


def test_an_unused_order_has_its_price_its_end_and_the_command() -> None:
    of = account((7, "active", "shop.example.com"), (8, "active", "old.example.com"))
    of = dataclasses.replace(of, details={8: detail(8, "old.example.com")})
    (found,) = compared(of, host("web1", certificate()))
    assert (found.kind, found.order_id, found.name) == ("unused", 8, "old.example.com")
    assert (found.cost, found.end) == (1630, TODAY + dt.timedelta(days=100))
    assert '"order_ids": [8]' in found.remedy


def test_an_unused_order_of_a_host_without_an_order_is_taken_over() -> None:
    of = account((8, "active", "SHOP.example.com"))
    (found,) = compared(of, host("web1", certificate(step="obtain", served=[], **NONE)))
    assert found.kind == "unused"
    assert found.remedy == "Take it over: adopt: 8 in the entry shop of web1, for one run."


def test_an_order_of_an_unreachable_host_is_not_called_unused() -> None:
    (found,) = compared(account((8, "active", "shop.example.com")), unreachable("gone", "shop"))
    assert "gone may use it and is unreachable" in found.reason
    assert "cancel" not in found.remedy


@pytest.mark.parametrize(
    ("orders", "remedy"),
    [
        ([(7, "cancelled", "x")], "buy again: abandon_intent: true in the entry shop of web1"),
        ([], "buy again"),
        ([(7, "expired", "x"), (9, "active", "shop.example.com")], "adopt: 9 in the entry shop"),
        ([(8, "active", "shop.example.com"), (9, "active", "shop.example.com")], "one of the live orders 8, 9"),
    ],
)
def test_an_order_that_is_gone(orders: list[tuple[int, str, str]], remedy: str) -> None:
    found = compared(account(*orders), host("web1", certificate()))
    assert found[0].kind == "gone"
    assert remedy in found[0].remedy


def test_two_orders_of_one_name() -> None:
    of = account((7, "active", "shop.example.com"), (8, "active", "shop.example.com"))
    found = [one for one in compared(of, host("web1", certificate())) if one.kind == "double"]
    assert found[0].reason.endswith("7 (web1), 8 (no host)")
    assert '"order_ids": [8]' in found[0].remedy
    both = compared(of, host("web1", certificate()), host("web2", certificate(order_id=8)))
    assert [one.kind for one in both] == ["double"]
    assert "order_host" in both[0].remedy


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        (("web1", "rsa-2048"), ("web1", "ecdsa-p256"), []),
        (("web1", "rsa-2048"), ("web1", "rsa-4096"), ["double"]),
        (("web1", "rsa-2048"), ("web2", "ecdsa-p256"), ["double"]),
    ],
)
def test_an_rsa_and_an_ecdsa_certificate_of_one_host_are_not_double(
    first: tuple[str, str], second: tuple[str, str], kinds: list[str]
) -> None:
    of = account((7, "active", "shop.example.com"), (8, "active", "shop.example.com"))
    certificates: dict[str, list[dict[str, Any]]] = {}
    for order_id, (where, key_type) in ((7, first), (8, second)):
        one = certificate(order_id=order_id, key_type=key_type)
        certificates.setdefault(where, []).append({**one, "name": f"shop-{order_id}"})
    found = compared(of, *(host(where, *some) for where, some in certificates.items()))
    assert [one.kind for one in found] == kinds


def test_a_pending_order_has_its_age_and_what_it_waits_for() -> None:
    of = account(
        (7, "processing", "shop.example.com"), (9, "active", "mail.example.com"), reasons={7: "Not validated."}
    )
    hosts = [
        host("web1", certificate(step="obtain", in_progress=True), certificate("mail", order_id=9)),
    ]
    (found,) = compared(issued(of, 9, 5), *hosts)
    assert (found.kind, found.hosts) == ("pending", ("web1",))
    assert found.reason == "processing since at least 5 days: Not validated"
    assert compared(issued(of, 9, 3), *hosts) == []
    assert compared(of, *hosts)[0].reason.startswith("processing for an unknown time")


def test_an_unpaid_order_and_one_that_nothing_renews() -> None:
    unpaid = [{"order_id": 8, "total": 1488, "currency": "EUR", "date": "2026-11-20"}]
    of = account((7, "active", "shop.example.com"), (8, "unpaid", "new.example.com"), unpaid=unpaid)
    ends = (TODAY + dt.timedelta(days=40)).isoformat()
    found = compared(of, host("web1", certificate(term_end=ends), spend=["reissue"]))
    assert [one.kind for one in found] == ["unpaid", "unrenewed", "pending", "unused"]
    assert (found[0].cost, found[0].end) == (1488, dt.date(2026, 12, 10))
    assert found[1].remedy.endswith("-l web1 -e gogetssl_spend=renew --check")
    assert not any(one.kind == "unrenewed" for one in compared(of, host("web1", certificate(term_end=ends))))


def test_which_details_are_worth_a_request() -> None:
    of = account((7, "active", "a"), (8, "active", "b"), (9, "processing", "c"), (10, "expired", "d"))
    assert reconcile.worth_reading(rows_of(host("web1", certificate()), of=of), of) == [9, 8]


@pytest.mark.parametrize("name", ["<script>", "=1", "\x1b[2J", "", "x" * 5000, "'; rm -rf /; '"])
def test_hostile_names_are_text(name: str) -> None:
    for one in compared(account((8, name, name), (9, "active", name))):
        assert "\x1b" not in one.sentence()
        assert "'; rm" not in one.remedy


def test_a_hundred_thousand_orders() -> None:
    orders = {number: OrderSummary(number, "active", f"n{number}") for number in range(1, 100_001)}
    of = Account(orders=orders, read=True, complete=False)
    assert len(compared(of, host("web1", certificate()))) == 99_999


def test_every_kind_has_a_count() -> None:
    assert reconcile.count([]) == dict.fromkeys(reconcile.KINDS, 0)
