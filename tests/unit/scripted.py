# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scripted API: the calls that a test expects, in order, each with its response.

    with scripted(call("GET", "/orders/status/7", {"order_id": 7, ...})) as requests:
        ...

An unexpected call and an unused rest of the script fail the test.
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

from ansible_collections.certops.gogetssl.plugins.module_utils._api import client as _client
from ansible_collections.certops.gogetssl.plugins.module_utils._api import models, orders
from ansible_collections.certops.gogetssl.plugins.module_utils._core import shell
from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task

URL = "https://vendor.test/api"
USER, PASSWORD, KEY = "seller@example.com", "p4ss-w0rd-secret", "k3y-secret"


class Call(NamedTuple):
    """An expected call. `answer` is JSON, the body as bytes, or an exception to raise."""

    verb: str
    path: str
    answer: Any
    status: int = 200
    headers: dict[str, str] = {}
    fields: dict[str, str] | None = None  # checked if given, without the key


class Request(NamedTuple):
    """A call that was made."""

    verb: str
    path: str
    fields: dict[str, str]


call = Call
login = Call("POST", "/auth/", {"key": KEY, "success": True})


class _Adapter(requests.adapters.BaseAdapter):
    def __init__(self, script: tuple[Call, ...]) -> None:
        super().__init__()
        self.script = list(script)
        self.actual: list[Request] = []

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        given = parse_qs(parts.query or str(request.body or ""), keep_blank_values=True)
        fields = {name: values[0] for name, values in given.items()}
        actual = Request(str(request.method), parts.path.removeprefix("/api"), fields)
        self.actual.append(actual)
        assert self.script, f"unexpected call {actual}"
        expected = self.script.pop(0)
        assert (actual.verb, actual.path) == (expected.verb, expected.path)
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
    """Replace the network with the script. Return the list of calls."""
    adapter = _Adapter(script)
    with mock.patch.object(requests.Session, "get_adapter", return_value=adapter):
        yield adapter.actual
    assert not adapter.script, f"missing calls: {adapter.script}"


class Time:
    """A clock that advances only by `sleep`."""

    def __init__(self) -> None:
        self.seconds, self.pauses = 1_800_000_000.0, []  # type: float, list[float]

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


def client(time: Time | None = None, **changes: Any) -> _client.Client:
    """A client with a key or with the given credentials."""
    time = time or Time()
    changes.setdefault("credentials", _client.Credentials(USER, PASSWORD, KEY))
    changes.setdefault("limits", _client.Limits())
    return _client.Client(URL, clock=time.now, sleep=time.sleep, **changes)


def no_shell(script: str) -> shell.CommandResult:
    raise AssertionError("this task must not run commands on the host")


state_directory: str | None = None  # of the controller; tests that need one replace it


def run(
    task: _task.Task, time: Time | None = None, check_mode: bool = False, shown: list[str] | None = None, **options: Any
) -> dict[str, Any]:
    """Run a task with the defaults of its options."""
    time = time or Time()
    params = {name: option.get("default") for name, option in task.argument_spec.items()}
    params.update(api_url=URL, api_user=USER, api_password=PASSWORD, auth_key=KEY, **options)
    warnings: list[str] = []
    limits = _client.Limits(attempts=1)
    context = _task.Context(
        params,
        check_mode,
        no_shell,
        lambda: orders.Api(client(time, limits=limits)),
        warnings.append,
        time.now,
        time.sleep,
        state_directory=state_directory,
        show=shown.append if shown is not None else None,
    )
    result = task.run(context)
    return {**result, "_warnings": warnings}


def order_answer(order_id: int = 7, status: str = "processing", **changes: Any) -> dict[str, Any]:
    """A response of `orders/status` with file validation for one name."""
    answer = {
        "order_id": str(order_id),
        "status": status,
        "product_id": "45",
        "domain": "shop.example.com",
        "approver_method": {"http": FILE_DATA},
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
FILE_DATA = {
    "link": "http://shop.example.com/.well-known/pki-validation/37D0C93EE263FF9EEEA799215A9C3225.txt",
    "filename": "37D0C93EE263FF9EEEA799215A9C3225.txt",
    "content": (
        "D30C576BF9EB30A75211CB799848EE5CABFCE3D8EE13212A57C9B7E42EF9BAA2\r\nCOMODOCA.COM\r\nt0827792001533920169"
    ),
}
FILE_VALIDATION = models.Validation(
    "shop.example.com",
    "http",
    url=FILE_DATA["link"],
    path="/.well-known/pki-validation/37D0C93EE263FF9EEEA799215A9C3225.txt",
    file_name=FILE_DATA["filename"],
    content=FILE_DATA["content"],
)
