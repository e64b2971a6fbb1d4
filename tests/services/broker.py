# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service of the operator's own, on a test host: TLS, or SMTP with STARTTLS, and a reload by signal.

broker.py --check NAME            fails if the certificate and its key cannot be loaded
broker.py NAME PORT [smtp]        serves them; reads them again after SIGHUP
"""

from __future__ import annotations

import signal
import socket
import ssl
import sys
import threading


def context(name: str) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    directory = f"/etc/gogetssl/{name}/current"
    found.load_cert_chain(f"{directory}/fullchain.pem", f"{directory}/privkey.pem")
    return found


def answer(connection: socket.socket, tls: ssl.SSLContext, smtp: bool) -> None:
    try:
        if smtp:
            connection.sendall(b"220 mx.example.com ESMTP\r\n")
            connection.recv(1024)
            connection.sendall(b"250-mx.example.com\r\n250 STARTTLS\r\n")
            connection.recv(1024)
            connection.sendall(b"220 go on\r\n")
        with tls.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1024)
    except OSError:
        connection.close()


def main() -> None:
    if sys.argv[1] == "--check":
        context(sys.argv[2])
        return
    name, port, smtp = sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["smtp"]
    loaded = [context(name)]
    signal.signal(signal.SIGHUP, lambda *_: loaded.__setitem__(0, context(name)))
    with socket.create_server(("", port)) as listener:
        while True:
            connection, _unused = listener.accept()
            threading.Thread(target=answer, args=(connection, loaded[0], smtp), daemon=True).start()


if __name__ == "__main__":
    main()
