# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import urllib3

from ansible_collections.certops.gogetssl.plugins.module_utils import _client
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError, Kind
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


def test_a_login_sends_user_and_password_and_gives_the_key() -> None:
    with scripted(login._replace(fields={"user": USER, "pass": PASSWORD})):
        assert client(credentials=_client.Credentials(USER, PASSWORD)).login() == KEY


def test_the_first_call_logs_in_and_the_second_does_not() -> None:
    with scripted(login, call(*READ, {"balance": "1"}), call(*READ, {"balance": "2"})) as made:
        session = client(credentials=_client.Credentials(USER, PASSWORD))
        assert session.read(*READ) == {"balance": "1"}
        assert session.read(*READ) == {"balance": "2"}
    assert [request.fields.get("auth_key") for request in made] == [None, KEY, KEY]


def test_a_key_that_is_refused_is_replaced_once() -> None:
    refused = {"error": True, "message": "Auth key not found"}
    with scripted(
        call(*READ, refused, 403), login._replace(answer={"key": "new"}), call(*READ, {"balance": "1"})
    ) as made:
        assert client().read(*READ) == {"balance": "1"}
    assert made[-1].fields["auth_key"] == "new"


def test_a_fresh_key_that_is_refused_is_an_error() -> None:
    with (
        scripted(call(*READ, {}, 403), login, call(*READ, {}, 403)),
        pytest.raises(GogetsslError, match="a key it had just given"),
    ):
        client().read(*READ)


def test_a_refused_key_without_a_password_is_an_error() -> None:
    with scripted(call(*READ, {}, 403)), pytest.raises(GogetsslError, match="refused the auth_key") as raised:
        client(credentials=_client.Credentials(None, None, KEY)).read(*READ)
    assert raised.value.kind is Kind.REFUSED


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_is_tried_again(fault: dict[str, Any]) -> None:
    with scripted(call(*READ, **fault), call(*READ, {"balance": "1"})):
        assert client().read(*READ) == {"balance": "1"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_write_is_never_sent_twice_and_its_outcome_is_unknown(fault: dict[str, Any]) -> None:
    with scripted(call(*WRITE, **fault)), pytest.raises(GogetsslError) as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.UNCERTAIN
    assert KEY not in str(raised.value)


def test_a_write_that_never_left_had_no_effect() -> None:
    with scripted(call(*WRITE, NO_CONNECTION)), pytest.raises(GogetsslError) as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.UNREACHABLE
    assert KEY not in str(raised.value)


def test_a_login_that_fails_before_a_write_is_not_an_uncertain_write() -> None:
    session = client(credentials=_client.Credentials(USER, PASSWORD), limits=_client.Limits(attempts=1))
    with scripted(login._replace(answer=RESET)), pytest.raises(GogetsslError) as raised:
        session.write(*WRITE)
    assert raised.value.kind is Kind.ANSWER


def test_a_read_waits_as_long_as_it_is_told() -> None:
    time = Time()
    with scripted(call(*READ, {}, 429, {"Retry-After": "7"}), call(*READ, {"balance": "1"})):
        client(time).read(*READ)
    assert time.pauses == [7.0]


def test_a_read_gives_up_when_its_attempts_are_used_up() -> None:
    with scripted(*[call(*READ, b"", 503)] * 5), pytest.raises(GogetsslError, match="HTTP 503") as raised:
        client().read(*READ)
    assert raised.value.kind is Kind.ANSWER


def test_a_read_gives_up_at_its_deadline() -> None:
    slow = call(*READ, b"", 503, {"Retry-After": "50"})
    with scripted(slow, slow, slow), pytest.raises(GogetsslError):
        client().read(*READ)


def test_a_business_error_arrives_with_http_200() -> None:
    answer = {"error": True, "message": "Error", "description": "Balance is low"}
    with scripted(call(*WRITE, answer)), pytest.raises(GogetsslError, match="Error: Balance is low") as raised:
        client().write(*WRITE)
    assert raised.value.kind is Kind.REFUSED


@pytest.mark.parametrize("secret", [KEY, PASSWORD])
def test_secrets_that_the_vendor_repeats_are_masked(secret: str) -> None:
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


def test_a_get_carries_its_fields_in_the_url_and_a_post_in_its_body() -> None:
    with scripted(call("GET", "/orders/", [], fields={"status": "active"}), call(*WRITE, {}, fields={"csr": "a&b=c"})):
        session = client()
        session.read("GET", "/orders/", {"status": "active"})
        session.write(*WRITE, {"csr": "a&b=c"})
