# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command line of the emulator: `python -m tests.emulator --port 8443 --state DIR`. See README.md."""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

try:
    from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

    from . import app, worker
    from .backend import Backend
    from .ca import CertificateAuthority
    from .network import Network
    from .state import Store
except ImportError as error:
    sys.exit(
        f"The emulator requires {error.name}. Install its libraries with: {sys.executable} -m pip install flask"
        " cryptography dnspython requests"
    )

_HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """Speaks HTTP/1.1 and never logs a query string, which holds the auth key."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        """Stop reading from a connection that a fault has cut."""
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = self.path.partition("?")[0]
        logging.getLogger("emulator").info("%s %s %s", self.command, path, code)

    def log_error(self, format: str, *args: object) -> None:
        """Log the client only: the text of a malformed request may hold an auth key."""
        logging.getLogger("emulator").warning("malformed request from %s", self.client_address[0])


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description="An offline GoGetSSL.")
    parser.add_argument("--host", default=_HOST, help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port of the API, 0 for any free port")
    parser.add_argument(
        "--state", type=Path, help="directory for state that survives a restart; default: a temporary directory"
    )
    parser.add_argument("--password", default="", help="API password; default: a random one, kept in the state")
    parser.add_argument("--http-port", type=int, default=80, help="port from which the CA fetches DCV files over HTTP")
    parser.add_argument(
        "--https-port", type=int, default=443, help="port from which the CA fetches DCV files over HTTPS"
    )
    parser.add_argument("--resolver", default="", help="ADDR:PORT of the DNS server that the CA queries")
    parser.add_argument(
        "--resolve",
        action="append",
        default=[],
        metavar="NAME=ADDR[:PORT]",
        help="address of a host name; NAME may be a pattern such as *.example.com",
    )
    parser.add_argument("--tls", action="store_true", help="serve HTTPS with a certificate issued by the emulator's CA")
    parser.add_argument("--verbose", action="store_true", help="log every request on stderr")
    options = parser.parse_args(argv)
    for item in options.resolve:
        if "=" not in item:
            parser.error(f"--resolve takes NAME=ADDR[:PORT], not {item}")
    return options


def _backend(options: argparse.Namespace, directory: Path) -> Backend:
    directory.mkdir(parents=True, exist_ok=True)
    names = dict(item.split("=", 1) for item in options.resolve)
    network = Network(options.http_port, options.https_port, options.resolver, names)
    backend = Backend(Store(directory / "state.sqlite"), CertificateAuthority(directory / "ca"), network)
    backend.password = options.password or backend.password
    return backend


def _server(backend: Backend, options: argparse.Namespace) -> tuple[BaseWSGIServer, str]:
    context: Any = backend.ca.server_context(["localhost", options.host]) if options.tls else None
    server = make_server(
        options.host, options.port, app.create(backend), threaded=True, request_handler=_Handler, ssl_context=context
    )
    base = f"{'https' if options.tls else 'http'}://{options.host}:{server.server_port}"
    backend.ca.aia_url = f"{base}/_emulator/ca/intermediate.pem"
    return server, base


def _serve(options: argparse.Namespace, directory: Path) -> None:
    backend = _backend(options, directory)
    server, base = _server(backend, options)

    def stop(*_: object) -> None:
        backend.stopping.set()
        # `shutdown` waits until `serve_forever` returns, so it needs a thread of its own.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    background = worker.run(backend)
    ready = {"url": f"{base}/api", "ca": str(backend.ca.root_path), "user": backend.user, "password": backend.password}
    print(json.dumps(ready), flush=True)
    server.serve_forever(poll_interval=0.05)
    backend.wake.set()
    background.join(timeout=backend.settings.dcv_timeout)
    server.server_close()
    with backend.store.transaction():
        pass  # Wait for a call in progress.
    backend.store.close()


def main(argv: list[str] | None = None) -> int:
    options = _arguments(argv)
    # SIGUSR1 prints what each thread is doing, for a test that waits in vain.
    faulthandler.register(signal.SIGUSR1)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(message)s", level=logging.WARNING)
    logging.getLogger("emulator").setLevel(logging.INFO if options.verbose else logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    if options.state:
        _serve(options, options.state.resolve())
        return 0
    with tempfile.TemporaryDirectory(prefix="gogetssl-emulator-") as directory:
        _serve(options, Path(directory))
    return 0


if __name__ == "__main__":
    sys.exit(main())
