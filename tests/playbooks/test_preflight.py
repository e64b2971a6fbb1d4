# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight in the role and alone, and proofs by several methods and publishers."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bin.processes import kill_tree
from tests.emulator.testing import Emulator

from .conftest import NAMES, Bench, free_port

NO_CREDENTIALS = {"GOGETSSL_API_USER": "", "GOGETSSL_API_PASSWORD": ""}
ALONE = "certops.gogetssl.preflight"


def elsewhere(bench: Bench) -> str:
    """A directory that no web server serves."""
    directory = bench.directory / "elsewhere"
    directory.mkdir(exist_ok=True)
    return str(directory)


def words(output: str) -> str:
    return " ".join(output.split())


def test_a_web_root_that_is_not_the_served_one_stops_before_the_order(bench: Bench) -> None:
    """The other certificate of the host, which is proven another way, goes on."""
    bench.emulator.set(dcv_mode="pass")
    other = bench.shop(name="other", names=["other.example.com"], dcv="admin@other.example.com")
    resolve = dict.fromkeys([*NAMES, "other.example.com"], "127.0.0.1")
    run = bench.run(
        gogetssl_web_root=elsewhere(bench), gogetssl_certificates=[bench.shop(), other], gogetssl_resolve=resolve
    )
    assert run.code != 0
    assert "shop: stopped: shop.example.com, http: IPv4 127.0.0.1 port" in words(run.output)
    assert "Is the web root the directory this server serves for the name?" in words(run.output)
    assert "other: installed" in run.output
    assert len(bench.orders) == 1
    assert not list(Path(elsewhere(bench)).rglob("*")), "the probe is gone, and the directories made for it"
    assert not (bench.store / "shop").exists()


def test_a_killed_preflight_leaves_nothing_behind_after_the_next_run(bench: Bench) -> None:
    process = bench.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "Look at names, DNS and web as the authority will" in line:
            kill_tree(process.pid)
            break
    process.communicate()
    assert bench.proofs, "the probe was there"
    run = bench.run()
    assert run.code == 0, run.output
    assert bench.installed()
    assert not bench.proofs


@pytest.mark.slow
def test_the_probe_of_another_run_is_told_as_such_and_left_alone(bench: Bench) -> None:
    """A run that is at work at the same time: its probe comes between this one's and the look at it."""
    theirs = "gogetssl-probe-of-another-run"
    files = {"web_root": "{{ gogetssl_web_root }}", "state": "{{ gogetssl_http_state }}"}
    rival = "{{ gogetssl_http_files | map('combine', {'content': '" + theirs + "'}) }}"
    content = [
        {"certops.gogetssl.gogetssl_dcv_file": {**files, "files": "{{ gogetssl_http_files }}"}},
        {
            "certops.gogetssl.gogetssl_dcv_file": {**files, "files": rival},
            "when": "gogetssl_http_state == 'present'",
        },
    ]
    tasks = bench.directory / "rivals.yml"
    tasks.write_text(yaml.safe_dump(content, sort_keys=False))
    run = bench.run(gogetssl_http_publisher="rivals", gogetssl_http_tasks={"rivals": str(tasks)})
    assert run.code != 0
    assert "shop: stopped: shop.example.com, http: IPv4 127.0.0.1 port" in words(run.output)
    assert "Another run has put its probe there: let it end, then run again." in words(run.output)
    assert not bench.orders
    assert [path.read_text() for path in bench.web_root.rglob("gogetssl-probe-*")] == [theirs]


def test_an_approver_that_is_not_allowed_stops_before_the_order(bench: Bench) -> None:
    run = bench.run(gogetssl_certificates=[bench.shop(dcv="root@elsewhere.example.org")])
    assert run.code != 0
    assert "root@elsewhere.example.org may not approve shop.example.com" in words(run.output)
    assert not bench.orders
    assert not bench.snapshot()


def test_warnings_do_not_hold_back(bench: Bench) -> None:
    """For a controller that sees less than the authority."""
    bench.emulator.set(dcv_mode="pass")
    run = bench.run(gogetssl_web_root=elsewhere(bench), gogetssl_preflight="warn", gogetssl_dcv_timeout=1)
    assert "http     stop  IPv4 127.0.0.1" in run.output
    assert len(bench.orders) == 1


@pytest.mark.slow
def test_alone_it_needs_no_credentials_and_leaves_nothing_behind(bench: Bench) -> None:
    run = bench.run(playbook=ALONE, env=NO_CREDENTIALS)
    assert run.code == 0, run.output
    assert "shop.example.com      http     pass  IPv4 127.0.0.1 port" in run.output
    assert "whether 68 fits is not known: not asked: no credentials" in run.output
    assert run.recap["changed"] == 2, "the probe came and went"
    assert not bench.emulator.requests()
    assert not bench.snapshot()

    run = bench.run("--check", playbook=ALONE, env=NO_CREDENTIALS)
    assert run.code == 0, run.output
    assert "as no probe was published" in words(run.output)


@pytest.mark.slow
def test_alone_with_credentials_it_looks_at_the_account(bench: Bench) -> None:
    bench.emulator.set(balance=1.0)
    run = bench.run(playbook=ALONE)
    assert run.code != 0
    assert "the balance is 1.00 EUR, buying all of these costs" in words(run.output)
    assert "GoGetSSL Multi-Domain SSL fits" in run.output
    assert not bench.orders


@pytest.mark.slow
def test_another_wish_reaches_an_order_that_is_under_way(bench: Bench) -> None:
    """Both names are changed by one call; a run that wishes for what is there changes nothing."""
    bench.emulator.set(dcv_interval=3600.0, change_lock_seconds=0.0)
    mails = {NAMES[0]: "admin@shop.example.com", NAMES[1]: "admin@shop.example.com"}
    run = bench.run(gogetssl_wait=False, gogetssl_certificates=[bench.shop(dcv=mails)])
    assert run.code == 0, run.output
    bench.emulator.clear_requests()
    bench.emulator.set(dcv_interval=0.5)
    run = bench.run(gogetssl_certificates=[bench.shop(dcv="http")])
    assert run.code == 0, run.output
    assert len(bench.orders) == 1
    assert bench.installed()
    changes = [one for one in bench.emulator.requests() if "change_" in one["path"]]
    assert [one["path"].split("/")[-2] for one in changes] == ["change_domains_validation_method"], changes


@pytest.mark.slow
def test_auto_takes_files_where_they_can_be_published(bench: Bench) -> None:
    run = bench.run(gogetssl_certificates=[bench.shop(dcv="auto")])
    assert run.code == 0, run.output
    assert "proven: shop.example.com by http, www.shop.example.com by http" in words(run.output)


@pytest.mark.slow
def test_auto_that_finds_no_way_is_refused_with_the_alternatives(bench: Bench) -> None:
    wish = bench.shop(names=["example.com", "*.example.com"], product="139", dcv="auto")
    run = bench.run(gogetssl_certificates=[wish], gogetssl_http_publisher="none")
    assert run.code != 0
    assert "configure a DNS provider (gogetssl_dns_provider), or write an approver's address in dcv" in words(
        run.output
    )
    assert not bench.orders


def test_files_go_to_all_hosts_behind_a_balancer(bench: Bench, tmp_path: Path) -> None:
    """Each host has a web root of its own; the one that the name leads to serves, the other has had the file too."""
    roots = {"web1": str(bench.web_root), "web2": str(tmp_path / "www2")}
    for root in roots.values():
        Path(root).mkdir(exist_ok=True)
    inventory: dict[str, Any] = {
        "gogetssl_web_hosts": ["web1", "web2"],
        "gogetssl_web_root": "{{ " + json.dumps(roots) + "[__gogetssl_web_host | default(inventory_hostname)] }}",
    }
    run = bench.run("--limit", "web1", "-v", hosts=("web1", "web2"), **inventory)
    assert run.code == 0, run.output
    assert "web1 -> web2" in run.output
    assert f"{roots['web2']}/.well-known/pki-validation/" in run.output
    assert not bench.proofs
    assert not list(Path(roots["web2"]).rglob("*"))


@pytest.mark.slow
def test_files_go_where_a_task_file_of_the_users_own_puts_them(bench: Bench) -> None:
    """The contract: gogetssl_http_files and gogetssl_http_state, nothing else."""
    tasks = bench.directory / "bucket.yml"
    place = f"{bench.web_root}/{{{{ (item.path | default('/.well-known/pki-validation/' ~ item.file_name)) }}}}"
    content = [
        {
            "name": "Directory",
            "ansible.builtin.file": {"path": f"{bench.web_root}/.well-known/pki-validation", "state": "directory"},
        },
        {
            "name": "Put into the bucket",
            "ansible.builtin.copy": {"dest": place, "content": "{{ item.content }}", "mode": "0644"},
            "loop": "{{ gogetssl_http_files }}",
            "when": "gogetssl_http_state == 'present'",
        },
        {
            "name": "Remove from the bucket",
            "ansible.builtin.file": {"path": place, "state": "absent"},
            "loop": "{{ gogetssl_http_files }}",
            "when": "gogetssl_http_state == 'absent'",
        },
    ]
    tasks.write_text(yaml.safe_dump(content, sort_keys=False))
    run = bench.run(
        gogetssl_http_publisher="bucket",
        gogetssl_http_tasks={"bucket": str(tasks)},
        gogetssl_web_root=elsewhere(bench),
    )
    assert run.code == 0, run.output
    assert bench.installed()
    assert not bench.proofs


def listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10):
        return True
    return False


def test_a_listener_serves_the_proofs_where_no_web_server_runs(tmp_path: Path) -> None:
    """It lives on while the order is pending, as the authority may ask; the run that finds the order done ends it."""
    port = free_port()
    with Emulator(http_port=port, resolve={"*": "127.0.0.1"}) as emulator:
        bench = Bench(tmp_path, tmp_path / "none", emulator, port)
        emulator.set(issuance_delay=12.0, dcv_interval=0.5)
        options = {"gogetssl_http_publisher": "listener", "gogetssl_listener_directory": str(tmp_path / "listener")}
        try:
            run = bench.run(gogetssl_wait=False, **options)
            assert run.code == 0, run.output
            assert "shop: pending: order" in run.output
            assert listening(port)
            emulator.wait_for(bench.orders[0]["order_id"], seconds=60)
        finally:
            run = bench.run(**options)
        assert len(bench.orders) == 1
    assert run.code == 0, run.output
    assert bench.installed()
    assert not listening(port)
    assert not list((tmp_path / "listener").iterdir())
