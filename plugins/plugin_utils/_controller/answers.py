# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation and escaping of module results from hosts, because a hostile host can return any content."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible.module_utils import json_utils

from ...module_utils._core.errors import GogetsslError, host_error
from ...module_utils._core.text import escaped_lines, printable

_DEPTH = 12
_LONGEST = 1 << 20  # characters of a text
LONGEST_REASON = 10_000  # characters; one may name a hundred certificates
_REASONS = ("reason", "probe_problem")  # one line in reports, also of other hosts
_TEXT, _FLAG, _NUMBER, _NAME = "a text", "a boolean", "a number", "the name of a requested certificate"
_OPTIONAL = "a text or null"
_CERTIFICATE = {
    "name": _NAME,
    **dict.fromkeys(("serial", "previous_serial", "path", "not_after"), _TEXT),
    "forms": [_TEXT],
    **dict.fromkeys(("changed", "moved", "unverified"), _FLAG),
}
_HAPROXY = {"updated": [_TEXT], "reload": _FLAG, "reason": _TEXT, "pid": _NUMBER}
# The return values of the modules. A test compares them with the documentation.
SHAPES: dict[str, dict[str, t.Any]] = {
    "gogetssl_certificate": {"certificates": [_CERTIFICATE]},
    "gogetssl_deploy": {
        "certificates": [_CERTIFICATE],
        "served": [
            {
                **dict.fromkeys(("not_after", "replace_from"), _TEXT),
                "name": _NAME,
                "listeners": [{"listener": _TEXT, "matches": _FLAG, "answers": _FLAG}],
            }
        ],
        "stopped": [{"name": _NAME, "reason": _TEXT}],
        "dcv_files_left": _FLAG,
        **dict.fromkeys(("hook", "hook_run", "progress"), _TEXT),
        "haproxy": _HAPROXY,
    },
    "gogetssl_csr": {
        "requests": [
            {
                "name": _NAME,
                **dict.fromkeys(("csr", "common_name", "key_type", "public_key", "reason"), _OPTIONAL),
                "names": [_TEXT],
                **dict.fromkeys(("matches_spec", "changed"), _FLAG),
            }
        ],
        "stopped": [{"name": _NAME, "reason": _TEXT}],
        "probe_problem": _TEXT,
    },
    "gogetssl_dcv_file": {"files": [{"path": _TEXT, "changed": _FLAG}]},
    "gogetssl_publish_http": {
        "files": [{"path": _TEXT, "changed": _FLAG}],
        "stopped": [{"order_id": _NUMBER, "reason": _TEXT}],
    },
    "gogetssl_dcv_server": {"files": [{"file_name": _TEXT, "changed": _FLAG}]},
    "gogetssl_haproxy": _HAPROXY,
    "gogetssl_library": {"packages": [_TEXT], "manager": _TEXT},
}
_INTERNAL = ("_ansible_trusted_utf8", "_ansible_suppress_tmpdir_delete")
# Ansible acts on these: new hosts, statistics that AWX passes to the next job as extra variables, and warnings with
# fields of any type. No module of this collection returns them.
_ACTING = ("add_host", "add_group", "ansible_stats", "deprecations")
_EXPECTED = {"ansible_facts": dict, "stdout": str, "stderr": str}
# Optional return values of every module.
_COMMON = {"msg": _TEXT, "changed": _FLAG, "failed": _FLAG, "skipped": _FLAG, "lacking": [_NAME]}


def cleaned_output(stdout: str) -> str:
    """The output of a module without text around its JSON, keys that Ansible removes or acts on, and wrong types.

    Ansible prints some of them in warnings. Output without JSON is escaped.
    """
    text = escaped_lines(stdout)
    try:
        result = json.loads(json_utils._filter_non_json_lines(text, objects_only=True)[0])
    except (ValueError, RecursionError):
        return text
    kept = {
        key: value
        for key, value in result.items()
        if (not key.startswith("_ansible_") or key in _INTERNAL)
        and key not in _ACTING
        and isinstance(value, _EXPECTED.get(key, object))
    }
    return json.dumps(kept)


def checked(action: str, result: t.Any, names: t.Container[t.Any]) -> dict[str, t.Any]:
    """The validated result of a module, or a failure if it is not valid. `names` are the requested certificates."""
    try:
        found = _escaped(result, _DEPTH)
        if not isinstance(found, dict):
            raise _unusable("it is not a dictionary")
        returned = SHAPES.get(action.rpartition(".")[2], {})
        if found.get("failed") or found.get("skipped"):  # has no values, and none that are not checked
            found = {key: value for key, value in found.items() if key not in returned}
            returned = {}
        shape = {**{key: value for key, value in _COMMON.items() if found.get(key) is not None}, **returned}
        _check("", {key: found.get(key) for key in shape}, shape, names)
    except GogetsslError as error:
        return {"failed": True, "changed": False, "msg": error.message, "failure": error.kind.value}
    return found


def _check(where: str, value: t.Any, shape: t.Any, names: t.Container[t.Any]) -> None:
    """Raise a host error unless the value has this shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise _unusable(f"{where} is not a dictionary")
        for key, inner in shape.items():
            _check(f"{where}.{key}".lstrip("."), value.get(key), inner, names)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise _unusable(f"{where} is not a list")
        for number, item in enumerate(value):
            _check(f"{where}[{number}]", item, shape[0], names)
        listed = [item.get("name") if isinstance(item, dict) else item for item in value]
        if _NAME in (shape[0], isinstance(shape[0], dict) and shape[0].get("name")) and len(set(listed)) < len(listed):
            raise _unusable(f"{where} names a certificate twice")
    elif not _is(value, shape, names):
        raise _unusable(f"{where} is not {shape}")


def _is(value: t.Any, kind: str, names: t.Container[t.Any]) -> bool:
    if kind == _NAME:
        return isinstance(value, str) and value in names
    if kind == _OPTIONAL:
        return value is None or isinstance(value, str)
    expected = {_TEXT: str, _FLAG: bool, _NUMBER: int}[kind]
    return isinstance(value, expected) and (kind != _NUMBER or not isinstance(value, bool))


def _escaped(value: t.Any, depth: int) -> t.Any:
    """Escape all texts of a value; a host error if the value is nested too deeply or a text is too long."""
    if not depth:
        raise _unusable("it is nested too deeply")
    if isinstance(value, str):
        if len(value) > _LONGEST:
            raise _unusable("it holds a text of more than a million characters")
        return escaped_lines(value)
    if isinstance(value, dict):
        escaped = {printable(str(key)): _escaped(item, depth - 1) for key, item in value.items()}
        reasons = {key: escaped[key] for key in _REASONS if isinstance(escaped.get(key), str)}
        return {**escaped, **{key: printable(text, LONGEST_REASON) for key, text in reasons.items()}}
    if isinstance(value, (list, tuple)):
        return type(value)(_escaped(item, depth - 1) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):  # warnings and errors, since ansible-core 2.19
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **{name: _escaped(one, depth - 1) for name, one in fields.items()})
    return value


def _unusable(why: str) -> GogetsslError:
    return host_error(f"The host's answer cannot be used: {why}. Check the Python and the modules on this host.")
