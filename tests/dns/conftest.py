# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import functools
import http.server
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from tests.emulator.testing import Emulator
from tests.playbooks.conftest import Bench, Quiet

from .powerdns import PowerDns, powerdns
from .servers import KEY, Bind, bind


@pytest.fixture(scope="session")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with bind(tmp_path_factory.mktemp("bind")) as servers:
        yield servers


@pytest.fixture(scope="session")
def pdns() -> Iterator[PowerDns]:
    with powerdns() as server:
        yield server


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(named: Bind) -> Run:
    """Run a task on this machine with the addresses and the key of the DNS servers."""

    def task(task: _task.Task, **options: Any) -> dict[str, Any]:
        given: dict[str, Any] = {"resolve": named.addresses, "nameservers": named.nameservers}
        if "key_secret" in task.argument_spec:
            given.update(key_name=KEY, key_secret=named.secret)
        return task_runner(task, **{**given, **options})

    return task


def task_runner(
    task: _task.Task, check_mode: bool = False, call_module: Callable[..., Any] | None = None, **options: Any
) -> dict[str, Any]:
    """Run a task with options validated as by Ansible. `call_module` replaces modules of other collections."""
    spec = {name: {k: v for k, v in entry.items() if k != "fallback_env"} for name, entry in task.argument_spec.items()}
    validated = ArgumentSpecValidator(spec, **task.rules).validate(options)
    assert not validated.error_messages, validated.error_messages
    warnings: list[str] = []
    context = _task.Context(
        validated.validated_parameters, check_mode, _shell, _no_api, warnings.append, module=call_module
    )
    return task.run(context)


def _shell(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def _no_api() -> Any:
    raise AssertionError("DNS needs no API")


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return str(tmp_path / "gogetssl")


@contextlib.contextmanager
def vendor(resolver: str, web_root: Path) -> Iterator[tuple[Path, Emulator, int]]:
    """An emulator whose CA queries this resolver, with a web server for all names."""
    handler = functools.partial(Quiet, directory=str(web_root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        try:
            with Emulator(http_port=port, resolver=resolver) as emulator:
                yield web_root, emulator, port
        finally:
            server.shutdown()


def fresh_bench(tmp_path: Path, vendor: tuple[Path, Emulator, int], servers: Bind | PowerDns) -> Bench:
    web_root, emulator, port = vendor
    shutil.rmtree(web_root / ".well-known", ignore_errors=True)
    emulator.reset()
    emulator.set(issuance_delay=0.0, dcv_interval=0.5)
    bench = Bench(tmp_path, web_root, emulator, port)
    bench.defaults = {
        # Addresses with ports of the DNS servers and the web server, as address records have no ports.
        "gogetssl_resolve": {**servers.addresses, "shop.co.uk": "127.0.0.1", "www.example.com": "127.0.0.1"},
        "gogetssl_nameservers": servers.nameservers,
    }
    return bench


@pytest.fixture(scope="session")
def _vendor(named: Bind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Emulator, int]]:
    with vendor(named.nameservers[0], tmp_path_factory.mktemp("www")) as vendor_and_port:
        yield vendor_and_port


@pytest.fixture
def bench(named: Bind, tmp_path: Path, _vendor: tuple[Path, Emulator, int]) -> Bench:
    bench = fresh_bench(tmp_path, _vendor, named)
    bench.defaults.update(gogetssl_dns_provider="nsupdate", gogetssl_nsupdate_key_name=KEY)
    bench.environment["GOGETSSL_TSIG_SECRET"] = named.secret
    return bench


@pytest.fixture(scope="session")
def _pdns_vendor(pdns: PowerDns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Emulator, int]]:
    with vendor(pdns.nameservers[0], tmp_path_factory.mktemp("www")) as vendor_and_port:
        yield vendor_and_port


@pytest.fixture
def pdns_bench(pdns: PowerDns, tmp_path: Path, _pdns_vendor: tuple[Path, Emulator, int]) -> Bench:
    """A bench with PowerDNS, which the CA queries without a resolver."""
    return fresh_bench(tmp_path, _pdns_vendor, pdns)
