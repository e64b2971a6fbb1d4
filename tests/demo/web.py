# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small web server on loopback: files over HTTP, and TLS with a pair that SIGHUP makes it read again.

    python -m tests.demo.web HTTP-PORT TLS-PORT WEB-ROOT CERTIFICATE-DIRECTORY

Until the certificate directory has a pair it serves a throw-away one, as a new web server would. `test` instead of the
ports only looks whether it could start, as `nginx -t` would: `python -m tests.demo.web test CERTIFICATE-DIRECTORY`.
"""

from __future__ import annotations

import datetime as dt
import functools
import http.server
import signal
import ssl
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the demo has its own output."""


class TlsServer(http.server.ThreadingHTTPServer):
    """Wraps each connection with the newest context, in the connection's own thread."""

    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(10)
        try:
            wrapped = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return  # not everybody who connects speaks TLS
        super().finish_request(wrapped, client_address)
        wrapped.close()


def pair(directory: Path) -> ssl.SSLContext:
    """What the server starts with."""
    return load(directory) if (directory / "fullchain.pem").exists() else throw_away()


def main(arguments: list[str]) -> int:
    if arguments[0] == "test":
        pair(Path(arguments[1]))
        return 0
    http_port, tls_port, root, directory = int(arguments[0]), int(arguments[1]), arguments[2], Path(arguments[3])
    handler = functools.partial(Handler, directory=root)
    tls = TlsServer(("127.0.0.1", tls_port), handler)
    tls.context = pair(directory)
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", http_port), handler)

    def reload(*_: object) -> None:
        tls.context = load(directory)

    signal.signal(signal.SIGHUP, reload)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for server in (tls, plain):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    while True:
        signal.pause()


def load(directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "fullchain.pem", directory / "privkey.pem")
    return context


def throw_away() -> ssl.SSLContext:
    """A self-signed pair, for nobody to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away.example")])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1)
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "privkey.pem").write_bytes(key.private_bytes(*form))
        (directory / "fullchain.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(form[0]))
        return load(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
