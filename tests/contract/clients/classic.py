# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's older panel module: form posts, renewals, SAN orders and methods that were removed later.

A call with a body is a POST, so activate and resend are GETs (API reference 6.2, 6.3, 8.6 and 12).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class Module:
    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self.token = ""
        self.token = self.api("/auth/", {"user": user, "pass": password})["key"]

    def api(self, path: str, form: dict[str, Any] | None = None) -> Any:
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with urllib.request.urlopen(f"{self.url}{path}?auth_key={self.token}", data, 30) as answer:
                body = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise PermissionError("unauthorized") from None
            raise
        if isinstance(body, dict) and "error" in body:
            texts = dict.fromkeys([body.get("message"), body.get("description")])
            raise RuntimeError(": ".join(text for text in texts if text))
        return body

    def approvers(self, domain: str) -> list[str]:
        return list(self.api("/tools/domain/emails/", {"domain": domain})["ComodoApprovalEmails"])

    def place(self, path: str, product_id: int, csr: str, approver: str, contacts: dict[str, str]) -> int:
        fields = {
            "product_id": product_id,
            "csr": csr,
            "server_count": "-1",
            "period": 12,
            "approver_email": approver,
            "webserver_type": "-1",
            "dcv_method": "email",
            # A panel sends all fields of its form, even if empty.
            "dns_names": "",
            "approver_emails": "",
            **contacts,
        }
        placed = self.api(path, fields)
        assert placed["order_status"] == "active", placed
        order_id = placed["order_id"]
        self.api(f"/orders/ssl/activate/{order_id}")
        self.api(f"/orders/ssl/resend_validation_email/{order_id}")
        return int(order_id)

    def order(self, *details: Any) -> int:
        return self.place("/orders/add_ssl_order/", *details)

    def renew(self, *details: Any) -> int:
        return self.place("/orders/add_ssl_renew_order/", *details)

    def add_sans(self, order_id: int, count: int) -> str:
        answer = self.api("/orders/add_ssl_san_order/", {"order_id": order_id, "count": count})
        return f"{answer['order_amount']} {answer['currency']}"

    def certificate(self, order_id: int) -> tuple[str, str] | None:
        status = self.api(f"/orders/status/{order_id}")
        return (status["crt_code"], status["ca_code"]) if status["status"] == "active" else None
