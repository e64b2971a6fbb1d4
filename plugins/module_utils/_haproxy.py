# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_haproxy`: certificates replaced in the memory of a running HAProxy, without a reload.

The files come first: what goes into the memory is read from the disk, so that a later reload serves the same. Whatever
keeps HAProxy from it is no failure but an answer, `reload`, because a reload always does it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
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

from . import _files, _layout, _names, _store
from ._errors import GogetsslError, host_error, input_error
from ._task import Context, Result, Task

SPEC: dict[str, t.Any] = {
    "certificates": {"type": "list", "elements": "str", "required": True},
    "directory": {"type": "path", "default": "/etc/gogetssl"},
    "socket": {"type": "path", "required": True},
    "timeout": {"type": "int", "default": 10},
}
(BUNDLE,) = _layout.FORMS["haproxy"]
# Of an answer; HAProxy's list of ten thousand certificates is not a tenth of it.
_MOST_BYTES = 16 * 1024 * 1024
# What a command line of HAProxy's takes for a name; it ends at a blank and at a semicolon unless a backslash precedes.
_SPECIAL = re.compile(r"([\\ ;])")
# The answer names the file whose transaction it is, which need not be the one that was asked for.
_TRANSACTION = re.compile(r"Transaction (?:created|updated) for certificate (.+)!$", re.MULTILINE)
_FIRST_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Found:
    """What the running process says of itself."""

    loaded: tuple[str, ...]  # its certificates' files, by the names of its configuration
    transaction: str = ""  # the file somebody has begun to replace
    processes: int = 1
    pid: int = 0


class Update(t.NamedTuple):
    """A certificate to replace: HAProxy's name for the file, and where it is."""

    loaded_as: str
    bundle: str


class Plan(t.NamedTuple):
    """What to replace, or why that would not be enough."""

    updates: tuple[Update, ...]
    problem: str = ""


def plan(found: Found, bundles: t.Sequence[str], real: t.Callable[[str], str] = os.path.realpath) -> Plan:
    """All of the bundles under every name that HAProxy has for them, or nothing at all.

    Names are compared by what they lead to: a configuration may go through symbolic links of its own.
    """
    if found.processes > 1:
        return Plan((), f"{found.processes} processes serve, and the socket reaches one of them")
    if found.transaction and real(found.transaction) not in {real(bundle) for bundle in bundles}:
        # HAProxy would put our certificate into that transaction, whatever file we name.
        return Plan((), f"somebody is replacing {found.transaction}")
    updates: list[Update] = []
    for bundle in bundles:
        names = [name for name in found.loaded if os.path.isabs(name) and real(name) == real(bundle)]
        if not names:
            return Plan((), f"the running process has not loaded {bundle}")
        updates += [Update(name, bundle) for name in names]
    return Plan(tuple(updates))


class AdminSocket:
    """HAProxy's run-time API: one command a connection, whose answer ends with it."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout

    def ask(self, command: str, payload: str = "") -> str:
        """The answer; an error where there is none. A payload ends with an empty line and must not hold one."""
        words = f"{command} <<\n{payload.rstrip()}\n\n" if payload else f"{command}\n"
        try:
            answer = self._talk(words.encode())
        except OSError as error:
            late = isinstance(error, (TimeoutError, socket.timeout))  # two classes until Python 3.10
            reason = "no answer in time" if late else error.strerror or type(error).__name__
            raise host_error(f"{self.path}: {reason}") from None
        text = answer.decode("utf-8", "replace").strip()
        if text.startswith(("Permission denied", "Unknown command")):
            # No more of it: what HAProxy does not know it may repeat.
            raise host_error(f"{self.path}: {' '.join(text.split()[:2])}")
        return text

    def _talk(self, words: bytes) -> bytes:
        deadline = time.monotonic() + self.timeout
        answer = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            self._hurry(connection, deadline)
            connection.connect(self.path)
            connection.sendall(words)
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


def look(admin: AdminSocket) -> Found:
    """Ask HAProxy; an error where it does not say."""
    about = dict(line.split(": ", 1) for line in admin.ask("show info").splitlines() if ": " in line)
    loaded: list[str] = []
    transaction = ""
    for line in admin.ask("show ssl cert").splitlines():
        if line.startswith("*"):
            transaction = line[1:]
        elif line and not line.startswith("#"):
            loaded.append(line)
    return Found(tuple(loaded), transaction, _number(about.get("Nbproc", "1")), _number(about.get("Pid", "0")))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def replace(admin: AdminSocket, update: Update, pem: str) -> None:
    """Replace one certificate and see it in HAProxy's memory; otherwise take the attempt back and say its words."""
    name = _escaped(update.loaded_as)
    try:
        said = admin.ask(f"set ssl cert {name}", pem)
        begun = _TRANSACTION.search(said)
        if begun is None or begun.group(1) != update.loaded_as:
            if begun is not None:  # somebody was faster; nobody is to have our certificate under their name
                _abort(admin, _escaped(begun.group(1)))
            raise host_error(_words(said, pem))
        said = admin.ask(f"commit ssl cert {name}")
        if not said.endswith("Success!"):
            raise host_error(_words(said, pem))
        if not _shows(admin.ask(f"show ssl cert {name}"), pem):
            raise host_error("it says that it has taken the certificate, but shows another one")
    except GogetsslError as error:
        _abort(admin, name)
        raise host_error(f"{update.loaded_as}: {error.message}") from None


def _escaped(name: str) -> str:
    return _SPECIAL.sub(r"\\\1", name)


def _abort(admin: AdminSocket, name: str) -> None:
    # Nothing to abort, and nobody there to ask, are as good.
    try:
        admin.ask(f"abort ssl cert {name}")
    except GogetsslError:
        return


def _shows(answer: str, pem: str) -> bool:
    """True if HAProxy shows the certificate that the bundle begins with."""
    first = _FIRST_PEM.search(pem)
    if first is None:
        return False
    digest = hashlib.new("sha1", ssl.PEM_cert_to_DER_cert(first.group()), usedforsecurity=False).hexdigest()
    return f"SHA1 FingerPrint: {digest}".lower() in answer.lower()


def _words(said: str, pem: str) -> str:
    """What HAProxy said, as part of a sentence, and nothing of the key. On what is too long for it, it says nothing."""
    for line in pem.splitlines():
        said = said.replace(line, "")
    return " ".join(said.split())[:300].rstrip(".!") or "no answer, as when a certificate is longer than tune.bufsize"


def run(context: Context) -> Result:
    """Look, replace, and say whether a reload is needed after all."""
    params = context.params
    names = [_names.check_certificate_name(name) for name in params["certificates"]]
    if params["timeout"] < 1:
        raise input_error("timeout must be at least 1.")
    with _files.os_errors_as_sentences():
        bundles = [os.path.join(_store.paths(params["directory"], name).current, BUNDLE) for name in names]
    admin = AdminSocket(params["socket"], params["timeout"])
    pid, done, problem = 0, [], ""
    try:
        with _files.os_errors_as_sentences():
            contents = {bundle: _read(bundle) for bundle in bundles}
        found = look(admin)
        pid = found.pid
        wanted = plan(found, bundles)
        problem = wanted.problem
        for update in wanted.updates:
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
    contents = _files.read(bundle)
    if contents is None:
        raise host_error(f"{bundle} is not there; forms: [haproxy] makes it")
    # An empty line would end the payload, and the rest be taken for commands.
    return "\n".join(line for line in contents.decode("ascii", "replace").splitlines() if line.strip()) + "\n"


TASK = Task(argument_spec=SPEC, run=run)
