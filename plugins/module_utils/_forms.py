# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of one version: what each of them has to hold, and whether what lies there does hold it.

Stores are salted, so they are compared by what they hold: key, certificates, alias, encryption, and that they open with
the password.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import _jks, _layout, _pkcs12, _x509
from ._errors import GogetsslError, host_error, input_error
from ._layout import Layout

# What keytool takes at least; other characters are read differently by different programs.
_PASSWORD = re.compile(r"[\x20-\x7e]{6,}")


@dataclasses.dataclass(frozen=True)
class Material:
    """What all the files are made of."""

    layout: Layout
    leaf: _x509.Certificate
    chain: tuple[_x509.Certificate, ...]
    key: bytes = dataclasses.field(repr=False)  # PEM
    password: str = dataclasses.field(repr=False)
    now: float

    @property
    def key_der(self) -> bytes:
        return _x509.der_of_key(self.key)

    @property
    def certificates_der(self) -> tuple[bytes, ...]:
        return tuple(_x509.der_of_certificate(one) for one in (self.leaf, *self.chain))


def check(name: str, layout: Layout, password: str | None) -> None:
    """An error if the wished forms cannot be made on this host; nothing has been touched then."""
    stores = [form for form in layout.forms if form in _layout.WITH_PASSWORD]
    if not stores:
        return
    if not password:
        raise input_error(f"{name}: {', '.join(stores)} needs store_password, the password of the keystores.")
    if not _PASSWORD.fullmatch(password):
        raise input_error(f"{name}: store_password takes 6 or more printable ASCII characters, as Java's keytool does.")
    pkcs12 = [form for form in stores if form.startswith("pkcs12")]
    if pkcs12 and not _pkcs12.can_make():
        raise host_error(
            f"{name}: {', '.join(pkcs12)} needs openssl on this host, or version 38 or newer of the Python library"
            " cryptography; install one of them, or take the form out of forms."
        )


def make(file: str, material: Material) -> bytes:
    """The contents of a file."""
    leaf, chain = material.leaf.pem, "".join(one.pem for one in material.chain)
    texts = {_layout.CERT: leaf, _layout.CHAIN: chain, _layout.FULLCHAIN: leaf + chain}
    if file in texts:
        return texts[file].encode("ascii")
    if file == _layout.KEY:
        return material.key
    return _MAKERS[file](material)


def holds(file: str, contents: bytes, material: Material) -> bool:
    """True if a file holds what it has to."""
    if file == _layout.KEY:
        try:
            return _x509.public_key_of_key(contents) == material.leaf.public_key
        except GogetsslError:
            return False
    if file in _READERS:
        return _READERS[file](contents, material)
    return contents == make(file, material)


def _bundle(material: Material) -> bytes:
    return make(_layout.FULLCHAIN, material) + material.key


def _pkcs12_maker(legacy: bool) -> t.Callable[[Material], bytes]:
    def maker(material: Material) -> bytes:
        return _pkcs12.dump(_entry(material), material.password, legacy)

    return maker


def _pkcs12_reader(legacy: bool) -> t.Callable[[bytes, Material], bool]:
    def reader(contents: bytes, material: Material) -> bool:
        if not _pkcs12.is_encrypted(contents, legacy):
            return False
        entry = _pkcs12.load(contents, material.password)
        # The authorities' certificates have no order in such a store: some libraries turn it round.
        return entry is not None and _sorted(entry) == _sorted(_entry(material))

    return reader


def _jks_maker(material: Material) -> bytes:
    return _jks.dump(_entry(material), material.password, material.now)


def _jks_reader(contents: bytes, material: Material) -> bool:
    wanted = _entry(material)
    return _jks.load(contents, material.password) == wanted._replace(alias=wanted.alias.lower())


def _entry(material: Material) -> _jks.Entry:
    return _jks.Entry(material.layout.alias, material.key_der, material.certificates_der)


def _sorted(entry: _jks.Entry) -> _jks.Entry:
    return entry._replace(certificates=(*entry.certificates[:1], *sorted(entry.certificates[1:])))


_MAKERS: dict[str, t.Callable[[Material], bytes]] = {
    "haproxy.pem": _bundle,
    "privkey.der": lambda material: material.key_der,
    "cert.der": lambda material: material.certificates_der[0],
    "keystore.p12": _pkcs12_maker(legacy=False),
    "keystore-legacy.p12": _pkcs12_maker(legacy=True),
    "keystore.jks": _jks_maker,
}
_READERS: dict[str, t.Callable[[bytes, Material], bool]] = {
    "keystore.p12": _pkcs12_reader(legacy=False),
    "keystore-legacy.p12": _pkcs12_reader(legacy=True),
    "keystore.jks": _jks_reader,
}
