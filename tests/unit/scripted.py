# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scripted vendor: the calls a test expects, in their order, each with its answer.

    with scripted(call("GET", "/orders/status/7", {"order_id": 7, ...})) as requests:
        ...

A call that is not next in the script fails the test, and so does a script that is not used up.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
import urllib3

from ansible_collections.certops.gogetssl.plugins.module_utils import _api, _client, _models, _shell, _task

URL = "https://vendor.test/api"
USER, PASSWORD, KEY = "seller@example.com", "p4ss-w0rd-secret", "k3y-secret"


class Call(NamedTuple):
    """One expected call. `answer` is JSON, or the body as bytes, or an exception to raise in place of an answer."""

    verb: str
    path: str
    answer: Any
    status: int = 200
    headers: dict[str, str] = {}
    fields: dict[str, str] | None = None  # checked if given, the key left out


class Request(NamedTuple):
    """One call that was made."""

    verb: str
    path: str
    fields: dict[str, str]


call = Call
login = Call("POST", "/auth/", {"key": KEY, "success": True})


class _Adapter(requests.adapters.BaseAdapter):
    def __init__(self, script: tuple[Call, ...]) -> None:
        super().__init__()
        self.script = list(script)
        self.made: list[Request] = []

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        given = parse_qs(parts.query or str(request.body or ""), keep_blank_values=True)
        fields = {name: values[0] for name, values in given.items()}
        made = Request(str(request.method), parts.path.removeprefix("/api"), fields)
        self.made.append(made)
        assert self.script, f"unexpected call {made}"
        expected = self.script.pop(0)
        assert (made.verb, made.path) == (expected.verb, expected.path)
        if expected.fields is not None:
            assert {name: value for name, value in fields.items() if name != "auth_key"} == expected.fields
        if isinstance(expected.answer, BaseException):
            raise expected.answer
        return _response(request, expected)

    def close(self) -> None:
        pass


def _response(request: requests.PreparedRequest, expected: Call) -> requests.Response:
    body = expected.answer if isinstance(expected.answer, bytes) else json.dumps(expected.answer).encode()
    response = requests.Response()
    response.request, response.url, response.status_code = request, request.url or "", expected.status
    response.headers.update(expected.headers)
    response.raw = urllib3.HTTPResponse(io.BytesIO(body), headers=expected.headers, preload_content=False)
    return response


@contextlib.contextmanager
def scripted(*script: Call) -> Iterator[list[Request]]:
    """Puts the script in the network's place; gives the list of calls made."""
    adapter = _Adapter(script)
    with mock.patch.object(requests.Session, "get_adapter", return_value=adapter):
        yield adapter.made
    assert not adapter.script, f"calls that were not made: {adapter.script}"


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds, self.pauses = 1_800_000_000.0, []  # type: float, list[float]

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


def client(time: Time | None = None, **changes: Any) -> _client.Client:
    """A client that has a key, unless `credentials` say otherwise."""
    time = time or Time()
    changes.setdefault("credentials", _client.Credentials(USER, PASSWORD, KEY))
    changes.setdefault("limits", _client.Limits())
    return _client.Client(URL, clock=time.now, sleep=time.sleep, **changes)


def no_shell(script: str) -> _shell.CommandResult:
    raise AssertionError("this task has no business on the host")


def run(task: _task.Task, time: Time | None = None, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """Runs a whole task with the defaults of its options."""
    time = time or Time()
    params = {name: option.get("default") for name, option in task.argument_spec.items()}
    params.update(api_url=URL, api_user=USER, api_password=PASSWORD, auth_key=KEY, **options)
    warnings: list[str] = []
    limits = _client.Limits(attempts=1)
    context = _task.Context(
        params,
        check_mode,
        no_shell,
        lambda: _api.Api(client(time, limits=limits)),
        warnings.append,
        time.now,
        time.sleep,
    )
    result = task.run(context)
    return {**result, "_warnings": warnings}


def order_answer(order_id: int = 7, status: str = "processing", **changes: Any) -> dict[str, Any]:
    """`orders/status` as the vendor words it, with a file proof for one name."""
    answer = {
        "order_id": str(order_id),
        "status": status,
        "product_id": "45",
        "domain": "shop.example.com",
        "approver_method": {"http": FILE_PROOF},
        "dcv_method": "http",
        "dcv_status": "1",
        "san": [],
        "valid_from": "0000-00-00",
        "valid_till": "0000-00-00",
        "success": True,
    }
    if status == "active":
        answer.update(crt_code=PEM, ca_code=PEM, dcv_status="2", valid_from="2026-01-01", valid_till="2026-07-18")
    return {**answer, **changes}


PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
FILE_PROOF = {
    "link": "http://shop.example.com/.well-known/pki-validation/37D0.txt",
    "filename": "37D0.txt",
    "content": "D30C\r\nCOMODOCA.COM\r\nt0827",
}
PROOF = _models.Proof(
    "shop.example.com",
    "http",
    url=FILE_PROOF["link"],
    path="/.well-known/pki-validation/37D0.txt",
    file_name=FILE_PROOF["filename"],
    content=FILE_PROOF["content"],
)
