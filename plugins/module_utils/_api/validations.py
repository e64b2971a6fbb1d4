# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts all forms of the vendor's validation data to `Validation` and checks the data.

The data is used in file names, files and DNS zones. A value that could affect anything but its name is refused.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from .._core import names
from .._core.errors import GogetsslError, Kind
from . import values
from .models import Validation, ValidationState

DCV_DIRECTORY = "/.well-known/pki-validation/"

# The forms that the two families use (API reference 8.2, 8.3): hashes of the CSR at Sectigo, one token at DigiCert.
# Without ASCII, IGNORECASE also matches letters of other domains, such as the i without a dot.
_ANY_CASE = re.IGNORECASE | re.ASCII
_CA_DOMAIN = r"(?:comodoca|sectigo)\.com"
_TOKEN = r"_?[A-Za-z0-9]{16,128}"
_FILES = (  # file name, content
    (
        re.compile(r"[0-9A-F]{32}\.txt\Z", _ANY_CASE),
        re.compile(rf"[0-9A-F]{{64}}\r?\n{_CA_DOMAIN}(?:\r?\n[A-Z0-9]{{1,40}})?(?:\r?\n)?\Z", _ANY_CASE),
    ),
    (re.compile(r"fileauth\.txt\Z"), re.compile(rf"{_TOKEN}(?:\r?\n)?\Z")),
)
_CNAME_OWNER = re.compile(r"_[0-9a-f]{32}\Z", _ANY_CASE)
_CNAME_TARGET = re.compile(rf"[0-9a-f]{{32}}\.[0-9a-f]{{32}}\.(?:[a-z0-9]{{1,40}}\.)?{_CA_DOMAIN}\Z", _ANY_CASE)
_TXT_TOKEN = re.compile(rf"{_TOKEN}\Z")
DNS_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})+\Z")
TXT_VALUE = re.compile(r"[A-Za-z0-9 ._=+/:;-]{1,255}\Z")
_ZONE_LINE = re.compile(r"(\S+)\s+(?:\d+\s+)?(?:IN\s+)?(CNAME|TXT)\s+(.+)\Z", _ANY_CASE | re.DOTALL)
_STATES = {0: ValidationState.UNSET, 1: ValidationState.PROCESSING, 2: ValidationState.VALIDATED}


def state_of(value: t.Any, field: str) -> ValidationState:
    """Read `dcv_status` or `san[].status`: 0 and 1 are open, 2 is validated (API reference 7.1)."""
    number = values.integer_or_none(value, field)
    if number is None:
        return ValidationState.UNSET
    if number not in _STATES:
        raise values.bad(field, value, "0, 1 or 2")
    return _STATES[number]


def read(name: str, given: t.Any, method: str, approver: str, state: ValidationState, reason: str) -> Validation:
    """Read one name's validation from `approver_method`, from `validation` or from a response keyed by method.

    `method` and `approver` are other fields of the order. They are used while the validation data is missing.
    """
    data = values.obj(given, "validation")
    chosen = next((key for key in ("http", "https", "dns", "email") if key in data), None)
    if chosen is None:
        method = method.strip().lower()
        if method not in ("http", "https", "dns"):
            return Validation(name, "email", state, reason, email=_email(method if "@" in method else approver))
        return Validation(name, method, state, reason)
    body = data[chosen]
    if isinstance(body, dict) and chosen in body:  # the doubled key of /tools/domain/alternative/ (API reference 5)
        body = body[chosen]
    if chosen == "email":
        address = body.get("email", "") if isinstance(body, dict) else body
        return Validation(name, "email", state, reason, email=_email(values.text(address, "email")) or _email(approver))
    body = values.obj(body, chosen)
    if not body:
        return Validation(name, chosen, state, reason)
    fields = _dns_fields(name, body) if chosen == "dns" else _file_fields(name, chosen, body)
    return Validation(name, chosen, state, reason, **fields)


def is_dcv_file(file_name: str, content: str) -> bool:
    """True if the name and content have the form of a CA's DCV file."""
    return any(pattern.match(file_name) and shape.match(content) for pattern, shape in _FILES)


def _file_fields(name: str, scheme: str, body: values.Object) -> dict[str, str]:
    """Read file name and content for http and https (API reference 8.2, 8.3)."""
    file_name = values.text(body.get("filename"), "filename")
    content = body.get("content")
    link = values.text(body.get("link"), "link")
    shape = next((content for pattern, content in _FILES if pattern.match(file_name)), None)
    if shape is None:
        raise _refused(name, f"the file name {file_name[:60]!r}")
    if not isinstance(content, str) or not shape.match(content):
        raise _refused(name, f"a content of the file {file_name} that is no hash and no token")
    if link and urlsplit(link).path != DCV_DIRECTORY + file_name:
        raise _refused(name, f"the link {link[:120]!r}")
    path = DCV_DIRECTORY + file_name
    # The vendor's link has http even if the method is https (API reference 8.2).
    url = f"{scheme}://{names.base(name)}{path}"
    return {"url": url, "path": path, "file_name": file_name, "content": content}


def _dns_fields(name: str, body: values.Object) -> dict[str, str]:
    """Read record, type and value from the zone line of either family (API reference 8.2, 8.3)."""
    line = values.text(body.get("record"), "record")
    match = _ZONE_LINE.match(line)
    if not match:
        raise _refused(name, f"the record {line[:120]!r}")
    record, kind, value = match.group(1).rstrip("."), match.group(2).upper(), match.group(3).strip()
    zone = names.base(name)
    owner = record.lower().removesuffix(zone)
    if kind == "TXT":
        value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        owned, acceptable = owner == "", _TXT_TOKEN.match(value)
    else:
        value = value.rstrip(".")
        owned, acceptable = owner.endswith(".") and bool(_CNAME_OWNER.match(owner[:-1])), _CNAME_TARGET.match(value)
    if not owned or not record.lower().endswith(zone):
        raise _refused(name, f"the {kind} record name {record[:120]!r}")
    if not acceptable:
        raise _refused(name, f"the {kind} record value {value[:120]!r}")
    return {"type": kind, "record": record.lower(), "value": value if kind == "TXT" else value.lower()}


def _email(address: str) -> str | None:
    return address if re.fullmatch(r"[^@\s,]+@[^@\s,]+", address) else None


def _refused(name: str, what: str) -> GogetsslError:
    return GogetsslError(
        f"{name}: GoGetSSL returned {what} as validation data, which is not safe to publish. Nothing was published."
        " Report it to GoGetSSL's support.",
        Kind.ANSWER,
    )
