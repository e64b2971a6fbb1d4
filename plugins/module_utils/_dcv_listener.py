# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_dcv_listener`: proof files served by a process of its own, where no web server runs.

The list of files is the truth: the process serves what it holds and ends when it is empty or out of date. So the task
sends no signals and keeps no process id; whether somebody serves is told by a lock that the process holds.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
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

from . import _files, _listener_process
from ._dcv_file import File, Step, plan, read_files
from ._errors import GogetsslError, host_error, input_error
from ._task import Context, Params, Result, Task

SPEC: dict[str, t.Any] = {
    # Without sub-options: the proofs of gogetssl_dcv are taken as they are, whatever else they hold.
    "files": {"type": "list", "elements": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "port": {"type": "int", "default": 80},
    "address": {"type": "str"},
    "seconds": {"type": "int", "default": 7200},
    "directory": {"type": "path", "default": "/run/gogetssl-listener"},
}
PATIENCE_SECONDS = 15.0  # for the process to start or to end
_LOOK_SECONDS = 0.05
_LIST, _PROGRAM, _LOCK = "files.json", "listener.py", "lock"


def run(context: Context) -> Result:
    """Bring the list to its new state; start the process if there is something to serve, see it end if not."""
    params = context.params
    wanted = read_files(params)
    if not 0 < params["port"] < 65536 or params["seconds"] < 1:
        raise input_error("port is 1 to 65535, and seconds at least 1.")
    place = os.path.join(params["directory"], str(params["port"]))
    with _files.os_errors_as_sentences():
        steps = _plan(context, place, wanted)
        if context.check_mode or (params["state"] == "absent" and not os.path.isdir(place)):
            return _report(steps)
        _files.check_ancestry(params["directory"])
        _files.make_directory(params["directory"])
        with _files.locked(params["directory"], context.sleep):
            steps = _plan(context, place, wanted)
            if params["state"] == "present":
                _present(context, place, wanted)
            else:
                _absent(context, place, steps)
    return _report(steps)


def _plan(context: Context, place: str, wanted: t.Sequence[File]) -> list[Step]:
    found = _read(context, place)
    serving = _is_served(place)
    contents = {name: one["content"].encode() for name, one in found.items() if serving}
    return plan(wanted, contents, context.params["state"])


def _present(context: Context, place: str, wanted: t.Sequence[File]) -> None:
    before = _read(context, place)
    until = context.now() + context.params["seconds"]
    after = {file.name: {"content": (file.contents or b"").decode(), "until": until} for file in wanted}
    _files.make_directory(place)
    _write(place, {**before, **after})
    deadline = context.now() + PATIENCE_SECONDS
    while True:
        try:
            _start(context.params, place)
        except GogetsslError:
            _files.remove_tree(place)
            raise
        if not wanted or _serves(context.params, wanted[-1]):
            return
        if context.now() > deadline:
            raise host_error(f"The listener on port {context.params['port']} does not answer; is the port filtered?")
        context.sleep(_LOOK_SECONDS)


def _absent(context: Context, place: str, steps: t.Sequence[Step]) -> None:
    gone = {step.name for step in steps if step.after is None}
    left = {name: one for name, one in _read(context, place).items() if name not in gone}
    if left:
        _write(place, left)
        return
    _write(place, {})
    deadline = context.now() + PATIENCE_SECONDS
    while _is_served(place):
        if context.now() > deadline:
            raise host_error(f"The listener on port {context.params['port']} does not end; see {place}.")
        context.sleep(_LOOK_SECONDS)
    _files.remove_tree(place)


def _read(context: Context, place: str) -> dict[str, t.Any]:
    """The list without what has run out; nothing for one that cannot be read, which nobody serves either."""
    contents = _files.read(os.path.join(place, _LIST))
    try:
        listed: dict[str, t.Any] = json.loads(contents or b"{}")
        return {
            name: one for name, one in listed.items() if one["until"] > context.now() and one["content"] is not None
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(place: str, files: t.Mapping[str, t.Any]) -> None:
    _files.replace_file(os.path.join(place, _LIST), json.dumps(files).encode(), _files.PUBLIC)


def _is_served(place: str) -> bool:
    """True while a process holds the lock."""
    try:
        handle = os.open(os.path.join(place, _LOCK), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
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
    """Start the process, unless there is one. It inherits the lock and the socket, so that a port in use shows here."""
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
            subprocess.Popen(  # pylint: disable=consider-using-with,ansible-bad-function  # it has to outlive the task
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
    """The program, from wherever this collection is: a directory, or the archive a module is sent in."""
    spec = _listener_process.__spec__
    loader = t.cast(t.Any, spec.loader if spec else None)
    return str(loader.get_source(_listener_process.__name__))


def _listen(params: Params) -> socket.socket:
    """A socket that listens on the address given, or on all there are, of both kinds where the host knows both."""
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
            f"Port {port} cannot be had for the proofs ({reason}): if a web server runs there, let it serve them"
            " (gogetssl_http_publisher: web_root); otherwise become root."
        ) from None


def _serves(params: Params, file: File) -> bool:
    """True if the file can be had from this host itself."""
    connection = http.client.HTTPConnection(params["address"] or "127.0.0.1", params["port"], timeout=5.0)
    try:
        connection.request("GET", _listener_process.FOLDER + file.name)
        answer = connection.getresponse()
        return answer.status == 200 and answer.read() == file.contents
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
