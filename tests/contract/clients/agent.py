# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate agent that orders a RapidSSL certificate with DNS validation (API reference 8.3 and 12)."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

RAPIDSSL = 31
# A zone file line: the name with a trailing dot, IN and TXT between spaces, and the quoted token.
ZONE_LINE = re.compile(r'^(?P<name>\S+)\.\s+IN\s+TXT\s+"(?P<token>[^"]+)"$')


def request(url: str, form: dict[str, str] | None = None) -> Any:
    """Call the API, with up to three retries after two, four and six seconds."""
    data = urllib.parse.urlencode(form).encode() if form else None
    for pause in (2, 4, 6):
        try:
            return json.loads(urllib.request.urlopen(url, data, 30).read())
        except OSError:
            time.sleep(pause)
    return json.loads(urllib.request.urlopen(url, data, 30).read())


def products(answer: Any) -> list[dict[str, Any]]:
    """The products of a top-level array, an array under a key, or an object keyed by ID."""
    listed = answer if isinstance(answer, list) else answer["products"]
    return list(listed.values()) if isinstance(listed, dict) else listed


def key(url: str, user: str, password: str) -> str:
    return str(request(f"{url}/auth/", {"user": user, "pass": password})["key"])


def issue(
    url: str, auth: str, domain: str, csr: str, publish: Callable[[str, str], None], contacts: dict[str, str]
) -> tuple[str, str]:
    """Order and validate a certificate. Return it and its chain."""
    catalogue = products(request(f"{url}/products/ssl/?auth_key={auth}"))
    rapid = next(item for item in catalogue if int(item["id"]) == RAPIDSSL)
    fields = {
        "product_id": str(rapid["id"]),
        "period": "12",
        "csr": csr,
        "server_count": "-1",
        "webserver_type": "-1",
        "dcv_method": "dns",
        **contacts,
    }
    placed = request(f"{url}/orders/add_ssl_order/?auth_key={auth}", fields)
    if placed.get("error"):
        raise RuntimeError(placed.get("message") or placed.get("description"))
    time.sleep(2)
    status_url = f"{url}/orders/status/{placed['order_id']}?auth_key={auth}"
    record = request(status_url)["approver_method"]["dns"]["record"]
    line = ZONE_LINE.match(record)
    if not line or line["name"] != domain:
        raise RuntimeError(f"not a record of {domain}: {record}")
    publish(line["name"], line["token"])
    deadline = time.monotonic() + 30
    while (status := request(status_url))["status"] != "active":
        if time.monotonic() > deadline:
            raise RuntimeError(status["status_description"])
        time.sleep(0.2)
    return status["crt_code"], status["ca_code"]
