# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API of PowerDNS, which replaces whole record sets: foreign values in a set must be kept."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import powerdns

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
        return task_runner(powerdns.TASK, **{"url": pdns.url, "key": pdns.key, **options})

    return task


@pytest.fixture(autouse=True)
def _clean(pdns: PowerDns) -> Iterator[None]:
    yield
    assert pdns.remove_records() == [], "the test did not remove its records"


def test_present_and_absent_are_idempotent(pdns: PowerDns, run: Call) -> None:
    records = [CNAME, TXT, OTHER_ZONE]
    assert run(records=records, check_mode=True)["changed"]
    assert pdns.records() == []
    first = run(records=records)
    assert first["changed"]
    assert "_a.www.example.net CNAME x.comodoca.com\n" in first["diff"]["after"]
    assert len(first["records"]) == 4
    assert pdns.query("_a.www.example.net", "CNAME") == ["x.comodoca.com."]
    assert pdns.query("_a.example.jp", "CNAME") == ["x.comodoca.com."]
    assert pdns.query("www.example.net", "TXT") == ['"_one"', '"_two"']
    assert not run(records=records)["changed"]
    assert run(records=records, state="absent")["diff"]["before"] == first["diff"]["after"]
    assert not run(records=records, state="absent")["changed"]
    assert pdns.query("www.example.net", "A") == ["127.0.0.1"]


def test_foreign_values_of_the_same_set_are_kept(pdns: PowerDns, run: Call) -> None:
    """Values with quotes and in parts, a disabled value, the TTL and the comment of the set are kept."""
    contents = [{"content": text, "disabled": text == THEIRS[1]} for text in THEIRS]
    comments = [{"content": "do not touch", "account": "other", "modified_at": 1}]
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
def test_a_conflicting_record_is_reported_and_kept(
    pdns: PowerDns, run: Call, name: str, kind: str, contents: list[str], record: dict[str, Any]
) -> None:
    other = {**CNAME, "name": "_b.www.example.net"}
    with pdns.foreign_records("example.net", name, kind, *contents):
        before = pdns.records()
        with pytest.raises(GogetsslError, match=rf"^{name} has .*{contents[0][:6]}.* as {kind} in PowerDNS") as caught:
            run(records=[other, record])
        assert "\n" not in caught.value.message
        assert pdns.records() == before
        assert not run(records=[record], state="absent")["changed"]
        assert pdns.records() == before


def test_a_disabled_foreign_cname_is_a_conflict(pdns: PowerDns, run: Call) -> None:
    off = [{"content": "theirs.example.org.", "disabled": True}]
    pdns.put("example.net", "_a.www.example.net", "CNAME", "-", records=off)
    with pytest.raises(GogetsslError, match="theirs"):
        run(records=[CNAME])
    pdns.put("example.net", "_a.www.example.net", "CNAME")


def test_a_disabled_validation_record_is_enabled(pdns: PowerDns, run: Call) -> None:
    off = [{"content": "X.comodoca.com.", "disabled": True}]
    pdns.put("example.net", "_a.www.example.net", "CNAME", "-", records=off)
    assert run(records=[CNAME])["changed"]
    assert pdns.query("_a.www.example.net", "CNAME") == ["x.comodoca.com."]
    assert run(records=[CNAME], state="absent")["changed"]


def test_two_cname_values_of_one_name_are_refused(run: Call) -> None:
    with pytest.raises(GogetsslError, match="more than one CNAME value"):
        run(records=[CNAME, {**CNAME, "value": "y.comodoca.com"}])


def test_verify_only_changes_nothing(pdns: PowerDns, run: Call) -> None:
    before = pdns.query("example.net", "SOA")
    assert not run(records=[CNAME, TXT, OTHER_ZONE], verify_only=True)["changed"]
    assert pdns.query("example.net", "SOA") == before
    assert before[0].endswith(f" {NEGATIVE_TTL}")


@pytest.fixture
def closed_port() -> Iterator[str]:
    """A bound port without a listening server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def other_server() -> Iterator[tuple[str, list[str]]]:
    """A web server that is not PowerDNS: /page returns a page, other paths redirect there."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200 if self.path.startswith("/page") else 302)
            self.send_header("Location", "/page")
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", paths
        server.shutdown()


def error_of(run: Call, **options: Any) -> str:
    with pytest.raises(GogetsslError) as caught:
        run(**{"records": [CNAME], **options})
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("mode", [{"verify_only": True}, {"state": "present"}, {"state": "absent"}])
def test_errors_are_one_line(pdns: PowerDns, run: Call, closed_port: str, mode: dict[str, Any]) -> None:
    missing = {**CNAME, "zone": "example.org", "name": "_a.example.org"}
    copy = {**CNAME, "zone": SECONDARY, "name": f"_a.{SECONDARY}"}
    where = f"PowerDNS at {pdns.url}"
    message = error_of(run, **mode, key="not-the-key")
    assert message.startswith(f"{where} refuses access: HTTP 401. Check gogetssl_powerdns_key")
    assert "not-the-key" not in message
    assert error_of(run, **mode, records=[missing]).startswith(f"{where} has no zone example.org as its server")
    assert error_of(run, **mode, server_id="other").startswith(f"{where} has no zone example.net as its server 'other'")
    assert error_of(run, **mode, records=[copy]).startswith(f"{where} is a secondary server of {SECONDARY}")
    assert error_of(run, **mode, url=closed_port) == f"PowerDNS at {closed_port} cannot be reached: connection refused."


def test_the_key_is_not_sent_to_a_redirect_target(run: Call, other_server: tuple[str, list[str]]) -> None:
    url, paths = other_server
    assert "HTTP 302" in error_of(run, url=url)
    assert len(paths) == 1
    assert error_of(run, url=f"{url}/page") == f"{url}/page is not the API of PowerDNS: the response is not JSON."


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"url": "ftp://127.0.0.1"}, "The address of PowerDNS must be http://"),
        ({"url": "http://user:secret@127.0.0.1"}, "without a user"),
        ({"url": "http://:secret@127.0.0.1"}, "without a user"),
        ({"url": "http://user:top/secret@127.0.0.1"}, "without a user"),
        ({"url": "http://127.0.0.1:port"}, "The address of PowerDNS must be http://"),
        ({"key": "a\nb"}, "HTTP headers do not allow"),
        ({"key": " "}, "is empty"),
        ({"records": [{**CNAME, "name": "a b.example.net"}]}, "is not allowed as the name"),
    ],
)
def test_invalid_options(run: Call, options: dict[str, Any], expected: str) -> None:
    message = error_of(run, **options)
    assert expected in message
    assert "secret" not in message


def test_a_url_with_the_path_of_the_api(pdns: PowerDns, run: Call) -> None:
    assert not run(records=[CNAME], verify_only=True, url=f"{pdns.url}/api/v1/")["changed"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_change_that_is_undone_at_once_is_an_error(run: Call, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """The server's record always has the opposite state, as with a concurrent writer."""
    existing = {"name": "_a.www.example.net.", "type": "CNAME", "ttl": 60, "records": [{"content": "x.comodoca.com."}]}
    methods: list[str] = []

    def call(method: str, _path: str, _body: Any = None) -> Any:
        methods.append(method)
        return {"kind": "Native", "rrsets": [existing] if state == "absent" else []} if method == "GET" else None

    monkeypatch.setattr(powerdns, "api", lambda _params: call)
    assert "accepted the change of _a.www.example.net, but the change was undone" in error_of(run, state=state)
    assert methods == ["GET", "PATCH", "GET"]
