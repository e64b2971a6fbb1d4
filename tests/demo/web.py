# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server on loopback for HTTP and HTTPS, which reloads its certificate on SIGHUP.

    python -m tests.demo.web HTTP-PORT TLS-PORT WEB-ROOT CERTIFICATE-DIRECTORY

It serves a self-signed placeholder until the certificate directory has a certificate. Like `nginx -t`, the command
`python -m tests.demo.web test CERTIFICATE-DIRECTORY` only checks whether the server can start.
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
        """Log nothing: the demo prints its own output."""


class TlsServer(http.server.ThreadingHTTPServer):
    """Performs each handshake with the current context in the thread of the connection."""

    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(10)
        try:
            wrapped = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return  # not a TLS client
        super().finish_request(wrapped, client_address)
        wrapped.close()


def initial_context(directory: Path) -> ssl.SSLContext:
    """The installed certificate and key, or a placeholder."""
    return load(directory) if (directory / "fullchain.pem").exists() else placeholder()


def main(arguments: list[str]) -> int:
    if arguments[0] == "test":
        initial_context(Path(arguments[1]))
        return 0
    http_port, tls_port, root, directory = int(arguments[0]), int(arguments[1]), arguments[2], Path(arguments[3])
    handler = functools.partial(Handler, directory=root)
    tls = TlsServer(("127.0.0.1", tls_port), handler)
    tls.context = initial_context(directory)
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


def placeholder() -> ssl.SSLContext:
    """A new self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "placeholder.example")])
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
