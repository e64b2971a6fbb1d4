# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mistake in the options of one certificate stops only this certificate."""

from __future__ import annotations

import contextlib
import types
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.certops.gogetssl.plugins.action import gogetssl_certificate_fetch as fetch
from ansible_collections.certops.gogetssl.plugins.action.gogetssl_certificate_info import ActionModule
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal
from ansible_collections.certops.gogetssl.plugins.plugin_utils import _invalid, _play

A, B, C = ({"name": name, "names": [f"{name}.example.com"], "product": "68"} for name in "abc")
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"dcv": "htpp"}, "b: 'htpp' cannot validate b.example.com: use http, https, dns, auto or an e-mail address."),
    ({"dcv": ["http"]}, "b: dcv must be one method, or a map from name to method."),
    ({"names": ["b..example.com"]}, "b: 'b..example.com' is not a name a certificate can be issued for."),
    ({"names": []}, "b: "),
    ({"names": None}, "b: names is missing."),
    ({"product": ""}, "b: product is missing."),
    ({"period": 0}, "b: period must be at least 1 month."),
    ({"period": True}, "b: period must be a whole number, not a boolean."),
    ({"period": "a year"}, "b: period must be a whole number, not text."),
    ({"key_type": "rsa-1024"}, "b: key_type must be one of rsa-2048,"),
    ({"listeners": [{"port": 70000}]}, "b: listeners: port must be a number from 1 to 65535, not 70000."),
    ({"listeners": [{"prot": 443}]}, "b: listeners: unknown key prot; did you mean port?"),
    ({"rekey": "soon"}, "b: rekey must be true, false, or a date or time"),
    ({"organisation": {}}, "b: unknown key organisation; did you mean organization?"),
    ({"admin": {"country": False}}, "b: admin.country: YAML reads the value as the boolean False. Write it in quotes."),
    ({"forms": ["pfx"]}, "b: forms must be one of"),
    ({"mode": "0777"}, "b: mode must be '0600'"),
    ({"keys": "own"}, "b: keys: own is not possible."),
    ({"adopt_files": {"key": "/k.pem"}}, "b: adopt_files.certificate is missing."),
]


def test_a_certificate_for_the_same_names_stops_too() -> None:
    """The account does not show which of the two an order belongs to."""
    twin = {**A, "names": ["B.example.com."], "key_type": "ecdsa-p256"}
    valid, invalid = _invalid.separate([twin, {**B, "period": 0}, C], {})
    assert (valid, [one["name"] for one in invalid]) == ([C], ["a", "b"])
    assert invalid[0]["reason"] == "a: b is for the same names and has a mistake. Correct that first."


@pytest.mark.parametrize(("change", "sentence"), MISTAKES)
def test_a_mistake_stops_one_certificate(change: dict[str, Any], sentence: str) -> None:
    wrong = {**B, **change}
    valid, invalid = _invalid.separate([A, wrong, C], {})
    assert valid == [A, C]
    assert [(one["name"], one["certificate"]) for one in invalid] == [("b", wrong)]
    assert invalid[0]["reason"].startswith(sentence)


@pytest.mark.parametrize(
    "certificates",
    [
        [A, B],
        [],
        None,
        "a",
        {"name": "a"},
        [A, {**B, "name": "a", "period": 0}],
        [A, {**B, "name": 2026, "period": 0}],
        [A, {**B, "name": "../b", "period": 0}],
        [A, {"nmae": "b", "names": ["b.example.com"], "product": "68"}],
        [A, None, {**B, "period": 0}],
    ],
)
def test_a_valid_list_and_one_that_is_invalid_as_a_whole_stay_as_they_are(certificates: Any) -> None:
    assert _invalid.separate(certificates, {}) == (certificates, [])


def test_a_mistake_in_the_contacts_of_the_host_is_not_one_of_its_certificates() -> None:
    assert _invalid.separate([A, {**B, "period": 0}], {"admin": {"country": False}})[1] == []


def inspect(certificates: Any, **options: Any) -> tuple[dict[str, Any], list[list[str]]]:
    """The result of the action on a host where nothing is installed, and the certificates of each read."""
    reads: list[list[str]] = []

    def read(_shell: Any, _directory: str, spec: Any, _probes: str, _apart: bool) -> dict[str, Any]:
        reads.append([one.name for one in spec])
        return {one.name: journal.HostState() for one in spec}

    connection = types.SimpleNamespace(transport="ssh", _shell=types.SimpleNamespace(tmpdir="/tmp"))
    args = {"certificates": certificates, **options}
    facts = {"check_mode": False, "diff": False, "async_val": 0, "action": "certops.gogetssl.gogetssl_certificate_info"}
    task = types.SimpleNamespace(get_path=str, args=args, **facts)
    with mock.patch.object(journal, "inspect", read):
        result = ActionModule(task, connection, None, None, None, None).run(task_vars={})
    assert task.args["certificates"] == certificates, "a retry of the task needs all of them"
    return result, reads


@pytest.mark.parametrize("change", [{"key_type": "rsa-1024"}, {"period": 0}])  # refused at different places
def test_the_other_certificates_are_read(change: dict[str, Any]) -> None:
    wrong = {**B, **change}
    with contextlib.suppress(AnsibleActionFail):
        assert inspect([A, wrong, C])[0]["failed"]
    result, reads = inspect([A, wrong, C], keep_going=True)
    assert reads == [["a", "c"]]
    assert [(one["name"], one["step"]) for one in result["certificates"]] == [
        ("a", "obtain"),
        ("b", "invalid"),
        ("c", "obtain"),
    ]
    assert len({frozenset(one) for one in result["certificates"]}) == 1, "all entries have the same keys"
    assert [one["name"] for one in result["stopped"]] == ["b"]
    assert result["stopped"][0]["reason"].startswith(f"b: {next(iter(change))} must be ")
    assert result["summary"][1].startswith("b: ")
    assert (result["obtain"], result["due"]) == (["a", "c"], True)


def test_valid_certificates_are_validated_once() -> None:
    with mock.patch.object(_invalid, "separate", side_effect=AssertionError):
        assert inspect([A, B], keep_going=True)[1] == [["a", "b"]]


def test_no_certificate_is_valid() -> None:
    result, reads = inspect([{**A, "period": 0}], keep_going="yes")
    assert ([one["name"] for one in result["stopped"]], reads, result["due"]) == (["a"], [[]], True)


def test_an_invalid_certificate_is_still_one_of_its_host() -> None:
    """Other hosts and certificates must not buy what it has."""
    settings = {"certificates": [A], "invalid": [{"certificate": {**B, "period": 0}}]}
    variables = {"gogetssl_certificates": [A, {**B, "period": 0}], "__gogetssl_variables": {"settings": settings}}
    found = _play.read({"hostvars": {"web1": variables}}, ["web1"])
    assert [one.common_name for one in found] == ["a.example.com", "b.example.com"]


@pytest.mark.parametrize(
    ("options", "waiting", "stopped"),
    [
        ({}, [], ["b"]),
        ({"in_progress": ["b"]}, ["b"], []),
        ({"installed": [{"name": "b", "urgent": False}]}, ["b"], []),
        ({"installed": [{"name": "b", "urgent": True}]}, [], ["b"]),
    ],
)
def test_a_copy_that_is_not_shared_does_not_hold_up_another(
    options: dict[str, Any], waiting: list[str], stopped: list[str]
) -> None:
    seen: list[Any] = []

    def run(action: Any, *_: Any) -> dict[str, Any]:
        seen.append(action._task.args["certificates"])
        return {"waiting": [], "stopped": []}

    task = types.SimpleNamespace(args={"certificates": [A, B], **options})
    with (
        mock.patch.object(fetch.ControllerAction, "run", run),
        mock.patch.object(fetch._play, "not_shared", return_value=["b"]),
    ):
        result = fetch.ActionModule(task, None, None, None, None, None).run()
    assert seen == [[A]]
    assert [[one["name"] for one in result[key]] for key in ("waiting", "stopped")] == [waiting, stopped]
