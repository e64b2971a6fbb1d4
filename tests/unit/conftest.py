# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints the figures that tests record with `record_property("figure", ...)` at the end of the run.

A test that changes the umask does not change it for the next ones.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _same_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


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
