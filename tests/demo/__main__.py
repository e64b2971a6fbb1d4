# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo of `make demo`: buy, validate, install and serve a certificate on loopback, free of charge.

It needs neither root nor system packages and removes all its files. The exit status is not 0 if a check fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.emulator.testing import Emulator

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["shop.example.com", "www.shop.example.com"]
CONTACT = {
    "firstname": "Ada", "lastname": "Lovelace", "title": "Ms", "email": "ada@example.com", "phone": "+37122222222",
}  # fmt: skip


def main() -> int:
    http_port, tls_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="gogetssl-demo-") as folder:
        directory = Path(folder)
        (directory / "www").mkdir()
        heading("1. Start an offline GoGetSSL and a TLS web server on loopback")
        with (
            Emulator(http_port=http_port, resolve={"*.example.com": "127.0.0.1"}) as emulator,
            web_server(directory, http_port, tls_port) as server,
        ):
            write_inventory(directory, http_port, tls_port, server)
            print(f"   API {emulator.url}, web server on ports {http_port} (HTTP) and {tls_port} (TLS)")
            print(f"   served now: {served_placeholder(tls_port)}")
            return run_steps(emulator, directory, tls_port)


def run_steps(emulator: Emulator, directory: Path, tls_port: int) -> int:
    heading("2. Get a certificate for two names with the playbook certops.gogetssl.issue")
    play(emulator, directory)
    orders = emulator.ledger()["orders"]
    expect(len(orders) == 1, f"orders placed: {len(orders)}")
    files = [path.name for path in (directory / "www").rglob("*.txt")]
    expect(not files, f"DCV files in the web root: {len(files)}")

    heading("3. Perform a TLS handshake with each name, trusting only the emulator's root")
    for name in NAMES:
        print(f"   {handshake(name, tls_port, emulator.ca)}")

    heading("4. Run the playbook again: nothing to do")
    before = len(emulator.requests())
    recap = play(emulator, directory)
    requests = len(emulator.requests()) - before
    expect("changed=0" in recap, f"nothing changed: {recap.strip()}")
    expect(requests == 0, f"API requests of this run: {requests}")
    heading("All checks passed.")
    return 0


def heading(text: str) -> None:
    print(f"\n== {text}", flush=True)


def expect(condition: bool, text: str) -> None:
    print(f"   {'ok' if condition else 'NOT OK'}: {text}", flush=True)
    if not condition:
        sys.exit(1)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _unused in range(count)]
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def web_server(directory: Path, http_port: int, tls_port: int) -> Iterator[subprocess.Popen[str]]:
    """The web server of `web.py` in a separate process."""
    certificate = directory / "gogetssl" / "shop" / "current"
    arguments = [str(http_port), str(tls_port), str(directory / "www"), str(certificate)]
    command = [sys.executable, "-m", "tests.demo.web", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            if server.stdout.readline() != "ready\n":
                raise RuntimeError("the web server did not start")
            yield server
        finally:
            server.terminate()


def write_inventory(directory: Path, http_port: int, tls_port: int, server: subprocess.Popen[str]) -> None:
    """Write an inventory with this machine as its only host. Users need variables from `gogetssl_custom_test` on."""
    certificate = directory / "gogetssl" / "shop" / "current"
    test = f"cd {shlex.quote(str(ROOT))} && {shlex.quote(sys.executable)} -m tests.demo.web test {certificate}"
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "gogetssl_directory": str(directory / "gogetssl"),
        "gogetssl_web_root": str(directory / "www"),
        "gogetssl_http_port": http_port,
        "gogetssl_resolve": dict.fromkeys(NAMES, "127.0.0.1"),
        "gogetssl_wait_interval": 1,
        "gogetssl_wait_timeout": 60,
        "gogetssl_custom_test": f"sh -c {shlex.quote(test)}",
        "gogetssl_custom_reload": f"kill -HUP {server.pid}",
        "gogetssl_admin": CONTACT,
        "gogetssl_certificates": [
            {
                "name": "shop",
                "names": NAMES,
                "product": "68",
                "dcv": "http",
                "services": ["custom"],
                "listeners": [{"port": tls_port}],
            }
        ],
    }
    inventory = {"all": {"hosts": {"web1": variables}}}
    (directory / "inventory.yml").write_text(yaml.safe_dump(inventory, sort_keys=False))


def play(emulator: Emulator, directory: Path) -> str:
    """Run the playbook, print its output and return the recap line."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".venv" / "collections")),
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "GOGETSSL_API_URL": emulator.url,
        "GOGETSSL_API_USER": emulator.user,
        "GOGETSSL_API_PASSWORD": emulator.password,
    }
    command = ["ansible-playbook", "-i", str(directory / "inventory.yml"), "certops.gogetssl.issue"]
    print(f"   $ {' '.join(command)}", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.strip():
            print(f"   | {line.rstrip()}", flush=True)
    expect(process.wait() == 0, f"the playbook succeeded after {time.monotonic() - started:.1f} s")
    return next((line for line in lines if re.match(r"web1\s+: ok=", line)), "no recap")


def handshake(name: str, port: int, ca: Path) -> str:
    """Connect, verify chain and name like a browser, and describe the served certificate."""
    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        served: dict[str, Any] = dict(secure.getpeercert() or {})
        issuer = {key: value for part in served["issuer"] for key, value in part}
        return f"ok: {name}, {secure.version()}, verified; issued by {issuer['commonName']}, ends {served['notAfter']}"


def served_placeholder(port: int) -> str:
    """Describe the untrusted placeholder that is served before a certificate is installed."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=10)
    return f"an untrusted placeholder certificate of {len(pem)} bytes"


if __name__ == "__main__":
    sys.exit(main())
