# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Purchases in whole runs: an approved plan, a limit for all hosts, and a fleet with existing certificates."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
import yaml

from .conftest import Bench

pytestmark = pytest.mark.slow
HOSTS = ("web1", "web2", "web3")


def fleet(bench: Bench, **changes: Any) -> dict[str, Any]:
    """Variables that give each host its own certificate."""
    return {
        "hosts": HOSTS,
        "gogetssl_directory": str(bench.store) + "/{{ inventory_hostname }}",
        "gogetssl_resolve": {f"{host}.example.com": "127.0.0.1" for host in HOSTS},
        "gogetssl_certificates": [bench.shop(names=["{{ inventory_hostname }}.example.com"])],
        **changes,
    }


def installed(bench: Bench) -> list[str]:
    return sorted(path.parts[-4] for path in bench.store.glob("*/shop/current/cert.pem"))


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_max_price_per_run_applies_with_every_strategy(bench: Bench, strategy: str) -> None:
    playbook = bench.directory / "site.yml"
    play = {"hosts": "all", "gather_facts": False, "strategy": strategy, "roles": ["certops.gogetssl.gogetssl"]}
    playbook.write_text(yaml.safe_dump([play]))
    check = bench.run("--check", playbook=str(playbook), **fleet(bench))
    if strategy == "linear":  # the strategy free ignores run_once
        total = sum(entry["price"] for entry in priced(bench))
        assert f"3 purchases for {total / 100:.2f} EUR before tax; the balance is 10000.00 EUR." in check.output
    each = priced(bench)[0]["price"]
    run = bench.run("--forks", "3", playbook=str(playbook), **fleet(bench, gogetssl_max_price_per_run=2 * each))
    assert run.code != 0, run.output
    assert len(bench.orders) == len(installed(bench)) == 2, run.output
    assert "that is above the limit" in run.output
    again = bench.run(playbook=str(playbook), **fleet(bench, gogetssl_max_price_per_run=2 * each))
    assert again.code == 0, again.output
    assert (len(bench.orders), installed(bench)) == (3, list(HOSTS))


def priced(bench: Bench) -> list[dict[str, Any]]:
    """The plan of all hosts from a run in check mode."""
    plan = bench.directory / "plan.json"
    if not plan.exists():
        playbook = bench.directory / "plan.yml"
        facts = "ansible_play_hosts | map('extract', hostvars) | map(attribute='gogetssl_plan', default=[])"
        copy = {"content": "{{ " + facts + " | flatten | to_nice_json }}", "dest": str(plan)}
        task = {"ansible.builtin.copy": copy, "run_once": True, "check_mode": False}
        play = {
            "hosts": "all",
            "gather_facts": False,
            "roles": ["certops.gogetssl.gogetssl"],
            "post_tasks": [task],
        }
        playbook.write_text(yaml.safe_dump([play]))
        run = bench.run("--check", "--diff", playbook=str(playbook), **fleet(bench))
        assert run.code == 0, run.output
        assert "+shop: buy, there is no order for it, price" in run.output
    found: list[dict[str, Any]] = json.loads(plan.read_text())
    return found


def test_an_rsa_and_an_ecdsa_certificate_for_one_name_are_bought_once_each(bench: Bench) -> None:
    both = [bench.shop(name=f"shop-{kind}", key_type=kind) for kind in ("rsa-2048", "ecdsa-p256")]
    run = bench.run(gogetssl_certificates=both[:1])
    assert run.code == 0, run.output
    run = bench.run(gogetssl_certificates=both)
    assert run.code == 0, run.output
    assert len(bench.orders) == 2
    shutil.rmtree(bench.store / "shop-ecdsa-p256")
    shutil.rmtree(bench.directory / "ansible")  # the records of separate runs
    run = bench.run(gogetssl_certificates=both)
    assert "shop-ecdsa-p256: the account has" in run.output
    assert len(bench.orders) == 2


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["", "{{ plan_of_an_earlier_job }}"])
def test_a_run_whose_plan_did_not_arrive_buys_nothing(bench: Bench, plan: str) -> None:
    run = bench.run(gogetssl_approved_plan=plan)
    assert (run.code, bench.orders) == (2, []), run.output
    # Newer releases of ansible-core refuse the template themselves.
    known = ("gogetssl_approved_plan is empty or refers to a variable that is not defined", "is undefined")
    assert any(message in run.output for message in known[: 2 if plan else 1])


@pytest.mark.slow
def test_a_run_buys_the_approved_plan_only(bench: Bench) -> None:
    plan = priced(bench)
    assert not bench.orders
    assert [(one["host"], one["name"], one["step"]) for one in plan] == [(host, "shop", "buy") for host in HOSTS]
    run = bench.run(**fleet(bench, gogetssl_approved_plan=plan[:1]))
    assert run.code != 0
    assert run.output.count("the approved plan does not contain it") >= 2
    assert (len(bench.orders), installed(bench)) == (1, ["web1"])


@pytest.mark.slow
def test_existing_certificates_of_a_fleet_are_adopted(bench: Bench) -> None:
    """Existing certificates remain in use and nothing is bought. Orders without a host are reported."""
    names = ["shop.example.com", "www.shop.example.com", "other.example.com"]
    both = {"gogetssl_resolve": dict.fromkeys(names, "127.0.0.1")}
    other = bench.shop(name="other", names=names[2:])
    assert bench.run(gogetssl_certificates=[bench.shop(), other], **both).code == 0
    shop_order, other_order = sorted(int(order["order_id"]) for order in bench.orders)
    ssl = bench.directory / "ssl"
    shutil.copytree(bench.store / "shop" / "current", ssl)
    shutil.rmtree(bench.store)
    before = {path.name: path.read_bytes() for path in ssl.iterdir()}
    files = {"certificate": str(ssl / "fullchain.pem"), "key": str(ssl / "privkey.pem")}
    spec = bench.shop(adopt_files=files)
    bench.emulator.clear_requests()

    first = bench.run(gogetssl_certificates=[spec])
    assert first.code != 0
    assert "but the files have not been adopted yet. Run the playbook certops.gogetssl.adopt first" in first.output
    adopt = {
        "playbook": "certops.gogetssl.adopt",
        # As text, like extra variables: the playbook converts the role's variables.
        "gogetssl_certificates": json.dumps([spec, bench.shop(name="new", names=["a.b.cc"])]),
    }
    check = bench.run("--check", **adopt)
    assert check.code == 0, check.output
    assert "shop: its files would be copied" in check.output
    assert not bench.installed()

    run = bench.run("-v", **adopt)
    assert run.code == 0, run.output
    assert f"shop: order {shop_order}, nothing is due" in run.output
    assert "new: no order: buy is due (there is no order for it), but this task may not order anything" in run.output
    assert f"{other_order} other.example.com" in run.output
    assert f"{shop_order} shop.example.com" not in run.output
    assert {path.name: path.read_bytes() for path in ssl.iterdir()} == before
    assert (bench.store / "shop" / "current" / "privkey.pem").read_bytes() == before["privkey.pem"]
    journal = json.loads((bench.store / "shop" / "order.json").read_text())
    assert (journal["order_id"], bool(journal["end_date"])) == (shop_order, True)
    assert "PRIVATE KEY" not in run.output

    bench.emulator.clear_requests()
    healthy = bench.run(gogetssl_certificates=[spec])
    assert (healthy.code, healthy.recap["changed"]) == (0, 0), healthy.output
    assert not bench.emulator.requests()
    assert len(bench.orders) == 2
