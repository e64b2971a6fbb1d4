# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: what a CSR says, read by the vendor or here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from . import _names, _x509
from ._api import Api
from ._errors import GogetsslError
from ._info import info_task
from ._task import Context, Result

OPTIONS = {
    "csr": {"type": "str", "required": True},
    "local": {"type": "bool"},
    "validate": {"type": "bool"},
    "wildcard": {"type": "bool"},
}
_SUBJECT = {"organization": "O", "division": "OU", "city": "L", "region": "ST", "country": "C"}


def read(context: Context, api: Api) -> Result:
    """Both readers give the same shape; what one of them does not know is null."""
    params = context.params
    here = read_here(params["csr"])
    if params["local"]:
        found = here
    elif params["validate"]:
        found = api.validate_csr(params["csr"])
    else:
        announced = params["wildcard"]
        wildcard = any(map(_names.is_wildcard, here["names"])) if announced is None else announced
        found = api.decode_csr(params["csr"], wildcard)
    known = {key: here[key] if found.get(key) in (None, []) else found[key] for key in here}
    return {"csr": {**known, "valid": not known["problem"]}}


def read_here(pem: str) -> Result:
    """What this collection reads in a CSR, in the shape of the vendor's answer; a bad one has a `problem`."""
    found: Result = dict.fromkeys(
        ("common_name", *_SUBJECT, "email", "key_size", "key_type", "public_key", "md5", "sha1", "sha256")
    )
    try:
        request = _x509.read_request(pem)
        subject = _x509.subject_of_request(pem)
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
