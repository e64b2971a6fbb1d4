# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.orders import Api
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from tests.unit.scripted import call, client, scripted

TODAY = dt.date(2027, 1, 10)


def invoice(**changes: Any) -> dict[str, Any]:
    return {"number": "GGS-1", "date": "2027-01-10", "subtotal": "10.00", "total": "12.10", "status": "paid", **changes}


@pytest.mark.parametrize(
    ("invoices", "amount"),
    [
        ([], 0),
        ([invoice(), invoice(status="unpaid")], 2000),
        ([invoice(status="cancelled"), invoice(status="refunded")], 0),
        ([invoice(date="2027-01-09"), invoice(date="2027-01-11")], 1000),
        ([invoice(date=None)], 1000),
        ([invoice(subtotal=None)], 1210),
    ],
)
def test_the_amount_that_was_invoiced_since_a_day(invoices: list[dict[str, Any]], amount: int) -> None:
    with scripted(
        call("GET", "/invoice/", {"invoices": invoices, "success": True}, fields={"date_from": "2027-01-09"})
    ):
        assert Api(client()).invoiced_since(TODAY) == amount


def test_an_invoice_without_an_amount_is_an_error() -> None:
    answer = {"invoices": [invoice(subtotal=None, total=None)], "success": True}
    with scripted(call("GET", "/invoice/", answer)), pytest.raises(GogetsslError, match="GGS-1 has no amount"):
        Api(client()).invoiced_since(TODAY)
