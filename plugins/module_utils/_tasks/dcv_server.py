# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: a temporary validation server that serves DCV files where no web server runs.

The list of files controls the process: it serves the listed files and ends when the list is empty or expired. The task
therefore sends no signals and stores no process ID. A lock that the process holds shows whether it runs.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import socket
import subprocess
import sys
import typing as t

from .._core import deadline
from .._core.errors import GogetsslError, host_error, input_error
from .._core.task import Context, Params, Result, Task
from .._host import directory_lock, validation_server
from .._host import files as _files
from .dcv_file import File, Step, plan_files, read_files

SPEC: dict[str, t.Any] = {
    # Without suboptions: the validations of gogetssl_dcv are accepted with all their keys.
    "files": {"type": "list", "elements": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "port": {"type": "int", "default": 80},
    "address": {"type": "str"},
    "seconds": {"type": "int", "default": 7200},
    "directory": {"type": "path", "default": "/run/gogetssl-validation-server"},
}
ANSWER_SECONDS = 5.0  # for one file, requested by the task itself
START_STOP_SECONDS = 15.0  # for the process to start or to end
_POLL_SECONDS = 0.05
_LIST, _PROGRAM, _LOCK = "files.json", "server.py", "lock"


def run(context: Context) -> Result:
    """Update the list. Start the process if files are to be served; otherwise wait until it has ended."""
    params = context.params
    expected = read_files(params)
    if not 0 < params["port"] < 65536 or params["seconds"] < 1:
        raise input_error("port is 1 to 65535, and seconds at least 1.")
    place = os.path.join(params["directory"], str(params["port"]))
    with _files.os_errors_as_sentences():
        _files.check_ancestry(params["directory"])
        steps = _plan(context, place, expected)
        if context.check_mode or (params["state"] == "absent" and not os.path.isdir(place)):
            return _report(steps)
        _files.make_directory(params["directory"])
        with directory_lock.locked(params["directory"], context.sleep):
            steps = _plan(context, place, expected)
            if params["state"] == "present":
                _present(context, place, expected)
            else:
                _absent(context, place, steps)
    return _report(steps)


def _plan(context: Context, place: str, expected: t.Sequence[File]) -> list[Step]:
    found = _read(context, place)
    serving = _is_served(place)
    contents = {name: one["content"].encode() for name, one in found.items() if serving}
    return plan_files(expected, contents, context.params["state"])


def _present(context: Context, place: str, expected: t.Sequence[File]) -> None:
    before = _read(context, place)
    until = context.now() + context.params["seconds"]
    after = {file.name: {"content": (file.contents or b"").decode(), "until": until} for file in expected}
    _files.make_directory(place)
    _write(place, {**before, **after})
    deadline = context.now() + START_STOP_SECONDS
    while True:
        try:
            _start(context.params, place)
        except GogetsslError:
            _files.remove_tree(place)
            raise
        if not expected or _serves(context.params, expected[-1]):
            return
        if context.now() > deadline:
            raise host_error(
                f"The validation server on port {context.params['port']} does not respond."
                " Check whether a firewall filters the port."
            )
        context.sleep(_POLL_SECONDS)


def _absent(context: Context, place: str, steps: t.Sequence[Step]) -> None:
    gone = {step.name for step in steps if step.after is None}
    left = {name: one for name, one in _read(context, place).items() if name not in gone}
    if left:
        _write(place, left)
        return
    _write(place, {})
    deadline = context.now() + START_STOP_SECONDS
    while _is_served(place):
        if context.now() > deadline:
            raise host_error(f"The validation server on port {context.params['port']} does not stop. See {place}.")
        context.sleep(_POLL_SECONDS)
    _files.remove_tree(place)


def _read(context: Context, place: str) -> dict[str, t.Any]:
    """The list without expired files. Empty for an unreadable list, which the server does not serve either."""
    contents = _files.read(os.path.join(place, _LIST))
    try:
        listed: dict[str, t.Any] = json.loads(contents or b"{}")
        return {
            name: one for name, one in listed.items() if one["until"] > context.now() and one["content"] is not None
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _write(place: str, files: t.Mapping[str, t.Any]) -> None:
    _files.replace_file(os.path.join(place, _LIST), json.dumps(files).encode(), _files.PUBLIC)


def _is_served(place: str) -> bool:
    """True while a process holds the lock."""
    try:
        handle = os.open(os.path.join(place, _LOCK), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _start(params: Params, place: str) -> None:
    """Start the process unless it runs. It inherits the lock and the socket, so that a port in use is detected here."""
    handle = os.open(os.path.join(place, _LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return
    try:
        with _listen(params) as listening:
            program = os.path.join(place, _PROGRAM)
            _files.replace_file(program, _source().encode(), _files.PUBLIC)
            subprocess.Popen(  # pylint: disable=consider-using-with,ansible-bad-function  # it must outlive the task
                [sys.executable, "-I", program, os.path.join(place, _LIST), str(listening.fileno())],
                pass_fds=(listening.fileno(), handle),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
    finally:
        os.close(handle)


def _source() -> str:
    """The source of the program, from a directory or from the archive of an Ansible module."""
    spec = validation_server.__spec__
    loader = t.cast(t.Any, spec.loader if spec else None)
    return str(loader.get_source(validation_server.__name__))


def _listen(params: Params) -> socket.socket:
    """A listening socket on the given address. By default on all addresses, IPv4 and IPv6 if the host has both."""
    address, port = params["address"], params["port"]
    try:
        if address:
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            return socket.create_server((address, port), family=kind, backlog=64)
        if socket.has_dualstack_ipv6():
            return socket.create_server(("::", port), family=socket.AF_INET6, backlog=64, dualstack_ipv6=True)
        return socket.create_server(("", port), backlog=64)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "refused"
        raise host_error(
            f"Cannot bind port {port} for validation files: {reason}. If a web server uses it, set"
            " gogetssl_http_publisher: web_root; otherwise run with become."
        ) from None


def _serves(params: Params, file: File) -> bool:
    """True if this host can fetch the file."""
    expected = file.contents or b""
    connection = http.client.HTTPConnection(params["address"] or "127.0.0.1", params["port"], timeout=ANSWER_SECONDS)
    exchange = deadline.Exchange()
    try:
        with exchange.limited(ANSWER_SECONDS):
            connection.connect()
            exchange.use(connection.sock)
            connection.request("GET", validation_server.FOLDER + file.name)
            answer = connection.getresponse()
            return answer.status == 200 and answer.read(len(expected) + 1) == expected and not exchange.expired
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _report(steps: t.Sequence[Step]) -> Result:
    return {
        "changed": any(step.changed for step in steps),
        "files": [{"file_name": step.name, "changed": step.changed} for step in steps],
    }


TASK = Task(argument_spec=SPEC, run=run)
