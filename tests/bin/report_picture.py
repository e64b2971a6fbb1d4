# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/report.png, the picture of the report: `python -m tests.bin.report_picture`. Needs Chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmark.report import page
from tests.bin.browser import Browser

PICTURE = Path(__file__).parents[2] / "docs" / "report.png"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Browser() as browser:
        path = Path(directory) / "report.html"
        path.write_text(page(300), encoding="utf-8")
        browser.size(1500, 1050)
        browser.open(path.as_uri())
        PICTURE.write_bytes(browser.picture())


if __name__ == "__main__":
    main()
