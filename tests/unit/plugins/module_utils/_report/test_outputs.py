# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML, metrics, CSV and JSON with hostile names, reasons and vendor texts."""

from __future__ import annotations

import csv
import datetime as dt
import html.parser
import io
import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._report import html as page
from ansible_collections.certops.gogetssl.plugins.module_utils._report import metrics, tables, timeline
from ansible_collections.certops.gogetssl.plugins.module_utils._report.account import Account
from ansible_collections.certops.gogetssl.plugins.module_utils._report.rows import Row

from .fleet import NOW, account, certificate, host, rows_of, unreachable

EVIL = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</title></style></script><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}{# x",
    "&lt;b&gt; &amp; `x`",
    "javascript:alert(1)",
]
FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1+1"]
LABELS = ['quo"te', "back\\slash", 'end\\"', "new\nline", "}", "{x='1'}", "\u00e4\u20ac\u4e2d", "a,b=c"]


def hostile(text: str) -> list[Row]:
    """Rows with the text in every field that is text."""
    one = certificate(
        text, names=[text, "b"], reason=text, key_type=text, issuer=text, serial=text,
        served=[{"listener": text, "matches": False, "answers": True, "not_after": None}],
    )  # fmt: skip
    found = [host(text, one), {**unreachable(text, text), "result": {"unreachable": True, "msg": text}}]
    found[0]["certificates"][0].update(order_host=text, product=text)
    return rows_of(*found, of=account((7, text, text)))


def rendered(rows: list[Row], of: Account | None = None, findings: Any = None, title: str = "Certificates") -> str:
    events = timeline.plan(rows, NOW.date())
    return page.render(rows, of or account(), events, findings, title, NOW)


class Elements(html.parser.HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("text", EVIL + LABELS + FORMULAS)
def test_the_page_shows_every_text_as_text(text: str) -> None:
    finding = page.ShownDifference(text, "bad", 1, text, text, text, text, text)
    found = Elements(rendered(hostile(text), account(error=text), [finding], title=text))
    plain = Elements(
        rendered(hostile("plain"), account(error="plain"), [page.ShownDifference("plain", "bad", 1, *["x"] * 5)])
    )
    assert found.tags == plain.tags
    assert found.attributes == plain.attributes
    assert not any(name.startswith("on") or name in ("href", "src") for name in found.attributes)
    assert any(" ".join(text.split()) in word for word in found.words)


def test_the_page_allows_only_its_own_script_and_no_network() -> None:
    text = rendered(rows_of(host("web1", certificate())))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"https?://|url\(|@import|<link|<img|<iframe", text)


def test_an_empty_fleet_is_a_page_and_a_sentence() -> None:
    assert "No host of the inventory has certificates" in rendered([])
    assert tables.lines([], NOW) == ["The hosts have no certificates."]
    assert metrics.render([], Account(), [], {}, NOW).count("\n") > 10


@pytest.mark.parametrize("text", FORMULAS + EVIL + LABELS)
def test_no_cell_is_a_formula_and_every_cell_can_be_read(text: str) -> None:
    first, second = csv.DictReader(io.StringIO(tables.to_csv(hostile(text)), newline=""))
    shown = " ".join(text.split()) if not text.isprintable() else text
    for row in (first, second):
        assert all(not value.startswith(tables._FORMULA) for value in row.values())
        assert row["host"].removeprefix("'") == shown


def test_no_cell_becomes_a_formula_in_other_programs() -> None:
    """Some programs ignore spaces before a formula, and some split at semicolons."""
    text = tables.to_csv([*hostile(" =1+1"), *hostile("x;=1+1")])
    assert '"\' =1+1"' in text
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
    assert '"x;=1+1"' in text


@pytest.mark.parametrize("text", FORMULAS + EVIL + LABELS)
def test_json_is_the_same_data(text: str) -> None:
    found = json.loads(tables.to_json(hostile(text), {"a": 1}))
    assert found["a"] == 1
    assert [row["host"] for row in found["certificates"]] == [" ".join(text.split())] * 2
    assert json.loads(tables.to_json([], {})) == {"certificates": []}


SAMPLE = re.compile(r'(gogetssl_[a-z0-9_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.e+]+)')


@pytest.mark.parametrize("text", FORMULAS + EVIL + LABELS)
def test_metrics_can_be_read_with_any_label(text: str) -> None:
    rows = hostile(text)
    lines = metrics.render(rows, account(balance=1050), timeline.plan(rows, NOW.date()), {"unused": 1}, NOW)
    seen = set()
    for line in lines.splitlines():
        if not line.startswith("# "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert (match[1], match[2]) not in seen
            seen.add((match[1], match[2]))


def test_metrics_have_seconds_and_no_value_twice() -> None:
    rows = rows_of(host("web1", certificate("shop", 100), certificate("shop", 50)), of=account((7, "active", "x")))
    text = metrics.render(rows, account(balance=1050), [], {}, NOW)
    end = dt.datetime(2026, 11, 26, 12, tzinfo=dt.timezone.utc) + dt.timedelta(days=50)
    label = '{host="web1",certificate="shop"}'
    assert f"gogetssl_certificate_not_after_timestamp_seconds{label} {end.timestamp():.0f}\n" in text
    assert text.count(f"gogetssl_certificate_served{label} ") == 1
    assert 'gogetssl_account_balance{currency="EUR"} 10.50\n' in text
    assert 'gogetssl_certificates{state="ok"} 2\n' in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
@pytest.mark.parametrize("text", ["shop", *LABELS])
def test_promtool_accepts_the_metrics(text: str) -> None:
    rows = hostile(text)
    lines = metrics.render(rows, account(balance=1), timeline.plan(rows, NOW.date()), {"unused": 1}, NOW)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=lines, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_lines_of_the_console() -> None:
    many = [certificate(f"c{number:02}", 60, step="obtain", reason=f"c{number:02}: ends soon.") for number in range(25)]
    found = tables.lines(rows_of(host("web1", *many, certificate("fine", 100))), NOW)
    assert found[0] == "c00 on web1: due: ends soon; ends on 2027-01-25 (in 60 d)"
    assert found[-2:] == ["5 more; see the report.", "1 of 26 certificates need nothing."]
    assert len(found) == tables.LINES + 2


def test_certificates_below_a_number_of_days() -> None:
    none = dict.fromkeys(("not_before", "not_after", "replace_from", "order_id", "term_end"))
    rows = rows_of(
        host("web1", certificate("a", 9), certificate("b", 10.5), certificate("c", -1)),
        host("web2", certificate("d", 50, **none, served=[], step="obtain")),
        unreachable("gone", "e"),
    )
    assert sorted(row.name for row in tables.ending_before(rows, 10, NOW)) == ["a", "c", "d"]
