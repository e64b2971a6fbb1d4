# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's billing module, PHP translated to Python (API reference 1.5, 4.2, 6, 8.5 and 12).

A call with a body is a multipart POST, one without is a GET. The key is sent in the query and dropped on HTTP 403.
Comparisons are PHP's ===, for which "1" and true differ from 1.
"""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class ApiException(Exception):
    pass


def identical(left: Any, right: Any) -> bool:
    """PHP's ===."""
    return type(left) is type(right) and left == right


class SSLCenterApi:
    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.login, self.key = url, {"user": user, "pass": password}, None
        self.agent = {"User-Agent": "whmcs/3.0.3"}

    def auth(self) -> None:
        self.key = self.call("/auth/", {}, self.login)["key"]

    def call(self, path: str, query: dict[str, Any], post: dict[str, Any] | None = None) -> Any:
        if self.key:
            query = {"auth_key": self.key, **query}
        url = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers=self.agent)
        if post:
            boundary = secrets.token_hex(12)
            request.data = self.multipart(boundary, post)
            request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            if error.code == 403:
                self.key = None
            raise ApiException(json.loads(error.read())["message"]) from None
        decoded = json.loads(text) if text else None
        if decoded is None:
            raise ApiException("Invalid Response from API")
        if isinstance(decoded, dict) and identical(decoded.get("error"), True):
            raise ApiException(decoded["description"])
        return decoded

    @staticmethod
    def multipart(boundary: str, fields: dict[str, Any]) -> bytes:
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        return ("".join(parts) + f"--{boundary}--\r\n").encode()


class Product:
    """A product as the configuration page shows it."""

    def __init__(self, api: SSLCenterApi, product_id: int) -> None:
        data = api.call(f"/products/ssl/{product_id}", {})["product"]
        self.id, self.name, self.brand = data["id"], data["product"], data["brand"]
        self.supplier = 1 if "comodo" in self.brand else 2
        self.organisation = identical(data["org_required"], 1)
        self.sans = identical(data["san_enabled"], 1)
        self.wildcard_sans = identical(data["wildcard_san_enabled"], 1)
        self.periods = [int(month) for month in data["prices"]["vendor"] if int(month) <= data["max_period"]]
        self.methods = [m for m in ("email", "dns", "http", "https") if identical(data[f"dcv_{m}"], True)]
        self.webserver = -1 if self.supplier == 1 else 18


def instructions(status: dict[str, Any]) -> dict[str, str]:
    """The text of the validation page for each name."""
    texts = {}
    method = status["approver_method"]
    if isinstance(method, list) and not method:
        texts[status["domain"]] = status["approver_email"]
    else:
        texts[status["domain"]] = validation_text(method, status["dcv_method"])
    for san in status["san"]:
        texts[san["san_name"]] = validation_text(san["validation"], san["validation_method"])
    return texts


def validation_text(validation: dict[str, Any], method: str) -> str:
    if method == "dns":
        record = validation["dns"]["record"]
        # The DigiCert family's record is a zone file line.
        split = "IN   TXT" if "IN   TXT" in record else "CNAME"
        name, target = (part.strip() for part in record.split(split))
        return f"{name.lower()} {split} {target.lower()}"
    if method in ("http", "https"):
        lines = [line.rstrip("\r") for line in validation[method]["content"].split("\n")]
        return f"{validation[method]['link']} {' '.join(lines)}"
    email = validation["email"]
    if not isinstance(email, str):
        raise ApiException("[object Object]")
    return email


def order(api: SSLCenterApi, product: Product, csr: str, contacts: dict[str, str], **more: Any) -> dict[str, Any]:
    data = {
        "product_id": product.id,
        "period": product.periods[-1],
        "csr": csr,
        "server_count": -1,
        "webserver_type": product.webserver,
        "signature_hash": "SHA2",
        **contacts,
        **more,
    }
    added = api.call("/orders/add_ssl_order", {}, data)
    if not identical(added["success"], True):
        raise ApiException("not placed")
    return added


def reissue(api: SSLCenterApi, order_id: int, **data: Any) -> dict[str, Any]:
    if not identical(api.call(f"/orders/status/{order_id}", {})["status"], "active"):
        raise ApiException("Only active orders can be reissued")
    return api.call(f"/orders/ssl/reissue/{order_id}", {}, data)


def change_methods(api: SSLCenterApi, order_id: int, method: str) -> str:
    """Change all domains to one method. Return the message; of a lock, without its last character."""
    status = api.call(f"/orders/status/{order_id}", {})
    domains = [status["domain"], *(san["san_name"] for san in status["san"])]
    data = {"domains": ",".join(domains), "new_methods": ",".join([method.upper()] * len(domains))}
    try:
        return api.call(f"/orders/ssl/change_domains_validation_method/{order_id}", {}, data)["message"]
    except ApiException as error:
        if "Function is locked for" in str(error):
            return str(error)[:-1]
        raise


def buy_sans(api: SSLCenterApi, order_id: int, singles: int, wildcards: int) -> dict[str, Any]:
    data = {"order_id": order_id, "count": singles + wildcards, "single_san_count": singles}
    return api.call("/orders/add_ssl_san_order", {}, {**data, "wildcard_san_count": wildcards})


def changed_email(api: SSLCenterApi, order_id: int, email: str, sans: dict[str, str]) -> str:
    data = {"approver_email": email}
    for domain, method in sans.items():
        # The name of a form field must not contain a star.
        field = f"san_approval[{domain.replace('*', '___')}]"
        data |= {f"{field}[name]": domain, f"{field}[method]": method}
    return api.call(f"/orders/ssl/change_validation_email/{order_id}", {}, data)["success_message"]
