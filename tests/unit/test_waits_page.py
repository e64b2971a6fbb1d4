# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of waits has every limit of the code with its value, every file that waits, and names tests that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PAGE = (ROOT / "docs" / "waits.md").read_text()
ROWS = [line.strip("|").split("|") for line in PAGE.split("## All waits")[1].splitlines() if line.startswith("| ")][2:]

# What can wait for another process or machine.
BLOCKING = {
    *("Popen", "run_command", "check_output", "communicate", "sleep", "flock", "lockf", "select", "poll"),
    *("getaddrinfo", "gethostbyname", "create_connection", "connect", "recv", "accept", "ThreadingMixIn", "open_url"),
    *("requests.Session", "tcp", "udp", "tls", "https", "udp_with_fallback", "zone_for_name", "lexicon.client.Client"),
    *("subprocess.run", "os.system", "os.wait", "os.waitpid", "_low_level_execute_command", "_execute_module"),
}
# Each file of the code that uses them, with the row of the page.
WAITING = {
    "action/gogetssl_library.py": "package manager of a host",
    "_api/client.py": "API call",
    "_api/connection.py": "API call",
    "_core/deadline.py": "API call",
    "_core/locks.py": "state that the hosts of a run share",
    "_core/shell.py": "command or module on a host",
    "_core/task.py": "command or module on a host",
    "_crypto/pkcs12.py": "`openssl` for a keystore",
    "_dns/wire.py": "one DNS query",
    "_host/directory_lock.py": "lock of a directory on the host",
    "_host/validation_server.py": "client of the validation server",
    "_order/cancel.py": "new orders in the list",
    "_order/controller_purchases.py": "purchases kept on the controller",
    "_order/lei.py": "order after a lost answer",
    "_order/lei_journal.py": "purchases kept on the controller",
    "_order/outcome.py": "order after a lost answer",
    "_order/purchase.py": "order after a lost answer",
    "_order/simultaneous.py": "new orders in the list",
    "_tasks/certificate.py": "lock of a directory on the host",
    "_tasks/csr.py": "lock of a directory on the host",
    "_tasks/dcv.py": "loops of `gogetssl_order_info` and `gogetssl_dcv`",
    "_tasks/deploy.py": "look at the listeners after a reload",
    "_tasks/dcv_file.py": "lock of a directory on the host",
    "_tasks/dcv_server.py": "validation server",
    "_tasks/haproxy.py": "command of HAProxy's socket",
    "_tasks/lexicon.py": "dns-lexicon",
    "_tasks/order_info.py": "loops of `gogetssl_order_info` and `gogetssl_dcv`",
    "_tasks/powerdns.py": "PowerDNS",
    "_validation/probe.py": "look at a web server",
    "plugin_utils/_controller/base.py": "command or module on a host",
    "plugin_utils/_controller/controller.py": "module of another collection",
    "plugin_utils/_controller/keys.py": "command or module on a host",
}


def waiting() -> set[str]:
    """The files that use something of `BLOCKING`."""
    found = set()
    for path in PLUGINS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            used = {node.attr, ast.unparse(node)} if isinstance(node, ast.Attribute) else {getattr(node, "id", "")}
            if used & BLOCKING:
                found.add(path.relative_to(PLUGINS).as_posix().removeprefix("module_utils/"))
    return found


def test_every_file_that_waits_has_a_row() -> None:
    assert waiting() == set(WAITING)
    firsts = [row[0].strip() for row in ROWS]
    assert [row for row in WAITING.values() if not any(first.startswith(row) for first in firsts)] == []


def limits() -> set[tuple[str, str, float]]:
    """File, name and value of the constants in seconds."""
    found = set()
    for path in PLUGINS.rglob("*.py"):
        file = path.relative_to(PLUGINS).as_posix().removeprefix("module_utils/")
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and "SECONDS" in ast.unparse(node.targets[0]):
                (target,) = node.targets
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = ast.literal_eval(node.value)
                values = values if isinstance(values, tuple) else (values,)
                found |= {(file, ast.unparse(name), float(value)) for name, value in zip(names, values)}
    return found


def test_every_limit_is_on_the_page() -> None:
    listed = set()
    for row in ROWS:
        file = ""
        for path, name, value in re.findall(r"`([\w/]+\.py)`|`(\w*SECONDS\w*)` ([\d.]+)", row[1]):
            file = path or file
            if name:
                listed.add((file, name, float(value)))
    assert listed == limits()


def test_the_named_tests_exist() -> None:
    for row in ROWS:
        path, _separator, name = row[3].strip(" `").partition("::")
        assert f"def {name}(" in (ROOT / path).read_text()


def test_the_named_settings_exist() -> None:
    defaults = (ROOT / "roles" / "gogetssl" / "defaults" / "main.yml").read_text()
    assert [name for name in set(re.findall(r"`(gogetssl_\w+_timeout)`", PAGE)) if f"\n{name}:" not in defaults] == []


CONTROLLER_ONLY = {
    *("assert", "debug", "fail", "include_role", "include_tasks", "include_vars", "import_tasks", "meta"),
    *("set_fact", "set_stats"),
}


def tasks_of(entries: Any) -> Iterator[dict[str, Any]]:
    """All tasks of a file of tasks or plays."""
    for entry in entries or ():
        yield entry
        for key in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks"):
            yield from tasks_of(entry.get(key))


def test_no_module_of_ansible_runs_on_a_host() -> None:
    """The actions of this collection limit the time of their modules, and validate their results."""
    found = []
    for path in [*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("playbooks/*.yml")]:
        for task in tasks_of(yaml.safe_load(path.read_text())):
            modules = {key.rpartition(".")[2] for key in task if key.startswith("ansible.")}
            if modules - CONTROLLER_ONLY:
                found.append(f"{path.name}: {task['name']}")
    assert found == []
