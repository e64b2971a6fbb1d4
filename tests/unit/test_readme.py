# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first playbook and the rehearsal of README fit the role, its products, its libraries and the emulator."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CONTACTS_SPEC
from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.variables import role_variables
from tests.emulator import __main__ as emulator

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "roles/gogetssl/README.md")
SPEC = yaml.safe_load((ROOT / "roles" / "gogetssl" / "meta" / "argument_specs.yml").read_text())["argument_specs"]
OPTIONS: dict[str, Any] = SPEC["main.yml"]["options"]


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(text) for _indent, text in found]


def first_play(page: str) -> dict[str, Any]:
    play: dict[str, Any] = yaml.safe_load(next(text for text in blocks(page, "yaml") if text.startswith("- hosts")))[0]
    return play


@pytest.mark.parametrize("page", PAGES)
def test_the_role_accepts_the_first_playbook(page: str) -> None:
    play = first_play(page)
    assert play["become"] is True
    given = play["roles"][0]["vars"]
    assert set(given) <= set(OPTIONS)
    found = role_variables([given.get(name, "") for name in OPTIONS], OPTIONS, {})
    assert found["errors"] == []
    assert set(given["gogetssl_admin"]) == {"firstname", "lastname", "title", "email", "phone"}


def test_the_example_of_the_role_page_is_accepted() -> None:
    given = yaml.safe_load(SPEC["main.yml"]["examples"])[0]["roles"][0]["vars"]
    assert role_variables([given.get(name, "") for name in OPTIONS], OPTIONS, {})["errors"] == []


def test_ansible_does_not_validate_the_options_for_every_host() -> None:
    """It looks for the name `main`. The page still names the entry point by its file."""
    assert list(SPEC) == ["main.yml"]
    assert (ROOT / "roles" / "gogetssl" / "tasks" / "main.yml").exists()


def test_the_files_of_nginx_are_those_of_the_certificate() -> None:
    (server,) = blocks("README.md", "nginx")
    name = first_play("README.md")["roles"][0]["vars"]["gogetssl_certificates"][0]["name"]
    files = re.findall(r"/etc/gogetssl/([\w-]+)/current/(\w+\.pem);", server)
    assert files == [(name, "fullchain.pem"), (name, "privkey.pem")]


def test_the_contacts_for_ov_are_complete() -> None:
    text = next(text for text in blocks("README.md", "yaml") if text.startswith("gogetssl_organization"))
    given = yaml.safe_load(text)
    optional = {"fax", "duns", "lei"}
    for contact in ("organization", "admin"):
        assert set(given[f"gogetssl_{contact}"]) == set(CONTACTS_SPEC[contact]["options"]) - optional
    found = role_variables([given.get(name, "") for name in OPTIONS], OPTIONS, {"gogetssl_certificates": []})
    assert found["errors"] == []


def test_the_rehearsal_fits_the_emulator_and_the_first_playbook() -> None:
    text = next(text for text in blocks("README.md", "sh") if "tests.emulator" in text)
    packages = re.findall(r"^pip install (.*)$", text, re.MULTILINE)
    assert " ".join(packages).split() == ["flask", "cryptography", "dnspython", "requests"]
    arguments = shlex.split(re.findall(r"-m tests\.emulator (.*) &$", text, re.MULTILINE)[0])
    settings = emulator._arguments(arguments)
    port, user, password = re.findall(
        r"API_URL=\S+:(\d+)/api GOGETSSL_API_USER=(\S+) GOGETSSL_API_PASSWORD=(\S+)", text
    )[0]
    assert (settings.port, settings.password) == (int(port), password)
    assert f'"user", "{user}"' in (ROOT / "tests" / "emulator" / "backend.py").read_text()
    given = json.loads(re.findall(r"-e '(\{.*\})'$", text, re.MULTILINE)[0])
    certificate = first_play("README.md")["roles"][0]["vars"]["gogetssl_certificates"][0]
    assert list(given) == ["gogetssl_resolve"]
    assert list(given["gogetssl_resolve"]) == certificate["names"]
    assert f"rm -r /etc/gogetssl/{certificate['name']} " in text


def test_readme_says_how_to_use_a_checkout_the_sandbox_and_an_inventory() -> None:
    text = (ROOT / "README.md").read_text()
    assert re.search(
        r"ansible-galaxy collection install certops.gogetssl +# in a checkout of this repository: install \.", text
    )
    (sandbox,) = re.findall(r"Sandbox: `(\S+)`", (ROOT / "docs" / "api-reference.md").read_text())
    assert f"GOGETSSL_API_URL={sandbox}`" in text
    assert "`ansible_become: true`" in text
    assert "ansible-playbook -i inventory certops.gogetssl.issue" in text


def test_the_libraries_are_those_of_the_collection() -> None:
    (line,) = re.findall(r"^pip install (.*ansible-core.*)$", "\n".join(blocks("README.md", "sh")), re.MULTILINE)
    required = re.findall(r"^([a-z0-9].*)$", (ROOT / "meta" / "ee-requirements.txt").read_text(), re.MULTILINE)
    assert set(required) <= set(shlex.split(line))
    core = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert f"ansible-core{core}" in shlex.split(line)
