# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports go to lower layers only and without cycles, and each third-party library is imported in one place."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
FILES = sorted(PLUGINS.rglob("*.py"))
# A package imports from itself and from the packages before it.
PACKAGES = (
    "_core",
    "_crypto",
    "_api",
    "_request",
    "_dns",
    "_host",
    "_deploy",
    "_order",
    "_report",
    "_validation",
    "_tasks",
)
LAYERS = (
    *(f"module_utils/{package}" for package in PACKAGES),
    "plugin_utils",
    "plugin_utils/_role",
    "plugin_utils/_controller",
)
TOP = ("modules", "action", "filter", "doc_fragments")
# PKCS#12 needs a newer release of cryptography than the rest, so it is imported in another place.
LIBRARIES = {
    "requests": {"module_utils/_api/client.py", "module_utils/_api/connection.py"},
    "cryptography": {"module_utils/_crypto/x509.py", "module_utils/_crypto/pkcs12.py"},
    "dns": {"module_utils/_dns/wire.py"},
    "lexicon": {"module_utils/_tasks/lexicon.py"},
    "jinja2": {"module_utils/_report/html.py"},
    "publicsuffixlist": {"module_utils/_dns/suffixes.py"},
}
# requests is for the API client. A single call without redirects and retries needs no session.
CLASSES = {
    "AnsibleModule": {"module_utils/_core/task.py"},
    "ActionBase": {"plugin_utils/_controller/base.py"},
    "open_url": {"module_utils/_tasks/powerdns.py"},
}
ENDPOINTS = ("/orders", "/tools", "/products", "/auth", "/account", "/invoice", "/lei")
API = "module_utils/_api/"
# Calls that cost money or change an order: one file each, in which an intent or a journal protects every call.
ACTS = {
    **dict.fromkeys(("place", "renew", "add_names", "reissue"), "module_utils/_order/act.py"),
    "cancel": "module_utils/_order/cancel.py",
    **dict.fromkeys(("lei_create", "lei_renew"), "module_utils/_order/lei.py"),
}


def name_of(path: Path) -> str:
    return path.relative_to(PLUGINS).as_posix()


def imports(tree: ast.AST) -> Iterator[tuple[int, str, list[str]]]:
    """All imports as (number of leading dots, module, names)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", [alias.name for alias in node.names]


def imported_files(source: str, file: str) -> set[str]:
    """The files of the collection that a file imports."""
    found = set()
    for level, module, names in imports(ast.parse(source)):
        own = module.partition("ansible_collections.certops.gogetssl.plugins.")[2]
        if not level and not own:
            continue
        folder = file.split("/")[:-level] if level else []
        target = "/".join([*folder, *(own or module).split(".")]).strip("/")
        if (PLUGINS / f"{target}.py").exists():
            found.add(f"{target}.py")
        else:
            found |= {f"{target}/{name}.py" for name in names}
    return found


def layer(file: str) -> int:
    """The layer of a file, which may import from lower layers."""
    folder = file.rpartition("/")[0]
    return LAYERS.index(folder) if folder in LAYERS else len(LAYERS)


def object_of(node: ast.expr) -> str:
    """The last part of a name: `api` for `api` and `session.api`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def violations(source: str, file: str) -> list[str]:
    """The violations in one file."""
    tree = ast.parse(source)
    found = [f"imports upwards: {other}" for other in imported_files(source, file) if layer(other) > layer(file)]
    for level, module, names in imports(tree):
        library = module.split(".")[0]
        if not level and file not in LIBRARIES.get(library, {file}):
            found.append(f"imports {library}")
        found += [f"imports {name}" for name in names if file not in CLASSES.get(name, {file})]
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if not file.startswith(API) and text.startswith(ENDPOINTS):
            found.append(f"knows the endpoint {text}")
        if isinstance(node, ast.Attribute) and object_of(node.value) == "api" and ACTS.get(node.attr, file) != file:
            found.append(f"acts: {node.attr}")
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_respect_the_layers(path: Path) -> None:
    assert violations(path.read_text(), name_of(path)) == []


def test_every_file_is_in_a_package() -> None:
    folders = {name_of(path).rpartition("/")[0] for path in FILES}
    assert folders == {*LAYERS, *TOP}


def test_there_are_no_import_cycles() -> None:
    graph = {name_of(path): imported_files(path.read_text(), name_of(path)) for path in FILES}
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    "source",
    [
        "import requests.adapters",
        "def f():\n    from cryptography import x509",
        "import dns.resolver",
        "from ansible.module_utils.basic import AnsibleModule",
        "from ansible.plugins.action import ActionBase",
        "from ansible.module_utils.urls import open_url",
        "from .._tasks.dcv import TASK",
        "from .._tasks import dcv",
        "from ...plugin_utils import _play",
        "from ...plugin_utils._controller.controller import ControllerAction",
        "from ansible_collections.certops.gogetssl.plugins.modules.gogetssl_dcv import main",
        "path = f'/orders/status/{order_id}'",
        "send = session.api.place",
        "api.cancel(1, 'because')",
    ],
)
def test_violations_are_detected(source: str) -> None:
    assert violations(source, "module_utils/_order/assess.py")


def sent_with(module: str) -> set[str]:
    """The files of module_utils that Ansible sends to a host with a module: all direct and indirect imports."""
    found: set[str] = set()
    to_read = [f"modules/{module}.py"]
    while to_read:
        file = to_read.pop()
        new = imported_files((PLUGINS / file).read_text(), file) - found
        found |= new
        to_read += new
    return found


@pytest.mark.parametrize(
    "module",
    [
        *("gogetssl_certificate", "gogetssl_csr", "gogetssl_dcv_file", "gogetssl_dcv_server", "gogetssl_deploy"),
        *("gogetssl_haproxy", "gogetssl_library", "gogetssl_publish_http"),
    ],
)
def test_hosts_are_not_sent_the_api(module: str) -> None:
    """Importing it, requests and dnspython would delay every task on every host by 0.2 seconds."""
    sent = sent_with(module)
    assert {"module_utils/_core/task.py", "module_utils/_core/errors.py"} <= sent
    assert not sent & (LIBRARIES["requests"] | LIBRARIES["dns"])


def test_sent_files_are_detected() -> None:
    importers = (
        LIBRARIES["requests"] | LIBRARIES["dns"] | {"module_utils/_crypto/x509.py", "module_utils/_api/orders.py"}
    )
    assert importers <= sent_with("gogetssl_dcv")
