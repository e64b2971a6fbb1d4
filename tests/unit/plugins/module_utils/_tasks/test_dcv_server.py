# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The validation server: real processes on loopback ports."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv_server
from tests.unit.hosts import run

pytestmark = pytest.mark.host

FOLDER = "/.well-known/pki-validation/"
ONE = {"file_name": "0123.txt", "content": "D30C\r\nsectigo.com\r\nt0827", "order_id": 7}
TWO = {"file_name": "4567.txt", "content": "other"}
DEADLINE_SECONDS = 60.0  # for a busy machine


class Host:
    """A port and a state directory."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port = directory, port

    def task(self, *files: dict[str, t.Any], state: str = "present", **more: t.Any) -> dict[str, t.Any]:
        given = {"address": "127.0.0.1", "port": self.port, "directory": str(self.directory / "state"), **more}
        return run(dcv_server.TASK, files=list(files), state=state, **given)

    def get(self, path: str, verb: str = "GET") -> tuple[int, bytes] | None:
        """The status and the body, or None if the port is closed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(verb, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionError:
            return None
        finally:
            connection.close()

    def processes(self) -> list[int]:
        """The running processes of this directory's program."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(self.directory / "state" / str(self.port) / "server.py").encode() in command:
                found.append(int(entry.name))
        return found

    def wait_until(self, condition: t.Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "timeout"
            time.sleep(0.02)


@pytest.fixture
def host(tmp_path: Path) -> t.Iterator[Host]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Host(tmp_path, port)
    yield made
    for process in made.processes():
        os.kill(process, signal.SIGKILL)


def test_exactly_the_given_files_are_served(host: Host) -> None:
    assert host.task(ONE)["changed"]
    assert host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode())
    assert host.get(FOLDER + "0123.txt", "HEAD") == (200, b"")
    for path in ("/", FOLDER, FOLDER + "files.json", FOLDER + "../files.json", "/0123.txt", FOLDER + "0123.txt?a=b"):
        assert host.get(path) == (404, b""), path
    assert host.get(FOLDER + "0123.txt", "POST") == (501, b"")
    assert not host.task(ONE)["changed"]


def test_orders_share_the_process_and_the_last_one_stops_it(host: Host) -> None:
    host.task(ONE)
    first = host.processes()
    assert host.task(TWO)["changed"]
    assert host.processes() == first
    assert len(first) == 1
    assert host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode())
    assert host.get(FOLDER + "4567.txt") == (200, b"other")
    host.task(ONE, state="absent")
    assert host.get(FOLDER + "0123.txt") == (404, b"")
    assert host.get(FOLDER + "4567.txt") == (200, b"other")
    assert host.task({"file_name": "4567.txt"}, state="absent")["changed"]
    assert host.get("/") is None
    assert not list((host.directory / "state").iterdir())
    assert not host.task(TWO, state="absent")["changed"]


def test_a_file_of_another_order_with_the_same_name_is_kept(host: Host) -> None:
    host.task(ONE)
    assert not host.task({**ONE, "content": "another's"}, state="absent")["changed"]
    assert host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode())


def test_it_stops_at_its_deadline(host: Host) -> None:
    """A process started by an interrupted run stops at its deadline without another run."""
    host.task(ONE, seconds=1)
    host.wait_until(lambda: host.get("/") is None)
    assert host.task(ONE)["changed"], "it can be started again"


def test_a_later_deadline_extends_its_run_time(host: Host) -> None:
    host.task(TWO, seconds=1)
    host.task(ONE)
    host.wait_until(lambda: host.get(FOLDER + "4567.txt") == (404, b""))
    assert host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode())


def test_it_stops_when_its_file_list_is_removed(host: Host) -> None:
    host.task(ONE)
    (host.directory / "state" / str(host.port) / "files.json").unlink()
    host.wait_until(lambda: host.get("/") is None)


@pytest.mark.parametrize(("state", "what"), [("present", "does not respond"), ("absent", "does not stop")])
def test_a_process_that_hangs_is_waited_for_a_limited_time(
    host: Host, monkeypatch: pytest.MonkeyPatch, state: str, what: str
) -> None:
    host.task(ONE)
    (process,) = host.processes()
    os.kill(process, signal.SIGSTOP)
    monkeypatch.setattr(dcv_server, "START_STOP_SECONDS", 0.3)
    monkeypatch.setattr(dcv_server, "ANSWER_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(GogetsslError, match=what):
        host.task(TWO if state == "present" else ONE, state=state)
    assert time.monotonic() - started < DEADLINE_SECONDS


def test_a_killed_process_is_started_again(host: Host) -> None:
    host.task(ONE)
    (process,) = host.processes()
    os.kill(process, signal.SIGKILL)
    # The lock is released shortly after the process has ended.
    host.wait_until(lambda: not dcv_server._is_served(str(host.directory / "state" / str(host.port))))
    assert host.task(ONE)["changed"]
    assert host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode())


def test_a_port_in_use_is_refused(host: Host) -> None:
    with socket.create_server(("127.0.0.1", host.port)):
        with pytest.raises(GogetsslError) as caught:
            host.task(ONE)
        assert f"Cannot bind port {host.port} for validation files: address already in use" in caught.value.message
        assert "gogetssl_http_publisher: web_root" in caught.value.message
    assert not host.processes()
    assert not list((host.directory / "state").iterdir())


def test_check_mode_starts_and_stops_nothing(host: Host) -> None:
    params = {"address": "127.0.0.1", "port": host.port, "directory": str(host.directory / "state")}
    assert run(dcv_server.TASK, check_mode=True, files=[ONE], state="present", **params)["changed"]
    assert not (host.directory / "state").exists()
    host.task(ONE)
    assert run(dcv_server.TASK, check_mode=True, files=[ONE], state="absent", **params)["changed"]
    assert host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode())


@pytest.mark.slow
def test_silent_clients_do_not_block_the_ca(host: Host) -> None:
    host.task(ONE)
    silent = [socket.create_connection(("127.0.0.1", host.port)) for _client in range(40)]
    try:
        host.wait_until(lambda: host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode()))
    finally:
        for client in silent:
            client.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop privileges")
def test_it_drops_its_privileges(host: Host) -> None:
    host.task(ONE)
    (process,) = host.processes()
    status = Path(f"/proc/{process}/status").read_text()
    ids = [line.split()[1:] for line in status.splitlines() if line.startswith(("Uid:", "Gid:"))]
    assert all(number == "65534" for line in ids for number in line), status
    assert "Groups:\t \n" in status or "Groups:\t\n" in status, status


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ([{"file_name": "../x", "content": "a"}], {}),
        ([{"file_name": "a.txt"}], {}),
        ([ONE], {"port": 0}),
        ([ONE], {"seconds": 0}),
    ],
)
def test_bad_input(host: Host, files: list[t.Any], options: dict[str, t.Any]) -> None:
    with pytest.raises(GogetsslError):
        host.task(*files, **options)
    assert not (host.directory / "state").exists()


def test_it_listens_on_ipv4_and_ipv6(host: Host) -> None:
    host.task(ONE, address=None)
    assert host.get(FOLDER + "0123.txt") == (200, ONE["content"].encode())
    if socket.has_dualstack_ipv6():
        with socket.create_connection(("::1", host.port), timeout=10):
            pass


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_pipe_instead_of_the_lock_does_not_hold_the_run(host: Host, state: str) -> None:
    place = host.directory / "state" / str(host.port)
    place.mkdir(parents=True)
    os.mkfifo(place / "lock")
    started = time.monotonic()
    host.task(ONE, state=state)
    assert time.monotonic() - started < 10
    host.task(ONE, state="absent")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner")
def test_the_directory_of_another_user_is_not_opened(host: Host) -> None:
    place = host.directory / "state" / str(host.port)
    place.mkdir(parents=True)
    (place / "lock").mkdir()  # would be an error of its own
    os.chown(host.directory / "state", 65534, 65534)
    for check_mode in (True, False):
        with pytest.raises(GogetsslError, match="belongs to user id 65534"):
            run(dcv_server.TASK, check_mode, files=[ONE], port=host.port, directory=str(host.directory / "state"))
