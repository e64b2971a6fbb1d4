# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a key from GoGetSSL through the controller to the host."""

from __future__ import annotations

import types
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.action.gogetssl_csr import ActionModule
from ansible_collections.certops.gogetssl.plugins.module_utils import _x509
from tests.unit.scripted import KEY, PASSWORD, URL, USER, call, scripted

PRIVATE = _x509.new_key("rsa-2048").decode()
WISH = {"name": "shop", "names": ["shop.example.com"], "product": "68"}
API = {"api_url": URL, "api_user": USER, "api_password": PASSWORD, "auth_key": KEY}
GENERATE = "/tools/csr/generate/"


class Host:
    """Answers for the module on the host and keeps what it was sent, by whatever way."""

    def __init__(self, pipelining: bool = True, code: int = 0, **how: Any) -> None:
        self.options: list[dict[str, Any]] = []
        self.piped: list[tuple[str, bytes]] = []
        self.code = code
        self.pipelining, self.how = pipelining, {"check_mode": False, "diff": False, "async_val": 0, **how}

    def module(self, module_args: dict[str, Any], **_more: Any) -> dict[str, Any]:
        self.options.append(module_args)
        wanted = [item["name"] for item in module_args["certificates"]]
        entries = [{"name": name, "changed": bool(self.piped) is (name != "old")} for name in wanted]
        lacking = [] if self.piped else [name for name in wanted if name != "old"]
        return {"changed": True, "requests": entries, "lacking": lacking}

    def run(self, *names: str, **options: Any) -> dict[str, Any]:
        host = self

        class Action(ActionModule):
            def _execute_module(self, **given: Any) -> dict[str, Any]:
                return host.module(**given)

            def _low_level_execute_command(self, cmd: str, sudoable: bool, in_data: bytes) -> dict[str, Any]:
                host.piped.append((cmd, in_data))
                return {"rc": host.code, "stdout": "", "stderr": "No space left"}

        certificates = [{**WISH, "name": name} for name in names or ("shop",)]
        args = {**API, "certificates": certificates, "directory": "/etc/go get", "generator": "gogetssl", **options}
        connection = types.SimpleNamespace(
            has_native_async=False, has_pipelining=self.pipelining, _shell=types.SimpleNamespace(tmpdir="/tmp")
        )
        task = types.SimpleNamespace(args=args, action="certops.gogetssl.gogetssl_csr", **self.how)
        return Action(task, connection, None, None, None, None).run(task_vars={})


def test_what_is_lacking_is_made_and_sent() -> None:
    host = Host()
    company = {"name": "Example SIA", "country": "LV"}
    subject = {"csr_commonname": "shop.example.com", "csr_organization": "Example SIA", "csr_country": "LV"}
    with scripted(call("POST", GENERATE, {"csr_key": PRIVATE, "csr_code": "x", "success": True}, fields=subject)):
        result = host.run("shop", "old", organization=company)
    folder = "'/etc/go get/shop/incoming'"
    assert host.piped == [(f"umask 077 && mkdir -p {folder} && cat > {folder}/privkey.pem", PRIVATE.encode())]
    assert [entry["changed"] for entry in result["requests"]] == [True, True]
    assert result["warnings"][0].startswith("shop: GoGetSSL made the private key")
    assert "lacking" not in result
    assert PRIVATE[100:200] not in str((result, host.options))


def test_a_host_that_cannot_take_the_key() -> None:
    with scripted(call("POST", GENERATE, {"csr_key": PRIVATE, "success": True})):
        result = Host(code=1).run()
    assert result["msg"] == "shop: writing the key that GoGetSSL made failed on the host: No space left."


def test_how_to_reach_the_api_stays_here() -> None:
    for generator in ("local", "gogetssl"):
        host = Host()
        host.run("old", generator=generator)
        assert not set(host.options[0]) & {"api_url", "api_user", "api_password", "auth_key"}


@pytest.mark.parametrize(
    ("how", "options", "said"),
    [
        ({"pipelining": False}, {}, "needs a connection with pipelining"),
        ({"async_val": 60}, {}, "async"),
        ({}, {"certificates": [{**WISH, "key_type": "ecdsa-p256"}]}, "rsa-2048 keys only"),
        ({}, {"generator": "elsewhere"}, "generator"),
    ],
)
def test_what_is_refused_before_anything_is_sent(how: dict[str, Any], options: dict[str, Any], said: str) -> None:
    host = Host(**how)
    with scripted():
        result = host.run(**options)
    assert result["failed"] is True
    assert said in result["msg"]
    assert host.options == []


def test_check_mode_makes_nothing() -> None:
    host = Host(check_mode=True)
    with scripted():
        result = host.run()
    assert (len(host.options), host.piped, "lacking" in result) == (1, [], False)


@pytest.mark.parametrize(
    "key", ["MIIE" + "secret" * 40, "", None, 7, ["x"], PRIVATE[:500], PRIVATE.replace("-----", "")]
)
def test_a_bad_answer_is_not_repeated(key: Any) -> None:
    host = Host()
    with scripted(call("POST", GENERATE, {"csr_key": key, "success": True})):
        result = host.run()
    assert result["msg"] == "GoGetSSL's answer holds no private key in 'csr_key'."
    assert host.piped == []


def test_a_refusal_is_a_sentence() -> None:
    with scripted(call("POST", GENERATE, {"error": True, "message": "Wrong CSR data"})):
        result = Host().run()
    assert (result["failed"], result["failure"]) == (True, "refused")
    assert "Wrong CSR data" in result["msg"]
