# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time of the report, without hosts: `python -m tests.benchmark.report [--count 3000]`.

`sample` is also the fleet of the picture in the documentation, see `tests/bin/report_picture.py`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import time
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import (
    Family,
    OrderSummary,
    Product,
    ValidationLevel,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._report import html, metrics, rows, tables, timeline
from ansible_collections.certops.gogetssl.plugins.module_utils._report.account import Account, add_account

NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.timezone.utc)
LIMIT = 5.0  # seconds for all formats of 3,000 certificates
PRODUCTS = {
    68: Product(
        68, "GoGetSSL Multi-Domain SSL", "ggssl", Family.SECTIGO, ValidationLevel.DV, False, True, False,
        frozenset({"http"}), False, {12: 3095}, {12: 500}, {},
    ),
    65: Product(
        65, "Sectigo OV SSL", "sectigo", Family.SECTIGO, ValidationLevel.OV, False, False, False,
        frozenset({"http"}), False, {12: 5530}, {}, {},
    ),
}  # fmt: skip


def sample(count: int, seed: int = 3) -> tuple[list[dict[str, Any]], Account]:
    """Hosts with up to three certificates each, some of them in every state, and their account."""
    source = random.Random(seed)
    hosts: list[dict[str, Any]] = []
    orders: dict[int, OrderSummary] = {}
    made = 0
    while made < count:
        number = len(hosts) + 1
        certificates = [_certificate(source, made + one) for one in range(min(3, count - made))]
        made += len(certificates)
        for one in certificates:
            status = "processing" if one["in_progress"] else "active"
            orders[one["order_id"]] = OrderSummary(one["order_id"], status, one["names"][0])
        result: dict[str, Any] = {"certificates": certificates}
        chance = source.random()
        if chance < 0.015:
            result = {"unreachable": True, "msg": "Failed to connect to the host via ssh: No route to host"}
        elif chance < 0.02:
            result = {"failed": True, "msg": "shop/order.json on the host cannot be read as a record."}
        requested = [
            {"name": one["name"], "names": one["names"], "product": str(one["product_id"])} for one in certificates
        ]
        hosts.append({"host": f"web{number}", "result": result, "certificates": requested})
    return hosts, Account(orders=orders, products=PRODUCTS, currency="EUR", balance=125000, read=True)


def _certificate(source: random.Random, number: int) -> dict[str, Any]:
    name = f"{source.choice(['shop', 'mail', 'api', 'www', 'wiki', 'crm', 'pay', 'docs'])}{number + 1}"
    begin = NOW - dt.timedelta(days=source.randint(1, 125))
    end = begin + dt.timedelta(days=199)
    replace = end - dt.timedelta(days=66 + source.randint(0, 9))
    term = begin.date() + dt.timedelta(days=source.choice([199, 365, 365, 365]))
    listener, chance = f"{name}.example.com at 127.0.0.1:443", source.random()
    found: dict[str, Any] = {
        "name": name,
        "step": "obtain" if replace < NOW else "keep",
        "reason": f"valid until {end:%Y-%m-%d}, to be replaced from {replace:%Y-%m-%d}",
        "order_id": 700000 + number,
        "product_id": source.choice([68, 68, 68, 65]),
        "in_progress": False,
        "names": [f"{name}.example.com", f"{name}.example.org"],
        "not_before": begin.isoformat(),
        "not_after": end.isoformat(),
        "replace_from": replace.isoformat(),
        "term_end": term.isoformat(),
        "key_type": source.choice(["rsa-2048", "ecdsa-p256"]),
        "served": [{"listener": listener, "matches": True, "answers": True, "not_after": end.isoformat()}],
        "unchecked_listeners": 0,
    }
    if chance < 0.006:
        found.update(step="stop", reason=f"order {found['order_id']} is cancelled: not validated in 45 days")
        found["not_after"] = (NOW + dt.timedelta(days=chance * 3000 - 2)).isoformat()
    elif chance < 0.015:
        old = (end - dt.timedelta(days=150)).isoformat()
        found.update(step="install", reason=f"{listener} does not serve the installed certificate")
        found["served"] = [{"listener": listener, "matches": False, "answers": True, "not_after": old}]
    elif chance < 0.03:
        found.update(step="obtain", in_progress=True, reason="the newest certificate is not installed yet")
    elif chance < 0.035:
        found.update(step="obtain", served=[], reason="no certificate is installed")
        found.update(dict.fromkeys(("not_before", "not_after", "replace_from", "term_end", "key_type")))
    return found


def evaluate(count: int) -> tuple[list[rows.Row], Account, list[timeline.Event]]:
    hosts, account = sample(count)
    found = rows.sort_rows((add_account(row, account) for row in rows.read_rows(hosts, NOW)), NOW)
    return found, account, timeline.plan(found, NOW.date())


def page(count: int) -> str:
    """The HTML page of a sample."""
    found, account, events = evaluate(count)
    return html.render(found, account, events, None, "Certificates", NOW)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=3000, help="number of certificates")
    count = options.parse_known_args()[0].count
    started = time.process_time()  # other programs of the machine do not count
    found, account, events = evaluate(count)
    texts = [
        html.render(found, account, events, None, "Certificates", NOW),
        metrics.render(found, account, events, {}, NOW),
        tables.to_csv(found),
        tables.to_json(found, {}),
    ]
    seconds = time.process_time() - started
    sizes = ", ".join(f"{len(text) / 1e6:.1f}" for text in texts)
    print(
        f"report of {count} certificates: {seconds:.1f} s of CPU time; HTML, metrics, CSV, JSON: {sizes} MB", flush=True
    )
    return int(seconds > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
