# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A billing panel that uses POST for all calls, including products, status and web servers (API reference 1.5)."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any


class Panel:
    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self.key = ""
        self.key = self.post("auth", user=user, **{"pass": password})["key"]

    def post(self, path: str, **form: Any) -> Any:
        # A request with an empty body is a POST too.
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{self.url}/{path}?auth_key={self.key}", data, 30) as answer:
            body = json.loads(answer.read())
        if isinstance(body, dict) and body.get("error"):
            raise RuntimeError(f"{body['message']} - {body['description']}")
        return body

    def sell(self, product_id: int, csr: str, contacts: dict[str, str]) -> dict[str, Any]:
        """Order a product with the first approver that the API returns. Return the order's status."""
        product = next(item for item in self.post("products")["products"] if item["id"] == product_id)
        details = self.post(f"products/details/{product_id}")
        supplier = 1 if "comodo" in details["product_brand"] else 2
        servers = self.post(f"tools/webservers/{supplier}")["webservers"]
        other = next(row["id"] for row in servers if row["software"] == "OTHER")
        name = self.post("tools/csr/decode", csr=csr)["csrResult"]["CN"]
        emails = self.post("tools/domain/emails", domain=name)
        approver = emails["ComodoApprovalEmails" if supplier == 1 else "GeotrustApprovalEmails"][0]
        placed = self.post(
            "orders/add_ssl_order",
            product_id=product["id"],
            period=product["periods"][-1],
            csr=csr,
            server_count=-1,
            webserver_type=other,
            dcv_method="email",
            approver_email=approver,
            **contacts,
        )
        self.post(f"orders/ssl/resend_validation_email/{placed['order_id']}")
        return dict(self.post(f"orders/status/{placed['order_id']}"))

    def totals(self) -> tuple[float, int, int]:
        """The balance, the number of active orders and the number of invoices."""
        balance = float(self.post("account/balance")["balance"])
        return (
            balance,
            int(self.post("account/total_orders")["total_orders"]),
            len(self.post("account/invoices")["invoices"]),
        )
