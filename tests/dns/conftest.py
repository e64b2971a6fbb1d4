# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import _task
from ansible_collections.certops.gogetssl.plugins.module_utils._shell import CommandResult

from .servers import KEY, Bind, bind


@pytest.fixture(scope="session")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with bind(tmp_path_factory.mktemp("bind")) as servers:
        yield servers


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(named: Bind) -> Run:
    """Runs a task as the controller would, this machine being the host, with what it has to know of the servers."""

    def task(task: _task.Task, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given: dict[str, Any] = {"resolve": named.places, "nameservers": named.nameservers}
        if "key_secret" in task.argument_spec:
            given.update(key_name=KEY, key_secret=named.secret)
        spec = {
            name: {k: v for k, v in entry.items() if k != "fallback_env"} for name, entry in task.argument_spec.items()
        }
        validated = ArgumentSpecValidator(spec, **task.rules).validate({**given, **options})
        assert not validated.error_messages, validated.error_messages
        warnings: list[str] = []
        context = _task.Context(validated.validated_parameters, check_mode, _shell, _no_api, warnings.append)
        return task.run(context)

    return task


def _shell(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def _no_api() -> Any:
    raise AssertionError("DNS needs no API")


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return str(tmp_path / "gogetssl")
