# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lies in a certificate's directory on the host, and how it is read there.

    <directory>/<name>/staged/privkey.pem, request.csr      the key that waits for its certificate, never a live one
    <directory>/<name>/<serial>/privkey.pem, cert.pem, ...  one directory a version, the serial in lower-case hex
    <directory>/<name>/current -> <serial>                  what the services read
    <directory>/<name>/previous -> <serial>                 what they read before
    <directory>/<name>/unproven                             the version that nobody has seen its services take yet
    <directory>/<name>/intent.json, order.json              the journal; only read here, to see whether an order is open

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import typing as t

from . import _files, _layout, _x509
from ._errors import GogetsslError, input_error

KEY, CERT, CHAIN, FULLCHAIN = _layout.PEM_SET
REQUEST = "request.csr"
ORIGIN = "origin.json"  # only in versions that were copied from the host that ordered them
SERIAL = re.compile(r"[0-9a-f]{1,42}")


class OrderOf(enum.Enum):
    """What the journal says of a key."""

    NONE = "no order was placed with it"
    OPEN = "money may have been spent for it, and the certificate is not there yet"
    DONE = "a certificate was issued for it"


@dataclasses.dataclass(frozen=True)
class Key:
    """A private key and what may be told of it."""

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
    def unproven(self) -> str:
        return os.path.join(self.root, _layout.UNPROVEN)

    def version(self, serial: str) -> str:
        return os.path.join(self.root, serial)


def base_directory(params: t.Mapping[str, t.Any]) -> str:
    """The task's `directory`, safe to keep keys in; nothing has been written yet when this fails."""
    directory = str(params["directory"])
    if not os.path.isabs(directory):
        raise input_error(f"directory must be an absolute path, not {directory!r}.")
    directory = os.path.normpath(directory)
    _files.check_ancestry(directory)
    _files.check_writable(directory)
    return directory


def paths(directory: str, name: str) -> Paths:
    """The certificate's directory, refused when somebody else could have made it."""
    found = Paths(os.path.join(directory, name))
    if _files.check_own_directory(found.root):
        _files.check_writable(found.root)
        _files.check_own_directory(found.staged)
    return found


def read_key(directory: str) -> Key | None:
    """The private key in a directory; None when there is none or none that can be read."""
    pem = _files.read(os.path.join(directory, KEY))
    try:
        return make_key(pem) if pem is not None else None
    except GogetsslError:
        return None


def make_key(pem: bytes) -> Key:
    """The key with what may be told of it."""
    return Key(pem, _x509.public_key_of_key(pem), _x509.key_type_of_key(pem))


def read_request(directory: str) -> _x509.Request | None:
    """The CSR in a directory; None when there is none or none that can be read."""
    pem = read_text(os.path.join(directory, REQUEST))
    try:
        return _x509.read_request(pem)
    except GogetsslError:
        return None


def read_certificate(directory: str) -> _x509.Certificate | None:
    """The certificate in a version's directory; None when there is none or none that can be read."""
    pem = read_text(os.path.join(directory, CERT))
    try:
        return _x509.read_certificate(pem)
    except GogetsslError:
        return None


def read_text(path: str) -> str:
    """A small text file; empty when there is none."""
    return (_files.read(path) or b"").decode("ascii", "replace")


def linked(link: str) -> str | None:
    """The serial `current` or `previous` points to."""
    return _files.read_link(link, SERIAL)


def unproven(found: Paths) -> str:
    """The serial of the version that still has to be proven; empty if there is none."""
    return read_text(found.unproven).strip()


def versions(found: Paths) -> tuple[str, ...]:
    """The serials of the versions kept, the newest first."""
    if not os.path.isdir(found.root):
        return ()
    kept = [name for name in os.listdir(found.root) if SERIAL.fullmatch(name) and _is_version(found.version(name))]
    return tuple(sorted(kept, key=lambda name: os.lstat(found.version(name)).st_mtime_ns, reverse=True))


def _is_version(directory: str) -> bool:
    named = any(os.path.lexists(os.path.join(directory, name)) for name in (KEY, CERT))
    return named and not os.path.islink(directory)


def is_whole(directory: str) -> bool:
    """True if a version's key and certificate belong together and nothing is missing."""
    key, leaf = read_key(directory), read_certificate(directory)
    rest = all(_files.read(os.path.join(directory, name)) is not None for name in (CHAIN, FULLCHAIN))
    return rest and key is not None and leaf is not None and key.public_key == leaf.public_key


def forms_of(directory: str) -> list[str]:
    """The forms that a version has beside the PEM set."""
    there = {form: [os.path.join(directory, file) for file in files] for form, files in _layout.FORMS.items()}
    return [form for form, files in there.items() if all(os.path.isfile(file) for file in files)]


def is_copy(directory: str) -> bool:
    """True if a version came from another host with its key."""
    return os.path.lexists(os.path.join(directory, ORIGIN))


def restage(found: Paths, serial: str) -> None:
    """Stage the key of a version again, with its CSR if that was kept."""
    files = {name: _files.read(os.path.join(found.version(serial), name)) for name in (KEY, REQUEST)}
    if files[KEY] is None:
        return
    _files.discard(found.staged)
    kept = {name: pem for name, pem in files.items() if pem}
    _files.write_directory(found.staged, kept, 0o700, {REQUEST: _files.PUBLIC})


def has_intent(found: Paths) -> bool:
    """True while a purchase may be under way."""
    return os.path.lexists(os.path.join(found.root, "intent.json"))


def order_of(found: Paths, public_key: str) -> OrderOf:
    """What the journal says of a key. One that cannot be understood counts as an open order."""
    if has_intent(found):
        return OrderOf.OPEN
    newest, told = _journal_key(found)
    if not told:
        return OrderOf.OPEN
    return _order_with(found, public_key) if newest == public_key else OrderOf.NONE


def newest_order(found: Paths) -> OrderOf:
    """What the journal says of the key it is about."""
    newest, told = _journal_key(found)
    if not told:
        return OrderOf.OPEN
    return OrderOf.NONE if newest is None else _order_with(found, newest)


def _journal_key(found: Paths) -> tuple[str | None, bool]:
    """The key that the journal is about, None without a journal; and whether the journal could be understood."""
    contents = _files.read(os.path.join(found.root, "order.json"))
    if contents is None:
        return None, True
    try:
        return str(json.loads(contents)["public_key"]), True
    except (ValueError, KeyError, TypeError):
        return None, False


def _order_with(found: Paths, public_key: str) -> OrderOf:
    kept = (read_key(found.version(serial)) for serial in versions(found))
    return OrderOf.DONE if any(key and key.public_key == public_key for key in kept) else OrderOf.OPEN
