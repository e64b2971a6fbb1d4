# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An inventory that lists all orders of an account, in bulk calls of 100, and reads only `message` of an error.

It follows the API reference's description of the client whose author tested the paths live (1.4, 6.4, 7.3 to 7.5 and
8.6).
"""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PAGE = 1000
BULK = 100


class Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Account:
    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.user, self.password = urlsplit(url), user, password
        self.key = ""
        self.logins = 0

    def login(self) -> str:
        if not self.key:
            self.logins += 1
            self.key = self.send("POST", "/auth", {"user": self.user, "pass": self.password})["key"]
        return self.key

    def send(self, method: str, path: str, form: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(self.url.hostname or "", self.url.port, timeout=30)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request(method, self.url.path + path, urlencode(form) if form is not None else None, headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        if answer.status != 200 or (isinstance(body, dict) and body.get("error")):
            raise Refused(answer.status, body["message"])
        return body

    def call(self, method: str, path: str, form: dict[str, Any] | None = None, **query: Any) -> Any:
        """Call the API; after HTTP 403, repeat the call with a new key."""
        for attempt in (1, 2):
            search = urlencode({**query, "auth_key": self.login()})
            try:
                return self.send(method, f"{path}?{search}", form)
            except Refused as refused:
                if refused.code != 403 or attempt == 2:
                    raise
                self.key = ""
        raise AssertionError

    def every_order(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for offset in (0, PAGE):
            page = self.call("GET", "/orders/ssl/all", limit=PAGE, offset=offset)
            found |= {str(row["order_id"]): row["status"] for row in page["orders"]}
            if page["count"] < PAGE:
                break
        return found

    def ends(self, ids: list[str]) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for start in range(0, len(ids), BULK):
            form = {"cids": ",".join(ids[start : start + BULK])}
            rows = self.call("POST", "/orders/statuses/", form)["certificates"]
            found |= {row["order_id"]: row.get("expires") for row in rows}
        return found

    def names(self, status: str) -> dict[str, str]:
        """Common names by order ID, from either shape of the list."""
        answer = self.call("GET", "/orders/", status=quote(status))
        rows = answer["orders"] if isinstance(answer, dict) else answer
        return {row["order_id"]: row["common_name"] for row in rows}

    def exists(self, method: str, path: str) -> bool:
        """Whether a path exists: with an invalid key it returns 403, and 404 if it does not exist."""
        try:
            self.send(method, f"{path}?auth_key=probe", {} if method == "POST" else None)
        except Refused as refused:
            if refused.code == 404 and str(refused).startswith("The requested method"):
                return False
            return (refused.code, str(refused)) == (403, "Auth key is not valid")
        return True

    def cancel(self, order_id: str) -> bool:
        """Cancel an order. Return False if it is cancelled already, which is not an error."""
        try:
            self.call("POST", "/orders/cancel_ssl_order/", {"order_id": order_id, "reason": "unused"})
        except Refused as refused:
            if "already in cancelled" in str(refused):
                return False
            raise
        return True

    def repeat_validation(self, order_id: str) -> None:
        self.call("POST", f"/orders/ssl/revalidate/{order_id}", {})
        self.call("POST", f"/orders/ssl/resend_validation_email/{order_id}", {})
