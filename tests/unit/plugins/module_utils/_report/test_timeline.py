# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replacements of the next days, their prices and their drawing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._report import timeline

from .fleet import NOW, account, certificate, host, rows_of, unreachable

ACTIVE = account((7, "active", "shop.example.com"))


def events(*hosts: dict[str, Any]) -> list[tuple[int, str, int | None]]:
    found = timeline.plan(rows_of(*hosts, of=ACTIVE), NOW.date())
    return [((event.day - NOW.date()).days, event.kind, event.price) for event in found]


def term(days: int) -> str:
    return (NOW.date() + dt.timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"end": 100}, [(34, "reissue", 0)]),
        ({"end": 80}, [(14, "reissue", 0), (80, "expire", 0)]),
        ({"end": 100, "term_end": term(100)}, [(34, "renew", 1230)]),
        ({"end": 100, "term_end": None}, [(34, "reissue", 0)]),
        ({"end": 40, "step": "obtain"}, [(0, "reissue", 0), (40, "expire", 0)]),
        ({"end": 180}, []),
        ({"end": 100, "order_id": None}, [(34, "buy", 1230)]),
        ({"end": 100, "order_id": 8}, [(34, "buy", 1230)]),  # the account has no such order
        ({"end": 100, "in_progress": True, "step": "obtain"}, []),
    ],
)
def test_events(changes: dict[str, Any], found: list[tuple[int, str, int | None]]) -> None:
    assert events(host("web1", certificate(**changes))) == found


def test_a_missing_certificate_is_bought_now_and_an_unreachable_host_is_unknown() -> None:
    none = dict.fromkeys(("not_before", "not_after", "replace_from", "order_id", "term_end"))
    assert events(host("web1", certificate(step="obtain", served=[], **none)), unreachable("gone", "x")) == [
        (0, "buy", 1230)
    ]


def test_an_order_that_hosts_share_is_paid_once() -> None:
    first = host("web1", certificate(end=100, term_end=term(100)))
    second = host("web2", certificate(end=100, term_end=term(100)))
    second["certificates"][0]["order_host"] = "web1"
    assert events(first, second) == [(34, "renew", 1230)]


def test_totals() -> None:
    rows = rows_of(
        host("web1", certificate("a", 100, order_id=None), certificate("b", 100, term_end=term(100))), of=ACTIVE
    )
    found = timeline.totals(timeline.plan(rows, NOW.date()))
    assert (found.counts["buy"], found.counts["renew"], found.cost, found.unpriced) == (1, 1, 2460, 0)
    unpriced = timeline.totals(timeline.plan(rows_of(host("web1", certificate(end=100, order_id=None))), NOW.date()))
    assert (unpriced.cost, unpriced.unpriced) == (0, 1)


def test_bars_stay_inside_the_drawing() -> None:
    late = [certificate(f"late{n}", 20, order_id=n, step="obtain") for n in range(200)]
    rows = rows_of(host("web1", *late, certificate("x", 100, order_id=500)))
    drawing = timeline.draw(timeline.plan(rows, NOW.date()), NOW.date())
    assert drawing.labels == [(43.7, 200)]
    for one in drawing.bars:
        assert 0 <= one.x <= one.x + one.width <= drawing.width
        assert one.height > 0
        assert 0 <= one.y <= one.y + one.height <= drawing.height


def test_an_empty_fleet_is_a_drawing() -> None:
    assert timeline.draw([], NOW.date()).bars == []
