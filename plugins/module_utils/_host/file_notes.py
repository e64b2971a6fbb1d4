# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's note of DCV files that could not be removed, so that the next run retries.

The note is input from a host: only names and contents that a CA uses are accepted, and only for names of the host, and
probes of the host.
"""

from __future__ import annotations

import json
import re
import typing as t

from .._api.validations import DCV_DIRECTORY, is_dcv_file
from .._core import names as _names
from . import interrupted_files
from .files import LARGEST

PART = "unremoved"
MAX_OF_NAME = 20  # files; very many would hold the run

# Part of the inspection script: prints the note.
# Any other kind of file is omitted: a pipe would hold the inspection, and a link would show another file.
PRINT = f"""
f="$d/{interrupted_files.FILE_NOTE}"
if [ -r "$f" ] && [ -f "$f" ] && [ ! -L "$f" ]; then show {PART}; head -c {LARGEST} "$f"; fi
"""

_PROBE_CONTENT = re.compile(r"(?:gogetssl-probe-[a-z0-9]{32})?")


def read(text: str, host_names: t.Collection[str], host: str) -> list[dict[str, t.Any]]:
    """Return the noted files in the publishers' format. Invalid entries, and very many, are omitted."""
    try:
        entries = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    if not isinstance(entries, list):
        return []
    bases = {_names.base(name) for name in host_names}
    found = [_read_entry(entry, bases, host) for entry in entries if isinstance(entry, dict)]
    return [entry for entry in found if entry is not None][: MAX_OF_NAME * (1 + len(bases))]


def _read_entry(entry: t.Mapping[str, t.Any], bases: t.Collection[str], host: str) -> dict[str, t.Any] | None:
    file_name, content = entry.get("file_name"), entry.get("content")
    if not isinstance(file_name, str) or not isinstance(content, (str, type(None))):
        return None
    path = DCV_DIRECTORY + file_name
    if interrupted_files.is_probe(file_name, host) and _PROBE_CONTENT.fullmatch(content or ""):
        return {"order_id": 0, "file_name": file_name, "content": content, "path": path}
    order_id, name, method = entry.get("order_id"), entry.get("name"), entry.get("method")
    if not isinstance(order_id, int) or isinstance(order_id, bool):
        return None
    if not isinstance(name, str) or name not in bases or method not in ("http", "https"):
        return None
    if content is None or not is_dcv_file(file_name, content):
        return None
    return {
        "order_id": order_id,
        "name": name,
        "method": method,
        "file_name": file_name,
        "content": content,
        "path": path,
        "url": f"{method}://{name}{path}",
    }
