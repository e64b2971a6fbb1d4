# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of services, and what the role and its users set for them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._deploy.services import (
    OPTIONS,
    TABLE,
    Service,
    command_problem,
    read_services,
    service_commands,
)

ROLE = Path(__file__).resolve().parents[5] / "roles" / "gogetssl"
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())


def test_the_role_has_the_same_defaults() -> None:
    for service in TABLE.values():
        for option in OPTIONS:
            default = DEFAULTS.get(f"gogetssl_{service.name}_{option}", getattr(service, option))
            assert getattr(service, option) in default  # the default unit of Apache depends on the distribution
            assert not default or getattr(service, option)


def test_commands_are_those_of_the_settings() -> None:
    settings = {
        "nginx_test": "/opt/nginx -t",
        "nginx_reload": "",
        "apache_unit": "httpd",
        "service_tasks": {"dovecot": "x"},
    }
    found = service_commands(settings)
    assert set(found) == set(TABLE) - {"dovecot"}
    assert (found["nginx"], found["apache"], found["custom"]) == (
        {"test": "/opt/nginx -t", "reload": ""},
        {"unit": "httpd"},
        {},
    )


def test_services_have_the_given_commands_and_otherwise_the_usual_ones() -> None:
    given = {"nginx": {"test": "/opt/nginx -t", "reload": "", "unit": None}, "broker": {"reload": "x"}}
    found = read_services(["tomcat", "nginx", "broker", "exim", "unknown"], given, ["exim"])
    assert list(found.values()) == [
        TABLE["tomcat"],
        Service("nginx", "/opt/nginx -t", unit="nginx"),
        Service("broker", reload="x"),
        Service("exim", hook=True),
        Service("unknown"),
    ]
    assert [one.reloads for one in found.values()] == [True, True, True, True, False]


def test_a_task_file_replaces_the_commands() -> None:
    assert read_services(["nginx"], {"nginx": {"test": "x"}}, ["nginx"]) == {"nginx": Service("nginx", hook=True)}


@pytest.mark.parametrize(
    ("command", "syntax"),
    [
        ("kill -0 $(cat /run/x.pid)", "$(cat"),
        ("kill -0 `cat /run/x.pid`", "`cat"),
        ("true && true", "&&"),
        ("true | cat", "|"),
        ("true || false", "||"),
        ("true; false", "true;"),
        ("true ; false", ";"),
        ("reload &", "&"),
        ("touch x > /dev/null", ">"),
        ("touch x >/dev/null", ">/dev/null"),
        ("touch x 2>&1", "2>&1"),
        ("cd /", "cd"),
        (". /etc/profile", "."),
        ("LANG=C true", "LANG=C"),
        ("systemctl reload broker", ""),
        ("sh -c 'kill $(cat /run/x.pid) && true'", ""),
        ("/bin/bash -c 'LANG=C true > /dev/null'", ""),
        ("kill -HUP $PID", ""),
        ("notify --to=a@b.example --text 'a; b > c'", ""),
        ("", ""),
    ],
)
def test_shell_syntax_is_recognized(command: str, syntax: str) -> None:
    why = command_problem(command)
    assert why.startswith(f"{syntax} has a meaning in a shell only") if syntax else not why
