# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_adoption_info`: finds the orders of certificates whose hosts lost their records."""

from __future__ import annotations

import datetime as dt

from .._api.api_task import api_task
from .._api.listing import Search, list_orders
from .._api.orders import Api
from .._core.task import Context, Result
from .._report import matching, rows
from .._report.account import Account
from .report import with_details

OPTIONS = {"hosts": {"type": "list", "elements": "dict", "required": True}}


def run(context: Context) -> Result:
    """Read the account only if a host has lost something. One more request for each order that may fit."""
    now = dt.datetime.fromtimestamp(context.now(), dt.timezone.utc)
    found = rows.read_rows(context.params["hosts"], now)
    account = _account(context.api(), found) if matching.lost(found) else Account()
    matches = matching.match(found, account)
    return {
        "changed": False,
        "matches": [
            {"host": one.row.host, "name": one.row.name, "order_id": one.order_id}
            for one in matches
            if one.order_id is not None
        ],
        "unmatched": [
            {"host": one.row.host, "name": one.row.name, "reason": one.reason}
            for one in matches
            if one.order_id is None
        ],
        "lines": [one.sentence() for one in matches],
    }


def _account(api: Api, found: list[rows.Row]) -> Account:
    orders, complete = list_orders(api, Search())
    account = Account(
        orders={order.order_id: order for order in orders},
        complete=complete,
        products={product.product_id: product for product in api.products()},
        read=True,
    )
    return with_details(api, account, matching.worth_reading(found, account))


TASK = api_task(OPTIONS, run)
