# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a certificate lies on its host: which files, and who may read them. Known to the controller and to the host.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ._errors import input_error

KEY, CERT, CHAIN, FULLCHAIN = "privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"
PEM_SET = (KEY, CERT, CHAIN, FULLCHAIN)

# Holds the serial number of a version from before services could see it until they were seen to take it.
UNPROVEN = "unproven"

# Forms beside the PEM set and their files.
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

# Options of a certificate, the same for every task.
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
    """The files of one certificate and their rights."""

    forms: tuple[str, ...] = ()
    alias: str = ""
    owner: str | None = None  # None: whoever the task runs as; a name or a number otherwise
    group: str | None = None
    mode: int = 0o600  # of the files that hold the key

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files, the key's first."""
        return (*PEM_SET, *(file for form in self.forms for file in FORMS[form]))

    def mode_of(self, file: str) -> int:
        return PUBLIC_MODE if file in PUBLIC else self.mode


def read_layout(item: t.Mapping[str, t.Any]) -> Layout:
    """The layout a certificate's options ask for; an input error for what cannot be meant."""
    name = str(item.get("name"))
    forms = item.get("forms") or []
    unknown = [str(form) for form in forms if form not in FORMS] if isinstance(forms, list) else [str(forms)]
    if unknown:
        raise input_error(f"{name}: forms takes a list of {', '.join(FORMS)}, not {', '.join(unknown)}.")
    alias = item.get("alias") or name
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
        raise input_error(
            f"{name}: alias takes up to 64 letters, digits, dots, dashes, underscores and blanks, and starts with"
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
        raise input_error(f"{item.get('name')}: {option} takes the name or the number of a {option}.")
    return str(value)


def _mode(name: str, value: t.Any) -> int:
    """From `'0640'`, or from the number that YAML makes of `0640`."""
    if value is None or value == "":
        value = DEFAULT_MODE
    try:
        mode = value if isinstance(value, int) else int(str(value), 8)
    except ValueError:
        mode = 0
    if isinstance(value, bool) or mode & ~_MODES_ALLOWED or not mode & 0o400:
        raise input_error(
            f"{name}: mode is that of private keys and takes '0600', '0640', '0400' or '0440', with the quotes: nobody"
            " but owner and group may read a key, and nobody but the owner may write it."
        )
    return mode
