# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client as _client
from ansible_collections.certops.gogetssl.plugins.module_utils._api.api_task import open_api
from ansible_collections.certops.gogetssl.plugins.module_utils._api.options import API_SPEC
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from tests.unit.scripted import KEY, PASSWORD, USER, Time, call, client, login, scripted

READ = ("GET", "/account/balance/")
WRITE = ("POST", "/orders/add_ssl_order/")
RESET = requests.exceptions.ConnectionError(
    urllib3.exceptions.ProtocolError("aborted", ConnectionResetError(104, f"reset {KEY}"))
)
NO_CONNECTION = requests.exceptions.ConnectionError(
    urllib3.exceptions.MaxRetryError(
        urllib3.connectionpool.HTTPSConnectionPool("vendor.test"),
        f"/?auth_key={KEY}",
        urllib3.exceptions.NewConnectionError(None, "refused"),  # type: ignore[arg-type]
    )
)
FAULTS = [
    pytest.param({"answer": RESET}, id="reset"),
    pytest.param({"answer": requests.exceptions.ReadTimeout(f"slow {KEY}")}, id="timeout"),
    pytest.param({"answer": requests.exceptions.ChunkedEncodingError(f"cut {KEY}")}, id="cut"),
    pytest.param({"answer": b"<html>Bad gateway</html>", "status": 502}, id="502"),
    pytest.param({"answer": b"<html>Hello</html>"}, id="html"),
    pytest.param({"answer": b""}, id="empty"),
    pytest.param({"answer": b'{"order_id": 1', "status": 200}, id="half"),
]


def test_login_sends_user_and_password_and_returns_the_key() -> None:
    with scripted(login._replace(fields={"user": USER, "pass": PASSWORD})):
        assert client(credentials=_client.Credentials(USER, PASSWORD)).login() == KEY


def test_the_hosts_of_a_run_share_a_login(tmp_path: Path) -> None:
    """Each has a client of its own. Without a run, each logs in."""
    given = {name: option.get("default") for name, option in API_SPEC.items()}
    params = {**given, "api_url": "https://vendor.test/api", "api_user": USER, "api_password": PASSWORD}
    balance = call(*READ, {"balance": "1"})
    for directory, calls in ((str(tmp_path), (login, balance, balance)), (None, (login, balance, login, balance))):
        with scripted(*calls) as made:
            for _host in range(2):
                open_api(params, directory).balance()
        assert made[-1].fields["auth_key"] == KEY


def test_the_first_call_logs_in_and_the_second_does_not() -> None:
    with scripted(login, call(*READ, {"balance": "1"}), call(*READ, {"balance": "2"})) as made:
        session = client(credentials=_client.Credentials(USER, PASSWORD))
        assert session.read(*READ) == {"balance": "1"}
        assert session.read(*READ) == {"balance": "2"}
    assert [request.fields.get("auth_key") for request in made] == [None, KEY, KEY]


def test_a_refused_key_is_replaced_once() -> None:
    refused = {"error": True, "message": "Auth key not found"}
    with scripted(
        call(*READ, refused, 403), login._replace(answer={"key": "new"}), call(*READ, {"balance": "1"})
    ) as made:
        assert client().read(*READ) == {"balance": "1"}
    assert made[-1].fields["auth_key"] == "new"


KEY_REFUSED = {"message": "Auth key is not valid"}


def test_a_refused_new_key_is_an_error() -> None:
    with (
        scripted(call(*READ, KEY_REFUSED, 403), login, call(*READ, KEY_REFUSED, 403)),
        pytest.raises(GogetsslError, match="a key that it had just issued"),
    ):
        client().read(*READ)


def test_a_refused_key_without_a_password_is_an_error() -> None:
    with scripted(call(*READ, KEY_REFUSED, 403)), pytest.raises(GogetsslError, match="refused the auth_key") as raised:
        client(credentials=_client.Credentials(None, None, KEY)).read(*READ)
    assert raised.value.kind is Kind.REFUSED


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_is_retried(fault: dict[str, Any]) -> None:
    with scripted(call(*READ, **fault), call(*READ, {"balance": "1"})):
        assert client().read(*READ) == {"balance": "1"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_write_is_not_repeated_and_its_outcome_is_unknown(fault: dict[str, Any]) -> None:
    with scripted(call(*WRITE, **fault)), pytest.raises(GogetsslError) as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.UNCERTAIN
    assert KEY not in str(raised.value)


def test_a_write_that_was_not_sent_has_no_effect() -> None:
    with scripted(call(*WRITE, NO_CONNECTION)), pytest.raises(GogetsslError) as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.UNREACHABLE
    assert KEY not in str(raised.value)


def test_a_failed_login_before_a_write_has_a_known_outcome() -> None:
    session = client(credentials=_client.Credentials(USER, PASSWORD), limits=_client.Limits(attempts=1))
    with scripted(login._replace(answer=RESET)), pytest.raises(GogetsslError) as raised:
        session.write(*WRITE)
    assert raised.value.kind is Kind.ANSWER


def test_a_read_respects_retry_after() -> None:
    time = Time()
    with scripted(call(*READ, {}, 429, {"Retry-After": "7"}), call(*READ, {"balance": "1"})):
        client(time).read(*READ)
    assert time.pauses == [7.0]


@pytest.mark.parametrize("value", ["\u00b2", "-1", "soon"])
def test_a_retry_after_that_is_no_number_is_ignored(value: str) -> None:
    time = Time()
    with scripted(call(*READ, {}, 429, {"Retry-After": value}), call(*READ, {"balance": "1"})):
        client(time).read(*READ)
    assert len(time.pauses) == 1


def test_a_read_fails_after_its_last_attempt() -> None:
    with scripted(*[call(*READ, b"", 503)] * 5), pytest.raises(GogetsslError, match="HTTP 503") as raised:
        client().read(*READ)
    assert raised.value.kind is Kind.ANSWER


def test_a_read_fails_at_its_deadline() -> None:
    slow = call(*READ, b"", 503, {"Retry-After": "50"})
    with scripted(slow, slow, slow), pytest.raises(GogetsslError):
        client().read(*READ)


def test_an_error_with_http_200_is_raised() -> None:
    answer = {"error": True, "message": "Error", "description": "Balance is low"}
    with scripted(call(*WRITE, answer)), pytest.raises(GogetsslError, match="Error: Balance is low") as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.REFUSED


@pytest.mark.parametrize("secret", [KEY, PASSWORD])
def test_secrets_in_responses_are_masked(secret: str) -> None:
    answer = {"error": True, "message": f"no such {secret}!"}
    with scripted(call(*READ, answer)), pytest.raises(GogetsslError, match=r"no such \*+!"):
        client().read(*READ)


def test_redirects_are_not_followed() -> None:
    headers = {"Location": "https://elsewhere.test/api"}
    with scripted(call(*READ, b"", 302, headers)), pytest.raises(GogetsslError, match=r"redirects to elsewhere\.test"):
        client().read(*READ)
    with scripted(call(*WRITE, b"", 302, headers)), pytest.raises(GogetsslError) as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.UNCERTAIN


def test_a_body_is_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_client, "MAX_BODY_BYTES", 1000)
    with scripted(call(*READ, json.dumps("x" * 2000).encode())), pytest.raises(GogetsslError, match="larger than 1000"):
        client().read(*READ)


def test_get_sends_fields_in_the_url_and_post_in_the_body() -> None:
    with scripted(
        call("GET", "/orders/", [], fields={"status": "active"}),
        call(*WRITE, {"success": True}, fields={"csr": "a&b=c"}),
    ):
        session = client()
        session.read("GET", "/orders/", {"status": "active"})
        session.write(*WRITE, {"csr": "a&b=c"})


FRONT_ENDS = [
    *((status, b"<html>Forbidden</html>") for status in (401, 403, 404, 407, 408, 413, 429, 502, 503, 520, 522, 524)),
    *((status, b"") for status in (200, 204, 403, 500)),
    (403, b'{"message": "Forbidden"}'),
    (401, b'{"error": "Unauthorized"}'),
    (429, b'{"error": {"code": 429}}'),
    (524, b'{"status": 524, "cloudflare_error": true}'),
    (400, b'{"error": true, "message": "Bad Request"}'),
    (503, b'{"error": true, "message": "Error", "description": "The database is busy"}'),
    (200, b'{"error": true}'),
    (200, b'{"error": 1, "message": "Blocked"}'),
    (200, b'{"success": false}'),
    (200, b'{"success": "0"}'),
    (200, b'{"status": "ok"}'),
    (200, b'[{"error": true, "message": "no"}]'),
    (200, b"[]"),
    (200, b"null"),
    (200, b"true"),
    (200, b'"OK"'),
    (200, b"{}"),
    (200, b"<p>Auth key is not valid</p>"),
    (403, b"<p>Auth key is not valid</p>"),
    (404, b'{"message": "Not Found"}'),
]


@pytest.mark.parametrize(("status", "body"), FRONT_ENDS, ids=lambda value: str(value)[:40])
def test_what_something_else_answers_to_a_write_decides_nothing(status: int, body: bytes) -> None:
    """The write is sent once, although the credentials would allow another login."""
    with scripted(call(*WRITE, body, status)), pytest.raises(GogetsslError) as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.UNCERTAIN
    assert "<" not in raised.value.message


@pytest.mark.parametrize("status", [200, 401, 403])
@pytest.mark.parametrize("more", [{}, {"error": True}, {"description": "Auth key is not valid"}])
def test_a_write_is_sent_again_if_the_api_itself_refuses_the_key(status: int, more: dict[str, Any]) -> None:
    refusal = {**KEY_REFUSED, **more, **({"error": True} if status == 200 else {})}
    with scripted(call(*WRITE, refusal, status), login, call(*WRITE, {"success": True})):
        assert client().write(*WRITE) == {"success": True}


def test_a_login_that_a_front_end_answers_blames_no_password() -> None:
    session = client(credentials=_client.Credentials(USER, PASSWORD))
    page = login._replace(answer=b"<html>blocked</html>", status=403)
    with (
        scripted(page),
        pytest.raises(
            GogetsslError, match=r"HTTP 403 with HTML .a page of a proxy, firewall or CDN .* instead of GoGetSSL's JSON"
        ) as raised,
    ):
        session.read(*READ)
    assert "password" not in raised.value.message
    assert raised.value.kind is Kind.ANSWER


HINT = r"Check the user, the API password \(.* expires every 365 days\), and the IP addresses"


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([login._replace(answer={"error": True, "message": "no"})], id="login"),
        pytest.param([login._replace(answer=KEY_REFUSED, status=403)], id="login with 403"),
        pytest.param([login._replace(answer={"error": True, "message": "no"}, status=401)], id="login with 401"),
        pytest.param([login._replace(answer={"success": False})], id="login without a reason"),
        pytest.param([login, call(*READ, KEY_REFUSED, 403), login, call(*READ, KEY_REFUSED, 403)], id="new key"),
    ],
)
def test_every_refused_login_names_what_to_check(answers: list[Any]) -> None:
    with scripted(*answers), pytest.raises(GogetsslError, match=HINT):
        client(credentials=_client.Credentials(USER, PASSWORD)).read(*READ)


def test_a_refused_key_names_what_to_check() -> None:
    with scripted(call(*READ, KEY_REFUSED, 403)), pytest.raises(GogetsslError, match=HINT):
        client(credentials=_client.Credentials(None, None, KEY)).read(*READ)


def test_messages_of_the_vendor_are_safe_to_print() -> None:
    answer = {"error": True, "message": "a\x1b[2Jb\u202ec\nd"}
    with scripted(call(*READ, answer)), pytest.raises(GogetsslError) as raised:
        client().read(*READ)
    assert r"a\x1b[2Jb\u202ec d" in raised.value.message


def test_user_and_password_of_a_gateway_are_in_no_message() -> None:
    assert _client.split_user("https://gate:s%40fe@api.test:8443/api/") == (
        "https://api.test:8443/api",
        ("gate", "s@fe"),
    )
    assert _client.split_user("https://api.test/api") == ("https://api.test/api", None)
    session = _client.Client("https://gate:s%40fe@api.test/api", _client.Credentials(USER, PASSWORD))
    assert session.url == "https://api.test/api"
    assert session.scrub("s@fe") == "********"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"a": [{"b": f"x{KEY}y"}, 1, None]}, {"a": [{"b": "x********y"}, 1, None]}),
        ({"a": {f"k{KEY}": True}}, {"a": {"k********": True}}),
        (["a", ["\x1b[2J"], {"\u202eb": "c\nd"}], ["a", ["\\x1b[2J"], {"\\u202eb": "c\nd"}]),
        ({"a": "b\nc\td", "e": "é", "f": [[], {}]}, {"a": "b\nc\td", "e": "é", "f": [[], {}]}),
    ],
)
def test_texts_anywhere_in_a_response_are_masked_and_escaped(given: Any, expected: Any) -> None:
    with scripted(call(*READ, given)):
        assert client(credentials=_client.Credentials(auth_key=KEY)).read(*READ) == expected


def test_a_response_that_is_nested_too_deeply_is_refused() -> None:
    for depth, refused in ((40, False), (60, True)):
        answer: Any = ["x"]
        for _level in range(depth):
            answer = [answer]
        with scripted(call(*READ, answer)):
            session = client(credentials=_client.Credentials(auth_key=KEY))
            if not refused:
                assert session.read(*READ) == answer
                continue
            with pytest.raises(GogetsslError, match="nested too deeply"):
                session.read(*READ)


@pytest.mark.parametrize(
    "url",
    [
        "https://gate:TOP/SECRET@api.test/api",
        "https://gate:8443/SECRET@api.test/api",
        "https://gate:SECRET#1@api.test/api",
        "https://gate:?SECRET@api.test/api",
        "https://gate:[SECRET@api.test/api",
        "gate:SECRET@api.test/api",
        "htps://gate:SECRET@api.test/api",
        "https://gate:SECRET@/api",
        "https://gate:SECRET@api.test:port/api",
    ],
)
def test_a_url_that_cannot_be_split_is_neither_used_nor_shown(url: str) -> None:
    with pytest.raises(GogetsslError) as raised:
        _client.Client(url, _client.Credentials(USER, PASSWORD))
    assert raised.value.kind is Kind.INPUT
    assert "SECRET" not in raised.value.message
    assert "percent-encode" in raised.value.message
