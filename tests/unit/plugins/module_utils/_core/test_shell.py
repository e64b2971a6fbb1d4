# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core import shell
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult

SSH = "Shared connection to 10.99.1.2 closed.\r\n"
DENIED = "Permission denied reading /etc/gogetssl; is become: true missing?"


@pytest.mark.parametrize(
    ("stdout", "stderr", "reason"),
    [
        ("", DENIED + "\n", DENIED),
        (f"#gogetssl shop order.json\r\n{{}}\r\n{DENIED}\r\n", SSH, DENIED),  # ssh with a terminal
        ("", SSH, "exit code 13; is become: true missing?"),
        ("", "Connection to web1 closed.\n", "exit code 13; is become: true missing?"),
        ("x\n", f"No space left\n{SSH}", "No space left."),
        ("", "", "exit code 13; is become: true missing?"),
    ],
)
def test_the_reason_of_a_failed_script(stdout: str, stderr: str, reason: str) -> None:
    with pytest.raises(GogetsslError) as raised:
        shell.output(CommandResult(13, stdout, stderr), "Reading")
    assert raised.value.message == f"Reading failed on the host: {reason}"


def test_the_output_of_a_script() -> None:
    assert shell.output(CommandResult(0, "text", SSH), "Reading") == "text"


@pytest.mark.host
def test_a_script_on_this_host() -> None:
    assert shell.run_here("cat; echo out; printf 'bad \\377' >&2; exit 3") == (CommandResult(3, "out\n", "bad \udcff"))
    assert len(shell.run_here("head -c 3000000 /dev/zero").stdout) == 3_000_000


@pytest.mark.host
@pytest.mark.parametrize("writes", ["while :; do echo x; sleep 0.05; done", "yes", "sleep 60"])
def test_a_process_in_the_background_that_keeps_the_output_open(writes: str) -> None:
    started = time.monotonic()
    result = shell.run_here(f"echo started; timeout 60 sh -c '{writes}' & echo ended")
    assert result.rc == 0
    assert "ended" in result.stdout
    assert time.monotonic() - started < 20


@pytest.mark.host
def test_output_without_an_end_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "MOST_BYTES", 1 << 20)
    assert shell.run_here("timeout 60 yes") == CommandResult(1, "", "the command printed more than 1 MiB")
