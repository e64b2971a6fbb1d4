# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serves proof files over HTTP, nothing else, for as long as there are any: a program of its own.

`gogetssl_dcv_listener` copies this file to the host and starts it with the path of its list of files and an open socket
that listens; it also inherits the lock by which it is known to live. It ends when no file of the list is left whose
time has not run out, so also after a run that was killed. It stands on Python's standard library alone, and gives up
all rights before the first request.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
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
SECONDS_A_REQUEST = 10.0  # for one client; those that keep silent are cut off
CLIENTS = 32  # at a time; authorities ask from a handful of places
LOOK_SECONDS = 0.25  # between two looks at the list
NOBODY = 65534  # where the system knows no user of that name


class Files:
    """The list of files, read again whenever it has changed.

    Its directory is opened while there are rights to do so: what lies above it may be closed to nobody.
    """

    def __init__(self, path: str) -> None:
        directory, self._name = os.path.split(path)
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        self._known: tuple[int, int] | None = None
        self._files: dict[str, tuple[bytes, float]] = {}

    def live(self) -> dict[str, bytes]:
        """Name -> contents of those whose time has not run out; none if there is no list any more."""
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
    """Answers with a file of the list, or with an empty 404."""

    server_version = "gogetssl"
    sys_version = ""
    timeout = SECONDS_A_REQUEST

    def do_GET(self) -> None:
        content = self._content()
        if content is not None and self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def _content(self) -> bytes | None:
        """The contents asked for, with the head of the answer already sent."""
        name = self.path[len(FOLDER) :] if self.path.startswith(FOLDER) else ""
        content = t.cast(Server, self.server).files.live().get(name)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        return content

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Of what is no proper request, say so and no more."""
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: t.Any) -> None:
        """There is nobody to read it."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A bounded number of clients at a time, on a socket that is open already."""

    daemon_threads = True
    timeout = LOOK_SECONDS

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
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A client that hung up."""


def give_up_rights() -> None:
    """Become nobody, if there is anything to give up; where that is not allowed, go on."""
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
    """Serve until nothing is left to serve."""
    files = Files(path)
    os.chdir("/")
    give_up_rights()
    with Server(socket.socket(fileno=listening), files) as server:
        while files.live():
            server.handle_request()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
