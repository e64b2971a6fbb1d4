# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloud providers as the role uses them, against stubs that check their options like the real modules.

`specs/` holds the options of the real modules from `ansible-doc --json`, with the version of their collection.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "tests" / "dns" / "specs").glob("*.json"))
STUB = """
import json
from ansible.module_utils.basic import AnsibleModule
spec = json.loads({spec!r})
for name in {{"api_token", "hetzner_token", "secret_key", "secret", "oauth_token"}} & set(spec):  # as in real modules
    spec[name]["no_log"] = True
module = AnsibleModule(argument_spec=spec)
with open({log!r}, "a") as log:
    log.write(json.dumps({{"module": {name!r}, **module.params}}) + chr(10))
zone = [{{"records": []}}] if module.params.get("record_type") == "SOA" else []
module.exit_json(changed=True, data={{"records": []}}, dnsrecordsets=zone)
"""
SECRET = "s3cr3t-of-the-cloud"
VARIABLES: dict[str, dict[str, Any]] = {
    "cloudflare": {"gogetssl_cloudflare_token": SECRET},
    "hetzner": {"gogetssl_hetzner_token": SECRET},
    "route53": {"gogetssl_route53_options": {"access_key": "a", "secret_key": SECRET}},
    "azure": {
        "gogetssl_azure_options": {"client_id": "c", "secret": SECRET, "tenant": "t"},
        "gogetssl_azure_resource_group": "dns",
    },
    "digitalocean": {"gogetssl_digitalocean_token": SECRET},
}
VALIDATIONS: list[dict[str, Any]] = [
    {"order_id": 1, "name": "www.example.co.uk", "record": "_a.www.example.co.uk", "type": "CNAME"},
    {"order_id": 2, "name": "example.co.uk", "record": "example.co.uk", "type": "TXT", "value": "_one"},
    {"order_id": 3, "name": "example.co.uk", "record": "example.co.uk", "type": "TXT", "value": "_two"},
]
VALIDATIONS[0]["value"] = "a.x.comodoca.com"
NAMES = ["www.example.co.uk", "example.co.uk"]
CERTIFICATES = [{"name": "shop", "methods": {"www.example.co.uk": "dns"}}]


def install_stubs(directory: Path, log: Path) -> None:
    """Put the stubs into this directory of collections. Each call is recorded in `log`."""
    for path in SPECS:
        spec = json.loads(path.read_text())
        namespace, collection, module = spec["module"].split(".")
        folder = directory / "ansible_collections" / namespace / collection / "plugins" / "modules"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{module}.py").write_text(
            STUB.format(spec=json.dumps(spec["options"]), log=str(log), name=spec["module"])
        )


def install_libraries(directory: Path) -> str:
    """Libraries without contents, because only their presence is checked. Return the folder for PYTHONPATH."""
    for library in ("boto3", "azure", "azure/mgmt", "azure/mgmt/dns"):
        (directory / "lib" / library).mkdir(parents=True, exist_ok=True)
        (directory / "lib" / library / "__init__.py").touch()
    return str(directory / "lib")


def calls(tmp_path: Path, provider: str, state: str) -> list[dict[str, Any]]:
    """The recorded options of all calls of the provider's module.

    The host has no Python, so the modules and their secrets can only have been on the controller.
    """
    log = tmp_path / "log"
    install_stubs(tmp_path, log)
    task = {"provider": provider, "zones": {"example.co.uk": "example.co.uk"}, "nameservers": ["127.0.0.1:1"]}
    task["directory"] = str(tmp_path / "gogetssl")
    tasks = [{"certops.gogetssl.gogetssl_publish_dns": {**task, **one}, "register": "done"} for one in STATES[state]]
    stops = {"ansible.builtin.assert": {"that": "done.stopped == []"}}
    host = {"ansible_connection": "local", "ansible_python_interpreter": "/nonexistent/python"}
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"web1": host, "localhost": here}}}))
    play = {"hosts": "web1", "gather_facts": False, "vars": VARIABLES[provider], "tasks": [*tasks, stops]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    ours = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".venv" / "collections"))
    paths = {"ANSIBLE_COLLECTIONS_PATH": f"{tmp_path}:{ours}", "PYTHONPATH": install_libraries(tmp_path)}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.yml", "-vvvv", "play.yml"],
        cwd=tmp_path,
        env={**os.environ, **paths, "ANSIBLE_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    recorded = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    # The stubs hold no records. Those of a removal are published first, so that they are noted.
    return [call for call in recorded if state != "absent" or call.get("state") == "absent"]


STATES: dict[str, list[dict[str, Any]]] = {
    "verified": [{"state": "verified", "certificates": CERTIFICATES}],
    "present": [{"validations": VALIDATIONS}],
    "absent": [{"validations": VALIDATIONS}, {"state": "absent", "certificates": [{"names": NAMES}]}],
}


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "cloudflare": [
        {"zone": "example.co.uk", "record": "_a.www", "type": "CNAME", "value": "a.x.comodoca.com", "ttl": 120},
        {"zone": "example.co.uk", "record": "@", "type": "TXT", "value": "_one"},
        {"zone": "example.co.uk", "record": "@", "type": "TXT", "value": "_two", "solo": None, "proxied": False},
    ],
    "hetzner": [
        {
            "zone_name": "example.co.uk",
            "record": "_a.www.example.co.uk",
            "type": "CNAME",
            "value": "a.x.comodoca.com.",
        },
        {"zone_name": "example.co.uk", "record": "example.co.uk", "type": "TXT", "value": "_one", "ttl": 60},
        {"zone_name": "example.co.uk", "record": "example.co.uk", "type": "TXT", "value": "_two"},
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("provider", EXPECTED)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_each_value_is_one_call(tmp_path: Path, provider: str, state: str) -> None:
    recorded = calls(tmp_path, provider, state)
    assert len(recorded) == 3
    for call, expected in zip(recorded, EXPECTED[provider]):
        assert {**expected, "state": state}.items() <= call.items()


MERGED: dict[str, list[dict[str, Any]]] = {
    "route53": [
        {"zone": "example.co.uk", "record": "_a.www.example.co.uk", "type": "CNAME", "value": ["a.x.comodoca.com."]},
        {"zone": "example.co.uk", "record": "example.co.uk", "type": "TXT", "value": ['"_one"', '"_two"'], "ttl": 60},
    ],
    "azure": [
        {"zone_name": "example.co.uk", "relative_name": "_a.www", "records": [{"entry": "a.x.comodoca.com"}]},
        {"relative_name": "@", "record_type": "TXT", "records": [{"entry": ["_one"]}, {"entry": ["_two"]}]},
    ],
    "digitalocean": [
        {"domain": "example.co.uk", "name": "_a.www", "type": "CNAME", "data": "a.x.comodoca.com", "ttl": 60},
        {"domain": "example.co.uk", "name": "@", "type": "TXT", "data": "_one", "force_update": False},
        {"domain": "example.co.uk", "name": "@", "type": "TXT", "data": "_two"},
    ],
}


def is_read(call: dict[str, Any]) -> bool:
    return call["module"].endswith("_info") or call.get("state") == "get"


@pytest.mark.slow
@pytest.mark.parametrize("provider", MERGED)
def test_sets_are_read_before_they_are_written(tmp_path: Path, provider: str) -> None:
    """With Ansible; test_cloud_sets.py covers foreign values in the sets."""
    recorded = calls(tmp_path, provider, "present")
    writes = [call for call in recorded if not is_read(call)]
    assert len(writes) == len(MERGED[provider])
    for call, expected in zip(writes, MERGED[provider]):
        assert {**expected, "state": "present"}.items() <= {**call, "records": trimmed(call)}.items()
    assert all(map(is_read, recorded[: len(recorded) - len(writes)])), "a set was written before all were read"
    assert len(recorded) > len(writes)


def trimmed(call: dict[str, Any]) -> list[dict[str, Any]]:
    """Azure's records without unset options."""
    return [{k: v for k, v in one.items() if v is not None} for one in call.get("records") or []]


@pytest.mark.slow
@pytest.mark.parametrize("provider", MERGED)
def test_verify_only_reads(tmp_path: Path, provider: str) -> None:
    recorded = calls(tmp_path, provider, "verified")
    assert recorded
    assert all(map(is_read, recorded))


@pytest.mark.slow
@pytest.mark.parametrize("provider", EXPECTED)
def test_verify_only_makes_no_call(tmp_path: Path, provider: str) -> None:
    assert calls(tmp_path, provider, "verified") == []
