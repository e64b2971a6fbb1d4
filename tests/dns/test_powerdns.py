# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API of PowerDNS, which replaces whole record sets: what others have there must never be gone."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _powerdns
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError

from .conftest import task_runner
from .powerdns import NEGATIVE_TTL, SECONDARY, PowerDns

CNAME = {"zone": "example.net", "name": "_a.www.example.net", "type": "CNAME", "value": "x.comodoca.com", "ttl": 60}
TXT = {"zone": "example.net", "name": "www.example.net", "type": "TXT", "values": ["_one", "_two"], "ttl": 60}
OTHER_ZONE = {"zone": "example.jp", "name": "_a.example.jp", "type": "CNAME", "value": "x.comodoca.com"}
THEIRS = ('"v=spf1 include:example.org -all"', '"with \\"quotes\\"" " in two parts"')

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def run(pdns: PowerDns) -> Call:
    def task(**options: Any) -> dict[str, Any]:
        return task_runner(_powerdns.TASK, **{"url": pdns.url, "key": pdns.key, **options})

    return task


@pytest.fixture(autouse=True)
def _clean(pdns: PowerDns) -> Iterator[None]:
    yield
    assert pdns.records() == [], "a test has left records"


def test_made_once_and_removed_once(pdns: PowerDns, run: Call) -> None:
    records = [CNAME, TXT, OTHER_ZONE]
    assert run(records=records, check_mode=True)["changed"]
    assert pdns.records() == []
    first = run(records=records)
    assert first["changed"]
    assert "_a.www.example.net CNAME x.comodoca.com\n" in first["diff"]["after"]
    assert len(first["records"]) == 4
    assert pdns.ask("_a.www.example.net", "CNAME") == ["x.comodoca.com."]
    assert pdns.ask("_a.example.jp", "CNAME") == ["x.comodoca.com."]
    assert pdns.ask("www.example.net", "TXT") == ['"_one"', '"_two"']
    assert not run(records=records)["changed"]
    assert run(records=records, state="absent")["diff"]["before"] == first["diff"]["after"]
    assert not run(records=records, state="absent")["changed"]
    assert pdns.ask("www.example.net", "A") == ["127.0.0.1"]


def test_what_others_have_in_the_same_set_stays_as_it_was(pdns: PowerDns, run: Call) -> None:
    """Values with quotes and in parts, one that is switched off, the set's time to live and its comment."""
    contents = [{"content": text, "disabled": text == THEIRS[1]} for text in THEIRS]
    comments = [{"content": "do not touch", "account": "somebody", "modified_at": 1}]
    pdns.put("example.net", "www.example.net", "TXT", *THEIRS, ttl=1234, records=contents, comments=comments)
    before = pdns.rrset("example.net", "www.example.net", "TXT")
    assert before
    run(records=[TXT])
    during = pdns.rrset("example.net", "www.example.net", "TXT")
    assert during
    assert (during["ttl"], during["comments"]) == (1234, before["comments"])
    assert [one for one in during["records"] if one not in before["records"]] == [
        {"content": '"_one"', "disabled": False},
        {"content": '"_two"', "disabled": False},
    ]
    assert [one for one in before["records"] if one not in during["records"]] == []
    run(records=[{**TXT, "values": ["_two"]}], state="absent")
    run(records=[{**TXT, "values": ["_one"]}], state="absent")
    after = pdns.rrset("example.net", "www.example.net", "TXT")
    assert after
    assert sorted(after["records"], key=str) == sorted(before["records"], key=str)
    assert (after["ttl"], after["comments"]) == (1234, before["comments"])
    pdns.put("example.net", "www.example.net", "TXT")


@pytest.mark.parametrize(
    ("name", "kind", "contents", "record"),
    [
        ("_a.www.example.net", "CNAME", ["theirs.example.org."], CNAME),
        ("_a.www.example.net", "TXT", ['"theirs"'], CNAME),
        ("_a.www.example.net", "NS", ["x.comodoca.com."], CNAME),
        ("cdn.example.net", "CNAME", ["edge.example.org."], {**TXT, "name": "cdn.example.net"}),
    ],
)
def test_what_stands_in_the_way_is_named_and_left_alone(
    pdns: PowerDns, run: Call, name: str, kind: str, contents: list[str], record: dict[str, Any]
) -> None:
    other = {**CNAME, "name": "_b.www.example.net"}
    with pdns.standing("example.net", name, kind, *contents):
        before = pdns.records()
        with pytest.raises(GogetsslError, match=rf"^{name} has .*{contents[0][:6]}.* as {kind} in PowerDNS") as caught:
            run(records=[other, record])
        assert "\n" not in caught.value.message
        assert pdns.records() == before
        assert not run(records=[record], state="absent")["changed"]
        assert pdns.records() == before


def test_an_alias_that_is_switched_off_is_somebodys_too(pdns: PowerDns, run: Call) -> None:
    off = [{"content": "theirs.example.org.", "disabled": True}]
    pdns.put("example.net", "_a.www.example.net", "CNAME", "-", records=off)
    with pytest.raises(GogetsslError, match="theirs"):
        run(records=[CNAME])
    pdns.put("example.net", "_a.www.example.net", "CNAME")


def test_a_proof_that_is_switched_off_is_switched_on(pdns: PowerDns, run: Call) -> None:
    off = [{"content": "X.comodoca.com.", "disabled": True}]
    pdns.put("example.net", "_a.www.example.net", "CNAME", "-", records=off)
    assert run(records=[CNAME])["changed"]
    assert pdns.ask("_a.www.example.net", "CNAME") == ["x.comodoca.com."]
    assert run(records=[CNAME], state="absent")["changed"]


def test_one_name_cannot_be_an_alias_of_two(run: Call) -> None:
    with pytest.raises(GogetsslError, match="more than one alias"):
        run(records=[CNAME, {**CNAME, "value": "y.comodoca.com"}])


def test_a_check_changes_nothing(pdns: PowerDns, run: Call) -> None:
    before = pdns.ask("example.net", "SOA")
    assert not run(records=[CNAME, TXT, OTHER_ZONE], state="checked")["changed"]
    assert pdns.ask("example.net", "SOA") == before
    assert before[0].endswith(f" {NEGATIVE_TTL}")


@pytest.fixture
def nobody() -> Iterator[str]:
    """A port that is taken and at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """A web server that is not PowerDNS: a page below /page, elsewhere a way to another place."""
    heard: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200 if self.path.startswith("/page") else 302)
            self.send_header("Location", "/page")
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
        server.shutdown()


def said(run: Call, **options: Any) -> str:
    with pytest.raises(GogetsslError) as caught:
        run(**{"records": [CNAME], **options})
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("state", ["checked", "present", "absent"])
def test_what_is_wrong_is_one_sentence(pdns: PowerDns, run: Call, nobody: str, state: str) -> None:
    missing = {**CNAME, "zone": "example.org", "name": "_a.example.org"}
    copy = {**CNAME, "zone": SECONDARY, "name": f"_a.{SECONDARY}"}
    where = f"PowerDNS at {pdns.url}"
    words = said(run, state=state, key="not-the-key")
    assert words.startswith(f"{where} does not let us in: HTTP 401. Check gogetssl_powerdns_key")
    assert "not-the-key" not in words
    assert said(run, state=state, records=[missing]).startswith(f"{where} has no zone example.org as its server")
    assert said(run, state=state, server_id="other").startswith(
        f"{where} has no zone example.net as its server 'other'"
    )
    assert said(run, state=state, records=[copy]).startswith(f"{where} has {SECONDARY} as a copy of another server's")
    assert said(run, state=state, url=nobody) == f"PowerDNS at {nobody} cannot be reached: connection refused."


def test_the_key_follows_no_redirect(run: Call, stranger: tuple[str, list[str]]) -> None:
    url, heard = stranger
    assert "HTTP 302" in said(run, url=url)
    assert len(heard) == 1
    assert said(run, url=f"{url}/page") == f"What answers at {url}/page is not the API of PowerDNS: it gave no JSON."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "ftp://127.0.0.1"}, "The address of PowerDNS is http://"),
        ({"url": "http://user:secret@127.0.0.1"}, "without a user"),
        ({"url": "http://127.0.0.1:port"}, "The address of PowerDNS is http://"),
        ({"key": "a\nb"}, "no HTTP header can hold"),
        ({"key": " "}, "or none"),
        ({"records": [{**CNAME, "name": "a b.example.net"}]}, "is refused as the name"),
    ],
)
def test_options_that_cannot_be_meant(run: Call, options: dict[str, Any], words: str) -> None:
    message = said(run, **options)
    assert words in message
    assert "secret" not in message


def test_an_address_with_the_path_of_the_api(pdns: PowerDns, run: Call) -> None:
    assert not run(records=[CNAME], state="checked", url=f"{pdns.url}/api/v1/")["changed"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_who_undoes_a_change_at_once_is_noticed(run: Call, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """A server whose record is always the other way round, as if somebody else wrote at the same time."""
    there = {"name": "_a.www.example.net.", "type": "CNAME", "ttl": 60, "records": [{"content": "x.comodoca.com."}]}
    asked: list[str] = []

    def call(method: str, _path: str, _body: Any = None) -> Any:
        asked.append(method)
        return {"kind": "Native", "rrsets": [there] if state == "absent" else []} if method == "GET" else None

    monkeypatch.setattr(_powerdns, "api", lambda _params: call)
    assert "took the change of _a.www.example.net, but it is undone already" in said(run, state=state)
    assert asked == ["GET", "PATCH", "GET"]
