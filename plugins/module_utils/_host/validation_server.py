# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Standalone program that serves DCV files over HTTP, and nothing else, until all of them have expired.

`gogetssl_dcv_server` copies this file to the host and starts it with the path of the file list and a listening socket.
It inherits a lock that shows that it is running. It exits when every file of the list has expired, so it also exits
after an interrupted run. It needs only Python's standard library, and drops all privileges before the first request.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import pwd
import socket
import socketserver
import sys
import threading
import time
import typing as t

FOLDER = "/.well-known/pki-validation/"
SECONDS_A_REQUEST = 10.0  # time limit for one client, also for a slow one
CLIENTS = 32  # concurrent clients; CAs validate from a few locations
POLL_SECONDS = 0.25  # between two checks of the list
NOBODY = 65534  # if the system has no user "nobody"


class Files:
    """The list of files, read again after each change.

    Its directory is opened before privileges are dropped: user nobody might have no access to its parents.
    """

    def __init__(self, path: str) -> None:
        directory, self._name = os.path.split(path)
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        self._known: tuple[int, int] | None = None
        self._files: dict[str, tuple[bytes, float]] = {}

    def live(self) -> dict[str, bytes]:
        """Return name -> contents of the files that have not expired; empty if the list is missing."""
        try:
            found = os.stat(self._name, dir_fd=self._directory)
            if (found.st_ino, found.st_mtime_ns) != self._known:
                handle = os.open(self._name, os.O_RDONLY, dir_fd=self._directory)
                with open(handle, encoding="utf-8") as stream:
                    listed = json.load(stream)
                self._files = {name: (one["content"].encode(), float(one["until"])) for name, one in listed.items()}
                self._known = (found.st_ino, found.st_mtime_ns)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
        now = time.time()
        return {name: content for name, (content, until) in self._files.items() if until > now}


class Handler(http.server.BaseHTTPRequestHandler):
    """Responds with a file of the list, or with an empty 404."""

    server_version = "gogetssl"
    sys_version = ""
    timeout = SECONDS_A_REQUEST

    def do_GET(self) -> None:
        content = self._content()
        if content is not None and self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def _content(self) -> bytes | None:
        """Send the response headers and return the requested contents."""
        name = self.path[len(FOLDER) :] if self.path.startswith(FOLDER) else ""
        content = t.cast(Server, self.server).files.live().get(name)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        return content

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Respond to an invalid request with the status code only."""
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: t.Any) -> None:
        """Discard log messages: the server has no log."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Serves a limited number of concurrent clients on an open socket."""

    daemon_threads = True
    timeout = POLL_SECONDS

    def __init__(self, listening: socket.socket, files: Files) -> None:
        super().__init__(listening.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.files = files
        self._places = threading.BoundedSemaphore(CLIENTS)

    def process_request(self, request: t.Any, client_address: t.Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: t.Any, client_address: t.Any) -> None:
        timer = threading.Timer(SECONDS_A_REQUEST, cut_off, [request])
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._places.release()

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Ignore errors of clients, such as closed connections."""


def cut_off(client: socket.socket) -> None:
    """Close the connection of a client that exceeds the time limit."""
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


def give_up_rights() -> None:
    """Switch from root to user nobody; continue if that is not permitted."""
    if os.geteuid() != 0:
        return
    user, group = NOBODY, NOBODY
    with contextlib.suppress(KeyError):
        record = pwd.getpwnam("nobody")
        user, group = record.pw_uid, record.pw_gid
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)


def main(path: str, listening: int) -> None:
    """Serve until all files have expired."""
    files = Files(path)
    os.chdir("/")
    give_up_rights()
    with Server(socket.socket(fileno=listening), files) as server:
        while files.live():
            server.handle_request()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
