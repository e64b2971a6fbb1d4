# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight in the role and alone, and validation with several methods and publishers."""

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
PREFLIGHT = "certops.gogetssl.preflight"


def elsewhere(bench: Bench) -> str:
    """A directory that no web server serves."""
    directory = bench.directory / "elsewhere"
    directory.mkdir(exist_ok=True)
    return str(directory)


def joined(output: str) -> str:
    return " ".join(output.split())


def only_a_key_is_staged(bench: Bench) -> bool:
    """The visit that creates the key also publishes the probe."""
    return [path.name for path in (bench.store / "shop").iterdir()] == ["staged"]


def test_a_web_root_that_is_not_served_stops_before_the_order(bench: Bench) -> None:
    """The host's other certificate, which has another validation method, is issued."""
    bench.emulator.set(dcv_mode="pass")
    other = bench.shop(name="other", names=["other.example.com"], dcv="admin@other.example.com")
    resolve = dict.fromkeys([*NAMES, "other.example.com"], "127.0.0.1")
    run = bench.run(
        gogetssl_web_root=elsewhere(bench), gogetssl_certificates=[bench.shop(), other], gogetssl_resolve=resolve
    )
    assert run.code != 0
    assert "shop: stopped: shop.example.com, http: IPv4 127.0.0.1 port" in joined(run.output)
    assert "Check that the web root is the directory that the server serves for this name, and that caches" in joined(
        run.output
    )
    assert "other: installed" in run.output
    assert len(bench.orders) == 1
    assert not list(Path(elsewhere(bench)).rglob("*")), "the probe and its directories are removed"
    assert only_a_key_is_staged(bench)


@pytest.mark.slow
def test_a_missing_web_root_stops_only_certificates_that_need_it(bench: Bench) -> None:
    bench.emulator.set(dcv_interval=3600.0)
    missing = str(bench.directory / "nowhere")
    mail = {**bench.shop(name="mail", names=[NAMES[0]], product="66"), "dcv": f"admin@{NAMES[0]}"}
    sentence = f"shop: The web root {missing} is not a directory. Create it, or set gogetssl_web_root"
    given = {"gogetssl_web_root": missing, "gogetssl_certificates": [bench.shop(names=[NAMES[1]]), mail]}
    check = bench.run("--check", **given)
    run = bench.run(gogetssl_wait=False, **given)
    for result in (check, run):
        assert result.code != 0
        assert sentence in " ".join(result.output.split()), result.output
    assert "mail: planned: buy" in check.output
    assert [order["common_name"] for order in bench.orders] == [NAMES[0]]


@pytest.mark.slow
def test_the_next_run_removes_the_probe_of_a_killed_preflight(bench: Bench) -> None:
    process = bench.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "Check names, DNS and web servers" in line:
            kill_tree(process.pid)
            break
    process.communicate()
    assert bench.proofs, "the probe existed"
    run = bench.run()
    assert run.code == 0, run.output
    assert bench.installed()
    assert not bench.proofs


def test_a_healthy_run_removes_the_probe_of_a_killed_one(bench: Bench) -> None:
    """Each probe has another name, and what another user may have prepared under such a name is not read."""
    assert bench.run().code == 0
    process = bench.start(gogetssl_certificates=[bench.shop(rekey=True)])
    assert process.stdout is not None
    for line in process.stdout:
        if "Check names, DNS and web servers" in line:
            kill_tree(process.pid)
            break
    process.communicate()
    (probe,) = bench.web_root.rglob("gogetssl-probe-*")
    host = probe.name.rpartition("-")[0]
    planted = probe.with_name(f"{host}-{'0' * 20}.txt")
    planted.hardlink_to(bench.store / "shop" / "current" / "privkey.pem")
    other = probe.with_name(probe.name.replace("gogetssl", "another"))
    other.write_text("of another application")
    bench.emulator.clear_requests()
    run = bench.run("--diff")
    assert run.code == 0, run.output
    assert not bench.emulator.requests()
    assert "PRIVATE KEY" not in run.output
    assert [path for path in bench.proofs if not path.name.startswith(".")] == [other]
    assert bench.run().recap["changed"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("preflight", [True, False])
def test_two_orders_with_the_same_file_name_are_validated_one_after_the_other(bench: Bench, preflight: bool) -> None:
    """Nothing is bought that could not be validated in this run, with and without the preflight."""
    options: dict[str, Any] = {
        "gogetssl_certificates": [
            bench.shop(name=name, names=[f"{name}.example.com"], product="31") for name in ("one", "two")
        ],
        "gogetssl_resolve": dict.fromkeys(["one.example.com", "two.example.com"], "127.0.0.1"),
        "gogetssl_preflight": preflight,
        "gogetssl_dcv_timeout": 5,
    }
    run = bench.run(**options)
    assert run.code != 0
    assert "one: installed" in run.output
    if preflight:
        assert "fileauth.txt holds one validation at a time, and one uses it in this run" in joined(run.output)
    else:
        assert "fileauth.txt would replace the one of" in joined(run.output)
    assert len(bench.orders) == 1
    run = bench.run(**options)
    assert run.code == 0, run.output
    assert len(bench.orders) == 2
    assert "two: installed" in run.output
    assert not bench.proofs


@pytest.mark.slow
def test_hosts_with_one_web_root_use_the_one_file_name_in_turn(bench: Bench) -> None:
    """Both hosts request a certificate of a brand with one file name, and publish on the same web host."""
    names = {"web1": "one.example.com", "web2": "two.example.com"}
    options: dict[str, Any] = {
        "hosts": tuple(names),
        "gogetssl_directory": f"{bench.store}/{{{{ inventory_hostname }}}}",
        "gogetssl_certificates": [bench.shop(names=[f"{{{{ {names}[inventory_hostname] }}}}"], product="31")],
        "gogetssl_resolve": dict.fromkeys(names.values(), "127.0.0.1"),
        "gogetssl_web_hosts": ["web1"],
    }
    run = bench.run(**options)
    assert run.code != 0
    assert "fileauth.txt would replace the one of" in joined(run.output), run.output
    assert len(bench.orders) == 1
    run = bench.run(**options)
    assert run.code == 0, run.output
    assert sorted(order["common_name"] for order in bench.orders) == sorted(names.values())
    assert not bench.proofs


def test_an_approver_that_is_not_allowed_stops_before_the_order(bench: Bench) -> None:
    run = bench.run(gogetssl_certificates=[bench.shop(dcv="root@elsewhere.example.org")])
    assert run.code != 0
    assert "root@elsewhere.example.org may not approve shop.example.com" in joined(run.output)
    assert not bench.orders
    assert only_a_key_is_staged(bench)


@pytest.mark.slow
def test_preflight_warn_does_not_stop_the_order(bench: Bench) -> None:
    """For a controller that cannot reach everything that the CA can reach."""
    bench.emulator.set(dcv_mode="pass")
    run = bench.run(gogetssl_web_root=elsewhere(bench), gogetssl_preflight="warn", gogetssl_dcv_timeout=1)
    assert "http  stop  IPv4 127.0.0.1" in run.output
    assert len(bench.orders) == 1


@pytest.mark.slow
def test_the_preflight_playbook_needs_no_credentials_and_removes_its_probe(bench: Bench) -> None:
    run = bench.run(playbook=PREFLIGHT, env=NO_CREDENTIALS)
    assert run.code == 0, run.output
    assert "shop.example.com      http     pass  IPv4 127.0.0.1 port" in run.output
    assert "not checked whether 68 fits: not queried: no credentials" in run.output
    assert run.recap["changed"] == 2, "the probe was published and removed"
    assert not bench.emulator.requests()
    assert not bench.snapshot()

    run = bench.run("--check", playbook=PREFLIGHT, env=NO_CREDENTIALS)
    assert run.code == 0, run.output
    assert "No probe was published" in joined(run.output)


@pytest.mark.slow
def test_the_preflight_playbook_with_credentials_checks_the_account(bench: Bench) -> None:
    bench.emulator.set(balance=1.0)
    run = bench.run(playbook=PREFLIGHT)
    assert run.code != 0
    assert "the balance is 1.00 EUR; all certificates cost" in joined(run.output)
    assert "GoGetSSL Multi-Domain SSL fits" in run.output
    assert not bench.orders


@pytest.mark.slow
def test_changed_methods_apply_to_a_pending_order(bench: Bench) -> None:
    """One call changes both names."""
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
def test_auto_uses_files_if_they_can_be_published(bench: Bench) -> None:
    run = bench.run(gogetssl_certificates=[bench.shop(dcv="auto")])
    assert run.code == 0, run.output
    assert "validation: shop.example.com by http, www.shop.example.com by http" in joined(run.output)


@pytest.mark.slow
def test_auto_without_a_possible_method_is_refused_with_alternatives(bench: Bench) -> None:
    spec = bench.shop(names=["example.com", "*.example.com"], product="139", dcv="auto")
    run = bench.run(gogetssl_certificates=[spec], gogetssl_http_publisher="none")
    assert run.code != 0
    expected = "configure a DNS provider (gogetssl_dns_provider), or set dcv to the e-mail address of an approver"
    assert expected in joined(run.output)
    assert not bench.orders


@pytest.mark.slow
def test_files_are_published_on_all_hosts_behind_a_balancer(bench: Bench, tmp_path: Path) -> None:
    """Each host has its own web root. The files are also published on the host to which the name does not resolve."""
    roots = {"web1": str(bench.web_root), "web2": str(tmp_path / "www2")}
    for root in roots.values():
        Path(root).mkdir(exist_ok=True)
    inventory: dict[str, Any] = {
        "gogetssl_web_hosts": ["web1", "web2"],
        "gogetssl_web_root": "{{ " + json.dumps(roots) + "[gogetssl_web_host | default(inventory_hostname)] }}",
    }
    run = bench.run("--limit", "web1", "-v", hosts=("web1", "web2"), **inventory)
    assert run.code == 0, run.output
    assert "web1 -> web2" in run.output
    assert f"{roots['web2']}/.well-known/pki-validation/" in run.output
    assert not bench.proofs
    assert not list(Path(roots["web2"]).rglob("*"))


@pytest.mark.slow
def test_a_custom_task_file_publishes_files(bench: Bench) -> None:
    """The task file uses gogetssl_http_files and gogetssl_http_state only."""
    tasks = bench.directory / "bucket.yml"
    path = f"{bench.web_root}/{{{{ (item.path | default('/.well-known/pki-validation/' ~ item.file_name)) }}}}"
    content = [
        {
            "name": "Directory",
            "ansible.builtin.file": {"path": f"{bench.web_root}/.well-known/pki-validation", "state": "directory"},
        },
        {
            "name": "Upload to the bucket",
            "ansible.builtin.copy": {"dest": path, "content": "{{ item.content }}", "mode": "0644"},
            "loop": "{{ gogetssl_http_files }}",
            "when": "gogetssl_http_state == 'present'",
        },
        {
            "name": "Remove from the bucket",
            "ansible.builtin.file": {"path": path, "state": "absent"},
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


@pytest.mark.parametrize("unreachable", [False, True])
def test_files_that_cannot_be_removed_do_not_delay_the_installation(bench: Bench, unreachable: bool) -> None:
    """The removal fails after the certificate was issued. It is a warning, and the next run tries again."""
    note = bench.store / ".dcv-files.json"
    broken = bench.directory / "broken.yml"
    failing = {
        "ansible.builtin.fail": {"msg": "the API of the load balancer returned 503"},
        "when": "gogetssl_http_state == 'absent'",
    }
    write = {
        "web_root": "{{ gogetssl_web_root }}",
        "files": "{{ gogetssl_http_files }}",
        "state": "{{ gogetssl_http_state }}",
    }
    broken.write_text(yaml.safe_dump([failing, {"certops.gogetssl.gogetssl_dcv_file": write}], sort_keys=False))
    arguments: tuple[str, ...] = ()
    options: dict[str, Any] = {"gogetssl_http_publisher": "broken", "gogetssl_http_tasks": {"broken": str(broken)}}
    if unreachable:
        # The files of the first run, which waits for nothing, are removed by the next one. A web host is gone by then.
        bench.emulator.set(issuance_delay=12.0)
        assert bench.run(gogetssl_wait=False).code == 0
        bench.emulator.wait_for(bench.orders[0]["order_id"], seconds=60)
        gone = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": free_port()}
        (bench.directory / "more.yml").write_text(yaml.safe_dump({"all": {"hosts": {"gone": gone}}}))
        arguments = ("-i", str(bench.directory / "more.yml"), "--limit", "web1")
        options = {"gogetssl_web_hosts": ["web1", "gone"]}
    for _number in range(2):
        run = bench.run(*arguments, **options)
        assert run.code == 0, run.output
        assert bench.installed()
        assert "The next run tries again." in joined(run.output)
        assert ("web host gone is unreachable" if unreachable else "returned 503") in joined(run.output)
        assert note.exists()
        assert unreachable or bench.proofs
    run = bench.run()
    assert (run.code, run.recap["changed"] > 0, bench.proofs, note.exists()) == (0, True, [], False), run.output
    assert bench.run().recap["changed"] == 0
    assert len(bench.orders) == 1


def test_a_file_in_the_own_web_root_that_cannot_be_removed_is_noted(bench: Bench) -> None:
    """The deployment removes the files of the own web root, before it installs."""
    bench.emulator.set(issuance_delay=12.0)
    assert bench.run(gogetssl_wait=False).code == 0
    [proof] = [path for path in bench.proofs if path.suffix == ".txt"]  # the probe is gone
    bench.emulator.wait_for(bench.orders[0]["order_id"], seconds=30)
    proof.unlink()
    proof.symlink_to("/etc/hostname")
    run = bench.run()
    assert (run.code, bench.installed()) == (0, True), run.output
    assert f"DCV files not removed: {proof.name}" in joined(run.output)
    note = bench.store / ".dcv-files.json"
    assert proof.name in note.read_text()
    proof.unlink()
    run = bench.run()
    assert (run.code, note.exists()) == (0, False), run.output
    assert bench.run().recap["changed"] == 0


def listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10):
        return True
    return False


@pytest.mark.slow
def test_the_validation_server_serves_files_without_a_web_server(tmp_path: Path) -> None:
    """It runs while the order is pending, as the CA may fetch the files. The run that installs the order stops it."""
    port = free_port()
    with Emulator(http_port=port, resolve={"*": "127.0.0.1"}) as emulator:
        bench = Bench(tmp_path, tmp_path / "none", emulator, port)
        emulator.set(issuance_delay=12.0, dcv_interval=0.5)
        options = {
            "gogetssl_http_publisher": "validation_server",
            "gogetssl_validation_server_directory": str(tmp_path / "listener"),
        }
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
