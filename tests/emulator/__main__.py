# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: `python -m tests.emulator --port 8443 --state DIR`; see README.md."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from . import app, worker
from .ca import Authority
from .network import Network
from .state import Store
from .world import World

_HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """Answers in HTTP/1.1, and never logs a query: the auth key travels in it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        """After a fault has cut the connection nothing may be read from it."""
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = self.path.partition("?")[0]
        logging.getLogger("emulator").info("%s %s %s", self.command, path, code)

    def log_error(self, format: str, *args: object) -> None:
        """The text of a request that could not be read may hold a key, so it is not repeated."""
        logging.getLogger("emulator").warning("a request from %s could not be read", self.client_address[0])


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description="An offline GoGetSSL.")
    parser.add_argument("--host", default=_HOST, help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port of the API, 0 for any free one")
    parser.add_argument("--state", type=Path, help="directory that survives a restart; default: a temporary one")
    parser.add_argument("--http-port", type=int, default=80, help="port of http proofs")
    parser.add_argument("--https-port", type=int, default=443, help="port of https proofs")
    parser.add_argument("--resolver", default="", help="ADDR:PORT of the name server to ask")
    parser.add_argument(
        "--resolve",
        action="append",
        default=[],
        metavar="NAME=ADDR[:PORT]",
        help="where a name lives; NAME may be a pattern such as *.example.com",
    )
    parser.add_argument("--tls", action="store_true", help="serve https with a certificate of the emulator's own CA")
    parser.add_argument("--verbose", action="store_true", help="log every request to stderr")
    options = parser.parse_args(argv)
    for item in options.resolve:
        if "=" not in item:
            parser.error(f"--resolve takes NAME=ADDR[:PORT], not {item}")
    return options


def _world(options: argparse.Namespace, directory: Path) -> World:
    directory.mkdir(parents=True, exist_ok=True)
    names = dict(item.split("=", 1) for item in options.resolve)
    network = Network(options.http_port, options.https_port, options.resolver, names)
    return World(Store(directory / "state.sqlite"), Authority(directory / "ca"), network)


def _server(world: World, options: argparse.Namespace) -> tuple[BaseWSGIServer, str]:
    context: Any = world.authority.server_context(["localhost", options.host]) if options.tls else None
    server = make_server(
        options.host, options.port, app.create(world), threaded=True, request_handler=_Handler, ssl_context=context
    )
    base = f"{'https' if options.tls else 'http'}://{options.host}:{server.server_port}"
    world.authority.aia_url = f"{base}/_emulator/ca/intermediate.pem"
    return server, base


def _serve(options: argparse.Namespace, directory: Path) -> None:
    world = _world(options, directory)
    server, base = _server(world, options)

    def stop(*_: object) -> None:
        world.stopping.set()
        # `shutdown` waits for the loop below, so it must not run in the loop's own thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    background = worker.run(world)
    ready = {"url": f"{base}/api", "ca": str(world.authority.root_path), "user": world.user, "password": world.password}
    print(json.dumps(ready), flush=True)
    server.serve_forever(poll_interval=0.05)
    world.wake.set()
    background.join(timeout=world.settings.dcv_timeout)
    server.server_close()
    with world.store.transaction():
        pass  # Waits for a call that is still being answered.
    world.store.close()


def main(argv: list[str] | None = None) -> int:
    options = _arguments(argv)
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
