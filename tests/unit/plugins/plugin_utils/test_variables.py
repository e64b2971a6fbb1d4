# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A misspelt variable of the role is refused with a suggestion; own variables of the prefix can be declared."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.plugin_utils import _variables

ROOT = Path(__file__).resolve().parents[4]
ROLE = ROOT / "roles" / "gogetssl"
SPEC = ROLE / "meta" / "argument_specs.yml"


def refusal(name: str = "certops.gogetssl.gogetssl", path: str = "/srv/site.yml", **variables: Any) -> str:
    role = types.SimpleNamespace(get_name=lambda: name) if name else None
    task = types.SimpleNamespace(_role=role, get_path=lambda: f"{path}:7")
    return _variables.refusal(task, variables, lambda value: value)


def test_a_misspelt_name_is_refused_with_a_suggestion() -> None:
    assert refusal(gogetssl_max_prize=100, gogetssl_wait=True, team=1) == (
        "Unknown variable gogetssl_max_prize; did you mean gogetssl_max_price?"
        " If a variable is your own, add its name to gogetssl_own_variables."
    )


def test_all_unknown_names_are_listed() -> None:
    text = refusal(gogetssl_zzz=1, gogetssl_keepdcv=False)
    assert text.startswith("Unknown variables gogetssl_keepdcv; did you mean gogetssl_keep_dcv? gogetssl_zzz. If")


@pytest.mark.parametrize("own", [["gogetssl_team"], "gogetssl_other, gogetssl_team", ["gogetssl_t*"]])
def test_own_variables(own: Any) -> None:
    assert refusal(gogetssl_team="web", gogetssl_own_variables=own) == ""
    assert "gogetssl_max_prize" in refusal(gogetssl_team="web", gogetssl_own_variables=own, gogetssl_max_prize=1)


def test_other_roles_and_plays_may_use_any_name() -> None:
    assert refusal("certops.web", gogetssl_max_prize=1) == ""
    assert refusal("", gogetssl_max_prize=1) == ""
    assert refusal("", "", gogetssl_max_prize=1) == ""


@pytest.mark.parametrize("playbook", sorted(path.name for path in (ROOT / "playbooks").glob("*.yml")))
def test_playbooks_of_the_collection_are_checked_too(playbook: str) -> None:
    text = refusal("", str(ROOT / "playbooks" / playbook), gogetssl_report_fail_below_day=14)
    assert text.startswith("Unknown variable gogetssl_report_fail_below_day; did you mean gogetssl_report_fail_below_")


def test_names_are_those_of_the_argument_spec() -> None:
    options = yaml.safe_load(SPEC.read_text())["argument_specs"]["main.yml"]["options"]
    assert _variables.known_names(str(SPEC)) == {*options, *_variables._OTHERS}


def test_all_variables_of_role_playbooks_and_pages_are_known() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("gogetssl_*.py")}
    metrics = (ROOT / "plugins/module_utils/_report/metrics.py").read_text()
    names_of_metrics = {f"gogetssl_{name}" for name in re.findall(r'Metric\(\s*"(\w+)"', metrics)}
    known = {*_variables.known_names(str(SPEC)), *modules, *names_of_metrics, "gogetssl_sample"}  # the vendor's file
    pages = [*ROLE.rglob("*.yml"), *(ROOT / "playbooks").rglob("*.yml"), *ROOT.glob("docs/**/*.md"), *ROLE.glob("*.md")]
    for path in pages:
        names = set(re.findall(r"(?<![\w.])gogetssl_[a-z0-9_]*[a-z0-9]\b(?![.*(\w])", path.read_text()))
        assert names <= known, path
