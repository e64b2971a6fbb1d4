# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: publishes or removes the DCV files of several orders on a web host, in its web root or by a validation server.

All orders are handled at once and, if that fails, each by itself, so that only the failing one stops. What could not be
removed is noted on the host of the certificates, whose next run reads the note (`_host/file_notes.py`).
"""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t

from .._core import apart
from .._core.task import Context, Result, Task
from .._host import directory_lock
from .._host import files as _files
from .._host.interrupted_files import FILE_NOTE
from . import dcv_file, dcv_server

SPEC: dict[str, t.Any] = {
    "files": dcv_file.SPEC["files"],
    "state": {**dcv_file.SPEC["state"], "choices": ["present", "absent", "noted"]},
    "note_directory": {"type": "path"},
    "publisher": {"type": "str", "choices": ["web_root", "validation_server"], "default": "web_root"},
    "web_root": {"type": "path", "default": "/var/www/html"},
    **{name: dcv_server.SPEC[name] for name in ("port", "seconds", "directory")},
}
RULES = {"required_if": [("state", "noted", ["note_directory"])]}
_NOTED = ("order_id", "name", "method", "file_name", "content")
_URL_PATH = "/.well-known/pki-validation/"


def run(context: Context) -> Result:
    """Publish or remove the files. Orders whose files fail are in `stopped`."""
    params = context.params
    if params["state"] == "noted":
        with _files.os_errors_as_sentences():
            changed = _note(params["note_directory"], params["files"], context.check_mode)
        return {"changed": changed, "files": [], "stopped": []}
    batches: dict[int, list[t.Mapping[str, t.Any]]] = {}
    for file in params["files"]:
        batches.setdefault(order_of(file), []).append(file)
    parts: list[Result] = []

    def act(order_ids: t.Sequence[int]) -> None:
        files = [file for order_id in order_ids for file in batches[order_id]]
        publish = dcv_file.run if params["publisher"] == "web_root" else dcv_server.run
        parts.append(publish(dataclasses.replace(context, params={**params, "files": files, "address": None})))

    stops = apart.failures(batches, act)
    files = [one for part in parts for one in part["files"]]
    return {
        "changed": any(part["changed"] for part in parts),
        "files": [
            {"path": one.get("path") or _URL_PATH + one["file_name"], "changed": one["changed"]} for one in files
        ],
        "diff": [one for part in parts for one in part.get("diff", ())],
        "stopped": [{"order_id": order_id, "reason": reason} for order_id, reason in stops.items()],
    }


def _note(directory: str, noted: t.Sequence[t.Mapping[str, t.Any]], check_mode: bool) -> bool:
    """Write the note of these files, or remove it if there are none. Return whether it changes."""
    path = os.path.join(directory, FILE_NOTE)
    entries = [{name: file[name] for name in _NOTED if name in file} for file in noted]
    contents = json.dumps(entries).encode() if entries else None
    exists = _files.check_own_directory(directory)
    if (_files.read(path) if exists else None) == contents:
        return False
    if check_mode:
        return True
    if not exists:
        _files.make_directory(directory)
    with directory_lock.locked(directory):
        if contents is None:
            _files.remove(path)
        else:
            _files.replace_file(path, contents, _files.PUBLIC)
    return True


def order_of(file: t.Mapping[str, t.Any]) -> int:
    """The order of a file. A probe belongs to none."""
    try:
        return int(file.get("order_id") or 0)
    except (TypeError, ValueError):
        return 0


TASK = Task(argument_spec=SPEC, run=run, rules=RULES)
