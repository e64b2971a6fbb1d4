# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports go down only, and each foreign library has one door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
FILES = sorted(PLUGINS.rglob("*.py"))
# PKCS#12 needs a newer release of cryptography than the rest, so its door is another one.
LIBRARIES = {
    "requests": {"_client"},
    "cryptography": {"_x509", "_pkcs12"},
    "dns": {"_dns_wire"},
    "lexicon": {"_lexicon"},
    "publicsuffixlist": {"_suffixes"},
}
# requests is for the vendor, whose client never follows or repeats by itself; a single plain call needs no session.
CLASSES = {"AnsibleModule": {"_task"}, "ActionBase": {"_controller"}, "open_url": {"_powerdns"}}
ENDPOINTS = ("/orders", "/tools", "/products", "/auth", "/account", "/invoice", "/lei")
ENDPOINT_FILES = {"_api", "_api_base", "_api_account", "_api_products", "_api_tools", "_api_lei", "_client"}
HIGHER = ("modules", "action", "plugin_utils")
# What asks the vendor for money's worth: one file, in which every call stands behind an intent or a journal.
ACTS = {"place": {"_act"}, "renew": {"_act"}, "add_names": {"_act"}, "reissue": {"_act"}, "cancel": {"_cancel"}}


def imports(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Every import as (module with its leading dots, names)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), [alias.name for alias in node.names]


def named(node: ast.expr) -> str:
    """The last part of a name: `api` for `api` and `desk.api`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def breaches(source: str, stem: str, folder: str) -> list[str]:
    """What is wrong with one file."""
    tree = ast.parse(source)
    found = []
    for module, names in imports(tree):
        library = module.split(".")[0]
        if stem not in LIBRARIES.get(library, {stem}):
            found.append(f"imports {library}")
        found += [f"imports {name}" for name in names if stem not in CLASSES.get(name, {stem})]
        if folder == "module_utils" and any(part in HIGHER for part in [*module.split("."), *names]):
            found.append(f"imports upwards: {module}")
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if stem not in ENDPOINT_FILES and text.startswith(ENDPOINTS):
            found.append(f"knows the endpoint {text}")
        if isinstance(node, ast.Attribute) and stem not in ACTS.get(node.attr, {stem}) and named(node.value) == "api":
            found.append(f"acts: {node.attr}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_a_file_keeps_to_its_layer(path: Path) -> None:
    assert breaches(path.read_text(), path.stem, path.parent.name) == []


@pytest.mark.parametrize(
    "source",
    [
        "import requests.adapters",
        "def f():\n    from cryptography import x509",
        "import dns.resolver",
        "from ansible.module_utils.basic import AnsibleModule",
        "from ansible.plugins.action import ActionBase",
        "from ansible.module_utils.urls import open_url",
        "from ..plugin_utils import _controller",
        "from ..plugin_utils._controller import ControllerAction",
        "import ansible_collections.certops.gogetssl.plugins.modules.gogetssl_dcv",
        "path = f'/orders/status/{order_id}'",
        "send = desk.api.place",
        "api.cancel(1, 'because')",
    ],
)
def test_a_breach_is_found(source: str) -> None:
    assert breaches(source, "_dcv", "module_utils")


def sent_with(module: str) -> set[str]:
    """The files of module_utils that Ansible sends to a host along with a module: what is imported anywhere in them."""
    found: set[str] = set()
    todo = [PLUGINS / "modules" / f"{module}.py"]
    while todo:
        for path, names in imports(ast.parse(todo.pop().read_text())):
            last = path.rpartition(".")[2]
            for name in [last] if last.startswith("_") else names:
                file = PLUGINS / "module_utils" / f"{name}.py"
                if path.startswith(".") and name not in found and file.exists():
                    found.add(name)
                    todo.append(file)
    return found


@pytest.mark.parametrize(
    "module", ["gogetssl_certificate", "gogetssl_csr", "gogetssl_dcv_file", "gogetssl_dcv_listener", "gogetssl_haproxy"]
)
def test_hosts_are_not_sent_the_api(module: str) -> None:
    """Its import, and those of requests and dnspython, would cost every task on every host a fifth of a second."""
    assert {"_task", "_errors"} <= sent_with(module)
    assert not sent_with(module) & (ENDPOINT_FILES | {"_dns_wire"})


def test_what_is_sent_is_found() -> None:
    assert {"_api", "_client", "_dns_wire", "_x509"} <= sent_with("gogetssl_dcv")
