# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of services: the role accepts their plays, and the test hosts use their configuration."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._deploy.services import TABLE
from ansible_collections.certops.gogetssl.plugins.module_utils._request.endpoints import HTTPS, SERVICES
from ansible_collections.certops.gogetssl.plugins.module_utils._request.layout import read_layout

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "gogetssl"
PAGES = {page.stem: page.read_text() for page in (ROOT / "docs" / "services").glob("*.md")}
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
SPEC = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main.yml"]["options"]
SCENARIOS = ROOT / "extensions" / "molecule"
# The configuration of the services in the scenarios on real hosts.
RUNNING = {
    "nginx": SCENARIOS / "_shared" / "tls.conf",
    "apache": SCENARIOS / "services" / "files" / "apache.conf",
    "haproxy": SCENARIOS / "services" / "files" / "haproxy.cfg",
    "postfix": SCENARIOS / "services" / "files" / "main.cf",
    "dovecot": SCENARIOS / "services" / "files" / "dovecot.conf",
    "tomcat": SCENARIOS / "services" / "files" / "server.xml",
}


def blocks(page: str) -> list[tuple[str, str]]:
    """The code blocks of a page as (language, text)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE)


def plain(line: str) -> str:
    """A line without the name of its certificate."""
    return re.sub(r"/etc/gogetssl/[\w.-]+/", "/etc/gogetssl/NAME/", line.strip())


def plays(page: str) -> list[dict[str, t.Any]]:
    found = [entry for language, text in blocks(page) if language == "yaml" for entry in yaml.safe_load(text)]
    return [entry for entry in found if "hosts" in entry]  # others are tasks


def test_every_service_has_a_page_that_is_linked() -> None:
    assert set(PAGES) == set(TABLE)
    overview = (ROOT / "docs" / "services.md").read_text()
    assert set(re.findall(r"\| \[(\w+)\]\(services/\1\.md\) \|", overview)) == set(PAGES)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_plays_are_accepted_by_the_role(page: str) -> None:
    assert plays(page)
    for play in plays(page):
        assert set(play) == {"hosts", "become", "roles", "vars"}
        assert play["become"] is True
        assert set(play["vars"]["gogetssl_admin"]) == {"firstname", "lastname", "title", "email", "phone"}
        served = page in ("nginx", "apache")  # by the web root; other hosts have no web server
        assert play["vars"].get("gogetssl_http_publisher") == (None if served else "validation_server")
        assert play["roles"] == ["certops.gogetssl.gogetssl"]
        assert set(play["vars"]) <= set(SPEC)
        result = ArgumentSpecValidator({name: SPEC[name] for name in play["vars"]}).validate(play["vars"])
        assert not result.error_messages
        known = {page, *play["vars"].get("gogetssl_service_tasks", {})}
        assert {service for one in play["vars"]["gogetssl_certificates"] for service in one["services"]} <= known


@pytest.mark.parametrize("page", sorted(RUNNING))
def test_the_configuration_matches_the_tested_one(page: str) -> None:
    lines = [plain(line) for language, text in blocks(page) if language != "yaml" for line in text.splitlines()]
    running = [plain(line) for line in RUNNING[page].read_text().splitlines()]
    assert lines
    assert [line for line in lines if line and line not in running] == []


@pytest.mark.parametrize("page", sorted(RUNNING))
def test_the_files_match_the_play(page: str) -> None:
    certificate = plays(page)[0]["vars"]["gogetssl_certificates"][0]
    produced = {f"/etc/gogetssl/{certificate['name']}/current/{file}" for file in read_layout(certificate).files}
    # Keystores need a form, which the page describes after the shortest play.
    named = set(re.findall(r"/etc/gogetssl/[\w./-]+", PAGES[page])) - {"/etc/gogetssl/app/current/keystore.p12"}
    assert named
    assert named <= produced


@pytest.mark.parametrize("page", sorted(PAGES))
def test_commands_and_listeners_match_the_role(page: str) -> None:
    assert f"gogetssl_{page}_test" in PAGES[page]
    assert f"gogetssl_{page}_reload" in PAGES[page]
    assert str(DEFAULTS[f"gogetssl_{page}_test"]) in PAGES[page]
    documented = re.search(r"^Usual listeners?: ([^.]*)\.", PAGES[page], re.MULTILINE)
    assert documented
    assert {int(port) for port in re.findall(r"\d+", documented.group(1))} == {
        port for port, _starttls in SERVICES.get(page, HTTPS)
    }
    assert ("STARTTLS" in documented.group(1)) is any(starttls for _port, starttls in SERVICES.get(page, HTTPS))
