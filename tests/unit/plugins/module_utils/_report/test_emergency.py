# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates get new keys, in which waves, and what remains."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._report import emergency, selection
from ansible_collections.certops.gogetssl.plugins.module_utils._report.rows import Row

from .fleet import NOW, PRODUCT, certificate, days, host, rows_of, unreachable

HOUR = dt.timedelta(hours=1)
SINCE = NOW - HOUR
OLD = {"serial": "0a1b", "issuer": "CN=Sectigo RSA DV", "key_sent": days(-40)}
NEW = {"serial": "77", "issuer": "CN=Other CA", "key_sent": days(0)}
PRODUCTS = {68: PRODUCT}


def cert(name: str = "shop", **changes: Any) -> dict[str, Any]:
    return certificate(name, **{**OLD, **changes})


def affected(select: Any, *hosts: dict[str, Any]) -> emergency.Affected:
    return emergency.find_affected(rows_of(*hosts), selection.read_selection(select), PRODUCTS)


def chosen(select: Any, *hosts: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((row.host, row.name) for row in affected(select, *hosts).targets)


def copies(*names: str, of: str = "web1", **changes: Any) -> list[dict[str, Any]]:
    """Hosts with a copy of the certificate that another host orders."""
    found = [host(name, cert(**changes)) for name in names]
    return [{**one, "certificates": [{**one["certificates"][0], "order_host": of}]} for one in found]


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("all", True),
        ({"certificates": "shop"}, True),
        ({"certificates": ["mail", "shop"]}, True),
        ({"certificates": "mail"}, False),
        ({"names": "SHOP.example.com."}, True),
        ({"names": "other.example.com"}, False),
        ({"issuer": "sectigo"}, True),
        ({"issuer": ["DigiCert", "GlobalSign"]}, False),
        ({"product": 68}, True),
        ({"product": "multi-domain"}, True),
        ({"product": ["66"]}, False),
        ({"serial": "0A:1B"}, True),
        ({"serial": "0x000a1b"}, True),
        ({"serial": ["a1", "b"]}, False),
        ({"issued_before": NOW.date()}, True),
        ({"issued_before": "2026-10-07"}, False),
        ({"issuer": "Sectigo", "serial": "ff"}, False),
    ],
)
def test_a_certificate_matches_all_keys(select: Any, expected: bool) -> None:
    assert bool(chosen(select, host("web1", cert()))) is expected


def test_a_wildcard_certificate_covers_a_name() -> None:
    one = host("web1", cert(names=["*.example.com"]))
    assert chosen({"names": "api.example.com"}, one) == [("web1", "shop")]
    assert chosen({"names": "a.b.example.com"}, one) == []


@pytest.mark.parametrize(
    ("select", "message"),
    [
        (None, "gogetssl_emergency selects the certificates to replace. Set it to `all`"),
        ({}, "gogetssl_emergency selects"),
        ("shop", "gogetssl_emergency selects"),
        (["shop"], "gogetssl_emergency selects"),
        ({"isuer": "x", "hosts": "web1"}, "unknown key hosts, isuer. Use certificates, names, issuer, product, serial"),
        ({"issuer": ""}, "gogetssl_emergency.issuer must be a text or a list."),
        ({"issuer": []}, "gogetssl_emergency.issuer must be"),
        ({"issuer": {"a": 1}}, "gogetssl_emergency.issuer must be"),
        ({"product": True}, "gogetssl_emergency.product must be"),
        ({"serial": "zz"}, "gogetssl_emergency.serial takes hexadecimal numbers"),
        ({"issued_before": "yesterday"}, "gogetssl_emergency.issued_before must be a date or time such as"),
        ({"issued_before": ["2026-01-01", "2026-02-01"]}, "gogetssl_emergency.issued_before must be a date."),
        ({"names": "shop"}, "'shop' is not a name a certificate can be issued for."),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(select: Any, message: str) -> None:
    with pytest.raises(GogetsslError, match=re.escape(message)):
        selection.read_selection(select)


def test_a_product_name_that_the_catalogue_does_not_have_is_an_error() -> None:
    wanted = selection.read_selection({"product": ["Multi-Domain", "66"]})
    assert wanted.named_products
    selection.check_products(wanted, PRODUCTS)
    with pytest.raises(GogetsslError, match="has no product 'sectigo ov'"):
        selection.check_products(selection.read_selection({"product": "Sectigo OV"}), PRODUCTS)
    assert not selection.read_selection({"product": "66"}).named_products


def test_what_is_not_issued_has_no_key_to_replace() -> None:
    none = dict.fromkeys(("not_before", "not_after", "serial", "issuer", "key_sent"))
    missing, pending = cert("missing", **none, step="obtain"), cert("pending", **none, step="obtain", in_progress=True)
    assert chosen("all", host("web1", missing, pending)) == [("web1", "pending")]
    assert chosen({"issuer": "Sectigo"}, host("web1", missing, pending)) == []


@pytest.mark.parametrize(
    ("select", "targets", "unknown"),
    [
        ("all", 1, 1),
        ({"issuer": "Sectigo"}, 0, 2),
        ({"certificates": "lost"}, 0, 1),
        ({"certificates": "lost", "serial": "0a1b"}, 0, 1),
        ({"names": "other.example.com"}, 0, 0),
    ],
)
def test_a_certificate_that_cannot_be_read_may_be_affected(select: Any, targets: int, unknown: int) -> None:
    """Its key is on the host. If its order is known, it can be reissued."""
    none = dict.fromkeys(("not_before", "not_after", "serial", "issuer", "key_sent"))
    lost = cert("lost", **none, step="obtain", damaged=True)
    ordered = cert("ordered", **none, step="obtain", damaged=True, in_progress=True)
    found = affected(select, host("web1", lost, ordered))
    assert (len(found.targets), len(found.unknown)) == (targets, unknown)


def test_hosts_that_share_a_certificate_have_the_same_key() -> None:
    fleet = [host("web1", cert()), *copies("web2", "web3", **NEW), host("web4", cert(**NEW))]
    assert chosen({"serial": "a1b"}, *fleet) == [("web1", "shop"), ("web2", "shop"), ("web3", "shop")]


@pytest.mark.parametrize(
    ("select", "unknown"),
    [
        ("all", 1),
        ({"issuer": "Sectigo"}, 1),
        ({"names": "shop.example.com", "serial": "ff"}, 1),
        ({"names": "other.example.com"}, 0),
        ({"certificates": "mail"}, 0),
        ({"product": "66"}, 0),
    ],
)
def test_a_host_that_does_not_answer_may_be_affected(select: Any, unknown: int) -> None:
    found = affected(select, unreachable("gone", "shop"))
    assert (len(found.targets), len(found.unknown)) == (0, unknown)


def test_a_silent_host_without_known_certificates_may_be_affected() -> None:
    assert len(affected({"certificates": "shop"}, unreachable("gone")).unknown) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"key_sent": SINCE.isoformat()}, True),
        ({"key_sent": (SINCE - dt.timedelta(seconds=1)).isoformat()}, False),
        ({"key_sent": None}, False),
        (NEW, True),
        ({**NEW, "step": "install", "reason": "not served"}, False),
        ({**NEW, "step": "obtain", "reason": "its term ends"}, True),
    ],
)
def test_a_new_key_in_use_is_a_replacement(changes: dict[str, Any], expected: bool) -> None:
    (row,) = rows_of(host("web1", cert(**changes)))
    assert emergency.replaced(row, SINCE) is expected


def rows(*pairs: tuple[str, str]) -> list[Row]:
    """Certificates of hosts that the second of each pair orders."""
    return [Row(name, "shop", "ok", order_host=owner) for name, owner in pairs]


@pytest.mark.parametrize(
    ("pairs", "canary", "expected"),
    [
        ([("a", ""), ("b", ""), ("c", "")], [], (["a", "b", "c"], 1)),
        ([("a", ""), ("b", ""), ("c", "")], ["c"], (["c", "a", "b"], 1)),
        ([("a", ""), ("b", ""), ("c", "")], ["c", "b"], (["c", "b", "a"], 2)),
        ([("a", "c"), ("b", ""), ("c", "c")], [], (["c", "a", "b"], 2)),
        ([("a", ""), ("b", "c"), ("c", "c")], [], (["a", "c", "b"], 1)),
        ([("a", "elsewhere")], [], (["a"], 1)),
    ],
)
def test_hosts_that_order_for_others_come_first(pairs: Any, canary: list[str], expected: Any) -> None:
    assert emergency.order_hosts(rows(*pairs), canary) == expected


def test_a_canary_without_a_selected_certificate_is_an_error() -> None:
    with pytest.raises(GogetsslError, match="gogetssl_canary: db1 has none of the selected certificates"):
        emergency.order_hosts(rows(("a", "")), ["db1"])


@pytest.mark.parametrize(
    ("count", "canaries", "batches", "expected"),
    [
        (1, 1, ["1", "10%", "100%"], [1]),
        (50, 1, ["1", "10%", "100%"], [1, 5, 44]),
        (5, 1, ["1", "10%", "100%"], [1, 1, 3]),
        (50, 3, ["1", "10%", "100%"], [3, 5, 42]),
        (10, 1, [4], [4, 4, 2]),
        (10, 1, ["25%"], [2, 2, 2, 2, 2]),
        (10, 1, ["500%"], [10]),
        (3, 1, ["1"], [1, 1, 1]),
    ],
)
def test_waves(count: int, canaries: int, batches: list[Any], expected: list[int]) -> None:
    assert emergency.waves(count, canaries, batches) == expected
    assert sum(expected) == count


@pytest.mark.parametrize("batch", ["0", "-1", "x", "", "1.5", "10 %%"])
def test_a_batch_must_be_a_number(batch: str) -> None:
    with pytest.raises(GogetsslError, match="gogetssl_batches: "):
        emergency.waves(3, 1, ["1", batch])


def remaining(found: emergency.Affected, **outcome: Any) -> list[str]:
    return [one.sentence() for one in emergency.remaining(found, SINCE, emergency.Outcome(**outcome))]


def test_what_remains_has_a_reason() -> None:
    found = affected("all", host("a", cert(reason="order 7 is under way")), host("b", cert(**NEW)),
                     host("c", cert("mail"), cert("web")), unreachable("d", "shop"))  # fmt: skip
    stops = {("c", "mail"): "mail: order 9 is cancelled."}
    assert remaining(found, stops=stops, failures={"b": "/x could not be removed.", "c": "nginx: failed"}) == [
        "shop on b: it has a new key, but /x could not be removed.",
        "mail on c: order 9 is cancelled.",
        "web on c: nginx: failed.",
        "shop on d: not known whether it is affected: No route to host.",
        "shop on a: order 7 is under way.",
    ]


def test_before_a_run_only_obstacles_are_listed() -> None:
    found = affected("all", host("a", cert()), *copies("b", of="gone"))
    (one,) = emergency.obstacles(found, SINCE, emergency.Outcome())
    assert one.sentence() == (
        "shop on b: it is a copy, and gone, which orders it, is not in this run or did not answer. Add gone to --limit"
        " and run again."
    )


def test_the_outcome_of_the_hosts() -> None:
    plan = [
        {"name": "a", "step": "stop", "due": "renew", "reason": "a: x", "price": 3095, "currency": "EUR"},
        {"name": "b", "step": "reissue", "due": "reissue", "price": 0, "currency": "EUR"},
    ]
    hosts: list[dict[str, Any]] = [
        {"host": "web1", emergency.PLAN: plan, emergency.FAILURE: "", emergency.FINISHED: True},
        {"host": "web2", emergency.PLAN: None, emergency.FAILURE: "nginx", emergency.FINISHED: False},
        {"host": "web3", emergency.PLAN: "odd", emergency.FAILURE: None, emergency.FINISHED: None},
    ]
    outcome = emergency.read_outcome(hosts)
    assert outcome.stops == {("web1", "a"): "a: x"}
    assert outcome.failures == {"web2": "nginx", "web3": "its run did not end, because the host stopped answering"}
    assert emergency.cost_of(hosts) == (0, "EUR")
    (sentence,) = emergency.purchases_sentence(hosts, "EUR")
    assert sentence.startswith("1 of these need a purchase of 30.95 EUR before tax")
    assert emergency.purchases_sentence(hosts[1:], "EUR") == []
    assert emergency.cost_of([{emergency.PLAN: [{"step": "buy", "price": 500}]}]) == (500, "")


def test_former_certificates_are_listed_once_for_revocation() -> None:
    done = rows_of(host("a", cert(**NEW)), host("b", cert(**NEW)), host("c", cert()))
    old = {"order_id": 7, "serial": "a1b", "names": ["shop.example.com"]}
    targets = {("a", "shop"): old, ("b", "shop"): old, ("c", "shop"): {**old, "serial": "0a1b"}}
    assert emergency.to_revoke(done, targets) == [old]


def test_validations_that_the_ca_may_use_again() -> None:
    fresh, old = cert(end=150), cert("mail", end=-10, not_before=days(-260))
    found = rows_of(host("a", fresh), host("b", fresh, old))
    assert emergency.still_valid(found, NOW.date()) == ["a"]
    assert emergency.still_valid(found, NOW.date() + dt.timedelta(days=400)) == []


def test_figures() -> None:
    checked = emergency.Figures(500, 50, 3, 4.0, 1010, 0, "EUR")
    assert checked.sentence() == (
        "500 certificates on 50 hosts in 3 waves: 4.0 minutes, 1010 API calls, cost 0.00 EUR."
    )
    planned = emergency.estimate(checked, 5)
    assert planned.minutes == 4.0 * emergency.WORK + 15
    assert planned.api_calls == 1010 + 500 * emergency.CALLS_PER_CERTIFICATE + 3 * emergency.CALLS_PER_WAVE
    assert "about " in planned.sentence()
    assert planned.record()["estimated"] is True


@pytest.mark.parametrize(
    ("left", "deadline", "minutes", "expected"),
    [
        (0, NOW, 0, ""),
        (3, None, 0, ""),
        (1, NOW, 0, "1 certificate not replaced at the deadline, 2026-11-26 12:00 UTC."),
        (2, NOW + 3 * HOUR, 0, "2 certificates to replace within 3.0 hours, until 2026-11-26 15:00 UTC."),
        (2, NOW + HOUR, 61, "2 certificates to replace take longer than the 1.0 hours until the deadline."),
    ],
)
def test_deadline(left: int, deadline: dt.datetime | None, minutes: float, expected: str) -> None:
    sentence = emergency.deadline_sentence(left, deadline, NOW, minutes)
    assert sentence.startswith(expected)
    assert bool(sentence) is bool(expected)
