# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: the contents of a CSR, read by the vendor or locally."""

from __future__ import annotations

from .._api.orders import Api
from .._api.raw import info_task
from .._core import names
from .._core.errors import GogetsslError
from .._core.task import Context, Result
from .._crypto import x509

OPTIONS = {
    "csr": {"type": "str", "required": True},
    "local": {"type": "bool"},
    "validate": {"type": "bool"},
    "wildcard": {"type": "bool"},
}
_SUBJECT = {"organization": "O", "division": "OU", "city": "L", "region": "ST", "country": "C"}


def read(context: Context, api: Api) -> Result:
    """Both readers return the same structure. Values that one of them does not provide are null."""
    params = context.params
    here = read_here(params["csr"])
    if params["local"]:
        found = here
    elif params["validate"]:
        found = api.validate_csr(params["csr"])
    else:
        announced = params["wildcard"]
        wildcard = any(map(names.is_wildcard, here["names"])) if announced is None else announced
        found = api.decode_csr(params["csr"], wildcard)
    known = {key: here[key] if found.get(key) in (None, []) else found[key] for key in here}
    return {"csr": {**known, "valid": not known["problem"]}}


def read_here(pem: str) -> Result:
    """Read a CSR locally, in the structure of the vendor's response. An invalid CSR has a `problem`."""
    found: Result = dict.fromkeys(
        ("common_name", *_SUBJECT, "email", "key_size", "key_type", "public_key", "md5", "sha1", "sha256")
    )
    try:
        request = x509.read_request(pem)
        subject = x509.subject_of_request(pem)
    except GogetsslError as error:
        return {**found, "names": [], "problem": error.message}
    size = request.key_type.rpartition("-")[2].lstrip("p")
    return {
        **found,
        **{field: subject.get(key) for field, key in _SUBJECT.items()},
        "common_name": request.common_name or None,
        "names": list(request.names),
        "key_type": request.key_type,
        "key_size": int(size) if size.isdigit() else None,
        "public_key": request.public_key,
        "md5": request.md5,
        "sha256": request.sha256,
        "problem": "",
    }


TASK = info_task(OPTIONS, read, rules={"mutually_exclusive": [("local", "validate")]})
