# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One service or listener does not hold up another, on several hosts, also with a task file of the user."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Bench, free_port

HOSTS = ("web1", "web2")


def serial(bench: Bench, *place: str) -> str:
    link = bench.store.joinpath(*place, "current")
    return os.readlink(link) if link.is_symlink() else ""


def marked(bench: Bench) -> list[str]:
    return sorted(str(path.parent.relative_to(bench.store)) for path in bench.store.rglob("unverified"))


@pytest.mark.outermost
def test_a_failing_service_and_a_failing_task_file_stop_their_own_certificates_only(bench: Bench) -> None:
    """The task file fails on web1, and nginx rejects its configuration on web2."""
    names = {one: "{{ inventory_hostname }}-" + one + ".example.com" for one in ("a", "b", "c")}
    services = {"a": "custom", "b": "exim", "c": "nginx"}
    specs = [
        {"name": name, "names": [names[name]], "product": "66", "services": [services[name]], "listeners": []}
        for name in names
    ]
    broken, exim = bench.directory / "broken", bench.directory / "exim.yml"
    tasks = [
        {"name": "Test Exim", "ansible.builtin.command": f"test ! -e {broken}", "when": "inventory_hostname == 'web1'"},
        {
            "name": "Reload Exim",
            "ansible.builtin.command": f"touch {bench.directory}/exim-" + "{{ inventory_hostname }}",
        },
    ]
    exim.write_text(yaml.safe_dump(tasks))
    reloaded = f"{bench.directory}/" + "%s-{{ inventory_hostname }}"
    test = f"sh -c '[ {{{{ inventory_hostname }}}} = web1 ] || {{ test ! -e {broken} || {{ echo bad; exit 1; }}; }}'"
    variables: dict[str, Any] = {
        "hosts": HOSTS,
        "gogetssl_certificates": specs,
        "gogetssl_directory": str(bench.store) + "/{{ inventory_hostname }}",
        "gogetssl_resolve": {f"{host}-{name}.example.com": "127.0.0.1" for host in HOSTS for name in names},
        "gogetssl_service_tasks": {"exim": str(exim)},
        "gogetssl_nginx_test": test,
        "gogetssl_nginx_reload": f"touch {reloaded % 'nginx'}",
        "gogetssl_custom_reload": f"touch {reloaded % 'custom'}",
    }
    broken.touch()
    run = bench.run(**variables)
    assert run.code != 0
    assert "b: stopped: not served; the first version was kept" in run.output
    assert "Reload exim: Test Exim: " in run.output
    assert "c: stopped: not served; no service was reloaded, and the first version was kept" in run.output
    assert "Test the configuration of nginx: bad." in run.output
    assert run.output.count("a: installed: order") == len(HOSTS)
    assert marked(bench) == ["web1/b", "web2/c"]
    done = {path.name for path in bench.directory.glob("*-web?")}
    assert done == {"custom-web1", "custom-web2", "exim-web2", "nginx-web1"}

    broken.unlink()
    run = bench.run(**variables)
    assert run.code == 0, run.output
    assert marked(bench) == []
    assert len(bench.orders) == len(HOSTS) * len(specs)
    assert {path.name for path in bench.directory.glob("*-web?")} == done | {"exim-web1", "nginx-web2"}
    assert run.output.count("have not been seen to take the installed certificate yet") >= len(HOSTS)


@contextlib.contextmanager
def server(version: Path) -> Iterator[int]:
    """A TLS server that reads the current version for each connection."""
    port = free_port()

    def serve() -> None:
        while True:
            with contextlib.suppress(OSError):
                connection, _address = listening.accept()
                with connection:
                    if ended.is_set():
                        return
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(version / "fullchain.pem", version / "privkey.pem")
                    context.wrap_socket(connection, server_side=True).close()

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", port)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        ended.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(10)


@pytest.mark.slow
def test_a_failing_listener_takes_back_its_own_certificate_only(bench: Bench) -> None:
    names = {name: f"{name}.example.com" for name in ("a", "b")}
    bench.defaults = {"gogetssl_resolve": dict.fromkeys(names.values(), "127.0.0.1"), "gogetssl_serve_timeout": 1}
    plain: list[dict[str, Any]] = [{"name": name, "names": [names[name]], "product": "66"} for name in names]
    assert bench.run(gogetssl_certificates=plain).code == 0
    first = {name: serial(bench, name) for name in names}
    with server(bench.store / "a" / "current") as port:
        ports = {"a": port, "b": free_port()}
        changes = {name: {"services": ["custom"], "listeners": [{"port": ports[name]}]} for name in names}
        specs = [{**one, **changes[one["name"]], "rekey": True} for one in plain]
        run = bench.run(gogetssl_certificates=specs)
    assert run.code != 0
    assert f"b.example.com at 127.0.0.1:{ports['b']} did not serve any certificate after the reload" in run.output
    assert "b: stopped: not served; the previous version was restored" in run.output
    assert "a: installed: order" in run.output
    assert (serial(bench, "a") != first["a"], serial(bench, "b"), marked(bench)) == (True, first["b"], [])
    assert len(bench.orders) == len(names)
