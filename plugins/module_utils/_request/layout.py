# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a certificate on its host, and their permissions. For the controller and the host."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._core.errors import input_error

KEY, CERT, CHAIN, FULLCHAIN = "privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"
PEM_SET = (KEY, CERT, CHAIN, FULLCHAIN)

# The file with the serial number of a new version, until its services are verified to serve it.
UNVERIFIED = "unverified"

# Additional formats and their files.
FORMS: dict[str, tuple[str, ...]] = {
    "haproxy": ("haproxy.pem",),
    "der": ("privkey.der", "cert.der"),
    "pkcs12": ("keystore.p12",),
    "pkcs12_legacy": ("keystore-legacy.p12",),
    "jks": ("keystore.jks",),
}
WITH_PASSWORD = frozenset({"pkcs12", "pkcs12_legacy", "jks"})
PUBLIC = frozenset({CERT, CHAIN, FULLCHAIN, "cert.der"})
PUBLIC_MODE = 0o644
DEFAULT_MODE = "0600"

# Options of a certificate, common to all tasks.
LAYOUT_SPEC: dict[str, t.Any] = {
    "forms": {"type": "list", "elements": "str", "choices": list(FORMS), "default": []},
    "alias": {"type": "str"},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "raw", "default": DEFAULT_MODE},
}

_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,63}")
_ACCOUNT = re.compile(r"[^\s:/][^:/\n]{0,255}")
_MODES_ALLOWED = 0o640


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files of one certificate and their permissions."""

    forms: tuple[str, ...] = ()
    alias: str = ""
    owner: str | None = None  # a name or a number; None: the user of the task
    group: str | None = None
    mode: int = 0o600  # of the files with the private key

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files, the private key first."""
        return (*PEM_SET, *(file for form in self.forms for file in FORMS[form]))

    def mode_of(self, file: str) -> int:
        return PUBLIC_MODE if file in PUBLIC else self.mode


def read_layout(item: t.Mapping[str, t.Any]) -> Layout:
    """Read the layout from the options of a certificate; an input error for invalid values."""
    name = str(item.get("name"))
    forms = item.get("forms") or []
    if isinstance(forms, str):  # Ansible also accepts a list as comma-separated text
        forms = [form.strip() for form in forms.split(",")]
    unknown = [str(form) for form in forms if form not in FORMS] if isinstance(forms, list) else [str(forms)]
    if unknown:
        raise input_error(f"{name}: forms must be a list of {', '.join(FORMS)}, not {', '.join(unknown)}.")
    alias = item.get("alias") or name
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
        raise input_error(
            f"{name}: alias must be up to 64 letters, digits, dots, dashes, underscores and spaces, starting with"
            " a letter or digit."
        )
    return Layout(
        forms=tuple(form for form in FORMS if form in forms),
        alias=alias,
        owner=_account(item, "owner"),
        group=_account(item, "group"),
        mode=_mode(name, item.get("mode")),
    )


def _account(item: t.Mapping[str, t.Any], option: str) -> str | None:
    value = item.get(option)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not _ACCOUNT.fullmatch(str(value)):
        raise input_error(f"{item.get('name')}: {option} must be the name or number of a {option}.")
    return str(value)


def _mode(name: str, value: t.Any) -> int:
    """Read the mode from the text `'0640'`, or from the number that YAML makes of `0640`."""
    if value is None or value == "":
        value = DEFAULT_MODE
    try:
        mode = value if isinstance(value, int) else int(str(value), 8)
    except ValueError:
        mode = 0
    if isinstance(value, bool) or mode & ~_MODES_ALLOWED or not mode & 0o400:
        raise input_error(
            f"{name}: mode must be '0600', '0640', '0400' or '0440', with the quotes. It is the mode of private keys:"
            " only owner and group may read them, and only the owner may write them."
        )
    return mode
