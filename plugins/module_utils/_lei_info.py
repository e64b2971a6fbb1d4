# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: LEI orders, LEIs by number or name, and where LEIs can be had.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ._api import Api
from ._info import info_task
from ._task import Context, Result

OPTIONS = {
    "order_ids": {"type": "list", "elements": "int"},
    "query": {"type": "str"},
    "jurisdictions": {"type": "bool"},
}
RULES = {"required_one_of": [("order_ids", "query", "jurisdictions")]}


def read(context: Context, api: Api) -> Result:
    """One request for each order and each question."""
    params = context.params
    result: Result = {}
    if params["order_ids"] is not None:
        result["orders"] = [api.lei_status(order_id) for order_id in dict.fromkeys(params["order_ids"])]
    if params["query"]:
        result["found"] = api.lei_lookup(params["query"])
    if params["jurisdictions"]:
        result["jurisdictions"] = api.lei_jurisdictions()
    return result


TASK = info_task(OPTIONS, read, rules=RULES)
