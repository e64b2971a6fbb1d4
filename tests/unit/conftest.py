# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints the figures that tests record with `record_property("figure", ...)` at the end of the run."""

from __future__ import annotations

import re
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    passed = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    figures = [text for report in passed for name, text in report.user_properties if name == "figure"]
    if not figures:
        return
    terminalreporter.section("figures")
    for text in figures:
        terminalreporter.line(text)
    points = sum(int(number) for text in figures for number in re.findall(r"(\d+) (?:kill points|kills)\b", text))
    # A test that finds an inconsistent state fails.
    if points and not {"failed", "error"} & set(terminalreporter.stats):
        terminalreporter.line(f"kill points tried: {points}, torn states: 0")
