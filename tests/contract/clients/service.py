# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web framework's service: the key in the body, undocumented fields, and optionally JSON.

It follows the API reference's description of clients that put `auth_key` into the body, renew their key on 401 and 403,
send paging to the bulk call and use POST where others use GET (1.3, 1.4, 7.3 and 7.7).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class Service:
    def __init__(self, url: str, user: str, password: str, as_json: bool = False) -> None:
        self.url, self.credentials, self.as_json = url, (user, password), as_json
        self.key: str | None = None

    def request(self, path: str, fields: dict[str, Any], retry: bool = True) -> Any:
        if self.key is None and path != "auth":
            user, password = self.credentials
            self.key = self.request("auth", {"user": user, "pass": password})["key"]
        fields = fields if path == "auth" else {**fields, "auth_key": self.key}
        kind = "json" if self.as_json else "x-www-form-urlencoded"
        body = json.dumps(fields) if self.as_json else urllib.parse.urlencode(fields)
        request = urllib.request.Request(f"{self.url}/{path}/", body.encode(), {"Content-Type": f"application/{kind}"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code not in (401, 403) or not retry:
                raise
            self.key = None
            return self.request(path, {k: v for k, v in fields.items() if k != "auth_key"}, retry=False)

    def order(self, **fields: Any) -> int:
        answer = self.request("orders/add_ssl_order", {"partner_order_id": "local-1", **fields})
        if not answer.get("success"):
            raise RuntimeError(answer["message"])
        return int(answer["order_id"])

    def alternatives(self, csr: str) -> dict[str, Any]:
        """The validation data of each method, from the bare or the wrapped shape."""
        answer = self.request("tools/domain/alternative", {"csr": csr})
        found = answer.get("validation", answer)
        return {m: found[m].get(m, found[m]) for m in ("http", "https", "dns")}

    def change(self, order_id: int, domain: str, method: str, email: str = "") -> Any:
        fields = {"domain_name": domain, "new_method": method, "approver_email": email}
        return self.request(f"orders/ssl/change_dcv/{order_id}", fields)["validation"]

    def statuses(self, *ids: int) -> dict[int, str]:
        answer = self.request("orders/statuses", {"cids": ",".join(map(str, ids)), "limit": 50, "offset": 0})
        return {int(row["order_id"]): row["status"].lower() for row in answer["certificates"]}

    def recheck(self, order_id: int) -> bool:
        return bool(self.request(f"orders/ssl/recheck-caa/{order_id}", {}).get("success"))
