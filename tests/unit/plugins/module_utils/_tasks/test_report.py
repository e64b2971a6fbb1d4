# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report reads of the account."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import AnyOrder, Unreadable
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._report.account import Account
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import report

LISTED = Account(read=True, currency="EUR")


class Orders:
    """An API whose order 7 fails."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def any_order(self, order_id: int) -> AnyOrder:
        if order_id == 7:
            raise GogetsslError("Order not found", self.kind)
        return Unreadable(order_id, "its status is odd")


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.ANSWER])
def test_an_order_without_details_does_not_hide_the_account(kind: Kind) -> None:
    found = report.with_details(t.cast(t.Any, Orders(kind)), LISTED, [7, 8])
    assert (found.read, found.currency) == (True, "EUR")
    assert found.reasons == {7: "Order not found", 8: "its status is odd"}


def test_an_api_that_does_not_answer_is_not_queried_for_each_order() -> None:
    with pytest.raises(GogetsslError):
        report.with_details(t.cast(t.Any, Orders(Kind.UNREACHABLE)), LISTED, [7, 8])
