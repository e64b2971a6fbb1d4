# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._order.controller_purchases import Purchases


@pytest.mark.parametrize(
    ("first", "second", "seen"),
    [("a", "a", True), ("a", "b", False), ("a", None, True), (None, "b", True), (None, None, True)],
)
def test_a_purchase_of_another_account_is_not_one_of_these_names(
    tmp_path: Path, first: str | None, second: str | None, seen: bool
) -> None:
    path = str(tmp_path / "orders.json")
    with Purchases("shop", path, 1000.0, first).recorded("shop on web1"):
        pass
    Purchases("shop", path, 1000.0, first).complete("shop on web1", 7)
    assert [one.order_id for one in Purchases("shop", path, 1001.0, second).of_others("shop on web2")] == [7] * seen
    assert Purchases("shop", path, 1001.0, second).of_others("shop on web1") == []
    assert Purchases("shop", path, 1001.0, second).of_others("shop-ec on web1", "shop on web1") == []
    assert Purchases("shop", path, 5000.0, first).of_others("shop on web2") == []


@pytest.mark.parametrize(("kind", "kept"), [(Kind.REFUSED, False), (Kind.UNREACHABLE, False), (Kind.UNCERTAIN, True)])
def test_a_refused_purchase_leaves_no_record(tmp_path: Path, kind: Kind, kept: bool) -> None:
    path = str(tmp_path / "orders.json")
    with pytest.raises(GogetsslError), Purchases("shop", path, 1000.0).recorded("shop on web1"):
        raise GogetsslError("no", kind)
    assert bool(Purchases("shop", path, 1001.0).of_others("shop on web2")) is kept
