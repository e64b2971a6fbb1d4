# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page in a real browser: it sorts, filters, prints and needs neither script nor network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._report import timeline
from tests.bin.browser import PROGRAM, Browser

from .fleet import NOW, account, certificate, host, rows_of, unreachable
from .test_outputs import EVIL, hostile, rendered

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed (Debian package chromium)")

NAMES = "[...document.querySelectorAll('#certificates tbody tr:not([hidden]) td.name b')].map(b => b.textContent)"
FILTERED = "new Promise(done => setTimeout(done, 200))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Any:
    """Open a page; what the console reports and any request to a network are errors."""

    def shown(text: str) -> Browser:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        browser.problems.clear()
        browser.open(path.as_uri())
        return browser

    yield shown
    assert browser.problems == []


def fleet() -> str:
    rows = rows_of(
        host("web1", certificate("shop2", 50, step="obtain"), certificate("shop10", 150), certificate("mail", -3)),
        unreachable("gone", "api"),
        of=account((7, "active", "x")),
    )
    assert timeline.plan(rows, NOW.date())
    return rendered(rows)


def test_the_table_sorts_and_filters(show: Any) -> None:
    page = show(fleet())
    assert page.evaluate(NAMES) == ["mail", "api", "shop2", "shop10"]
    head = "document.querySelectorAll('#certificates th button')[{}].click()"
    page.evaluate(head.format(1))
    assert page.evaluate(NAMES) == ["api", "mail", "shop2", "shop10"]
    page.evaluate(head.format(1))
    assert page.evaluate(NAMES) == ["shop10", "shop2", "mail", "api"]
    page.evaluate(head.format(3))
    assert page.evaluate(NAMES) == ["mail", "shop2", "shop10", "api"]  # a row without a date is last
    page.evaluate("document.querySelector('button.tile[data-state=ok]').click()")
    assert page.evaluate(NAMES) == ["shop10"]
    page.evaluate("document.getElementById('reset').click()")
    assert page.evaluate(NAMES) == ["mail", "api", "shop2", "shop10"]
    page.evaluate(
        "(i => {i.value = 'SHOP web1'; i.dispatchEvent(new Event('input'))})(document.getElementById('filter'))"
    )
    page.evaluate(FILTERED)
    assert page.evaluate(NAMES) == ["shop2", "shop10"]
    assert page.evaluate("document.getElementById('shown').textContent") == "2 of 4 rows"


@pytest.mark.parametrize("text", EVIL)
def test_hostile_texts_do_not_run(show: Any, text: str) -> None:
    page = show(rendered(hostile(text), title=text))
    assert page.evaluate("document.title") == text
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("document.querySelectorAll('img').length") == 0


def test_the_page_is_complete_without_script(show: Any, browser: Browser) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page = show(fleet())
        assert page.evaluate(NAMES) == ["mail", "api", "shop2", "shop10"]
        assert page.evaluate("getComputedStyle(document.querySelector('.tools')).display") == "none"
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_the_page_fits_a_phone_and_the_dark(show: Any, browser: Browser) -> None:
    light = show(fleet()).evaluate("getComputedStyle(document.body).backgroundColor")
    browser.size(390, 844)
    browser.scheme("dark")
    try:
        page = show(fleet())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    finally:
        browser.scheme("light")
        browser.call("Emulation.clearDeviceMetricsOverride")
