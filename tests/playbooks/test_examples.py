# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of all module pages, with other IDs and paths, run against an account with one open order."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import CONTACT, NAMES, ROOT, Bench, free_port

# One action on the controller, one on several hosts, one module on hosts, and the one with most options.
IN_THE_MATRIX = ("gogetssl_certificate", "gogetssl_certificate_fetch", "gogetssl_dcv_file", "gogetssl_order")
PAGES = sorted((ROOT / "plugins" / "modules").glob("gogetssl_*.py"))


def constant(page: Path, name: str) -> str:
    """One of the documentation strings of a module page."""
    for node in ast.parse(page.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{page.name} has no {name}")


Options = dict[str, dict[str, Any]]  # module options by module name without prefix


def play(
    bench: Bench, name: str, tasks: list[Any], options: Options | None = None, host: str = "web1", **variables: Any
) -> None:
    """Run tasks on one host of the bench."""
    modules = "certops.gogetssl.gogetssl_"
    content = {
        "hosts": host,
        "gather_facts": False,
        "vars": {
            "certificates": [bench.shop()],
            "gogetssl_user": bench.emulator.user,
            "gogetssl_password": bench.emulator.password,
            "keystore_password": "correct horse battery",
            # The open order is validated by files, so DNS modules have no records to publish here; see tests/dns.
            "dcv": {"validations": []},
            "vaulted_tsig_secret": "c2VjcmV0LW9mLXRoZS1leGFtcGxl",
            "vaulted_token": "token-of-the-example",
            "admin": CONTACT,
            **variables,
        },
        "module_defaults": {
            f"{modules}dcv": {"resolve": dict.fromkeys(NAMES, "127.0.0.1"), "http_port": bench.http_port},
            f"{modules}preflight": {"resolve": dict.fromkeys(NAMES, "127.0.0.1"), "http_port": bench.http_port},
            f"{modules}dcv_server": {"directory": str(bench.directory / "validation-server"), "port": free_port()},
            f"{modules}csr": {"directory": str(bench.store)},
            f"{modules}order": {"directory": str(bench.store), "admin": CONTACT},
            **{modules + module: given for module, given in (options or {}).items()},
        },
        "tasks": tasks,
    }
    playbook = bench.directory / name
    playbook.write_text(yaml.safe_dump([content], sort_keys=False))
    run = bench.run(playbook=str(playbook), hosts=("web1", "web2"))
    assert run.code == 0, run.output


def open_order(bench: Bench) -> int:
    """Place an order that is not validated automatically, with the example of gogetssl_order."""
    bench.emulator.set(dcv_interval=3600.0)
    tasks = yaml.safe_load(constant(ROOT / "plugins" / "modules" / "gogetssl_order.py", "EXAMPLES"))
    play(bench, "order.yml", tasks[:1])
    return int(bench.orders[0]["order_id"])


def fetch_issued(bench: Bench, order_id: int) -> None:
    """Have the order issued and write its certificate next to the playbook."""
    bench.emulator.set(dcv_mode="pass", dcv_interval=0.2)
    bench.emulator.wait_for(order_id)
    issued = json.loads(bench.raw_response(f"orders/status/{order_id}"))
    for field, file in (("crt_code", "shop.crt"), ("ca_code", "shop-chain.crt")):
        (bench.directory / file).write_text(issued[field])


def copied(bench: Bench, order_id: int) -> dict[str, Any]:
    """Install the order on web1 and return the variables of a copy on web2, which has its own directory."""
    fetch_issued(bench, order_id)
    install = {
        "name": "shop",
        "names": NAMES,
        "certificate": (bench.directory / "shop.crt").read_text(),
        "chain": (bench.directory / "shop-chain.crt").read_text(),
    }
    given = {"certificates": [install], "directory": str(bench.store)}
    play(bench, "install.yml", [{"certops.gogetssl.gogetssl_certificate": given}])
    bench.defaults["gogetssl_certificates"] = [{**bench.shop(), "order_host": "web1"}]
    there, here = {"directory": str(bench.store)}, {"directory": str(bench.directory / "web2")}
    return {
        "host": "web2",
        "options": {"certificate_fetch": there, "certificate_info": here, "certificate": here},
        "gogetssl_certificates": bench.defaults["gogetssl_certificates"],
    }


def marked(page: Path) -> Any:
    return pytest.param(page, id=page.stem, marks=() if page.stem in IN_THE_MATRIX else (pytest.mark.slow,))


@pytest.mark.parametrize("page", [marked(page) for page in PAGES])
def test_examples_run(bench: Bench, page: Path) -> None:
    order_id = open_order(bench)
    if page.stem in ("gogetssl_certificate", "gogetssl_deploy"):
        fetch_issued(bench, order_id)
    csr = (bench.store / "shop" / "staged" / "request.csr").read_text()
    (bench.directory / "their.csr").write_text(csr)
    if page.stem == "gogetssl_emergency_info":
        copied(bench, order_id)
    text = constant(page, "EXAMPLES")
    for old, new in (
        ("1234567", str(order_id)),
        ("1234568", str(order_id)),
        ("/etc/gogetssl", str(bench.store)),
        ("/var/www/html", str(bench.web_root)),
        ("/srv/www", str(bench.directory)),
        ("/var/lib/prometheus/node-exporter", str(bench.directory)),
        ("www.example.com", NAMES[1]),
        ("wait: 600", "wait: 2"),
        ("issuer: Sectigo", "issuer: Emulator"),
        ("2026-11-20", "2100-01-01"),
        ("ansible.builtin.service", "ansible.builtin.set_fact"),  # the services of the examples do not exist here
    ):
        text = text.replace(old, new)
    more = copied(bench, order_id) if page.stem == "gogetssl_certificate_fetch" else {}
    given = more or {"options": {"certificate_info": {"directory": str(bench.store)}}}
    play(bench, "examples.yml", yaml.safe_load(text), csr={"requests": [{"name": "shop", "csr": csr}]}, **given)
    if more:
        assert (bench.directory / "web2" / "shop" / "current" / "privkey.pem").exists()
    assert len(bench.orders) == 1
