# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands of services, as the shell of a host runs them."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._deploy import commands
from ansible_collections.certops.gogetssl.plugins.module_utils._deploy.services import TABLE, Service

pytestmark = pytest.mark.host


def shell(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("command", "error", "missing"),
    [
        ("sh -c 'echo bad: ü >&2; echo out; exit 3'", "bad: ü.", False),
        ("sh -c 'echo It failed.; exit 1'", "It failed.", False),
        ("false", "false failed with exit code 1.", False),
        ("sh -c 'kill -9 $$'", "did not finish within 20 seconds and was stopped.", False),
        ("sh -c 'exit 124'", "sh -c exit 124 did not finish within 20 seconds and was stopped.", False),
        ("no-such-program-51c2 -t", "no-such-program-51c2", True),
        ("nginx 'x", "nginx 'x cannot run: it has an unclosed quote.", False),
    ],
)
def test_a_command_that_fails(command: str, error: str, missing: bool) -> None:
    for service in (Service("x", test=command), Service("x", reload=command)):
        failure = (commands.test if service.test else commands.reload)(shell, service, 20)
        assert failure is not None
        assert error in failure.error
        assert failure.missing is missing


def test_a_command_that_hangs_is_ended() -> None:
    failure = commands.test(shell, Service("x", "sleep 600"), 1)
    assert failure == ("sleep 600 did not finish within 1 seconds and was stopped.", False)


def test_commands_run_without_a_shell_and_know_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", str(tmp_path))
    assert commands.reload(shell, Service("x", reload="touch '$PLACE/a;b' ${PLACE}/c"), 20) is None
    assert sorted(os.listdir(tmp_path)) == ["a;b", "c"]


def test_what_has_no_command_does_nothing() -> None:
    assert commands.test(shell, Service("x"), 20) is None
    assert commands.reload(shell, TABLE["custom"], 20) is None


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("name", ["nginx", "tomcat"])
@pytest.mark.parametrize("manager", ["systemctl", "rc-service", "service"])
def test_a_unit_is_reloaded_or_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: str, name: str, running: bool
) -> None:
    """With stubs of the program that manages services here."""
    for program in ("systemctl", "rc-service", "service")[("systemctl", "rc-service", "service").index(manager) :]:
        path = tmp_path / program
        state = 0 if running else 3
        path.write_text(
            f"#!/bin/sh\ncase $* in *is-active*|*status*) exit {state};; esac\necho {program} $* >> {tmp_path}/calls\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    service = TABLE[name]
    system = tmp_path / "system"
    if manager == "systemctl":
        system.mkdir()
    monkeypatch.setattr(commands, "_UNIT", commands._UNIT.replace("/run/systemd/system", shlex.quote(str(system))))
    assert commands.reload(shell, service, 20) is None
    action = "start" if not running else "restart" if name == "tomcat" else "reload"
    words = [action, service.unit] if manager == "systemctl" else [service.unit, action]
    assert (tmp_path / "calls").read_text().split() == [manager, *words]


@pytest.mark.parametrize(("service", "unit"), [("nginx", "nginx*"), ("apache", "apache2"), ("tomcat", "tomcat10")])
def test_the_journal_of_a_service(service: str, unit: str) -> None:
    seen: list[str] = []

    def answer(script: str) -> CommandResult:
        seen.append(script)
        return CommandResult(0, "\n".join("123456789"), "")

    assert commands.journal(answer, TABLE[service]) == list("56789")
    assert shlex.split(seen[0])[:4] == ["timeout", "-k", "5", "30"]
    assert shlex.split(seen[0])[-1] == f"--unit={unit}"


def test_a_journal_that_cannot_be_read_is_empty() -> None:
    assert commands.journal(lambda script: CommandResult(127, "", "no journalctl"), TABLE["nginx"]) == []
