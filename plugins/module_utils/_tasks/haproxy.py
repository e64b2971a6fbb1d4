# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_haproxy`: replaces certificates in the memory of a running HAProxy, without a reload.

The certificates are read from the installed files, so that a later reload serves the same ones. If HAProxy cannot
replace them, the task does not fail but returns `reload`, because a reload always works.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import socket
import ssl
import time
import typing as t

from .._core import names as _names
from .._core.errors import GogetsslError, host_error, input_error
from .._core.task import Context, Result, Task
from .._host import files, store
from .._request import layout

SPEC: dict[str, t.Any] = {
    "certificates": {"type": "list", "elements": "str", "required": True},
    "directory": {"type": "path", "default": "/etc/gogetssl"},
    "socket": {"type": "path", "required": True},
    "timeout": {"type": "int", "default": 10},
}
(BUNDLE,) = layout.FORMS["haproxy"]
# Limit of a response; a list of ten thousand certificates is less than a tenth of it.
_MOST_BYTES = 16 * 1024 * 1024
# Characters to escape in a file name on HAProxy's command line: a blank or semicolon would end the name.
_SPECIAL = re.compile(r"([\\ ;])")
# The response names the file of the open transaction, which can differ from the file of the command.
_TRANSACTION = re.compile(r"Transaction (?:created|updated) for certificate (.+)!$", re.MULTILINE)
_FIRST_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class LoadedCertificates:
    """The state that the running process reports."""

    loaded: tuple[str, ...]  # the certificate files, as named in the configuration
    transaction: str = ""  # the file of an open transaction
    processes: int = 1
    pid: int = 0


class Update(t.NamedTuple):
    """A certificate to replace: HAProxy's name for the file, and the path of the bundle."""

    loaded_as: str
    bundle: str


class Plan(t.NamedTuple):
    """The certificates to replace, or the reason why a reload is needed."""

    updates: tuple[Update, ...]
    problem: str = ""


def plan_updates_of(
    found: LoadedCertificates, bundles: t.Sequence[str], real: t.Callable[[str], str] = os.path.realpath
) -> Plan:
    """All bundles under every name that HAProxy uses for them, or none.

    Names are compared by their real paths, because a configuration can use other symbolic links.
    """
    if found.processes > 1:
        return Plan((), f"{found.processes} processes serve, and the socket reaches one of them")
    if found.transaction and real(found.transaction) not in {real(bundle) for bundle in bundles}:
        # HAProxy would add the certificate to the open transaction, whatever file the command names.
        return Plan((), f"another client is replacing {found.transaction}")
    updates: list[Update] = []
    for bundle in bundles:
        names = [name for name in found.loaded if os.path.isabs(name) and real(name) == real(bundle)]
        if not names:
            return Plan((), f"the running process has not loaded {bundle}")
        updates += [Update(name, bundle) for name in names]
    return Plan(tuple(updates))


class AdminSocket:
    """HAProxy's Runtime API: one command for each connection, which closes after the response."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout

    def execute(self, command: str, payload: str = "") -> str:
        """The response; an error if there is none. A payload ends with an empty line and must not contain one."""
        request = f"{command} <<\n{payload.rstrip()}\n\n" if payload else f"{command}\n"
        try:
            answer = self._exchange(request.encode())
        except OSError as error:
            late = isinstance(error, (TimeoutError, socket.timeout))  # two classes until Python 3.10
            reason = "no answer in time" if late else error.strerror or type(error).__name__
            raise host_error(f"{self.path}: {reason}") from None
        text = answer.decode("utf-8", "replace").strip()
        if text.startswith(("Permission denied", "Unknown command")):
            # The rest is omitted: HAProxy can repeat an unknown command, and with it the payload.
            raise host_error(f"{self.path}: {' '.join(text.split()[:2])}")
        return text

    def _exchange(self, request: bytes) -> bytes:
        deadline = time.monotonic() + self.timeout
        answer = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            self._hurry(connection, deadline)
            connection.connect(self.path)
            connection.sendall(request)
            while len(answer) < _MOST_BYTES:
                self._hurry(connection, deadline)
                piece = connection.recv(65536)
                if not piece:
                    return answer
                answer += piece
        raise OSError(0, "an answer without end")

    @staticmethod
    def _hurry(connection: socket.socket, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)


def read_loaded(admin: AdminSocket) -> LoadedCertificates:
    """Query HAProxy; raise an error if it does not respond."""
    about = dict(line.split(": ", 1) for line in admin.execute("show info").splitlines() if ": " in line)
    loaded: list[str] = []
    transaction = ""
    for line in admin.execute("show ssl cert").splitlines():
        if line.startswith("*"):
            transaction = line[1:]
        elif line and not line.startswith("#"):
            loaded.append(line)
    return LoadedCertificates(
        tuple(loaded), transaction, _number(about.get("Nbproc", "1")), _number(about.get("Pid", "0"))
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def replace(admin: AdminSocket, update: Update, pem: str) -> None:
    """Replace one certificate and verify it in HAProxy's memory. Otherwise abort and report HAProxy's message."""
    name = _escaped(update.loaded_as)
    try:
        response = admin.execute(f"set ssl cert {name}", pem)
        begun = _TRANSACTION.search(response)
        if begun is None or begun.group(1) != update.loaded_as:
            if begun is not None:  # the certificate was added to another client's transaction: abort it
                _abort(admin, _escaped(begun.group(1)))
            raise host_error(_describe_response(response, pem))
        response = admin.execute(f"commit ssl cert {name}")
        if not response.endswith("Success!"):
            raise host_error(_describe_response(response, pem))
        if not _shows(admin.execute(f"show ssl cert {name}"), pem):
            raise host_error("it reported that it accepted the certificate, but shows another one")
    except GogetsslError as error:
        _abort(admin, name)
        raise host_error(f"{update.loaded_as}: {error.message}") from None


def _escaped(name: str) -> str:
    return _SPECIAL.sub(r"\\\1", name)


def _abort(admin: AdminSocket, name: str) -> None:
    # A missing transaction or an unreachable socket needs no abort.
    try:
        admin.execute(f"abort ssl cert {name}")
    except GogetsslError:
        return


def _shows(answer: str, pem: str) -> bool:
    """True if HAProxy reports the first certificate of the bundle."""
    first = _FIRST_PEM.search(pem)
    if first is None:
        return False
    digest = hashlib.new("sha1", ssl.PEM_cert_to_DER_cert(first.group()), usedforsecurity=False).hexdigest()
    return f"SHA1 FingerPrint: {digest}".lower() in answer.lower()


def _describe_response(response: str, pem: str) -> str:
    """HAProxy's message for use in a sentence, without key material. For an oversized payload HAProxy sends none."""
    for line in pem.splitlines():
        response = response.replace(line, "")
    return (
        " ".join(response.split())[:300].rstrip(".!") or "no answer, as when a certificate is longer than tune.bufsize"
    )


def run(context: Context) -> Result:
    """Replace the certificates and report whether a reload is still needed."""
    params = context.params
    names = [_names.check_certificate_name(name) for name in params["certificates"]]
    if params["timeout"] < 1:
        raise input_error("timeout must be at least 1.")
    with files.os_errors_as_sentences():
        bundles = [os.path.join(store.paths(params["directory"], name).current, BUNDLE) for name in names]
    admin = AdminSocket(params["socket"], params["timeout"])
    pid, done, problem = 0, [], ""
    try:
        with files.os_errors_as_sentences():
            contents = {bundle: _read(bundle) for bundle in bundles}
        found = read_loaded(admin)
        pid = found.pid
        expected = plan_updates_of(found, bundles)
        problem = expected.problem
        for update in expected.updates:
            if not context.check_mode:
                if found.transaction:
                    _abort(admin, _escaped(found.transaction))
                replace(admin, update, contents[update.bundle])
            done.append(update.loaded_as)
    except GogetsslError as error:
        problem = error.message
    if problem:
        context.warn(f"HAProxy has to be reloaded, as its run-time API does not replace the certificates: {problem}.")
    return {"changed": bool(done), "updated": done, "reload": bool(problem), "reason": problem, "pid": pid}


def _read(bundle: str) -> str:
    contents = files.read(bundle)
    if contents is None:
        raise host_error(f"{bundle} is not there; forms: [haproxy] creates it")
    # An empty line would end the payload, and HAProxy would run the rest as commands.
    return "\n".join(line for line in contents.decode("ascii", "replace").splitlines() if line.strip()) + "\n"


TASK = Task(argument_spec=SPEC, run=run)
