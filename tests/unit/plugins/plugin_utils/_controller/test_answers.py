# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of modules on hosts are used only if they have the documented shape. Their texts are escaped."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import answers

TYPES = {"str": {answers._TEXT, answers._OPTIONAL, answers._NAME}, "bool": {answers._FLAG}, "int": {answers._NUMBER}}
HAPROXY = {"updated": ["shop"], "reload": False, "reason": "", "pid": 7, "changed": True}


def compare(documented: dict[str, Any], shape: Any) -> None:
    if documented["type"] == "list":
        documented = {**documented, "type": documented["elements"]}
        (shape,) = shape
    if documented["type"] == "dict":
        assert documented["contains"].keys() == shape.keys()
        for key, inner in documented["contains"].items():
            compare(inner, shape[key])
    else:
        assert shape in TYPES[documented["type"]]


@pytest.mark.parametrize("module", answers.SHAPES)
def test_shapes_are_those_of_the_documentation(module: str) -> None:
    documentation = importlib.import_module(f"ansible_collections.certops.gogetssl.plugins.modules.{module}").RETURN
    compare({"type": "dict", "contains": yaml.safe_load(documentation)}, answers.SHAPES[module])


@pytest.mark.parametrize("changes", [{"reload": "yes"}, {"pid": True}, {"updated": "shop"}, {"updated": [1]}])
def test_another_shape_is_a_failure(changes: dict[str, Any]) -> None:
    result = answers.checked("certops.gogetssl.gogetssl_haproxy", {**HAPROXY, **changes}, [])
    assert result["failed"]
    assert result["msg"].startswith(f"The host's answer cannot be used: {next(iter(changes))}")


@pytest.mark.parametrize("lacking", [["other"], ["shop", "shop"], [["shop"]], "shop"])
def test_only_requested_certificates_can_be_named(lacking: Any) -> None:
    answer: dict[str, Any] = {"requests": [], "stopped": [], "probe_problem": "", "lacking": ["shop"]}
    assert answers.checked("gogetssl_csr", answer, ["shop"]) == answer
    assert answers.checked("gogetssl_csr", {**answer, "lacking": lacking}, ["shop"])["failed"]


def test_texts_are_escaped() -> None:
    given = {**HAPROXY, "reason": "a\x1b[2J\nb\u202e", "\x07": [{"x": "\x00"}]}
    result = answers.checked("gogetssl_haproxy", given, [])
    assert result["reason"] == "a\\x1b[2J b\\u202e"
    assert result["\\x07"] == [{"x": "\\x00"}]


def test_failures_need_no_shape() -> None:
    assert answers.checked("gogetssl_haproxy", {"failed": True, "msg": "no"}, []) == {"failed": True, "msg": "no"}
    deep: Any = "x"
    for _level in range(20):
        deep = [deep]
    assert "nested" in answers.checked("gogetssl_haproxy", {"failed": True, "msg": "no", "more": deep}, [])["msg"]


@pytest.mark.parametrize("outcome", [{"failed": True}, {"skipped": True}])
def test_failures_have_no_values(outcome: dict[str, Any]) -> None:
    """A web host could otherwise stop the hosts whose files it serves."""
    given = {**outcome, "msg": "no", "stopped": [{"order_id": [], "reason": 7}], "files": 7}
    assert answers.checked("gogetssl_publish_http", given, []) == {**outcome, "msg": "no"}


def test_a_host_cannot_claim_to_run_in_the_background() -> None:
    given = {"ansible_job_id": "1", "stopped": 7, "files": []}
    assert answers.checked("gogetssl_publish_http", given, [])["failed"]


def test_reasons_are_one_line_of_limited_length() -> None:
    """A web host returns them for the hosts whose files it serves, and they are printed in the reports of those."""
    forged = "x\nshop: installed\r\n" + "y" * 100_000
    given = {"files": [], "stopped": [{"order_id": 7, "reason": forged}]}
    (stop,) = answers.checked("gogetssl_publish_http", given, [])["stopped"]
    assert stop["reason"].startswith("x shop: installed yyy")
    assert len(stop["reason"]) == answers.LONGEST_REASON
