# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reseller's dashboard: 25 parallel calls, empty dates, strict numbers (API reference 1.8 and 7.1)."""

from __future__ import annotations

import concurrent.futures
import json
import urllib.parse
import urllib.request
from typing import Any

PARALLEL = 25


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.loads(answer.read())


def login(url: str, user: str, password: str) -> str:
    """Log in, once before each batch."""
    data = urllib.parse.urlencode({"user": user, "pass": password}).encode()
    with urllib.request.urlopen(f"{url}/auth/", data, 30) as answer:
        return str(json.loads(answer.read())["key"])


def summary(status: dict[str, Any]) -> dict[str, Any]:
    def date(name: str) -> str | None:
        return None if status[name] in ("0000-00-00", "") else status[name]

    # Only numbers count, unlike true or "1".
    numbers = [name for name in ("reissue", "reissue_now") if not isinstance(status[name], (bool, str))]
    flags = [name for name in numbers if status[name] == 1]
    paid_till, valid_till = date("end_date"), date("valid_till")
    next_step = None
    if paid_till and valid_till:
        next_step = "reissue" if valid_till < paid_till else "renew"
    return {
        "domain": status["domain"],
        "status": status["status"],
        "flags": flags,
        "till": valid_till,
        "next": next_step,
    }


def summaries(url: str, user: str, password: str) -> dict[str, dict[str, Any]]:
    key = login(url, user, password)
    listed = get(f"{url}/orders/ssl/all/?auth_key={key}&limit=1000&offset=0")["orders"]
    ids = [row["order_id"] for row in listed]
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        found = list(pool.map(lambda order_id: get(f"{url}/orders/status/{order_id}/?auth_key={key}"), ids))
    return {status["order_id"]: summary(status) for status in found}
