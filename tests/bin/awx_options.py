# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the options of the awx.awx modules that extensions/awx uses to tests/unit/awx_options.json.

    python -m tests.bin.awx_options FOLDER       a folder that contains ansible_collections/awx/awx

    pip download ansible==12.3.0 --no-deps && unzip ansible-12.3.0-*.whl 'ansible_collections/awx/*'

The modules are read, not run. The options come from their argument spec. What the spec does not have, such as the keys
of workflow nodes, comes from their documentation.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "unit" / "awx_options.json"
MODULES = (
    "credential",
    "credential_type",
    "execution_environment",
    "job_template",
    "project",
    "schedule",
    "workflow_job_template",
)
KEYS = ("type", "elements", "choices", "required", "no_log")


def options(folder: Path) -> dict[str, Any]:
    """The version of the collection, and the options of each module."""
    collection = folder / "ansible_collections" / "awx" / "awx"
    version = json.loads((collection / "MANIFEST.json").read_text())["collection_info"]["version"]
    modules = {name: module_options(collection / "plugins" / "modules" / f"{name}.py") for name in MODULES}
    return {"version": version, "modules": modules}


def module_options(path: Path) -> dict[str, Any]:
    """The options by name, in the form of an argument spec."""
    tree = ast.parse(path.read_text())
    assigned = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    documented = yaml.safe_load(ast.literal_eval(assigned["DOCUMENTATION"]))["options"]
    spec = assigned["argument_spec"]
    assert isinstance(spec, ast.Call)
    found = {}
    for keyword in spec.keywords:
        assert keyword.arg is not None
        assert isinstance(keyword.value, ast.Call)
        found[keyword.arg] = _option(keyword.value, documented[keyword.arg])
    return found


def _option(call: ast.Call, documented: dict[str, Any]) -> dict[str, Any]:
    option: dict[str, Any] = {"type": "str"}
    for keyword in call.keywords:
        if keyword.arg in KEYS:
            try:
                option[keyword.arg] = ast.literal_eval(keyword.value)
            except ValueError:  # an expression
                option[keyword.arg] = documented[keyword.arg]
    if "suboptions" in documented:
        option["options"] = _suboptions(documented["suboptions"])
    return option


def _suboptions(documented: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, about in documented.items():
        found[name] = {"type": "str", **{key: about[key] for key in KEYS if key in about}}
        if "suboptions" in about:
            found[name]["options"] = _suboptions(about["suboptions"])
    return found


if __name__ == "__main__":
    TABLE.write_text(json.dumps(options(Path(sys.argv[1])), indent=1, sort_keys=True) + "\n")
