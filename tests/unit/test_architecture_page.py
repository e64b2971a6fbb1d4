# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The architecture page names exactly the files of the packages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
UTILS = ROOT / "plugins" / "module_utils"


def test_every_file_of_the_packages_is_on_the_page() -> None:
    """Task files have the names of their modules, so the page does not list them."""
    files = {path.relative_to(UTILS).as_posix() for path in UTILS.rglob("*.py")}
    named = set(re.findall(r"`(_[a-z]+/[a-z0-9_]+\.py)`", PAGE))
    assert {file for file in files if not file.startswith("_tasks/")} <= named
    assert named <= files


def test_every_file_of_the_controller_is_on_the_page() -> None:
    plugins = ROOT / "plugins"
    files = {path.relative_to(plugins).as_posix() for path in (plugins / "plugin_utils").rglob("*.py")}
    assert set(re.findall(r"`(plugin_utils/[a-z0-9_/]+\.py)`", PAGE)) == files


def test_every_task_file_has_its_module() -> None:
    tasks = {path.stem for path in (UTILS / "_tasks").glob("*.py")}
    modules = {path.stem.removeprefix("gogetssl_") for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert tasks == modules
