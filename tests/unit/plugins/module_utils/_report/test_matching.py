# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders of hosts that lost their records: one that fits uniquely is found, anything ambiguous is not."""

from __future__ import annotations

import dataclasses
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Order, Status
from ansible_collections.certops.gogetssl.plugins.module_utils._report import matching
from ansible_collections.certops.gogetssl.plugins.module_utils._report.account import Account
from ansible_collections.certops.gogetssl.plugins.module_utils._report.matching import Match

from .._order.test_plan import leaf
from .fleet import account, certificate, host, rows_of, unreachable
from .test_reconcile import NONE, detail

NAME = "shop.example.com"
NAMES = (NAME, f"www.{NAME}")


def order(order_id: int, **changes: Any) -> Order:
    return dataclasses.replace(detail(order_id, NAME), **changes)


def lost(name: str = "web1", **changes: Any) -> dict[str, Any]:
    """A host whose directory was lost."""
    one = certificate(step="obtain", **{**NONE, "served": [], **changes})
    return {**host(name, one), "certificates": [{"name": "shop", "names": list(NAMES), "product": "68"}]}


def found(hosts: list[dict[str, Any]], *orders: Order, **more: Any) -> list[Match]:
    of: Account = account(*((one.order_id, one.status.value, one.common_name) for one in orders), **more)
    rows = rows_of(*hosts, of=of)
    known = {one.order_id: one for one in orders}
    wanted = matching.worth_reading(rows, of)
    return matching.match(rows, dataclasses.replace(of, details={number: known[number] for number in wanted}))


def served(sha256: str) -> list[dict[str, Any]]:
    return [{"listener": "l", "matches": False, "answers": True, "not_after": None, "sha256": sha256}]


def test_the_only_order_that_fits() -> None:
    (one,) = found([lost()], order(7))
    assert (one.order_id, one.row.host) == (7, "web1")
    assert one.sentence() == "shop on web1: order 7: names and product fit, no other order does"


def test_orders_that_do_not_fit() -> None:
    for other in (
        order(7, names=(NAME,)),
        order(7, names=(*NAMES, "mail.example.com")),
        order(7, product_id=65),
        order(7, status=Status.PROCESSING),
        order(7, status=Status.CANCELLED),
        order(7, reissuing=True),
    ):
        (one,) = found([lost()], other)
        assert one.order_id is None
        assert "no live order for exactly these names" in one.reason


def test_two_orders_are_not_guessed() -> None:
    (one,) = found([lost()], order(7), order(8))
    assert (one.order_id, one.reason) == (None, "orders 7, 8 fit. Set adopt to one of them")


def test_an_order_of_another_host_is_not_taken() -> None:
    (one,) = found([lost(), host("web2", certificate(order_id=7))], order(7))
    assert one.order_id is None


def test_two_hosts_that_request_the_same() -> None:
    results = found([lost("web1"), lost("web2")], order(7))
    assert [one.order_id for one in results] == [None, None]
    assert "web2 requests the same names" in results[0].reason


def test_a_host_that_could_not_be_read_may_use_the_order() -> None:
    away = {**unreachable("web2", "shop"), "certificates": lost()["certificates"]}
    (one,) = found([lost(), away], order(7))
    assert (one.order_id, "web2 requests the same names" in one.reason) == (None, True)
    (one,) = found([lost(), {"host": "web3", "result": {}, "certificates": lost()["certificates"]}], order(7))
    assert one.order_id is None


def test_a_served_certificate_decides() -> None:
    issued = order(8, certificate=leaf().pem)
    (one,) = found([lost(served=served(leaf().sha256))], order(7), issued)
    assert one.order_id == 8
    (one,) = found([lost(served=served("0" * 64))], issued)
    assert (one.order_id, "a certificate of another order" in one.reason) == (None, True)


def test_a_served_certificate_on_two_hosts_does_not() -> None:
    issued = order(8, certificate=leaf().pem)
    both = [lost(name, served=served(leaf().sha256)) for name in ("web1", "web2")]
    assert [(one.order_id, one.reason) for one in found(both, issued)] == [
        (None, "order 8 fits several certificates")
    ] * 2


def test_an_account_with_more_orders_than_are_listed() -> None:
    (one,) = found([lost()], order(7), complete=False)
    assert (one.order_id, "more orders than GoGetSSL lists" in one.reason) == (None, True)


def test_copies_and_hosts_with_records_are_not_lost() -> None:
    copy = lost("web2")
    copy["certificates"][0]["order_host"] = "web1"
    pending = host("web3", certificate(step="obtain", in_progress=True, **NONE))
    assert found([copy, pending, host("web4", certificate())], order(9)) == []


def test_an_unknown_product() -> None:
    one = lost()
    one["certificates"][0]["product"] = "<script>"
    one["result"]["certificates"][0]["product_id"] = None
    (result,) = found([one], order(7))
    assert result.reason == "the account's catalogue has no product '<script>'"
