# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One certificate on several hosts has one order and one key, with all strategies, batches and unreachable hosts."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from tests.unit.hosts import DAY, CertificateAuthority

from .conftest import Bench, Run

HOSTS = ("web1", "web2", "web3")
UNREACHABLE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_retries": 0}
ROLE = "certops.gogetssl.gogetssl"
FETCH = "Fetch certificates from ordering hosts"


class Fleet:
    """Three hosts that share one certificate spec."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def run(self, *arguments: str, **variables: Any) -> Run:
        given: dict[str, Any] = {
            "hosts": HOSTS,
            "gogetssl_directory": str(self.bench.store) + "/{{ inventory_hostname }}",
            "gogetssl_certificates": [self.spec()],
            **variables,
        }
        return self.bench.run(*arguments, **given)

    def spec(self, **changes: Any) -> dict[str, Any]:
        return self.bench.shop(**{"order_host": "web1", **changes})

    def current(self, host: str) -> Path:
        return self.bench.store / host / "shop" / "current"

    def serials(self) -> list[str | None]:
        links = [self.current(host) for host in HOSTS]
        return [os.readlink(link) if link.is_symlink() else None for link in links]

    def key(self, host: str) -> bytes:
        return (self.current(host) / "privkey.pem").read_bytes()

    def play(self, role: dict[str, Any] | None = None, **more: Any) -> str:
        """A user's playbook that runs the role."""
        path = self.bench.directory / "site.yml"
        play = {"hosts": "all", "gather_facts": False, "roles": [{"role": ROLE, **(role or {})}], **more}
        path.write_text(yaml.safe_dump([play]))
        return str(path)

    def host_vars(self, host: str, **variables: Any) -> None:
        folder = self.bench.directory / "host_vars"
        folder.mkdir(exist_ok=True)
        (folder / f"{host}.yml").write_text(yaml.safe_dump(variables))

    def make_due(self) -> None:
        """Install an older certificate that is due on all hosts, while the order has a newer one."""
        run = self.run()
        assert run.code == 0, run.output
        ca = CertificateAuthority()
        request = x509.new_request(self.key("web1"), self.spec()["names"])
        leaf = ca.issue(request, start=-150 * DAY, end=49 * DAY)
        serial = x509.read_certificate(leaf).serial
        for host in HOSTS:
            version = self.current(host).parent / serial
            shutil.copytree(self.current(host), version)
            (version / "cert.pem").write_text(leaf)
            (version / "chain.pem").write_text(ca.intermediate)
            (version / "fullchain.pem").write_text(leaf + ca.intermediate)
            self.current(host).unlink()
            self.current(host).symlink_to(serial)

    def calls(self) -> list[Any]:
        return self.bench.emulator.requests()


@pytest.fixture
def fleet(bench: Bench) -> Fleet:
    return Fleet(bench)


def test_all_hosts_share_one_order_and_key(fleet: Fleet) -> None:
    run = fleet.run()
    assert run.code == 0, run.output
    assert len(fleet.bench.orders) == 1
    assert len({fleet.key(host) for host in HOSTS}) == 1
    assert len(set(fleet.serials())) == 1
    assert {path.stat().st_mode & 0o777 for path in fleet.bench.store.glob("*/shop/current/privkey.pem")} == {0o600}
    assert "shop: installed: copied from web1 (no certificate is installed)" in run.output
    assert not list(fleet.bench.store.glob("web[23]/shop/order.json")), "a copy has no order"

    fleet.bench.emulator.clear_requests()
    before = fleet.bench.snapshot()
    run = fleet.run()
    assert run.code == 0, run.output
    assert run.output.count("changed=0") == len(HOSTS)
    assert FETCH not in run.output
    assert not fleet.calls()
    assert fleet.bench.snapshot() == before

    # A copy does not take over the order, even without the ordering host, which would find it in use.
    run = fleet.run("--limit", "web2", playbook="certops.gogetssl.adopt")
    assert run.code == 0, run.output
    assert "shop: no order: web1 orders it for this host, which only copies it." in run.output
    assert fleet.bench.snapshot() == before


@contextmanager
def files_with(folder: Path, text: bytes) -> Iterator[list[str]]:
    """Record files below a folder that contain a text at any time within the context."""
    found: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            # A directory may be removed meanwhile, which ends `rglob`, but not `walk`.
            for path in (Path(place) / name for place, _folders, names in os.walk(folder) for name in names):
                try:
                    if path.is_file() and text in path.read_bytes():
                        found.append(str(path))
                except OSError:
                    continue  # removed in the meantime

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


@pytest.fixture
def controller() -> Iterator[Path]:
    """A directory with a path short enough for Ansible's sockets, unlike pytest's directories."""
    with tempfile.TemporaryDirectory(prefix="c") as directory:
        yield Path(directory)


def test_the_key_is_stored_on_hosts_only_and_never_printed(fleet: Fleet, controller: Path) -> None:
    for name in ("tmp", "facts", "ansible", "remote"):
        (controller / name).mkdir(parents=True)
    environment = {
        "TMPDIR": str(controller / "tmp"),
        "ANSIBLE_HOME": str(controller / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(controller / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(controller / "remote"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(controller / "facts"),
        "ANSIBLE_LOG_PATH": str(controller / "log"),
    }
    assert fleet.run("--limit", "web1").code == 0
    body = fleet.key("web1").splitlines()[5]
    assert len(body) == 64
    with files_with(controller, body) as matches:
        run = fleet.run("-vvvv", "--diff", env=environment)
    assert run.code == 0, run.output
    assert len(set(fleet.serials())) == 1
    assert FETCH in run.output
    assert body.decode() not in run.output
    assert "PRIVATE KEY" not in run.output
    assert matches == []
    assert (controller / "log").read_text().count(FETCH), "the log was checked"


@pytest.mark.parametrize(
    "play_keywords",
    [
        {},
        pytest.param({"serial": 1}, marks=pytest.mark.slow),
        pytest.param({"strategy": "free"}, marks=pytest.mark.slow),
    ],
)
def test_two_hosts_without_order_host_buy_nothing(fleet: Fleet, play_keywords: dict[str, Any]) -> None:
    # Two spellings of the name, the product as text and as a number, and an undefined spec that does not conflict.
    spec = fleet.bench.shop(names="{{ spec_names }}", product="{{ spec_product }}")
    fleet.host_vars("web1", spec_names=["shop.example.com"], spec_product="68")
    fleet.host_vars("web2", spec_names=["SHOP.example.com."], spec_product=68)
    fleet.host_vars("web3", spec_names="{{ undefined_variable }}", spec_product="68")
    run = fleet.run(playbook=fleet.play(**play_keywords), gogetssl_certificates=[spec])
    assert run.code != 0
    assert not fleet.bench.orders, run.output
    assert not list(fleet.bench.store.glob("*/shop/staged")), "no key is staged"
    output = run.output.replace("\n", " ")
    assert "web1 and web2 request shop.example.com, and each would buy it. Set its order_host" in output
    if play_keywords.get("serial") is None:
        assert "web2 and web1 request shop.example.com" in output


@pytest.mark.slow
def test_conflicts_of_specs_in_the_play_are_detected(fleet: Fleet) -> None:
    role = {"gogetssl_certificates": [fleet.bench.shop()]}
    run = fleet.run(playbook=fleet.play(role), gogetssl_certificates=[])
    assert run.code != 0
    assert not fleet.bench.orders, run.output
    assert "web1, web2 and web3 request shop.example.com" in run.output
    suggested = re.findall(r"all of them, such as (\w+),", " ".join(run.output.split()))
    assert (len(suggested) >= len(HOSTS), set(suggested)) == (True, {"web1"}), "one suggestion for all hosts"


@pytest.mark.slow
def test_order_host_can_request_an_order_per_host(fleet: Fleet) -> None:
    run = fleet.run(gogetssl_certificates=[fleet.spec(order_host="{{ inventory_hostname }}", abandon_intent=True)])
    assert run.code == 0, run.output
    assert len(fleet.bench.orders) == len(HOSTS)
    assert len({fleet.key(host) for host in HOSTS}) == len(HOSTS)


@pytest.mark.outermost
@pytest.mark.parametrize("play_keywords", [{"serial": 1, "order": "reverse_inventory"}, {"strategy": "free"}])
def test_after_two_runs_all_hosts_have_the_certificate(fleet: Fleet, play_keywords: dict[str, Any]) -> None:
    run = fleet.run(playbook=fleet.play(**play_keywords))
    assert run.code == 0, run.output
    assert len(fleet.bench.orders) == 1
    if "serial" in play_keywords:
        assert "shop: waiting: waits for web1, which orders it: it has no certificate yet." in run.output
    run = fleet.run(playbook=fleet.play(**play_keywords))
    assert run.code == 0, run.output
    assert len(fleet.bench.orders) == 1
    assert len(set(fleet.serials())) == 1
    assert None not in fleet.serials()


@pytest.mark.slow
def test_a_host_that_runs_alone(fleet: Fleet) -> None:
    run = fleet.run("--limit", "web2")
    assert run.code != 0
    assert "web1 orders it, but it has no certificate yet, and no order of its own is under way" in run.output
    assert not fleet.calls(), "a host that copies does not log in"

    assert fleet.run("--limit", "web1").code == 0
    fleet.bench.emulator.clear_requests()
    check = fleet.run("--check", "--limit", "web2")
    assert check.code == 0, check.output
    assert "shop: planned: copy from web1 (no certificate is installed)" in check.output
    run = fleet.run("--limit", "web2")
    assert run.code == 0, run.output
    assert not fleet.calls()
    first, second, third = fleet.serials()
    assert (first == second, third) == (True, None)


@pytest.mark.slow
def test_a_renewed_certificate_is_copied_in_the_same_run(fleet: Fleet) -> None:
    fleet.make_due()
    old = fleet.serials()
    waits = fleet.run("--limit", "web2")
    assert waits.code == 0, waits.output
    assert "shop: waiting: waits for web1, which orders it: it has nothing newer yet." in waits.output
    assert fleet.serials() == old

    run = fleet.run()
    assert run.code == 0, run.output
    assert len(fleet.bench.orders) == 1
    assert len(set(fleet.serials())) == 1
    assert set(fleet.serials()).isdisjoint(old)
    assert len({fleet.key(host) for host in HOSTS}) == 1
    rest = fleet.run()
    assert rest.output.count("changed=0") == len(HOSTS)
    assert FETCH not in rest.output


@pytest.mark.slow
def test_an_unreachable_ordering_host(fleet: Fleet) -> None:
    fleet.make_due()
    old = fleet.serials()
    fleet.host_vars("web1", **UNREACHABLE)
    run = fleet.run("--limit", "web2")
    assert run.code == 0, run.output
    assert "shop: waiting: the ordering host web1 cannot be reached" in run.output
    assert "the installed certificate is kept" in run.output
    whole = fleet.run()
    assert "web1                       : ok=0    changed=0    unreachable=1" in whole.output
    assert "web2                       : ok=0" not in whole.output
    assert whole.output.count("failed=0") == len(HOSTS), "hosts that can wait do not fail"
    assert fleet.serials() == old

    (fleet.current("web3") / "privkey.pem").write_bytes(b"damaged")
    run = fleet.run("--limit", "web3")
    assert run.code != 0
    assert "shop: stopped: the ordering host web1 cannot be reached" in run.output
    assert len(fleet.bench.orders) == 1


@pytest.mark.slow
def test_an_ordering_host_that_does_not_exist(fleet: Fleet) -> None:
    run = fleet.run(gogetssl_certificates=[fleet.spec(order_host="web9")])
    assert run.code != 0
    assert run.output.count("the ordering host web9 is not in the inventory.") >= len(HOSTS)
    assert not fleet.calls()


@pytest.mark.slow
def test_a_host_that_orders_one_and_copies_another(fleet: Fleet) -> None:
    other = fleet.bench.shop(name="other", names=["other.example.com"], order_host="web2")
    resolve = dict.fromkeys([*other["names"], *fleet.spec()["names"]], "127.0.0.1")
    served: dict[str, Any] = {"services": ["custom"], "listeners": []}
    current = "{{ gogetssl_directory }}/%s/current/cert.pem"
    variables: dict[str, Any] = {
        "gogetssl_certificates": [fleet.spec(**served), {**other, **served}],
        "gogetssl_resolve": resolve,
        # The configuration refers to both certificates, so the service can reload only with both installed.
        "gogetssl_custom_test": f"sh -c 'test -f {current % 'shop'} && test -f {current % 'other'}'",
    }
    run = fleet.run(**variables)
    assert run.code == 0, run.output
    assert len(fleet.bench.orders) == 2
    assert not list(fleet.bench.store.glob("*/*/unverified"))
    for name in ("shop", "other"):
        links = {os.readlink(fleet.bench.store / host / name / "current") for host in HOSTS}
        assert len(links) == 1, name
    assert fleet.run(**variables).output.count("changed=0") == len(HOSTS)


@pytest.mark.slow
def test_a_compromised_key_is_replaced_everywhere(fleet: Fleet) -> None:
    assert fleet.run().code == 0
    old = fleet.key("web1")
    run = fleet.run(gogetssl_certificates=[fleet.spec(rekey=True)])
    assert run.code == 0, run.output
    assert old not in {fleet.key(host) for host in HOSTS}
    assert len({fleet.key(host) for host in HOSTS}) == 1
    assert len(fleet.bench.orders) == 1


@pytest.mark.slow
def test_a_copy_that_is_not_served_is_rolled_back(fleet: Fleet) -> None:
    fleet.make_due()
    old = fleet.serials()
    fleet.host_vars(
        "web3", gogetssl_custom_test="sh -c 'grep -q deadbeef {{ gogetssl_directory }}/shop/current/cert.pem'"
    )
    run = fleet.run(gogetssl_certificates=[fleet.spec(services=["custom"], listeners=[])])
    assert run.code != 0, run.output
    new = fleet.serials()
    assert "shop: stopped: nothing was installed because custom rejects its current configuration" in run.output
    assert (new[0] == new[1] != old[0], new[2]) == (True, old[2]), run.output
    assert not (fleet.bench.store / "web3" / "shop" / "staged").exists(), "no order is placed with a copied key"


def roll_out(fleet: Fleet, canary: str = "web1", **variables: Any) -> Run:
    chosen = {"gogetssl_batches": "1", **({"gogetssl_canary": canary} if canary != HOSTS[0] else {})}
    return fleet.run("-e", json.dumps(chosen), playbook="certops.gogetssl.rollout", **variables)


@pytest.mark.slow
def test_rollout_continues_only_if_the_canary_serves(fleet: Fleet) -> None:
    fleet.host_vars("web1", gogetssl_custom_test="false")
    spec = fleet.spec(services=["custom"], listeners=[])
    own = fleet.bench.shop(name="own", names=["{{ inventory_hostname }}.example.com"])
    variables: dict[str, Any] = {
        "gogetssl_certificates": [spec, own],
        "gogetssl_resolve": dict.fromkeys([*spec["names"], *(f"{host}.example.com" for host in HOSTS)], "127.0.0.1"),
    }
    run = roll_out(fleet, **variables)
    assert run.code != 0
    assert not [path for host in HOSTS[1:] for path in fleet.bench.store.glob(f"{host}/**")], run.output
    assert {order["common_name"] for order in fleet.bench.orders} <= {"shop.example.com", "web1.example.com"}
    assert "PLAY [Manage certificates on the other hosts]" not in run.output

    fleet.host_vars("web1", gogetssl_custom_test="true")
    run = roll_out(fleet, **variables)
    assert run.code == 0, run.output
    assert len(fleet.bench.orders) == 1 + len(HOSTS), "one order for shop and one per host"
    assert len(set(fleet.serials())) == 1
    assert run.output.count("PLAY [Manage certificates on the other hosts]") == len(HOSTS) - 1


@pytest.mark.slow
def test_rollout_stops_at_the_first_host_of_a_batch_that_fails(fleet: Fleet) -> None:
    fleet.host_vars("web2", gogetssl_custom_test="false")
    run = roll_out(fleet, gogetssl_certificates=[fleet.spec(services=["custom"], listeners=[])])
    assert run.code != 0
    first, second, third = fleet.serials()
    assert (first is not None, second, third) == (True, first, None), run.output
    mark = fleet.bench.store / "web2" / "shop" / "unverified"
    assert mark.read_text().strip() == second, "the first version is kept, and the next run tries it again"
    assert not (fleet.bench.store / "web3").exists()


@pytest.mark.slow
def test_rollout_requires_the_ordering_host_as_canary(fleet: Fleet) -> None:
    run = roll_out(fleet, "web2", gogetssl_certificates=json.dumps([fleet.spec()]))
    assert run.code != 0
    assert "web1: orders certificates for other hosts and must be a canary host" in run.output
    assert not fleet.calls()
