# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment with real files, commands and listeners."""

from __future__ import annotations

import json
import os
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context, Result
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import csr, deploy, haproxy
from tests.unit import hosts
from tests.unit.plugins.modules.test_host_modules import open_module

pytestmark = pytest.mark.host
AUTHORITY = hosts.CertificateAuthority()


def shell(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


class Bench:
    """A directory with the certificates `a` and `b`, whose services have the names of the certificates."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.store = directory, directory / "gogetssl"
        self.certificates = [self.spec("a"), self.spec("b")]
        self.services = {name: {"test": "true", "reload": f"touch {directory}/reloaded-{name}"} for name in "ab"}
        self.warnings: list[str] = []
        self.pauses = 0

    def spec(self, name: str, **changes: t.Any) -> dict[str, t.Any]:
        usual = {"name": name, "names": [f"{name}.example.com"], "product": "68", "key_type": "ecdsa-p256"}
        return {**usual, "services": [name], "listeners": [], **changes}

    def deliveries(self) -> list[dict[str, t.Any]]:
        """Newly issued certificates, as gogetssl_order returns them."""
        made = hosts.run(csr.TASK, certificates=self.certificates, directory=str(self.store))
        return [
            {
                **{"name": one["name"], "names": one["names"], "issued": True, "step": "buy", "order_id": 7},
                **{"certificate": AUTHORITY.issue(one["csr"]), "chain": AUTHORITY.intermediate},
            }
            for one in made["requests"]
        ]

    def params(self, **given: t.Any) -> dict[str, t.Any]:
        usual = {"certificates": self.certificates, "directory": str(self.store), "services": self.services}
        return {**usual, "keep_going": True, "serve_timeout": 1, **given}

    def run(self, check_mode: bool = False, **given: t.Any) -> Result:
        validated = ArgumentSpecValidator(deploy.SPEC).validate(self.params(**given))
        assert not validated.error_messages
        context = Context(validated.validated_parameters, check_mode, shell, self._api, self.warnings.append)
        return deploy.run(Context(**{**vars(context), "sleep": self._sleep}))

    def _api(self) -> t.Any:
        raise AssertionError("a host task must not use the API")

    def _sleep(self, _seconds: float) -> None:
        self.pauses += 1

    def serial(self, name: str) -> str:
        link = self.store / name / "current"
        return os.readlink(link) if link.is_symlink() else ""

    def marked(self) -> list[str]:
        return sorted(path.parent.name for path in self.store.glob("*/unverified"))

    def reloaded(self) -> list[str]:
        return sorted(path.name[-1] for path in self.directory.glob("reloaded-*"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_certificates_are_installed_and_their_services_reloaded(bench: Bench) -> None:
    result = bench.run(deliveries=bench.deliveries())
    assert (result["changed"], result["stopped"], result["hook"]) == (True, [], "")
    assert [one["serial"] for one in result["certificates"]] == [bench.serial("a"), bench.serial("b")]
    assert [(one["name"], bool(one["not_after"]), one["listeners"]) for one in result["served"]] == [
        ("a", True, []),
        ("b", True, []),
    ]
    assert result["served"][0]["replace_from"] < result["served"][0]["not_after"]
    assert (bench.marked(), bench.reloaded(), bench.warnings) == ([], ["a", "b"], [])
    assert "PRIVATE KEY" not in json.dumps(result)


DCV_FILE = {"order_id": 7, "file_name": "5DB1A1C9F9E2C2F9B6D3B5E6A1E5F2C1.txt", "content": "text"}


def published(web_root: Path) -> Path:
    path = web_root / ".well-known" / "pki-validation" / DCV_FILE["file_name"]
    path.parent.mkdir(parents=True)
    path.write_text(DCV_FILE["content"])
    return path


def test_validation_files_are_removed_before_the_installation(bench: Bench, tmp_path: Path) -> None:
    path = published(tmp_path / "www")
    # Fails if the file is still there when the service is tested for the first time.
    bench.services["a"]["test"] = f"test ! -e {path}"
    result = bench.run(deliveries=bench.deliveries(), web_root=str(tmp_path / "www"), dcv_files=[DCV_FILE])
    assert (result["stopped"], result["dcv_files_left"], path.exists()) == ([], False, False)
    assert bench.serial("a")


def test_a_validation_file_that_cannot_be_removed_stops_nothing(bench: Bench, tmp_path: Path) -> None:
    path = published(tmp_path / "www")
    path.unlink()
    path.symlink_to("/etc/passwd")
    result = bench.run(deliveries=bench.deliveries(), web_root=str(tmp_path / "www"), dcv_files=[DCV_FILE])
    assert (result["stopped"], result["dcv_files_left"]) == ([], True)
    assert bench.serial("a")
    [warning] = bench.warnings
    assert warning.startswith(f"DCV files not removed: {DCV_FILE['file_name']}. The next run tries again. ")
    assert "symbolic link" in warning


def test_validation_files_are_removed_without_a_delivery(bench: Bench, tmp_path: Path) -> None:
    path = published(tmp_path / "www")
    result = bench.run(web_root=str(tmp_path / "www"), dcv_files=[DCV_FILE])
    assert (result["changed"], path.exists()) == (True, False)


def test_validation_files_need_a_web_root(bench: Bench) -> None:
    with pytest.raises(GogetsslError, match="dcv_files requires web_root"):
        bench.run(dcv_files=[DCV_FILE])


def test_check_mode_changes_nothing(bench: Bench) -> None:
    given = bench.deliveries()
    before = hosts.tree(str(bench.directory))
    bench.services = {name: {"test": f"touch {bench.directory}/tested"} for name in "ab"}
    result = bench.run(check_mode=True, deliveries=given)
    assert (result["changed"], len(result["certificates"]), len(result["diff"])) == (True, 2, 2)
    assert hosts.tree(str(bench.directory)) == before


def test_a_rejected_certificate_goes_back_alone(bench: Bench) -> None:
    bench.run(deliveries=bench.deliveries())
    first = {name: bench.serial(name) for name in "ab"}
    test = f"sh -c 'readlink {bench.store}/b/current | grep -q {first['b']} || {{ echo mismatch >&2; exit 1; }}'"
    bench.services["b"]["test"] = test
    result = bench.run(deliveries=bench.deliveries())
    (stopped,) = result["stopped"]
    assert stopped["name"] == "b"
    assert "the previous version was restored. Test the configuration of b: mismatch." in stopped["reason"]
    assert (bench.serial("b"), bench.serial("a") != first["a"], bench.marked()) == (first["b"], True, [])
    with pytest.raises(GogetsslError, match="b: not served; no service was reloaded"):
        bench.run(deliveries=bench.deliveries(), keep_going=False)


def test_a_certificate_that_cannot_be_installed_is_named(bench: Bench) -> None:
    first, second = bench.deliveries()
    result = bench.run(deliveries=[{**first, "chain": first["certificate"], "certificate": "x"}, second])
    (stopped,) = result["stopped"]
    assert stopped["name"] == "a"
    assert stopped["reason"].startswith("a: ")
    assert (bench.serial("a"), bench.serial("b") != "", bench.reloaded()) == ("", True, ["b"])


def test_a_listener_without_the_certificate(bench: Bench) -> None:
    bench.certificates[1] = bench.spec("b", listeners=[{"port": 9}])
    result = bench.run(deliveries=bench.deliveries(), serve_timeout=3)
    (stopped,) = result["stopped"]
    assert "b.example.com at 127.0.0.1:9 did not serve any certificate after the reload." in stopped["reason"]
    assert "the first version was kept" in stopped["reason"]
    assert (bench.pauses, bench.marked()) == (3, ["b"])
    again = bench.run(complete=["b"])
    assert "b: not served; this run changed no files." in again["stopped"][0]["reason"]


@pytest.mark.parametrize(("service", "attempts"), [("nginx", 4), ("tomcat", 61)])
def test_tomcat_gets_a_minute(bench: Bench, service: str, attempts: int) -> None:
    used = [bench.spec("a", services=[service]), bench.spec("b", services=["tomcat"])]
    params = {**bench.params(certificates=used, serve_timeout=3), "hooks": [], "incomplete": []}
    assert deploy._wanted(params, ["a"]).attempts == attempts


@pytest.mark.parametrize("reload", [True, False])
def test_haproxy_is_reloaded_only_if_it_does_not_take_certificates(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, reload: bool
) -> None:
    seen: list[t.Any] = []

    def run(context: Context) -> Result:
        seen.append(context.params)
        context.warn("once")
        return {"changed": True, "updated": [], "reload": reload, "reason": "why", "pid": 7}

    monkeypatch.setattr(haproxy, "run", run)
    bench.certificates[0] = bench.spec("a", services=["haproxy"])
    bench.services["haproxy"] = {"test": "true", "reload": f"touch {bench.directory}/reloaded-h"}
    result = bench.run(deliveries=bench.deliveries(), haproxy_socket="/run/x")
    assert bench.reloaded() == (["b", "h"] if reload else ["b"])
    assert result["haproxy"] == {"updated": [], "reload": reload, "reason": "why", "pid": 7}
    (params,) = seen
    assert (params["certificates"], params["socket"], params["directory"]) == (["a"], "/run/x", str(bench.store))
    assert bench.warnings == ["once"]


def test_a_task_file_of_the_user_and_the_next_round(bench: Bench) -> None:
    given = bench.deliveries()
    options: dict[str, t.Any] = {"hooks": ["a"]}
    first = bench.run(deliveries=given, **options)
    assert (first["hook"], first["stopped"], bench.marked()) == ("a", [], ["a", "b"])
    other = {"run": "another", "error": "old"}
    second = bench.run(earlier=first, hook_failure=other, **options)
    assert (second["hook"], second["stopped"], bench.marked(), bench.reloaded()) == ("", [], [], ["b"])
    third = bench.run(earlier=second, deliveries=given, **options)
    assert third["certificates"] == second["certificates"]
    assert third["hook"] == ""

    again = bench.run(deliveries=bench.deliveries(), **options)
    failure = {"run": again["hook_run"], "error": "exim is broken."}
    last = bench.run(earlier=again, hook_failure=failure, **options)
    assert (last["hook"], last["hook_run"] != again["hook_run"]) == ("a", True)
    last = bench.run(earlier=last, hook_failure=failure, **options)
    (stopped,) = last["stopped"]
    assert "a: not served; the previous version was restored. Reload a: exim is broken." in stopped["reason"]


@pytest.mark.parametrize("option", ["service_timeout", "serve_timeout"])
def test_times_are_positive(bench: Bench, option: str) -> None:
    with pytest.raises(GogetsslError, match=f"{option} must be at least 1"):
        bench.run(False, **{option: 0})


def test_nothing_new_is_begun_if_nobody_reads_the_output(bench: Bench) -> None:
    """As if the controller was killed during the first test: nothing has changed when the module ends."""
    given = bench.deliveries()
    begun, proceed = bench.directory / "begun", bench.directory / "proceed"
    bench.services["a"]["test"] = f"sh -c 'touch {begun}; while [ ! -e {proceed} ]; do sleep 0.05; done'"
    before = hosts.tree(str(bench.store))
    process = open_module("gogetssl_deploy", **bench.params(deliveries=given))
    deadline = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.stdout is not None
    process.stdout.close()
    proceed.touch()
    process.stdout = None
    process.communicate()
    assert process.returncode != 0
    assert (hosts.tree(str(bench.store)), bench.reloaded()) == (before, [])
