# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates in a running HAProxy's memory.

The stand-in answers as HAProxy 2.6 was seen to; the real one serves in the molecule scenario `services`.
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

from ansible_collections.certops.gogetssl.plugins.module_utils import _certificate, _csr, _haproxy
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._haproxy import Found, Plan, Update
from ansible_collections.certops.gogetssl.plugins.module_utils._task import Context
from tests.unit import hosts

pytestmark = pytest.mark.host

INFO = "Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nNbthread: 2\nNbproc: 1\nProcess_num: 1\nPid: 4711\n\n"


class Haproxy:
    """A run-time API: what is in the memory, and the one transaction. `faults` gives other answers, by command."""

    def __init__(self, path: str, loaded: t.Sequence[str]) -> None:
        self.memory = dict.fromkeys(loaded, "")
        self.transaction: tuple[str, str] | None = None
        self.faults: dict[str, str | None] = {}
        self.heard: list[str] = []
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
            # One command and its payload: after an empty line HAProxy would read on, for commands.
            assert "\n\n" not in payload.rstrip("\n")
            verb, name = self._parse(head.removesuffix(" <<"))
            self.heard.append(verb)
            answer = self.faults.get(verb, "")
            if answer is None:
                connection.recv(1)  # until the other side hangs up
                return
            connection.sendall((answer or self._obey(verb, name, payload.strip() + "\n") + "\n").encode())

    @staticmethod
    def _parse(head: str) -> tuple[str, str]:
        words = [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|[^ ])+", head)]
        return " ".join(words[:3]), " ".join(words[3:])

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
            # As the real one does: whatever the name, it goes into the transaction that is open.
            open_for, word = (self.transaction[0], "updated") if self.transaction else (name, "created")
            self.transaction = (open_for, payload)
            return f"Transaction {word} for certificate {open_for}!\n"
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

    def __init__(self, place: Path) -> None:
        self.place = place
        self.directory = place / "ca n"  # HAProxy's commands end their words at a blank
        self.authority = hosts.Authority()
        self.socket = str(place / "s")
        self.warnings: list[str] = []
        self.install()
        self.bundle = str(self.directory / "shop/current/haproxy.pem")
        self.haproxy = Haproxy(self.socket, [self.bundle])

    def install(self) -> None:
        wish = {
            "name": "shop",
            "names": ["shop.example.com"],
            "product": "68",
            "key_type": "ecdsa-p256",
            "forms": ["haproxy"],
        }
        made = hosts.run(_csr.TASK, certificates=[{**wish, "rekey": True}], directory=str(self.directory))
        leaf = self.authority.issue(made["requests"][0]["csr"])
        delivery = {**wish, "certificate": leaf, "chain": self.authority.intermediate}
        hosts.run(_certificate.TASK, certificates=[delivery], directory=str(self.directory))

    def run(self, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        params = {
            "certificates": ["shop"],
            "directory": str(self.directory),
            "socket": self.socket,
            "timeout": 30,
            **params,
        }
        context = Context(params, check_mode, t.cast(t.Any, None), t.cast(t.Any, None), self.warnings.append)
        return _haproxy.TASK.run(context)


@pytest.fixture
def bench() -> t.Iterator[Bench]:
    place = Path(tempfile.mkdtemp(prefix="ha", dir="/tmp"))  # short, for a socket
    bench = Bench(place)
    yield bench
    bench.haproxy.listener.close()
    shutil.rmtree(place)


def test_what_is_on_the_disk_is_in_the_memory(bench: Bench) -> None:
    result = bench.run()
    assert result == {"changed": True, "updated": [bench.bundle], "reload": False, "reason": "", "pid": 4711}
    assert bench.haproxy.memory[bench.bundle] == Path(bench.bundle).read_text()
    assert bench.haproxy.transaction is None
    assert bench.warnings == []


def test_check_mode_changes_nothing(bench: Bench) -> None:
    result = bench.run(check_mode=True)
    assert (result["changed"], result["updated"], result["reload"]) == (True, [bench.bundle], False)
    assert bench.haproxy.heard == ["show info", "show ssl cert"]


def test_a_transaction_that_a_killed_run_left_is_replaced(bench: Bench) -> None:
    bench.haproxy.transaction = (bench.bundle, "half\n")
    assert bench.run()["reload"] is False
    assert bench.haproxy.memory[bench.bundle] == Path(bench.bundle).read_text()


def test_a_transaction_of_somebody_else_is_left_alone(bench: Bench) -> None:
    bench.haproxy.transaction = ("/etc/other.pem", "theirs\n")
    result = bench.run()
    assert (result["changed"], result["reason"]) == (False, "somebody is replacing /etc/other.pem")
    assert bench.haproxy.transaction == ("/etc/other.pem", "theirs\n")
    assert bench.haproxy.memory[bench.bundle] == ""


# Seen of HAProxy 2.6, or its manual's words.
@pytest.mark.parametrize(
    ("command", "answer", "words"),
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
def test_what_haproxy_refuses_is_taken_back_and_means_a_reload(
    bench: Bench, command: str, answer: str, words: str
) -> None:
    bench.haproxy.faults[command] = answer
    result = bench.run()
    assert (result["changed"], result["updated"], result["reload"]) == (False, [], True)
    assert words in result["reason"]
    assert bench.warnings == [
        f"HAProxy has to be reloaded, as its run-time API does not replace the certificates: {result['reason']}."
    ]
    assert bench.haproxy.transaction is None
    assert bench.haproxy.memory[bench.bundle] == ""
    if command.startswith(("set", "commit")):
        assert bench.haproxy.heard[-1] == "abort ssl cert"


def test_a_transaction_that_somebody_began_meanwhile_is_not_left_with_our_certificate(bench: Bench) -> None:
    bench.haproxy.transaction = ("/etc/other.pem", "theirs\n")
    bench.haproxy.faults["show ssl cert"] = f"# filename\n{bench.bundle}\n"
    assert "for certificate /etc/other.pem" in bench.run()["reason"]
    assert bench.haproxy.transaction is None


def test_what_haproxy_says_never_holds_the_key(bench: Bench) -> None:
    lines = Path(bench.bundle).read_text().splitlines()
    bench.haproxy.faults["set ssl cert"] = f"Unknown keyword '{lines[-2]}'\n"
    result = bench.run()
    assert "Unknown keyword" in result["reason"]
    assert lines[-2] not in str(result) + str(bench.warnings)


def test_a_memory_that_shows_something_else_means_a_reload(bench: Bench) -> None:
    old = Path(bench.bundle).read_text()
    bench.run()
    bench.install()
    assert Path(bench.bundle).read_text() != old
    bench.haproxy.faults["commit ssl cert"] = "Committing.\nSuccess!\n"
    result = bench.run()
    assert result["reload"] is True
    assert "shows another one" in result["reason"]


def test_one_that_hangs_means_a_reload(bench: Bench) -> None:
    bench.haproxy.faults["set ssl cert"] = None
    result = bench.run(timeout=1)
    assert (result["reload"], result["changed"]) == (True, False)
    assert "no answer in time" in result["reason"]


def test_one_that_is_not_there_means_a_reload(bench: Bench) -> None:
    result = bench.run(socket=str(bench.place / "none"))
    assert (result["reload"], result["pid"]) == (True, 0)
    assert "No such file" in result["reason"]


def test_a_certificate_without_a_bundle_means_a_reload(bench: Bench) -> None:
    os.unlink(bench.bundle)
    result = bench.run()
    assert "forms: [haproxy] makes it" in result["reason"]
    assert bench.haproxy.heard == []


def test_no_path_is_made_of_a_name(bench: Bench) -> None:
    with pytest.raises(GogetsslError, match="cannot name a certificate"):
        bench.run(certificates=["../shop"])


LINKS = {"/etc/haproxy/shop.pem": "/v/1/haproxy.pem", "/g/shop/current/haproxy.pem": "/v/1/haproxy.pem"}
BUNDLE = "/g/shop/current/haproxy.pem"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found((BUNDLE,)), Plan((Update(BUNDLE, BUNDLE),))),
        (Found(("/etc/haproxy/shop.pem",)), Plan((Update("/etc/haproxy/shop.pem", BUNDLE),))),
        (
            Found((BUNDLE, "/etc/haproxy/shop.pem")),
            Plan((Update(BUNDLE, BUNDLE), Update("/etc/haproxy/shop.pem", BUNDLE))),
        ),
        (Found((BUNDLE,), "/etc/haproxy/shop.pem"), Plan((Update(BUNDLE, BUNDLE),))),
    ],
)
def test_files_are_told_by_where_they_lead(found: Found, expected: Plan) -> None:
    assert _haproxy.plan(found, [BUNDLE], lambda path: LINKS.get(path, path)) == expected


def test_one_file_that_is_not_loaded_leaves_all_to_the_reload() -> None:
    other = "/g/blog/current/haproxy.pem"
    plan = _haproxy.plan(Found((BUNDLE,)), [BUNDLE, other], str)
    assert plan == Plan((), f"the running process has not loaded {other}")
