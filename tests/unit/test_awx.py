# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbook certops.gogetssl.awx creates in AWX, without AWX: its modules' options, and what AWX would refuse.

The rules of AWX are those of its release 24.6.1: the fields `CredentialTypeInputField` and
`CredentialTypeInjectorField`, and the view `JobTemplateSurveySpec`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.certops.gogetssl.plugins.module_utils._api.options import PRODUCTION_URL
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.providers import PROVIDERS
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller.base import SECRET_VARIABLES
from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.variables import role_variables
from ansible_collections.certops.gogetssl.plugins.plugin_utils._variables import known_names
from tests.bin import awx_options

ROOT = Path(__file__).resolve().parents[2]
AWX = ROOT / "extensions" / "awx"


class Loader(yaml.SafeLoader):
    """Reads `!unsafe` texts as texts."""


Loader.add_constructor("!unsafe", lambda loader, node: node.value)


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader)


SPECS = ROOT / "roles" / "gogetssl" / "meta" / "argument_specs.yml"
OPTIONS: dict[str, Any] = load(SPECS)["argument_specs"]["main.yml"]["options"]
TABLE: dict[str, Any] = yaml.safe_load(awx_options.TABLE.read_text())
TASKS: list[dict[str, Any]] = load(AWX / "tasks.yml")
TYPES: list[dict[str, Any]] = load(AWX / "credential_types.yml")["credential_types"]
TEMPLATES: list[dict[str, Any]] = load(AWX / "job_templates.yml")["job_templates"]
BY_NAME = {template["name"]: template for template in TEMPLATES}
named = pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template["name"])
typed = pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind["name"])


def task(module: str) -> dict[str, Any]:
    """The options of the only task with this module."""
    (found,) = [one[f"awx.awx.{module}"] for one in TASKS if f"awx.awx.{module}" in one]
    return dict(found)


# Options of the modules


def example(option: dict[str, Any]) -> Any:
    examples = {"str": "text", "bool": True, "int": 1, "dict": {}, "list": []}
    return option.get("choices", [examples[option["type"]]])[0]


def problems(module: str, given: dict[str, Any]) -> list[str]:
    """What the module would refuse. A template stands for a value of the option's type."""
    options = TABLE["modules"][module]
    values = {
        name: example(options[name]) if name in options and str(value).startswith("{{") else value
        for name, value in given.items()
    }
    return list(ArgumentSpecValidator(options).validate(values).error_messages)


@pytest.mark.parametrize("module", awx_options.MODULES)
def test_the_options_are_those_of_awx(module: str) -> None:
    assert problems(module, task(module)) == []


def test_a_wrong_option_is_found() -> None:
    workflow = task("workflow_job_template")
    nodes = [{**workflow["workflow_nodes"][0], "job_template": "x"}]
    assert problems("workflow_job_template", {**workflow, "workflow_nodes": nodes})
    assert problems("job_template", {**task("job_template"), "allow_concurrent": False})
    assert problems("job_template", {**task("job_template"), "job_type": "dry"})
    assert problems("schedule", {"rrule": "x"})


def test_no_task_uses_another_module() -> None:
    modules = {name.rpartition(".")[2] for one in TASKS for name in one if name.startswith("awx.")}
    assert modules == set(awx_options.MODULES)


def test_the_table_is_that_of_the_collection() -> None:
    folders = [*os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(":"), *sys.path]
    for folder in map(Path, filter(None, folders)):
        if (folder / "ansible_collections" / "awx" / "awx").exists():
            assert awx_options.options(folder) == TABLE
            return
    pytest.skip("awx.awx is not installed")


# Credential types


ENVIRONMENT = {
    name
    for folder, pattern in (("plugins", r'env_fallback, \["(\w+)"\]'), ("roles", r"ansible\.builtin\.env', '(\w+)'"))
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".yml")
    for name in re.findall(pattern, path.read_text())
}
SECRET = SECRET_VARIABLES | {"DO_API_TOKEN"}


def templates(value: Any) -> list[str]:
    """All templates in an injector, those in the keys of dictionaries too."""
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in templates(one)]
    return [str(value)]


def inputs_of(value: Any) -> set[str]:
    """The inputs that an injector uses."""
    environment = ImmutableSandboxedEnvironment()
    return {
        name for text in templates(value) for name in jinja2.meta.find_undeclared_variables(environment.parse(text))
    }


def injected(kind: dict[str, Any]) -> dict[str, Any]:
    return {**kind["injectors"].get("env", {}), **kind["injectors"].get("extra_vars", {})}


@typed
def test_awx_accepts_the_credential_type(kind: dict[str, Any]) -> None:
    fields = kind["inputs"]["fields"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids))
    for field in fields:
        assert set(field) <= {"id", "label", "type", "secret", "format", "help_text"}
        assert re.fullmatch(r"[a-zA-Z_]+\w*", field["id"])
        assert field["id"] != "tower"
        assert (field["type"], field.get("format", "url")) == ("string", "url")
    assert set(kind["injectors"]) <= {"env", "extra_vars"}
    for name, value in injected(kind).items():
        assert not name.startswith("ANSIBLE_")
        assert "".join(templates({name: value})).isascii()
        if isinstance(value, dict):
            assert all(re.fullmatch(r"[a-zA-Z_{}]+[a-zA-Z0-9_{}]*", key) for key in value)


@typed
def test_injectors_use_all_inputs_and_no_others(kind: dict[str, Any]) -> None:
    assert inputs_of(injected(kind)) == {field["id"] for field in kind["inputs"]["fields"]}


@typed
def test_injectors_set_what_the_collection_reads(kind: dict[str, Any]) -> None:
    assert set(kind["injectors"].get("env", {})) <= ENVIRONMENT
    assert set(kind["injectors"].get("extra_vars", {})) <= set(OPTIONS)
    for name in kind["injectors"].get("extra_vars", {}):  # only where there is no environment variable
        assert "E(" not in str(OPTIONS[name]["description"])


@typed
def test_inputs_of_secret_variables_are_secret(kind: dict[str, Any]) -> None:
    secret = {field["id"] for field in kind["inputs"]["fields"] if field.get("secret")}
    used = set()
    for name, value in injected(kind).items():
        values = list(value.values()) if isinstance(value, dict) else [value]
        # AWX shows the address, so that its users see which API a credential is for.
        if name in SECRET - {"GOGETSSL_API_URL"} or OPTIONS.get(name, {}).get("no_log"):
            used |= {one for text in values for one in inputs_of(text)}
    assert secret == used
    assert used


@typed
def test_a_missing_input_does_not_become_empty_text(kind: dict[str, Any]) -> None:
    """AWX renders inputs that are not given as empty text, and a variable that is empty may not count as unset."""
    given = dict.fromkeys(kind["inputs"]["required"], "given")
    for text in templates(injected(kind)):
        assert ImmutableSandboxedEnvironment().from_string(text).render(**given)


def test_the_default_url_is_that_of_the_collection() -> None:
    (kind,) = [one for one in TYPES if one["name"] == "GoGetSSL API"]
    text = kind["injectors"]["env"]["GOGETSSL_API_URL"]
    for given in ({}, {"api_url": ""}):
        assert ImmutableSandboxedEnvironment().from_string(text).render(**given) == PRODUCTION_URL


# Job templates and surveys


def playbook_text(template: dict[str, Any]) -> str:
    namespace, _separator, name = template["playbook"].rpartition(".")
    assert namespace == "certops.gogetssl"
    return (ROOT / "playbooks" / f"{name}.yml").read_text()


def answers(question: dict[str, Any]) -> list[Any]:
    return [*question.get("choices", []), *([question["default"]] if "default" in question else [])]


@named
def test_job_templates_have_a_playbook_and_known_keys(template: dict[str, Any]) -> None:
    assert set(template) <= {"name", "description", "playbook", "job_type", "choose_job_type", "survey", "extra_vars"}
    assert template.get("job_type", "run") in ("run", "check")
    assert "hosts:" in playbook_text(template)
    assert set(template.get("extra_vars", {})) <= known_names(str(SPECS))


def test_the_playbooks_of_the_pack() -> None:
    names = {template["playbook"].rpartition(".")[2] for template in TEMPLATES}
    assert names == {"preflight", "plan", "issue", "rollout", "report", "adopt", "retire"}


@named
def test_awx_accepts_the_survey(template: dict[str, Any]) -> None:
    survey = template.get("survey", [])
    assert len({question["variable"] for question in survey}) == len(survey)
    for question in survey:
        assert {"question_name", "question_description", "variable", "type", "required"} <= set(question)
        assert question["type"] in ("text", "integer", "multiplechoice")
        assert isinstance(question["required"], bool)
        assert ("choices" in question) is (question["type"] == "multiplechoice")
        expected = int if question["type"] == "integer" else str
        assert all(isinstance(answer, expected) for answer in answers(question))
        if "choices" in question:
            assert question.get("default") in question["choices"]


@named
def test_answers_are_variables_that_the_playbook_reads(template: dict[str, Any]) -> None:
    for question in template.get("survey", []):
        name = question["variable"]
        assert name in known_names(str(SPECS))
        if name not in OPTIONS:
            assert re.search(rf"\b{name}\b", playbook_text(template)), name


@named
def test_answers_have_the_type_of_the_variable(template: dict[str, Any]) -> None:
    shop = {"name": "shop", "names": ["shop.example.com"], "product": "68"}
    for question in template.get("survey", []):
        name = question["variable"]
        for answer in [*answers(question), ""] if name in OPTIONS else []:
            given = {"gogetssl_certificates": [shop], name: answer}
            found = role_variables([given.get(one, "") for one in OPTIONS], OPTIONS, {})
            assert found["errors"] == [], (name, answer)


@named
def test_answers_spend_nothing_by_default(template: dict[str, Any]) -> None:
    """A job template that may buy has a default that does not."""
    survey = {question["variable"]: question for question in template.get("survey", [])}
    if template["playbook"] in ("certops.gogetssl.issue", "certops.gogetssl.rollout"):
        free = template.get("extra_vars") == {"gogetssl_approved_plan": []}
        assert free or (survey["gogetssl_spend"]["default"], survey["gogetssl_spend"]["required"]) == ("reissue", True)


def test_jobs_are_neither_sliced_nor_simultaneous() -> None:
    given = task("job_template")
    assert (given["job_slice_count"], given["allow_simultaneous"], given["use_fact_cache"]) == (1, False, False)
    assert given["ask_variables_on_launch"] is False
    assert task("workflow_job_template")["allow_simultaneous"] is False


# Workflow and schedule


def test_nothing_is_issued_without_an_approval() -> None:
    workflow = task("workflow_job_template")
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    edges = {
        (name, kind, target["identifier"])
        for name, node in nodes.items()
        for kind, targets in node.get("related", {}).items()
        for target in targets
    }
    assert edges == {
        ("preflight", "always_nodes", "plan"),
        ("plan", "success_nodes", "approval"),
        ("approval", "success_nodes", "issue"),
    }
    jobs = {name: node["unified_job_template"] for name, node in nodes.items()}
    assert jobs["approval"]["type"] == "workflow_approval"
    used = {name: BY_NAME[job["name"]] for name, job in jobs.items() if name != "approval"}
    assert used["plan"]["job_type"] == "check"
    assert used["issue"]["extra_vars"] == {"gogetssl_approved_plan": []}  # until the plan's artifact replaces it
    assert "survey" not in used["issue"]
    # Extra variables of the workflow would take precedence over the artifacts of the plan.
    assert workflow["ask_variables_on_launch"] is False
    assert [question["variable"] for question in workflow["survey_spec"]["spec"]] == ["gogetssl_hosts"]


def test_the_plan_arrives_under_the_name_that_the_role_reads() -> None:
    tasks = load(ROOT / "playbooks" / "plan.yml")[0]["tasks"]
    (stats,) = [one["ansible.builtin.set_stats"] for one in tasks if "ansible.builtin.set_stats" in one]
    assert set(stats["data"]) == {"gogetssl_plan", "gogetssl_approved_plan", "gogetssl_plan_summary"}
    assert set(stats["data"]) <= known_names(str(SPECS))
    assert set(BY_NAME["GoGetSSL issue approved plan"]["extra_vars"]) <= set(stats["data"])


def test_the_daily_job_answers_its_survey() -> None:
    schedule = task("schedule")
    survey = {question["variable"]: question for question in BY_NAME[schedule["unified_job_template"]]["survey"]}
    assert set(schedule["extra_data"]) == set(survey)
    assert "default('reissue', true)" in schedule["extra_data"]["gogetssl_spend"]
    assert re.search(r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=DAILY;INTERVAL=1'", schedule["rrule"])


# The execution environment


@pytest.mark.parametrize("optional", [False, True])
def test_the_execution_environment_can_be_built(tmp_path: Path, optional: bool) -> None:
    pytest.importorskip("ansible_builder")
    text = (AWX / "execution-environment.yml").read_text()
    text = re.sub(r"^( +)# - ", r"\1- ", text, flags=re.MULTILINE) if optional else text
    (tmp_path / "execution-environment.yml").write_text(text)
    run("create", "-f", str(tmp_path / "execution-environment.yml"), "-c", str(tmp_path / "context"))
    built = tmp_path / "context" / "_build"
    packages = (built / "requirements.txt").read_text().split()
    collections = [one["name"] for one in yaml.safe_load((built / "requirements.yml").read_text())["collections"]]
    assert ("publicsuffixlist" in packages, "certops.gogetssl" in collections) == (True, True)
    needed = {name for provider in PROVIDERS.values() for name in provider.collections}
    assert needed & set(collections) == (needed if optional else set())
    assert {"boto3", "dns-lexicon"} & set(packages) == ({"boto3", "dns-lexicon"} if optional else set())


def test_builder_installs_the_requirements_of_the_collection() -> None:
    pytest.importorskip("ansible_builder")
    folder = next(Path(path) for path in sys.path if (Path(path) / "ansible_collections" / "certops").exists())
    found = yaml.safe_load(run("introspect", str(folder)))["python"]
    required = (ROOT / "meta" / "ee-requirements.txt").read_text()
    expected = re.findall(r"^\w.*$", required, re.MULTILINE)
    assert [line.partition("#")[0].strip() for line in found if "certops.gogetssl" in line] == expected


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ansible_builder", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
