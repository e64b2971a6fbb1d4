# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that GoGetSSL makes, through a real ansible-playbook: staged on the host, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import NAMES, Bench

pytestmark = pytest.mark.slow


def play(bench: Bench, *arguments: str) -> Any:
    task = {
        "certops.gogetssl.gogetssl_csr": {
            "directory": str(bench.store),
            "certificates": [{"name": "shop", "names": NAMES, "product": "68"}],
            "generator": "gogetssl",
        },
        "register": "made",
    }
    content = [{"hosts": "web1", "gather_facts": False, "tasks": [task, {"ansible.builtin.debug": {"var": "made"}}]}]
    playbook = bench.directory / "generate.yml"
    playbook.write_text(yaml.safe_dump(content, sort_keys=False))
    return bench.run(
        *arguments, playbook=str(playbook), env={"ANSIBLE_DEBUG": "1", "ANSIBLE_LOCAL_TEMP": str(_tmp(bench))}
    )


def _tmp(bench: Bench) -> Path:
    folder = bench.directory / "local-tmp"
    folder.mkdir(exist_ok=True)
    return folder


def test_a_key_is_on_the_host_and_in_no_output(bench: Bench) -> None:
    run = play(bench, "-vvvvv", "--diff")
    assert run.code == 0, run.output
    key = (bench.store / "shop" / "staged" / "privkey.pem").read_text()
    assert "GoGetSSL made the private key" in run.output
    body = key.splitlines()[5]
    assert len(body) == 64
    assert body not in run.output
    assert bench.emulator.password not in run.output
    assert [path for path in _tmp(bench).rglob("*") if path.is_file() and body.encode() in path.read_bytes()] == []
    again = play(bench)
    assert (again.code, (bench.store / "shop" / "staged" / "privkey.pem").read_text()) == (0, key)
    calls = [entry["path"] for entry in bench.emulator.requests()]
    assert calls.count("/api/tools/csr/generate/") == 1
