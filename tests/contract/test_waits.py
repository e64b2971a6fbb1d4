# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits other than those for the API and web servers end by the clock, too, and stop nothing but themselves."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.certops.gogetssl.plugins.module_utils._core import deadline, locks
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import pkcs12
from ansible_collections.certops.gogetssl.plugins.module_utils._dns import resolver, wire
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.resolver import Dns, DnsTrouble, Outcome, Server
from ansible_collections.certops.gogetssl.plugins.module_utils._host import validation_server
from ansible_collections.certops.gogetssl.plugins.module_utils._order import controller_purchases, lei_journal
from ansible_collections.certops.gogetssl.plugins.module_utils._order.budget import Budget
from ansible_collections.certops.gogetssl.plugins.module_utils._request.duplicates import HostRequest, SharedRunState
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import (
    cloud_dns,
    dcv_server,
    haproxy,
    lexicon,
    powerdns,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks.dcv_file import File
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import base, children, controller

from .test_deadlines import DEADLINE, LENIENT, body, body_without_length, drip, dripping, headers


def ends(started: float, deadlines: int = 1) -> bool:
    return time.monotonic() - started < deadlines * DEADLINE + LENIENT


# Commands and modules on hosts


class Slow(base.Sender):
    """An action on a host whose connection never answers."""


def test_a_host_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "HOST_SECONDS", DEADLINE)
    monkeypatch.setattr(base.ActionBase, "_low_level_execute_command", lambda *_a, **_o: time.sleep(120))
    action = Slow(types.SimpleNamespace(args={}), None, None, None, None, None)
    started = time.monotonic()
    with pytest.raises(AnsibleConnectionFailure, match="did not answer within"):
        action._low_level_execute_command("id")
    assert ends(started)


# The action of a task on this machine, as a worker of Ansible runs it, and with Ansible's own connection.
WORKER = """
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins import loader as plugins
from ansible.template import Templar

plugins.init_plugin_loader()
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv_dns
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import base, controller

seconds, name, args, variables = json.load(sys.stdin)
base.HOST_SECONDS = controller.MODULE_SECONDS = seconds
dcv_dns._find = lambda *_given: dcv_dns.RecordState()  # no query
play, files = PlayContext(), DataLoader()
action = plugins.action_loader.get(
    name,
    task=Task.load({name: args}, loader=files),
    connection=plugins.connection_loader.get("ansible.builtin.local", play),
    play_context=play,
    loader=files,
    templar=Templar(loader=files, variables=variables),
    shared_loader_obj=plugins,
)
try:
    print(json.dumps(action.run(task_vars=variables)))
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""
# A Python that prints something now and then instead of running a module, even if nobody reads it any more.
PYTHON = """#!/bin/sh
trap '' PIPE
echo $$ > "$0.pid"
while :; do printf ' ' 2>/dev/null; sleep 0.1; done
"""


@pytest.fixture
def slow_python(tmp_path: Path) -> str:
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return str(python)


def worker(directory: Path, name: str, args: dict[str, Any], variables: dict[str, Any]) -> str:
    """What the action of this name returns or raises."""
    collections = f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{directory}"
    given = json.dumps([DEADLINE, f"certops.gogetssl.{name}", args, variables])
    places = {"ANSIBLE_HOME": str(directory), "ANSIBLE_REMOTE_TEMP": str(directory / "tmp")}
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections, **places}
    command = [sys.executable, "-c", WORKER]
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, env=environment, check=True).stdout


def ended(process: int) -> bool:
    until = time.monotonic() + 30
    while alive(process) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(process)


def test_dcv_files_on_a_host_whose_module_never_ends(tmp_path: Path, slow_python: str) -> None:
    file = {"order_id": 1, "file_name": "a.txt", "content": "x"}
    started = time.monotonic()
    result = worker(tmp_path, "gogetssl_publish_http", {"files": [file]}, {"ansible_python_interpreter": slow_python})
    assert result.startswith("AnsibleConnectionFailure: The host did not answer within")
    assert ends(started)
    assert ended(int(Path(f"{slow_python}.pid").read_text()))


def test_dcv_records_of_a_provider_whose_module_never_ends(tmp_path: Path, slow_python: str) -> None:
    """Nothing of it goes on after the run, when the next one may work with the records."""
    module = tmp_path / "ansible_collections" / "community" / "general" / "plugins" / "modules" / "cloudflare_dns.py"
    module.parent.mkdir(parents=True)
    module.write_text("from ansible.module_utils.basic import AnsibleModule\n")
    record = {"record": "_a.example.com", "type": "CNAME", "value": f"{'a' * 32}.{'b' * 32}.sectigo.com", "name": "x"}
    given = {
        "validations": [{**record, "order_id": 1}],
        "provider": "cloudflare",
        "zones": {"example.com": "example.com"},
    }
    variables = {
        "gogetssl_cloudflare_token": "secret",
        "hostvars": {"localhost": {"ansible_python_interpreter": slow_python}},
    }
    started = time.monotonic()
    result = worker(tmp_path, "gogetssl_publish_dns", {**given, "directory": str(tmp_path / "notes")}, variables)
    (stop,) = json.loads(result)["stopped"]
    assert f"no answer within {DEADLINE:g} seconds" in stop["reason"]
    assert ends(started)
    assert ended(int(Path(f"{slow_python}.pid").read_text()))


def test_only_the_processes_of_a_failed_operation_are_ended() -> None:
    started = []

    def operate(fails: bool) -> None:
        with children.ended_after_failure():
            started.append(subprocess.Popen(["/bin/sh", "-c", "sleep 60 & wait"]))
            if fails:
                raise ValueError("failed")

    operate(False)
    with pytest.raises(ValueError, match="failed"):
        operate(True)
    assert started[1].wait(30) == -signal.SIGKILL
    assert started[0].poll() is None
    started[0].kill()
    started[0].wait()


def test_a_shorter_limit_inside_a_longer_one_and_none_afterwards() -> None:
    with deadline.interrupted(60):
        pass
    with pytest.raises(deadline.Expired), deadline.interrupted(0.1):
        time.sleep(120)
    time.sleep(0.2)  # no alarm is left


# Locks and files of a run


def test_a_lock_that_is_never_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "RUN_SECONDS", 0.5)
    budget = Budget(str(tmp_path))
    with budget.account("https://api", "user"):
        pass
    (lock,) = tmp_path.glob("*.lock")
    with lock.open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(GogetsslError, match="another process of the run holds it"), budget.account("a", "b"):
            pytest.fail("the lock is held by another process")


def test_another_host_that_changes_records_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PROVIDER_SECONDS", 0.5)
    started = time.monotonic()
    with (
        locks.provider(str(tmp_path)),
        pytest.raises(GogetsslError, match=r"changing DNS records for 0\.5 seconds"),
        locks.provider(str(tmp_path)),
    ):
        pytest.fail("two hosts change records")
    assert ends(started)


def full(*_arguments: Any, **_options: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_without_space_nothing_is_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", full)
    sentence = r"No space left on device\. Nothing more is bought"
    budget = Budget(str(tmp_path))
    with pytest.raises(GogetsslError, match=sentence), budget.account("https://api", "user") as account:
        account.reserved["shop"] = 2500
    monkeypatch.undo()
    with Budget(str(tmp_path)).account("https://api", "user") as account:
        assert account.reserved == {}


@pytest.mark.parametrize("problem", ["missing", "damaged"])
def test_a_temporary_directory_that_cannot_be_used(tmp_path: Path, problem: str) -> None:
    directory = tmp_path / "run"
    if problem == "damaged":
        directory.mkdir()
        (directory / "gogetssl-spending.json").write_text('{"a": ')
    with pytest.raises(GogetsslError, match="ANSIBLE_LOCAL_TEMP"), Budget(str(directory)).account("https://api", "u"):
        pytest.fail("there is no directory")


def test_requests_of_hosts_that_cannot_be_shared(tmp_path: Path) -> None:
    shared = SharedRunState(str(tmp_path / "none" / "requests"), lambda _hosts: [])
    with pytest.raises(GogetsslError, match="ANSIBLE_LOCAL_TEMP"):
        shared.fill(["web1"], ["web1"])
    shared = SharedRunState(str(tmp_path), lambda _hosts: [])
    shared.publish([HostRequest("web1", "shop.example.com", "68")])
    (file,) = tmp_path.glob("name-*")
    file.write_text(file.read_text() + '["web2", "sh')
    with pytest.raises(GogetsslError, match="a file is damaged"):
        shared.requests("shop.example.com")


@pytest.mark.parametrize("purpose", ["certificates", "LEIs"])
def test_purchases_of_another_run_of_the_controller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    monkeypatch.setattr(controller_purchases, "LOCK_SECONDS", 0.5)
    monkeypatch.setattr(lei_journal, "LOCK_SECONDS", 0.5)
    spec: Any = types.SimpleNamespace(name="shop", names=("shop.example.com",), product="68", order_host=None)
    context: Any = types.SimpleNamespace(state_directory=str(tmp_path), sleep=time.sleep, now=time.time, params={})

    def purchase() -> contextlib.AbstractContextManager[Any]:
        if purpose == "LEIs":
            return lei_journal.LeiJournal(str(tmp_path)).locked(time.sleep)
        return controller_purchases.exclusive(context, "https://api", spec)

    started = time.monotonic()
    with purchase(), pytest.raises(GogetsslError, match=r"another run has been working here for 0\.5 s"), purchase():
        pytest.fail("another run buys")
    assert ends(started)
    with purchase():  # the lock ends with its holder
        pass


# Programs on hosts, and the processes of other collections and libraries


@pytest.mark.parametrize("how", ["printf x", ":"], ids=["now and then", "silent"])
def test_a_hanging_openssl_writes_no_keystore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    program = tmp_path / "openssl"
    program.write_text(f"#!/bin/sh\nwhile {how}; do sleep 0.2; done\n")
    program.chmod(0o755)
    monkeypatch.setattr(pkcs12, "_PROGRAM", str(program))
    monkeypatch.setattr(pkcs12, "_PROGRAM_SECONDS", DEADLINE)
    key, certificate = key_and_certificate()
    started = time.monotonic()
    with pytest.raises(GogetsslError, match=r"openssl failed .*TimeoutExpired"):
        pkcs12._by_program(pkcs12.Entry("shop", key, (certificate,)), "changeit", False)
    assert ends(started)


def key_and_certificate() -> tuple[bytes, bytes]:
    """A key and its self-signed certificate, in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "shop.example.com")])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    der = serialization.Encoding.DER
    pkcs8 = key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pkcs8, builder.sign(key, hashes.SHA256()).public_bytes(der)


class Cloud(controller.ControllerAction):
    """An action that sends a module of another collection."""

    task = cloud_dns.TASK


def test_a_module_of_another_collection_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MODULE_SECONDS", DEADLINE)
    monkeypatch.setattr(base.ActionBase, "_execute_module", lambda *_a, **_o: time.sleep(120))
    action = Cloud(types.SimpleNamespace(args={}, action="gogetssl_cloud_dns"), None, None, None, None, None)
    started = time.monotonic()
    result = action._module("community.general.cloudflare_dns", {}, {})
    assert (result["failed"], result["msg"]) == (True, f"no answer within {DEADLINE:g} seconds")
    assert ends(started)


@pytest.mark.parametrize("how", [headers, body, body_without_length])
def test_a_slow_provider_of_dns_lexicon(how: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lexicon")
    monkeypatch.setattr(lexicon, "ZONE_SECONDS", DEADLINE)
    monkeypatch.setattr(lexicon, "RECORD_SECONDS", 0.0)
    record = {"zone": "example.com", "name": "_a.example.com", "type": "TXT", "value": "x", "ttl": 60}
    with dripping(how) as port:
        given = {
            "auth_username": "u",
            "auth_token": "t",
            "pdns_server": f"http://127.0.0.1:{port}",
            "pdns_server_id": "x",
        }
        options = {"provider": "powerdns", "options": given, "records": [record], "state": "present"}
        context: Any = types.SimpleNamespace(params={"verify_only": False, **options}, check_mode=False)
        started = time.monotonic()
        with pytest.raises(GogetsslError, match="took longer than"):
            lexicon.run(context)
    assert ends(started)


def test_an_haproxy_that_sends_a_byte_now_and_then(tmp_path: Path) -> None:
    path = str(tmp_path / "admin.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            connection, _address = listening.accept()
            connection.recv(10_000)
            drip(connection, b"Name: HAProxy\n", b"x")

        threading.Thread(target=serve, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(GogetsslError, match="no answer in time"):
            haproxy.AdminSocket(path, DEADLINE).execute("show info")
    assert ends(started)


# DNS


def test_a_name_server_that_sends_a_byte_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "UPDATE_SECONDS", DEADLINE)

    def slow(connection: socket.socket) -> None:
        connection.recv(10_000)
        drip(connection, b"\x40\x00", b"\x00")

    started = time.monotonic()
    with dripping(slow) as port, pytest.raises(wire.Rejected, match="timeout"):
        wire.peek(Server("", "127.0.0.1", port), "shop.example.com", "TXT", None)
    assert ends(started)


def test_a_silent_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_SECONDS", DEADLINE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        started = time.monotonic()
        answer = wire.query_server(Server("", "127.0.0.1", silent.getsockname()[1]), "shop.example.com", "A", True)
    assert (answer.outcome, ends(started, 2)) == (Outcome.TIMEOUT, True)


@contextlib.contextmanager
def name_server(answer: Callable[[socket.socket, bytes, Any], None]) -> Iterator[Server]:
    """A name server whose TCP drips, and which answers queries by UDP with this function."""

    def slow(connection: socket.socket) -> None:
        connection.recv(10_000)
        drip(connection, b"\x40\x00", b"\x00")

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                answer(datagrams, *datagrams.recvfrom(10_000))

    with dripping(slow) as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", port))
        threading.Thread(target=serve, daemon=True).start()
        yield Server("", "127.0.0.1", port)


def cut_short(datagrams: socket.socket, query: bytes, client: Any) -> None:
    """An answer that makes the client change to TCP."""
    datagrams.sendto(query[:2] + b"\x87\x00" + query[4:], client)


def of_another(_datagrams: socket.socket, query: bytes, client: Any) -> None:
    """Answers from another address now and then, which the client has to ignore."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            other.sendto(query[:2] + b"\x85\x00" + query[4:], client)
            time.sleep(0.05)


@pytest.mark.parametrize("answer", [cut_short, of_another])
def test_a_name_server_with_slow_tcp_or_foreign_answers(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[socket.socket, bytes, Any], None]
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_SECONDS", DEADLINE)
    with name_server(answer) as server:
        started = time.monotonic()
        found = wire.query_server(server, "shop.example.com", "A", True)
    assert (found.outcome, ends(started, 2)) == (Outcome.TIMEOUT, True)


def test_a_walk_through_many_slow_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "WALK_SECONDS", 0.5)

    def query_server(server: Server, name: str, kind: str, _recurse: bool) -> wire.Answer:
        time.sleep(0.3)
        return wire.Answer(server, name, kind, Outcome.TIMEOUT)

    servers = tuple(Server(f"ns{number}", f"192.0.2.{number}") for number in range(200))
    with pytest.raises(DnsTrouble, match="the DNS queries took longer"):
        Dns(servers, query_server=query_server).lookup("shop.example.com", "A")
    zone = resolver.Zone("example.com", servers)
    started = time.monotonic()
    answers = Dns(servers, query_server=query_server).query_servers(zone, "shop.example.com", "A")
    assert {answer.outcome for answer in answers} == {Outcome.TIMEOUT}
    assert ends(started)


@pytest.mark.parametrize("how", [headers, body, body_without_length])
def test_a_slow_powerdns(how: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(powerdns, "EXCHANGE_SECONDS", DEADLINE)
    started = time.monotonic()
    with dripping(how) as port, pytest.raises(GogetsslError, match="no complete answer within"):
        powerdns.api({"url": f"http://127.0.0.1:{port}", "key": "k", "server_id": "localhost", "ca_path": None})(
            "GET", "zones/example.com."
        )
    assert ends(started)


# The validation server


def test_another_program_on_the_port_of_the_validation_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcv_server, "ANSWER_SECONDS", DEADLINE)
    started = time.monotonic()
    with dripping(body) as port:
        assert not dcv_server._serves({"address": "127.0.0.1", "port": port}, File("a.txt", b"content"))
    assert ends(started)


def test_a_slow_client_of_the_validation_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation_server, "SECONDS_A_REQUEST", DEADLINE)
    (tmp_path / "files.json").write_text("{}")
    listening = socket.create_server(("127.0.0.1", 0))
    with validation_server.Server(listening, validation_server.Files(str(tmp_path / "files.json"))) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with socket.create_connection(listening.getsockname()[:2]) as client:
            started = time.monotonic()
            try:
                while ends(started):
                    client.sendall(b"G")
                    time.sleep(0.1)
            except OSError:
                pass
    assert ends(started)


# A run that was killed

ORPHAN = """
import multiprocessing, os, sys, time
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import parent

def work(started):
    parent.end_with_it()
    started.set()
    time.sleep(600)

context = multiprocessing.get_context("fork")
started = context.Event()
worker = context.Process(target=work, args=(started,))
worker.start()
started.wait(60)
print(worker.pid, flush=True)
time.sleep(600)
"""


def test_a_worker_ends_with_its_run() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", ORPHAN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout is not None
        process = int(run.stdout.readline())
        run.kill()
        assert ended(process)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_without_its_run_nothing_is_done_on_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.parent.multiprocessing, "parent_process", lambda: types.SimpleNamespace(pid=1))
    action = Slow(types.SimpleNamespace(args={}), None, None, None, None, None)
    with pytest.raises(base.parent.AnsibleError, match="has ended"):
        action._low_level_execute_command("id")
