# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layout of a certificate's directory, and functions that read it on the host.

<directory>/<name>/staged/privkey.pem, request.csr      the key of a pending certificate, never an installed one
<directory>/<name>/<serial>/privkey.pem, cert.pem, ...  one directory per version; serial in lower-case hex
<directory>/<name>/current -> <serial>                  the version that services read
<directory>/<name>/previous -> <serial>                 the version before it
<directory>/<name>/unverified                           the installed version not yet verified as served
<directory>/<name>/intent.json, order.json              the journal; only read here, to see whether an order is open
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import typing as t

from .._core.errors import GogetsslError, input_error
from .._crypto import x509
from .._request import layout
from . import files as _files

KEY, CERT, CHAIN, FULLCHAIN = layout.PEM_SET
REQUEST = "request.csr"
ORIGIN = "origin.json"  # only in versions copied from the ordering host
SERIAL = re.compile(r"[0-9a-f]{1,42}")


class OrderOf(enum.Enum):
    """The state of a key's order, from the journal."""

    NONE = "no order was placed with it"
    OPEN = "money may have been spent for it, and the certificate is not there yet"
    DONE = "a certificate was issued for it"


@dataclasses.dataclass(frozen=True)
class Key:
    """A private key and its public properties."""

    pem: bytes = dataclasses.field(repr=False)
    public_key: str
    key_type: str


@dataclasses.dataclass(frozen=True)
class Paths:
    """The directory of one certificate."""

    root: str

    @property
    def staged(self) -> str:
        return os.path.join(self.root, "staged")

    @property
    def current(self) -> str:
        return os.path.join(self.root, "current")

    @property
    def previous(self) -> str:
        return os.path.join(self.root, "previous")

    @property
    def unverified(self) -> str:
        return os.path.join(self.root, layout.UNVERIFIED)

    def version(self, serial: str) -> str:
        return os.path.join(self.root, serial)


def base_directory(params: t.Mapping[str, t.Any]) -> str:
    """Return the task's `directory`; an error, before any change, if it is unsafe for keys."""
    directory = str(params["directory"])
    if not os.path.isabs(directory):
        raise input_error(f"directory must be an absolute path, not {directory!r}.")
    directory = os.path.normpath(directory)
    _files.check_ancestry(directory)
    _files.check_writable(directory)
    return directory


def paths(directory: str, name: str) -> Paths:
    """Return the certificate's directory; an error if another user could have created it."""
    found = Paths(os.path.join(directory, name))
    if _files.check_own_directory(found.root):
        _files.check_writable(found.root)
        _files.check_own_directory(found.staged)
    return found


def read_key(directory: str) -> Key | None:
    """Return the private key in a directory; None if missing or invalid."""
    pem = _files.read(os.path.join(directory, KEY))
    try:
        return make_key(pem) if pem is not None else None
    except GogetsslError:
        return None


def make_key(pem: bytes) -> Key:
    """Return the key with its public properties."""
    return Key(pem, x509.public_key_of_key(pem), x509.key_type_of_key(pem))


def read_request(directory: str) -> x509.Request | None:
    """Return the CSR in a directory; None if missing or invalid."""
    pem = read_text(os.path.join(directory, REQUEST))
    try:
        return x509.read_request(pem)
    except GogetsslError:
        return None


def read_certificate(directory: str) -> x509.Certificate | None:
    """Return the certificate in a version's directory; None if missing or invalid."""
    pem = read_text(os.path.join(directory, CERT))
    try:
        return x509.read_certificate(pem)
    except GogetsslError:
        return None


def read_text(path: str) -> str:
    """Return the contents of a small text file; empty if missing."""
    return (_files.read(path) or b"").decode("ascii", "replace")


def linked(link: str) -> str | None:
    """Return the serial that `current` or `previous` points to."""
    return _files.read_link(link, SERIAL)


def unverified(found: Paths) -> str:
    """Return the serial of the version not yet verified, or an empty string."""
    return read_text(found.unverified).strip()


def versions(found: Paths) -> tuple[str, ...]:
    """Return the serials of the kept versions, newest first."""
    if not os.path.isdir(found.root):
        return ()
    kept = [name for name in os.listdir(found.root) if SERIAL.fullmatch(name) and _is_version(found.version(name))]
    return tuple(sorted(kept, key=lambda name: os.lstat(found.version(name)).st_mtime_ns, reverse=True))


def _is_version(directory: str) -> bool:
    named = any(os.path.lexists(os.path.join(directory, name)) for name in (KEY, CERT))
    return named and not os.path.islink(directory)


def is_whole(directory: str) -> bool:
    """True if a version's key matches its certificate and no file is missing."""
    key, leaf = read_key(directory), read_certificate(directory)
    rest = all(_files.read(os.path.join(directory, name)) is not None for name in (CHAIN, FULLCHAIN))
    return rest and key is not None and leaf is not None and key.public_key == leaf.public_key


def forms_of(directory: str) -> list[str]:
    """Return the forms of a version in addition to the PEM set."""
    there = {form: [os.path.join(directory, file) for file in files] for form, files in layout.FORMS.items()}
    return [form for form, files in there.items() if all(os.path.isfile(file) for file in files)]


def is_copy(directory: str) -> bool:
    """True if a version and its key were copied from another host."""
    return os.path.lexists(os.path.join(directory, ORIGIN))


def restage(found: Paths, serial: str) -> None:
    """Stage the key of a version again, with its CSR if it was kept."""
    files = {name: _files.read(os.path.join(found.version(serial), name)) for name in (KEY, REQUEST)}
    if files[KEY] is None:
        return
    _files.discard(found.staged)
    kept = {name: pem for name, pem in files.items() if pem}
    _files.write_directory(found.staged, kept, 0o700, {REQUEST: _files.PUBLIC})


def has_intent(found: Paths) -> bool:
    """True while a purchase may be in progress."""
    return os.path.lexists(os.path.join(found.root, "intent.json"))


def order_of(found: Paths, public_key: str) -> OrderOf:
    """Return the state of a key's order. An invalid journal counts as an open order."""
    if has_intent(found):
        return OrderOf.OPEN
    newest, valid = _journal_key(found)
    if not valid:
        return OrderOf.OPEN
    return _order_with(found, public_key) if newest == public_key else OrderOf.NONE


def newest_order(found: Paths) -> OrderOf:
    """Return the order state of the journal's key."""
    newest, valid = _journal_key(found)
    if not valid:
        return OrderOf.OPEN
    return OrderOf.NONE if newest is None else _order_with(found, newest)


def _journal_key(found: Paths) -> tuple[str | None, bool]:
    """Return the journal's key (None without a journal), and whether the journal is valid."""
    contents = _files.read(os.path.join(found.root, "order.json"))
    if contents is None:
        return None, True
    try:
        return str(json.loads(contents)["public_key"]), True
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, False


def _order_with(found: Paths, public_key: str) -> OrderOf:
    kept = (read_key(found.version(serial)) for serial in versions(found))
    return OrderOf.DONE if any(key and key.public_key == public_key for key in kept) else OrderOf.OPEN
