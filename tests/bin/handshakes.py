# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect continuously: python -m tests.bin.handshakes --ca FILE --name NAME --stop FILE --least N ADDRESS:PORT

Opens TLS connections until the stop file exists and at least N connections were made. Each must verify for the name and
return an HTTP response, so a certificate with the wrong key fails. Prints the connections, the failures and the number
of different certificates as JSON. The exit status is not 0 if a connection failed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CLIENTS = 2
# Pause between two connections of a client, which shares the machine with the hosts under test.
PAUSE = 0.03
# Limit in seconds if the stop file is not created.
TIMEOUT = 600.0


class Count:
    """The results of all threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connections = 0
        self.failures: list[str] = []
        self.certificates: dict[str, int] = {}

    def add(self, outcome: str, failed: bool) -> None:
        with self.lock:
            self.connections += 1
            if failed:
                self.failures.append(outcome)
            else:
                self.certificates[outcome] = self.certificates.get(outcome, 0) + 1


def handshake(address: tuple[str, int], context: ssl.SSLContext, name: str) -> str:
    """The SHA-256 of the served certificate, after a verified handshake and an HTTP response."""
    with (
        socket.create_connection(address, timeout=20) as connection,
        context.wrap_socket(connection, server_hostname=name) as tls,
    ):
        tls.sendall(f"HEAD / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        if not tls.recv(12).startswith(b"HTTP/1.1 "):
            raise OSError("no response after the handshake")
        return hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()


def client(args: argparse.Namespace, count: Count) -> None:
    host, _colon, port = args.target.rpartition(":")
    # Sessions are not resumed, so each handshake is a full one with a certificate.
    context = ssl.create_default_context(cafile=args.ca)
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and (count.connections < args.least or not args.stop.exists()):
        try:
            count.add(handshake((host, int(port)), context, args.name), failed=False)
        except OSError as error:
            count.add(f"{time.strftime('%H:%M:%S')} {error!r}", failed=True)
        time.sleep(PAUSE)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--stop", required=True, type=Path)
    parser.add_argument("--least", required=True, type=int)
    parser.add_argument("target")
    args = parser.parse_args()
    count = Count()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(client, args, count) for _unused in range(CLIENTS)]:
            done.result()
    different = len(count.certificates)
    print(json.dumps({"connections": count.connections, "failures": count.failures[:20], "certificates": different}))
    return 1 if count.failures or count.connections < args.least else 0


if __name__ == "__main__":
    sys.exit(main())
