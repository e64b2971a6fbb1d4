# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server, a DNS server, CSRs and an API client that is independent of the collection."""

from __future__ import annotations

import functools
import http.server
import ipaddress
import socketserver
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.emulator.testing import Emulator

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
FOLDER = "/.well-known/pki-validation/"


class Web:
    """A web server. `files` maps host name and path to content (bytes) or to the target of a redirect (str)."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.files: dict[tuple[str, str], bytes | str] = {}
        self.requests: list[tuple[str, str]] = []
        self.delay = 0.0
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = (self.headers["Host"] or "").partition(":")[0]
                web.requests.append((host, self.path))
                time.sleep(web.delay)
                found = web.files.get((host, self.path))
                self.send_response(404 if found is None else 301 if isinstance(found, str) else 200)
                if isinstance(found, str):
                    self.send_header("Location", found)
                self.end_headers()
                self.wfile.write(found if isinstance(found, bytes) else b"")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def publish(self, host: str, file: dict[str, str]) -> None:
        self.files[host, FOLDER + file["filename"]] = file["content"].encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Names:
    """A DNS server on UDP. `records` maps (name, type) to texts."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        names = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sock = self.request
                query = dns.message.from_wire(data)
                answer = dns.message.make_response(query)
                answer.flags |= dns.flags.AA
                question = query.question[0]
                name, kind = question.name.to_text().lower().rstrip("."), dns.rdatatype.to_text(question.rdtype)
                found = names.records.get((name, kind))
                if found:
                    answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", kind, *found))
                elif not any(known == name for known, _unused in names.records):
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                sock.sendto(answer.to_wire(), self.client_address)

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@functools.cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def make_csr(common_name: str, key: Key | None = None, address: str = "") -> str:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    request = builder.sign(key or rsa_key(), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def contacts(kind: str = "dv") -> dict[str, str]:
    """The contacts that each order requires and, for OV and EV, the organisation."""
    form: dict[str, str] = {}
    for who in ("admin", "tech"):
        form |= {
            f"{who}_title": "Mr.",
            f"{who}_firstname": "John",
            f"{who}_lastname": "Smith",
            f"{who}_phone": "+37166164222",
            f"{who}_email": "admin@gogetssl.com",
        }
    if kind == "dv":
        return form
    address = {"addressline1": "Street 1", "city": "Riga", "country": "LV", "postalcode": "LV-1001", "region": "Riga"}
    for who in ("admin", "tech", "org"):
        form |= {f"{who}_{part}": value for part, value in address.items()}
    form |= {f"{who}_organization": "Example SIA" for who in ("admin", "tech")}
    return form | {"org_name": "Example SIA", "org_division": "IT", "org_phone": "+37166164222"}


class Api:
    """A minimal client: the key in the query, a form in the body, unchecked responses."""

    def __init__(self, emulator: Emulator) -> None:
        self.url = emulator.url
        self.verify: str | Path = str(emulator.ca)
        self.key = self.post("/auth/", {"user": emulator.user, "pass": emulator.password})["key"]

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("params", {"auth_key": getattr(self, "key", "")})
        return requests.request(method, self.url + path, timeout=20, verify=str(self.verify), **options)

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, params={"auth_key": self.key, **query}).json()

    def post(self, path: str, form: dict[str, Any] | None = None) -> Any:
        return self.call("POST", path, data=form or {}).json()

    def order(self, product: int, common_name: str, **fields: Any) -> dict[str, Any]:
        """Place an order with default fields. A field with the value None is left out."""
        kind = str(fields.pop("kind", "dv"))
        path = fields.pop("path", "/orders/add_ssl_order/")
        form: dict[str, Any] = {
            "product_id": product,
            "period": 12,
            "csr": make_csr(common_name),
            "server_count": -1,
            "webserver_type": -1,
            "dcv_method": "http",
            **contacts(kind),
            **fields,
        }
        answer: dict[str, Any] = self.post(path, {k: v for k, v in form.items() if v is not None})
        return answer

    def status(self, order_id: int | str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/orders/status/{order_id}")
        return answer
