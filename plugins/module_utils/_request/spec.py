# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate specs: the items of `gogetssl_certificates`, read and validated in the same way by every task."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t

from .._core import names as _names
from .._core.dates import read_moment
from .._core.errors import GogetsslError, input_error
from .endpoints import LISTENER_SPEC, Listener, read_listeners
from .layout import LAYOUT_SPEC, Layout, read_layout

DEFAULT_DIRECTORY = "/etc/gogetssl"
DCV_METHODS = ("http", "https", "dns")
AUTO = "auto"  # selected for each name from the publishers of the host, see methods.py
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
KEY_TYPES = ("rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384")
DEFAULT_KEY_TYPE = KEY_TYPES[0]

# A frequent request, so the refusal states the reason. See also docs/many-hosts.md.
_NO_OWN_KEYS = (
    "keys: own is not possible. An order has one CSR and one certificate, and GoGetSSL does not document whether a"
    " certificate remains valid after a reissue with the key of another host. Set order_host to inventory_hostname"
    " for one order per host, or to one host, whose key the others share."
)
_PERSON = {
    "firstname": {"type": "str"},
    "lastname": {"type": "str"},
    "title": {"type": "str"},
    "email": {"type": "str"},
    "phone": {"type": "str"},
    "organization": {"type": "str"},
    "addressline1": {"type": "str"},
    "city": {"type": "str"},
    "region": {"type": "str"},
    "postalcode": {"type": "str"},
    "country": {"type": "str"},
    "fax": {"type": "str"},
}
_ORGANIZATION = {
    "name": {"type": "str"},
    "division": {"type": "str"},
    "duns": {"type": "str"},
    "lei": {"type": "str"},
    "addressline1": {"type": "str"},
    "city": {"type": "str"},
    "region": {"type": "str"},
    "postalcode": {"type": "str"},
    "country": {"type": "str"},
    "phone": {"type": "str"},
    "fax": {"type": "str"},
}
CONTACTS_SPEC: dict[str, t.Any] = {
    "admin": {"type": "dict", "options": _PERSON},
    "tech": {"type": "dict", "options": _PERSON},
    "organization": {"type": "dict", "options": _ORGANIZATION},
}
_ADOPT_FILES: dict[str, t.Any] = {
    "certificate": {"type": "path", "required": True},
    "key": {"type": "path", "required": True, "no_log": False},
    "chain": {"type": "path"},
}
CERTIFICATES_SPEC: dict[str, t.Any] = {
    "certificates": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "product": {"type": "str", "required": True},
            "period": {"type": "int", "default": 12},
            "dcv": {"type": "raw", "default": "http"},
            "key_type": {"type": "str", "choices": list(KEY_TYPES), "default": DEFAULT_KEY_TYPE},
            "services": {"type": "list", "elements": "str", "default": []},
            "listeners": {"type": "list", "elements": "dict", "options": LISTENER_SPEC},
            **LAYOUT_SPEC,
            "server_count": {"type": "int", "default": -1},
            "webserver": {"type": "str"},
            "signature_hash": {"type": "str", "default": "SHA2"},
            "unique_code": {"type": "str"},
            "rekey": {"type": "raw", "default": False, "no_log": False},
            "adopt": {"type": "int"},
            "adopt_files": {"type": "dict", "options": _ADOPT_FILES},
            "abandon_intent": {"type": "bool", "default": False},
            "order_host": {"type": "str"},
            "keys": {"type": "str", "choices": ["shared", "own"], "default": "shared", "no_log": False},
            **CONTACTS_SPEC,
        },
    },
    "directory": {"type": "path", "default": DEFAULT_DIRECTORY},
    "host": {"type": "str"},
}


@dataclasses.dataclass(frozen=True)
class CertificateSpec:
    """A requested certificate, with canonical names. The first name is the common name."""

    name: str
    names: tuple[str, ...]
    product: str  # an id or a name from the vendor's catalogue
    period: int  # months
    methods: t.Mapping[str, str]  # name -> http | https | dns | an approver's e-mail address | auto
    key_type: str = DEFAULT_KEY_TYPE
    listeners: tuple[Listener, ...] = ()
    layout: Layout = dataclasses.field(default_factory=Layout)
    server_count: int = -1
    webserver: str | None = None
    signature_hash: str = "SHA2"
    unique_code: str | None = None
    rekey: bool | dt.datetime = False  # True: now; a time: if the key is older
    adopt: int | None = None
    adopt_files: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    abandon_intent: bool = False
    order_host: str | None = None  # the inventory name of the host that generates the key and orders
    source: str | None = None  # order_host, if it is not this host
    admin: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    tech: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    organization: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def common_name(self) -> str:
        return self.names[0]


def read_specs(params: t.Mapping[str, t.Any]) -> tuple[CertificateSpec, ...]:
    """Read the option `certificates`, with the contacts of the task as defaults; an input error for invalid values."""
    specs = tuple(_read_named(item, params) for item in params["certificates"])
    names = [one.name for one in specs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise input_error(f"Two certificates are named {', '.join(twice)}.")
    return specs


def _read_named(item: t.Mapping[str, t.Any], defaults: t.Mapping[str, t.Any]) -> CertificateSpec:
    """Read a certificate. The message of an error starts with its name."""
    start = f"{_names.check_certificate_name(item['name'])}: "
    try:
        return _read_one(item, defaults)
    except GogetsslError as error:
        message = error.message
        raise input_error(message if message.startswith(start) else start + message) from None


def _read_one(item: t.Mapping[str, t.Any], defaults: t.Mapping[str, t.Any]) -> CertificateSpec:
    names = _names.canonical_list(item["names"])
    if item["keys"] == "own":
        raise input_error(f"{item['name']}: {_NO_OWN_KEYS}")
    if item["period"] < 1:
        raise input_error(f"{item['name']}: period must be at least 1 month.")
    if item["adopt"] is not None and item["adopt"] < 1:
        raise input_error(f"{item['name']}: adopt must be the number of an order, not {item['adopt']}.")
    code = item["unique_code"]
    if code is not None and not re.fullmatch(r"[A-Za-z0-9]{15,20}", code):
        raise input_error(f"{item['name']}: unique_code must be 15 to 20 letters and digits.")
    contacts = {role: {**_given(defaults.get(role)), **_given(item[role])} for role in CONTACTS_SPEC}
    contacts["tech"] = {**contacts["admin"], **contacts["tech"]}  # usually the same person
    _check_countries(item["name"], contacts)
    order_host, here = (item["order_host"] or "").strip() or None, defaults.get("host")
    return CertificateSpec(
        name=item["name"],
        names=names,
        product=item["product"].strip(),
        period=item["period"],
        methods=_read_methods(item["name"], names, item["dcv"]),
        key_type=item["key_type"],
        listeners=read_listeners(item["name"], item["listeners"], item["services"], _default_server_name(names)),
        layout=read_layout(item),
        server_count=item["server_count"],
        webserver=item["webserver"],
        signature_hash=item["signature_hash"],
        unique_code=code,
        rekey=_read_rekey(item["name"], item["rekey"]),
        adopt=item["adopt"],
        adopt_files=_given(item["adopt_files"]),
        abandon_intent=item["abandon_intent"],
        order_host=order_host,
        source=order_host if here and order_host and order_host != here else None,
        **contacts,
    )


def _given(options: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """The options that have a value."""
    return {key: value for key, value in (options or {}).items() if value}


def _check_countries(certificate: str, contacts: t.Mapping[str, t.Mapping[str, str]]) -> None:
    for role, contact in contacts.items():
        country = contact.get("country", "XX")
        if not re.fullmatch("[A-Za-z]{2}", country):
            raise input_error(
                f"{certificate}: {role}.country must be an ISO code of two letters such as DE, not {country!r}. Correct"
                f" gogetssl_{role}, or {role} of the certificate."
            )
        if country.upper() == "UK":  # reserved, but not the code of a country
            raise input_error(
                f"{certificate}: {role}.country of the United Kingdom is GB. Correct gogetssl_{role}, or {role} of the"
                " certificate."
            )


def _read_rekey(certificate: str, value: t.Any) -> bool | dt.datetime:
    """Read a boolean or a time."""
    text = str(value).strip()
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    try:
        return read_moment(text)
    except ValueError:
        raise input_error(
            f"{certificate}: rekey must be true, false, or a date or time such as 2026-11-24T10:00:00Z, not {text!r}."
        ) from None


def _read_methods(certificate: str, names: tuple[str, ...], dcv: t.Any) -> dict[str, str]:
    """The method of each name, from one method for all names or from a map."""
    if isinstance(dcv, str):
        given = dict.fromkeys(names, dcv)
    elif isinstance(dcv, dict):
        given = {_names.canonical(str(name)): str(method) for name, method in dcv.items()}
    else:
        raise input_error(f"{certificate}: dcv must be one method, or a map from name to method.")
    left_out = [name for name in names if name not in given]
    stray = [name for name in given if name not in names]
    if left_out or stray:
        raise input_error(
            f"{certificate}: dcv must have exactly the names of the certificate;"
            f" missing: {', '.join(left_out) or 'none'}; not in names: {', '.join(stray) or 'none'}."
        )
    return {name: _read_method(certificate, name, method) for name, method in given.items()}


def _read_method(certificate: str, name: str, method: str) -> str:
    lowered = method.strip().lower()
    if lowered == AUTO:
        return lowered
    if lowered not in DCV_METHODS and not re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", lowered):
        raise input_error(
            f"{certificate}: {method!r} cannot validate {_names.shown(name)}:"
            f" use {', '.join(DCV_METHODS)}, {AUTO} or an e-mail address."
        )
    if _names.is_wildcard(name) and lowered in ("http", "https"):
        raise input_error(
            f"{certificate}: {_names.shown(name)} is a wildcard, which {lowered} cannot validate."
            " Use dns or an e-mail address."
        )
    if _names.is_address(name) and lowered not in ("http", "https"):
        raise input_error(f"{certificate}: {name} is an IP address, which only http or https can validate.")
    return lowered


def _default_server_name(names: t.Sequence[str]) -> str:
    """The default server name of listeners: the first name that is not a wildcard."""
    plain = [name for name in names if not _names.is_wildcard(name)]
    return plain[0] if plain else "www." + _names.base(names[0])
