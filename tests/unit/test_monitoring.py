# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sample alert rules and the dashboard use the metrics of the report."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .plugins.module_utils._report.fleet import NOW, account, certificate, host, rows_of

MONITORING = Path(__file__).parents[2] / "extensions" / "monitoring"
RULES, TESTS, DASHBOARD = (
    MONITORING / name for name in ("gogetssl.rules.yml", "gogetssl.rules.test.yml", "grafana-dashboard.json")
)


def test_rules_and_dashboard_use_metrics_of_the_report() -> None:
    from ansible_collections.certops.gogetssl.plugins.module_utils._report import metrics

    text = metrics.render(rows_of(host("web1", certificate())), account(balance=1), [], {"unused": 1}, NOW)
    known = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    used = set(re.findall(r"\bgogetssl_\w+", " ".join([RULES.read_text(encoding="utf-8"), *expressions])))
    assert len(expressions) > 5
    assert used <= known


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
@pytest.mark.parametrize("command", [("check", RULES), ("test", TESTS)], ids=["check", "test"])
def test_promtool_accepts_the_rules(command: tuple[str, Path]) -> None:
    verb, path = command
    done = subprocess.run(
        ["promtool", verb, "rules", path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
