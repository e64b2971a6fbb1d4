# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates in the memory of a running HAProxy.

The fake responds like HAProxy 2.6. The Molecule scenario `services` uses a real one.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate, csr, haproxy
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks.haproxy import LoadedCertificates, Plan, Update
from tests.unit import hosts

pytestmark = pytest.mark.host

INFO = "Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nNbthread: 2\nNbproc: 1\nProcess_num: 1\nPid: 4711\n\n"


class Haproxy:
    """A fake runtime API with loaded certificates and one transaction. `faults` maps commands to other responses."""

    def __init__(self, path: str, loaded: t.Sequence[str]) -> None:
        self.memory = dict.fromkeys(loaded, "")
        self.transaction: tuple[str, str] | None = None
        self.faults: dict[str, str | None] = {}
        self.commands: list[str] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        with connection:
            while not data.endswith(b"\n\n" if b"<<\n" in data else b"\n"):
                data += connection.recv(65536)
            head, _newline, payload = data.decode().partition("\n")
            # One command and its payload: after an empty line HAProxy would read further commands.
            assert "\n\n" not in payload.rstrip("\n")
            verb, name = self._parse(head.removesuffix(" <<"))
            self.commands.append(verb)
            answer = self.faults.get(verb, "")
            if answer is None:
                connection.recv(1)  # until the client closes the connection
                return
            connection.sendall((answer or self._obey(verb, name, payload.strip() + "\n") + "\n").encode())

    @staticmethod
    def _parse(head: str) -> tuple[str, str]:
        message = [re.sub(r"\\(.)", r"\1", status) for status in re.findall(r"(?:\\.|[^ ])+", head)]
        return " ".join(message[:3]), " ".join(message[3:])

    def _obey(self, verb: str, name: str, payload: str) -> str:
        if verb == "show info":
            return INFO
        if verb == "show ssl cert":
            if name:
                return f"Filename: {name}\nStatus: Used\nSHA1 FingerPrint: {_fingerprint(self.memory[name])}\n"
            head = f"# transaction\n*{self.transaction[0]}\n" if self.transaction else ""
            return f"{head}# filename\n" + "".join(f"{one}\n" for one in self.memory)
        if verb == "abort ssl cert":
            if self.transaction is None:
                return "No ongoing transaction!\n"
            if self.transaction[0] != name:
                return (
                    f"The ongoing transaction is about '{self.transaction[0]}' but you are trying to abort '{name}'\n"
                )
            self.transaction = None
            return f"Transaction aborted for certificate '{name}'!\n"
        if verb == "set ssl cert":
            # Like the real one: the payload is added to the open transaction, whatever the name.
            open_for, status = (self.transaction[0], "updated") if self.transaction else (name, "created")
            self.transaction = (open_for, payload)
            return f"Transaction {status} for certificate {open_for}!\n"
        assert verb == "commit ssl cert"
        assert self.transaction
        self.memory[self.transaction[0]], self.transaction = self.transaction[1], None
        return f"Committing {name}.\nSuccess!\n"


def _fingerprint(pem: str) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex().upper()


class Bench:
    """An installed certificate, and a HAProxy that has loaded it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory = directory / "ca n"  # spaces separate the arguments of HAProxy's commands
        self.ca = hosts.CertificateAuthority()
        self.socket = str(directory / "s")
        self.warnings: list[str] = []
        self.install()
        self.bundle = str(self.directory / "shop/current/haproxy.pem")
        self.haproxy = Haproxy(self.socket, [self.bundle])

    def install(self) -> None:
        spec = {
            "name": "shop",
            "names": ["shop.example.com"],
            "product": "68",
            "key_type": "ecdsa-p256",
            "forms": ["haproxy"],
        }
        made = hosts.run(csr.TASK, certificates=[{**spec, "rekey": True}], directory=str(self.directory))
        leaf = self.ca.issue(made["requests"][0]["csr"])
        delivery = {**spec, "certificate": leaf, "chain": self.ca.intermediate}
        hosts.run(certificate.TASK, certificates=[delivery], directory=str(self.directory))

    def run(self, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        params = {
            "certificates": ["shop"],
            "directory": str(self.directory),
            "socket": self.socket,
            "timeout": 30,
            **params,
        }
        context = Context(params, check_mode, t.cast(t.Any, None), t.cast(t.Any, None), self.warnings.append)
        return haproxy.TASK.run(context)


@pytest.fixture
def bench() -> t.Iterator[Bench]:
    directory = Path(tempfile.mkdtemp(prefix="ha", dir="/tmp"))  # a short path, for a socket
    bench = Bench(directory)
    yield bench
    bench.haproxy.listener.close()
    shutil.rmtree(directory)


def test_the_installed_certificate_is_loaded(bench: Bench) -> None:
    result = bench.run()
    assert result == {"changed": True, "updated": [bench.bundle], "reload": False, "reason": "", "pid": 4711}
    assert bench.haproxy.memory[bench.bundle] == Path(bench.bundle).read_text()
    assert bench.haproxy.transaction is None
    assert bench.warnings == []


def test_check_mode_changes_nothing(bench: Bench) -> None:
    result = bench.run(check_mode=True)
    assert (result["changed"], result["updated"], result["reload"]) == (True, [bench.bundle], False)
    assert bench.haproxy.commands == ["show info", "show ssl cert"]


def test_a_transaction_of_an_interrupted_run_is_replaced(bench: Bench) -> None:
    bench.haproxy.transaction = (bench.bundle, "half\n")
    assert bench.run()["reload"] is False
    assert bench.haproxy.memory[bench.bundle] == Path(bench.bundle).read_text()


def test_a_foreign_transaction_is_kept(bench: Bench) -> None:
    bench.haproxy.transaction = ("/etc/other.pem", "theirs\n")
    result = bench.run()
    assert (result["changed"], result["reason"]) == (False, "another client is replacing /etc/other.pem")
    assert bench.haproxy.transaction == ("/etc/other.pem", "theirs\n")
    assert bench.haproxy.memory[bench.bundle] == ""


# Responses of HAProxy 2.6, or from its manual.
@pytest.mark.parametrize(
    ("command", "answer", "message"),
    [
        (
            "set ssl cert",
            "unable to load certificate from file 'x'.\nCan't load the payload\nCan't update x!\n",
            "Can't update x",
        ),
        ("set ssl cert", "\n", "tune.bufsize"),
        (
            "commit ssl cert",
            "inconsistencies between private key and certificate loaded 'x'.\nCan't commit x!\n",
            "inconsistencies",
        ),
        ("show ssl cert", "Permission denied\n", "Permission denied"),
        (
            "show ssl cert",
            "Unknown command. Please enter one of the following commands only:\n  help\n",
            "Unknown command",
        ),
        ("show info", "Nbproc: 4\n", "4 processes serve"),
        ("show ssl cert", "# filename\n/etc/other.pem\nrelative.pem\n", "has not loaded"),
    ],
)
def test_a_refused_update_is_aborted_and_requires_a_reload(
    bench: Bench, command: str, answer: str, message: str
) -> None:
    bench.haproxy.faults[command] = answer
    result = bench.run()
    assert (result["changed"], result["updated"], result["reload"]) == (False, [], True)
    assert message in result["reason"]
    assert bench.warnings == [
        f"HAProxy has to be reloaded, as its run-time API does not replace the certificates: {result['reason']}."
    ]
    assert bench.haproxy.transaction is None
    assert bench.haproxy.memory[bench.bundle] == ""
    if command.startswith(("set", "commit")):
        assert bench.haproxy.commands[-1] == "abort ssl cert"


def test_our_certificate_is_removed_from_a_concurrent_transaction(bench: Bench) -> None:
    bench.haproxy.transaction = ("/etc/other.pem", "theirs\n")
    bench.haproxy.faults["show ssl cert"] = f"# filename\n{bench.bundle}\n"
    assert "for certificate /etc/other.pem" in bench.run()["reason"]
    assert bench.haproxy.transaction is None


def test_messages_of_haproxy_do_not_include_the_key(bench: Bench) -> None:
    lines = Path(bench.bundle).read_text().splitlines()
    bench.haproxy.faults["set ssl cert"] = f"Unknown keyword '{lines[-2]}'\n"
    result = bench.run()
    assert "Unknown keyword" in result["reason"]
    assert lines[-2] not in str(result) + str(bench.warnings)


def test_another_loaded_certificate_requires_a_reload(bench: Bench) -> None:
    old = Path(bench.bundle).read_text()
    bench.run()
    bench.install()
    assert Path(bench.bundle).read_text() != old
    bench.haproxy.faults["commit ssl cert"] = "Committing.\nSuccess!\n"
    result = bench.run()
    assert result["reload"] is True
    assert "shows another one" in result["reason"]


def test_a_hanging_haproxy_requires_a_reload(bench: Bench) -> None:
    bench.haproxy.faults["set ssl cert"] = None
    result = bench.run(timeout=1)
    assert (result["reload"], result["changed"]) == (True, False)
    assert "no answer in time" in result["reason"]


def test_a_missing_socket_requires_a_reload(bench: Bench) -> None:
    result = bench.run(socket=str(bench.directory / "none"))
    assert (result["reload"], result["pid"]) == (True, 0)
    assert "No such file" in result["reason"]


def test_a_certificate_without_a_bundle_requires_a_reload(bench: Bench) -> None:
    os.unlink(bench.bundle)
    result = bench.run()
    assert "forms: [haproxy] creates it" in result["reason"]
    assert bench.haproxy.commands == []


def test_names_cannot_contain_paths(bench: Bench) -> None:
    with pytest.raises(GogetsslError, match="is not a valid certificate name"):
        bench.run(certificates=["../shop"])


LINKS = {"/etc/haproxy/shop.pem": "/v/1/haproxy.pem", "/g/shop/current/haproxy.pem": "/v/1/haproxy.pem"}
BUNDLE = "/g/shop/current/haproxy.pem"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (LoadedCertificates((BUNDLE,)), Plan((Update(BUNDLE, BUNDLE),))),
        (LoadedCertificates(("/etc/haproxy/shop.pem",)), Plan((Update("/etc/haproxy/shop.pem", BUNDLE),))),
        (
            LoadedCertificates((BUNDLE, "/etc/haproxy/shop.pem")),
            Plan((Update(BUNDLE, BUNDLE), Update("/etc/haproxy/shop.pem", BUNDLE))),
        ),
        (LoadedCertificates((BUNDLE,), "/etc/haproxy/shop.pem"), Plan((Update(BUNDLE, BUNDLE),))),
    ],
)
def test_files_are_compared_by_their_real_path(found: LoadedCertificates, expected: Plan) -> None:
    assert haproxy.plan_updates_of(found, [BUNDLE], lambda path: LINKS.get(path, path)) == expected


def test_one_file_that_is_not_loaded_requires_a_reload() -> None:
    other = "/g/blog/current/haproxy.pem"
    plan = haproxy.plan_updates_of(LoadedCertificates((BUNDLE,)), [BUNDLE, other], str)
    assert plan == Plan((), f"the running process has not loaded {other}")
