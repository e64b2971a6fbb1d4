# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: LEI orders, LEIs by number or name, and the jurisdictions for which LEIs are available."""

from __future__ import annotations

from .._api.orders import Api
from .._api.raw import info_task
from .._core.task import Context, Result

OPTIONS = {
    "order_ids": {"type": "list", "elements": "int"},
    "query": {"type": "str"},
    "jurisdictions": {"type": "bool"},
}
RULES = {"required_one_of": [("order_ids", "query", "jurisdictions")]}


def read(context: Context, api: Api) -> Result:
    """Read the selected data, with one request for each order and each query."""
    params = context.params
    result: Result = {}
    if params["order_ids"] is not None:
        result["orders"] = [api.lei_status(order_id) for order_id in dict.fromkeys(params["order_ids"])]
    if params["query"]:
        result["entities"] = api.lei_lookup(params["query"])
    if params["jurisdictions"]:
        result["jurisdictions"] = api.lei_jurisdictions()
    return result


TASK = info_task(OPTIONS, read, rules=RULES)
