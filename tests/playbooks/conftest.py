# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped playbook against the emulator, on local hosts whose files are in a test directory."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.emulator.testing import Emulator

ROOT = Path(__file__).resolve().parents[2]
CONTACT = {
    "firstname": "Ada",
    "lastname": "Lovelace",
    "title": "Ms",
    "email": "ada@example.com",
    "phone": "+37122222222",
}
NAMES = ["shop.example.com", "www.shop.example.com"]


@dataclass
class Run:
    """The result of a run of the playbook."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, int]:
        line = next((line for line in reversed(self.output.splitlines()) if ": ok=" in line), "")
        return {
            key: int(value) for key, _unused, value in (part.partition("=") for part in line.split() if "=" in part)
        }


class Bench:
    """A host, a web root and an emulator. `shop` is a certificate spec that can be issued."""

    def __init__(self, directory: Path, web_root: Path, emulator: Emulator, http_port: int) -> None:
        self.directory, self.web_root, self.emulator, self.http_port = directory, web_root, emulator, http_port
        self.store = directory / "gogetssl"
        # Variables of all runs, in addition to those of a test.
        self.defaults: dict[str, Any] = {}
        self.environment = {
            # State of the controller that runs share: of one test.
            "ANSIBLE_HOME": str(directory / "ansible"),
            "GOGETSSL_API_URL": emulator.url,
            "GOGETSSL_API_USER": emulator.user,
            "GOGETSSL_API_PASSWORD": emulator.password,
        }

    def shop(self, **changes: Any) -> dict[str, Any]:
        return {"name": "shop", "names": NAMES, "product": "68", "dcv": "http", **changes}

    def command(
        self,
        *arguments: str,
        hosts: tuple[str, ...] = ("web1",),
        playbook: str = "certops.gogetssl.issue",
        **variables: Any,
    ) -> list[str]:
        given = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "gogetssl_directory": str(self.store),
            "gogetssl_web_root": str(self.web_root),
            "gogetssl_http_port": self.http_port,
            "gogetssl_resolve": dict.fromkeys(NAMES, "127.0.0.1"),
            "gogetssl_wait_interval": 1,
            "gogetssl_wait_timeout": 60,
            "gogetssl_admin": CONTACT,
            "gogetssl_certificates": [self.shop()],
            **self.defaults,
            **variables,
        }
        inventory = self.directory / "inventory.yml"
        draft = inventory.with_suffix(".draft")
        draft.write_text(yaml.safe_dump({"all": {"vars": given, "hosts": dict.fromkeys(hosts)}}))
        draft.replace(inventory)  # atomic, for concurrent runs
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return [program, "-i", str(inventory), playbook, *arguments]

    def start(
        self, *arguments: str, env: dict[str, str] | None = None, stdout: Any = subprocess.PIPE, **variables: Any
    ) -> subprocess.Popen[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "GOGETSSL_"))}
        environment = {
            **clean,
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".venv" / "collections")),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CONFIG": str(Path(__file__).with_name("ansible.cfg")),
            **self.environment,
            **(env or {}),
        }
        return subprocess.Popen(
            self.command(*arguments, **variables),
            cwd=self.directory,
            env=environment,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, env: dict[str, str] | None = None, **variables: Any) -> Run:
        process = self.start(*arguments, env=env, **variables)
        output, _unused = process.communicate(timeout=180)
        return Run(process.returncode, output)

    def wait_for_fault(self, seconds: float = 60.0) -> None:
        """Wait until a fault has fired."""
        deadline = time.monotonic() + seconds
        while not any(fault["fired"] for fault in self.emulator.faults()):
            assert time.monotonic() < deadline, "no fault has fired"
            time.sleep(0.01)

    def raw_response(self, path: str) -> str:
        """The unparsed body of an API response."""
        return requests.get(f"{self.emulator.url}/{path}", {"auth_key": self.session_key()}, timeout=10).text

    def session_key(self) -> str:
        login = {"user": self.emulator.user, "pass": self.emulator.password}
        return str(requests.post(f"{self.emulator.url}/auth", login, timeout=10).json()["key"])

    @property
    def orders(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.emulator.ledger()["orders"]
        return found

    @property
    def proofs(self) -> list[Path]:
        return [path for path in self.web_root.rglob("*") if path.is_file()]

    def snapshot(self) -> dict[str, bytes | None]:
        """All paths on the host with their content."""
        paths = [*self.store.rglob("*"), *self.web_root.rglob("*")]
        return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(paths)}

    def installed(self) -> bool:
        return (self.store / "shop" / "current" / "fullchain.pem").exists()


def free_port() -> int:
    """An unused port on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def world(web_root: Path, **options: Any) -> Iterator[tuple[Emulator, int]]:
    """An emulator whose CA fetches DCV files from this directory, and the port that serves it."""
    handler = functools.partial(Quiet, directory=str(web_root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with Emulator(http_port=port, resolve={"*": "127.0.0.1"}, **options) as emulator:
            try:
                yield emulator, port
            finally:
                server.shutdown()


@pytest.fixture(scope="session")
def _vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Emulator, int]]:
    web_root = tmp_path_factory.mktemp("www")
    with world(web_root) as (emulator, port):
        yield web_root, emulator, port


@pytest.fixture
def bench(tmp_path: Path, _vendor: tuple[Path, Emulator, int]) -> Bench:
    web_root, emulator, port = _vendor
    shutil.rmtree(web_root / ".well-known", ignore_errors=True)
    emulator.reset()
    emulator.set(issuance_delay=0.0, dcv_interval=0.5)
    return Bench(tmp_path, web_root, emulator, port)
