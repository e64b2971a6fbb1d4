# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the AWX pack, run by ansible-runner as AWX 24.6.1 lays them out, and the playbook that sets AWX up.

What is imitated here is in AWX: `CredentialType.inject_credential`, `RunJob.build_extra_vars_file`, `safe_dump`,
`SurveyJobTemplateMixin._update_unified_job_kwargs` and `WorkflowNodeBase.get_job_kwargs`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .conftest import CONTACT, NAMES, ROOT, Bench

pytestmark = pytest.mark.slow
AWX = ROOT / "extensions" / "awx"
STORE_PASSWORD = "store-" + os.urandom(8).hex()


class Loader(yaml.SafeLoader):
    """Reads `!unsafe` texts as texts."""


Loader.add_constructor("!unsafe", lambda loader, node: node.value)


class UnsafeDumper(yaml.SafeDumper):
    """Marks all texts as unsafe, as AWX does."""

    def represent_data(self, data: Any) -> yaml.Node:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


def load(name: str) -> Any:
    return yaml.load((AWX / f"{name}.yml").read_text(), Loader)[name]


TYPES = {kind["name"]: kind for kind in load("credential_types")}
TEMPLATES = {template["name"]: template for template in load("job_templates")}


@dataclass
class Job:
    """A finished job: its private data directory, and what AWX reads from it."""

    folder: Path

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts" / "1"

    @property
    def code(self) -> int:
        return int((self.artifacts / "rc").read_text())

    @property
    def output(self) -> str:
        return (self.artifacts / "stdout").read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in (self.artifacts / "job_events").glob("*.json")]

    @property
    def stats(self) -> dict[str, Any]:
        """The artifacts in the sense of AWX: what set_stats has set."""
        (final,) = [event for event in self.events if event["event"] == "playbook_on_stats"]
        return dict(final["event_data"].get("artifact_data", {}))


def launch(
    bench: Bench,
    name: str,
    answers: dict[str, Any] | None = None,
    *,
    artifacts: dict[str, Any] | None = None,
    certificates: list[dict[str, Any]] | None = None,
) -> Job:
    """Run a job template with these answers, and these artifacts of earlier jobs of its workflow."""
    template = TEMPLATES[name]
    folder = bench.directory / f"awx_{len(list(bench.directory.glob('awx_*')))}"
    for part in ("env", "inventory", "project"):
        (folder / part).mkdir(parents=True)
    defaults = {one["variable"]: one["default"] for one in template.get("survey", []) if "default" in one}
    extra = {**template.get("extra_vars", {}), **defaults, **(answers or {}), **(artifacts or {}), "awx_job_id": 1}
    environment, arguments = inject(bench, folder)
    (folder / "env" / "envvars").write_text(yaml.safe_dump(environment))
    (folder / "env" / "extravars").write_text(yaml.dump(extra, Dumper=UnsafeDumper))
    arguments += ["--check"] if template.get("job_type") == "check" else []
    (folder / "env" / "cmdline").write_text(" ".join([*arguments, "-v"]))
    (folder / "env" / "settings").write_text(json.dumps({"fact_cache_type": "jsonfile"}))
    (folder / "inventory" / "hosts.json").write_text(json.dumps(inventory(bench, certificates or [bench.shop()])))
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "GOGETSSL_"))}
    command = [sys.executable, "-m", "ansible_runner", "run", str(folder), "-p", template["playbook"]]
    subprocess.run(
        [*command, "-i", "1", "--omit-env-files", "--quiet"], env=clean, timeout=180, capture_output=True, check=False
    )
    return Job(folder)


def inject(bench: Bench, folder: Path) -> tuple[dict[str, str], list[str]]:
    """The environment and the arguments from the credentials of the job."""
    credentials: dict[str, dict[str, str]] = {
        "GoGetSSL API": {
            "api_user": bench.emulator.user,
            "api_password": bench.emulator.password,
            "api_url": bench.emulator.url,
        },
        "GoGetSSL store password": {"store_password": STORE_PASSWORD},
        "GoGetSSL DNS by lexicon": {"provider": "gandi", "option": "auth_token", "secret": STORE_PASSWORD},
    }
    environment = {
        "ANSIBLE_HOME": str(bench.directory / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".venv" / "collections")),
        "ANSIBLE_FORCE_COLOR": "0",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    arguments = []
    for number, (name, inputs) in enumerate(credentials.items()):
        injectors = TYPES[name]["injectors"]
        environment.update(render(injectors.get("env", {}), inputs))
        if "extra_vars" in injectors:
            path = folder / "env" / f"tmp{number}"
            path.write_text(yaml.dump(render(injectors["extra_vars"], inputs), Dumper=UnsafeDumper))
            arguments += ["-e", f"@{path}"]
    return environment, arguments


def render(value: Any, inputs: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {render(key, inputs): render(one, inputs) for key, one in value.items()}
    return ImmutableSandboxedEnvironment().from_string(value).render(**inputs)


def inventory(bench: Bench, certificates: list[dict[str, Any]]) -> dict[str, Any]:
    given = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "gogetssl_directory": str(bench.store),
        "gogetssl_web_root": str(bench.web_root),
        "gogetssl_http_port": bench.http_port,
        "gogetssl_resolve": dict.fromkeys([*NAMES, "other.example.com"], "127.0.0.1"),
        "gogetssl_wait_interval": 1,
        "gogetssl_wait_timeout": 60,
        "gogetssl_admin": CONTACT,
        "gogetssl_certificates": certificates,
    }
    # The second host does not answer.
    away: dict[str, Any] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    away["gogetssl_certificates"] = [bench.shop(names=["away.example.com"])]
    return {"all": {"vars": given, "hosts": {"web1": {}, "away": away}}}


def test_what_is_approved_in_a_workflow_is_bought_once(bench: Bench) -> None:
    pytest.importorskip("ansible_runner")
    shop = bench.shop(forms=["pkcs12"])
    hosts = {"gogetssl_hosts": "web1,away"}
    plan = launch(bench, "GoGetSSL plan", hosts, certificates=[shop])
    assert plan.code == 0, plan.output
    assert bench.orders == []
    assert [path for path in bench.store.rglob("*") if path.is_file()] == bench.proofs == []
    (entry,) = plan.stats["gogetssl_plan"]
    assert (entry["host"], entry["name"], entry["step"], entry["names"]) == ("web1", "shop", "buy", NAMES)
    assert plan.stats["gogetssl_approved_plan"] == [entry]
    total, problem, line = plan.stats["gogetssl_plan_summary"]
    assert total.startswith(f"1 purchase for {entry['price'] / 100:.2f} EUR before tax; the balance is")
    assert problem.startswith("away: unreachable: ")
    assert line.startswith(f"web1: shop: buy GoGetSSL Multi-Domain SSL, 12 months, {', '.join(NAMES)}, ")

    # A certificate that was added after the approval is not bought.
    more = [shop, bench.shop(name="other", names=["other.example.com"])]
    passed = json.loads(json.dumps(plan.stats))
    web1 = {"gogetssl_hosts": "web1"}
    issue = launch(bench, "GoGetSSL issue approved plan", web1, artifacts=passed, certificates=more)
    assert issue.code == 2
    assert "other: buy for" in issue.output
    assert "but the approved plan does not contain it. Approve a new plan" in issue.output
    (order,) = bench.orders
    assert (order["names"], order["amount"]) == (NAMES, entry["price"] / 100)
    assert bench.installed()
    assert (bench.store / "shop" / "current" / "keystore.p12").exists()  # with the store password of its credential

    report = launch(bench, "GoGetSSL report", web1, certificates=[shop])
    assert report.code == 0, report.output
    assert report.stats["gogetssl_report"]["states"]["ok"] == 1
    assert len(bench.orders) == 1
    assert_no_secret(bench, [plan, issue, report])


def assert_no_secret(bench: Bench, jobs: list[Job]) -> None:
    """No artifact has one: standard output, events, cached facts.

    The file `command` is ansible-runner's own record of the environment that it was given. AWX does not store it.
    """
    key = (bench.store / "shop" / "current" / "privkey.pem").read_text().splitlines()[5]
    for job in jobs:
        files = [path for path in (job.folder / "artifacts").rglob("*") if path.is_file() and path.name != "command"]
        assert {"stdout", "rc"} <= {path.name for path in files}
        for path in files:
            content = path.read_text()
            for secret in (bench.emulator.password, STORE_PASSWORD, key):
                assert secret not in content, path


STUB = """
import json
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec=json.loads({spec!r}))
with open({log!r}, "a") as log:
    log.write(json.dumps([{name!r}, module.params]) + chr(10))
module.exit_json(changed=True)
"""


def test_the_playbook_creates_everything(tmp_path: Path) -> None:
    """The modules of awx.awx are stubs with the options of the real ones."""
    folder = tmp_path / "ansible_collections" / "awx" / "awx" / "plugins" / "modules"
    folder.mkdir(parents=True)
    log = tmp_path / "log"
    for name, options in json.loads((ROOT / "tests" / "unit" / "awx_options.json").read_text())["modules"].items():
        (folder / f"{name}.py").write_text(STUB.format(spec=json.dumps(options), log=str(log), name=name))
    ours = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".venv" / "collections"))
    given = {
        "ansible_python_interpreter": sys.executable,
        "gogetssl_awx_credentials": "SSH,TSIG",
        "gogetssl_awx_image": "registry.example.com/gogetssl:1",
        "gogetssl_awx_inventory": "Servers",
        "gogetssl_awx_project": "Web",
        "gogetssl_awx_project_url": "https://git.example.com/web",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run(
        [program, "certops.gogetssl.awx", "-v", "-e", json.dumps(given)],
        cwd=tmp_path,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": f"{tmp_path}:{ours}",
            "ANSIBLE_PIPELINING": "1",
            "GOGETSSL_API_USER": "user",
            "GOGETSSL_API_PASSWORD": STORE_PASSWORD,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert STORE_PASSWORD not in done.stdout + done.stderr
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = {options["name"]: options for name, options in calls if name == "credential_type"}
    assert {name: kind["injectors"] for name, kind in kinds.items()} == {
        name: kind["injectors"] for name, kind in TYPES.items()
    }
    jobs = {options["name"]: options for name, options in calls if name == "job_template"}
    assert list(jobs) == list(TEMPLATES)
    assert {name: job["survey_spec"].get("spec") for name, job in jobs.items()} == {
        name: template.get("survey") for name, template in TEMPLATES.items()
    }
    job = jobs["GoGetSSL issue approved plan"]
    assert job["credentials"] == ["GoGetSSL API", "SSH", "TSIG"]
    assert (job["extra_vars"], job["project"], job["inventory"]) == ({"gogetssl_approved_plan": []}, "Web", "Servers")
    (schedule,) = [options for name, options in calls if name == "schedule"]
    assert schedule["extra_data"] == {"gogetssl_hosts": "all", "gogetssl_spend": "reissue"}
    (credential,) = [options for name, options in calls if name == "credential"]
    assert credential["inputs"] == {"api_user": "user", "api_password": STORE_PASSWORD, "api_url": ""}
