# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a seed take less time changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._host import interrupted_files
from tests.chaos import quick
from tests.chaos.runs import Run, Site
from tests.chaos.seeds import run_seed
from tests.chaos.simulated import Vendor


def test_an_inspection_in_this_process_prints_what_the_script_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    inspect, compared = quick.inspect, []

    def inspect_twice(script: str) -> quick.CommandResult | None:
        result = inspect(script)
        if result:
            assert result == quick.run_program(script)
            compared.append(result.stdout)
        return result

    monkeypatch.setattr(quick, "inspect", inspect_twice)
    with Vendor() as vendor:
        for seed in (3, 16):
            run_seed(vendor, seed)
    for part in ("intent.json", "order.json", "staged/request.csr", "current/public"):
        assert any(f" {part}\n" in text for text in compared), part


def test_the_script_runs_where_it_reports_an_interrupted_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts: list[str] = []
    monkeypatch.setattr(quick, "run_shell", lambda script: scripts.append(script) or quick.run_program(script))
    with Vendor() as vendor:
        vendor.set(dcv_mode="pass", issuance_delay=0.0)
        site = Site(tmp_path, vendor)
        assert (Run(site)(), Run(site)()) == ("done", "healthy")
    script = scripts[-1]
    assert quick.inspect(script)
    for place in (tmp_path, site.root, site.root / "current"):
        file = place / f"{interrupted_files.SCRATCH}x"
        file.touch()
        assert quick.inspect(script) is None
        file.unlink()


def test_a_script_is_paused_where_it_is_interrupted() -> None:
    seen: list[str] = []
    script = "for n in 1 2; do echo $n\necho again; done"
    result = quick.run_interrupted(script, script.index("\n"), lambda: seen.append("paused"))
    assert (result.rc, result.stdout, seen) == (0, "1\nagain\n2\nagain\n", ["paused"])
    never = "exit 3\necho never"
    assert quick.run_interrupted(never, never.index("\n"), lambda: seen.append("never")).rc == 3
    assert seen == ["paused"]
