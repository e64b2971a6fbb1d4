# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's validation data made neutral: every form of it becomes a `Proof`, checked before anyone acts on it.

The data ends up in file names, files and DNS zones, so a value that could reach beyond the name it is for is refused.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from . import _loose, _names
from ._errors import GogetsslError, Kind
from ._models import Proof, ProofState

PROOF_DIRECTORY = "/.well-known/pki-validation/"

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_FILE_CONTENT = re.compile(r"[\x20-\x7e\r\n]{1,4096}\Z")
DNS_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})+\Z")
TXT_VALUE = re.compile(r"[A-Za-z0-9 ._=+/:;-]{1,255}\Z")
_ZONE_LINE = re.compile(r"(\S+)\s+(?:\d+\s+)?(?:IN\s+)?(CNAME|TXT)\s+(.+)\Z", re.IGNORECASE | re.DOTALL)
_STATES = {0: ProofState.UNSET, 1: ProofState.PROCESSING, 2: ProofState.VALIDATED}


def state_of(value: t.Any, field: str) -> ProofState:
    """`dcv_status` and `san[].status`: 0 and 1 are open, 2 is validated (API reference 7.1)."""
    number = _loose.integer_or_none(value, field)
    if number is None:
        return ProofState.UNSET
    if number not in _STATES:
        raise _loose.bad(field, value, "0, 1 or 2")
    return _STATES[number]


def read(name: str, given: t.Any, method: str, approver: str, state: ProofState, reason: str) -> Proof:
    """One name's proof from `approver_method`, `validation` or a bare answer keyed by method.

    `method` and `approver` are what the order says beside it; they stand in while the data is not there yet.
    """
    data = _loose.obj(given, "validation")
    chosen = next((key for key in ("http", "https", "dns", "email") if key in data), None)
    if chosen is None:
        method = method.strip().lower()
        if method not in ("http", "https", "dns"):
            return Proof(name, "email", state, reason, email=_email(method if "@" in method else approver))
        return Proof(name, method, state, reason)
    body = data[chosen]
    if isinstance(body, dict) and chosen in body:  # the doubled key of /tools/domain/alternative/ (API reference 5)
        body = body[chosen]
    if chosen == "email":
        address = body.get("email", "") if isinstance(body, dict) else body
        return Proof(name, "email", state, reason, email=_email(_loose.text(address, "email")) or _email(approver))
    body = _loose.obj(body, chosen)
    if not body:
        return Proof(name, chosen, state, reason)
    fields = _dns_fields(name, body) if chosen == "dns" else _file_fields(name, chosen, body)
    return Proof(name, chosen, state, reason, **fields)


def _file_fields(name: str, scheme: str, body: _loose.Object) -> dict[str, str]:
    """File name and content for http and https (API reference 8.2, 8.3)."""
    file_name = _loose.text(body.get("filename"), "filename")
    content = body.get("content")
    link = _loose.text(body.get("link"), "link")
    if not _FILE_NAME.match(file_name):
        raise _refused(name, f"the file name {file_name[:60]!r}")
    if not isinstance(content, str) or not _FILE_CONTENT.match(content):
        raise _refused(name, "the content of the proof file")
    if link and urlsplit(link).path != PROOF_DIRECTORY + file_name:
        raise _refused(name, f"the link {link[:120]!r}")
    path = PROOF_DIRECTORY + file_name
    # The vendor's link says http even where the method is https (API reference 8.2).
    url = f"{scheme}://{_names.base(name)}{path}"
    return {"url": url, "path": path, "file_name": file_name, "content": content}


def _dns_fields(name: str, body: _loose.Object) -> dict[str, str]:
    """Record, type and value from Sectigo's one string or the DigiCert family's zone line (API reference 8.2, 8.3)."""
    line = _loose.text(body.get("record"), "record")
    match = _ZONE_LINE.match(line)
    if not match:
        raise _refused(name, f"the record {line[:120]!r}")
    record, kind, value = match.group(1).rstrip("."), match.group(2).upper(), match.group(3).strip()
    zone = _names.base(name)
    inside = record.lower() == zone or record.lower().endswith("." + zone)
    if not DNS_NAME.match(record) or len(record) > 253 or not inside:
        raise _refused(name, f"the record name {record[:120]!r}")
    if kind == "TXT":
        value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        acceptable = TXT_VALUE.match(value)
    else:
        value = value.rstrip(".")
        acceptable = DNS_NAME.match(value)
    if not acceptable:
        raise _refused(name, f"the record value {value[:120]!r}")
    return {"type": kind, "record": record.lower(), "value": value if kind == "TXT" else value.lower()}


def _email(address: str) -> str | None:
    return address if re.fullmatch(r"[^@\s,]+@[^@\s,]+", address) else None


def _refused(name: str, what: str) -> GogetsslError:
    return GogetsslError(
        f"{name}: GoGetSSL gave {what} as proof of control, which is not safe to publish; nothing was published."
        " Report it to GoGetSSL's support.",
        Kind.ANSWER,
    )
