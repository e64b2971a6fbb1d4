# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host modules as programs: they start without `requests`, return the documented values and print no traceback."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.doc_fragments.certificates import ModuleDocFragment
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate, csr, dcv_file
from tests.unit import hosts

pytestmark = pytest.mark.host

MODULES = "ansible_collections.certops.gogetssl.plugins.modules"
SPEC = {"name": "shop", "names": ["shop.example.com"], "product": "68", "key_type": "ecdsa-p256"}


def start(module: str, **params: t.Any) -> tuple[int, dict[str, t.Any], str]:
    """Run a module and return its result."""
    process = open_module(module, **params)
    out, errors = process.communicate()
    return process.returncode, json.loads(out), errors


def open_module(module: str, **params: t.Any) -> subprocess.Popen[str]:
    """Start a module as Ansible does, in a Python without `requests`."""
    run = f"runpy.run_module('{MODULES}.{module}', run_name='__main__')"
    program = f"import sys, runpy; sys.modules['requests'] = None; {run}"
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": params})
    paths = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdin is not None
    process.stdin.write(arguments)
    process.stdin.close()
    process.stdin = None  # otherwise `communicate` would flush it again
    return process


def returned(module: str) -> dict[str, t.Any]:
    documented = yaml.safe_load(importlib.import_module(f"{MODULES}.{module}").RETURN)
    return {name: set(value.get("contains", ())) for name, value in documented.items()}


def keys(result: dict[str, t.Any]) -> dict[str, t.Any]:
    mine = {name: value for name, value in result.items() if name not in ("changed", "diff", "invocation")}
    return {name: set(value[0]) if isinstance(value, list) else set() for name, value in mine.items()}


def test_results_are_as_documented(tmp_path: Path) -> None:
    refused = {**SPEC, "name": "refused", "owner": "nobody-of-this-name"}
    made = hosts.run(csr.TASK, certificates=[SPEC, refused], directory=str(tmp_path), keep_going=True)
    assert keys(made) == returned("gogetssl_csr")
    ca = hosts.CertificateAuthority()
    leaf = ca.issue(made["requests"][0]["csr"])
    delivery = {**SPEC, "certificate": leaf, "chain": ca.intermediate}
    installed = hosts.run(certificate.TASK, certificates=[delivery], directory=str(tmp_path))
    assert keys(installed) == returned("gogetssl_certificate")
    back = hosts.run(
        certificate.TASK, certificates=installed["certificates"], directory=str(tmp_path), state="previous"
    )
    assert keys(back) == returned("gogetssl_certificate")
    validations = [{"file_name": "a.txt", "content": "x"}]
    assert keys(hosts.run(dcv_file.TASK, web_root=str(tmp_path), files=validations)) == returned("gogetssl_dcv_file")


def documented_spec(options: dict[str, t.Any]) -> dict[str, t.Any]:
    kept = ("type", "elements", "required", "default", "choices")
    spec = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in kept if key in option}
        below = option.get("suboptions", option.get("options"))
        if below:
            spec[name]["options"] = documented_spec(below)
    return spec


def test_the_certificate_spec_is_documented() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert documented_spec(documented) == documented_spec({**CERTIFICATES_SPEC, **CONTACTS_SPEC})


def test_modules_work_without_requests(tmp_path: Path) -> None:
    status, result, errors = start("gogetssl_csr", certificates=[SPEC], directory=str(tmp_path))
    assert (status, errors) == (0, "")
    assert result["requests"][0]["changed"] is True
    key = (tmp_path / "shop" / "staged" / "privkey.pem").read_text()
    assert key.split("\n")[1] not in json.dumps(result)
    validations = [{"file_name": "a.txt", "content": "a\r\nb"}]
    status, result, errors = start("gogetssl_dcv_file", web_root=str(tmp_path), files=validations)
    assert (status, errors) == (0, "")
    assert Path(result["files"][0]["path"]).read_bytes() == b"a\r\nb"


@pytest.mark.parametrize(
    ("module", "params", "message"),
    [
        ("gogetssl_csr", {"certificates": [{**SPEC, "names": ["localhost"]}]}, "is not a name"),
        ("gogetssl_csr", {"certificates": [{**SPEC, "sans": []}]}, "sans"),
        ("gogetssl_csr", {"certificates": [SPEC], "directory": "/proc/certs"}, "/proc/certs"),
        ("gogetssl_certificate", {"certificates": [{"name": "shop", "names": []}]}, "none is installed"),
        ("gogetssl_certificate", {"certificates": [], "state": "gone"}, "state"),
        ("gogetssl_dcv_file", {"web_root": "/", "files": [{"file_name": "../x", "content": ""}]}, "is not allowed"),
    ],
)
def test_failures_are_one_line(module: str, params: dict[str, t.Any], message: str, tmp_path: Path) -> None:
    status, result, errors = start(module, **{"directory": str(tmp_path), **params} if "dcv" not in module else params)
    assert (status, errors) == (1, "")
    assert message in result["msg"]
    assert "Traceback" not in json.dumps(result)
    assert hosts.tree(str(tmp_path)) == {}
